"""Which session a thread mirrors: remembered here, kept in the store, and in the last resort read off its root."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from adapters.slack.client import WebApi
from adapters.slack.faults import ALREADY_GONE
from adapters.slack.pacing import Urgency
from adapters.slack.parse import App
from adapters.slack.refs import NAME, Root, read_button_value
from bridge.errors import DeliveryError
from bridge.ports import Placed, Store
from routing.ids import SessionId

REMEMBERED = 50_000
"""Threads in memory, ours and others' apart. The store has all of ours."""

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


class Threads:
    """`place` is durable when it returns."""

    def __init__(self, store: Store, api: WebApi) -> None:
        self._store = store
        self._api = api
        self._ours: OrderedDict[str, Placed] = OrderedDict()
        self._others: OrderedDict[str, None] = OrderedDict()

    async def place(self, root: Root, placed: Placed) -> None:
        if self._ours.get(root.ref) != placed:
            await self._store.place(NAME, root.ref, placed)
            self._remember(root, placed)

    async def placed(self, root: Root) -> Placed | None:
        """The session of this thread, as far as we know without asking Slack."""
        known = self._ours.get(root.ref)
        if known is not None:
            self._ours.move_to_end(root.ref)
            return known
        if self.is_foreign(root):
            return None
        found = await self._store.placed(NAME, root.ref)
        if found is not None:
            self._remember(root, found)
        return found

    def is_foreign(self, root: Root) -> bool:
        """Its root was read before and is not ours."""
        return root.ref in self._others

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
        if placed is None:
            self._forget_it(root)
        else:
            await self.place(root, placed)
        return placed

    def _remember(self, root: Root, placed: Placed) -> None:
        self._ours[root.ref] = placed
        self._others.pop(root.ref, None)
        if len(self._ours) > REMEMBERED:
            self._ours.popitem(last=False)

    def _forget_it(self, root: Root) -> None:
        self._others[root.ref] = None
        if len(self._others) > REMEMBERED:
            self._others.popitem(last=False)


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
