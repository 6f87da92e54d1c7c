"""Room under the server's cap of active threads (1,000 in most): what is done with makes way for who writes now.

Only threads of ours are archived, those first whose sessions were resolved the longest ago, or live somewhere else. An
archived thread loses nothing, and wakes when somebody writes in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

import structlog

from adapters.discord.heard.app import App
from adapters.discord.places.channels import Channels
from adapters.discord.places.threads import Threads
from adapters.discord.refs import Root, made_at
from adapters.discord.wire import faults
from adapters.discord.wire.client import RestApi
from bridge.errors import DeliveryError
from bridge.ports import Store

FULL = "too_many_threads"

AT_ONCE = 10
"""Threads archived in one go: the next ones are opened without another look."""

IN_VAIN = 20.0
"""Seconds without another look on a server where nothing was found that is done with."""

SAID = 30.0
"""Seconds for which it is said afterwards: a lane that waits tries each half minute."""

_log = structlog.get_logger(__name__)


class Room:
    """`app` tells who we are; `places` are the desks' channels."""

    def __init__(
        self,
        api: RestApi,
        store: Store,
        threads: Threads,
        app: Callable[[], App],
        channels: Channels,
        places: Callable[[], Sequence[str]],
    ) -> None:
        self._api = api
        self._store = store
        self._threads = threads
        self._app = app
        self._channels = channels
        self._places = places
        self._looking = asyncio.Lock()
        self._made: dict[str, float] = {}
        self._none_until: dict[str, float] = {}

    async def within(self, guild: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make a call that needs room for one more active thread, a second time where there was none at first."""
        asked = monotonic()
        try:
            return await call()
        except DeliveryError as error:
            if error.code != FULL:
                raise
            if not await self._make(guild, asked):
                raise faults.full(await self._on(guild)) from error
        return await call()

    @property
    def trouble(self) -> str | None:
        """What `/readyz` says."""
        full = [guild for guild, until in self._none_until.items() if until > monotonic() - SAID]
        return "a server has as many active threads as it may: archive what is done with" if full else None

    async def _on(self, guild: str) -> list[str]:
        """The desks' channels of this server, in none of which a thread can be opened now."""
        found = []
        for place in self._places():
            with suppress(DeliveryError):
                found += [place] if (await self._channels.of(place)).guild == guild else []
        return found

    async def _make(self, guild: str, asked: float) -> bool:
        async with self._looking:
            if self._made.get(guild, 0.0) > asked:
                return True  # somebody has, while we waited
            if self._none_until.get(guild, 0.0) > monotonic():
                return False
            if not await self._archive_oldest(guild):
                self._none_until[guild] = monotonic() + IN_VAIN
                _log.error("discord_threads_full", guild=guild)
                return False
            self._made[guild] = monotonic()
            return True

    async def _archive_oldest(self, guild: str) -> int:
        told = await self._api.get(f"/guilds/{guild}/threads/active")
        ours = [one for one in told["threads"] if one.get("owner_id") == self._app().user]
        over = await asyncio.gather(*(self._over_since(guild, one) for one in ours))
        done = sorted((at, str(one["id"])) for at, one in zip(over, ours, strict=True) if at is not None)
        archived = await asyncio.gather(*(self._archive(thread) for _, thread in done[:AT_ONCE]))
        _log.warning("discord_threads_archived", guild=guild, threads=sum(archived))
        return sum(archived)

    async def _over_since(self, guild: str, thread: Mapping[str, Any]) -> int | None:
        """Since when nothing more is expected in it (ms since 1970, UTC); None while something is."""
        placed = await self._threads.placed(Root(guild, str(thread["id"])))
        stored = await self._store.load(placed.session) if placed is not None else None
        if placed is None or stored is None:
            return None
        session = stored.session
        if session.mirror.number != placed.mirror:
            return made_at(str(thread["id"]))
        return session.closed_at or session.resolved_at

    async def _archive(self, thread: str) -> bool:
        try:
            await self._api.call("PATCH", f"/channels/{thread}", {"archived": True})
        except DeliveryError as error:
            _log.info("discord_thread_not_archived", thread=thread, code=error.code)
            return False
        return True
