"""Incidents and broadcasts on a real Redis: linked, told, resolved; and told once, wherever it was interrupted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from bridge.broadcasts import Broadcast, Broadcasts
from bridge.errors import StoreUnavailableError
from bridge.feed import Feed
from bridge.incidents import AT_ONCE, IncidentError, Incidents, Scope
from bridge.leases import INDEX, Leases
from bridge.messages import Body, TextPart
from bridge.ports import Store, Stored
from bridge.relay import Greeting, Receipt, Relay
from bridge.views import Views
from routing import facts as f
from routing import inputs as i
from routing.effects import Effect
from routing.ids import (
    CustomerKey,
    DeskId,
    IncidentId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    Topic,
)
from routing.policy import Desk, Policy, TopicRules
from routing.session import State
from tests.redis_servers import private_redis

CONSOLE, KENJI = NetworkName("console"), OperatorId("kenji")
JA, EN = DeskId("ja"), DeskId("en")
TRADING, OUT, SECURITY = Topic("trading"), Topic("withdrawals"), Topic("security")
POLICY = Policy(
    {
        JA: Desk(JA, CONSOLE, Place(""), languages=("ja",)),
        EN: Desk(EN, CONSOLE, Place("")),
    },
    (TRADING, OUT, SECURITY),
    {SECURITY: TopicRules(SECURITY, identity_check=True)},
)
TITLES = {"ja": "出金が遅れています", "en": "Withdrawals are delayed"}
WORDS = {"ja": "復旧しました。", "en": "It works again.", "zh-Hans": "已恢复。"}


class Nobody:
    """No lanes: what is committed stays in the store."""

    def terms(self, partition: int) -> dict[NetworkName, int]:
        del partition
        return {}

    def send_direct(self, stored: Stored, effects: Sequence[Effect], bodies: dict[Any, Body]) -> None:
        raise AssertionError("nothing is sent without a term")


class Dying:
    """A store whose process dies with its n-th call: that one is made, its answer is lost, and no other follows.

    To die before a call is to die with the one before it.
    """

    def __init__(self, store: RedisStore, at: int) -> None:
        self._store = store
        self.calls = 0
        self._at = at
        self.partitions = store.partitions

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)

        async def counted(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls > self._at:
                raise StoreUnavailableError("the process is dead")
            answer = await call(*arguments, **options)
            if self.calls == self._at:
                raise StoreUnavailableError("the process has died")
            return answer

        return counted


class Office:
    """One process's incidents, without anything else of it."""

    def __init__(self, store: Store, holder: str = "office") -> None:
        self.store = store
        self.relay = Relay(store, Feed(store), lambda: POLICY, Nobody())
        self.incidents = Incidents(store, self.relay, lambda: POLICY)
        self.broadcasts = Broadcasts(store, self.relay, self.incidents, holder)
        self._leases = Leases(store, holder, [INDEX])
        self._views = Views(store, {}, self._leases, lambda: POLICY)

    async def customer(self, name: str, language: str = "en", topic: Topic = OUT) -> SessionId:
        event = i.CustomerWrote(MessageId(f"c:{name}"))
        answer = await self.relay.from_customer(
            CustomerKey("main", f"~{name}"),
            event,
            InputKey(f"web/{name}"),
            body=Body((TextPart("Where is my money?"),)),
            greeting=Greeting(False, language, topic),
        )
        assert isinstance(answer, Receipt)
        return answer.stored.session.id

    async def listed(self) -> None:
        """The desks' lists are up to date."""
        await self._leases.renew()
        await self._views.tick()

    async def incident(self, *sessions: SessionId) -> IncidentId:
        declared = await self.incidents.declare(TITLES, {}, KENJI)
        for session in sessions:
            await self.incidents.link(declared.id, session, "by-hand")
        return declared.id

    async def about(self, session: SessionId) -> Stored:
        stored = await self.store.load(session)
        assert stored is not None
        return stored

    async def updates(self, session: SessionId) -> list[str]:
        """What the customer was told by broadcasts, in words."""
        entries = await self.store.journal(session)
        told = [(one.fact.message, 0) for one in entries if isinstance(one.fact, f.UpdateAdded)]
        return [body.text for body in await self.store.bodies(session, told) if body is not None]

    async def facts(self, session: SessionId, kind: type[f.Fact]) -> int:
        return sum(isinstance(one.fact, kind) for one in await self.store.journal(session))


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisStore]:
    async with private_redis(tmp_path / "redis") as url:
        store, _checks = await open_store(Target(url=url, partitions=2))
        yield store
        await store.close()


