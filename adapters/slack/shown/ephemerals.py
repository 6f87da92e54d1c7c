"""Ephemerals: what one person is shown, in the thread, and nobody keeps."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import structlog

from adapters.slack.refs import Root
from adapters.slack.render import Block
from bridge.errors import KakehashiError
from routing.ids import InputKey

TOLD = 10_000
"""Keys of refused inputs that were answered: a refusal leaves no trace in the journal, and Slack repeats itself."""

_log = structlog.get_logger(__name__)


class Tell:
    """Ephemeral answers: shown to one person, kept nowhere. `send(root, user, text, blocks)` does it, and may fail."""

    def __init__(self, send: Callable[[Root, str, str, Sequence[Block]], Awaitable[None]]) -> None:
        self._send = send
        self._told: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, key: InputKey, root: Root, user: str, text: str, blocks: Sequence[Block] = ()) -> None:
        """Say it once per input, without keeping the input waiting for it."""
        if key in self._told:
            return
        self._told[key] = None
        if len(self._told) > TOLD:
            self._told.popitem(last=False)
        self._spawn(self._quietly(root, user, text, blocks))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Something else that input does not wait for. It raises nothing."""
        self._spawn(work)

    async def _quietly(self, root: Root, user: str, text: str, blocks: Sequence[Block]) -> None:
        try:
            await self._send(root, user, text, blocks)
        except KakehashiError as error:
            _log.warning("slack_answer_not_shown", channel=root.channel, reason=error.what)

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
