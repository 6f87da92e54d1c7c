"""The detector: what a message is written in, where that can be told; `None` where it cannot.

Scripts go first, since they are certain: kana is Japanese, hangul Korean. Chinese characters alone are weighed by
`han`. Words in Latin letters are English only when the small words of English say so and lingua does not contradict.

Measured on the corpus in tests/unit/adapters/detection, see docs/decisions/0016-language-detection.md.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from lingua import Language, LanguageDetectorBuilder

from adapters.detection import english, han
from bridge.verbatim import language_only

READ_AT_MOST = 400
"""Characters of a message that are looked at: what is said in them is said."""

MIN_KANA = 2
"""A single kana may be a smiley; beside Chinese characters it is Japanese, but for の, which Chinese shops adorn."""

MIN_HAN = 2
MIN_WORDS = 2
"""English words. "hello" and "ok" are said everywhere."""

MIN_SHARE = 0.5
"""Of the words: how many must be English ones."""

CERTAIN_SHARE = 0.8
"""With so many English words lingua is not asked: of three-word sentences it knows less than the words do."""

MIN_CONFIDENCE = 0.5
"""lingua's, that it is English rather than one of NEIGHBOURS."""

NEIGHBOURS = (
    Language.SPANISH,
    Language.FRENCH,
    Language.GERMAN,
    Language.PORTUGUESE,
    Language.ITALIAN,
    Language.INDONESIAN,
    Language.VIETNAMESE,
)
"""Languages in Latin letters that customers write, too. Without them to choose from, lingua calls all of it English."""

KAOMOJI = str.maketrans("", "", "ツッシωДдノ乂□皿◇ヽヾゞ")
"""Letters that faces are made of."""


@dataclass(frozen=True, slots=True)
class _Letters:
    """How many letters of each script; `words` are those in plain Latin letters."""

    kana: int
    han: int
    hangul: int
    accented: int
    foreign: int
    words: list[str]


class Detector:
    """`bridge.detection.Detector` with lingua. Building it loads the models: some 150 ms, with the interpreter held."""

    def __init__(self) -> None:
        languages = (Language.ENGLISH, Language.JAPANESE, Language.CHINESE, Language.KOREAN, *NEIGHBOURS)
        # All n-grams would take 190 MB and, with the interpreter held, three seconds to load; trigrams are enough here.
        self._lingua = LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode().build()
        self._english_confidence("please load your models now")

    def detect(self, text: str) -> str | None:
        """`ja`, `zh-Hans`, `zh-Hant`, `en` or `ko`; None where nothing, or not one thing, can be told."""
        plain = unicodedata.normalize("NFKC", language_only(text[:READ_AT_MOST]))
        letters = _count(plain)
        if letters.foreign > letters.kana + letters.han + letters.hangul + len(letters.words):
            return None
        if 2 * len(letters.words) >= 3 * (letters.kana + letters.han + letters.hangul):
            return "en" if self._is_english(plain, letters) else None
        return _east_asian(plain, letters)

    def _is_english(self, text: str, letters: _Letters) -> bool:
        if len(letters.words) < MIN_WORDS or letters.accented:
            return False
        share = english.share(letters.words)
        if share >= CERTAIN_SHARE:
            return True
        return share >= MIN_SHARE and self._english_confidence(" ".join(letters.words)) >= MIN_CONFIDENCE

    def _english_confidence(self, text: str) -> float:
        return self._lingua.compute_language_confidence(text, Language.ENGLISH)


def _east_asian(text: str, letters: _Letters) -> str | None:
    """Words in Latin letters may stand in between: アプリのlogin."""
    if letters.hangul:
        return "ko" if letters.hangul >= MIN_KANA and not letters.kana and letters.hangul >= letters.han else None
    evidence = han.weigh(text)
    if letters.kana >= MIN_KANA or (letters.kana and letters.han and "の" not in text):
        return None if evidence.simplified else "ja"
    if letters.han < MIN_HAN or letters.kana:
        return None
    return evidence.verdict


def _count(text: str) -> _Letters:
    kana = hangul = accented = foreign = ideographs = 0
    for letter in text.translate(KAOMOJI):
        if not letter.isalpha() or letter.isascii():
            continue
        if _is_kana(letter):
            kana += 1
        elif han.is_han(letter):
            ideographs += 1
        elif "\uac00" <= letter <= "\ud7a3":
            hangul += 1
        elif letter <= "\u024f" or "\u1e00" <= letter <= "\u1eff":
            accented += 1
        else:
            foreign += 1
    return _Letters(kana, ideographs, hangul, accented, foreign, english.words_of(text))


def _is_kana(letter: str) -> bool:
    return "\u3041" <= letter <= "\u3096" or "\u30a1" <= letter <= "\u30fa"
