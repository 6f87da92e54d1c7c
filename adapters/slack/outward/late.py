"""How Slack tells of a late reply: to its author alone, and by a mark on their message. See `bridge.networks.late`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from adapters.slack import render
from adapters.slack.refs import Root
from adapters.slack.render import Block
from adapters.slack.text.markup import escape
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError
from bridge.networks.late import LATER, Debt
from bridge.networks.pacing import Urgency
from routing.ids import ThreadRef

NOT_SENT = "no_entry_sign"
"""The reaction on a message that the customer never got."""


class LateReplies:
    """A `bridge.networks.late.Payer`. `show(root, user, text, blocks)` shows a line to one person."""

    def __init__(self, api: WebApi, show: Callable[[Root, str, str, Sequence[Block]], Awaitable[None]]) -> None:
        self._api = api
        self._show = show

    async def tell(self, debt: Debt) -> None:
        await self._show(_root(debt), debt.user, debt.why, ())

    async def mark(self, debt: Debt) -> bool:
        try:
            await self._api.call(
                "reactions.add", urgency=Urgency.LINE, channel=_root(debt).channel, timestamp=debt.post, name=NOT_SENT
            )
        except DeliveryError as error:
            if error.code == "already_reacted" or error.code in ALREADY_GONE:
                return True
            if error.fault in LATER:
                raise
            return False
        return True

    async def say(self, debt: Debt) -> None:
        root = _root(debt)
        await self._api.call(
            "chat.postMessage",
            urgency=Urgency.LINE,
            channel=root.channel,
            thread_ts=root.ts,
            **render.line(escape(debt.why)).posted,
        )


def _root(debt: Debt) -> Root:
    return Root.of(ThreadRef(debt.thread))
