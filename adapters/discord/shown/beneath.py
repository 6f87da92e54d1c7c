"""What stands beneath a message about attachments that Discord is not given: held back, too large for it, or removed.

A held file is told by type and size, with a way to the desk, which asks who is there. One that is merely too large has
a link of our own besides, which runs out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from adapters.discord.render import CONTENT, Rendered, Wording, clock, link, small
from adapters.discord.text.markup import escape, units
from bridge.files import MIB
from bridge.messages import FilePart, one_line
from bridge.ports import Delivery, HeldFile
from routing.session import Session

DeskLink = Callable[[Session, str], str]
"""Where an operator opens a file of a session, after signing in; empty where there is no desk."""

FileLink = Callable[[Session, FilePart], tuple[str, int] | None]
"""An address of a file's own, signed, and when it runs out (ms since 1970, UTC); None where nothing serves files."""

KIND = 40
FRAMES = 3
"""Of a post's length each: all of a message's hold 6,000 characters together."""


def no_file_link(session: Session, file: FilePart) -> None:
    del session, file


def no_desk_link(session: Session, file: str) -> str:
    del session, file
    return ""


@dataclass(frozen=True, slots=True)
class Beneath:
    """Words for what is missing, and the ways to it."""

    wording: Wording
    desk: DeskLink = no_desk_link
    file: FileLink = no_file_link

    def add(
        self,
        rendered: Sequence[Rendered],
        delivery: Delivery,
        too_large: Sequence[FilePart] = (),
        refused: Sequence[FilePart] = (),
    ) -> tuple[Rendered, ...]:
        """The message with a line for each attachment that is not on Discord; a post more where they do not fit."""
        session, body = delivery.session, delivery.body
        lines = [self._held(session, one) for one in delivery.held]
        lines += [self._by_a_link(session, one, "post.large") for one in too_large]
        lines += [self._by_a_link(session, one, "post.refused") for one in refused]
        lines += [self.wording(session.language, "post.removed")] * (body.purged if body is not None else 0)
        return _with(rendered, lines)

    def add_to(
        self,
        rendered: Rendered,
        delivery: Delivery,
        too_large: Sequence[FilePart] = (),
        refused: Sequence[FilePart] = (),
    ) -> Rendered:
        """The same in one post: where they do not fit, in frames beneath it."""
        one, *more = self.add((rendered,), replace(delivery, body=None, held=()), too_large, refused)
        frames = ({"description": told.content} for told in more[:FRAMES])
        return replace(one, embeds=(*one.embeds, *frames))

    def _held(self, session: Session, file: HeldFile) -> str:
        line = self._named(session, "post.held", file.media_type, file.size)
        return " · ".join((line, *self._at_the_desk(session, file.file)))

    def _by_a_link(self, session: Session, file: FilePart, key: str) -> str:
        line = self._named(session, key, file.media_type, file.size)
        own = self.file(session, file)
        ways = []
        if own is not None:
            until = self.wording(session.language, "post.large.until", time=clock(own[1]))
            ways = [f"{link(self.wording(session.language, 'post.large.open'), own[0])} {until}"]
        return " · ".join((line, *ways, *self._at_the_desk(session, file.file)))

    def _at_the_desk(self, session: Session, file: str) -> list[str]:
        url = self.desk(session, file)
        return [link(self.wording(session.language, "post.held.open"), url)] if url else []

    def _named(self, session: Session, key: str, media_type: str, size: int) -> str:
        """By type and size: a name may tell as much as what is in it."""
        kind = media_type.partition("/")[0]
        word = self.wording(session.language, f"post.kind.{kind if kind in ('image', 'audio') else 'document'}")
        subtype = one_line(media_type.rpartition("/")[2].upper(), KIND)
        return escape(self.wording(session.language, key, type=f"{word} ({subtype})", size=_size(size)))


def _with(rendered: Sequence[Rendered], lines: Sequence[str]) -> tuple[Rendered, ...]:
    if not lines:
        return tuple(rendered)
    told = small("\n".join(lines))
    *before, last = rendered
    whole = f"{last.content}\n{told}"
    if units(whole) <= CONTENT:
        return (*before, replace(last, content=whole))
    return (*rendered, *map(Rendered, _posts(lines)))


def _posts(lines: Sequence[str]) -> list[str]:
    posts = [""]
    for line in map(small, lines):
        whole = f"{posts[-1]}\n{line}".strip("\n")
        posts[-1:] = [whole] if not posts[-1] or units(whole) <= CONTENT else [posts[-1], line]
    return posts


def _size(size: int) -> str:
    return f"{size / MIB:.1f} MB" if size >= MIB else f"{max(1, round(size / 1024))} KB"
