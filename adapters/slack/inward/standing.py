"""Reactions that stand at messages, read with the thread: of a time in which nobody heard, that is all there is.

A message names who put each sign there, though perhaps not everybody. Only enrolled operators' count, at what the
session remembers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from adapters.slack.inward.reactions import sign
from adapters.slack.parse import App, message_id
from adapters.slack.places.history import Message
from adapters.slack.refs import NAME, Post, Root
from bridge.networks.reactions import Shown, standing, unheard
from bridge.ports import Placed, Store, Stored
from bridge.relay import Answer, Relay
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import OperatorReacted, Origin

_log = structlog.get_logger(__name__)


class Standing:
    """`operator` knows, by their Slack id, who may act in a channel."""

    def __init__(
        self,
        store: Store,
        relay: Relay,
        app: Callable[[], App],
        operator: Callable[[str, str], OperatorId | None],
        hand_over: Callable[..., Awaitable[Answer]],
    ) -> None:
        self._store = store
        self._relay = relay
        self._app = app
        self._operator = operator
        self._hand_over = hand_over

    async def read_back(self, root: Root, placed: Placed, told: Sequence[Message], gap: int, asked: int) -> None:
        """`told` was read at `asked`, for the gap since `gap` (both ms). Raises KakehashiError."""
        stored = await self._relay.session(placed.session)
        if stored is None:
            return
        posts, journal = await self._posts(stored, root, placed), await self._store.journal(placed.session)
        for one in told:
            message = posts.get(str(one["ts"]))
            if message is None or not (one.get("reactions") or standing(journal, message)):
                continue
            try:
                shown = self._shown(one, root)
            except (ValueError, LookupError, TypeError, AttributeError) as wrong:
                _log.error("slack_reactions_garbled", session=placed.session, error=type(wrong).__name__)
                continue  # whatever else people did must not wait for it
            found = unheard(journal, message, NAME, shown, asked)
            for operator, name, on in found:
                kind = "reaction_added" if on else "reaction_removed"
                place = (root.channel, str(one["ts"]), kind, name, operator, f"gap {gap}")
                key = InputKey("/".join((NAME, self._app().team, *place)))
                event = OperatorReacted(message, operator, name, on, Origin(placed.mirror))
                await self._hand_over(placed.session, event, key)
            if found:
                _log.info("slack_reactions_backfilled", session=placed.session, reactions=len(found))

    async def _posts(self, stored: Stored, root: Root, placed: Placed) -> Mapping[str, MessageId]:
        """Which message stands in which post of this thread, of those that the session remembers."""
        found: dict[str, MessageId] = {}
        for spoken in stored.session.recent:
            _, _, ts = spoken.message.rpartition(":")
            if spoken.message == message_id(root.channel, ts):
                found[ts] = spoken.message
            for ref in await self._store.posts(placed.session, spoken.message, placed.mirror):
                found[Post.of(ref).ts] = spoken.message
        return found

    def _shown(self, message: Message, root: Root) -> Shown:
        """Raises ValueError, TypeError or the like for what Slack never sends."""
        signs: dict[str, frozenset[OperatorId]] = {}
        unsure: set[str] = set()
        for one in message.get("reactions") or ():
            users, name = [str(user) for user in one["users"]], sign(str(one["name"]))
            if self._app().user in users or int(one.get("count") or 0) > len(users):
                unsure.add(name)  # what was done at the desk page stands there as ours
            theirs = (self._operator(user, root.channel) for user in users if user != self._app().user)
            signs[name] = signs.get(name, frozenset()) | {operator for operator in theirs if operator is not None}
        return Shown(signs, frozenset(unsure))
