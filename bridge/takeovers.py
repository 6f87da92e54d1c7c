"""Takeovers: while a network takes nothing, the built-in desk answers; a session whose lane has drained is handed back.

Whoever holds the lease on (network, partition) looks through the lanes that failed. One whose head has waited for too
long is taken over; the mark of it stands in the store before the session says so, and until its lane is empty again,
so that a crash between loses neither the beginning nor the end. `routing.outage` decides what it means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from bridge.errors import KakehashiError, LostLeaseError
from bridge.leases import Leases, lease_name
from bridge.ports import Lane, LaneState, Store
from bridge.relay import Relay
from routing.effects import Effect, OpenThread, PostMessage
from routing.ids import EffectId, InputKey, NetworkName, SessionId, partition_in
from routing.inputs import NetworkCaughtUp, NetworkFellSilent
from routing.session import Session

LOOK_EVERY = 5.0
"""Seconds."""

SPACE = "takeover"
"""The shelf of those that are taken over: `takeover/<network>/<session>`, since when nothing was delivered."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long, in ms, the oldest of a network's lanes has delivered nothing, and the platform's word for it."""

    age: int = 0
    error: str = ""


class Takeovers:
    """`after`: by network, ms without a delivery until the desk takes over; 0: never."""

    def __init__(
        self,
        store: Store,
        relay: Relay,
        leases: Leases,
        after: Mapping[NetworkName, int],
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._store = store
        self._relay = relay
        self._leases = leases
        self._after = after
        self._look_every = look_every
        self._heads: dict[Lane, tuple[EffectId, int]] = {}
        self._late: dict[NetworkName, Lateness] = {}

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            for network in self._after:
                try:
                    await self.look(network)
                except KakehashiError as error:
                    log.warning("takeovers_not_looked_for", network=network, reason=error.what)
            await asyncio.sleep(self._look_every)

    def late(self, network: NetworkName) -> Lateness:
        """As of the last look, among the lanes of this process."""
        return self._late.get(network, Lateness())

    async def look(self, network: NetworkName) -> None:
        """One look at a network's lanes."""
        terms = dict(self._leases.partitions(network))
        now, stuck = await self._store.now(), await self._store.stuck_lanes(network)
        mine = [one for one in stuck if not one.aside and one.head and partition_in(one.lane.session) in terms]
        ages = [(now - await self._since(one, now), one) for one in mine]
        self._late[network] = max((Lateness(age, one.error) for age, one in ages), key=_age, default=Lateness())
        marks = await self._marks(network)
        for age, one in ages:
            if 0 < self._after[network] <= age and one.lane.session not in marks:
                await self._take_over(one.lane, now - age, terms)
        for session in marks:
            if partition_in(session) in terms:
                await self._hand_back(Lane(session, network), terms)
        lanes = {one.lane for one in mine}
        self._heads = {lane: head for lane, head in self._heads.items() if lane in lanes or lane.to != network}

    async def _marks(self, network: NetworkName) -> set[SessionId]:
        prefix = f"{SPACE}/{network}/"
        return {
            SessionId(name.removeprefix(prefix)) for name in await self._store.shelf(SPACE) if name.startswith(prefix)
        }

    async def _since(self, state: LaneState, now: int) -> int:
        """Since when the lane has delivered nothing. A lane that moves begins anew with each delivery; what it held
        before this process looked for the first time has waited since it was said."""
        assert state.head is not None, "empty lanes were left out"
        known = self._heads.get(state.lane)
        if known is not None and known[0] == state.head.id:
            return known[1]
        stored = await self._relay.session(state.lane.session) if known is None else None
        since = now if stored is None else _said_at(state.head, stored.session, now)
        self._heads[state.lane] = (state.head.id, since)
        return since

    async def _take_over(self, lane: Lane, since: int, terms: Mapping[int, int]) -> None:
        stored = await self._relay.session(lane.session)
        if stored is None:
            return
        mark = f"{SPACE}/{lane.to}/{lane.session}"
        await self._store.put(mark, str(since))
        key = InputKey(f"takeover/{lane.session}/{since}")
        await self._tell(lane, NetworkFellSilent(lane.to, since), key, terms)
        now = await self._relay.session(lane.session)
        if now is None or now.session.taken_over is None:
            await self._store.forget(mark)  # it is over, or it was never there
        else:
            log.warning("desk_took_over", session=lane.session, network=lane.to, code=now.session.code)

    async def _hand_back(self, lane: Lane, terms: Mapping[int, int]) -> None:
        """Its lane is empty: the line that says so is the next that the thread shows."""
        if await self._store.lane_states(lane.session, lane.to) is not None:
            return
        stored = await self._relay.session(lane.session)
        if stored is not None and stored.session.taken_over is not None:
            key = InputKey(f"takeover/{lane.session}/{stored.session.taken_over}/back")
            await self._tell(lane, NetworkCaughtUp(lane.to), key, terms)
            log.info("desk_handed_back", session=lane.session, network=lane.to)
        await self._store.forget(f"{SPACE}/{lane.to}/{lane.session}")

    async def _tell(
        self, lane: Lane, event: NetworkFellSilent | NetworkCaughtUp, key: InputKey, terms: Mapping[int, int]
    ) -> None:
        partition = partition_in(lane.session)
        fence = (lease_name(lane.to, partition), terms[partition])
        try:
            await self._relay.from_bridge(lane.session, event, key, fence=fence)
        except LostLeaseError:
            self._leases.lost(lane.to, partition, terms[partition])


def _age(lateness: Lateness) -> int:
    return lateness.age


def _said_at(head: Effect, session: Session, now: int) -> int:
    if isinstance(head, OpenThread) and head.mirror == 1:
        return session.opened_at
    spoken = session.spoken(head.message) if isinstance(head, PostMessage) else None
    return spoken.at if spoken is not None else now
