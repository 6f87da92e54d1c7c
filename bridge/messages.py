"""Bodies: the words and files of messages, and what we know of the customer. Kept beside the journal, erasable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TEXT_LIMIT = 4_000
"""Characters (code points) in one message: what Slack recommends for one post, so none needs splitting there."""

PARTS_LIMIT = 10
"""Parts of one message: Slack and Discord both show ten files at once."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words, byte for byte as they were written. Never interpreted: escaping is each face's own duty."""

    text: str


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file that the Files port keeps. `name` is already safe to show; sizes in bytes and pixels."""

    file: str
    name: str
    media_type: str
    size: int
    width: int = 0
    height: int = 0


Part = TextPart | FilePart


@dataclass(frozen=True, slots=True)
class Body:
    """What a message says, by (message id, revision)."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def files(self) -> tuple[FilePart, ...]:
        return tuple(part for part in self.parts if isinstance(part, FilePart))


@dataclass(frozen=True, slots=True)
class About:
    """The customer as the desk sees them at the opening. Personal data, so it is kept and erased like a body."""

    name: str = ""
    locale: str = ""
    page: str = ""  # origin and path only
    time_zone: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)  # allow-listed claims of the site's token
