"""Presence: who of the operators Slack shows as active. Asked now and then, since Slack tells no app of it by itself.

It is a hint for availability and never its only ground: Slack shows somebody as active whose desktop is merely awake.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from adapters.slack.wire.client import WebApi
from bridge.errors import DeliveryError, KakehashiError
from bridge.networks.pacing import Urgency
from routing.ids import OperatorId

EVERY = 60.0
"""Seconds between two looks at everybody."""

_log = structlog.get_logger(__name__)

Note = Callable[[OperatorId, bool], Awaitable[object]]


class Presence:
    """`people` are the operators whose Slack users are known; `holds` says whether it is this process that asks."""

    def __init__(
        self, api: WebApi, people: Callable[[], Mapping[OperatorId, str]], note: Note, holds: Callable[[], bool]
    ) -> None:
        self._api = api
        self._people = people
        self._note = note
        self._holds = holds

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            if self._holds():
                await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Ask after each of them once. Whom Slack cannot tell of stays as they were, and counts for less and less."""
        for operator, user in self._people().items():
            try:
                answer = await self._api.call("users.getPresence", urgency=Urgency.CARD, user=user)
                await self._note(operator, answer.get("presence") == "active")
            except DeliveryError as error:
                _log.info("slack_presence_unknown", operator=operator, code=error.code)
            except KakehashiError as error:
                _log.warning("slack_presence_not_noted", operator=operator, reason=error.what)
