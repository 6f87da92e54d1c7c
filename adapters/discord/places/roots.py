"""Roots: a thread with its card, opened once, found again after a lost answer.

In a forum the card is the first message of the post, and the opening has no nonce: what was opened is found by the
card's buttons, which name the session. In a text channel the card stands in the channel and the thread hangs on it. The
card has a nonce there, and a thread can be hung on a message but once. Either way the thread has the card's id. At the
server's cap of active threads room is made first (`room`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from adapters.discord.heard.app import App
from adapters.discord.places.channels import Channel, Channels, Tag
from adapters.discord.places.forum_tags import ForumTags, given_up
from adapters.discord.places.history import History, snowflake
from adapters.discord.places.room import Room
from adapters.discord.places.threads import Threads, claimed
from adapters.discord.refs import NAME, Post, Root
from adapters.discord.render import Rendered
from adapters.discord.shown.filtered import Filter
from adapters.discord.wire.client import NOBODY, RestApi
from adapters.discord.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError
from bridge.networks.card import Wording
from bridge.networks.names import customer_name
from bridge.ports import Delivery, Placed, Store
from routing.ids import PostRef, ThreadRef

WEEK = 10_080
"""Minutes without a word after which Discord archives a thread: the longest that there is."""

TITLE = 100
"""Characters of a thread's name."""

KEPT = 30 * 24 * 3600 * 1000
"""ms for which it is written down how far an opening came: longer than any lane waits."""

Json = Mapping[str, Any]

Draw = Callable[[Delivery], Awaitable[Rendered]]
Named = Callable[[Delivery], str]
"""What a delivery's thread is called."""

_log = structlog.get_logger(__name__)


def nonce(name: str, part: int = 0) -> str:
    """By which Discord knows for some minutes that a message is the one it has: 25 characters at most."""
    return hashlib.blake2b(f"{name}\0{part}".encode(), digest_size=12).hexdigest()


