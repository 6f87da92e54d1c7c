"""Slack's written form of text, both ways.

Out: a customer's words are shown by `rich_text` blocks, whose text elements mean nothing but themselves; only the
`text` beside them (phones' notifications) is Slack's markup, and there `& < >` are escaped.

In: what an operator typed comes escaped, with mentions as `<@U…>` and addresses as `<url|label>`. It becomes plain text
again, byte for byte where they typed an address, a transaction id or an amount.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_CONTROL = re.compile(r"<([^<>]+)>")
_EMOJI = re.compile(r":([A-Za-z0-9_+'\-]+)(?:::skin-tone-([2-6]))?:")
_IMPLIED = ("", "http://", "https://", "mailto:", "tel:")
"""What Slack puts before an address that a person typed without it."""


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


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called in plain text. `person` takes a Slack user id and answers None where it knows no name."""

    person: Callable[[str], str | None] = lambda user: None
    somebody: str = "colleague"
    channel: str = "channel"
    group: str = "team"
    emoji: Mapping[str, str] = field(default_factory=dict)


def plain(text: str, names: Names | None = None) -> str:
    """What a person who typed this meant: control sequences resolved, then unescaped."""
    names = names or Names()
    pieces = _CONTROL.split(text)
    return "".join(
        _meaning(piece, names) if index % 2 else _literal(piece, names) for index, piece in enumerate(pieces)
    )


def _literal(piece: str, names: Names) -> str:
    return unescape(_EMOJI.sub(lambda found: names.emoji.get(found.group(), found.group()), piece))


def _meaning(control: str, names: Names) -> str:
    target, _, label = control.partition("|")
    if target.startswith("@"):
        return f"@{names.person(target[1:]) or unescape(label) or names.somebody}"
    if target.startswith("#"):
        return f"#{unescape(label) or names.channel}"
    if target.startswith("!"):
        return _special(target[1:], unescape(label), names)
    return _address(unescape(target), unescape(label))


def _special(word: str, label: str, names: Names) -> str:
    if word.startswith("subteam^"):
        return label if label.startswith("@") else f"@{label or names.group}"
    if word.startswith("date^"):
        return label
    return f"@{word}"


def _address(url: str, label: str) -> str:
    """What was typed, where Slack itself made the link; both parts where a person gave the link a text of its own."""
    if not label:
        return url.removeprefix("mailto:").removeprefix("tel:")
    if any(_same(url, start + label) for start in _IMPLIED):
        return label
    return f"{label} ({url})"


def _same(url: str, typed: str) -> bool:
    return url.casefold().rstrip("/") == typed.casefold().rstrip("/")


def emoji_in(blocks: object) -> Mapping[str, str]:
    """The emoji that a message really holds, by shortcode: `:pray:` → 🙏. Custom ones have no character."""
    return dict(_emoji(blocks))


def _emoji(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _emoji(one)
    elif isinstance(value, dict):
        if value.get("type") == "emoji" and value.get("unicode"):
            yield _shortcode(value), _characters(str(value["unicode"]))
        for one in value.values():
            yield from _emoji(one)


def _shortcode(element: Mapping[str, Any]) -> str:
    tone = element.get("skin_tone")
    return f":{element.get('name')}::skin-tone-{tone}:" if tone else f":{element.get('name')}:"


def _characters(unicode: str) -> str:
    try:
        characters = "".join(chr(int(point, 16)) for point in unicode.split("-"))
        characters.encode()  # half a character is none
        return characters
    except (ValueError, OverflowError):  # UnicodeEncodeError is a ValueError
        return ""


# ------------------------------------------------------------------ notes

_WORDS = ("note", "notes", "メモ", "备注", "備註", "内部", "內部")
_BEFORE = re.compile("[\\s*_~`>\u2022\u200b-\u200f\u2060\ufeff]*")
_LONGEST = 40
"""Characters in which a note's opening must be complete, spaces and marks included."""


def note(text: str) -> str | None:
    """The note's own words if plain `text` is a note, else None.

    A note begins with `//`, or with one of the words above and a colon; case, width, spaces and Slack's formatting
    marks do not matter. When in doubt it is a note: words that stay inside do no harm.
    """
    start = _BEFORE.match(text)
    rest = text[start.end() if start else 0 :]
    for length in range(1, min(len(rest), _LONGEST) + 1):
        opening = _folded(rest[:length])
        if opening == "//" or _is_word_with_colon(opening):
            return rest[length:].lstrip(" \t　*_~`")
        if not _may_become_a_note(opening):
            return None
    return None


def _folded(text: str) -> str:
    """Without case, width, spaces and formatting marks."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in normal if not sign.isspace() and sign not in "*_~`")


def _is_word_with_colon(opening: str) -> bool:
    return opening.endswith(":") and opening[:-1] in _WORDS


def _may_become_a_note(opening: str) -> bool:
    return any(target.startswith(opening) for target in ("//", *(f"{word}:" for word in _WORDS)))


# ------------------------------------------------------------------ names


def one_line(text: str, limit: int) -> str:
    """A name fit to show: one line, no control or direction marks, at most `limit` characters."""
    kept = "".join(" " if sign.isspace() else sign for sign in text if not _is_control(sign))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _is_control(sign: str) -> bool:
    return not sign.isspace() and unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn")
