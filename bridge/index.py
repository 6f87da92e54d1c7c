"""The index: the desks' lists as this process sees them, kept in memory and read as they change.

A line is drawn some moments after its commit (see `bridge.views`), and this process reads it a moment later. What it
has committed itself it need not wait for: `note` puts the session as it is now, and no older line undoes that. Nothing
here is the truth: whoever acts on it has `decide` and the reservations verify it.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.ports import Line, LineNews, Store, Stored
from bridge.views import summary
from routing.ids import DeskId, OperatorId, Place, SessionId, Topic
from routing.policy import Policy
from routing.queue import Rank, Waiting, order, rank
from routing.session import State, TurnOf

WHOLE_EVERY = 60.0
"""Seconds between two readings of a whole list: whatever went wrong, it is right again then."""

NOTED = 10_000
"""Sessions of our own commits whose lines may still be on their way."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A session in a desk's list. `occupies`: whose capacity it takes; `waiting`: how it stands in the queue;
    `berth`: the place where it lives."""

    session: SessionId
    head: int
    state: State
    customer: str
    assignee: OperatorId | None
    occupies: OperatorId | None
    last_at: int
    waiting: Waiting | None
    berth: Place | None = None


def listed(line: Line) -> Listed:
    """A line as the desk's worker needs it. What an older release did not write counts as unknown."""
    known: Mapping[str, Any] = line.summary
    state, offer = State(known["state"]), known.get("offer")
    assignee = known.get("assignee")
    return Listed(
        session=line.session,
        head=line.head,
        state=state,
        customer=known.get("customer") or "",
        assignee=assignee,
        occupies=assignee if state is State.ASSIGNED else offer["operator"] if offer else None,
        last_at=known.get("last_at") or 0,
        waiting=_waiting(line.session, known) if state is State.QUEUED and known.get("turn") == TurnOf.OURS else None,
        berth=known.get("berth"),
    )


def _waiting(session: SessionId, known: Mapping[str, Any]) -> Waiting:
    offer = known.get("offer")
    return Waiting(
        session=session,
        since=known.get("waiting_since") or known.get("last_at") or 0,
        topic=Topic(known.get("topic") or ""),
        language=known.get("language") or "",
        verified=bool(known.get("verified")),
        returning=bool(known.get("returning")),
        closed=known.get("opens_at") is not None,
        offered_to=offer["operator"] if offer else None,
        declined=tuple(known.get("declined") or ()),
        declined_at=known.get("declined_at") or 0,
        last_operator=known.get("last_operator"),
    )


class DeskList:
    """One desk's. `moves` grows with every change that moves somebody's place.

    `theirs` are the rows that are somebody's, or are being offered to somebody. The queue is kept in order, so that a
    change costs the same whether ten wait or ten thousand.
    """

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy
        self._ranked_by: object = None
        self._ranks: list[Rank] = []
        self._line: list[Waiting] = []
        self.rows: dict[SessionId, Listed] = {}
        self.theirs: dict[SessionId, Listed] = {}
        self.moves = 0

    def put(self, row: Listed) -> None:
        """This is the session's row, unless a newer one is there."""
        before = self.rows.get(row.session)
        if before is None or before.head <= row.head:
            self.rows[row.session] = row
            self._change(before.waiting if before else None, row.waiting)
            if row.assignee is not None or row.occupies is not None:
                self.theirs[row.session] = row
            else:
                self.theirs.pop(row.session, None)

    def take_off(self, session: SessionId) -> None:
        before = self.rows.pop(session, None)
        self.theirs.pop(session, None)
        self._change(before.waiting if before else None, None)

    def in_order(self) -> Sequence[Waiting]:
        """Everybody who waits, the first to be served first. Not to be changed, nor kept."""
        policy = self._policy()
        ranked_by = (policy.topic_rules, policy.head_starts)
        if self._ranked_by != ranked_by:
            self._ranked_by = ranked_by
            self._line = order((row.waiting for row in self.rows.values() if row.waiting is not None), policy)
            self._ranks = [rank(one, policy) for one in self._line]
        return self._line

    def _change(self, before: Waiting | None, after: Waiting | None) -> None:
        if before == after:
            return
        self.moves += _place(before) != _place(after)
        policy = self._policy()
        if self._ranked_by != (policy.topic_rules, policy.head_starts):
            return  # whoever asks next has it ordered anew
        if before is not None:
            place = bisect_left(self._ranks, rank(before, policy))
            del self._ranks[place], self._line[place]
        if after is not None:
            place = bisect_left(self._ranks, rank(after, policy))
            self._ranks.insert(place, rank(after, policy))
            self._line.insert(place, after)


def _place(one: Waiting | None) -> object:
    return one and (one.since, one.topic, one.verified, one.returning, one.closed)


@dataclass(slots=True)
class _Reading:
    """How far a desk's list has been read."""

    known: DeskList
    mark: int = -1
    whole_at: float = -WHOLE_EVERY
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Index:
    """All desks' lists, each read when somebody asks for it."""

    def __init__(self, store: Store, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._policy = policy
        self._desks: dict[DeskId, _Reading] = {}
        self._noted: OrderedDict[SessionId, int] = OrderedDict()

    async def read(self, desk: DeskId) -> DeskList:
        """The desk's list as it is now; costs what has changed since it was read last."""
        reading = self._desks.setdefault(desk, _Reading(DeskList(self._policy)))
        async with reading.turn:
            whole = time.monotonic() - reading.whole_at >= WHOLE_EVERY
            news = await self._store.line_news(desk, -1 if whole else reading.mark)
            if news.whole:
                reading.whole_at = time.monotonic()
            reading.mark = news.mark
            self._take_in(reading.known, news)
        return reading.known

    def note(self, stored: Stored) -> None:
        """The session is this now; its line will say so later."""
        session = stored.session
        self._noted[session.id] = stored.head
        self._noted.move_to_end(session.id)
        if len(self._noted) > NOTED:
            self._noted.popitem(last=False)
        for desk, reading in self._desks.items():
            if desk == session.desk and session.state is not State.CLOSED:
                line = Line(session.id, session.code, desk, stored.head, summary(session, self._policy()))
                reading.known.put(listed(line))
            else:
                reading.known.take_off(session.id)

    def _take_in(self, known: DeskList, news: LineNews) -> None:
        there = {line.session for line in news.lines}
        missing = [one for one in known.rows if one not in there] if news.whole else []
        for session in (*news.gone, *missing):
            known.take_off(session)
        for line in news.lines:
            if line.head >= self._noted.get(line.session, 0):
                self._noted.pop(line.session, None)
                known.put(listed(line))
