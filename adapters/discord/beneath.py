"""What stands beneath a message about attachments that Discord is not given: held back, too large for it, or removed.

A held or large file is told by type and size, with a way to the desk, which asks who is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from adapters.discord.markup import escape, units
from adapters.discord.render import CONTENT, Rendered, Wording, small
from bridge.messages import FilePart
from bridge.names import one_line
from bridge.ports import Delivery, HeldFile
from routing.session import Session

DeskLink = Callable[[Session, str], str]
"""Where an operator opens a file of a session, after signing in; empty where there is no desk."""

MIB = 1024 * 1024
KIND = 40


def beneath(
    rendered: Sequence[Rendered],
    delivery: Delivery,
    wording: Wording,
    link: DeskLink,
    too_large: Sequence[FilePart] = (),
) -> tuple[Rendered, ...]:
    """The message with a line for each attachment that is not on Discord; a post more where they do not fit."""
    session, body = delivery.session, delivery.body
    lines = [_told(one, "post.held", session, wording, link) for one in delivery.held]
    lines += [_told(_held(one), "post.large", session, wording, link) for one in too_large]
    lines += [wording(session.language, "post.removed")] * (body.purged if body is not None else 0)
    if not lines:
        return tuple(rendered)
    told = small("\n".join(lines))
    *before, last = rendered
    whole = f"{last.content}\n{told}"
    if units(whole) <= CONTENT:
        return (*before, replace(last, content=whole))
    return (*rendered, Rendered(told))


def _held(file: FilePart) -> HeldFile:
    return HeldFile(file.file, file.media_type, file.size)


def _told(file: HeldFile, key: str, session: Session, wording: Wording, link: DeskLink) -> str:
    language = session.language
    kind = "image" if file.media_type.startswith("image/") else "document"
    subtype = one_line(file.media_type.rpartition("/")[2].upper(), KIND)
    named = f"{wording(language, f'post.kind.{kind}')} ({subtype})"
    line = escape(wording(language, key, type=named, size=_size(file.size)))
    url = link(session, file.file)
    return f"{line} · [{escape(wording(language, 'post.held.open'))}](<{url}>)" if url else line


def _size(size: int) -> str:
    return f"{size / MIB:.1f} MB" if size >= MIB else f"{max(1, round(size / 1024))} KB"
