"""Which of our languages a page's BCP 47 tag means."""

from __future__ import annotations

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
