"""Reactions both ways: what operators put on posts becomes input, and what the customer puts on a reply is shown there.

An event names the post and not its thread, so the post is asked for its thread; that takes a call, and the event is in
the store before it is made. Only enrolled operators are asked about: others react in the channel, too.

Slack calls signs by name, and a session has the signs themselves.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import structlog

from adapters.slack.inward.deferred import Deferred
from adapters.slack.inward.posted import message_in
from adapters.slack.parse import App
from adapters.slack.places.history import History
from adapters.slack.places.threads import Threads
from adapters.slack.refs import Post, Root
from adapters.slack.text import emoji
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.faults import ALREADY_GONE
from adapters.slack.wire.shape import Shape
from bridge.errors import DeliveryError
from bridge.networks.pacing import Urgency
from bridge.networks.reactions import is_outdated, stands
from bridge.ports import Delivery, Placed, Store, Unplaced
from bridge.relay import Answer, Relay
from routing.effects import ReactToMessage
from routing.ids import InputKey, OperatorId
from routing.inputs import OperatorReacted, Origin

SIGNS = {"+1": "👍", "pray": "🙏", "heart": "❤️", "blush": "😊", "eyes": "👀"}
"""What customers have, and what we put ourselves: one name for each."""

REMEMBERED = 10_000
"""Posts whose thread was asked for: who reacts once often does so again."""

AS_IT_SHOULD_BE = frozenset(("already_reacted", "no_reaction"))

CANNOT_BEAR = frozenset(
    (
        "message_not_found",
        "not_reactable",
        "thread_locked",
        "too_many_emoji",
        "too_many_reactions",
        "invalid_name",
        "no_access",
        "no_permission",
        "missing_scope",
        "restricted_action",
        "unknown_method",
        "method_deprecated",
        "deprecated_endpoint",
    )
)
"""The post is gone, closed or full, or the app was installed without the scope, or the server has no reactions: it is
said in words then. A reaction must not keep the words behind it waiting."""

_EVENT = Shape(("type", "user", "reaction", "event_ts"), {"item": Shape(("type", "channel", "ts"))})
_TONE = re.compile(r"::skin-tone-[2-6]$")
_KINDS = ("reaction_added", "reaction_removed")

Payload = Mapping[str, Any]
FromOperator = Callable[..., Awaitable[Answer]]

_log = structlog.get_logger(__name__)


def sign(name: str) -> str:
    """What a reaction of Slack's is called in a session."""
    base = _TONE.sub("", name)
    return SIGNS.get(base) or emoji.named(base) or f":{base}:"


def name_of(reaction: str) -> str:
    """What Slack calls a reaction of a session."""
    return next((name for name, one in SIGNS.items() if one == reaction), reaction.strip(":"))


# ------------------------------------------------------------------ in


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody reacted to a message, or took it back."""

    key: InputKey
    channel: str
    ts: str
    user: str
    reaction: str
    on: bool


def is_reaction(event: object) -> TypeGuard[Payload]:
    return isinstance(event, Mapping) and event.get("type") in _KINDS


def reacted(event: Payload, app: App) -> Reacted | None:
    """None for our own, and for what is no message. Raises ValueError for what Slack never sends."""
    _EVENT.check(event, "event")
    item, user, name = event.get("item") or {}, event.get("user"), event.get("reaction")
    if item.get("type") != "message" or not user or user == app.user:
        return None
    channel, ts = item.get("channel"), item.get("ts")
    if not (channel and ts and name and event.get("event_ts")):
        raise ValueError("a reaction names its message, itself and its time")
    kind = str(event["type"])
    key = "/".join(("slack", app.team, channel, ts, kind, _TONE.sub("", name), user, event["event_ts"]))
    return Reacted(InputKey(key), channel, ts, user, sign(name), kind == "reaction_added")


class Reactions:
    """Operators' reactions on their way in. `operator` knows, by their Slack id, who may act in a channel."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        api: WebApi,
        threads: Threads,
        app: Callable[[], App],
        operator: Callable[[str, str], OperatorId | None],
        hand_over: FromOperator,
    ) -> None:
        self._store = store
        self._relay = relay
        self._history = History(api)
        self._threads = threads
        self._app = app
        self._operator = operator
        self._hand_over = hand_over
        self._roots: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def take(self, event: Payload, deferred: Deferred) -> None:
        """Durable when it returns, or nothing to us. Reactions to one post keep their order."""
        one = reacted(event, self._app())
        if one is None or self._operator(one.user, one.channel) is None:
            _log.debug("slack_ignored", because="a reaction of our own, or of nobody who is enrolled")
            return
        post = Root(self._app().team, one.channel, one.ts)
        await deferred.keep(Unplaced(one.key, post.ref, dict(event), await self._store.now()))

    async def carry_out(self, event: Payload) -> None:
        one = reacted(event, self._app())
        operator = self._operator(one.user, one.channel) if one is not None else None
        if one is None or operator is None:
            return
        placed = await self._placed(one)
        stored = await self._relay.session(placed.session) if placed else None
        place = (placed.mirror, one.channel, one.ts) if placed else None
        message = await message_in(self._store, stored.session, *place) if place and stored else None
        if placed is None or message is None:
            _log.debug("slack_ignored", because="a reaction to nothing of a session's")
            return
        if await stands(self._store, placed.session, message, (operator, one.reaction)) == one.on:
            return  # it was read back before it was heard
        happened = OperatorReacted(message, operator, one.reaction, one.on, Origin(placed.mirror))
        await self._hand_over(placed.session, happened, one.key)

    async def _placed(self, one: Reacted) -> Placed | None:
        root_ts = await self._root_of(one)
        if not root_ts:
            return None  # it stands in the channel itself: a card, or other people's talk
        root = Root(self._app().team, one.channel, root_ts)
        known = await self._threads.placed(root)
        if known is not None or self._threads.is_foreign(root):
            return known
        return await self._threads.read(root, self._app())

    async def _root_of(self, one: Reacted) -> str:
        post = (one.channel, one.ts)
        if post not in self._roots:
            try:
                self._roots[post] = await self._history.thread_of(one.channel, one.ts) or ""
            except DeliveryError as error:
                if error.code not in ALREADY_GONE:
                    raise
                return ""
            if len(self._roots) > REMEMBERED:
                self._roots.popitem(last=False)
        return self._roots[post]


# ------------------------------------------------------------------ out


async def show(api: WebApi, delivery: Delivery, effect: ReactToMessage) -> bool:
    """Make the post's reaction what it should be. False: the post cannot bear it, and it is to be said in words."""
    if is_outdated(delivery, effect):
        return True
    post = _post(delivery, effect)
    if post is None:
        return False
    method = "reactions.add" if effect.on else "reactions.remove"
    place: dict[str, Any] = {"channel": post.channel, "timestamp": post.ts, "name": name_of(effect.reaction)}
    try:
        await api.call(method, urgency=Urgency.LINE, **place)
    except DeliveryError as error:
        if error.code in CANNOT_BEAR:
            return False
        if error.code not in AS_IT_SHOULD_BE:
            raise
    return True


def _post(delivery: Delivery, effect: ReactToMessage) -> Post | None:
    """Where the message stands in this mirror; None where it does not."""
    if delivery.posts:
        return Post.of(delivery.posts[0])
    spoken = delivery.session.spoken(effect.message)
    place, channel, ts = (*str(effect.message).split(":"), "", "")[:3]
    if spoken is None or spoken.mirror != effect.mirror or place != "s":
        return None
    return Post("", channel, ts)
