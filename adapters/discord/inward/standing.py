"""Reactions that stand at posts, read with the history: of a time in which nobody heard, that is all there is.

A message tells how many there are of each sign, and whether ours is among them; whose they are takes a call for each
sign. Only enrolled operators' count, at what the session remembers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from adapters.discord.controls.acting import place_of
from adapters.discord.heard.shape import GarbledError, Given
from adapters.discord.people import People
from adapters.discord.places.history import REACTORS, History, Message
from adapters.discord.refs import NAME, Post, Root, message_key, written_at
from adapters.discord.text.emoji import sign
from adapters.discord.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError
from bridge.networks.reactions import Shown, standing, unheard
from bridge.ports import Placed, Store, Stored
from bridge.relay import Door, Relay
from routing.ids import MessageId, OperatorId
from routing.inputs import OperatorReacted, Origin

GONE = frozenset((*ALREADY_GONE, "unknown_emoji"))

_log = structlog.get_logger(__name__)


class Standing:
    def __init__(self, store: Store, relay: Relay, door: Door, people: People) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._people = people

    async def read_back(
        self, root: Root, placed: Placed, told: Sequence[Message], gap: int, asked: int, history: History
    ) -> None:
        """`told` was read at `asked`, for the gap since `gap` (both ms). Raises KakehashiError."""
        stored = await self._relay.session(placed.session)
        if stored is None:
            return
        posts, journal = await self._posts(stored, root, placed), await self._store.journal(placed.session)
        for one in told:
            message = posts.get(str(one["id"]))
            if message is None or not (one.get("reactions") or standing(journal, message)):
                continue
            try:
                shown = await self._shown(one, root, place_of(stored, placed), history)
            except GarbledError as wrong:  # whatever else people did must not wait for it
                _log.error("discord_reactions_garbled", session=placed.session, reason=wrong.what)
                continue
            found = unheard(await self._store.journal(placed.session), message, NAME, shown, asked)
            for operator, name, on in found:
                which = ("reaction" if on else "unreaction", operator, name, str(gap))
                key = message_key(root.guild, root.thread, str(one["id"]), *which)
                event = OperatorReacted(message, operator, name, on, Origin(placed.mirror))
                await self._door.from_operator(placed.session, event, key)
            if found:
                _log.info("discord_reactions_backfilled", session=placed.session, reactions=len(found))

    async def _posts(self, stored: Stored, root: Root, placed: Placed) -> Mapping[str, MessageId]:
        """Which message stands in which post of this thread, of those that the session remembers."""
        found: dict[str, MessageId] = {}
        for spoken in stored.session.recent:
            written = written_at(spoken.message)
            if written is not None and written[0] == root.thread:
                found[written[1]] = spoken.message
            for ref in await self._store.posts(placed.session, spoken.message, placed.mirror):
                found[Post.of(ref).message] = spoken.message
        return found

    async def _shown(self, message: Message, root: Root, place: str, history: History) -> Shown:
        signs: dict[str, frozenset[OperatorId]] = {}
        unsure: set[str] = set()
        for one in Given.of(dict(message), "message").objects("reactions"):
            emoji = one.object("emoji")
            name, number = emoji.text("name"), emoji.id("id")
            known = sign(name or "?", number)
            if one.flag("me"):
                unsure.add(known)  # what was done at the desk page stands there as ours
            if one.number("count") <= one.flag("me"):
                continue
            users = await self._users(root, str(message["id"]), f"{name}:{number}" if number else name, history)
            if users is None or len(users) >= REACTORS:
                unsure.add(known)
            theirs = (self._people.operator(user, place) for user in users or ())
            signs[known] = signs.get(known, frozenset()) | {operator for operator in theirs if operator is not None}
        return Shown(signs, frozenset(unsure))

    async def _users(self, root: Root, message: str, emoji: str, history: History) -> Sequence[str] | None:
        """None: that is gone meanwhile, and its own event tells of it."""
        try:
            return await history.reactors(root.thread, message, emoji)
        except DeliveryError as error:
            if error.code not in GONE:
                raise
            return None
