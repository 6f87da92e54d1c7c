"""Commands: what operators type, read. Pure; whatever network it was typed on.

In a thread a command begins with a sign, `!` or `/`, and stands at the head of its message; what follows a slash
command of the network (`/chat mine`) needs none. Signs and words are matched after NFKC, without case, spaces and
formatting marks, in every language at once: colleagues type what their keyboard is set to.

A line with a sign and a word that is no command is *mistyped*, and so is a command that stands further down. Neither
is a reply: what was meant for us must not reach the customer. `!`, `/ 5` and `//` begin no command; the last is a note.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from difflib import get_close_matches
from enum import StrEnum
from typing import Generic, TypeVar

from routing.inputs import Outcome
from routing.policy import HOUR, MINUTE

SIGNS = "!/"

NEAREST = 3
"""Commands named to who mistyped one."""


class Verb(StrEnum):
    """What can be asked for by typing."""

    CLAIM = "claim"
    RELEASE = "release"
    HOLD = "hold"
    RESOLVE = "resolve"
    TRANSFER = "transfer"
    ESCALATE = "escalate"
    ACKNOWLEDGE = "ack"
    NOTE = "note"
    SEND = "send"
    HOME = "home"
    QUEUE = "queue"
    MINE = "mine"
    AWAY = "away"
    BACK = "back"
    FIND = "find"
    HELP = "help"


IN_THREAD = (
    Verb.CLAIM, Verb.RELEASE, Verb.HOLD, Verb.RESOLVE, Verb.TRANSFER, Verb.ESCALATE, Verb.ACKNOWLEDGE,
    Verb.NOTE, Verb.SEND,
)  # fmt: skip
"""These are about the session in whose thread they are typed; the others are about whoever types them."""

ANYWHERE = tuple(verb for verb in Verb if verb not in IN_THREAD)

RESULTS = (Outcome.SOLVED, Outcome.UNSOLVED, Outcome.NO_ANSWER, Outcome.SPAM)
"""Outcomes that an operator may name."""


@dataclass(frozen=True, slots=True)
class Command:
    """`argument` is what follows, as it was typed, trimmed; of a note or a reply these are its words, and `begins`
    says where they do in the whole text."""

    verb: Verb
    argument: str = ""
    begins: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Mistyped:
    """No command. `nearest` are words that are. `misplaced`: it is one, but does not stand at the head."""

    word: str
    nearest: tuple[str, ...] = ()
    misplaced: bool = False


Meaning = TypeVar("Meaning", bound=StrEnum)
Wording = Callable[[str, str], str]
"""A text by (language, key)."""


class Words(Generic[Meaning]):
    """Which words mean what. The first word of a meaning that is read is the one that it is called by."""

    def __init__(self, words: Mapping[Meaning, Iterable[str]]) -> None:
        self._meanings = {folded(word): meaning for meaning, some in words.items() for word in (meaning.value, *some)}

    @classmethod
    def read(
        cls, meanings: Iterable[Meaning], prefix: str, wording: Wording, languages: Iterable[str]
    ) -> Words[Meaning]:
        """From the locale files, where `prefix.meaning` is a list with commas."""
        known = tuple(languages)
        return cls({one: [w for tag in known for w in spoken(wording(tag, f"{prefix}.{one}"))] for one in meanings})

    def get(self, word: str) -> Meaning | None:
        return self._meanings.get(folded(word))

    def nearest(self, word: str) -> tuple[str, ...]:
        """The words that were perhaps meant, the likeliest first, one for each meaning."""
        sought, found = folded(word), dict[Meaning, str]()
        begun = [
            one for one in self._meanings if sought.startswith(one) or (len(sought) > 1 and one.startswith(sought))
        ]
        alike = get_close_matches(sought, self._meanings, NEAREST, 0.6)
        for one in (*sorted(begun, key=len, reverse=True), *alike):
            found.setdefault(self._meanings[one], one)
        return tuple(found.values())[:NEAREST]


Vocabulary = Words[Verb]


def spoken(listed: str) -> list[str]:
    """The words of a text that lists them: `claim, take`."""
    return [word for one in re.split("[,、，]", listed) if (word := one.strip())]


def folded(text: str) -> str:
    """Without case, width, spaces, formatting marks and what cannot be seen."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    kept = (sign for sign in normal if not sign.isspace() and sign not in "*_~`" and unicodedata.category(sign) != "Cf")
    return "".join(kept)


# ------------------------------------------------------------------ lines

_MARKS = "*_~`>\u2022"
_AFTER = re.compile("[\\s*_~`\u200b-\u200f\u2060\ufeff]*[:：]?[ \\t\u3000*_~`]*")


def typed(text: str, vocabulary: Vocabulary) -> Command | Mistyped | None:
    """What plain `text`, written in a session's thread, asks for; None: it is no command, but words."""
    lead = len(text) - len(text.lstrip())
    head, *below = text.strip().splitlines() or [""]
    found = _line(head, vocabulary)
    if isinstance(found, Mistyped):
        return found
    words = [found.argument] if found is not None and found.verb is Verb.SEND else []
    further = next((word for line in (*words, *below) if (word := _word_of(line, vocabulary))), None)
    if found is None:
        return Mistyped(further, misplaced=True) if further else None
    if found.verb is Verb.NOTE or (found.verb is Verb.SEND and not further):
        said = "\n".join((found.argument, *below)).strip()
        return Command(found.verb, said, lead + found.begins)
    if any(line.strip() for line in (*words, *below)):
        return Mistyped(further or found.verb, misplaced=True)
    return found


