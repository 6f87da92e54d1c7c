"""Pages: one for many, in line with what is kept, whatever is killed when. In memory, with time as a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import pages as p
from bridge.directory import normal_account
from bridge.errors import DeliveryError, Fault, StoreUnavailableError
from bridge.pagers import KeepsPages, PageCall
from bridge.pages import Caller, Group, Move, Pages, next_move, spelt
from routing import inputs as i
from routing.effects import ONCALL, Page
from routing.facts import Cause
from routing.ids import DeskId, EffectId, SessionId, Topic
from routing.session import Escalation, Session
from tests.unit.bridge.mortal import Killed, Lives, Memory, Mortal
from tests.unit.routing.builders import KENJI, opened

JA = DeskId("ja")
NIGHT = "night"


@dataclass
class Phone:
    """A pager with books of its own, as strict as PagerDuty's: what is resolved is never opened again under its key."""

    name: str = NIGHT
    language: str = "ja"
    open: dict[str, str] = field(default_factory=dict)  # key → triggered or acknowledged
    rings: list[PageCall] = field(default_factory=list)
    calls: list[PageCall] = field(default_factory=list)  # updates of what is open, too
    said: list[tuple[str, str]] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    fails: Callable[[int], DeliveryError | None] = lambda _number: None

    async def page(self, call: PageCall) -> None:
        self._count("page", call.key)
        self.calls.append(call)
        if call.key not in self.open:
            self.rings.append(call)
        self.open.setdefault(call.key, "triggered")

    async def acknowledge(self, key: str) -> None:
        self._count("acknowledge", key)
        if key in self.open:
            self.open[key] = "acknowledged"

    async def resolve(self, key: str) -> None:
        self._count("resolve", key)
        if self.open.pop(key, None):
            self.resolved.append(key)

    async def close(self) -> None:
        """Nothing is open."""

    def _count(self, what: str, key: str) -> None:
        error = self.fails(len(self.said))
        self.said.append((what, key))
        if error is not None:
            raise error


@dataclass
class Bell:
    """A pager that is only told."""

    name: str = NIGHT
    language: str = "ja"
    told: list[PageCall] = field(default_factory=list)

    async def page(self, call: PageCall) -> None:
        self.told.append(call)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Ledger:
    """The relay, as far as pages go through it: what each session has heard, once for each key."""

    heard: dict[str, tuple[SessionId, i.Input]] = field(default_factory=dict)

    async def from_bridge(self, session: SessionId, event: i.Input, key: str) -> None:
        self.heard.setdefault(f"{session}/{key}", (session, event))

    async def from_operator(self, session: SessionId, event: i.Input, key: str) -> None:
        self.heard.setdefault(f"{session}/{key}", (session, event))

    def sessions(self, kind: type[i.Input]) -> list[SessionId]:
        return [session for session, event in self.heard.values() if isinstance(event, kind)]


def words(language: str, key: str, /, **filled: object) -> str:
    return " ".join([key.removeprefix("page."), *map(str, filled.values())])


class MortalKeeper(Mortal):
    """A pager with books, as `isinstance` sees it."""

    async def acknowledge(self, key: str) -> None:
        await self.__getattr__("acknowledge")(key)

    async def resolve(self, key: str) -> None:
        await self.__getattr__("resolve")(key)


@dataclass
class World:
    """One store, one pager, and as many processes as are started."""

    pager: Phone | Bell = field(default_factory=Phone)
    memory: Memory = field(default_factory=Memory)
    ledger: Ledger = field(default_factory=Ledger)
    started: int = 0

    def process(self, lives: Lives | None = None) -> Pages:
        self.started += 1
        mortal = lives or Lives()
        pager = (MortalKeeper if isinstance(self.pager, KeepsPages) else Mortal)(self.pager, mortal)
        return Pages(
            cast(Any, Mortal(self.memory, mortal)),
            cast(Any, Mortal(self.ledger, mortal)),
            {NIGHT: cast(Any, pager)},
            words,
            f"process-{self.started}",
            desk_url="https://desk.example.com/console",
            zone=lambda _desk: ZoneInfo("Asia/Tokyo"),
        )

    def late(self, number: int, desk: DeskId = JA, cause: Cause = Cause.FIRST_RESPONSE) -> Session:
        """A session that is escalated."""
        session = opened(session=SessionId(f"main.1.{number:04}"), code=f"K{number:03}", language="ja").session
        assert session is not None
        waiting = self.memory.clock - 60_000 + number
        ladder = Escalation(EffectId(f"e{number:04}"), cause, waiting)
        session = replace(session, desk=desk, escalation=ladder, waiting_since=waiting)
        self.memory.sessions[session.id] = session
        return session

    def answered(self, session: Session) -> None:
        self.memory.sessions[session.id] = replace(session, escalation=None)

    async def settles(self, pages: Pages, *, seconds: int = 90, step: int = 1) -> None:
        """Time goes by, `step` seconds at a time."""
        for _ in range(0, seconds, step):
            self.memory.clock += step * 1_000
            await pages.tick()


