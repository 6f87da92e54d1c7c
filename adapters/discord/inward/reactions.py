"""Reactions both ways: what operators put on posts becomes input, and what the customer puts on a reply is shown there.

Only enrolled operators' count: others react in the thread, too. A moderator may clear a post of everybody's at once.
"""

from __future__ import annotations

from urllib.parse import quote

import structlog

from adapters.discord.controls.acting import place_of
from adapters.discord.heard.happenings import Reacted, ReactionsCleared
from adapters.discord.heard.posted import message_in
from adapters.discord.people import People
from adapters.discord.places.waking import Waking
from adapters.discord.refs import Post, Root, written_at
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError
from bridge.networks.reactions import is_outdated, standing, stands
from bridge.ports import Delivery, Placed, Store, Stored
from bridge.relay import Door, Relay
from routing.effects import ReactToMessage
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import OperatorReacted, Origin

CANNOT_BEAR = frozenset(
    (
        *ALREADY_GONE,
        "unknown_emoji",
        "too_many_reactions",
        "reaction_blocked",
        "no_access",
        "no_permission",
        "thread_locked",
        "invalid_form",
    )
)
"""The post is gone, closed or full, or we may not react: it is said in words then. A reaction must not keep the words
behind it waiting."""

_log = structlog.get_logger(__name__)


class Reactions:
    """Operators' reactions on their way in."""

    def __init__(self, store: Store, relay: Relay, door: Door, people: People) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._people = people

    def concerns(self, happening: Reacted | ReactionsCleared) -> bool:
        """Whether it may be anybody's business: it needs no look-up to know that most are not."""
        return isinstance(happening, ReactionsCleared) or self._people.operator(happening.author.user) is not None

    async def act(self, happening: Reacted | ReactionsCleared, placed: Placed) -> None:
        stored = await self._relay.session(placed.session)
        post = happening.post
        place = (placed.mirror, post.channel, post.message)
        message = await message_in(self._store, stored.session, *place) if stored is not None else None
        if stored is None or message is None:
            _log.debug("discord_ignored", because="a reaction to nothing of a session's")
        elif isinstance(happening, Reacted):
            await self._reacted(happening, placed, stored, message)
        else:
            await self._cleared(happening, placed, message)

    async def _reacted(self, reacted: Reacted, placed: Placed, stored: Stored, message: MessageId) -> None:
        operator = self._people.operator(reacted.author.user, place_of(stored, placed))
        if operator is not None:
            await self._enter(placed, message, operator, reacted.sign, reacted.key, on=reacted.added)

    async def _cleared(self, cleared: ReactionsCleared, placed: Placed, message: MessageId) -> None:
        """Discord does not say whose they were; we know whose we heard of."""
        for operator, sign in standing(await self._store.journal(placed.session), message):
            if cleared.sign in ("", sign):
                key = InputKey(f"{cleared.key}/{operator}/{sign}")
                await self._enter(placed, message, operator, sign, key, on=False)

    async def _enter(
        self, placed: Placed, message: MessageId, operator: OperatorId, sign: str, key: InputKey, *, on: bool
    ) -> None:
        if await stands(self._store, placed.session, message, (operator, sign)) == on:
            return  # it was read back before it was heard
        event = OperatorReacted(message, operator, sign, on, Origin(placed.mirror))
        await self._door.from_operator(placed.session, event, key)


# ------------------------------------------------------------------ out


async def show(api: RestApi, waking: Waking, delivery: Delivery, effect: ReactToMessage) -> bool:
    """Make the post's reaction what it should be. False: the post cannot bear it, and it is to be said in words."""
    if is_outdated(delivery, effect):
        return True
    post = _post(delivery, effect)
    return post is not None and await put(api, waking, post, effect.reaction, on=effect.on)


async def put(api: RestApi, waking: Waking, post: Post, sign: str, *, on: bool = True) -> bool:
    """Put a sign on a post, or take it off; either may be repeated. False where the post cannot bear it."""
    path = f"/channels/{post.channel}/messages/{post.message}/reactions/{quote(sign, safe='')}/@me"
    verb = "PUT" if on else "DELETE"
    try:
        await waking.active(post.guild, post.channel, lambda: api.call(verb, path), makes_room=False)
    except DeliveryError as error:
        if error.code not in CANNOT_BEAR:
            raise
        return False
    return True


def _post(delivery: Delivery, effect: ReactToMessage) -> Post | None:
    """Where the message stands in this mirror; None where it does not."""
    if delivery.posts:
        return Post.of(delivery.posts[0])
    spoken, written = delivery.session.spoken(effect.message), written_at(effect.message)
    if spoken is None or spoken.mirror != effect.mirror or written is None or delivery.thread is None:
        return None
    return Post(Root.of(delivery.thread).guild, *written)
