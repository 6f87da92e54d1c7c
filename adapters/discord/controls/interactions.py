"""What people ask of us by Discord's own means, wherever it came from: each kind goes to who answers it.

Nobody sends it again: whoever asked reads that it was not stored, or sees that it failed, and asks again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from adapters.discord.controls.buttons import Buttons
from adapters.discord.controls.commands import Commands
from adapters.discord.controls.home import Home
from adapters.discord.controls.naming import Naming
from adapters.discord.controls.replies import Reply
from adapters.discord.controls.windows import Windows
from adapters.discord.heard.app import App
from adapters.discord.heard.happenings import Asked, AtHome, Commanded, Pinged, Pressed, Shortcut, Submitted
from adapters.discord.wire.answers import Answers
from adapters.discord.wire.client import RestApi
from bridge.errors import KakehashiError
from bridge.networks.card import Wording

REMEMBERED = 10_000
"""Interactions that were taken. A resume reaches back some seconds; a new session of the gateway tells none again."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What operators ask of their own work."""

    commands: Commands
    naming: Naming
    home: Home


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
        self._taken: OrderedDict[str, None] = OrderedDict()
        self.desk: Desk | None = None

    async def take(self, asked: Asked) -> None:
        """Returns when what it tells is durable, and answered as far as Discord could be reached. A gateway that
        resumes tells some of it again: who pressed once is not served twice."""
        if asked.interaction.id in self._taken:
            return
        self._remember(asked.interaction.id)
        patient = not (isinstance(asked, Commanded) and asked.focused)
        reply = Reply(self._api, self._answers, self._wording, self._app, asked.interaction, patient=patient)
        try:
            await reply.after(self._take(asked, reply))
        except KakehashiError as error:
            _log.warning("discord_interaction_not_stored", kind=type(asked).__name__, reason=error.what)
            if patient:
                await reply.tell("told.not_stored", reply.language)

    def _remember(self, interaction: str) -> None:
        self._taken[interaction] = None
        if len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)

    async def _take(self, asked: Asked, reply: Reply) -> None:
        if isinstance(asked, Pressed):
            await self._buttons.pressed(asked, reply)
        elif isinstance(asked, Submitted):
            await self._windows.submitted(asked, reply)
        elif not isinstance(asked, Pinged):
            await self._of_the_desk(asked, reply)

    async def _of_the_desk(self, asked: AtHome | Commanded | Shortcut, reply: Reply) -> None:
        if self.desk is None:
            await reply.tell("command.failed", reply.language)
        elif isinstance(asked, AtHome):
            await self.desk.home.pressed(asked, reply)
        elif isinstance(asked, Shortcut):
            await self.desk.commands.shortcut(asked, reply)
        elif asked.focused:
            await self.desk.naming.complete(asked, reply)
        else:
            await self.desk.commands.commanded(asked, reply)
