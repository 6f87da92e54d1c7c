"""An operator's Discord text as words with marks beside them.

Read as Discord's clients draw it: what they show as a mention, a date or an emoji becomes the words for it, what they
hide (the bars of a spoiler, the address under a masked link) is said. Where it is not clear it stays as it was written:
no address, id or amount ever loses a character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from adapters.discord.text.mentions import Names
from bridge.marks import Writer
from bridge.messages import MarkKind, TextPart
from bridge.networks.names import moment

INDENT = "  "
"""Before an item's bullet or number, for each level."""

LEVELS = 10
"""Discord draws eleven levels of lists."""

NESTED = 12
"""Styles within styles that are read; nobody writes more, and each costs a call."""

_PRE = re.compile(r"```(?:[a-z0-9_+\-.#]+\n)?\n*([^\n].*?)\n*```", re.DOTALL | re.IGNORECASE)
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_HEADING = re.compile(r"(?: *)#{1,3} +(?=\S)(.*)")
_SMALL = re.compile(r"(?: *)-# +(?=\S)(.*)")
_ITEM = re.compile(r"( *)([-*]|\d{1,10}\.) +(?=\S)(.*)", re.ASCII)
_QUOTE = re.compile(r" *> (.*)")
_BORDER = re.compile(r"^ *> ?", re.MULTILINE)
_ALL_QUOTED = re.compile(r" *>>> (.*)")

_URL = r"https?://[^\s<]+[^\s<.,:;\"'\]]"
_CLOSED = r"https?://[^\s<>]+"
_BALANCED = r"https?://[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*"
_INLINE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL | re.ASCII if name != "command" else re.DOTALL))
    for name, pattern in (
        ("escaped", r"\\([^0-9A-Za-z\s])"),
        ("code", r"(`+)(?!`)(.*?[^`])\1(?!`)"),
        ("person", r"<@!?(\d+)>"),
        ("group", r"<@&(\d+)>"),
        ("channel", r"<#(\d+)>"),
        ("command", r"</([^<>\n:]+):\d+>"),
        ("guide", r"<id:(?:customize|browse|guide|home|linked-roles)(?::\d+)?>"),
        ("moment", r"<t:(-?\d{1,17})(?::[A-Za-z])?>"),
        ("own", r"<(?:a)?:(\w+):\d+>"),
        ("masked", rf"\[((?:\\.|[^\[\]\\])+)\]\(\s*(?:<({_CLOSED})>|({_BALANCED}))(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)"),
        ("address", rf"<({_CLOSED})>"),
        ("mail", r"<(?:mailto:)?([^\s<>@:]+@[^\s<>@]+\.[^\s<>@]+)>"),
        ("call", r"<(?:tel:|sms:)(\+?[\d\-() ]{3,})>|<(\+[\d\-() ]{5,})>"),
        ("url", _URL),
        ("spoiler", r"\|\|(.+?)\|\|"),
        ("bold", r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)"),
        ("underline", r"__((?:\\.|[^\\])+?)__(?!_)"),
        ("strike", r"~~(?=\S)(.*?\S)~~(?!_)"),
        ("italic", r"_((?:__|\\.|[^\\_])+?)_(?!\w)|\*(?=\S)((?:\*\*|\\.|\s+(?:\\.|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)"),
    )
)
_STYLES: Mapping[str, tuple[MarkKind, ...]] = {
    "bold": (MarkKind.BOLD,),
    "italic": (MarkKind.ITALIC,),
    "strike": (MarkKind.STRIKE,),
    "underline": (),
    "spoiler": (),
}
"""There is no mark for a line under words, and a customer has no bars to press on: the words stay."""


def read(text: str, names: Names) -> TextPart:
    """What somebody who wrote this meant."""
    reader = _Reader(names)
    reader.whole(text)
    return reader.writer.done()


