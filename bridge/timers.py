"""Timers and presence: what happens because nothing happened.

The store holds each session's earliest deadline; the holder of the `timers` lease hands those that fell to the relay,
which lets `decide` read from the session which they were. No timer of this process holds business truth.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from bridge.errors import KakehashiError, LostLeaseError, StoreUnavailableError
from bridge.leases import TIMERS, Leases, lease_name
from bridge.ports import Store
from bridge.relay import Receipt, Relay
from routing.ids import DeskId, InputKey, SessionId
from routing.inputs import CustomerLeft, DeadlineFell
from routing.policy import Desk, Policy
from routing.timers import timers

TICK = 0.5
"""Seconds between looks. Deadlines are promises in minutes; half a second is early enough."""

ABSENT_AFTER = 45_000
"""ms without a connected page until a customer counts as away: three missed beats, so that a reload does not."""

AT_ONCE = 64
"""Sessions whose deadlines are worked out anew together."""

Fence = tuple[str, int]

log = structlog.get_logger(__name__)


class Timers:
    """The deadlines of the partitions whose `timers` lease this process holds."""

    def __init__(self, store: Store, relay: Relay, leases: Leases, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._relay = relay
        self._leases = leases
        self._policy = policy
        self._reckoned: dict[int, tuple[int, Mapping[DeskId, Desk]]] = {}

    async def run(self) -> None:
        """Fire what is due until cancelled."""
        while True:
            try:
                await self.tick()
            except KakehashiError as error:
                log.warning("timers_not_read", reason=error.what)
            await asyncio.sleep(TICK)

    async def tick(self) -> None:
        """One look at every partition that is ours. All are asked at once, which the wire makes one batch of."""
        now = await self._store.now()
        ours = self._leases.partitions(TIMERS)
        await asyncio.gather(*(self._reckon(partition, term) for partition, term in ours))
        due = await asyncio.gather(*(self._store.due_timers(partition, now) for partition, _ in ours))
        absent = await asyncio.gather(*(self._store.absent(partition, now - ABSENT_AFTER) for partition, _ in ours))
        for (partition, term), fallen, gone in zip(ours, due, absent, strict=True):
            try:
                await self._work_off(partition, term, now, fallen, gone)
            except LostLeaseError:
                self._leases.lost(TIMERS, partition, term)

    async def _work_off(
        self, partition: int, term: int, now: int, fallen: Sequence[SessionId], gone: Sequence[SessionId]
    ) -> None:
        fence = (lease_name(TIMERS, partition), term)
        await _each(fallen, lambda one: self._fire(one, fence, now))
        await _each(gone, lambda one: self._note_absent(one, fence, now, now - ABSENT_AFTER))

    async def _reckon(self, partition: int, term: int) -> None:
        """Under a changed policy deadlines may be nearer than the store has them: work all of them out once."""
        mark = (term, self._policy().desks)
        if self._reckoned.get(partition) == mark:
            return
        sessions = await self._store.timed(partition)
        for start in range(0, len(sessions), AT_ONCE):
            chunk = sessions[start : start + AT_ONCE]
            await asyncio.gather(*(_each([session], self._set) for session in chunk))
        self._reckoned[partition] = mark

    async def _set(self, session: SessionId) -> int | None:
        """Bring the store's deadline in line with the session. Returns it, in ms since 1970, or None."""
        stored = await self._store.load(session)
        due = min(timers(stored.session, self._policy()).values(), default=None) if stored else None
        await self._store.set_timer(session, stored.head if stored else 0, due)
        return due

    async def _fire(self, session: SessionId, fence: Fence, now: int) -> None:
        due = await self._set(session)
        if due is None or due > now:
            return  # the policy was changed: it is not due after all
        answer = await self._relay.from_bridge(session, DeadlineFell(), InputKey(f"deadline/{due}"), fence=fence)
        if isinstance(answer, Receipt):
            log.info("deadline_fell", session=session, facts=[type(one.fact).__name__ for one in answer.entries])

    async def _note_absent(self, session: SessionId, fence: Fence, now: int, before: int) -> None:
        await self._relay.from_bridge(session, CustomerLeft(), InputKey(f"left/{session}/{now}"), fence=fence)
        await self._store.absence_noted(session, before)


async def _each(sessions: Sequence[SessionId], work: Callable[[SessionId], Awaitable[object]]) -> None:
    """One by one. A session that cannot be worked on must not hold up all that fall due after it."""
    for session in sessions:
        try:
            await work(session)
        except (LostLeaseError, StoreUnavailableError):
            raise
        except KakehashiError as error:
            log.warning("timer_put_off", session=session, reason=error.what)
        except Exception:
            log.exception("timer_broke", session=session)
