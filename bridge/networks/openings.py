"""How words begin that say of themselves what they are: a note, or a reply to the customer. On every network alike."""

from __future__ import annotations

import re
import unicodedata

_NOTE = (
    "note",
    "notes",
    "internal",
    "メモ",
    "社内",
    "社内メモ",
    "备注",
    "備註",
    "内部",
    "內部",
    "内部备注",
    "內部備註",
)
_REPLY = ("reply", "返信", "回复", "回覆")
_BEFORE = re.compile(
    "[\\s*_~`>\u2022\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]*"
)
"""Blanks, marks of formatting, and whatever has no width: clients put such around what people write."""

_BRACKETS = str.maketrans("【】〔〕", "[][]")
_LONGEST = 40
"""Characters in which an opening must be complete, spaces and marks included."""


def _openings(words: tuple[str, ...], *more: str) -> frozenset[str]:
    return frozenset((*more, *(f"{word}:" for word in words), *(f"[{word}]" for word in words)))


_OF_NOTES, _OF_REPLIES = _openings(_NOTE, "//"), _openings(_REPLY)


def note(text: str) -> str | None:
    """The note's own words if plain `text` is a note, else None."""
    start = note_at(text)
    return None if start is None else text[start:]


def note_at(text: str) -> int | None:
    """Where a note's own words begin if plain `text` is a note, else None.

    A note begins with `//`, or with one of the words above and a colon, or in square brackets; case, width, spaces and
    formatting marks do not matter. When in doubt it is a note: words that stay inside do no harm.
    """
    return _after(text, _OF_NOTES)


def reply_at(text: str) -> int | None:
    """Likewise for words that say that they are for the customer; None where they do not."""
    return _after(text, _OF_REPLIES)


def _after(text: str, openings: frozenset[str]) -> int | None:
    before = _BEFORE.match(text)
    start = before.end() if before else 0
    rest = text[start:]
    for length in range(1, min(len(rest), _LONGEST) + 1):
        opening = _folded(rest[:length])
        if opening in openings:
            return len(text) - len(rest[length:].lstrip(" \t　*_~`"))
        if not any(target.startswith(opening) for target in openings):
            return None
    return None


def _folded(text: str) -> str:
    """Without case, width, spaces and formatting marks, seen or not."""
    normal = unicodedata.normalize("NFKC", text).casefold().translate(_BRACKETS)
    return "".join(sign for sign in normal if not (sign.isspace() or sign in "*_~`" or _is_unseen(sign)))


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf")
