"""Queues: each process tells its own customers where they stand in their desks' lines.

The holder of a desk's lease says, in one small signal, that the line has moved and how fast it moves. Every process
that has customers of that desk connected then reads what changed, works out the places, and tells those whose place or
wait is another now. So five thousand who wait cost one signal, and as many frames as there is something to say; many
changes within `PAUSE` cost that once.

A signal may be lost: each line is also looked at every `LOOK_EVERY` seconds, and as soon as somebody has joined.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bridge.errors import KakehashiError
from bridge.feed import QUEUE, Feed, Queue
from bridge.index import Index
from bridge.ports import Store
from routing.estimate import Pace, minutes
from routing.ids import DeskId, SessionId
from routing.policy import Policy
from routing.queue import Waiting
from routing.session import Session

PAUSE = 2.0
"""Seconds between two tellings of one desk's line."""

LOOK_EVERY = 10.0
"""Seconds after which a line is looked at though nobody said that it moved."""

SETTLED = 1_500
"""ms after which all who came before somebody are listed. Who is told earlier may be told of a place too good."""

TICK = 0.5
"""Seconds between rounds."""

AT_ONCE = 256
"""Places told before others have their turn."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Line:
    """A desk's, as this process has told it."""

    pace: Pace | None = None
    moved: bool = True
    told_at: float = 0.0
    joined: int = 0
    places: Mapping[SessionId, int] = field(default_factory=dict)
    customers: Mapping[SessionId, str] = field(default_factory=dict)


class Queues:
    """`feed` says who is connected here, and passes on what they are told."""

    def __init__(self, store: Store, feed: Feed, index: Index, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._feed = feed
        self._index = index
        self._policy = policy
        self._lines: dict[DeskId, _Line] = {}
        feed.queues = self

    # ------------------------------------------------------------------ what is said

    def moved(self, desk: DeskId, pace: Pace | None) -> None:
        """The desk's line has moved, or moves at another pace."""
        line = self._line(desk)
        line.pace, line.moved = pace, True

    def hear(self, signal: Mapping[str, str]) -> None:
        """The same, said by another process. What cannot be read is left out: anybody may say anything."""
        try:
            desk, pace = DeskId(signal["desk"]), _pace(signal.get("pace", ""))
        except (KeyError, ValueError):
            return
        if desk in self._policy().desks:
            self.moved(desk, pace)

    def place(self, session: Session) -> Queue | None:
        """Where a session stands, as far as this process knows."""
        line = self._lines.get(session.desk)
        position = line.places.get(session.id) if line is not None and session.waiting else None
        return _queue(position, line.pace) if line is not None and position is not None else None

    def usual(self, desk: DeskId) -> tuple[int, int] | None:
        """What whoever would join the line now can expect, in minutes; None when we cannot tell."""
        line = self._lines.get(desk)
        return minutes(len(line.places) + 1, line.pace) if line is not None else None

    # ------------------------------------------------------------------ the rounds

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await self.tick(time.monotonic())
            await asyncio.sleep(TICK)

    async def tick(self, now: float) -> None:
        """One round at `now`, in seconds of a clock that only grows. Without anybody connected here it does nothing."""
        for desk in self._policy().desks if self._feed.crowd else ():
            line = self._line(desk)
            if not self._is_due(line, now):
                continue
            try:
                await self._tell(desk, line, now)
            except KakehashiError as error:
                log.warning("queue_not_told", desk=desk, reason=error.what)

    def _is_due(self, line: _Line, now: float) -> bool:
        since = now - line.told_at
        news = line.moved or line.joined != self._feed.joined
        return since >= (PAUSE if news else LOOK_EVERY)

    async def _tell(self, desk: DeskId, line: _Line, now: float) -> None:
        line.moved, line.told_at, line.joined = False, now, self._feed.joined
        known = await self._index.read(desk)
        waiting = [one for one in known.in_order() if not one.closed]
        before, line.customers = line.customers, {one.session: known.rows[one.session].customer for one in waiting}
        line.places = {one.session: place for place, one in enumerate(waiting, 1)}
        for session in before.keys() - line.places.keys():
            if not self._stands_somewhere(session):
                self._feed.queued(before[session], session, desk, None)
        await self._tell_places(desk, line, waiting)

    async def _tell_places(self, desk: DeskId, line: _Line, waiting: Sequence[Waiting]) -> None:
        settled = await self._store.now() - SETTLED
        for place, (one, customer) in enumerate(zip(waiting, line.customers.values(), strict=True), 1):
            if not self._feed.follows(customer):
                continue
            if one.since > settled:
                line.moved = True  # they are told with the next round
            else:
                self._feed.queued(customer, one.session, desk, _queue(place, line.pace))
            if place % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _stands_somewhere(self, session: SessionId) -> bool:
        """It may have been moved to another desk, whose line was told before."""
        return any(session in line.places for line in self._lines.values())

    def _line(self, desk: DeskId) -> _Line:
        return self._lines.setdefault(desk, _Line())


def signal_of(desk: DeskId, pace: Pace | None) -> dict[str, str]:
    """What the desk's holder tells the other processes."""
    said = "" if pace is None else f"{pace.quick} {pace.slow} {pace.free}"
    return {"kind": QUEUE, "desk": desk, "pace": said}


def _pace(said: str) -> Pace | None:
    if not said:
        return None
    quick, slow, free = map(int, said.split(" "))
    return Pace(quick, slow, free)


def _queue(position: int, pace: Pace | None) -> Queue:
    low, high = minutes(position, pace) or (None, None)
    return Queue(position, low, high)
