"""Waking: an archived thread takes no edits and no reactions (50083) until it is active again.

A post wakes it by itself, unless it is locked as well; then only a moderator can: the bot needs “Manage Threads”.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from adapters.discord.places.room import Room
from adapters.discord.wire import faults
from adapters.discord.wire.client import RestApi
from bridge.errors import DeliveryError


class Waking:
    def __init__(self, api: RestApi, room: Room) -> None:
        self._api = api
        self._room = room

    async def active(
        self, guild: str, thread: str, call: Callable[[], Awaitable[Any]], *, makes_room: bool = True
    ) -> Any:
        """Make a call that needs an active thread. `makes_room`: another thread may be archived for it."""

        async def woken() -> Any:
            try:
                return await call()
            except DeliveryError as error:
                if error.code != faults.ASLEEP:
                    raise
            await self._wake(thread)
            return await call()

        return await (self._room.within(guild, woken) if makes_room else woken())

    async def _wake(self, thread: str) -> None:
        try:
            await self._api.call("PATCH", f"/channels/{thread}", {"archived": False})
        except DeliveryError as error:
            if error.code == "no_permission":
                raise faults.locked() from error
            raise