@dataclass(slots=True)
class _Reader:
    names: Names
    writer: Writer = field(default_factory=Writer)
    depth: int = 0

    def whole(self, text: str) -> None:
        quoted_from = _rest_quoted(text)
        self.part(text if quoted_from is None else text[: quoted_from[0]].removesuffix("\n"))
        if quoted_from is not None:
            self.writer.break_line()
            with self.writer.marked(MarkKind.QUOTE):
                self.part(quoted_from[1])

    def part(self, text: str) -> None:
        """Code stands on lines of its own, wherever it was opened."""
        end = 0
        for found in _codes(text):
            before = text[end : found.start()]
            quoted = re.search(r"(?:^|\n) *> ?$", before)
            self.lines(before[: quoted.start()] if quoted else before)
            self.code(found[1], quoted=quoted is not None)
            end = found.end()
            if text[end:] and text[end] != "\n":
                self.writer.write("\n")
        self.lines(text[end:])

    def code(self, inside: str, *, quoted: bool) -> None:
        words = _BORDER.sub("", inside).strip("\n") if quoted else inside
        self.writer.break_line()
        with self.writer.marked(*((MarkKind.QUOTE,) if quoted else ()), MarkKind.PRE):
            self.writer.write(words)

    def lines(self, text: str) -> None:
        for number, (quoted, run) in enumerate(groupby(map(_unquoted, text.split("\n")), key=itemgetter(0))):
            if number:
                self.writer.write("\n")
            with self.writer.marked(*((MarkKind.QUOTE,) if quoted else ())):
                for place, words in enumerate(_paragraphs([words for _, words in run])):
                    self.writer.write("\n" if place else "")
                    self.line(words)

    def line(self, line: str) -> None:
        """A heading, small print or an item; or lines of plain words, over whose breaks a style goes on."""
        if found := _HEADING.fullmatch(line):
            with self.writer.marked(MarkKind.BOLD):
                self.inline(found[1])
        elif found := _SMALL.fullmatch(line):
            self.inline(found[1])
        elif found := _ITEM.fullmatch(line):
            label = INDENT * min(len(found[1]) // 2, LEVELS) + ("• " if found[2] in "-*" else f"{found[2]} ")
            self.writer.write(label)
            with self.writer.marked(MarkKind.ITEM, to=label):
                self.inline(found[3])
        else:
            self.inline(line)

    # ------------------------------------------------------------------ within a line

    def inline(self, text: str) -> None:
        at = begun = 0
        while at < len(text):
            name, found = _first(text, at)
            if found is None:
                at += 1
                continue
            self.writer.write(text[begun:at])
            self.piece(name, found)
            at = begun = found.end()
        self.writer.write(text[begun:])

    def piece(self, name: str, found: re.Match[str]) -> None:
        if name in _STYLES:
            self.styled(name, next(inside for inside in found.groups() if inside is not None))
        elif name == "code":
            with self.writer.marked(MarkKind.CODE):
                self.writer.write(_bare(found[2]))
        elif name == "masked":
            self.masked(found[1], found[2] or found[3])
        elif name in ("address", "url"):
            url = found[1] if name == "address" else found[0]
            self.writer.address(url, url)
        else:
            self.writer.write(_WORDS[name](found, self.names))

    def styled(self, name: str, inside: str) -> None:
        self.depth += 1
        with self.writer.marked(*_STYLES[name]):
            if self.depth <= NESTED:
                self.inline(inside)
            else:
                self.writer.write(inside)
        self.depth -= 1

    def masked(self, label: str, url: str) -> None:
        """A link always shows where it leads."""
        if _ESCAPE.sub(r"\1", label) == url:
            self.writer.address(url, url)
            return
        self.inline(label)
        self.writer.write(" (")
        self.writer.address(url, url)
        self.writer.write(")")


_WORDS: Mapping[str, Callable[[re.Match[str], Names], str]] = {
    "escaped": lambda found, names: found[1],
    "person": lambda found, names: names.of_person(found[1]),
    "group": lambda found, names: names.of_group,
    "channel": lambda found, names: names.of_channel(found[1]),
    "command": lambda found, names: f"/{found[1]}",
    "guide": lambda found, names: f"#{names.channel}",
    "moment": lambda found, names: moment(int(found[1]), names.zone) or found[0],
    "mail": lambda found, names: found[1],
    "call": lambda found, names: found[1] or found[2],
    "own": lambda found, names: f":{found[1]}:",
}


def _first(text: str, at: int) -> tuple[str, re.Match[str] | None]:
    for name, pattern in _INLINE:
        if name == "italic" and text[at] == "_" and text[max(0, at - 1) : at].isalnum():
            continue  # snake_case
        if found := pattern.match(text, at):
            return name, found
    return "", None


def _codes(text: str) -> Iterator[re.Match[str]]:
    """Blocks of code, past ticks that were escaped."""
    at = 0
    while at < len(text):
        if escaped := _ESCAPE.match(text, at):
            at = escaped.end()
        elif found := _PRE.match(text, at):
            yield found
            at = found.end()
        else:
            at += 1


def _paragraphs(lines: list[str]) -> Iterator[str]:
    plain: list[str] = []
    for line in lines:
        if any(pattern.fullmatch(line) for pattern in (_HEADING, _SMALL, _ITEM)):
            yield from ["\n".join(plain)] if plain else []
            plain = []
            yield line
        else:
            plain.append(line)
    yield from ["\n".join(plain)] if plain else []


def _unquoted(line: str) -> tuple[bool, str]:
    """Whether a line is quoted, and its words. After `>` there is a blank, or it is a sign like others."""
    found = _QUOTE.fullmatch(line)
    return (True, found[1]) if found else (False, line)


def _rest_quoted(text: str) -> tuple[int, str] | None:
    """Where `>>>` quotes all that follows, and what that is."""
    code = [found.span() for found in _codes(text)]
    at = 0
    for line in text.split("\n"):
        in_code = any(start <= at < end for start, end in code)
        if not in_code and (found := _ALL_QUOTED.fullmatch(line)):
            return at, text[at + found.start(1) :]
        at += len(line) + 1
    return None


def _bare(code: str) -> str:
    """One blank beside ticks of its own belongs to the fence."""
    inner = code[1:] if code.startswith(" `") else code
    return inner[:-1] if inner.endswith("` ") else inner
