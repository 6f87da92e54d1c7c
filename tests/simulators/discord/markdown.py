"""How Discord reads text: whom the server rings for it, and what a reader's client makes of it.

The two disagree, as at Discord: a backslash stops the client from drawing a mention, and does not stop the server
from ringing. Only `allowed_mentions` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .guild import Ping


@dataclass(frozen=True)
class Act:
    """Something in a text that is more than its characters. `kind`:

    `user`, `role`, `everyone`, `here`, `channel`, `command`, `guide`, `timestamp`, `emoji`, `sound`, `shortcode`: drawn
    as something else.
    `masked_link`, `link`: clickable. `preview`, `invite`: unfurls below the message, unless embeds are suppressed.
    `heading`, `subtext`, `quote`, `list`, `spoiler`, `code`, `block`, `bold`, `italic`, `underline`, `strike`: drawn
    otherwise than written.
    """

    kind: str
    text: str


_DROPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COMBINING = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
COMBINED = 150
"""Marks upon letters that a text may have; those beyond are dropped, too. Not documented; this is what bots met."""


def taken_in(text: str) -> str:
    """What Discord keeps of a text: some signs are dropped before anything is read in it, blanks at both ends, too."""
    whole = _DROPPED.sub("", text)
    marks = [found.start() for found in _COMBINING.finditer(whole)][COMBINED:]
    beyond = frozenset(marks)
    return "".join(sign for at, sign in enumerate(whole) if at not in beyond).strip()


_CODE = re.compile(r"```.+?```|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)", re.DOTALL)
_RINGS = re.compile(r"<@(?P<role>&)?!?(?P<id>\d+)>|@(?P<all>everyone|here)")


def pings_in(text: str) -> list[Ping]:
    """Whom a text calls, each once, as the server finds it: outside of code, backslash or not."""
    found: dict[Ping, None] = {}
    for match in _RINGS.finditer(_CODE.sub(" ", text)):
        kind = match["all"] or ("role" if match["role"] else "user")
        found[Ping(kind, match["id"] or "")] = None
    return list(found)


_INVITE = r"(?:https?://)?(?:www\.)?(?:discord\.gg|(?:canary\.|ptb\.)?discord(?:app)?\.com/invite)/[\w-]+"
_URL = r"(?:https?|discord|steam)://[^\s<]*[^\s<.,:;\"'\]]"
_INLINE: list[tuple[str, re.Pattern[str]]] = [
    (kind, re.compile(pattern, re.DOTALL | re.IGNORECASE))
    for kind, pattern in (
        ("block", r"```(?:[a-z0-9_+\-.#]+?\n)?\n*[^\n].*?\n*```"),
        ("code", r"(`+)(?!`).+?(?<!`)\1(?!`)"),
        ("user", r"<@!?\d+>"),
        ("role", r"<@&\d+>"),
        ("channel", r"<#\d+>|<#\d+/\d+>"),
        ("command", r"</[^<>\n]+:\d+>"),
        ("guide", r"<id:(?:customize|browse|guide|home|linked-roles)(?::\d+)?>"),
        ("timestamp", r"<t:-?\d+(?::[tTdDfFsSR])?>"),
        ("emoji", r"<a?:\w+:\d+>"),
        ("sound", r"<sound:\d+>"),
        ("link", rf"<{_URL}>|<(?:mailto:)?[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+>|<(?:tel:|sms:)?\+[\d\-() ]{{5,}}>"),
        ("masked_link", r"\[(?:\\.|[^\[\]\\]|\[(?:\\.|[^\[\]\\])*\])+\]\(\s*<?[a-z][a-z0-9+.-]*:[^\s)]+[^)]*\)"),
        ("invite", _INVITE),
        ("preview", _URL),
        ("shortcode", r":[a-z][\w+-]*:"),
        ("everyone", r"@everyone"),
        ("here", r"@here"),
        ("spoiler", r"\|\|.+?\|\|"),
        ("bold", r"\*\*(?:\\.|[^\\])+?\*\*(?!\*)"),
        ("underline", r"__(?:\\.|[^\\])+?__(?!_)"),
        ("strike", r"~~(?=\S).*?\S~~"),
        ("italic", r"\*(?=\S)(?:\*\*|\\.|\s+(?:\\.|[^\s*\\]|\*\*)|[^\s*\\])+?\*(?!\*)|_(?:__|\\.|[^\\_])+?_(?!\w)"),
    )
]
_WHOLE = frozenset(kind for kind, _ in _INLINE[:17])
"""Nothing inside of these acts by itself; inside the others it does."""
_OPENING: list[tuple[str, re.Pattern[str]]] = [
    ("heading", re.compile(r"[ \t]*#{1,3}[ \t]+(?=\S)")),
    ("subtext", re.compile(r"[ \t]*-#[ \t]+(?=\S)")),
    ("quote", re.compile(r"[ \t]*(?:>>>|>)[ \t]+")),
    ("list", re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]+(?=\S)")),
]
_ESCAPED = re.compile(r"\\[^0-9A-Za-z\s]")
_DELIMITER = re.compile(r"[*_~|]+")


def acts_in(text: str) -> list[Act]:
    """What of a text acts in a reader's client; empty for plain words."""
    return list(_walk(text))


def _walk(text: str) -> Iterator[Act]:
    position, line_begins = 0, True
    while position < len(text):
        if line_begins and (opening := _first(_OPENING, text, position)):
            kind, match = opening
            yield Act(kind, match.group())
            position = match.end()
            continue
        line_begins = text[position] == "\n"
        if escaped := _ESCAPED.match(text, position):
            position = escaped.end()
        elif found := _first(_INLINE, text, position):
            kind, match = found
            yield Act(kind, match.group())
            position = match.end() if kind in _WHOLE else _after_delimiter(text, position)
        else:
            position += 1


def _after_delimiter(text: str, position: int) -> int:
    marks = _DELIMITER.match(text, position)
    return marks.end() if marks else position + 1


def _first(rules: list[tuple[str, re.Pattern[str]]], text: str, position: int) -> tuple[str, re.Match[str]] | None:
    for kind, pattern in rules:
        if match := pattern.match(text, position):
            return kind, match
    return None


_NAMED = re.compile(r"<(?P<sign>@&|@!?|#)(?P<id>\d+)>|<a?(?P<emoji>:\w+:)\d+>|</(?P<command>[^<>\n:]+):\d+>")


def seen(text: str, name_of: Callable[[str], str]) -> str:
    """What a person reads on the screen: names for ids; emphasis and links as they were written, escapes gone."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", _NAMED.sub(lambda m: _name(m, name_of), text))


def _name(match: re.Match[str], name_of: Callable[[str], str]) -> str:
    if match["emoji"]:
        return match["emoji"]
    if match["command"]:
        return f"/{match['command']}"
    return ("#" if match["sign"] == "#" else "@") + name_of(match["id"])
