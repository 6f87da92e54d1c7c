"""Which session a thread mirrors, as far as it is known without asking the network: remembered here, kept in the store.

In the last resort an adapter reads a thread's root, and has `found` remember what it says: that is final, since a root
never becomes another session's.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Protocol

from bridge.ports import Placed, Store
from routing.ids import NetworkName, ThreadRef

REMEMBERED = 50_000
"""Threads in memory, ours and others' apart. The store has all of ours."""


class Root(Protocol):
    """A network's own name of a thread."""

    @property
    def ref(self) -> ThreadRef: ...


class KnownThreads:
    """Of one network. `place` is durable when it returns."""

    def __init__(self, store: Store, network: NetworkName) -> None:
        self._store = store
        self._network = network
        self._ours: OrderedDict[ThreadRef, Placed] = OrderedDict()
        self._others: OrderedDict[ThreadRef, None] = OrderedDict()

    async def place(self, root: Root, placed: Placed) -> None:
        if self._ours.get(root.ref) != placed:
            await self._store.place(self._network, root.ref, placed)
            self._remember(root, placed)

    async def placed(self, root: Root) -> Placed | None:
        """The session of this thread."""
        known = self._ours.get(root.ref)
        if known is not None:
            self._ours.move_to_end(root.ref)
            return known
        if self.is_foreign(root):
            return None
        found = await self._store.placed(self._network, root.ref)
        if found is not None:
            self._remember(root, found)
        return found

    def is_foreign(self, root: Root) -> bool:
        """Its root was read before and is not ours."""
        return root.ref in self._others

    async def found(self, root: Root, placed: Placed | None) -> Placed | None:
        """Remember what its root says of itself. None: certainly not ours."""
        if placed is None:
            self._others[root.ref] = None
            _keep(self._others)
        else:
            await self.place(root, placed)
        return placed

    def _remember(self, root: Root, placed: Placed) -> None:
        self._ours[root.ref] = placed
        self._others.pop(root.ref, None)
        _keep(self._ours)


def _keep(known: OrderedDict[ThreadRef, Any]) -> None:
    if len(known) > REMEMBERED:
        known.popitem(last=False)
