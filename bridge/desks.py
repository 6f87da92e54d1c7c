"""Desks: what spans the sessions of a desk. Run by the holder of the `desks` lease of the desk's partition.

Each round looks at one desk after another: takes or frees the places that its sessions occupy, hands back what
operators held who have left, offers what waits to those who have room, and says when the line has moved. It acts on the
index, which may be a moment old; so it only proposes, and `decide` and the reservations verify.

**Places left by the dead.** A place is reserved before a session becomes somebody's. Whoever dies in between leaves a
place that no session shows. It is found by comparing, and only when it is older than any call can be; then the session
is first told that the offer has ended, in case the dead one's commit did arrive, and only then is the place free.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from bridge.assignments import RECLAIM_AFTER, Assignments
from bridge.availability import Availability
from bridge.errors import KakehashiError
from bridge.feed import Feed
from bridge.index import DeskList, Index, Listed
from bridge.leases import DESKS, Leases
from bridge.ports import Hint, Store
from bridge.queues import PAUSE, Queues, signal_of
from bridge.relay import Receipt, Relay
from routing.allocate import DeskSnapshot, allocate
from routing.assignment import Available, occupied
from routing.availability import Standing
from routing.estimate import WINDOW, Pace, pace
from routing.ids import DeskId, InputKey, OperatorId, SessionId
from routing.inputs import BridgeInput, DeskRemoved, OfferEnded, OfferProposed, OperatorWentOff
from routing.policy import Assignment, Desk, Policy
from routing.session import State

TICK = 1.0
"""Seconds between rounds."""

SWEEP_EVERY = 10.0
"""Seconds between two searches for places that nobody's session shows, and for desks that the policy has lost."""

PACE_EVERY = 10.0
"""Seconds between two looks at how long sessions take."""

SAY_EVERY = 30.0
"""Seconds after which a desk's pace is said again."""

