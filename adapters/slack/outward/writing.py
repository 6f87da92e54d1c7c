"""That the customer is typing, in a thread: shown while they do, taken off when they stop.

Slack shows a status for two minutes, and a post of ours ends it. So it is set once for a while of typing, set again
before it would run out, and cleared when nothing has been heard of the customer for some seconds. It has limits of its
own, and so never costs a post.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import structlog

from adapters.slack.refs import Root
from adapters.slack.render import Wording
from adapters.slack.wire.client import WebApi
from bridge.errors import KakehashiError
from bridge.networks.pacing import Urgency
from routing.ids import ThreadRef

AGAIN_AFTER = 60.0
"""Seconds after which a status that still holds is set again."""

QUIET = 12.0
"""Seconds without a sign of typing after which it is cleared; signs come every three."""

PATIENCE = 1.0
"""Seconds that a status waits for its turn: it has limits of its own, and is left out where they are used up."""

_log = structlog.get_logger(__name__)


class Writing:
    """`language` is that of a thread's session; `quiet` the seconds after which it is over."""

    def __init__(
        self, api: WebApi, wording: Wording, language: Callable[[Root], Awaitable[str]], quiet: float = QUIET
    ) -> None:
        self._api = api
        self._wording = wording
        self._language = language
        self._quiet = quiet
        self._heard: dict[ThreadRef, float] = {}
        self._set: dict[ThreadRef, float] = {}
        self._clearing: dict[ThreadRef, asyncio.Task[None]] = {}

    async def show(self, thread: ThreadRef) -> None:
        """The customer types now."""
        self._heard[thread] = monotonic()
        if monotonic() < self._set.get(thread, -AGAIN_AFTER) + AGAIN_AFTER:
            return
        self._set[thread] = monotonic()
        root = Root.of(thread)
        await self._say(root, self._wording(await self._language(root), "status.typing"))
        if thread not in self._clearing and thread in self._heard:
            self._clearing[thread] = asyncio.get_running_loop().create_task(self._clear_when_quiet(thread))

    def ended(self, thread: ThreadRef) -> None:
        """A post of ours stands in the thread: Slack has taken the status off."""
        self._set.pop(thread, None)
        self._heard.pop(thread, None)

    async def stop(self) -> None:
        """What is shown runs out by itself."""
        tasks = list(self._clearing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _clear_when_quiet(self, thread: ThreadRef) -> None:
        try:
            while (heard := self._heard.get(thread)) is not None:
                left = heard + self._quiet - monotonic()
                if left > 0:
                    await asyncio.sleep(left)
                    continue
                self.ended(thread)
                await self._say(Root.of(thread), "")
        finally:
            del self._clearing[thread]

    async def _say(self, root: Root, status: str) -> None:
        place = {"channel_id": root.channel, "thread_ts": root.ts}
        try:
            await self._api.call(
                "assistant.threads.setStatus", urgency=Urgency.CARD, patience=PATIENCE, status=status, **place
            )
        except KakehashiError as error:
            self._set.pop(root.ref, None)  # the next sign tries again
            _log.debug("slack_typing_not_shown", reason=error.what)
