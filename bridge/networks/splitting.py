"""A long text in pieces that a network takes: cut where a reader would pause, never within a character.

What people see as one character may be many code points (a family, a flag, a letter with its accents); between those
there is no place to cut. Addresses and code stay whole as well, as long as they are shorter than a piece.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate

from bridge.marks import cut
from bridge.messages import MarkKind, TextPart

_PAUSES = (
    re.compile(r"\n[^\S\n]*\n"),
    re.compile(r"\n"),
    re.compile(r"[。！？]|[.!?…](?=\s)"),
    re.compile(r"[、，；]|\s"),
)
"""Where to cut, best first: after a paragraph, a line, a sentence, a word."""

_WHOLE = (MarkKind.LINK, MarkKind.CODE)

_BINDING = frozenset("\r\u200d\u06dd\u070f\u08e2\U000110bd\U000110cd" + "".join(map(chr, range(0x600, 0x606))))
"""Signs that belong to what follows: the joiner, and number signs that are written before their number."""

_FLAGS = range(0x1F1E6, 0x1F200)
_TONES = range(0x1F3FB, 0x1F400)
_JAMO = (range(0x1160, 0x1200), range(0xD7B0, 0xD800))
_ATTACHED = frozenset(("Mn", "Me", "Mc", "Cf"))
_VIRAMA = 9
"""The combining class of signs that bind the next consonant."""

_NEAR = 64
"""Code points before a flag that are looked at: flags come in pairs, counted from the first of a row."""


def split(part: TextPart, limit: int, weight: Callable[[str], int] = lambda sign: 1) -> tuple[TextPart, ...]:
    """Pieces that weigh at most `limit` each, and joined are the whole. Each has its share of the marks."""
    totals = [0, *accumulate(map(weight, part.text))]
    if totals[-1] <= limit:
        return (part,)
    whole = [(mark.start, mark.end) for mark in part.marks if mark.kind in _WHOLE]
    pieces, start = [], 0
    while totals[-1] - totals[start] > limit:
        most = max(start + 1, bisect_right(totals, totals[start] + limit) - 1)
        end = _place(part.text, start, most, whole)
        pieces.append(cut(part, start, end))
        start = end
    return (*pieces, cut(part, start))


def _place(text: str, start: int, most: int, whole: list[tuple[int, int]]) -> int:
    """Where to cut, not beyond `most`. A piece is at least half full, lest there be very many."""
    least = start + (most - start + 1) // 2
    for pause in _PAUSES:
        for found in reversed(list(pause.finditer(text, least, most))):
            if _may_cut(text, found.end(), whole):
                return found.end()
    return next((at for at in range(most, least, -1) if _may_cut(text, at, whole)), None) or next(
        (at for at in range(most, start, -1) if _is_edge(text, at)), most
    )


def _may_cut(text: str, at: int, whole: list[tuple[int, int]]) -> bool:
    return _is_edge(text, at) and not any(start < at < end for start, end in whole)


def _is_edge(text: str, at: int) -> bool:
    """Whether a character that people see ends before `at`. When in doubt it goes on."""
    if not 0 < at < len(text):
        return True
    before, after = text[at - 1], text[at]
    if before == "\n" or (after == "\n" and before != "\r"):
        return True
    if before in _BINDING:
        return False
    if unicodedata.category(after) in _ATTACHED or ord(after) in _TONES or any(ord(after) in row for row in _JAMO):
        return False
    if unicodedata.combining(before) == _VIRAMA and after.isalpha():
        return False
    return not (ord(before) in _FLAGS and ord(after) in _FLAGS and _flags_before(text, at) % 2)


def _flags_before(text: str, at: int) -> int:
    def row() -> Iterator[str]:
        for place in range(at - 1, max(-1, at - 1 - _NEAR), -1):
            if ord(text[place]) not in _FLAGS:
                return
            yield text[place]

    return sum(1 for _ in row())