@pytest.fixture
def office(redis: RedisStore) -> Office:
    return Office(redis)


# ------------------------------------------------------------------ what is broken


async def test_what_is_declared_is_current_on_its_site_until_it_is_ended(office: Office) -> None:
    here = await office.incidents.declare(TITLES, {"en": "We are on it."}, KENJI, site="main")
    everywhere = await office.incidents.declare({"en": "Everything is slow"}, {}, KENJI)
    assert {one.id for one in await office.incidents.current("main")} == {here.id, everywhere.id}
    assert [one.id for one in await office.incidents.current("other")] == [everywhere.id]
    await office.incidents.end(here.id, KENJI)
    await office.incidents.end(here.id, OperatorId("late"))
    assert [one.id for one in await office.incidents.current("main")] == [everywhere.id]
    ended = await office.incidents.known(here.id.lower())
    assert (ended.ended_by, ended.title("ja"), ended.banner("fr")) == (KENJI, "出金が遅れています", "We are on it.")
    assert await office.incidents.get(IncidentId("INC-000")) is None


async def test_changing_the_wording_does_not_undo_the_end(office: Office) -> None:
    incident = await office.incident()
    await office.incidents.end(incident, KENJI)
    await office.incidents.change(incident, {"en": "Withdrawals were delayed"}, {})
    known = await office.incidents.known(incident)
    assert known.ended_at is not None
    assert known.title("en") == "Withdrawals were delayed"


async def test_a_repeated_declaration_is_one_incident(office: Office) -> None:
    name = await office.incidents.mint()
    first = await office.incidents.declare(TITLES, {}, KENJI, incident=name)
    again = await office.incidents.declare(TITLES, {}, KENJI, incident=name)
    other = await office.incidents.declare({"en": "Something else"}, {}, KENJI, incident=name)
    assert first == again
    assert other.id != name
    assert len(await office.incidents.all()) == 2


@pytest.mark.parametrize("titles", [{}, {"en": "  "}, {"en": "x" * 81}, {"x" * 21: "long tag"}])
async def test_words_that_will_not_do_are_refused_with_their_place(office: Office, titles: dict[str, str]) -> None:
    with pytest.raises(IncidentError) as wrong:
        await office.incidents.declare(titles, {}, KENJI)
    assert wrong.value.where.startswith("titles")
    assert await office.incidents.all() == ()


async def test_a_reader_without_words_of_their_own_gets_their_language_in_another_script_before_english(
    office: Office,
) -> None:
    declared = await office.incidents.declare({"en": "Delayed", "zh-Hans": "延迟"}, {}, KENJI)
    assert [declared.title(one) for one in ("zh-Hant", "zh-Hans", "ja")] == ["延迟", "延迟", "Delayed"]


# ------------------------------------------------------------------ which sessions