AT_ONCE = 32
"""Inputs of one desk under way together."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Books:
    """What the worker remembers of a desk from round to round. Losing it loses nothing."""

    occupied: dict[SessionId, OperatorId] = field(default_factory=dict)
    pace: Pace | None = None
    reckoned_at: float = -PACE_EVERY
    said: object = None
    said_at: float = -PAUSE


class Desks:
    """The worker. `queues` are this process's own lines, told directly; other processes hear a signal."""

    def __init__(
        self,
        store: Store,
        relay: Relay,
        assignments: Assignments,
        availability: Availability,
        index: Index,
        queues: Queues,
        feed: Feed,
        leases: Leases,
        policy: Callable[[], Policy],
    ) -> None:
        self._store = store
        self._relay = relay
        self._assignments = assignments
        self._availability = availability
        self._index = index
        self._queues = queues
        self._feed = feed
        self._leases = leases
        self._policy = policy
        self._books: dict[DeskId, _Books] = {}
        self._swept_at = -SWEEP_EVERY

    async def run(self) -> None:
        """Look after the desks whose lease is held, until cancelled."""
        while True:
            try:
                await self.tick(time.monotonic())
            except KakehashiError as error:
                log.warning("desks_not_looked_after", reason=error.what)
            await asyncio.sleep(TICK)

    async def tick(self, now: float) -> None:
        """One round at `now`, in seconds of a clock that only grows."""
        people = await self._availability.everyone()
        mine = [desk for desk in self._policy().desks if self._is_ours(desk)]
        for given_up in [one for one in self._books if one not in mine]:
            del self._books[given_up]
        for desk in mine:
            await self._guarded(desk, self._look_after(desk, people, now))
        if now - self._swept_at >= SWEEP_EVERY:
            self._swept_at = now
            await self._sweep(people)

    def _is_ours(self, name: str) -> bool:
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        partition = int.from_bytes(digest, "big") % self._store.partitions
        return self._leases.term(DESKS, partition) is not None

    @staticmethod
    async def _guarded(about: str, work: Awaitable[None]) -> None:
        """What is wrong with one desk must not hold up the others."""
        try:
            await work
        except KakehashiError as error:
            log.warning("desk_put_off", desk=about, reason=error.what)
        except Exception:
            log.exception("desk_broke", desk=about)

    # ------------------------------------------------------------------ one desk

    async def _look_after(self, name: DeskId, people: Mapping[OperatorId, Standing], now: float) -> None:
        desk, books = self._policy().desks[name], self._books.setdefault(name, _Books())
        known = await self._index.read(name)
        await self._keep_places(known, books)
        await self._hand_back(known, people)
        await self._allocate(desk, known, people)
        await self._say(desk, known, books, people, now)

    async def _keep_places(self, known: DeskList, books: _Books) -> None:
        """What the sessions show is taken, what they showed before is free."""
        before = books.occupied
        now = {row.session: row.occupies for row in known.theirs.values() if row.occupies is not None}
        taken = [one for one in now if before.get(one) != now[one]]
        freed = [one for one in before if before[one] != now.get(one)]
        for some in _chunks(taken):
            rows = [known.rows[one] for one in some]
            await asyncio.gather(
                *(self._store.confirm_reservation(now[row.session], row.session, row.last_at) for row in rows)
            )
        for some in _chunks(freed):
            await asyncio.gather(*(self._free(before[one], one) for one in some))
        books.occupied = now

    async def _free(self, operator: OperatorId, session: SessionId) -> None:
        """The desk shows it as theirs no more: it is done, or moved. A place that was taken later stays taken."""
        stored = await self._store.load(session)
        if stored is None or occupied(stored.session) != operator:
            await self._store.give_back(operator, session, stored.session.last_at if stored else None)

    async def _hand_back(self, known: DeskList, people: Mapping[OperatorId, Standing]) -> None:
        """Who has left lets go of what they held, and of what they were being offered."""
        now = await self._store.now()
        left = {one for one, how in people.items() if how.hands_back_at is not None and how.hands_back_at <= now}
        inputs: list[tuple[SessionId, BridgeInput]] = []
        for row in known.theirs.values():
            inputs += [(row.session, OperatorWentOff(one)) for one in {row.assignee, row.occupies} & left if one]
        await self._carry_out(known, inputs)

    async def _allocate(self, desk: Desk, known: DeskList, people: Mapping[OperatorId, Standing]) -> None:
        waiting, now = known.in_order(), await self._store.now()
        offered = [row.waiting for row in known.theirs.values() if row.waiting is not None]
        here = [one for one in self._team(desk) if (how := people.get(one)) is not None and how.on]
        asked = desk.assignment is not Assignment.CLAIM and len(waiting) > len(offered)
        if not asked and not offered:
            return
        operators = await self._loads(here) if asked else [Available(one, 0) for one in here]
        snapshot = DeskSnapshot(desk, waiting, operators, offered)
        proposals = allocate(snapshot, now=now, policy=self._policy())
        await self._carry_out(known, [(session, event) for session, event in proposals if isinstance(event, PROPOSED)])

    def _team(self, desk: Desk) -> list[OperatorId]:
        return [one.id for one in self._policy().operators.values() if one.works_at(desk.id)]

    async def _loads(self, operators: Sequence[OperatorId]) -> list[Available]:
        taken = await asyncio.gather(*map(self._store.reservations, operators))
        return [
            Available(one, len(places.sessions), places.given_at) for one, places in zip(operators, taken, strict=True)
        ]

    # ------------------------------------------------------------------ inputs

    async def _carry_out(self, known: DeskList, inputs: Sequence[tuple[SessionId, BridgeInput]]) -> None:
        for some in _chunks(inputs):
            await asyncio.gather(*(self._hand_in(known.rows.get(session), event) for session, event in some))

    async def _hand_in(self, row: Listed | None, event: BridgeInput) -> None:
        """One input. Its key names the session as it was seen, so that two who see the same do it once."""
        if row is None:
            return
        who = getattr(event, "operator", "")
        key = InputKey(f"desks/{type(event).__name__}/{row.session}/{row.head}/{who}")
        if isinstance(event, OfferProposed):
            answer = await self._assignments.offer(row.session, event, key)
        else:
            answer = await self._relay.from_bridge(row.session, event, key)
        now = answer.stored if isinstance(answer, Receipt) else await self._relay.session(row.session)
        if now is not None:
            self._index.note(now)
        if isinstance(answer, Receipt) and answer.fresh:
            log.info("desk_decided", session=row.session, desk=now and now.session.desk, what=type(event).__name__)

    # ------------------------------------------------------------------ the line

    async def _say(
        self, desk: Desk, known: DeskList, books: _Books, people: Mapping[OperatorId, Standing], now: float
    ) -> None:
        """That the line has moved, or moves at another pace: at most once in `PAUSE`, however much has happened.

        And once in `SAY_EVERY` though nothing has: a process that has just started knows no pace yet.
        """
        if now - books.reckoned_at >= PACE_EVERY:
            books.pace, books.reckoned_at = await self._pace(desk, known, people), now
        state = (known.moves, books.pace)
        if now - books.said_at < (SAY_EVERY if state == books.said else PAUSE):
            return
        books.said, books.said_at = state, now
        self._queues.moved(desk.id, books.pace)
        if self._feed.others:
            await self._store.signal(Hint(SessionId(""), "", 0, signal=signal_of(desk.id, books.pace)))

    async def _pace(self, desk: Desk, known: DeskList, people: Mapping[OperatorId, Standing]) -> Pace | None:
        held = Counter(row.assignee for row in known.theirs.values() if row.state is State.ASSIGNED)
        on = [one for one in self._team(desk) if (how := people.get(one)) is not None and how.on]
        offers = desk.assignment is not Assignment.CLAIM
        if offers and not on:
            return None
        profiles = self._policy().operators
        room = sum(max(0, profiles[one].capacity - held[one]) for one in on) if offers else 0
        handled = await self._store.handled(desk.id, await self._store.now() - WINDOW)
        return pace(handled, max(len(on), held.total()), least=desk.estimate_from, free=room)

    # ------------------------------------------------------------------ what was left behind

    async def _sweep(self, people: Iterable[OperatorId]) -> None:
        for operator in {*people, *self._policy().operators}:
            if self._is_ours(f"operator {operator}"):
                await self._guarded(operator, self._reclaim_left_places(operator))
        for desk in await self._store.desks():
            if desk not in self._policy().desks and self._is_ours(desk):
                await self._guarded(desk, self._remove(desk))

    async def _reclaim_left_places(self, operator: OperatorId) -> None:
        before = await self._store.now() - RECLAIM_AFTER
        places = await self._store.reservations(operator)
        for session, at in places.sessions.items():
            if at <= before:
                await self._reclaim(operator, session, at)

    async def _reclaim(self, operator: OperatorId, session: SessionId, at: int) -> None:
        """Free a place that the session itself does not show, not even once a commit that was late has been undone."""
        stored = await self._store.load(session)
        if stored is not None and occupied(stored.session) != operator:
            key = InputKey(f"desks/reclaim/{session}/{stored.head}/{operator}")
            await self._relay.from_bridge(session, OfferEnded(operator), key)
            stored = await self._store.load(session)
        if stored is not None and occupied(stored.session) == operator:
            return
        if await self._store.give_back(operator, session, at):
            log.info("place_reclaimed", operator=operator, session=session)

    async def _remove(self, desk: DeskId) -> None:
        """The policy has lost the desk: its sessions move to those that take its place."""
        known = await self._index.read(desk)
        await self._carry_out(known, [(row.session, DeskRemoved()) for row in known.rows.values()])


PROPOSED = (OfferProposed, OfferEnded)

T = TypeVar("T")


def _chunks(many: Sequence[T]) -> Iterator[Sequence[T]]:
    return (many[start : start + AT_ONCE] for start in range(0, len(many), AT_ONCE))