def rung(session: Session, times: int = 1) -> Page:
    """The effect of a rung that pages."""
    assert session.escalation is not None
    name = EffectId(f"{session.escalation.id}-{times}")
    ladder = session.escalation
    return Page(id=name, to=ONCALL, mirror=0, escalation=ladder.id, pager=NIGHT, cause=ladder.why)


def name_of(session: Session) -> EffectId:
    assert session.escalation is not None
    return session.escalation.id


# ------------------------------------------------------------------ the thin line


async def test_a_page_is_opened_told_acknowledged_and_resolved() -> None:
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    session = world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    assert len(phone.rings) == 1
    assert world.ledger.sessions(i.PageAccepted) == [session.id]
    await pages.acknowledge(name_of(session))
    await world.settles(pages, seconds=3)
    assert list(phone.open.values()) == ["acknowledged"]
    await pages.end(name_of(session))
    await world.settles(pages)
    assert (phone.open, len(phone.resolved), world.memory.kept) == ({}, 1, {})


async def test_the_session_hears_nothing_before_the_pager_has_accepted() -> None:
    world = World(Phone(fails=lambda number: DeliveryError(Fault.TRANSIENT, "http_429") if number < 3 else None))
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=3)
    assert world.ledger.heard == {}
    assert await pages.overdue() >= 3_000
    await world.settles(pages, seconds=60)
    assert world.ledger.sessions(i.PageAccepted) == [session.id]
    assert await pages.overdue() == 0


async def test_a_pager_that_refuses_is_asked_ever_more_rarely() -> None:
    phone = Phone(fails=lambda _number: DeliveryError(Fault.BLOCKED, "routing_key_refused"))
    world = World(phone)
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=600)
    assert 5 < len(phone.said) < 15


async def test_a_pager_that_says_when_is_asked_again_then() -> None:
    phone = Phone(
        fails=lambda number: DeliveryError(Fault.TRANSIENT, "http_429", retry_after=30) if not number else None
    )
    world = World(phone)
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=30)
    assert len(phone.said) == 1
    await world.settles(pages, seconds=5)
    assert len(phone.rings) == 1


async def test_a_session_that_was_answered_before_its_page_is_not_paged() -> None:
    world = World()
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), replace(session, escalation=None))
    await world.settles(pages, seconds=5)
    assert cast(Phone, world.pager).said == []


async def test_a_session_that_was_answered_within_two_seconds_is_not_paged() -> None:
    world = World()
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), session)
    await pages.tick()
    await pages.end(name_of(session))
    await world.settles(pages)
    assert cast(Phone, world.pager).said == []


# ------------------------------------------------------------------ no storm


async def test_fifty_sessions_late_at_once_are_one_page_with_a_count() -> None:
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    sessions = [world.late(number) for number in range(50)]
    for session in sessions:
        await pages.ask(rung(session), session)
    await world.settles(pages, seconds=30)
    assert [call.line for call in phone.rings] == [phone.rings[0].line]
    assert phone.rings[0].line.endswith("people 50")
    assert sorted(world.ledger.sessions(i.PageAccepted)) == sorted(one.id for one in sessions)
    for session in sessions[:-1]:
        await pages.end(name_of(session))
    await world.settles(pages, seconds=30)
    assert len(phone.open) == 1
    await pages.end(name_of(sessions[-1]))
    await world.settles(pages)
    assert (phone.open, world.memory.kept) == ({}, {})


async def test_who_comes_later_joins_the_page_that_is_open_and_does_not_ring() -> None:
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    for number in range(3):
        session = world.late(number)
        await pages.ask(rung(session), session)
        await world.settles(pages, seconds=20)
    assert len(phone.rings) == 1
    assert [what for what, _key in phone.said] == ["page"] * 3
    assert len(world.ledger.sessions(i.PageAccepted)) == 3