async def test_a_scope_links_whom_it_matches_and_goes_on_with_who_comes(office: Office) -> None:
    before = await office.customer("early", "ja")
    since = await office.store.now() + 1
    while await office.store.now() < since:
        pass
    mine = await office.customer("mia", "ja")
    await office.customer("rei", "ja", TRADING)
    await office.customer("ann", "en")
    await office.listed()
    incident = await office.incident()
    scope = Scope((JA,), (OUT,), since)
    assert [one.session.id for one in await office.incidents.find(scope)] == [mine]
    assert await office.incidents.link_by(incident, scope, "press-1") == 1
    late = await office.customer("late", "ja")
    await office.listed()
    await office.broadcasts.step()
    assert {one.session.id for one in await office.incidents.sessions(incident)} == {mine, late}
    assert (await office.about(before)).session.incident is None
    await office.incidents.end(incident, KENJI)
    after = await office.customer("after", "ja")
    await office.listed()
    await office.broadcasts.step()
    assert (await office.about(after)).session.incident is None


async def test_a_scope_with_an_end_links_nobody_who_comes_later(office: Office) -> None:
    first = await office.customer("mia")
    await office.listed()
    incident = await office.incident()
    await office.incidents.link_by(incident, Scope(until=await office.store.now()), "press-1")
    second = await office.customer("ann")
    await office.listed()
    await office.broadcasts.step()
    assert (await office.about(first)).session.incident == incident
    assert (await office.about(second)).session.incident is None
    assert await office.incidents.scopes(incident) == {}


async def test_who_was_taken_out_by_hand_is_not_put_back(office: Office) -> None:
    session = await office.customer("mia")
    await office.listed()
    incident = await office.incident()
    await office.incidents.link_by(incident, Scope(), "press-1")
    await office.incidents.unlink(session, "press-2")
    other = Office(office.store, "another process")  # which has not looked at it yet
    await other.broadcasts.step()
    assert (await office.about(session)).session.incident is None
    await office.incidents.link(incident, session, "press-3")  # by hand it can be
    assert (await office.about(session)).session.incident == incident


async def test_a_scope_takes_nobody_out_of_another_incident(office: Office) -> None:
    session = await office.customer("mia")
    await office.listed()
    first, second = await office.incident(session), await office.incident()
    assert await office.incidents.find(Scope()) == []
    assert await office.incidents.link_by(second, Scope(), "press-1") == 0
    assert (await office.about(session)).session.incident == first


# ------------------------------------------------------------------ one word to all


async def test_the_preview_says_who_would_read_what_and_sends_nothing(office: Office) -> None:
    people = [("a", "ja"), ("b", "ja"), ("c", "en"), ("d", "zh-Hant"), ("e", "fr")]
    sessions = [await office.customer(name, language) for name, language in people]
    incident = await office.incident(*sessions)
    preview = await office.broadcasts.preview(incident, WORDS)
    assert (preview.sessions, preview.open) == (5, 5)
    read = [(one.language, one.sessions, one.uses, one.text) for one in preview.readings]
    assert read == [
        ("ja", 2, "ja", "復旧しました。"),
        ("en", 1, "en", "It works again."),
        ("fr", 1, "en", "It works again."),
        ("zh-Hant", 1, "zh-Hans", "已恢复。"),
    ]
    assert [await office.updates(one) for one in sessions] == [[]] * 5


async def test_everybody_is_told_once_in_their_language_and_nobody_else(office: Office) -> None:
    mia, rei, ann = [await office.customer(name, lang) for name, lang in (("m", "ja"), ("r", "en"), ("a", "en"))]
    incident = await office.incident(mia, rei)
    ordered = await office.broadcasts.order("press-1", incident, KENJI, WORDS)
    again = await office.broadcasts.order("press-1", incident, KENJI, WORDS)
    assert again.at == ordered.at
    shown: list[Broadcast] = []
    done = await office.broadcasts.finish(ordered, shown.append)
    assert (done.total, done.done, done.failed) == (2, 2, 0)
    assert [one.done for one in shown][-1] == 2
    await office.broadcasts.order("press-1", incident, KENJI, WORDS)
    await office.broadcasts.step()
    assert [await office.updates(one) for one in (mia, rei, ann)] == [["復旧しました。"], ["It works again."], []]
    assert (await office.about(mia)).session.assignee is None
    assert (await office.about(mia)).session.waiting_since is not None


