"""The wording: one JSON file per face and language, flat keys, `{name}` for what is filled in.

Five faces: `notice` (what a customer is told of their session), `widget` (the rest of the customer's page), `desk` (the
operator's page), `thread` (cards, lines and refusals on Slack and Discord), `page` (what pagers say, and the digest at
a change of shift). Four languages; zh-Hant is a text of its own, not a conversion. docs/wording.md shows all of it in
one table.

A text with a number in it has a form for each plural category of its language (CLDR's, by Babel; the browser's
Intl.PluralRules has the same): `{count}` chooses by the cardinal rules, `{nth}` by the ordinal ones, and a form such as
`.=1` is for that very number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from babel import Locale

FACES = ("notice", "widget", "desk", "thread", "page")
LANGUAGES = ("ja", "en", "zh-Hans", "zh-Hant")
FALLBACK = "en"

_TRADITIONAL = ("hant", "tw", "hk", "mo")
_GAP = re.compile(r"\{(\w+)\}")
_HERE = Path(__file__).parent


@cache
def load(face: str) -> Mapping[str, Mapping[str, str]]:
    """A face's wording: language → key → text. Raises FileNotFoundError for what is not a face."""
    wording = {language: _read(_HERE / face / f"{language}.json") for language in LANGUAGES}
    return MappingProxyType(wording)


def text(face: str, language: str, key: str, /, **words: object) -> str:
    """One text, in the language closest to `language`, else in English, with its gaps filled.

    What is filled in stands as it is, braces and all. A key that no language has comes back itself: tests keep the
    files complete, and a line that reads oddly is better than one that is not sent.
    """
    wording = load(face)
    found = (
        _found(wording[closest(language)], closest(language), key, words)
        or _found(wording[FALLBACK], FALLBACK, key, words)
        or key
    )
    return _GAP.sub(lambda gap: str(words.get(gap[1], gap[0])), found)


def thread_words(language: str, key: str, /, **words: str) -> str:
    """What an operator reads in a session's thread (`bridge.networks.card.Wording`)."""
    return text("thread", language, key, **words)


def customers() -> Mapping[str, Mapping[str, str]]:
    """All that the customer's page may say: language → key → text."""
    return {language: {**load("notice")[language], **load("widget")[language]} for language in LANGUAGES}


def _found(texts: Mapping[str, str], language: str, key: str, words: Mapping[str, object]) -> str | None:
    """The text of a key: where it has forms, the one for the number."""
    for gap, category in (("nth", ordinal), ("count", cardinal)):
        number = words.get(gap)
        if isinstance(number, int):
            form = texts.get(f"{key}.={number}") or texts.get(f"{key}.{category(language, number)}")
            if form is not None:
                return form
    return texts.get(key)


def cardinal(language: str, number: int) -> str:
    """CLDR's category for "so many": `one`, `other` …"""
    return _locale(language).plural_form(number)


def ordinal(language: str, number: int) -> str:
    """CLDR's category for "the so-and-so-many-eth"."""
    return _locale(language).ordinal_form(number)


def forms(language: str, gap: str) -> frozenset[str]:
    """Every category that a text with this gap (`count` or `nth`) needs in a language."""
    locale = _locale(language)
    rules = locale.ordinal_form if gap == "nth" else locale.plural_form
    return frozenset(rules.tags) | {"other"}


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")


def closest(language: str) -> str:
    """Which of our languages serves a language tag: `zh-TW` → `zh-Hant`, `ja-JP` → `ja`, `fr` → `en`."""
    base, *rest = language.replace("_", "-").lower().split("-")
    if base == "zh":
        return "zh-Hant" if any(part in _TRADITIONAL for part in rest) and "hans" not in rest else "zh-Hans"
    return base if base in LANGUAGES else FALLBACK


def gaps(wording: str) -> frozenset[str]:
    """The names in braces: every language's text of a key has the same ones."""
    return frozenset(_GAP.findall(wording))


def _read(path: Path) -> Mapping[str, str]:
    wording: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return MappingProxyType(wording)
