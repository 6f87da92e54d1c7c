"""Discord's written form of text: how words are kept from being markup.

A customer's words stand in a code block: Discord draws no mention, link, emoji, heading or preview in it, copies it as
it is, and has one rule that ends it, which `fenced` breaks. Names and other short things within our own lines are
escaped sign by sign (`escape`); letters and digits never are, so that ids and addresses copy as they were written.

Discord takes some signs out of a text before it reads it, and does not document which: what stands on both sides of one
is then side by side. So nothing here may hang on a sign that is not seen.

Whom the server rings is another matter: it looks past backslashes. Only `allowed_mentions` stops that, see `render`.
"""

from __future__ import annotations

import re

FENCE = "```"

_TAKEN_OUT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls, and marks that turn the direction of writing. Discord takes them out, so we do first."""

_UNSEEN = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u0300-\u036f\u0483-\u0489\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u3164\ud800-\uf8ff\ufe00-\ufe0f"
    "\ufe20-\ufe2f\ufeff\uffa0\ufff0-\uffff\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)
"""What may be taken out, or is in a text that has very much of it: signs without width, and what stands upon others."""

_ANY_UNSEEN = re.compile(_UNSEEN)
_FENCES = re.compile(f"`(?:{_UNSEEN}*`){{2,}}")
_BREAK = "\u200b"
"""Between two backticks, where three would end the block: it has no width, and Discord leaves it."""

_SIGNS = re.compile(r"([\\*_~|`<>@#:\[\]])")
"""What begins, ends or makes up Discord's markup anywhere in a line."""

_OPENINGS = re.compile(r"^([ \t]*)([-+]|\d{1,10}(?=[.)]))", re.MULTILINE | re.ASCII)
"""What makes a line a list or small print. A number's own digits cannot be escaped, so its full stop is."""


def _with_gaps(word: str) -> str:
    return f"{_UNSEEN}*".join(map(re.escape, word))


_INVITES = re.compile(
    rf"({_with_gaps('dis')}(?:{_UNSEEN}*{_with_gaps('cord')})?(?:{_UNSEEN}*{_with_gaps('app')})?)"
    rf"(?={_UNSEEN}*\.{_UNSEEN}*(?:{'|'.join(map(_with_gaps, ('gg', 'com', 'gd', 'new', 'gift')))}))",
    re.IGNORECASE,
)
"""Addresses that a client looks for in the text as it came, wherever they stand."""


def units(text: str) -> int:
    """How long Discord counts a text at most: as JavaScript does, where an emoji is two."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def kept(text: str) -> str:
    """What Discord keeps of a text, as far as that is known."""
    return _TAKEN_OUT.sub("", text)


def certain(text: str) -> str:
    """What a message that was read back still says of this, whatever Discord took out of it."""
    return _ANY_UNSEEN.sub("", kept(text)).strip()


def fenced(text: str) -> str:
    """Words in a block in which nothing acts. They are shown as they were written, and copied so: all but a row of
    three backticks, which has signs without width in it."""
    inside = _FENCES.sub(lambda row: row[0].replace("`", f"`{_BREAK}")[:-1], kept(text))
    shown = inside if inside.strip("\n") else f"{inside}{_BREAK}"  # a block of nothing is none
    return f"{FENCE}\n{shown}\n{FENCE}"


def escape(text: str) -> str:
    """Words among our own, with nothing in them that acts."""
    signs = _SIGNS.sub(r"\\\1", kept(text))
    lines = _OPENINGS.sub(_opening, signs)
    return _INVITES.sub(lambda name: f"{name[1]}\\", lines)


def _opening(found: re.Match[str]) -> str:
    return found[0] + "\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}"


def escaped_within(text: str, limit: int) -> str:
    """The escaped text, shortened to `limit` as Discord counts without cutting an escape in two."""
    short = text[:limit]
    whole = escape(short)
    while units(whole) > limit:
        short = short[: len(short) - max(1, (units(whole) - limit) // 3)]
        whole = escape(short)
    return whole
