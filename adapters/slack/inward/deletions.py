"""Deletions: Slack does not say who deleted a message. See `routing.deletions` for how its author is told from others.

Each is kept in the store before it is acknowledged, under a line of its own, so that nothing waits behind it; all
processes count what is kept there. Our own posts' deletions are kept for the count alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import structlog

from adapters.slack.inward.deferred import Deferred
from adapters.slack.parse import App, Withdrawn
from adapters.slack.refs import NAME, button_value, micros
from adapters.slack.render import Wording
from adapters.slack.text.markup import escape
from adapters.slack.wire.client import WebApi
from bridge.errors import KakehashiError
from bridge.networks import deletions as counted
from bridge.networks.deletions import Clearings, line_of
from bridge.ports import Placed, Store, Unplaced
from routing.deletions import OLD, SETTLE
from routing.ids import InputKey, ThreadRef

Payload = Mapping[str, Any]

WITHDRAW = "withdraw"
"""The button with which an author takes back what somebody else has deleted."""

WORDS = frozenset(("text", "blocks", "attachments", "files", "edited", "metadata"))
"""What a message says, as opposed to whose and where it was."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Deletion:
    """What an event of type `message_deleted` tells, whoever wrote what is gone."""

    key: InputKey
    channel: str
    thread: str
    author: str
    age: int  # ms from writing to deleting


def is_deletion(event: object) -> TypeGuard[Payload]:
    return isinstance(event, Mapping) and event.get("subtype") == "message_deleted"


def deletion(event: Payload, app: App) -> Deletion | None:
    """A message in a thread that was deleted. Roots leave a tombstone, which is another event. Raises ValueError."""
    if not is_deletion(event):
        return None
    previous, ts, channel = event.get("previous_message") or {}, event.get("deleted_ts"), event.get("channel")
    thread, author = previous.get("thread_ts"), previous.get("bot_id") or previous.get("user")
    if not (ts and channel and thread and author) or thread == ts:
        return None
    key = "/".join(("slack", app.team, channel, ts, "message_deleted"))
    age = (micros(event.get("event_ts") or event.get("ts") or ts) - micros(ts)) // 1_000
    return Deletion(InputKey(key), channel, f"{app.team}:{channel}:{thread}", author, age)


def deleter(event: Payload) -> str:
    """Who deleted it, should Slack come to say so; empty as of now."""
    for name in ("actor", "user", "deleted_by"):
        named = event.get(name)
        if isinstance(named, str) and named:
            return named
    return ""


def _without_words(event: Payload) -> dict[str, Any]:
    """What was deleted is not kept anywhere on its account: it may be an erasure's doing."""
    previous = {name: value for name, value in event["previous_message"].items() if name not in WORDS}
    return {**event, "previous_message": previous}


class Deletions:
    """`settle`: ms that a deletion waits for others."""

    def __init__(
        self, store: Store, app: Callable[[], App], api: WebApi, wording: Wording, settle: int = SETTLE
    ) -> None:
        self._store = store
        self._app = app
        self._api = api
        self._wording = wording
        self._clearings = Clearings(store, NAME, self._read, settle)

    async def offer(self, withdrawn: Withdrawn, placed: Placed, language: str) -> None:
        """Tell the author, and nobody else, that the customer has it still, with the button that takes it back."""
        text = self._wording(language, "told.deletion_ignored")
        label = {"type": "plain_text", "text": self._wording(language, "button.withdraw"), "emoji": False}
        value = button_value(placed, withdrawn.message)
        button = {"type": "button", "action_id": WITHDRAW, "text": label, "value": value}
        said = {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
        place: dict[str, Any] = {
            "channel": withdrawn.root.channel,
            "thread_ts": withdrawn.root.ts,
            "user": withdrawn.author,
        }
        blocks = [said, {"type": "actions", "elements": [button]}]
        try:
            await self._api.call("chat.postEphemeral", text=escape(text), blocks=blocks, **place)
        except KakehashiError as error:
            _log.warning("slack_answer_not_shown", channel=withdrawn.root.channel, reason=error.what)

    async def keep(self, event: Payload, deferred: Deferred) -> None:
        """Durable when it returns, or too old to concern anybody."""
        one = deletion(event, self._app())
        if one is None or one.age > OLD:
            _log.debug("slack_ignored", because="a deletion of what is old, or of no reply")
            return
        line = line_of(ThreadRef(one.thread))
        await deferred.keep(Unplaced(one.key, line, _without_words(event), await self._store.now()))

    async def is_the_authors(self, unplaced: Unplaced, withdrawn: Withdrawn) -> bool:
        """Wait until others would be here, then judge. Raises StoreUnavailableError."""
        named = deleter(unplaced.payload)
        if named:
            return named == withdrawn.author
        return not await self.is_cleared(unplaced)

    async def is_cleared(self, unplaced: Unplaced) -> bool:
        """Whether the channel is being cleared up; as long as a deletion is kept, it is counted."""
        return await self._clearings.is_one(unplaced)

    def _read(self, unplaced: Unplaced) -> counted.Deletion | None:
        one = deletion(unplaced.payload, self._app())
        return counted.Deletion(one.channel, one.author) if one is not None else None
