"""Which session a thread mirrors: remembered here, kept in the store, and in the last resort read off its card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.discord.heard.app import App
from adapters.discord.places.history import History
from adapters.discord.refs import NAME, Root, read_custom_id
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError
from bridge.networks.threads import KnownThreads
from bridge.ports import Placed, Store


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


class Threads(KnownThreads):
    def __init__(self, store: Store, api: RestApi) -> None:
        super().__init__(store, NAME)
        self._api = api
        self._history = History(api)

    async def read(self, root: Root, app: App) -> Placed | None:
        """Read the card itself, and keep what it says. None: certainly not ours. Raises DeliveryError."""
        try:
            thread = await self._api.get(f"/channels/{root.thread}")
        except DeliveryError as error:
            if error.code not in (*ALREADY_GONE, "no_access"):
                raise
            thread = {}
        placed = await self._claimed(root, thread, app) if thread.get("owner_id") == app.user else None
        return await self.found(root, placed)

    async def _claimed(self, root: Root, thread: Mapping[str, Any], app: App) -> Placed | None:
        """The card begins the thread in a forum; elsewhere the thread hangs on it."""
        for channel in (root.thread, thread.get("parent_id")):
            card = await self._history.message(channel, root.thread) if channel else None
            placed = claimed(card, app) if card else None
            if placed is not None:
                return placed
        return None
