"""Reading back what is in a channel or a thread: the only way to know after an answer was lost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from adapters.slack.places.threads import payload_of
from adapters.slack.refs import Root, micros
from adapters.slack.wire import faults
from adapters.slack.wire.client import Answer, WebApi
from adapters.slack.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError
from bridge.networks.pacing import PATIENCE, Urgency
from routing.ids import SessionId

PAGE = 200
"""Messages a page, as Slack recommends."""

SKEW = 60
"""Seconds by which Slack's clock may be behind ours."""

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Thread:
    """`living`: its root is there to be replied to. A deleted root leaves its replies, or nothing at all."""

    living: bool
    replies: tuple[Message, ...] = ()


class History:
    """`urgency` and `patience` are those of its calls."""

    def __init__(self, api: WebApi, urgency: Urgency = Urgency.WORDS, patience: float = PATIENCE) -> None:
        self._api = api
        self._urgency = urgency
        self._patience = patience

    async def channel(self, channel: str, since: int) -> list[Message]:
        """What stands in the channel itself from `since` on (ms since 1970), oldest first."""
        return await self._pages("conversations.history", {"channel": channel, "oldest": _oldest(since)})

    async def roots(self, channel: str, session: SessionId, mirror: int, since: int) -> list[Message]:
        """A mirror's roots that are there, oldest first."""

        def is_wanted(message: Message) -> bool:
            told = payload_of(message)
            return bool(told.get("root")) and (told.get("session"), told.get("mirror")) == (session, mirror)

        return [one for one in await self.channel(channel, since) if is_wanted(one)]

    async def latest_replies(self, channel: str, since: int, pages: int) -> dict[str, int]:
        """By root's ts, when each thread was last replied to (ms), for the roots that stand in the channel from `since`
        on; as many as there are on so many pages, at most. Slack tells it with the root, one call for 200 of them."""
        roots = await self._pages("conversations.history", {"channel": channel, "oldest": _oldest(since)}, pages)
        told = {one["ts"]: str(one.get("latest_reply") or "") for one in roots if one.get("subtype") != "tombstone"}
        return {ts: micros(latest) // 1_000 for ts, latest in told.items() if latest}

    async def thread(self, root: Root, since: int = 0) -> Thread:
        """The thread's replies from `since` on (ms since 1970), oldest first."""
        args = {"channel": root.channel, "ts": root.ts, **({"oldest": _oldest(since)} if since else {})}
        try:
            messages = await self._pages("conversations.replies", args)
        except DeliveryError as error:
            if error.code in ALREADY_GONE:
                return Thread(living=False)
            raise
        living = any(one["ts"] == root.ts and one.get("subtype") != "tombstone" for one in messages)
        return Thread(living, tuple(one for one in messages if one["ts"] != root.ts))

    async def thread_of(self, channel: str, ts: str) -> str | None:
        """The root of the thread in which a message stands; empty when it stands in the channel, None when it is not
        shown."""
        page = await self._api.call("conversations.replies", channel=channel, ts=ts, limit=1)
        found = next((one for one in _messages(page) if one["ts"] == ts), None)
        if found is None:
            return None
        root = str(found.get("thread_ts") or "")
        return "" if root == ts else root

    async def _pages(self, method: str, args: dict[str, Any], most: int | None = None) -> list[Message]:
        messages: dict[str, Message] = {}
        cursor = ""
        for number in itertools.count(1):
            page = await self._api.call(
                method,
                urgency=self._urgency,
                patience=self._patience,
                limit=PAGE,
                include_all_metadata=True,
                cursor=cursor or None,
                **args,
            )
            messages.update((one["ts"], one) for one in _messages(page))  # the root heads every page
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor or number == most:
                break
        return [messages[ts] for ts in sorted(messages)]


def _messages(page: Answer) -> list[Message]:
    """Raises DeliveryError, ambiguous, for a page without messages: that nothing is there it does not say."""
    found = page.get("messages")
    if not isinstance(found, list):
        raise faults.unanswered("no_messages")
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("ts"), str)]


def with_effect(messages: tuple[Message, ...] | list[Message], effect: str) -> list[Message]:
    """Those that carry this effect's id, alone or among those of a burst."""
    told = [(one, payload_of(one)) for one in messages]
    return [one for one, said in told if said.get("effect") == effect or effect in (said.get("effects") or ())]


def _oldest(since: int) -> str:
    return f"{since // 1000 - SKEW}.000000"
