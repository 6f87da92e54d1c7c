"""Emoji: Discord sends characters as themselves, and a server's own as a name and an id.

A server's own emoji are pictures without a character: they stay their name.
"""

from __future__ import annotations

import re

_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_DRESSED = "\ufe0f"
"""Asks for the coloured form; Discord leaves it out of some reactions and not of others."""

SIGNS = ("👍", "🙏", "❤️", "😊", "👀")
"""What customers have, and what we put ourselves, as a session calls them."""

_KNOWN = {sign.replace(_DRESSED, ""): sign for sign in SIGNS}


def sign(name: str, own_id: str = "") -> str:
    """What a reaction is called in a session; whose skin it shows does not matter."""
    if own_id:
        return f":{name}:"
    bare = _TONES.sub("", name)
    return _KNOWN.get(bare.replace(_DRESSED, "")) or bare