async def test_a_page_of_an_emergency_links_to_it_and_not_to_who_has_waited_longest() -> None:
    world = World()
    pages = world.process()
    for session in (world.late(1), world.late(2, cause=Cause.EMERGENCY)):
        await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    (call,) = cast(Phone, world.pager).rings
    assert call.link.endswith("#K002")


async def test_a_call_that_rings_links_to_who_is_new_in_it() -> None:
    world = World(pager=Bell())
    bell, pages = world.pager, world.process()
    assert isinstance(bell, Bell)
    for number in (1, 2):
        session = world.late(number)
        await pages.ask(rung(session), session)
        await world.settles(pages, seconds=900)
    assert [call.link.rpartition("#")[2] for call in bell.told] == ["K001", "K002"]


async def test_who_joins_an_open_page_leaves_its_link_alone() -> None:
    world = World()
    pages = world.process()
    older, newer = world.late(1), world.late(2)
    for session in (newer, older):
        await pages.ask(rung(session), session)
        await world.settles(pages, seconds=20)
    assert [call.link.rpartition("#")[2] for call in cast(Phone, world.pager).calls] == ["K002", "K002"]


async def test_a_desk_called_after_its_language_is_named_once() -> None:
    world = World()
    pages = world.process()
    for session in (replace(world.late(1), topic=Topic("trading")), world.late(2)):
        await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    (call,) = cast(Phone, world.pager).rings
    assert call.line.startswith("ja · waiting")


async def test_desks_ring_apart() -> None:
    world = World()
    pages = world.process()
    for number, desk in enumerate((JA, DeskId("en"))):
        session = world.late(number, desk)
        await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    assert len(cast(Phone, world.pager).open) == 2


async def test_a_session_that_moves_stays_in_the_page_that_it_called() -> None:
    world = World()
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    await pages.ask(rung(session, 2), replace(session, desk=DeskId("en")))
    await world.settles(pages, seconds=5)
    assert len(cast(Phone, world.pager).open) == 1
    await pages.end(name_of(session))
    await world.settles(pages)
    assert cast(Phone, world.pager).open == {}


async def test_who_is_late_while_a_page_is_being_resolved_gets_one_of_their_own() -> None:
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    first, second = world.late(1), world.late(2)
    await pages.ask(rung(first), first)
    await world.settles(pages, seconds=5)
    await pages.end(name_of(first))
    await pages.tick()  # it says that it closes
    await pages.ask(rung(second), second)
    await world.settles(pages)
    (key,) = phone.open
    assert key != phone.rings[0].key
    assert len(phone.rings) == 2


# ------------------------------------------------------------------ acknowledgements


async def test_a_page_is_acknowledged_once_all_of_its_sessions_are() -> None:
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    one, other = world.late(1), world.late(2)
    for session in (one, other):
        await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    await pages.acknowledge(name_of(one))
    await world.settles(pages, seconds=5)
    assert list(phone.open.values()) == ["triggered"]
    await pages.end(name_of(other))
    await world.settles(pages, seconds=5)
    assert list(phone.open.values()) == ["acknowledged"]


async def test_an_acknowledgement_that_was_not_kept_rings_anew() -> None:
    """PagerDuty rings for no event of an acknowledged incident."""
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    session = world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    await pages.acknowledge(name_of(session))
    await world.settles(pages, seconds=5)
    for times in (2, 3):
        await pages.ask(rung(session, times), session)
        await world.settles(pages)
        await pages.acknowledge(name_of(session))
        await world.settles(pages, seconds=5)
    assert len({call.key for call in phone.rings}) == 3
    assert len(phone.open) == 1
    await pages.end(name_of(session))
    await world.settles(pages)
    assert (phone.open, world.memory.kept) == ({}, {})


async def test_a_rung_that_is_repeated_says_so_under_the_same_key() -> None:
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    session = world.late(1)
    for times in (1, 2, 2, 3):
        await pages.ask(rung(session, times), session)
        await world.settles(pages, seconds=5)
    assert len(phone.rings) == 1
    assert [what for what, _key in phone.said] == ["page"] * 3


async def test_who_is_late_after_an_acknowledgement_rings_but_not_one_by_one() -> None:
    """The specialist of whom they are told has to know of them."""
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    first = world.late(0)
    await pages.ask(rung(first), first)
    await world.settles(pages, seconds=5)
    await pages.acknowledge(name_of(first))
    await world.settles(pages, seconds=5)
    for number in range(1, 10):
        session = world.late(number)
        await pages.ask(rung(session), session)
        await world.settles(pages, seconds=20)
    assert len(phone.rings) == 1
    assert world.ledger.sessions(i.PageAccepted) == [first.id]
    await world.settles(pages, seconds=300)
    assert [call.line.rpartition(" · ")[2] for call in phone.rings] == ["people 1", "people 10"]
    assert len(world.ledger.sessions(i.PageAccepted)) == 10