def asked(text: str, vocabulary: Vocabulary) -> Command | Mistyped:
    """What is typed after the network's own command, with or without a sign; nothing at all asks for everything."""
    return _command(text, _begin(text, _after_sign(text)), vocabulary) or Command(Verb.HOME)


def _line(line: str, vocabulary: Vocabulary) -> Command | Mistyped | None:
    start = _after_sign(line)
    return _command(line, _begin(line, start), vocabulary) if start else None


def _word_of(line: str, vocabulary: Vocabulary) -> str | None:
    """The command that a line further down is; words that are none are somebody's address or path."""
    found = _line(line, vocabulary)
    return found.verb if isinstance(found, Command) else None


def _after_sign(line: str) -> int:
    """Where the sign ends that stands at the head; 0 where there is none."""
    at = _begin(line, 0)
    sign = unicodedata.normalize("NFKC", line[at : at + 1])
    return at + 1 if sign in tuple(SIGNS) else 0


def _begin(line: str, at: int) -> int:
    """From `at` on, the first character that is neither space nor a formatting mark, and can be seen."""
    while at < len(line) and (line[at].isspace() or line[at] in _MARKS or unicodedata.category(line[at]) == "Cf"):
        at += 1
    return at


def _command(line: str, at: int, vocabulary: Vocabulary) -> Command | Mistyped | None:
    """A command's word begins at `at`. Letters end where a number begins: `hold30m`."""
    end = next((place for place in range(at, len(line)) if not _is_letter(line[place])), len(line))
    if end == at:
        return None
    verb = vocabulary.get(line[at:end])
    if verb is None:
        word = unicodedata.normalize("NFKC", line[at:end])
        return Mistyped(word, vocabulary.nearest(word))
    gap = _AFTER.match(line, end)
    begins = gap.end() if gap else end
    return Command(verb, line[begins:].strip(), begins)


def _is_letter(sign: str) -> bool:
    """Half-width kana carry their voicing marks behind them."""
    return all(unicodedata.category(one)[0] in "LM" for one in unicodedata.normalize("NFKC", sign))


# ------------------------------------------------------------------ what follows a command

_H = "h|hr|hrs|hour|hours|時間|小时|小時|个小时|個小時"
_M = "m|min|mins|minute|minutes|分|分間|分钟|分鐘"
_SPAN = re.compile(f"(?:(?P<h>\\d{{1,3}})(?:{_H})(?P<half>半)?)?(?:(?P<m>\\d{{1,4}})(?:{_M})?)?")
_NOON = {"am": 0, "午前": 0, "上午": 0, "pm": 12, "午後": 12, "下午": 12}
_HALF_DAY = "|".join(_NOON)
_CLOCK = re.compile(
    f"(?P<before>{_HALF_DAY})?(?P<h>\\d{{1,2}})(?::(?P<m>\\d{{2}})|[時时點点](?:(?P<n>\\d{{1,2}})分?|(?P<half>半))?)?(?P<after>{_HALF_DAY})?"
)
_UNTIL = ("until", "till", "by", "まで", "到")


def until(argument: str, now: int, zone: tzinfo) -> int | None:
    """The moment that a hold names: so long from `now` (ms since 1970, UTC), or the next time that clocks in `zone`
    show it. `30m`, `1h30m`, `90`, `2時間`, `15:00`, `3pm`, `15時半`. None for what is neither."""
    text = folded(argument)
    for word in _UNTIL:
        text = text.removeprefix(word).removesuffix(word)
    clock = _CLOCK.fullmatch(text)
    if clock is not None and (text.strip("0123456789")):
        return _next(clock, now, zone)
    span = _SPAN.fullmatch(text)
    if span is None or not text:
        return None
    hours, minutes = int(span["h"] or 0), int(span["m"] or 0) + (30 if span["half"] else 0)
    return now + hours * HOUR + minutes * MINUTE


def _next(clock: re.Match[str], now: int, zone: tzinfo) -> int | None:
    hour, minute = int(clock["h"]), int(clock["m"] or clock["n"] or (30 if clock["half"] else 0))
    half = clock["before"] or clock["after"]
    if half is not None:
        hour = hour % 12 + _NOON[half] if 1 <= hour <= 12 else 24
    if hour > 23 or minute > 59:
        return None
    here = datetime.fromtimestamp(now / 1000, zone)
    there = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if there <= here:
        there = (there + timedelta(days=1)).replace(hour=hour, minute=minute)
    return int(there.timestamp() * 1000)


T = TypeVar("T")


def named(text: str, names: Mapping[T, Iterable[str]]) -> T | None:
    """Which of these is meant: by a name of its, or the beginning of names that only it has."""
    sought = folded(text)
    if not sought:
        return None
    known = [(one, folded(name)) for one, some in names.items() for name in some]
    whole = {one for one, name in known if name == sought}
    begun = whole or {one for one, name in known if name.startswith(sought)}
    return begun.pop() if len(begun) == 1 else None
