"""Telling an author's deletion from a clearing, by what else is deleted in the same place. See `routing.deletions`.

Each deletion is kept in the store for a while, so all processes count what is kept there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bridge.ports import Store, Unplaced
from routing.deletions import CLEARING, SETTLE, is_clearing
from routing.ids import NetworkName, ThreadRef

LINE = ":deleted"
"""Behind a thread's name: the line in which its deletions wait, apart from its words."""


def line_of(thread: ThreadRef) -> ThreadRef:
    return ThreadRef(thread + LINE)


@dataclass(frozen=True, slots=True)
class Deletion:
    """Where, and whose message it was; empty where that is not known."""

    place: str
    author: str


class Clearings:
    """`read` tells of a kept input what was deleted, if it is of a deletion; `settle`: ms that one waits for others."""

    def __init__(
        self, store: Store, network: NetworkName, read: Callable[[Unplaced], Deletion | None], settle: int = SETTLE
    ) -> None:
        self._store = store
        self._network = network
        self._read = read
        self._settle = settle

    async def is_one(self, unplaced: Unplaced) -> bool:
        """Whether its place is being cleared up. Waits until others would be here. Raises StoreUnavailableError."""
        now = await self._store.now()
        await asyncio.sleep(max(0, unplaced.at + self._settle - now) / 1000)
        one = self._read(unplaced)
        return one is not None and await self._is_many(unplaced.at, one.place)

    async def note(self, place: str) -> None:
        """It is being cleared up: what is found to be gone meanwhile, by whatever way, is part of that. Raises
        StoreUnavailableError."""
        await self._store.put(self._name(place), "1", CLEARING)

    def _name(self, place: str) -> str:
        return f"{self._network}.cleared/{place}"

    async def _is_many(self, at: int, place: str) -> bool:
        others = [one for one in await self._store.unplaced(self._network) if abs(one.at - at) <= self._settle]
        found = [one for other in others if (one := self._read(other)) is not None and one.place == place]
        if not is_clearing([one.author for one in found]) and await self._store.get(self._name(place)) is None:
            return False
        await self.note(place)
        return True
