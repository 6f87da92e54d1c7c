"""A page hears each event once and in order, whatever order the feed tells of them in; and nobody fills our memory."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.audience import Audience
from adapters.web.connection import CLOSE_CODES, Connection
from adapters.web.house import House
from adapters.web.lobby import GOODBYE, NEWS_AT_ONCE, Lobby
from adapters.web.poll import finish
from adapters.web.render import Renderer
from adapters.web.socket import text_frame
from bridge.feed import Feed, Position, Queue, Resumed, Shown, Signal, SupportsQueue
from bridge.incidents import Incident
from bridge.messages import Body, TextPart
from bridge.metrics import Metrics
from config.settings import WebSettings
from routing.facts import Mirror, Side
from routing.ids import (
    CustomerKey,
    DeskId,
    IncidentId,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    Topic,
)
from routing.policy import Desk, Policy
from routing.session import Session, State, Turn, TurnOf
from routing.view import CustomerMessage

CUSTOMER = CustomerKey("main", "user-1")
SESSION = Session(
    id=SessionId("main.0.abc"),
    code=ShortCode("K7Q2"),
    customer=CUSTOMER,
    verified=True,
    language="en",
    topic=Topic(""),
    desk=DeskId("first"),
    state=State.QUEUED,
    opened_at=5,
    last_at=9,
    turn=Turn(TurnOf.OURS, 9),
    mirrors=(Mirror(1, NetworkName("console"), Place("first")),),
)
POLICY = Policy(desks={SESSION.desk: Desk(SESSION.desk, NetworkName("console"), Place("first"))})
LATE = Incident(IncidentId("I1"), {"en": "Withdrawals are late", "ja": "出金が遅れています"}, {}, 5, OperatorId("aiko"))
LATER = replace(SESSION, id=SessionId("main.0.def"), code=ShortCode("M3XA"))


@dataclass
class Ear:
    """An outlet that remembers. `unread`: bytes that the other side has not taken."""

    kind: str = "socket"
    patience: float = 90.0
    unread: int = 0
    frames: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None
    aborted: bool = False

    def write(self, frame: bytes) -> None:
        self.frames.append(json.loads(frame))

    async def send(self, frame: bytes) -> None:
        self.write(frame)

    def backlog(self) -> int:
        return self.unread

    def close(self, code: int) -> None:
        self.code = code

    def abort(self) -> None:
        self.aborted = True

    @property
    def places(self) -> list[tuple[str, int]]:
        return [(one["session"], one["pos"]["o"]) for one in self.frames if one["t"] in ("event", "ack")]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Broken:
    """What is broken just now; a test changes it."""

    def __init__(self) -> None:
        self.now: tuple[Incident, ...] = ()

    async def __call__(self) -> tuple[Incident, ...]:
        return self.now


def lobby(clock: Clock | None = None, broken: Broken | None = None, **limits: Any) -> Lobby:
    nothing = cast(Any, None)  # these tests never come to the store
    settings = WebSettings.model_validate({"limits": limits})
    house = House(settings, lambda: POLICY, lambda: 0, incidents=broken or Broken())
    renderer = Renderer(lambda operator, language: "Aiko", lambda part, reader: "", house)
    return Lobby(nothing, Feed(nothing), nothing, settings, house, renderer, Metrics(), clock or Clock(), Clock())


def page(house: Lobby, *, at: int = 0, live: bool = True) -> tuple[Connection, Ear, Audience]:
    """A page that was welcomed up to event `at`."""
    ear = Ear()
    connection = house.enter(ear)
    audience = house.join(connection, CUSTOMER)
    connection.language = "en"
    if live:
        connection.go_live(SESSION.id if at else None, place(at) if at else None)
    return connection, ear, audience


def place(offset: int) -> Position:
    return Position("ep", offset, f"t{offset}")


def events(*offsets: int) -> tuple[Shown, ...]:
    return tuple(
        Shown(
            place(one),
            CustomerMessage(7, Side.REPLY, MessageId(f"s:{one}"), operator=OperatorId("op")),
            Body((TextPart(str(one)),)),
        )
        for one in offsets
    )


SLICES = st.tuples(st.integers(1, 12), st.integers(1, 4)).map(lambda one: range(one[0], one[0] + one[1]))


@given(st.lists(SLICES, max_size=20), st.integers(0, 3))
def test_each_event_once_and_in_order_and_a_gap_asks_for_more(slices: list[range], at: int) -> None:
    _, ear, audience = page(lobby(), at=at)
    known = at
    for batch in slices:
        audience.stale = False
        audience.shown(SESSION, events(*batch))
        gap = batch.start > known + 1
        assert audience.stale == gap
        known = known if gap else max(known, batch.stop - 1)
        assert [offset for _, offset in ear.places] == list(range(at + 1, known + 1))


def test_what_comes_before_the_welcome_is_missed_and_asked_for() -> None:
    connection, ear, audience = page(lobby(), live=False)
    audience.shown(SESSION, events(1, 2))
    assert ear.frames == []
    assert not audience.stale
    connection.go_live(SESSION.id, place(1))
    assert audience.stale


def test_a_new_session_is_announced_and_one_without_its_beginning_asked_for() -> None:
    _, ear, audience = page(lobby(), at=2)
    audience.shown(LATER, events(1, 2))
    assert [frame["t"] for frame in ear.frames] == ["session", "event", "event"]
    assert ear.places == [("M3XA", 1), ("M3XA", 2)]
    _, other, audience = page(lobby(), at=2)
    audience.shown(LATER, events(2))
    assert other.frames == []
    assert audience.stale


def test_another_epoch_is_another_history() -> None:
    _, ear, audience = page(lobby(), at=2)
    strange = replace(events(3)[0], position=Position("other", 3, "t3"))
    audience.shown(SESSION, (strange,))
    assert ear.frames == []
    assert audience.stale
    audience.resumed(SESSION, Resumed(False, events(1, 2, 3), frozenset(), place(3)), place(2))
    assert [frame["code"] for frame in ear.frames] == ["restarting"]
    assert ear.code == 1001


def test_the_sender_gets_ack_in_its_place_and_the_other_tab_the_event() -> None:
    house = lobby()
    sender, ear, audience = page(house, at=1)
    _, other, _ = page(house, at=1)
    setattr(sender, "sending", MessageId("c:mine-0001"))  # noqa: B010 - mypy would believe it for good
    own = CustomerMessage(7, Side.CUSTOMER, MessageId("c:mine-0001"))
    audience.shown(SESSION, (Shown(place(2), own, Body((TextPart("x"),))),))
    assert sender.sending is None
    assert [(one["t"], one["id"], one["pos"]["o"]) for one in ear.frames] == [("ack", "mine-0001", 2)]
    assert [(one["t"], one["id"], one["pos"]["o"]) for one in other.frames] == [("event", "mine-0001", 2)]
    assert ear.frames[0]["after"] == other.frames[0]["after"]


@pytest.mark.parametrize(
    ("signal", "told"),
    [
        (Signal("typing", SESSION.id, operator="op"), ["typing"]),
        (Signal("typing", SESSION.id), []),  # their own
        (Signal("typing", LATER.id, operator="op"), []),
        (Signal("reached", SESSION.id, message="c:mine-0001"), ["reached"]),
        (Signal("reached", SESSION.id, message="o:a-note"), []),
        (Signal("whatever", SESSION.id), []),
    ],
)
def test_signals_that_concern_the_customer(signal: Signal, told: list[str]) -> None:
    _, ear, audience = page(lobby(), at=1)
    audience.follow_session(SESSION)
    audience.signalled(signal)
    assert [frame["t"] for frame in ear.frames] == told


# ---------------------------------------------------------------------------------------------- the rounds


def test_a_slow_reader_is_cut_and_its_line_ended() -> None:
    clock = Clock()
    house = lobby(clock, backlog=1_000)
    connection, ear, audience = page(house)
    ear.unread = 1_001
    connection.write(b"{}")
    assert (ear.frames, ear.code, connection.leaving) == ([], CLOSE_CODES["slow"], True)
    assert audience.ended
    clock.now = GOODBYE
    house.tick(clock.now)
    assert ear.aborted


def test_a_page_that_hangs_up_by_itself_is_not_aborted() -> None:
    clock = Clock()
    house = lobby(clock)
    connection, ear, _ = page(house)
    connection.cut("restarting", "")
    house.leave(connection)
    clock.now = GOODBYE
    house.tick(clock.now)
    assert not ear.aborted
    assert house.connections == 0


def test_heartbeats_of_a_crowd_are_spread_and_nobody_is_left_out() -> None:
    clock = Clock()
    house = lobby(clock)
    ears = []
    for number in range(1_000):
        ear = Ear()
        connection = house.enter(ear)
        house.join(connection, CustomerKey("main", str(number)))
        connection.go_live(None, None)
        ears.append(ear)
    counts = []
    for second in range(1, 76):
        clock.now = float(second)
        house.tick(clock.now)
        counts.append(sum(len(ear.frames) for ear in ears))
    rounds = [now - before for before, now in pairwise(counts)]
    assert max(rounds) <= 200
    assert {len(ear.frames) for ear in ears} == {2, 3}


async def test_an_incident_is_told_to_every_page_once_though_not_all_in_one_breath() -> None:
    broken = Broken()
    house = lobby(broken=broken)
    house.tick(0.0)
    ears = []
    for number in range(NEWS_AT_ONCE + 10):
        ear = Ear()
        connection = house.enter(ear)
        house.join(connection, CustomerKey("main", str(number)))
        connection.language = "ja" if number % 2 else "en"
        connection.go_live(None, None)
        ears.append(ear)
    waiting, unheard, _ = page(house, live=False)
    broken.now = (LATE,)
    await house.house.look()
    house.tick(1.0)
    assert sum(len(ear.frames) for ear in ears) == NEWS_AT_ONCE
    house.tick(2.0)
    assert {ear.frames[0]["incidents"][0]["title"] for ear in ears} == {"Withdrawals are late", "出金が遅れています"}
    waiting.go_live(None, None)
    for second in (3.0, 4.0, 5.0):
        house.tick(second)
    assert {len(ear.frames) for ear in [*ears, unheard]} == {1}
    broken.now = ()
    await house.house.look()
    house.tick(6.0)
    assert ears[0].frames[1]["incidents"] == []


def test_a_place_in_the_line_is_told_to_the_pages_of_that_session() -> None:
    house = lobby()
    (_, one, audience), (_, other, _) = page(house), page(house)
    audience.follow_session(SESSION)
    audience.queued(SESSION.id, Queue(3, 4, 7))
    audience.queued(LATER.id, Queue(1))
    for ear in (one, other):
        assert [(frame["session"], frame["queue"]["position"]) for frame in ear.frames] == [("K7Q2", 3)]
    assert isinstance(audience, SupportsQueue)


def test_the_last_page_ends_the_audience() -> None:
    house = lobby()
    (one, _, audience), (other, _, same) = page(house), page(house)
    assert audience is same
    assert house.feed.following(CUSTOMER)
    house.leave(one)
    assert house.feed.following(CUSTOMER)
    house.leave(other)
    assert not house.feed.following(CUSTOMER)
    assert house.audience(CUSTOMER) is None


# ---------------------------------------------------------------------------------------------- the socket's frames


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536])
def test_text_frames_are_as_rfc_6455_says(length: int) -> None:
    frame = text_frame(b"x" * length)
    assert frame[0] == 0x81
    if length < 126:
        assert (frame[1], len(frame)) == (length, 2 + length)
    elif length < 65_536:
        assert (frame[1], int.from_bytes(frame[2:4], "big"), len(frame)) == (126, length, 4 + length)
    else:
        assert (frame[1], int.from_bytes(frame[2:10], "big"), len(frame)) == (127, length, 10 + length)


async def test_what_is_begun_is_done_even_when_its_waiter_is_cancelled() -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), []

    async def store() -> None:
        begun.set()
        await go_on.wait()
        done.append(1)

    waiter = asyncio.create_task(finish(store()))
    await begun.wait()
    waiter.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert done == [1]