async def test_at_the_pager_all_who_were_on_the_page_are_acknowledged_and_nobody_else() -> None:
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    sessions = [world.late(number) for number in range(3)]
    for session in sessions[:2]:
        await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    seen_at = world.memory.clock
    world.memory.clock += 2 * p.SKEW
    await pages.ask(rung(sessions[2]), sessions[2])
    (key,) = phone.open
    for _ in range(2):  # the event comes twice
        assert await pages.acknowledged(NIGHT, key, KENJI, at=seen_at, event="event-1")
    acknowledged = world.ledger.sessions(i.OperatorAcknowledged)
    assert sorted(acknowledged) == sorted(one.id for one in sessions[:2])
    assert {event for _session, event in world.ledger.heard.values() if isinstance(event, i.OperatorAcknowledged)} == {
        i.OperatorAcknowledged(KENJI, via=NIGHT)
    }


@pytest.mark.parametrize(("pager", "key"), [(NIGHT, "ja.another"), ("day", "")], ids=["key", "pager"])
async def test_what_a_pager_says_of_a_page_that_is_not_open_is_nothing(pager: str, key: str) -> None:
    world = World()
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    (open_key,) = cast(Phone, world.pager).open
    assert not await pages.acknowledged(pager, key or open_key, KENJI, at=world.memory.clock, event="event-1")
    assert world.ledger.sessions(i.OperatorAcknowledged) == []


async def test_a_store_that_refuses_lets_the_pager_say_it_again() -> None:
    class Shut(Ledger):
        async def from_operator(self, session: SessionId, event: i.Input, key: str) -> None:
            raise StoreUnavailableError("away")

    world = World(ledger=Shut())
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    (key,) = cast(Phone, world.pager).open
    with pytest.raises(StoreUnavailableError):
        await pages.acknowledged(NIGHT, key, KENJI, at=world.memory.clock, event="event-1")
    world.ledger = Ledger()
    again = world.process()
    assert await again.acknowledged(NIGHT, key, KENJI, at=world.memory.clock, event="event-1")
    assert world.ledger.sessions(i.OperatorAcknowledged) == [session.id]


async def test_a_pager_that_rings_again_by_itself_is_quiet_no_more() -> None:
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    session = world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    (key,) = phone.open
    at = world.memory.clock
    await pages.acknowledged(NIGHT, key, KENJI, at=at, event="event-1")
    await pages.reopened(NIGHT, key, at=at + 60_000, event="event-2")
    await pages.ask(rung(session, 2), session)
    await world.settles(pages, seconds=5)
    assert list(phone.open) == [key]


async def test_an_old_word_of_the_pagers_that_comes_late_changes_nothing() -> None:
    """A recorded "it rings again", played back, must not make us believe that an acknowledged page rings."""
    world = World()
    phone, pages = world.pager, world.process()
    assert isinstance(phone, Phone)
    session = world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    (key,) = phone.open
    at = world.memory.clock
    await pages.acknowledged(NIGHT, key, KENJI, at=at, event="event-2")
    await pages.reopened(NIGHT, key, at=at - 60_000, event="event-1")
    await pages.ask(rung(session, 2), session)
    await world.settles(pages, seconds=5)
    assert len(phone.rings) == 2


# ------------------------------------------------------------------ a pager that is only told


async def test_a_burst_is_one_message_and_its_growth_another_a_while_later() -> None:
    bell = Bell()
    world = World(bell)
    pages = world.process()
    for number in range(50):
        session = world.late(number)
        await pages.ask(rung(session), session)
    await world.settles(pages, seconds=10)
    assert [call.line.rpartition(" · ")[2] for call in bell.told] == ["people 50"]
    for number in range(50, 60):
        session = world.late(number)
        await pages.ask(rung(session), session)
        await world.settles(pages, seconds=20)
    await world.settles(pages, seconds=300)
    assert [call.line.rpartition(" · ")[2] for call in bell.told] == ["people 50", "people 60"]


