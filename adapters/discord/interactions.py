"""What people ask of us by Discord's own means, wherever it came from: each kind goes to who answers it.

An interaction is answered once within three seconds, and may be followed up for fifteen minutes. Nobody sends it again:
whoever pressed sees that it failed, and presses again.
"""

from __future__ import annotations

import structlog

from adapters.discord.buttons import Buttons
from adapters.discord.parse import Asked, Pressed

_log = structlog.get_logger(__name__)


class Interactions:
    def __init__(self, buttons: Buttons) -> None:
        self._buttons = buttons

    async def take(self, asked: Asked) -> None:
        """Returns when what it tells is durable and answered. Raises KakehashiError where the store is away."""
        if isinstance(asked, Pressed):
            await self._buttons.pressed(asked)
        else:
            _log.debug("discord_ignored", because=f"nothing answers {type(asked).__name__}")
