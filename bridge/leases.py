"""Leases: which process works which lane. Per (partition, destination), with a term that grows with every holder.

A lease here is a promise by the store's clock, and a deadline by ours: this process believes in it only until
`TTL - MARGIN` after it *asked* for it, measured monotonically, so a paused process or a stepped clock errs on the
side of not being the holder.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import KakehashiError
from bridge.ports import Lease, Store
from routing.ids import NetworkName

TTL = 6_000
"""ms. How long a killed process keeps others waiting; three renewals fit into it."""

MARGIN = 1_000
"""ms. Stop believing this much before the store would give the lease away."""

RENEW_EVERY = 2.0
"""Seconds."""

TIMERS = NetworkName("timers")
INDEX = NetworkName("index")
DESKS = NetworkName("desks")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Held:
    lease: Lease
    believed_until: float  # monotonic seconds


class Leases:
    """Takes this process's fair share of every destination that it has an adapter for.

    `others` and `alone` say whether there are other processes on this store.
    """

    def __init__(self, store: Store, holder: str, destinations: Sequence[NetworkName]) -> None:
        self.holder = holder
        self._store = store
        self._destinations = tuple(destinations)
        self._held: dict[str, _Held] = {}
        self.others = asyncio.Event()
        self.alone = asyncio.Event()
        self._in_use: Callable[[str], bool] = lambda _name: False

    def guard(self, in_use: Callable[[str], bool]) -> None:
        """`in_use` says that a lease must not be given up just now, for balance."""
        self._in_use = in_use

    def term(self, to: NetworkName, partition: int) -> int | None:
        """The current term when this process holds the lease, else None."""
        held = self._held.get(lease_name(to, partition))
        if held is None or time.monotonic() >= held.believed_until:
            return None
        return held.lease.term

    def lost(self, to: NetworkName, partition: int, term: int) -> None:
        """The store said that this term is over. It may have been ours again, under a newer one, for a while."""
        held = self._held.get(lease_name(to, partition))
        if held is not None and held.lease.term == term:
            del self._held[held.lease.name]

    def partitions(self, to: NetworkName) -> list[tuple[int, int]]:
        """(partition, term) of every lease on a destination that this process holds."""
        every = range(self._store.partitions)
        return [(partition, term) for partition in every if (term := self.term(to, partition)) is not None]

    @property
    def count(self) -> int:
        return len(self._held)

    async def run(self) -> None:
        """Take and renew until cancelled."""
        while True:
            try:
                await self.renew()
            except KakehashiError as error:
                log.warning("leases_not_renewed", reason=error.what)
            await asyncio.sleep(RENEW_EVERY)

    async def renew(self) -> None:
        """One round: renew what is held, give back what is too much, take what is free."""
        alive = len(await self._store.processes(self.holder, await self._store.now()))
        self._count_others(alive)
        for to in self._destinations:
            await self._renew(to, math.ceil(self._store.partitions / max(1, alive)))

    def _count_others(self, alive: int) -> None:
        now, before = (self.others, self.alone) if alive > 1 else (self.alone, self.others)
        before.clear()
        now.set()

    async def _renew(self, to: NetworkName, share: int) -> None:
        names = [lease_name(to, partition) for partition in range(self._store.partitions)]
        mine = [name for name in names if name in self._held]
        await self._give_back([name for name in mine[share:] if not self._in_use(name)])
        mine = [name for name in names if name in self._held]
        others = [name for name in names if name not in self._held]
        await self._ask(mine)
        for name in others:
            if len([one for one in names if one in self._held]) >= share:
                break
            await self._ask([name])

    async def _ask(self, names: Sequence[str]) -> None:
        asked = time.monotonic()
        leases = await self._store.hold_many(names, self.holder, TTL)
        for name, lease in zip(names, leases, strict=True):
            if lease is None:
                self._held.pop(name, None)
                continue
            if name not in self._held:
                log.debug("lease_taken", lease=name, term=lease.term)
            self._held[name] = _Held(lease, asked + (TTL - MARGIN) / 1000)

    async def _give_back(self, names: Sequence[str]) -> None:
        for name in names:
            held = self._held.pop(name)
            await self._store.release(held.lease, self.holder)

    async def release_all(self) -> None:
        """At the end of a drain: the next process need not wait."""
        await self._give_back(list(self._held))
        await self._store.leave(self.holder)


def lease_name(to: NetworkName, partition: int) -> str:
    return f"{to}@{partition}"
