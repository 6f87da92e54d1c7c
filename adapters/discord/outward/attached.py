"""Attachments on their way to Discord: their bytes, with the words, in as many posts as Discord's limits ask for.

What one file may have depends on how the server is boosted. A larger one is told of instead, with a link (`beneath`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from adapters.discord.refs import Post
from adapters.discord.wire.client import Upload
from bridge.files import MIB, Files
from bridge.messages import Body, FilePart
from routing.ids import EffectId

MOST = 10
"""Files in one message of Discord's."""

LARGEST = 10 * MIB
"""Bytes of one file, on a server without boosts."""

TOGETHER = 24 * MIB
"""Bytes of one request; Discord takes 25 MiB, and the form around the files counts. A file that may be larger goes
alone."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Packed:
    """Files by the post that they go with, the first beneath the words; and those that no post takes."""

    posts: tuple[tuple[FilePart, ...], ...] = ()
    too_large: tuple[FilePart, ...] = ()


def packed(files: Sequence[FilePart], limit: int) -> Packed:
    """`limit`: bytes of one file. They keep their order."""
    posts: list[list[FilePart]] = []
    room = 0
    for file in (one for one in files if one.size <= limit):
        if not posts or file.size > room or len(posts[-1]) == MOST:
            posts.append([])
            room = max(TOGETHER, file.size)
        posts[-1].append(file)
        room -= file.size
    return Packed(tuple(map(tuple, posts)), tuple(one for one in files if one.size > limit))


def left_in(posts: Sequence[Post], body: Body, limit: int) -> dict[str, tuple[str, ...]]:
    """Which of its files each post keeps (ids, by the post's message) when some of the message's were removed.

    By their place, as long as every file of the message was uploaded; else none: one that may not stay must not stay
    because we cannot tell it from the others.
    """
    parts = [one for one in body.parts if isinstance(one, FilePart) and (one.purged or one.size <= limit)]
    shown = [file for post in posts for file in post.files]
    stay = {file for file, part in zip(shown, parts, strict=False) if not part.purged}
    known = stay if len(parts) == len(shown) else set()
    return {post.message: tuple(file for file in post.files if file in known) for post in posts}


class Uploads:
    def __init__(self, files: Files) -> None:
        self._files = files

    async def read(self, parts: Sequence[FilePart], effect: EffectId) -> tuple[Upload, ...]:
        """Their bytes; those that were erased meanwhile are left out."""
        taken: list[Upload] = []
        for part in parts:
            content = await self._files.read(part.file)
            if content is None:
                _log.warning("discord_file_gone", effect=effect, file=part.file)
                continue
            taken.append(Upload(part.name, part.media_type, content))
        return tuple(taken)
