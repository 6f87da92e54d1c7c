"""Bodies: the words and files of messages, and what we know of the customer. Kept beside the journal, erasable."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from routing.ids import MessageId

TEXT_LIMIT = 4_000
"""Characters (code points) in one message: what Slack recommends for one post, so none needs splitting there."""

PARTS_LIMIT = 10
"""Parts of one message: Slack and Discord both show ten files at once."""


class MarkKind(StrEnum):
    """What some of the words are, beside being words."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    CODE = "code"
    PRE = "pre"
    QUOTE = "quote"
    ITEM = "item"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Mark:
    """What the characters from `start` up to `end` (code points) are.

    `to` is a link's address, which the words show too; of an item the bullet or number that stands right before it on
    its line, indented by two spaces for each level.
    """

    kind: MarkKind
    start: int
    end: int
    to: str = ""

    def moved(self, by: int) -> Mark:
        return replace(self, start=self.start + by, end=self.end + by)


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words, byte for byte as they were written. Never interpreted: escaping is each face's own duty.

    The words are complete by themselves. Marks stand beside them and only say how to draw them: a face that knows none
    loses no meaning. Only operators' words have any. `quotes`: it is the beginning of that message (`quotations`).
    """

    text: str
    marks: tuple[Mark, ...] = ()
    quotes: MessageId | None = None


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file that the Files port keeps. `name` is already safe to show; sizes in bytes and pixels.

    Of a `purged` one there is neither name nor content any more, only its place in the message.
    """

    file: str
    name: str
    media_type: str
    size: int
    width: int = 0
    height: int = 0
    purged: bool = False


Part = TextPart | FilePart


@dataclass(frozen=True, slots=True)
class Body:
    """What a message says, by (message id, revision)."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def words(self) -> TextPart:
        """All text as one part."""
        marks: list[Mark] = []
        at = 0
        for part in self.parts:
            if isinstance(part, TextPart):
                marks += [mark.moved(at) for mark in part.marks]
                at += len(part.text) + 1
        return TextPart(self.text, tuple(marks))

    @property
    def files(self) -> tuple[FilePart, ...]:
        return tuple(part for part in self.parts if isinstance(part, FilePart) and not part.purged)

    @property
    def purged(self) -> int:
        """How many attachments were removed from it."""
        return sum(isinstance(part, FilePart) and part.purged for part in self.parts)


@dataclass(frozen=True, slots=True)
class About:
    """The customer as the desk sees them at the opening. Personal data, so it is kept and erased like a body."""

    name: str = ""
    locale: str = ""
    page: str = ""  # origin and path only
    time_zone: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)  # allow-listed claims of the site's token


def one_line(text: str, limit: int) -> str:
    """A name fit to show: one line, no control or direction marks, at most `limit` characters."""
    kept = "".join(" " if sign.isspace() else sign for sign in text if not _is_control(sign))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _is_control(sign: str) -> bool:
    return not sign.isspace() and unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn")
