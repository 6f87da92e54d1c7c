"""Templates: replies that a desk has ready, in each of its customers' languages, with gaps to be filled. Pure.

A gap is `{name}`. Some are known of the session (`{customer}`, `{operator}`, `{code}`, `{desk}`, `{topic}`, and the
site's claims by their names); the others an operator fills in. What is missing stops the send: half a sentence reaches
nobody.

Typed in a thread a template is `;code`, with what it needs behind: `;refund amount="5.00 USDT" days=3`. Width and case
do not matter, since an input method may still be on (`；ｒｅｆｕｎｄ`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from bridge.messages import TEXT_LIMIT
from routing.ids import Topic

CODE = r"[a-z0-9][a-z0-9_.-]{0,39}"
GAP = re.compile(r"\{([A-Za-z][A-Za-z0-9_.-]{0,39})\}")

_TYPED = re.compile(rf"\s*;({CODE})(?=\s|$)", re.ASCII)
_GIVEN = re.compile(r"([^\s=＝]+)\s*[=＝]\s*(?:\"([^\"]*)\"|“([^”]*)”|「([^」]*)」|(\S*))")
_LONGEST = 200
"""Characters in which a typed code must be complete, however wide it was typed."""


@dataclass(frozen=True, slots=True)
class Template:
    """`words` by language; `topics` are those that it is offered first for."""

    code: str
    words: Mapping[str, str]
    title: str = ""
    topics: tuple[Topic, ...] = ()

    def in_language(self, language: str) -> str | None:
        """Its words for a customer of this language. Another script of the same language is not theirs."""
        return self.words.get(language) or self.words.get(language.split("-")[0])

    def gaps(self, language: str) -> tuple[str, ...]:
        """The names of its gaps, in their order, each once."""
        return gaps(self.in_language(language) or "")


@dataclass(frozen=True, slots=True)
class Filled:
    text: str


@dataclass(frozen=True, slots=True)
class Lacking:
    """It cannot go out: there are no words in that `language`, `names` are unknown, or it grew `too_long`."""

    language: str = ""
    names: tuple[str, ...] = ()
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """`;code`, and what was given for its gaps."""

    code: str
    given: Mapping[str, str] = field(default_factory=dict)


def gaps(words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(GAP.findall(words)))


def fill(template: Template, language: str, known: Mapping[str, str]) -> Filled | Lacking:
    """Its words with every gap filled. What is filled in stands as it is, braces and all."""
    words = template.in_language(language)
    if words is None:
        return Lacking(language=language)
    names = tuple(name for name in gaps(words) if not known.get(name, "").strip())
    if names:
        return Lacking(names=names)
    text = GAP.sub(lambda gap: known[gap[1]].strip(), words)
    return Lacking(too_long=True) if len(text) > TEXT_LIMIT else Filled(text)


def completed(words: str, missing: Sequence[str], given: Mapping[str, str]) -> Filled | Lacking:
    """Words that somebody has changed by hand, with those of the `missing` gaps filled that they have left standing."""
    left = [name for name in missing if f"{{{name}}}" in words]
    names = tuple(name for name in left if not given.get(name, "").strip())
    if names:
        return Lacking(names=names)
    text = GAP.sub(lambda gap: given[gap[1]].strip() if gap[1] in left else gap[0], words).strip()
    return Lacking(too_long=True) if len(text) > TEXT_LIMIT else Filled(text)


def ranked(templates: Iterable[Template], topic: Topic, language: str, used: Mapping[str, int]) -> list[Template]:
    """Those with words for this customer: of their topic first, then for any topic, then the others; in each the
    most used first."""

    def place(template: Template) -> tuple[int, int, str]:
        fits = 0 if topic in template.topics else 1 if not template.topics else 2
        return fits, -used.get(template.code, 0), template.code

    return sorted((one for one in templates if one.in_language(language) is not None), key=place)


def typed(text: str) -> Typed | None:
    """What an operator typed, if it is a template's code. `;)` is none, and neither is a semicolon in a sentence."""
    folded = unicodedata.normalize("NFKC", text[:_LONGEST]).casefold()
    found = _TYPED.match(folded)
    if found is None:
        return None
    rest = text[_length_of(text, found.end()) :]
    return Typed(found[1], {_name(given[1]): _value(given) for given in _GIVEN.finditer(rest)})


def _length_of(text: str, folded: int) -> int:
    """How many characters as typed became so many when they were folded: some fold to several."""
    for length in range(1, min(len(text), _LONGEST) + 1):
        if len(unicodedata.normalize("NFKC", text[:length]).casefold()) >= folded:
            return length
    return len(text)


def _name(name: str) -> str:
    return unicodedata.normalize("NFKC", name)


def _value(given: re.Match[str]) -> str:
    return next((value for value in given.groups()[1:] if value), "")


def named(templates: Sequence[Template], code: str) -> Template | None:
    return next((one for one in templates if one.code == code), None)


def nearest(templates: Sequence[Template], code: str, count: int = 3) -> list[str]:
    """Codes that may have been meant; the likeliest first."""
    codes = [one.code for one in templates]
    begin = [one for one in codes if one.startswith(code[:3])]
    return list(dict.fromkeys([*get_close_matches(code, codes, count, 0.5), *begin]))[:count]
