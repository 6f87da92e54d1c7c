"""The budget of connections: Discord lets a bot IDENTIFY a thousand times a day, and resets its token beyond that.

So a process that dies and is started anew every few seconds must not go on for hours: all processes draw from one
bucket, and what Discord says is left for today is spread over the day. One IDENTIFY in five seconds is all that it
takes anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from adapters.discord.refs import NAME
from adapters.discord.wire.client import RestApi
from bridge.errors import DeliveryError, KakehashiError
from bridge.ports import Store

A_DAY = f"{NAME}/identifies"
A_DAY_RATE, A_DAY_BURST = 800 / 86_400, 80
"""880 a day at most; the rest is for whoever else uses the token."""

ONE = f"{NAME}/identify"
INTERVAL = 5.0
"""Seconds between two of them (`max_concurrency` 1)."""

SCARCE = 50
"""From so few left on they are spread over what is left of the day."""

_log = structlog.get_logger(__name__)


class TooManyIdentifiesError(Exception):
    """No connection may be begun for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no IDENTIFY for {seconds:.0f} s")
        self.seconds = seconds


class Identifies:
    """`unit` scales the pause between two."""

    def __init__(self, store: Store, api: RestApi, unit: float = 1.0) -> None:
        self._store = store
        self._api = api
        self._rate = 1 / (INTERVAL * unit)

    async def admit(self) -> None:
        """Return when one may be made, within seconds; raises TooManyIdentifiesError."""
        if (wait := await self._spread()) > 0:
            raise TooManyIdentifiesError(wait)
        try:
            granted, ms = await self._store.draw(A_DAY, 1, A_DAY_RATE, A_DAY_BURST)
            if not granted:
                raise TooManyIdentifiesError(ms / 1000)
            await self._take_turns()
        except KakehashiError as error:
            raise TooManyIdentifiesError(1.0) from error  # who cannot count may not spend

    async def _take_turns(self) -> None:
        while True:
            granted, ms = await self._store.draw(ONE, 1, self._rate, 1)
            if granted:
                return
            await asyncio.sleep(ms / 1000)

    async def _spread(self) -> float:
        """Seconds to wait by what Discord itself has counted; it may be more than we know of."""
        try:
            told: Mapping[str, Any] = await self._api.get("/gateway/bot")
            limit = told["session_start_limit"]
            left, until_reset = int(limit["remaining"]), int(limit["reset_after"]) / 1000
        except DeliveryError as error:
            _log.info("discord_budget_unknown", code=error.code)
            return 0.0
        except (KeyError, TypeError, ValueError):
            return 0.0
        if left > SCARCE:
            return 0.0
        _log.warning("discord_connections_scarce", left=left, seconds=round(until_reset))
        return until_reset if left <= 1 else await self._since_the_last(until_reset / left)

    async def _since_the_last(self, apart: float) -> float:
        """One after such a pause; Discord counts the connections themselves."""
        granted, ms = await self._store.draw(f"{ONE}/scarce", 1, 1 / max(apart, 1.0), 1)
        return 0.0 if granted else ms / 1000
