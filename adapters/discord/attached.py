"""Attachments on their way to Discord: their bytes, in one request with the words."""

from __future__ import annotations

import structlog

from adapters.discord.client import Upload
from bridge.files import MIB, Files
from bridge.ports import Delivery
from routing.effects import PostMessage

MOST = 10
"""Files in one message of Discord's."""

LARGEST = 10 * MIB
"""Bytes of one file, on a server without boosts."""

TOGETHER = 24 * MIB
"""Bytes of one request; Discord takes 25 MiB, and the form around the files counts."""

_log = structlog.get_logger(__name__)


class Uploads:
    def __init__(self, files: Files) -> None:
        self._files = files

    async def of(self, delivery: Delivery) -> tuple[Upload, ...]:
        """The files of a message, as far as one message of Discord's takes them."""
        effect, body = delivery.effect, delivery.body
        if not isinstance(effect, PostMessage) or body is None:
            return ()
        taken: list[Upload] = []
        room = TOGETHER
        for part in body.files[:MOST]:
            content = await self._files.read(part.file)
            if content is None or len(content) > min(LARGEST, room):
                _log.warning("discord_file_left_out", effect=effect.id, file=part.file, gone=content is None)
                continue
            room -= len(content)
            taken.append(Upload(part.name, part.media_type, content))
        return tuple(taken)
