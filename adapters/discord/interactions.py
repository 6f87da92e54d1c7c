"""What people ask of us by Discord's own means, wherever it came from: each kind goes to who answers it.

Nobody sends it again: whoever asked reads that it was not stored, or sees that it failed, and asks again.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from adapters.discord.answers import Answers
from adapters.discord.buttons import Buttons
from adapters.discord.client import RestApi
from adapters.discord.parse import App, Asked, Commanded, Pinged, Pressed, Submitted
from adapters.discord.replies import Reply
from adapters.discord.windows import Windows
from bridge.card import Wording
from bridge.errors import KakehashiError

_log = structlog.get_logger(__name__)


class Interactions:
    """`app` tells who we are, or raises DeliveryError while that is not known."""

    def __init__(
        self,
        api: RestApi,
        answers: Answers,
        wording: Wording,
        app: Callable[[], App],
        *,
        buttons: Buttons,
        windows: Windows,
    ) -> None:
        self._api = api
        self._answers = answers
        self._wording = wording
        self._app = app
        self._buttons = buttons
        self._windows = windows

    async def take(self, asked: Asked) -> None:
        """Returns when what it tells is durable, and answered as far as Discord could be reached."""
        patient = not (isinstance(asked, Commanded) and asked.focused)
        reply = Reply(self._api, self._answers, self._wording, self._app, asked.interaction, patient=patient)
        try:
            await reply.after(self._take(asked, reply))
        except KakehashiError as error:
            _log.warning("discord_interaction_not_stored", kind=type(asked).__name__, reason=error.what)
            if patient:
                await reply.tell("told.not_stored", reply.language)

    async def _take(self, asked: Asked, reply: Reply) -> None:
        if isinstance(asked, Pressed):
            await self._buttons.pressed(asked, reply)
        elif isinstance(asked, Submitted):
            await self._windows.submitted(asked, reply)
        elif not isinstance(asked, Pinged):
            _log.debug("discord_ignored", because=f"nothing answers {type(asked).__name__}")
