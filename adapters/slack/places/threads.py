"""Which session a thread mirrors: remembered here, kept in the store, and in the last resort read off its root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.slack.parse import App
from adapters.slack.refs import NAME, Root, read_button_value
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError
from bridge.networks.pacing import Urgency
from bridge.networks.threads import KnownThreads
from bridge.ports import Placed, Store
from routing.ids import SessionId

EVENT_TYPE = "kakehashi_effect"
"""Of the metadata on everything that we post. Anyone in the workspace can read it, so it holds ids only."""


def metadata(
    effect: str,
    session: SessionId,
    mirror: int,
    *,
    root: bool = False,
    part: int = 0,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`part` numbers the posts of an effect that is too long for one, from 0; `more` is what a burst says of itself."""
    payload = {"effect": effect, "session": session, "mirror": mirror, "root": root, **(more or {})}
    payload |= {"part": part} if part else {}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def payload_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """What our metadata says; empty for a message without it."""
    found = message.get("metadata") or {}
    return found.get("event_payload") or {} if found.get("event_type") == EVENT_TYPE else {}


class Threads(KnownThreads):
    def __init__(self, store: Store, api: WebApi) -> None:
        super().__init__(store, NAME)
        self._api = api

    async def read(self, root: Root, app: App) -> Placed | None:
        """Read the root itself, and keep what it says. None: certainly not ours. Raises DeliveryError."""
        try:
            answer = await self._api.call(
                "conversations.replies",
                urgency=Urgency.LINE,
                channel=root.channel,
                ts=root.ts,
                limit=1,
                include_all_metadata=True,
            )
        except DeliveryError as error:
            if error.code not in ALREADY_GONE:
                raise
            answer = {"messages": []}
        placed = next((found for one in answer["messages"] if (found := _claimed(one, root, app))), None)
        return await self.found(root, placed)


def _claimed(message: Mapping[str, Any], root: Root, app: App) -> Placed | None:
    """What a root of ours says of itself: its metadata, else its buttons. Others' words about us count for nothing, and
    neither does what we have posted beside the threads: colleagues talk beneath a call in the channel."""
    if message.get("ts") != root.ts or not app.wrote(message):
        return None
    told = payload_of(message)
    if told:
        return Placed(SessionId(told["session"]), int(told["mirror"])) if told.get("root") else None
    for block in message.get("blocks") or ():
        for element in block.get("elements") or ():
            if found := read_button_value(str(element.get("value", ""))):
                return found
    return None
