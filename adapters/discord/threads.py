"""Which session a thread mirrors: remembered here, kept in the store, and in the last resort read off its card."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.discord.client import RestApi
from adapters.discord.faults import ALREADY_GONE
from adapters.discord.history import History
from adapters.discord.parse import App
from adapters.discord.refs import NAME, Root, read_custom_id
from bridge.errors import DeliveryError
from bridge.ports import Placed, Store

REMEMBERED = 50_000
"""Threads in memory, ours and others' apart. The store has all of ours."""


def claimed(message: Mapping[str, Any], app: App) -> Placed | None:
    """What a card of ours says of itself, by its buttons. Others' words about us count for nothing."""
    if not app.wrote(message):
        return None
    found = (read_custom_id(name) for name in _custom_ids(message.get("components")))
    return next((one[1].placed for one in found if one is not None and one[1].message is None), None)


def _custom_ids(components: object) -> Iterator[str]:
    for one in components if isinstance(components, list) else ():
        if isinstance(one, Mapping):
            if isinstance(name := one.get("custom_id"), str):
                yield name
            yield from _custom_ids([one["accessory"]] if "accessory" in one else one.get("components"))


class Threads:
    """`place` is durable when it returns."""

    def __init__(self, store: Store, api: RestApi) -> None:
        self._store = store
        self._api = api
        self._history = History(api)
        self._ours: OrderedDict[str, Placed] = OrderedDict()
        self._others: OrderedDict[str, None] = OrderedDict()

    async def place(self, root: Root, placed: Placed) -> None:
        if self._ours.get(root.ref) != placed:
            await self._store.place(NAME, root.ref, placed)
            self._remember(root, placed)

    async def placed(self, root: Root) -> Placed | None:
        """The session of this thread, as far as we know without asking Discord."""
        known = self._ours.get(root.ref)
        if known is not None:
            self._ours.move_to_end(root.ref)
            return known
        if self.is_foreign(root):
            return None
        found = await self._store.placed(NAME, root.ref)
        if found is not None:
            self._remember(root, found)
        return found

    def is_foreign(self, root: Root) -> bool:
        """It was looked at before and is not ours, or is no thread."""
        return root.ref in self._others

    async def read(self, root: Root, app: App) -> Placed | None:
        """Read the card itself, and keep what it says. None: certainly not ours. Raises DeliveryError."""
        try:
            thread = await self._api.get(f"/channels/{root.thread}")
        except DeliveryError as error:
            if error.code not in (*ALREADY_GONE, "no_access"):
                raise
            thread = {}
        placed = await self._claimed(root, thread, app) if thread.get("owner_id") == app.user else None
        if placed is None:
            self._forget_it(root)
        else:
            await self.place(root, placed)
        return placed

    async def _claimed(self, root: Root, thread: Mapping[str, Any], app: App) -> Placed | None:
        """The card begins the thread in a forum; elsewhere the thread hangs on it."""
        for channel in (root.thread, thread.get("parent_id")):
            card = await self._history.message(channel, root.thread) if channel else None
            placed = claimed(card, app) if card else None
            if placed is not None:
                return placed
        return None

    def _remember(self, root: Root, placed: Placed) -> None:
        self._ours[root.ref] = placed
        self._others.pop(root.ref, None)
        if len(self._ours) > REMEMBERED:
            self._ours.popitem(last=False)

    def _forget_it(self, root: Root) -> None:
        self._others[root.ref] = None
        if len(self._others) > REMEMBERED:
            self._others.popitem(last=False)