async def test_a_rung_that_is_repeated_is_one_more_message_however_many_repeat_it() -> None:
    bell = Bell()
    world = World(bell)
    pages = world.process()
    sessions = [world.late(number) for number in range(10)]
    for times in (1, 2):
        for session in sessions:
            await pages.ask(rung(session, times), session)
        await world.settles(pages, seconds=70)
    assert len(bell.told) == 2


async def test_what_is_only_told_leaves_nothing_behind() -> None:
    world = World(Bell())
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    await pages.acknowledge(name_of(session))
    await pages.end(name_of(session))
    await world.settles(pages)
    assert world.memory.kept == {}


# ------------------------------------------------------------------ what a page says


async def test_a_page_says_what_decides_and_no_more() -> None:
    world = World()
    world.memory.clock = 1_767_290_000_000  # 2026-01-01 17:53:20 UTC: 02:53 of the 2nd in Tokyo
    pages, session = world.process(), world.late(1)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    (call,) = cast(Phone, world.pager).rings
    assert call.line == "ja · account · waiting 02:52 JST · people 1"
    assert call.link == "https://desk.example.com/console/#K001"
    assert (call.severity, call.at) == ("error", session.waiting_since)
    assert call.details == {"desk": "ja", "codes": "K001"}


async def test_an_emergency_says_so_first() -> None:
    world = World()
    pages, session = world.process(), world.late(1, cause=Cause.EMERGENCY)
    await pages.ask(rung(session), session)
    await world.settles(pages, seconds=5)
    (call,) = cast(Phone, world.pager).rings
    assert call.line.startswith("emergency · ja · ")
    assert call.severity == "critical"


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Asia/Tokyo", 0, "02:51 JST"),
        ("Asia/Tokyo", 8 * 3_600_000, "02:51 JST"),
        ("Asia/Tokyo", 24 * 3_600_000, "2026-01-02 02:51 JST"),
        ("Asia/Shanghai", 0, "01:51 UTC+08:00"),
        ("America/Sao_Paulo", 0, "14:51 UTC-03:00"),
        ("UTC", 0, "17:51 UTC"),
    ],
)
def test_a_moment_names_its_zone_and_an_old_one_its_day(zone: str, now: int, expected: str) -> None:
    at = 1_767_289_860_000
    assert spelt(at, at + now, ZoneInfo(zone)) == expected


def test_a_fixed_zone_is_spelt_too() -> None:
    assert spelt(0, 0, UTC) == "00:00 UTC"


# ------------------------------------------------------------------ killed between any two lines


async def story(world: World, pages: Callable[[], Pages]) -> None:
    """Two are late; one is acknowledged, in vain; both are answered. Every step is done again until it is done."""
    one, other = world.late(1), world.late(2)
    steps: list[Callable[[Pages], Any]] = [
        lambda now: now.ask(rung(one), one),
        lambda now: now.ask(rung(other), other),
        lambda now: world.settles(now, seconds=50, step=10),
        lambda now: now.acknowledge(name_of(one)),
        lambda now: now.acknowledge(name_of(other)),
        lambda now: world.settles(now, seconds=40, step=10),
        lambda now: now.ask(rung(one, 2), one),
        lambda now: world.settles(now, seconds=40, step=10),
        lambda now: now.end(name_of(one)),
        lambda now: now.end(name_of(other)),
        lambda now: world.settles(now, seconds=200, step=20),
    ]
    current = pages()
    for step in steps:
        while True:
            try:
                await step(current)
                break
            except Killed:
                current = world.process()


async def lives_of_a_story() -> int:
    lives = Lives()
    before = lives.left
    world = World()
    await story(world, lambda: world.process(lives))
    return before - lives.left


