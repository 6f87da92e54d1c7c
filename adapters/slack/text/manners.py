"""What an operator's words say of themselves: that they are a note, for a colleague, or for the customer outright."""

from __future__ import annotations

import re

from bridge.networks.openings import note_at, reply_at
from routing.inputs import Manner

_BEFORE = r"(?:[\s*_~`•\u200b-\u200f\u2060\ufeff]|&gt;|\d+\. )*"  # Slack writes the sign of a quote escaped
_TO_A_COLLEAGUE = re.compile(_BEFORE + r"<(?:@[UWB]|!subteam\^|!here|!channel|!everyone)")


def manner(raw: str, text: str) -> tuple[Manner, int]:
    """How they are meant, and where what is meant begins in `text`. `raw` is Slack's own form, which tells a mention
    from words that merely look like one."""
    begins = note_at(text)
    if begins is not None:
        return Manner.NOTE, begins
    begins = reply_at(text)
    if begins is not None:
        return Manner.REPLY, begins
    return (Manner.ADDRESSED if _TO_A_COLLEAGUE.match(raw) else Manner.PLAIN), 0
