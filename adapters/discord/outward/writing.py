"""That the customer is typing, in a thread: Discord shows it for ten seconds, and a post of ours ends it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

import structlog

from adapters.discord.refs import Root
from adapters.discord.wire.client import RestApi
from bridge.errors import KakehashiError
from routing.ids import ThreadRef

AGAIN_AFTER = 8.0
"""Seconds after which it is shown again while somebody goes on typing."""

REMEMBERED = 10_000

_log = structlog.get_logger(__name__)


class Writing:
    """`clock` is monotonic, in seconds."""

    def __init__(self, api: RestApi, clock: Callable[[], float] = monotonic) -> None:
        self._api = api
        self._clock = clock
        self._shown: OrderedDict[ThreadRef, float] = OrderedDict()

    async def show(self, thread: ThreadRef) -> None:
        """The customer types now. Best effort: it is left out where a limit is used up."""
        if self._clock() < self._shown.get(thread, -AGAIN_AFTER) + AGAIN_AFTER:
            return
        self._shown[thread] = self._clock()
        self._shown.move_to_end(thread)
        if len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
        try:
            await self._api.call("POST", f"/channels/{Root.of(thread).thread}/typing")
        except KakehashiError as error:
            _log.debug("discord_typing_not_shown", reason=error.what)

    def ended(self, thread: ThreadRef) -> None:
        """A post of ours stands in the thread: Discord has taken it off."""
        self._shown.pop(thread, None)
