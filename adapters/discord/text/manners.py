"""What an operator's words say of themselves: that they are a note, for a colleague, or for the customer outright."""

from __future__ import annotations

import re

from bridge.networks.openings import note_at, reply_at
from routing.inputs import Manner

_TO_A_COLLEAGUE = re.compile(
    r"(?:[\s*_~`>#\u2022\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff-]|\d+\. )*(?:<@[!&]?\d|@(?:here|everyone)\b)"
)


def manner(raw: str, text: str) -> tuple[Manner, int]:
    """How they are meant, and where what is meant begins in `text`. `raw` is Discord's own form, which tells a mention
    from words that merely look like one."""
    begins = note_at(text)
    if begins is not None:
        return Manner.NOTE, begins
    begins = reply_at(text)
    if begins is not None:
        return Manner.REPLY, begins
    return (Manner.ADDRESSED if _TO_A_COLLEAGUE.match(raw) else Manner.PLAIN), 0
