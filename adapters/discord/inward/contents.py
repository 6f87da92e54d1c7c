"""Whether what operators write still arrives: without the privileged intent Discord tells that they wrote, not what.

An empty message of an operator's is never taken for one that was sent: they are told in the thread, once. The
application's flags say whether it is the intent; where they do not, several empty messages in a row are as good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

import structlog

from adapters.discord.heard.happenings import Said
from adapters.discord.heard.shape import Given
from adapters.discord.inward.whispers import Whispers
from adapters.discord.refs import NAME
from adapters.discord.wire.client import RestApi
from bridge.errors import DeliveryError
from bridge.ports import Store, Stored

ALLOWED = (1 << 18) | (1 << 19)
"""Bits of an application's flags: it may have the intent, as a small bot by its switch alone."""

SEVERAL = 2
"""Empty messages in a row after which it is not one of a kind that we do not know."""

ASKED_EVERY = 30.0
"""Seconds between two questions about the flags."""

TOLD_EVERY = 3600 * 1000
"""ms until a thread is told of it again."""

SWITCH = "switch “Message Content Intent” on, on the application's page “Bot”"

_log = structlog.get_logger(__name__)


def may_read(application: Given) -> bool:
    """What the application's flags say."""
    return bool(application.number("flags") & ALLOWED)


class Contents:
    """`clock` is monotonic, in seconds."""

    def __init__(self, api: RestApi, store: Store, whispers: Whispers, clock: Callable[[], float] = monotonic) -> None:
        self._api = api
        self._store = store
        self._whispers = whispers
        self._clock = clock
        self._empty = 0
        self._allowed = True
        self._asked = -ASKED_EVERY

    @property
    def lost(self) -> bool:
        """Whether it is the intent that is missing, and not a message of a kind that we do not know."""
        return not self._allowed or self._empty >= SEVERAL

    async def run(self) -> None:
        """While it is lost, look whether it was given back, until cancelled."""
        while True:
            await asyncio.sleep(ASKED_EVERY)
            if self.lost:
                await self._ask()
                self._empty = 0 if self._allowed else self._empty

    def read(self) -> None:
        """Somebody's words have come."""
        self._empty, self._allowed = 0, True

    async def missed(self, said: Said, stored: Stored) -> None:
        """An operator's message holds nothing. Raises StoreUnavailableError."""
        self._empty += 1
        await self._ask()
        if self.lost:
            _log.error("discord_content_missing", allowed=self._allowed)
        key = "told.unreadable" if self.lost else "told.empty"
        name = f"{NAME}/{key}/{said.root.thread}"
        if await self._store.get(name) is None:
            await self._whispers.reply(said, self._whispers.wording(stored.session.language, key), "empty")
            await self._store.put(name, said.id, TOLD_EVERY)

    async def _ask(self) -> None:
        if self._clock() < self._asked + ASKED_EVERY:
            return
        try:
            self._allowed = may_read(Given.of(await self._api.get("/applications/@me"), "application"))
            self._asked = self._clock()
        except DeliveryError as error:
            _log.info("discord_flags_not_read", code=error.code)
