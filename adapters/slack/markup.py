"""Slack's written form of text: escaping what goes out, and what operators' words say of themselves.

A customer's words are shown by `rich_text` blocks, whose text elements mean nothing but themselves; only the `text`
beside them (phones' notifications) is Slack's markup, and there `& < >` are escaped. What operators typed is read by
`richtext`, or by `mrkdwn` where it came without blocks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.slack.emoji import characters


def escape(text: str) -> str:
    """As Slack asks for: these three characters, nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escaped_within(text: str, limit: int) -> str:
    """The escaped text, shortened to `limit` characters without cutting an entity in two."""
    whole = escape(text[:limit])
    while len(whole) > limit:
        over = len(whole) - limit
        text = text[: min(len(text), limit) - max(1, over // 5)]
        whole = escape(text)
    return whole


def emoji_in(blocks: object) -> Mapping[str, str]:
    """The emoji that a message really holds, by shortcode: `:pray:` → 🙏. Custom ones have no character."""
    return dict(_emoji(blocks))


def _emoji(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _emoji(one)
    elif isinstance(value, dict):
        if value.get("type") == "emoji" and value.get("unicode"):
            yield _shortcode(value), characters(str(value["unicode"]))
        for one in value.values():
            yield from _emoji(one)


def _shortcode(element: Mapping[str, Any]) -> str:
    tone = element.get("skin_tone")
    return f":{element.get('name')}::skin-tone-{tone}:" if tone else f":{element.get('name')}:"


# ------------------------------------------------------------------ notes

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
_BEFORE = re.compile("[\\s*_~`>\u2022\u200b-\u200f\u2060\ufeff]*")
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
    Slack's formatting marks do not matter. When in doubt it is a note: words that stay inside do no harm.
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
    """Without case, width, spaces and formatting marks."""
    normal = unicodedata.normalize("NFKC", text).casefold().translate(_BRACKETS)
    return "".join(sign for sign in normal if not sign.isspace() and sign not in "*_~`")


# ------------------------------------------------------------------ names


def one_line(text: str, limit: int) -> str:
    """A name fit to show: one line, no control or direction marks, at most `limit` characters."""
    kept = "".join(" " if sign.isspace() else sign for sign in text if not _is_control(sign))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _is_control(sign: str) -> bool:
    return not sign.isspace() and unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn")
