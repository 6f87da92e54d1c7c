"""Discord's written form of text: how words are kept from being markup.

A customer's words stand in a code block: Discord draws no mention, link, emoji, heading or preview in it, copies it as
it is, and has one rule that ends it, which `fenced` breaks. Names and other short things within our own lines are
escaped sign by sign (`escape`); letters and digits never are, so that ids and addresses copy as they were written.

Whom the server rings is another matter: it looks past backslashes. Only `allowed_mentions` stops that, see `render`.
"""

from __future__ import annotations

import re

FENCE = "```"

_FENCES = re.compile("`{3,}")
_BREAK = "\u200b"
"""Between two backticks, where three would end the block: it has no width."""

_SIGNS = re.compile(r"([\\*_~|`<>@#:\[\]])")
"""What begins, ends or makes up Discord's markup anywhere in a line."""

_OPENINGS = re.compile(r"^([ \t]*)([-+]|\d{1,10}(?=[.)]))", re.MULTILINE | re.ASCII)
"""What makes a line a list or small print. A number's own digits cannot be escaped, so its full stop is."""

_INVITES = re.compile(r"(discord(?:app)?|dis)(?=\.(?:gg|com|gd|new|gift))", re.IGNORECASE)
"""Addresses that a client looks for in the text as it came, wherever they stand."""


def units(text: str) -> int:
    """How long Discord counts a text at most: as JavaScript does, where an emoji is two."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def fenced(text: str) -> str:
    """Words in a block in which nothing acts. They are shown as they were written, and copied so: all but a row of
    three backticks, which has a sign without width in it."""
    inside = _FENCES.sub(lambda row: _BREAK.join(row[0]), text)
    return f"{FENCE}\n{inside}\n{FENCE}"


def escape(text: str) -> str:
    """Words among our own, with nothing in them that acts."""
    signs = _SIGNS.sub(r"\\\1", text)
    lines = _OPENINGS.sub(_opening, signs)
    return _INVITES.sub(lambda name: f"{name[1]}\\", lines)


def _opening(found: re.Match[str]) -> str:
    return found[0] + "\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}"


def escaped_within(text: str, limit: int) -> str:
    """The escaped text, shortened to `limit` as Discord counts without cutting an escape in two."""
    kept = text[:limit]
    whole = escape(kept)
    while units(whole) > limit:
        kept = kept[: len(kept) - max(1, (units(whole) - limit) // 3)]
        whole = escape(kept)
    return whole
