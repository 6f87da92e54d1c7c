"""Attachments on their way to a network: those that are held back do not go, and of removed ones nothing is left.

It is done to every delivery before a network sees it, so no adapter can forget it: where a message's files are held
back, the network is handed no file, and nothing to fetch one by, but types and sizes.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.messages import Body, FilePart
from bridge.ports import Delivery, HeldFile
from routing.effects import RemoveFile


def as_allowed(delivery: Delivery) -> Delivery:
    """What the network may have of it."""
    effect, body = delivery.effect, delivery.body
    if body is None:
        return delivery
    if isinstance(effect, RemoveFile):
        body = without(body, effect.file)
    if not getattr(effect, "held", False):
        return replace(delivery, body=body)
    held = tuple(HeldFile(one.file, one.media_type, one.size) for one in body.files)
    former = tuple(map(without_files, delivery.former))
    return replace(delivery, body=without_files(body), former=former, held=held)


def without(body: Body, file: str) -> Body:
    """The same with a mark in the place of this file."""
    return Body(tuple(_removed(one) if _is(one, file) else one for one in body.parts))


def without_files(body: Body) -> Body:
    """Words, and the marks of what was removed."""
    return Body(tuple(one for one in body.parts if not isinstance(one, FilePart) or one.purged))


def unnamed(body: Body) -> Body:
    """The same with types in the place of files' names: a name may tell as much as what is in it."""
    return Body(tuple(replace(one, name=one.media_type) if isinstance(one, FilePart) else one for one in body.parts))


def carries(body: Body | None, file: str) -> bool:
    """Whether the file is in it, and was not removed."""
    return body is not None and any(one.file == file for one in body.files)


def _is(part: object, file: str) -> bool:
    return isinstance(part, FilePart) and part.file == file


def _removed(part: object) -> FilePart:
    assert isinstance(part, FilePart), "asked for a file only"
    return FilePart(part.file, "", part.media_type, 0, purged=True)
