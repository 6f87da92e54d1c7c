"""The languages that are spoken here, and the tag that is meant where a person writes one on a command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bridge.errors import KakehashiError
from routing.policy import Policy

LANGUAGES = ("ja", "en", "zh-Hans", "zh-Hant")
"""Those of the faces: every page, notice and label is there in these four."""

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.ASCII)
_TRADITIONAL = frozenset(("hant", "tw", "hk", "mo"))
_MISNAMED = {"jp": "ja", "cn": "zh-Hans", "tw": "zh-Hant", "hk": "zh-Hant"}
"""Countries, where their language is meant. (`uk` is not here: it is Ukrainian.)"""


class LanguageError(KakehashiError):
    """What was written is no language, or none that is spoken here."""


def spoken(policy: Policy) -> tuple[str, ...]:
    """The faces' four, and whatever else a desk says that it speaks."""
    return tuple(dict.fromkeys((*LANGUAGES, *(one for desk in policy.desks.values() for one in desk.languages))))


def language_tag(text: str, known: Iterable[str], where: str) -> str:
    """The tag that is meant, for any language there is: `EN` → `en`, `zh-tw` → `zh-Hant`, `fr-CA` → `fr`.

    Raises LanguageError for what is no tag, and for a country's. `known` are named as the mend.
    """
    wanted, known = text.strip().casefold(), tuple(known)
    exact = next((one for one in known if one.casefold() == wanted), None)
    if exact is not None:
        return exact
    if not _TAG.fullmatch(wanted) or wanted in _MISNAMED:
        raise _unknown(text, known, where)
    base, *rest = wanted.split("-")
    if base == "zh":
        return "zh-Hant" if _TRADITIONAL.intersection(rest) else "zh-Hans"
    return base


def known_words(words: Iterable[tuple[str, str]], known: Iterable[str], where: str) -> Mapping[str, str]:
    """Words by their languages, each of which must be one of `known`. Raises LanguageError."""
    known, found = tuple(known), dict[str, str]()
    for written, text in words:
        language = language_tag(written, known, where)
        if language not in known:
            raise _unknown(written, known, where)
        found[language] = text
    return found


def _unknown(text: str, known: tuple[str, ...], where: str) -> LanguageError:
    what = f"there is no language {text.strip()}" if text.strip() else "no language is given"
    meant = _MISNAMED.get(text.strip().casefold())
    hint = f"perhaps you mean {meant}: " if meant else ""
    return LanguageError(what, where=where, mend=f"{hint}choose from {', '.join(known)}")
