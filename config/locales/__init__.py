"""The wording: one JSON file per face and language, flat keys, `{name}` for what is filled in.

Three faces: `widget` (the customer), `desk` (the operator's page), `thread` (cards, lines and refusals on Slack and
Discord). Four languages; zh-Hant is a text of its own, not a conversion. docs/wording.md shows all of it in one table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

FACES = ("widget", "desk", "thread")
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
    found = wording[closest(language)].get(key) or wording[FALLBACK].get(key) or key
    return _GAP.sub(lambda gap: str(words.get(gap[1], gap[0])), found)


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
