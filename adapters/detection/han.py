"""Whose Chinese characters are these? Evidence from the old national character sets, which Python's codecs know.

Each set has the characters of its own country's script, the frequent ones first: a character that only GB 2312 has is
simplified, one that only JIS X 0208 has is a Japanese shinjitai. What all share says nothing, and nothing is said then.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from adapters.detection.words import CHINESE_WORDS, JAPANESE_WORDS

JA, HANS, HANT = "ja", "zh-Hans", "zh-Hant"
CHINESE, UNSIMPLIFIED = "zh", "unsimplified"
OLD = "old"
"""Given up in Japan but for names (渡邊, 齋藤, 國雄): alone it says nothing."""

ABSENT, FREQUENT, RARE = 0, 1, 2

# Codecs, and the lead byte up to which each set keeps its frequent characters (JIS, GB and Big5 level 1).
_SETS = {JA: ("shift_jis", 0x98), HANS: ("gb2312", 0xD7), HANT: ("big5", 0xC6)}

_CANNOT = re.compile("不[上到了開开進进見见懂清會会來下]")
"""Verbs that do not come off: 收不到, 登不上. In Japanese 不 begins a word (不動産), and none of these follows."""

_GRAMMAR = frozenset("不了要的何是有在")
"""Beside a character that Japan keeps for names, these make a Chinese sentence of it: 匯率不對, 充錯鏈了."""

_SAYS = {
    frozenset({JA}): JA,
    frozenset({HANS}): HANS,
    frozenset({HANT}): HANT,
    frozenset({HANS, HANT}): CHINESE,
    frozenset({JA, HANT}): UNSIMPLIFIED,
}
"""What follows from whose sets a character is in."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many characters speak for each, and of Chinese which script they were written in."""

    japanese: int = 0
    chinese: int = 0
    simplified: int = 0
    traditional: int = 0

    @property
    def verdict(self) -> str | None:
        """None while nothing, or not one thing, is said."""
        if self.japanese and self.chinese:
            return None
        if self.japanese:
            return JA
        if not self.chinese or (self.simplified and self.traditional):
            return None
        return HANT if self.traditional else HANS


def weigh(text: str) -> Evidence:
    """The evidence of a text's Chinese characters; `text` has no kana."""
    signs = Counter(_sign(letter) for letter in text if is_han(letter))
    spoken = sum(word in text for word in CHINESE_WORDS) + len(_CANNOT.findall(text))
    if signs[OLD] and not _GRAMMAR.isdisjoint(text):
        spoken += 1
    return Evidence(
        japanese=signs[JA] + sum(word in text for word in JAPANESE_WORDS),
        chinese=signs[HANS] + signs[HANT] + signs[CHINESE] + spoken,
        simplified=signs[HANS],
        traditional=signs[HANT] + signs[OLD] + signs[UNSIMPLIFIED],
    )


def is_han(letter: str) -> bool:
    """Whether it is a CJK ideograph of the planes that the old sets cover, and their neighbours."""
    return "\u4e00" <= letter <= "\u9fff" or "\u3400" <= letter <= "\u4dbf" or letter in "々〆〇"


@lru_cache(maxsize=8_192)
def _sign(letter: str) -> str:
    """What one character says: a language, CHINESE, OLD, UNSIMPLIFIED, or nothing."""
    levels = {name: _level(letter, codec, frequent) for name, (codec, frequent) in _SETS.items()}
    has = frozenset(name for name, level in levels.items() if level)
    if has == {HANT} and levels[HANT] == RARE:
        return ""
    if has == {JA, HANT} and levels[JA] == RARE and levels[HANT] == FREQUENT:
        return OLD
    return _SAYS.get(has, "")


def _level(letter: str, codec: str, frequent: int) -> int:
    try:
        lead = letter.encode(codec)[0]
    except UnicodeEncodeError:
        return ABSENT
    return FREQUENT if lead <= frequent else RARE