class Roots:
    """`draw` is a delivery's card, `title` what its thread is called; `app` tells who we are."""

    def __init__(
        self,
        *,
        api: RestApi,
        store: Store,
        channels: Channels,
        threads: Threads,
        room: Room,
        tags: ForumTags,
        draw: Draw,
        title: Named,
        app: Callable[[], App],
        past_filter: Filter,
    ) -> None:
        self._api = api
        self._store = store
        self._channels = channels
        self._threads = threads
        self._room = room
        self._tags = tags
        self._draw = draw
        self._title = title
        self._app = app
        self._filter = past_filter
        self._history = History(api)

    async def open(self, delivery: Delivery, name: str) -> Root:
        """Open the thread. It is placed before the lane goes on, so an early press of a button finds its session."""
        await self._channels.admit(place_of(delivery))
        channel = await self._channels.of(place_of(delivery))
        thread = await (self._post if channel.is_forum else self._card)(channel, delivery, name)
        root = Root(channel.guild, thread)
        await self._threads.place(root, Placed(delivery.session.id, delivery.effect.mirror))
        return root

    async def _post(self, channel: Channel, delivery: Delivery, name: str) -> str:
        del name
        card = {"allowed_mentions": NOBODY, **(await self._draw(delivery)).posted}
        body = {"name": self._named(delivery), "auto_archive_duration": WEEK, "message": card}
        tags = self._tags.of(channel, delivery.session)
        opened: str = await self._filter.past(delivery, body, lambda said: self._post_tagged(channel, said, tags))
        return opened

    async def _post_tagged(self, channel: Channel, body: Json, tags: Sequence[Tag]) -> str:
        """What is wrong with a tag costs the tag, and not the thread."""
        tagged = {**body, "applied_tags": [tag.id for tag in tags]} if tags else body
        try:
            made = await self._make(channel, f"/channels/{channel.id}/threads", tagged)
        except DeliveryError as error:
            fewer = given_up(tags, error)
            if fewer is None:
                raise
            self._channels.forget()
            return await self._post_tagged(channel, body, fewer)
        return str(made["id"])

    async def _make(self, channel: Channel, path: str, body: Json) -> Any:
        return await self._room.within(channel.guild, lambda: self._api.call("POST", path, body))

    async def _card(self, channel: Channel, delivery: Delivery, name: str) -> str:
        """The card, then its thread. How far it came is written down: a nonce is remembered for minutes only."""
        begun = await self._begun(name)
        if begun is not None and begun.channel != channel.id:
            await self._take_back(begun)  # the thread is opened here, since it could not be there
            begun = None
        card = begun.message if begun is not None else await self._say_card(channel, delivery, name)
        if await self._hang(channel, card, delivery):
            return card
        await self._take_back(Post(channel.guild, channel.id, card))
        again = await self._say_card(channel, delivery, name, instead=card)
        await self._hang(channel, again, delivery)
        return again

    async def _say_card(self, channel: Channel, delivery: Delivery, name: str, instead: str = "") -> str:
        once = nonce(f"{name}{instead}")
        said = {**(await self._draw(delivery)).posted, "nonce": once, "enforce_nonce": True}
        path = f"/channels/{channel.id}/messages"
        card = str((await self._filter.past(delivery, said, lambda body: self._api.say(path, body)))["id"])
        await self._begin(Post(channel.guild, channel.id, card), name)
        return card

    async def _hang(self, channel: Channel, card: str, delivery: Delivery) -> bool:
        """Whether a thread hangs on the card now. On one whose thread was deleted no other can be hung."""
        body = {"name": self._named(delivery), "auto_archive_duration": WEEK}
        path = f"/channels/{channel.id}/messages/{card}/threads"
        try:
            await self._filter.past(delivery, body, lambda named: self._make(channel, path, named))
        except DeliveryError as error:
            if error.code == "unknown_message":
                return False
            if error.code != "thread_there_already":
                raise
            return await self._is_there(card)
        return True

    async def _is_there(self, thread: str) -> bool:
        try:
            await self._api.get(f"/channels/{thread}")
        except DeliveryError as error:
            if error.code in ALREADY_GONE:
                return False
            raise
        return True

    async def _take_back(self, card: Post) -> None:
        try:
            await self._api.call("DELETE", f"/channels/{card.channel}/messages/{card.message}")
        except DeliveryError as error:
            _log.info("discord_card_left", channel=card.channel, code=error.code)

    async def _begin(self, card: Post, name: str) -> None:
        await self._store.put(f"{NAME}/begun/{name}", card.ref, KEPT)

    async def _begun(self, name: str) -> Post | None:
        kept = await self._store.get(f"{NAME}/begun/{name}")
        return Post.of(PostRef(kept)) if kept is not None else None

    def _named(self, delivery: Delivery) -> str:
        return self._title(delivery)[:TITLE]

    # ------------------------------------------------------------------ finding

    async def find(self, delivery: Delivery, name: str) -> list[Root]:
        """The mirror's threads that are there, the one in the books first, then the oldest. Raises DeliveryError."""
        channel = await self._channels.of(place_of(delivery))
        since = snowflake(delivery.session.opened_at)
        look = self._find_posts if channel.is_forum else self._find_cards
        found = await look(channel, delivery, since, name)
        for root in found:
            await self._threads.place(root, Placed(delivery.session.id, delivery.effect.mirror))
        kept = (await self._store.threads(delivery.session.id)).get(delivery.effect.mirror)
        return sorted(found, key=lambda one: one.ref != kept)

    async def _find_posts(self, channel: Channel, delivery: Delivery, since: str, name: str) -> list[Root]:
        """A post's opening has no nonce. Its title begins with the session's code, and its card names the session; who
        gave it another title still finds it, unless it is placed as another session's."""
        del name
        found = []
        for thread in await self._history.threads(channel.guild, channel.id, since):
            root = Root(channel.guild, str(thread["id"]))
            if thread.get("owner_id") == self._app().user and await self._may_be_its(root, thread, delivery):
                card = await self._history.message(root.thread, root.thread)
                found += [root] if card is not None and self._is_its(card, delivery) else []
        return found

    async def _may_be_its(self, root: Root, thread: Mapping[str, Any], delivery: Delivery) -> bool:
        """A thousand may be active, and each card costs a call."""
        placed = await self._threads.placed(root)
        if placed is not None:
            return placed == Placed(delivery.session.id, delivery.effect.mirror)
        return str(thread.get("name")).startswith(delivery.session.code) or not self._threads.is_foreign(root)

    async def _find_cards(self, channel: Channel, delivery: Delivery, since: str, name: str) -> list[Root]:
        """A card without its thread is written down, and `open` goes on from there."""
        found = []
        for message in await self._history.after(channel.id, since) or ():
            if not self._is_its(message, delivery):
                continue
            if message.get("thread"):
                found.append(Root(channel.guild, str(message["id"])))
            elif await self._begun(name) is None:
                await self._begin(Post(channel.guild, channel.id, str(message["id"])), name)
        return found

    def _is_its(self, card: Any, delivery: Delivery) -> bool:
        return claimed(card, self._app()) == Placed(delivery.session.id, delivery.effect.mirror)

    # ------------------------------------------------------------------ where its card stands

    async def card(self, delivery: Delivery) -> Post:
        """The card of the delivery's thread."""
        root = Root.of(delivery.thread or ThreadRef(""))
        channel = await self._channels.of(place_of(delivery))
        return root.post(root.thread) if channel.is_forum else Post(channel.guild, channel.id, root.thread)


def titled(wording: Wording) -> Named:
    """The code first: people look for it, and a list of threads cuts the rest."""

    def named(delivery: Delivery) -> str:
        session = delivery.session
        name = customer_name(delivery.about, session.language, wording)
        return " · ".join((session.code, name, session.language))

    return named


def place_of(delivery: Delivery) -> str:
    return next(one.place for one in delivery.session.mirrors if one.number == delivery.effect.mirror)