async def test_an_order_without_words_or_end_is_refused(office: Office) -> None:
    incident = await office.incident()
    with pytest.raises(IncidentError):
        await office.broadcasts.order("press-1", incident, KENJI, {"en": ""})
    with pytest.raises(IncidentError):
        await office.broadcasts.order("press-1", IncidentId("INC-000"), KENJI, WORDS)
    assert await office.broadcasts.of(incident) == []


async def test_all_are_resolved_together_and_what_could_not_be_is_named(office: Office) -> None:
    mia, ann = await office.customer("m", "ja"), await office.customer("a", topic=SECURITY)
    incident = await office.incident(mia, ann)
    ordered = await office.broadcasts.order("press-1", incident, KENJI, WORDS, outcome=i.Outcome.SOLVED, ends=True)
    done = await office.broadcasts.finish(ordered, lambda _: None)
    resolved, kept = (await office.about(mia)).session, (await office.about(ann)).session
    assert (resolved.state, kept.state) == (State.RESOLVED, State.QUEUED)
    assert [(one.code, one.reason) for one in done.failures] == [(kept.code, "check_needed")]
    assert (done.done, done.failed) == (2, 1)
    assert await office.incidents.current() == ()


async def test_more_sessions_than_are_worked_on_together_are_all_reached(office: Office) -> None:
    sessions = [await office.customer(f"n{number}") for number in range(AT_ONCE + 3)]
    incident = await office.incident(*sessions)
    shown: list[int] = []
    ordered = await office.broadcasts.order("press-1", incident, KENJI, WORDS)
    await office.broadcasts.finish(ordered, lambda now: shown.append(now.done))
    assert [await office.updates(one) for one in sessions] == [["It works again."]] * len(sessions)
    assert shown[:2] == [AT_ONCE, AT_ONCE + 3]


async def test_another_process_carries_out_what_this_one_has_no_lease_for(office: Office) -> None:
    session = await office.customer("mia")
    incident = await office.incident(session)
    other = Office(office.store, "another process")
    assert await other.broadcasts.step()
    ordered = await office.broadcasts.order("press-1", incident, KENJI, WORDS)
    assert not await office.broadcasts.step()
    assert await office.updates(session) == []
    assert await other.broadcasts.step()
    done = await office.broadcasts.finish(ordered, lambda _: None)
    assert done.finished_at is not None
    assert await office.updates(session) == ["It works again."]


# ------------------------------------------------------------------ interrupted at any line


async def test_wherever_it_dies_everybody_is_told_once_and_resolved_once(redis: RedisStore) -> None:
    at, lived = 0, False
    while not lived:
        at += 1
        office = Office(redis)
        sessions = [await office.customer(f"p{at}-{number}", "ja") for number in range(2)]
        incident = await office.incident(*sessions)
        dying = Dying(redis, at)
        await _until_death(Office(cast(Store, dying)), incident, f"press-{at}")
        await _carried_on(office, incident, f"press-{at}")
        assert [await office.updates(one) for one in sessions] == [["復旧しました。"]] * 2, f"died at call {at}"
        assert [await office.facts(one, f.SessionResolved) for one in sessions] == [1] * 2, f"died at call {at}"
        assert (await office.incidents.known(incident)).ended_at is not None
        lived = dying.calls < at
    assert at > 20, "it was interrupted at every line"


async def _until_death(office: Office, incident: IncidentId, name: str) -> None:
    try:
        await office.broadcasts.order(name, incident, KENJI, WORDS, outcome=i.Outcome.SOLVED, ends=True)
        await office.broadcasts.step()
    except StoreUnavailableError:
        return


async def _carried_on(office: Office, incident: IncidentId, name: str) -> None:
    """Whoever asked asks again, with the same name; another process goes on."""
    await office.broadcasts.order(name, incident, KENJI, WORDS, outcome=i.Outcome.SOLVED, ends=True)
    assert await office.broadcasts.step()
