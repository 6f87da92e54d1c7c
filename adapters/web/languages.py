"""Which of our languages a page's BCP 47 tag means, and which of some titles suits it."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT = "en"

_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})


def language_of(tag: str) -> str:
    """`zh-TW` → `zh-Hant`, `zh` → `zh-Hans`, `en-GB` → `en`; another language's base tag as it is, for its desk."""
    base, *rest = tag.lower().split("-")
    if not base:
        return DEFAULT
    if base == "zh":
        return "zh-Hant" if _TRADITIONAL.intersection(rest) else "zh-Hans"
    return base


def title_in(titles: Mapping[str, str], language: str) -> str:
    """The title in this language, else in its base language, else in English, else the first there is."""
    for tag in (language, language.split("-")[0], DEFAULT):
        if titles.get(tag):
            return titles[tag]
    return next(iter(titles.values()), "")