@pytest.mark.parametrize("part", range(4))
async def test_killed_at_any_point_another_process_goes_on_and_no_page_is_lost_or_left(part: int) -> None:
    total = await lives_of_a_story()
    for death in range(part, total, 4):
        world = World()
        await story(world, lambda world=world, death=death: world.process(Lives(death)))  # type: ignore[misc]  # bound early on purpose
        phone = world.pager
        assert isinstance(phone, Phone)
        assert phone.open == {}, f"killed at {death}, a page stays open"
        assert world.memory.kept == {}, f"killed at {death}, something is left"
        assert len({call.key for call in phone.rings}) == 2, f"killed at {death}, {phone.rings}"
        assert len(phone.rings) == 2, f"killed at {death}, a page rang twice"
        assert len(world.ledger.sessions(i.PageAccepted)) == 2, f"killed at {death}"


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 3), st.sampled_from(["ask", "ack", "end", "sleep"])), max_size=15
    )
)
async def test_whatever_happens_what_rings_is_what_waits(acts: list[tuple[int, int, str]]) -> None:
    """Two processes take turns; at the end each pager's books say what the shelf says."""
    world = World()
    phone, processes = world.pager, [world.process(), world.process()]
    assert isinstance(phone, Phone)
    sessions = {number: world.late(number) for number in range(5)}
    asked: dict[int, int] = {}
    ended: set[int] = set()
    for step, (number, times, what) in enumerate(acts):
        pages, session = processes[step % 2], sessions[number]
        if what == "ask" and number not in ended:
            asked[number] = asked.get(number, 0) + 1
            await pages.ask(rung(session, asked[number]), session)
        elif what == "ack":
            await pages.acknowledge(name_of(session))
        elif what == "end":
            ended.add(number)
            await pages.end(name_of(session))
            world.answered(session)
        await world.settles(processes[(step + 1) % 2], seconds=times * 5, step=5)
    await world.settles(processes[0], seconds=400, step=20)
    waiting = asked.keys() - ended
    assert len(phone.open) == (1 if waiting else 0)
    assert set(world.ledger.sessions(i.PageAccepted)) >= {sessions[number].id for number in waiting}
    # A page that is acknowledged rings for nobody: then every one of its sessions has to be.
    callers = [p._decode_caller(text) for text in (await world.memory.shelf("page")).values()]
    if "acknowledged" in phone.open.values():
        assert all(one.acknowledged for one in callers)


# ------------------------------------------------------------------ the moves themselves


def caller(effect: str = "1", *, asked: int = 0, acknowledged: bool = False) -> Caller:
    return Caller(
        session=SessionId("main.1.a"),
        code="K7Q2",
        desk=JA,
        language="ja",
        topic="account",
        cause=Cause.FIRST_RESPONSE,
        since=0,
        asked=asked,
        effect=EffectId(effect),
        acknowledged=acknowledged,
    )


COVERED = Group("k", covered={"a": "1"}, told=("a",), at=100_000)
MOVES = {
    "nothing waits": ({}, None, 0, None),
    "others may come yet": ({"a": caller(asked=1)}, None, 2_000, None),
    "all are gathered": ({"a": caller(asked=1)}, None, 2_001, Move.OPEN),
    "somebody is at it": ({"a": caller()}, Group("k", claim="x", until=9), 8, None),
    "whoever was at it is dead": ({"a": caller()}, Group("k", claim="x", until=9), 10_000, Move.CALL),
    "it failed a moment ago": ({"a": caller()}, Group("k", due=9), 8, None),
    "all is said": ({"a": caller()}, COVERED, 200_000, None),
    "the session does not know": ({"a": caller()}, replace(COVERED, told=()), 100_000, Move.TELL),
    "the rung is repeated": ({"a": caller("2")}, COVERED, 100_001, Move.CALL),
    "it is repeated after an acknowledgement": ({"a": caller("2")}, replace(COVERED, quiet=True), 100_001, Move.RENEW),
    "another one is late": ({"a": caller(), "b": caller()}, COVERED, 110_000, Move.CALL),
    "another one was just added": ({"a": caller(), "b": caller()}, COVERED, 105_000, None),
    "all have it": ({"a": caller(acknowledged=True)}, COVERED, 100_001, Move.ACKNOWLEDGE),
    "the pager knows": ({"a": caller(acknowledged=True)}, replace(COVERED, quiet=True), 100_001, None),
    "all are answered": ({}, COVERED, 100_001, Move.CLOSE),
    "another one is late though all others are taken": (
        {"a": caller(acknowledged=True), "b": caller()},
        replace(COVERED, quiet=True),
        400_000,
        Move.RENEW,
    ),
    "another one is late and it rang a moment ago": (
        {"a": caller(acknowledged=True), "b": caller()},
        replace(COVERED, quiet=True),
        399_999,
        None,
    ),
    "it closes": ({"b": caller()}, replace(COVERED, closing=True), 100_001, Move.FINISH),
}


@pytest.mark.parametrize(("callers", "group", "now", "move"), MOVES.values(), ids=MOVES)
def test_the_next_move(callers: dict[str, Caller], group: Group | None, now: int, move: Move | None) -> None:
    assert next_move(callers, group, now, keeps=True) is move


def test_no_operator_is_called_as_the_pager_is() -> None:
    assert normal_account(p.THE_PAGER) != p.THE_PAGER
