"""Slack's `text` as words with marks beside them, for messages that came without `rich_text` blocks.

By Slack's own rules a mark stands at the edge of a word: `*bold*` is bold, `a*b*c`, `2 * 3 * 4` and `0x_ab_` are what
they are. Where it is not clear it stays as it was written: no address, id or amount ever loses a character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from adapters.slack.text.addresses import write_address
from adapters.slack.text.emoji import named
from adapters.slack.text.markup import unescape
from adapters.slack.text.mentions import Names
from bridge.marks import Writer
from bridge.messages import MarkKind, TextPart

_CONTROL = re.compile(r"<([^<>]+)>")
_HELD = "\udc00"
"""Stands for a control sequence while marks are looked for: half a character, which no text has (see `shape`)."""

_EMOJI = re.compile(r":([A-Za-z0-9_+'\-]+):(?::?skin-tone-([2-6]):)?")
_PRE = re.compile(r"```(?!`)\n?(.+?)\n?```", re.DOTALL)
_STYLES = {"*": MarkKind.BOLD, "_": MarkKind.ITALIC, "~": MarkKind.STRIKE}
_BEFORE = frozenset("([{\"'“‘«「『（【、。，：；！？*_~")
_AFTER = frozenset(")]}\"'”’»」』）】、。，：；！？*_~.,;:!?…")
_AMOUNT = re.compile(r"[\d=$€£¥+\-.,~≈]")
"""After `>` this may be a comparison: losing its sign would change it."""


def read(text: str, names: Names) -> TextPart:
    """What somebody who wrote this meant."""
    controls = _CONTROL.findall(text)
    reader = _Reader(names, iter(controls))
    reader.whole(unescape(_CONTROL.sub(_HELD, text)))
    return reader.writer.done()


@dataclass(slots=True)
class _Reader:
    """Reads from left to right, so that each held place is met once and in order."""

    names: Names
    controls: Iterator[str]
    writer: Writer = field(default_factory=Writer)

    def whole(self, text: str) -> None:
        end = 0
        for found in _PRE.finditer(text):
            self.lines(text[end : found.start()])
            self.writer.break_line()
            with self.writer.marked(MarkKind.PRE):
                self.literal(found[1])
            end = found.end()
            if text[end:] and text[end] != "\n":
                self.writer.write("\n")
        self.lines(text[end:])

    def lines(self, text: str) -> None:
        for number, (quoted, run) in enumerate(groupby(_lines(text), key=itemgetter(0))):
            if number:
                self.writer.write("\n")
            with self.writer.marked(*((MarkKind.QUOTE,) if quoted else ())):
                for place, (_, words) in enumerate(run):
                    self.writer.write("\n" if place else "")
                    self.inline(words)

    # ------------------------------------------------------------------ within a line

    def inline(self, line: str) -> None:
        """Each style is closed by its first sign that can close one; without such a sign it is a sign like others."""
        at = begun = 0
        hopeless: set[str] = set()
        while at < len(line):
            sign = line[at]
            close = -1
            if (sign in _STYLES or sign == "`") and sign not in hopeless and _opens(line, at):
                close = _closing(line, at)
                if close < 0:
                    hopeless.add(sign)
            if close < 0:
                at += 1
                continue
            self.plain(line[begun:at])
            self.styled(sign, line[at + 1 : close])
            at = begun = close + 1
        self.plain(line[begun:])

    def styled(self, sign: str, inside: str) -> None:
        if sign == "`":
            with self.writer.marked(MarkKind.CODE):
                self.literal(inside)
        else:
            with self.writer.marked(_STYLES[sign]):
                self.inline(inside)

    def plain(self, text: str) -> None:
        """Words, emoji among them, and what was held."""
        self.literal(_EMOJI.sub(self.emoji, text))

    def emoji(self, found: re.Match[str]) -> str:
        known = self.names.emoji.get(found.group())
        if known is not None:
            return known
        start = found.start()
        if found.string[max(0, start - 1) : start].isalnum():
            return found.group()  # a time, an address: 10:30:45
        return named(found[1], int(found[2] or 0)) or found.group()

    def literal(self, text: str) -> None:
        first, *rest = text.split(_HELD)
        self.writer.write(first)
        for piece in rest:
            self.control(next(self.controls))
            self.writer.write(piece)

    # ------------------------------------------------------------------ control sequences

    def control(self, control: str) -> None:
        target, _, label = control.partition("|")
        target, label = unescape(target), unescape(label)
        if target.startswith("@"):
            self.writer.write(self.names.of_person(target[1:]))
        elif target.startswith("#"):
            self.writer.write(self.names.of_channel(target[1:]))
        elif target.startswith("!"):
            self.writer.write(self.special(target[1:], label))
        else:
            write_address(self.writer, target, label)

    def special(self, word: str, label: str) -> str:
        if word.startswith("subteam^"):
            return self.names.of_group
        return label if word.startswith("date^") else f"@{word}"


def _lines(text: str) -> Iterator[tuple[bool, str]]:
    """Each line's words, and whether they are quoted: by `>` that line, by `>>>` everything that follows."""
    rest = False
    for line in text.split("\n"):
        words = line.removeprefix(">>>") if line.startswith(">>>") else line.removeprefix(">")
        words = words.removeprefix(" ")
        quoted = not rest and line.startswith(">") and bool(words) and not _AMOUNT.match(words)
        yield rest or quoted, words if quoted else line
        rest = rest or (quoted and line.startswith(">>>"))


def _opens(line: str, at: int) -> bool:
    before, after = line[max(0, at - 1) : at], line[at + 1 : at + 2]
    at_edge = not before or before.isspace() or before in _BEFORE
    return at_edge and bool(after) and not after.isspace() and line[at] not in (before, after)


def _closing(line: str, opened: int) -> int:
    """Where the style that begins at `opened` ends; -1 where it does not."""
    sign = line[opened]
    close = line.find(sign, opened + 2)
    while close >= 0:
        before, after = line[close - 1], line[close + 1 : close + 2]
        at_edge = not after or after.isspace() or after in _AFTER
        if at_edge and not before.isspace() and sign not in (before, after):
            return close
        close = line.find(sign, close + 1)
    return -1
