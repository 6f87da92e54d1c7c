"""Who we are on Discord."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.discord.heard.shape import Given


@dataclass(frozen=True, slots=True)
class App:
    """Who we are, so that our own doings are known as ours: the bot's user and the application's id."""

    user: str
    application: str

    def wrote(self, message: Mapping[str, Any]) -> bool:
        """Whether a message that was read back is ours, through a webhook of ours perhaps."""
        given = Given.of(message, "message")
        return given.object("author").id("id") == self.user or given.id("application_id") == self.application
