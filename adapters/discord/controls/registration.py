"""Registering our commands with Discord: once by the process that listens, and only where they are others there.

One call names all of them, so what an earlier release had is gone and what keeps its name keeps its id. It is made once
in a process's life: two releases that run side by side while one gives way to the other do not take turns. Discord
counts what is new: 200 a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from adapters.discord.controls import slash
from adapters.discord.heard.app import App
from adapters.discord.wire.client import RestApi
from bridge.errors import DeliveryError
from bridge.networks.card import Wording

LOOKED_EVERY = 1.0
"""Seconds between looks whether it is this process that listens."""

AGAIN_AFTER = (5.0, 60.0, 600.0)
"""Seconds until what could not be asked is asked again; the last one repeats."""

_log = structlog.get_logger(__name__)


class Registration:
    """`listens`: whether this process is the one that does; `app` tells who we are; `unit` scales the waits."""

    def __init__(
        self, api: RestApi, wording: Wording, app: Callable[[], App], listens: Callable[[], bool], unit: float = 1.0
    ) -> None:
        self._api = api
        self._wording = wording
        self._app = app
        self._listens = listens
        self._unit = unit

    async def run(self) -> None:
        """Returns when Discord has our commands."""
        failed = 0
        while True:
            pause = LOOKED_EVERY
            if self._listens():
                try:
                    return await self.register()
                except DeliveryError as error:
                    pause = max(error.retry_after or 0.0, AGAIN_AFTER[min(failed, len(AGAIN_AFTER) - 1)])
                    failed += 1
                    _log.warning("discord_commands_not_registered", reason=error.code, again_after=pause)
            await asyncio.sleep(pause * self._unit)

    async def register(self) -> None:
        """Raises DeliveryError."""
        path = f"/applications/{self._app().application}/commands"
        wanted = slash.definitions(self._wording)
        if slash.same(await self._api.get(path, with_localizations="true") or [], wanted):
            return
        await self._api.call("PUT", path, wanted)
        _log.info("discord_commands_registered", count=len(wanted))
