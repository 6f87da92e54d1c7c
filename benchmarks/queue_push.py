"""What it costs to tell five thousand waiting customers their new position, when the first of them is taken.

Real: the store, the index, the desk's worker, the lines of this process, and the frames as the customers' side writes
them. Only the five thousand sockets are not there; `idle_sockets` has those.

`queue_push` is one telling, from the lines that changed to the last frame, in milliseconds; its floor renders and hands
over the same frames and does nothing else. `queue_push_signals` and `queue_push_frames` count what a hundred changes
within one pause cost: a signal and a frame to each who still waits for the first of them, and once more for the rest.
"""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import dataclass

import uvloop

from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from adapters.web import render
from benchmarks.commits import NoSenders
from benchmarks.figures import p50, tell
from benchmarks.subjects import durable_redis
from bridge.assignments import Assignments
from bridge.availability import Availability
from bridge.desks import Desks
from bridge.feed import Feed, Queue
from bridge.index import Index
from bridge.leases import DESKS, Leases
from bridge.ports import Hint, Line
from bridge.queues import PAUSE, Queues
from bridge.relay import Relay
from bridge.views import summary
from routing import inputs as i
from routing.decide import Decision, decide
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, NetworkName, Place, SessionId, ShortCode, Topic
from routing.policy import Desk, Policy
from routing.session import Session

CUSTOMERS = 5_000
ROUNDS = 15
BURST = 100
AT_ONCE = 500
EN = DeskId("en")
POLICY = Policy(desks={EN: Desk(EN, NetworkName("console"), Place("en"))})


@dataclass(slots=True)
class Page:
    """One customer's page: takes the frame, as a socket's buffer does."""

    code: str
    frames: int = 0
    frame: bytes = b""

    def shown(self, session: object, events: object) -> None:
        """Nothing is said here."""

    def behind(self, session: object) -> None:
        """Nothing is missed here."""

    def signalled(self, signal: object) -> None:
        """Nobody types here."""

    def queued(self, session: SessionId, queue: Queue | None) -> None:
        del session
        self.frame = render.queue(self.code, queue)
        self.frames += 1


@dataclass(slots=True)
class Hall:
    """The customers, first in line first, and all that tells them."""

    store: RedisStore
    feed: Feed
    leases: Leases
    desks: Desks
    queues: Queues
    line: list[SessionId]
    pages: dict[SessionId, Page]
    signals: int = 0
    clock: float = 0.0

    async def leave(self, count: int) -> None:
        """The first of the line are taken by somebody."""
        gone, self.line = self.line[:count], self.line[count:]
        await asyncio.gather(*(self.store.drop_line(EN, session, 9) for session in gone))

    async def tick(self, seconds: float) -> float:
        """A round of the worker and of the lines, so much later. Returns how long the telling took, in seconds."""
        self.clock += seconds
        await self.leases.renew()
        await self.desks.tick(self.clock)
        begun = time.perf_counter()
        await self.queues.tick(self.clock)
        return time.perf_counter() - begun


async def measure() -> None:
    async with durable_redis() as url:
        store, _ = await open_store(Target(url=url, partitions=1))
        hall = await _hall(store)
        gc.collect()
        gc.disable()
        await _one_leaves(hall)
        await _many_leave(hall)
        gc.enable()
        await store.close()


async def _one_leaves(hall: Hall) -> None:
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(ROUNDS):
        await hall.leave(1)
        ours.append(await hall.tick(PAUSE))
        pages = [hall.pages[session] for session in hall.line]
        assert b'"position":1,' in pages[0].frame.replace(b" ", b""), pages[0].frame
        floor.append(_render_only(pages))
    tell("queue_push", p50(ours) * 1e3, "ms", p50(floor) * 1e3)


def _render_only(pages: list[Page]) -> float:
    begun = time.perf_counter()
    for place, page in enumerate(pages, 1):
        page.queued(SessionId(""), Queue(place))
    return time.perf_counter() - begun


async def _many_leave(hall: Hall) -> None:
    await hall.tick(PAUSE)
    before, signals = {session: page.frames for session, page in hall.pages.items()}, hall.signals
    for _ in range(BURST):
        await hall.leave(1)
        await hall.tick(PAUSE / BURST)
    await hall.tick(PAUSE)
    told = sum(hall.pages[session].frames - before[session] for session in hall.line)
    tell("queue_push_signals", hall.signals - signals, "signals", TELLINGS)
    tell("queue_push_frames", told / len(hall.line), "frames each", TELLINGS)


TELLINGS = 2
"""The burst lasts one pause: its first change is told at once, and all the others when the pause is over."""


async def _hall(store: RedisStore) -> Hall:
    feed, leases = Feed(store), Leases(store, "benchmark", [DESKS])
    relay = Relay(store, feed, lambda: POLICY, NoSenders())
    availability, index = Availability(store, lambda: POLICY), Index(store, lambda: POLICY)
    assignments = Assignments(store, relay, lambda: POLICY, availability)
    queues = Queues(store, feed, index, lambda: POLICY)
    desks = Desks(store, relay, assignments, availability, index, queues, feed, leases, lambda: POLICY)
    sessions = [_session(number) for number in range(CUSTOMERS)]
    pages = {session.id: Page(session.code) for session in sessions}
    hall = Hall(store, feed, leases, desks, queues, [session.id for session in sessions], pages)
    _count_signals(hall)
    await leases.renew()
    for session in sessions:
        feed.follow(session.customer, pages[session.id])
    for start in range(0, CUSTOMERS, AT_ONCE):
        some = sessions[start : start + AT_ONCE]
        await asyncio.gather(*(store.put_line(_line(session)) for session in some))
    await hall.tick(PAUSE)
    return hall


def _count_signals(hall: Hall) -> None:
    async def signal(hint: Hint) -> None:
        del hint
        hall.signals += 1

    hall.feed.others = True
    hall.store.signal = signal  # type: ignore[method-assign]  # a benchmark looks over the store's shoulder


def _session(number: int) -> Session:
    customer, name = CustomerKey("main", f"~{number}"), SessionId(f"main.0.{number:05}")
    opening = i.Opening(name, ShortCode(f"K{number:04}"), customer, False, "en", Topic("trading"))
    event = i.CustomerWrote(MessageId("c:first"), opening)
    decision = decide(None, event, key=InputKey("web/first"), now=1_000_000 + number, policy=POLICY)
    assert isinstance(decision, Decision)
    return decision.session


def _line(session: Session) -> Line:
    return Line(session.id, session.code, EN, 1, summary(session, POLICY))


if __name__ == "__main__":
    uvloop.run(measure())
