"""The memory that makes a message idempotent: for a few minutes, the same nonce gives the first message again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .guild import Channel, Json, Message
from .refusal import Refusal

if TYPE_CHECKING:
    from .simulator import DiscordSimulator


class Nonces:
    """By author and nonce, whichever the channel."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._discord = discord
        self._kept: dict[tuple[str, str], tuple[float, Channel, Message]] = {}

    def find(self, fields: Json, author_id: str) -> tuple[Channel, Message] | None:
        """The message that was made with this nonce, if the call asks for that to be looked up. One that was deleted
        since is not made again: it is unknown."""
        if not fields.get("enforce_nonce") or fields.get("nonce") is None:
            return None
        found = self._kept.get((author_id, str(fields["nonce"])))
        if found is None or self._discord.clock.now() - found[0] > self._discord.habits.nonce_life:
            return None
        if found[2].id not in found[1].messages:
            raise Refusal.unknown("Message")
        return found[1], found[2]

    def keep(self, channel: Channel, message: Message) -> None:
        if message.nonce is not None:
            entry = self._discord.clock.now(), channel, message
            self._kept[message.author_id, str(message.nonce)] = entry

    def forget(self) -> None:
        """Discord's memory is short, and shorter when it restarts."""
        self._kept.clear()
