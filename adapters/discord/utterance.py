"""All that an operator's message says, as words: what they typed, what they forwarded, and pictures that have a name.

A customer has no stickers of Discord's and no player for its voice messages: those are said in a plain line. What was
forwarded stands in a quote, under a line that says so; who wrote it first Discord does not tell, and a customer need
not know.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.discord.markdown import read
from adapters.discord.mentions import Names
from adapters.discord.parse import Attachment, Forwarded, Said, Sticker
from adapters.discord.render import Wording
from bridge.marks import stripped
from bridge.messages import Body, Mark, MarkKind, TextPart

NAME = 60
"""Characters of a sticker's name; Discord's have thirty."""


def words(said: Said, names: Names, wording: Wording, language: str) -> TextPart:
    """What a customer reads of it, in their language. What was typed comes first, just as it is typed alone."""
    parts = [read(said.text, names)] if said.text else []
    for one in said.forwarded:
        parts += _forwarded(one, names, wording, language)
    parts += _pictures(said.stickers, wording, language)
    parts += [TextPart(wording(language, "said.voice", seconds=_seconds(one))) for one in said.files if said.voice]
    return Body(tuple(parts)).words


def files(said: Said) -> tuple[Attachment, ...]:
    """What is to be fetched: its own files, and those of what was forwarded. A voice message is told in words."""
    own = () if said.voice else said.files
    return (*own, *(file for one in said.forwarded for file in one.files))


def _forwarded(one: Forwarded, names: Names, wording: Wording, language: str) -> list[TextPart]:
    inner = stripped(Body((read(one.text, names), *_pictures(one.stickers, wording, language))).words)
    told = TextPart(wording(language, "said.forwarded"))
    if not inner.text:
        return [told]
    return [told, TextPart(inner.text, (Mark(MarkKind.QUOTE, 0, len(inner.text)), *inner.marks))]


def _pictures(stickers: Sequence[Sticker], wording: Wording, language: str) -> list[TextPart]:
    return [TextPart(wording(language, "said.sticker", name=one.name[:NAME])) for one in stickers]


def _seconds(file: Attachment) -> str:
    return str(max(1, round(file.seconds)))
