"""Berths: which place of a desk's pool takes its next session.

A place has a ceiling of its own (Slack takes about one post a second in a channel), so a new session goes where the
fewest live. That is counted in the desks' lists, which every process reads and which are rebuilt from the sessions:
nothing is kept here that could go wrong for long. A count that is a moment old costs balance and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Set

import structlog

from bridge.errors import KakehashiError
from bridge.index import Index
from bridge.ports import Store
from routing.ids import DeskId, NetworkName, Place, SessionId
from routing.outage import may_fall_back
from routing.policy import Desk, Policy
from routing.session import Session

EVERY = 1.0
"""Seconds between two looks at the lists."""

NOTED_FOR = 10.0
"""Seconds for which a session that came to a place here counts there, should its line not say so yet."""

SHUT_FOR = 90.0
"""Seconds for which a place counts as shut after the last delivery that found it so. A lane that is blocked tries
each half minute: the mark is renewed while it lasts, and gone soon after."""

TOLD_EVERY = 20.0
"""Seconds between two marks on the same place: a hundred lanes may find out at once."""

_log = structlog.get_logger(__name__)


class Berths:
    """`bridge.relay.Berthing`. `run` keeps it fresh; without it, sessions are spread as this process has seen them."""

    def __init__(self, store: Store, index: Index, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._index = index
        self._policy = policy
        self._listed: Counter[Place] = Counter()
        self._noted: dict[SessionId, tuple[float, Place]] = {}
        self._shut: Set[Place] = frozenset()
        self._told: dict[Place, float] = {}
        self._free: Mapping[DeskId, Place] | None = None
        self._free_by: Policy | None = None

    # ------------------------------------------------------------------ what the relay asks

    def free(self) -> Mapping[DeskId, Place]:
        """The emptiest place of each pool; one that is shut only where all are."""
        policy = self._policy()
        if self._free is None or self._free_by is not policy:
            count = self._listed + Counter(place for _, place in self._noted.values())
            self._free_by, self._free = policy, {}
            for desk in policy.desks.values():
                if desk.further:
                    self._free |= {desk.id: min(desk.places, key=lambda one: (one in self._shut, count[one]))}
        return self._free

    def refuge(self, session: Session, place: Place) -> Place | None:
        """Where a thread may stand that cannot in `place`: the emptiest of the same pool that is not shut."""
        desks = self._policy().desks
        pools = [desk for desk in desks.values() if place in desk.places]
        own = next((desk for desk in pools if desk.id == session.desk), pools[0] if pools else None)
        free = [one for one in own.places if one != place and one not in self._shut] if own is not None else []
        count = self._listed + Counter(one for _, one in self._noted.values())
        return min(free, key=lambda one: count[one], default=None)

    def fallback(self, session: Session, now: int) -> tuple[DeskId, Place] | None:
        """The desk that takes a session whose pool is shut, as it takes what nobody had time for: the first that is
        open, else the first. `now` in ms since 1970 (UTC)."""
        desks = self._policy().desks
        own = desks.get(session.desk)
        if own is None or not may_fall_back(session):
            return None
        known = [(desks[one], place) for one in own.fallbacks if one in desks and (place := self._open(desks[one]))]
        found = next((one for one in known if one[0].hours.open_at(now)), known[0] if known else None)
        return (found[0].id, found[1]) if found else None

    def _open(self, desk: Desk) -> Place | None:
        count = self._listed + Counter(one for _, one in self._noted.values())
        return min((one for one in desk.places if one not in self._shut), key=lambda one: count[one], default=None)

    def note(self, session: Session) -> None:
        self._noted[session.id] = (time.monotonic() + NOTED_FOR, session.mirror.place)
        self._free = None

    # ------------------------------------------------------------------ what the lanes tell

    async def shut(self, network: NetworkName, place: Place, code: str) -> None:
        """Nothing can be delivered there. The other processes hear of it, too."""
        now = time.monotonic()
        if self._told.get(place, 0.0) > now or place not in _watched(self._policy()):
            return
        self._told[place] = now + TOLD_EVERY
        self._shut, self._free = {*self._shut, place}, None
        _log.warning("place_shut", network=network, place=place, code=code)
        await self._store.put(_name(place), code, int(SHUT_FOR * 1000))

    # ------------------------------------------------------------------ keeping it fresh

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except KakehashiError as error:
                _log.warning("berths_not_counted", reason=error.what)
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Count anew. Desks that share a channel with a pool count, too."""
        policy = self._policy()
        pooled = _watched(policy)
        near = [desk.id for desk in policy.desks.values() if not pooled.isdisjoint(desk.places)]
        rows = [row for desk in near for row in (await self._index.read(desk)).rows.values()]
        marks = await asyncio.gather(*(self._store.get(_name(place)) for place in sorted(pooled)))
        now, listed = time.monotonic(), {row.session for row in rows}
        self._noted = {one: at for one, at in self._noted.items() if at[0] > now and one not in listed}
        self._listed = Counter(row.berth for row in rows if row.berth is not None)
        self._shut = {place for place, mark in zip(sorted(pooled), marks, strict=True) if mark is not None}
        self._free = None


def _watched(policy: Policy) -> set[Place]:
    """Of whatever has somewhere else to go, and the places where that would be."""
    desks = policy.desks.values()
    fallbacks = {one for desk in desks for one in desk.fallbacks}
    chosen = [desk for desk in desks if desk.further or desk.fallbacks or desk.id in fallbacks]
    return {place for desk in chosen for place in desk.places}


def _name(place: Place) -> str:
    return f"shut-place/{place}"
