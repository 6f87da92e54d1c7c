"""Posts that stand in a thread: changed and taken away. Both may be repeated."""

from __future__ import annotations

from asyncio import get_running_loop
from typing import Any

import structlog

from adapters.slack.refs import Post, Root
from adapters.slack.render import Rendered
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError, Fault
from bridge.networks.pacing import Urgency
from bridge.ports import Delivered, Delivery

_log = structlog.get_logger(__name__)


class Posts:
    def __init__(self, api: WebApi) -> None:
        self._api = api

    async def update(self, channel: str, ts: str, rendered: Rendered, urgency: Urgency = Urgency.WORDS) -> None:
        try:
            await self._api.call("chat.update", urgency=urgency, channel=channel, ts=ts, **rendered.changed)
        except DeliveryError as error:
            if error.code not in ALREADY_GONE:
                raise
            _log.info("slack_post_gone", channel=channel, ts=ts)

    async def remove(self, post: Post) -> None:
        for file in post.files:
            await self._unless_gone("files.delete", file=file)
        await self._unless_gone("chat.delete", channel=post.channel, ts=post.ts)

    async def _unless_gone(self, method: str, **args: Any) -> None:
        try:
            await self._api.call(method, urgency=Urgency.LINE, **args)
        except DeliveryError as error:
            if error.code not in ALREADY_GONE:
                raise


def delivered(delivery: Delivery, root: Root, *posts: Post) -> Delivered:
    """The thread is named only where it is another one now."""
    elsewhere = root.ref if root.ref != delivery.thread else None
    return Delivered(elsewhere, tuple(post.ref for post in posts))


def stop_after(until: float, doing: str) -> None:
    if get_running_loop().time() > until:
        raise DeliveryError(Fault.TRANSIENT, doing, retry_after=0.5)
