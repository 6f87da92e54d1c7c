"""Reading back what is in a channel or a thread: the only way to know after an answer was lost."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from adapters.discord.heard.shape import time_of
from adapters.discord.refs import EPOCH, made_at
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.faults import ALREADY_GONE
from adapters.discord.wire.limits import urgent
from bridge.errors import DeliveryError
from bridge.networks.pacing import Urgency

PAGE = 100
"""Messages or threads a page, the most that Discord gives."""

REACTORS = 100
"""People who put one sign on a message, the most that Discord names at once."""

PAGES = 10
"""At most, of what is looked through for one effect."""

PATIENCE = 30.0
"""Seconds that reading at leisure waits for its turn. Nobody waits for it."""

SKEW = 60_000
"""ms by which Discord's clock may be behind ours."""

Message = Mapping[str, Any]


def snowflake(at: int) -> str:
    """The smallest id that Discord minted `SKEW` before `at` (ms since 1970)."""
    return str(max(0, at - SKEW - EPOCH) << 22)


def archived_at(thread: Mapping[str, Any]) -> int:
    """When it was archived, or woken, last (ms since 1970)."""
    stamp = (thread.get("thread_metadata") or {}).get("archive_timestamp")
    return round(time_of(str(stamp)).timestamp() * 1000) if stamp else 0


class History:
    """`at_leisure`: after everything else that is called."""

    def __init__(self, api: RestApi, *, at_leisure: bool = False) -> None:
        self._api = api
        self._at_leisure = at_leisure

    async def _get(self, path: str, **query: str | int) -> Any:
        if not self._at_leisure:
            return await self._api.get(path, **query)
        with urgent(Urgency.CARD, PATIENCE):
            return await self._api.get(path, **query)

    async def after(self, channel: str, message: str, pages: int | None = PAGES) -> list[Message] | None:
        """What stands in the channel or thread behind this id, oldest first; None where it is gone. All of it, where no
        number of pages is named."""
        found: dict[str, Message] = {}
        try:
            for number in itertools.count(1):
                page = await self._get(f"/channels/{channel}/messages", limit=PAGE, after=message)
                found |= {str(one["id"]): one for one in page}
                former, message = message, max(found, key=int, default=message)  # a millisecond's own are in any order
                if len(page) < PAGE or number == pages or message == former:
                    break
            if not found:
                await self.message(channel, message)  # who may not read is given nothing, and only here a refusal
        except DeliveryError as error:
            if error.code in ALREADY_GONE:
                return None
            raise
        return sorted(found.values(), key=lambda one: int(one["id"]))

    async def is_deleted(self, channel: str, message: str) -> bool:
        """Whether Discord says that it does not know this very message, in a channel that is there."""
        try:
            await self._get(f"/channels/{channel}/messages/{message}")
        except DeliveryError as error:
            if error.code in ALREADY_GONE:
                return error.code == "unknown_message"
            raise
        return False

    async def reactors(self, channel: str, message: str, emoji: str) -> list[str]:
        """Who put this sign on the message (ids of users). `emoji`: a character, or `name:id` of a server's own."""
        path = f"/channels/{channel}/messages/{message}/reactions/{quote(emoji, safe='')}"
        return [str(one["id"]) for one in await self._get(path, limit=REACTORS)]

    async def active(self, guild: str) -> list[Mapping[str, Any]]:
        """All threads of the server that are active, as far as we see them."""
        told: Mapping[str, Any] = await self._get(f"/guilds/{guild}/threads/active")
        return list(told["threads"])

    async def threads(self, guild: str, channel: str, since: str) -> list[Mapping[str, Any]]:
        """The channel's threads that were opened after this id, active and archived, oldest first."""
        archived = await self.archived(channel, made_at(since))
        both = {one["id"]: one for one in (*await self.active(guild), *archived)}
        ours = [one for one in both.values() if one.get("parent_id") == channel and int(one["id"]) > int(since)]
        return sorted(ours, key=lambda one: int(one["id"]))

    async def archived(self, channel: str, since: int) -> list[Mapping[str, Any]]:
        """The channel's threads that were archived after this (ms since 1970), the latest first."""
        found: list[Mapping[str, Any]] = []
        before: dict[str, str] = {}
        while True:
            page = await self._get(f"/channels/{channel}/threads/archived/public", limit=PAGE, **before)
            late = [one for one in page["threads"] if archived_at(one) >= since]
            found += late
            former, before = before, {"before": late[-1]["thread_metadata"]["archive_timestamp"]} if late else before
            if not page.get("has_more") or len(late) < len(page["threads"]) or before == former:
                return found

    async def message(self, channel: str, message: str) -> Message | None:
        try:
            found: Message = await self._get(f"/channels/{channel}/messages/{message}")
        except DeliveryError as error:
            if error.code in ALREADY_GONE:
                return None
            raise
        return found
