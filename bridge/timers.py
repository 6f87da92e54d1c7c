"""Timers and presence: what happens because nothing happened.

The store holds each session's earliest deadline; the holder of the `timers` lease hands those that fell to the relay,
which lets `decide` read from the session which they were. No timer of this process holds business truth.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bridge.errors import KakehashiError, LostLeaseError
from bridge.leases import TIMERS, Leases, lease_name
from bridge.ports import Store
from bridge.relay import Receipt, Relay
from routing.ids import InputKey, SessionId
from routing.inputs import CustomerLeft, DeadlineFell
from routing.policy import Policy
from routing.session import timers

TICK = 0.5
"""Seconds between looks. Deadlines are promises in minutes; half a second is early enough."""

ABSENT_AFTER = 45_000
"""ms without a connected page until a customer counts as away: three missed beats, so that a reload does not."""

log = structlog.get_logger(__name__)


class Timers:
    """The deadlines of the partitions whose `timers` lease this process holds."""

    def __init__(self, store: Store, relay: Relay, leases: Leases, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._relay = relay
        self._leases = leases
        self._policy = policy

    async def run(self) -> None:
        """Fire what is due until cancelled."""
        while True:
            try:
                await self.tick()
            except KakehashiError as error:
                log.warning("timers_not_read", reason=error.what)
            await asyncio.sleep(TICK)

    async def tick(self) -> None:
        """One look at every partition that is ours."""
        now = await self._store.now()
        for partition, term in self._leases.partitions(TIMERS):
            fence = (lease_name(TIMERS, partition), term)
            try:
                await self._fire(partition, fence, now)
                await self._note_absent(partition, fence, now)
            except LostLeaseError:
                self._leases.lost(TIMERS, partition)

    async def _fire(self, partition: int, fence: tuple[str, int], now: int) -> None:
        for session in await self._store.due_timers(partition, now):
            stored = await self._store.load(session)
            due = min(timers(stored.session, self._policy()).values(), default=None) if stored else None
            if due is None or due > now:
                await self._store.set_timer(session, due)  # the policy was changed: it is not due after all
                continue
            answer = await self._relay.from_bridge(session, DeadlineFell(), InputKey(f"deadline/{due}"), fence=fence)
            if isinstance(answer, Receipt):
                log.info("deadline_fell", session=session, facts=[type(one.fact).__name__ for one in answer.entries])

    async def _note_absent(self, partition: int, fence: tuple[str, int], now: int) -> None:
        before = now - ABSENT_AFTER
        for session in await self._store.absent(partition, before):
            await self._relay.from_bridge(session, CustomerLeft(), _left(session, now), fence=fence)
            await self._store.absence_noted(session, before)


def _left(session: SessionId, now: int) -> InputKey:
    return InputKey(f"left/{session}/{now}")
