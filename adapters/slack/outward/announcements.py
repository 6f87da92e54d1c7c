"""Lines of the bridge's own in a channel, outside of every session's thread: the digest at a change of shift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.slack.places.history import History
from adapters.slack.refs import NAME
from adapters.slack.render import TEXT, Rendered
from adapters.slack.text.markup import escaped_within
from adapters.slack.wire.client import WebApi
from bridge.directory import Directory
from bridge.networks.pacing import Urgency
from routing.ids import OperatorId, Place

EVENT_TYPE = "kakehashi_announcement"
"""Of the metadata. Not that of sessions' posts: what is answered beneath an announcement belongs to no session."""


SHOWN = 3_000
"""Characters of a text in a context (Block Kit reference)."""


def announcement(text: str) -> Rendered:
    """Lines of text, whatever stands in them: nothing in it acts."""
    shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
    plain = {"type": "plain_text", "text": shown, "emoji": False}
    return Rendered(escaped_within(text, TEXT), [{"type": "context", "elements": [plain]}], inert=True)


class Announcements:
    def __init__(self, api: WebApi, directory: Directory) -> None:
        self._api = api
        self._directory = directory
        self._history = History(api)

    async def post(self, place: Place, key: str, text: str) -> None:
        """Post it, once. Raises `DeliveryError`; whether it is there then, `is_posted` knows."""
        told = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
        args = announcement(text).posted
        await self._api.call("chat.postMessage", urgency=Urgency.LINE, channel=place, metadata=told, **args)

    async def tell(self, operator: OperatorId, key: str, text: str) -> bool:
        """Whether there is a user of theirs, who has it now in a message of their own. Raises `DeliveryError`."""
        user = self._directory.network_user(NAME, operator)
        if user is not None:
            opened = await self._api.call("conversations.open", users=user)
            await self.post(Place(str(opened["channel"]["id"])), key, text)
        return user is not None

    async def is_posted(self, place: Place, key: str, since: int) -> bool:
        """Whether it stands in the channel, from `since` on (ms since 1970). Raises `DeliveryError`."""
        return any(_key(message) == key for message in await self._history.channel(place, since))


def _key(message: Mapping[str, Any]) -> str:
    found = message.get("metadata") or {}
    payload = found.get("event_payload") or {} if found.get("event_type") == EVENT_TYPE else {}
    return str(payload.get("key", ""))
