"""Words that were not sent, and look in the thread as if they were.

Whoever writes in a thread that a session has left is told so, but an ephemeral answer is gone with the next reload and
nobody else sees it. So the message itself bears a mark, and where we may not react, the thread has a line once.
"""

from __future__ import annotations

import asyncio

import structlog

from adapters.slack import render
from adapters.slack.client import WebApi
from adapters.slack.faults import ALREADY_GONE
from adapters.slack.markup import escape
from adapters.slack.pacing import Urgency
from adapters.slack.parse import Said
from adapters.slack.refs import NAME
from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.ports import Store

NOT_SENT = "no_entry_sign"
"""The reaction on a message that the customer never got."""

LINE = f"{NAME}/late"
"""Prefix of the names under which the store keeps which threads have the line."""

TRIES = 5
"""Attempts at a mark while Slack is slow or limits us; without it the ephemeral answer is all there is."""

_log = structlog.get_logger(__name__)


class Late:
    def __init__(self, api: WebApi, store: Store) -> None:
        self._api = api
        self._store = store

    async def mark(self, said: Said, why: str) -> None:
        """Mark a message as not sent; `why`, with the way out, stands in the line where a mark is not allowed.

        Doing it again changes nothing. Best effort: raises nothing.
        """
        try:
            if not await self._react(said):
                await self._say_once(said, why)
        except KakehashiError as error:
            _log.warning("slack_late_reply_not_marked", input=said.key, reason=error.what)

    async def _react(self, said: Said) -> bool:
        """False where we may not."""
        for attempt in range(1, TRIES + 1):
            try:
                await self._api.call(
                    "reactions.add",
                    urgency=Urgency.LINE,
                    channel=said.root.channel,
                    timestamp=said.ts,
                    name=NOT_SENT,
                )
            except DeliveryError as error:
                if error.code == "already_reacted" or error.code in ALREADY_GONE:
                    return True
                if error.fault not in (Fault.TRANSIENT, Fault.AMBIGUOUS) or attempt == TRIES:
                    return False
                await asyncio.sleep(error.retry_after or attempt)
            else:
                return True
        return False

    async def _say_once(self, said: Said, why: str) -> None:
        name = f"{LINE}/{said.root.ref}"
        if not await self._store.swap(name, None, said.ts):
            return
        line = render.line(escape(why))
        await self._api.call(
            "chat.postMessage",
            urgency=Urgency.LINE,
            channel=said.root.channel,
            thread_ts=said.root.ts,
            **line.posted,
        )
