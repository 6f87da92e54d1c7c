"""What a server's filter does not let through: AutoMod's words, and Discord's own list of harmful links.

A customer may well ask about such an address. Nothing of the session is set aside for it: a line stands in its place,
with the way to the desk, which shows the words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from adapters.discord.render import link, small
from adapters.discord.shown.beneath import DeskLink
from bridge.errors import DeliveryError
from bridge.networks.card import Wording
from bridge.ports import Delivery
from routing.session import Session

FILTERED = frozenset(("held_by_automod", "title_held_by_automod", "harmful_link"))

Json = Mapping[str, Any]

_log = structlog.get_logger(__name__)


class Filter:
    """`desk` is the way to a session on the desk page; empty where there is none."""

    def __init__(self, wording: Wording, desk: DeskLink) -> None:
        self._wording = wording
        self._desk = desk

    async def past(self, delivery: Delivery, body: Json, call: Callable[[Json], Awaitable[Any]]) -> Any:
        """Make a call with this body: a message, or a thread with its name and first message. Where the filter does
        not take it, with nothing in it that people have written. Raises DeliveryError."""
        try:
            return await call(body)
        except DeliveryError as error:
            if error.code not in FILTERED:
                raise
            _log.warning("discord_filtered", session=delivery.session.id, effect=delivery.effect.id, code=error.code)
        return await call(self._instead(delivery.session, body))

    def _instead(self, session: Session, body: Json) -> Json:
        changed = dict(body)
        if "content" in body:
            changed |= {"content": self._line(session), "embeds": []}
        if "name" in body:
            changed["name"] = f"{session.code} · {session.language}"
        if "message" in body:
            changed["message"] = self._instead(session, body["message"])
        return changed

    def _line(self, session: Session) -> str:
        told = " · ".join((self._wording(session.language, "post.filtered"), *self._ways(session)))
        return f"{session.code} · {session.language}\n{small(told)}"

    def ways(self, session: Session) -> tuple[str, ...]:
        """The way to the desk, on a line of its own."""
        return tuple(map(small, self._ways(session)))

    def _ways(self, session: Session) -> tuple[str, ...]:
        url = self._desk(session, "").rstrip("/")
        return (link(self._wording(session.language, "post.held.open"), url),) if url else ()
