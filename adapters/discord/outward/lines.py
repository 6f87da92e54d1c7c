"""Lines of the bridge's own in a channel or a direct message, outside of every session's thread.

Nothing but its words can be read back of a message, so how a line reads is written down under its name before it is
said. A forum takes no messages: there a line is a post of its own, of which nobody's session is told.
"""

from __future__ import annotations

import hashlib
from typing import Any

from adapters.discord.heard.app import App
from adapters.discord.places.channels import Channel, Channels, Kind
from adapters.discord.places.history import History, Message, snowflake
from adapters.discord.places.roots import TITLE, WEEK, nonce
from adapters.discord.refs import NAME, Post
from adapters.discord.render import Rendered
from adapters.discord.text.markup import certain
from adapters.discord.wire.client import NOBODY, RestApi
from bridge.ports import Store

KEPT = 24 * 3600 * 1000
"""ms for which it is known how a line reads: longer than its outcome stays unknown."""

DIRECT = "@me"
"""What stands in an address in the place of a server for what is between two."""


class Lines:
    """Whoever says or finds a line names it, uniquely for ever."""

    def __init__(self, api: RestApi, store: Store, channels: Channels) -> None:
        self._api = api
        self._store = store
        self._channels = channels
        self._history = History(api)

    async def direct(self, user: str) -> Channel:
        """Where this user can be spoken to alone. Raises DeliveryError."""
        opened = await self._api.call("POST", "/users/@me/channels", {"recipient_id": user})
        return Channel(str(opened["id"]), DIRECT, Kind.DIRECT)

    async def say(self, name: str, channel: Channel, rendered: Rendered, title: str = "") -> Post:
        """Say it. `title` is what it is called in a forum. Raises DeliveryError."""
        await self._store.put(_kept(name), f"{channel.id} {_digest(rendered.content)}", KEPT)
        if channel.is_forum:
            return await self._post(channel, rendered, title)
        body = {**rendered.posted, "nonce": nonce(name), "enforce_nonce": True}
        answer = await self._api.say(f"/channels/{channel.id}/messages", body)
        return Post(channel.guild, channel.id, str(answer["id"]))

    async def _post(self, channel: Channel, rendered: Rendered, title: str) -> Post:
        message = {"allowed_mentions": NOBODY, **rendered.posted}
        body = {"name": title[:TITLE] or "–", "auto_archive_duration": WEEK, "message": message}
        made: dict[str, Any] = await self._api.call("POST", f"/channels/{channel.id}/threads", body)
        return Post(channel.guild, str(made["id"]), str(made["id"]))

    async def find(self, name: str, since: int, app: App) -> list[Post]:
        """What there is of a line, oldest first, from `since` on (ms since 1970). Raises DeliveryError."""
        kept = await self._store.get(_kept(name))
        if kept is None:
            return []  # nobody ever began to say it
        place, _, digest = kept.partition(" ")
        return [
            post
            for post, message in await self._there(place, snowflake(since), app)
            if app.wrote(message) and _digest(str(message.get("content") or "")) == digest
        ]

    async def _there(self, place: str, since: str, app: App) -> list[tuple[Post, Message]]:
        channel = await self._channel(place)
        if not channel.is_forum:
            there = await self._history.after(place, since) or ()
            return [(Post(channel.guild, place, str(one["id"])), one) for one in there]
        found = []
        for thread in await self._history.threads(channel.guild, channel.id, since):
            message = (
                await self._history.message(thread["id"], thread["id"]) if thread["owner_id"] == app.user else None
            )
            if message is not None:
                found.append((Post(channel.guild, str(thread["id"]), str(thread["id"])), message))
        return found

    async def _channel(self, place: str) -> Channel:
        """A desk's channel, or what is between two: that has no server."""
        told = await self._api.get(f"/channels/{place}")
        return await self._channels.of(place) if told.get("guild_id") else Channel(place, DIRECT, Kind.DIRECT)


def _kept(name: str) -> str:
    return f"{NAME}/line/{name}"


def _digest(content: str) -> str:
    """Of what Discord certainly keeps of it."""
    return hashlib.blake2b(certain(content).encode(), digest_size=12).hexdigest()
