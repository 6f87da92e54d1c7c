"""First answers: each interaction has one, within three seconds, by the way that it came.

What came over the gateway is answered by a call. What came as a request of Discord's is answered by its response, as
long as Discord waits for that; later by a call, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from adapters.discord.heard.happenings import Interaction
from adapters.discord.wire.client import RestApi

FOLLOWS = 5
"""The type of an answer that says that another one follows."""

READ_BY = 0.25
"""Seconds until Discord has read a response: what follows is refused for as long as it knows of no first answer."""

Answer = Mapping[str, Any]


class Answers:
    def __init__(self, api: RestApi) -> None:
        self._api = api
        self._awaited: dict[str, asyncio.Future[Answer]] = {}

    @contextmanager
    def awaited(self, interaction: str) -> Iterator[asyncio.Future[Answer]]:
        """The answer to an interaction whose request is open: while this lasts, it is not called out."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._awaited[interaction] = answer
        try:
            yield answer
        finally:
            del self._awaited[interaction]
            answer.cancel()

    async def give(self, to: Interaction, answer: Answer) -> None:
        """Answer it first. Raises DeliveryError where Discord could not be told."""
        awaited = self._awaited.get(to.id)
        if awaited is not None and not awaited.done():
            awaited.set_result(answer)
            if answer.get("type") == FOLLOWS:
                await asyncio.sleep(READ_BY)
        else:
            await self._api.call("POST", f"/interactions/{to.id}/{to.token}/callback", answer, free=True)
