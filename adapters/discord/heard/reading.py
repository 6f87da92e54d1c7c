"""All that an operator's message says, as words: what they typed, what they forwarded, and what a customer is told of.

Pictures and voice messages come as files; only what is no picture (a moving drawing) and that a file is somebody's
voice is said in a plain line. What was forwarded stands in a quote, under a line that says so; who wrote it first
Discord does not tell, and a customer need not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.discord.heard.happenings import Attachment, Forwarded, Said, Sticker
from adapters.discord.refs import NAME
from adapters.discord.render import Wording
from adapters.discord.text.markdown import read
from adapters.discord.text.mentions import Names
from bridge.directory import Directory
from bridge.marks import stripped
from bridge.messages import Body, Mark, MarkKind, TextPart

NAME_SIZE = 60
"""Characters of a sticker's name; Discord's have thirty."""


class Reading:
    """`public_place` names a channel in a language, where customers know it."""

    def __init__(self, directory: Directory, wording: Wording, public_place: Callable[[str, str], str | None]) -> None:
        self._directory = directory
        self._wording = wording
        self._public_place = public_place

    def words(self, said: Said, language: str, zone: str = "") -> TextPart:
        """`zone`: the customer's, for the dates in it."""
        return words(said, self.names(language, zone), self._wording, language)

    def names(self, language: str, zone: str = "") -> Names:
        def person(user: str) -> str | None:
            operator = self._directory.by_network_user(NAME, user, home=True)
            return self._directory.public_name(operator, language) if operator else None

        def place(channel: str) -> str | None:
            return self._public_place(channel, language)

        called = {kind: self._wording(language, f"mention.{kind}") for kind in ("somebody", "channel", "group")}
        return Names(person, place, **called, zone=zone)


def words(said: Said, names: Names, wording: Wording, language: str) -> TextPart:
    """What a customer reads of it, in their language. What was typed comes first, just as it is typed alone."""
    parts = [read(said.text, names)] if said.text else []
    for one in said.forwarded:
        parts += _forwarded(one, names, wording, language)
    parts += _drawings(said.stickers, wording, language)
    parts += [TextPart(wording(language, "said.voice", seconds=_seconds(one))) for one in said.files if said.voice]
    return Body(tuple(parts)).words


def _forwarded(one: Forwarded, names: Names, wording: Wording, language: str) -> list[TextPart]:
    inner = stripped(Body((read(one.text, names), *_drawings(one.stickers, wording, language))).words)
    told = TextPart(wording(language, "said.forwarded"))
    if not inner.text:
        return [told]
    return [told, TextPart(inner.text, (Mark(MarkKind.QUOTE, 0, len(inner.text)), *inner.marks))]


def _drawings(stickers: Sequence[Sticker], wording: Wording, language: str) -> list[TextPart]:
    return [TextPart(wording(language, "said.sticker", name=one.name[:NAME_SIZE])) for one in stickers if one.is_drawn]


def _seconds(file: Attachment) -> str:
    return str(max(1, round(file.seconds)))
