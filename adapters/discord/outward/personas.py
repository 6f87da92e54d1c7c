"""Personas: customers' posts under their own names, through a webhook of the desk's channel, where the desk wants it.

A webhook's posts have no nonce, so what became of one without an answer is only read from the thread. Its limits are
narrow: five posts in two seconds, and thirty a minute of a whole channel, of which no header tells. So a name is worn
where that holds up nobody: what the webhook does not take for certain is said by the bot at once, as anywhere else.

A webhook alone can change and delete what it has posted. Its address lets anybody speak, so it is kept in memory only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog

from adapters.discord.heard.app import App
from adapters.discord.heard.shape import Given
from adapters.discord.places.roots import place_of
from adapters.discord.refs import NAME, Post, Root
from adapters.discord.wire.client import NOBODY, RestApi, Upload
from bridge.errors import DeliveryError, Fault
from bridge.networks.card import Wording
from bridge.networks.names import persona
from bridge.ports import Delivery, Store
from routing.effects import PostMessage, ReviseMessage
from routing.facts import Side
from routing.policy import Policy

WEBHOOK = "Kakehashi"

BURST, A_SECOND = 5, 25 / 60
"""Posts at once, and how many more from then on: thirty in whichever minute."""

ASKED_AGAIN = 300.0
"""Seconds until a channel in which we may have no webhook is asked again."""

USERNAME = 80

_FORBIDDEN = re.compile(r"discord|clyde|```", re.IGNORECASE)
"""What Discord takes in nobody's name."""

_OF_A_BOT = frozenset(("nonce", "enforce_nonce", "components"))
"""What a webhook's post does not have."""

_HEAD = re.compile(r"\*\*[^\n]*\n")

_LOST = frozenset(("unknown_webhook", "token_ended"))
"""Somebody has deleted it, or its address is another one now."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Hook:
    """`token` is as good as a key: whoever has it may post."""

    id: str
    token: str

    @property
    def path(self) -> str:
        return f"/webhooks/{self.id}/{self.token}"


class Personas:
    """`app` tells who we are: a webhook of ours is one that this application has made."""

    def __init__(
        self, api: RestApi, store: Store, policy: Callable[[], Policy], wording: Wording, app: Callable[[], App]
    ) -> None:
        self._api = api
        self._store = store
        self._policy = policy
        self._wording = wording
        self._app = app
        self._hooks: dict[str, _Hook] = {}
        self._shut: dict[str, float] = {}

    async def say(
        self, delivery: Delivery, root: Root, body: Mapping[str, Any], files: Sequence[Upload]
    ) -> Mapping[str, Any] | None:
        """Post under the customer's name; None where that is not wanted, or certainly was not done. Raises
        DeliveryError for an outcome that nobody knows."""
        name, place = self._name(delivery), place_of(delivery)
        hook = await self._hook(place) if name is not None else None
        if hook is None or not await self._has_room(place):
            return None
        said = {name: value for name, value in body.items() if name not in _OF_A_BOT}
        said |= {"content": unnamed(str(body["content"])), "username": name}
        query = {"wait": "true", "thread_id": root.thread}
        try:
            answer: Mapping[str, Any] = await self._call(hook, "POST", "", said, files, query)
            return answer
        except DeliveryError as error:
            if error.fault is Fault.AMBIGUOUS:
                raise
            self._learn(place, error)
            return None

    def _name(self, delivery: Delivery) -> str | None:
        effect, session = delivery.effect, delivery.session
        desk = self._policy().desks.get(session.desk)
        of_customer = isinstance(effect, PostMessage | ReviseMessage) and effect.side is Side.CUSTOMER
        if desk is None or not desk.personas or not of_customer:
            return None
        return fit(persona(delivery.about, session.language, self._wording))

    async def change(self, post: Post, body: Mapping[str, Any]) -> bool:
        """Change what a webhook has posted; False where nobody can any more. Raises DeliveryError."""
        changed = {name: value for name, value in body.items() if name not in _OF_A_BOT}
        return await self._on("PATCH", post, changed | {"content": unnamed(str(body["content"]))})

    async def remove(self, post: Post) -> bool:
        """Delete what a webhook has posted; False where it was none of ours. Raises DeliveryError."""
        return await self._on("DELETE", post, None)

    async def _on(self, verb: str, post: Post, body: Mapping[str, Any] | None) -> bool:
        thread = Given.of(await self._api.get(f"/channels/{post.channel}"), "thread")
        place = thread.id("parent_id") or post.channel
        hook = await self._hook(place)
        if hook is None:
            return False
        try:
            await self._call(hook, verb, f"/messages/{post.message}", body, (), {"thread_id": post.channel})
        except DeliveryError as error:
            if error.code not in _LOST:
                raise
            self._learn(place, error)
            return False
        return True

    async def _call(
        self,
        hook: _Hook,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None,
        files: Sequence[Upload],
        query: Mapping[str, str],
    ) -> Any:
        told = None if body is None else {"allowed_mentions": NOBODY, **body}
        return await self._api.call(verb, hook.path + path, told, files, query=query, free=True)

    async def _has_room(self, place: str) -> bool:
        granted, _ = await self._store.draw(f"{NAME}/personas/{place}", 1, A_SECOND, BURST)
        return bool(granted)

    # ------------------------------------------------------------------ the webhook

    async def _hook(self, place: str) -> _Hook | None:
        """The channel's webhook of ours, made where there is none; None where we may have none."""
        if self._shut.get(place, 0.0) > monotonic():
            return None
        if place not in self._hooks:
            try:
                self._hooks[place] = await self._known(place) or await self._made(place)
            except DeliveryError as error:
                self._learn(place, error)
                return None
        return self._hooks[place]

    async def _known(self, place: str) -> _Hook | None:
        """The oldest, so that every process takes the same."""
        there = [Given.of(one, "webhook") for one in await self._api.get(f"/channels/{place}/webhooks")]
        ours = [one for one in there if one.id("application_id") == self._app().application and one.has("token")]
        found = min(ours, key=lambda one: int(one.id("id", must=True)), default=None)
        return _Hook(found.id("id"), found.text("token")) if found is not None else None

    async def _made(self, place: str) -> _Hook:
        made = Given.of(await self._api.call("POST", f"/channels/{place}/webhooks", {"name": WEBHOOK}), "webhook")
        return await self._known(place) or _Hook(made.id("id", must=True), made.text("token", must=True))

    def _learn(self, place: str, error: DeliveryError) -> None:
        """One that is gone is made anew; where we may have none, the bot speaks for a while."""
        if error.code in _LOST:
            self._hooks.pop(place, None)
        elif error.fault is Fault.BLOCKED:
            self._shut[place] = monotonic() + ASKED_AGAIN
        _log.info("discord_persona_not_worn", channel=place, code=error.code)


def fit(username: str) -> str | None:
    """A name that Discord takes for a post; None for one that it does not."""
    return None if _FORBIDDEN.search(username) or not username.strip() else username[:USERNAME]


def unnamed(content: str) -> str:
    """The words without the name over them, which the post itself bears."""
    return _HEAD.sub("", content, count=1) if content.startswith("**") else content
