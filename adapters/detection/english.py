"""Is it an English sentence, or only English words in somebody's own language?

Customers everywhere write "login error" and "KYC pending". What makes English of it are the small words that only
a sentence needs.
"""

from __future__ import annotations

import re

from adapters.detection.words import PLAIN_WORDS, SMALL_WORDS

_SMALL, _PLAIN = frozenset(SMALL_WORDS), frozenset(PLAIN_WORDS)
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?")


def words_of(text: str) -> list[str]:
    """The words in plain Latin letters, in lower case. A number's or name's rests of one letter are no words."""
    found = [word.replace("’", "'") for word in _WORD.findall(text.lower())]
    return [word for word in found if len(word) > 1 or word in ("i", "a")]


def share(words: list[str]) -> float:
    """How much of it is English, from 0 to 1; 0 without a single small word."""
    small = sum(word in _SMALL for word in words)
    known = small + sum(word in _PLAIN for word in words)
    return known / len(words) if small else 0.0
