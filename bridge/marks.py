"""Words with marks beside them: made piece by piece, cut, and written down for pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bridge.messages import Mark, MarkKind, TextPart

STYLES = (MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE)
"""Kinds that say nothing but how characters look."""

LINKED = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
"""How an address begins that becomes a link. All others stay words."""


class Writer:
    """Words in the making. What is written within `marked` gets that mark."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._marks: list[Mark] = []
        self._length = 0

    def write(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def break_line(self) -> None:
        """Go on at the beginning of a line."""
        last = next((piece for piece in reversed(self._pieces) if piece), "\n")
        if not last.endswith("\n"):
            self.write("\n")

    @contextmanager
    def marked(self, *kinds: MarkKind, to: str = "") -> Iterator[None]:
        start, place = self._length, len(self._marks)
        yield
        self._marks[place:place] = [Mark(kind, start, self._length, to) for kind in kinds if start < self._length]

    def address(self, shown: str, url: str) -> None:
        """An address as it is read, which leads to `url` where that is of a kind that may."""
        with self.marked(*((MarkKind.LINK,) if LINKED.match(url) else ()), to=url):
            self.write(shown)

    def done(self) -> TextPart:
        """Whole, its marks by where they begin, outer ones first."""
        marks = sorted(_joined(self._marks), key=lambda mark: (mark.start, -mark.end))
        return TextPart("".join(self._pieces), tuple(marks))


def _joined(marks: list[Mark]) -> Iterator[Mark]:
    """Styles that go on where the same one ended are one: editors cut words at every change of any style."""
    going: dict[MarkKind, Mark] = {}
    for mark in marks:
        if mark.kind not in STYLES:
            yield mark
            continue
        before = going.get(mark.kind)
        if before is not None and before.end == mark.start:
            going[mark.kind] = replace(before, end=mark.end)
            continue
        if before is not None:
            yield before
        going[mark.kind] = mark
    yield from going.values()


def cut(part: TextPart, start: int, end: int | None = None) -> TextPart:
    """The words from `start` up to `end`, with what of their marks falls there. An item without its bullet is none."""
    end = len(part.text) if end is None else min(end, len(part.text))
    whole = (mark for mark in part.marks if mark.kind is not MarkKind.ITEM or mark.start - len(mark.to) >= start)
    kept = (replace(mark, start=max(mark.start, start), end=min(mark.end, end)) for mark in whole)
    return TextPart(part.text[start:end], tuple(mark.moved(-start) for mark in kept if mark.start < mark.end))


def stripped(part: TextPart) -> TextPart:
    """Without white space around it."""
    text = part.text.rstrip()
    return cut(part, len(text) - len(text.lstrip()), len(text))


def as_text(part: TextPart) -> dict[str, Any]:
    """A text part as pages and exports read it: `marks` only where there are any."""
    told: dict[str, Any] = {"type": "text", "text": part.text}
    if part.marks:
        told["marks"] = [_as_mark(mark) for mark in part.marks]
    return told


def _as_mark(mark: Mark) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": mark.kind, "start": mark.start, "end": mark.end}
    return {**told, "to": mark.to} if mark.to else told
