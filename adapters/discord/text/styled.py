"""Words with marks as Discord's markdown: what an operator formatted at another face, or in another thread.

Every sign of the words themselves is escaped, so only the marks are markup; words without marks are read as they were
written. Marks are drawn line by line: what goes on over a break is closed before it and opened again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from adapters.discord.text.markdown import read
from adapters.discord.text.markup import escape, fenced, units
from adapters.discord.text.mentions import Names
from bridge.marks import cut
from bridge.messages import Mark, MarkKind, TextPart
from bridge.networks.splitting import split

QUOTE = "> "

_STYLES = {MarkKind.BOLD: "**", MarkKind.STRIKE: "~~", MarkKind.ITALIC: "_"}

_ADDRESS = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
"""What fits between angle brackets: a link without a preview."""

_TICKS = re.compile("`+")


def markdown(part: TextPart, *, quoted: bool = False) -> str:
    """The words as Discord takes them. `quoted`: all of them, as a note is."""
    return "\n".join(line for piece in _blocks(part) for line in _drawn(piece, quoted))


def pieces(part: TextPart, room: int, *, quoted: bool = False) -> tuple[str, ...]:
    """The same in as many pieces as it needs, each of at most `room` as Discord counts."""
    limit = room
    while True:
        made = [markdown(one, quoted=quoted) for one in split(part, limit, _weight)]
        if limit == 1 or all(units(one) <= room for one in made):
            return tuple(made)
        limit = max(1, limit * 3 // 4)  # marks and escapes need room, too


def _weight(sign: str) -> int:
    return units(escape(sign))


# ------------------------------------------------------------------ lines and blocks


def _blocks(part: TextPart) -> Iterator[tuple[TextPart, bool]]:
    """The words in turn, and whether they are code that stands on lines of its own."""
    code = [mark for mark in part.marks if mark.kind is MarkKind.PRE]
    for start, end in pairwise(_edges(part.text, code, MarkKind.PRE)):
        is_code = any(mark.start <= start < mark.end for mark in code) and not part.text[start:end].isspace()
        before, after = part.text[start - 1 : start] if start else "", part.text[end : end + 1]
        piece = part.text[start:end]
        if not is_code:  # the break between words and code is not said twice
            start += bool(before and piece.startswith("\n"))
            end -= bool(after and piece.endswith("\n") and end > start)
        if start < end or (not is_code and start == end and piece.count("\n") > 1):
            yield cut(part, start, end), is_code


def _drawn(piece: tuple[TextPart, bool], quoted: bool) -> Iterator[str]:
    part, is_code = piece
    if is_code:
        in_quote = quoted or any(mark.kind is MarkKind.QUOTE for mark in part.marks)
        for line in fenced(part.text).split("\n"):
            yield f"{QUOTE}{line}" if in_quote else line
        return
    start = 0
    for line in part.text.split("\n"):
        yield _line(cut(part, start, start + len(line)), _quotes(part, start, len(line)) or quoted)
        start += len(line) + 1


def _quotes(part: TextPart, start: int, length: int) -> bool:
    quotes = [mark for mark in part.marks if mark.kind is MarkKind.QUOTE]
    return any(mark.start <= start < mark.end or start <= mark.start < start + length for mark in quotes)


def _line(line: TextPart, quoted: bool) -> str:
    label = next((mark.to for mark in line.marks if mark.kind is MarkKind.ITEM and mark.start == len(mark.to)), "")
    words = _certain(cut(line, len(label)))
    bullet = label.replace("•", "-") if label else ""
    return f"{QUOTE if quoted else ''}{bullet}{words}"


# ------------------------------------------------------------------ within a line


def _certain(line: TextPart) -> str:
    """Signs that stand together can be read in more than one way. Where ours would be, the words count more than how
    they look."""
    made = _inline(line)
    return made if not line.marks or read(made, Names()).text == line.text else escape(line.text)


def _inline(line: TextPart) -> str:
    """Styles are closed in the order in which they were opened, so that none ends within another."""
    marks = [_tight(line.text, mark) for mark in line.marks]
    made: list[str] = []
    going: list[tuple[MarkKind, str]] = []
    for start, end in pairwise(_edges(line.text, marks, MarkKind.CODE)):
        here = {mark.kind: mark for mark in marks if mark.start <= start < mark.end}
        kept = _kept(going, here)
        made += [sign for _, sign in reversed(going[kept:])]
        going = going[:kept]
        for kind in here:
            if kind in _STYLES and kind not in dict(going):
                sign = _sign(here[kind], line.text, made)
                made.append(sign)
                going.append((kind, sign))
        made.append(_words(line.text[start:end], here))
    return "".join((*made, *(sign for _, sign in reversed(going))))


def _tight(text: str, mark: Mark) -> Mark:
    """Without the blanks at its edges: beside one a sign opens and closes nothing."""
    inside = text[mark.start : mark.end]
    start = mark.start + len(inside) - len(inside.lstrip())
    return replace(mark, start=start, end=max(start, mark.end - len(inside) + len(inside.rstrip())))


def _edges(text: str, marks: list[Mark], code: MarkKind) -> list[int]:
    """Where what is drawn changes. Code goes on until no mark of it does: between two of them ticks would join."""
    inside = {at for mark in marks if mark.kind is code for at in range(mark.start, mark.end)}
    edges = {0, len(text)} | {edge for mark in marks for edge in (mark.start, mark.end)}
    return sorted(edge for edge in edges if not (edge in inside and edge - 1 in inside))


def _kept(going: list[tuple[MarkKind, str]], here: Mapping[MarkKind, Mark]) -> int:
    """How many of the styles that are open can stay so: those outside of the first that ends."""
    return next((place for place, (kind, _) in enumerate(going) if kind not in here), len(going))


def _sign(mark: Mark, text: str, made: list[str]) -> str:
    """What opens and closes a style here; nothing where it would be read as something else.

    Discord ends a line through words at the first two tildes, escaped or not; an underscore ends nothing before a
    letter, and begins nothing behind one or right behind two tildes.
    """
    if mark.kind is MarkKind.STRIKE:
        return "" if text[mark.start : mark.end].endswith("~") else _STYLES[mark.kind]
    if mark.kind is not MarkKind.ITALIC:
        return _STYLES[mark.kind]
    before, after = "".join(made[-2:])[-1:], text[mark.end : mark.end + 1]
    if before == "~" or before.isalnum() or (after.isascii() and after.isalnum()):
        return "" if before == "*" else "*"
    return "_"


def _words(text: str, here: Mapping[MarkKind, Mark]) -> str:
    if MarkKind.CODE in here and text.strip("` "):
        return _code(text)
    link = here.get(MarkKind.LINK)
    if link is not None and link.to == text and _ADDRESS.fullmatch(text):
        return f"<{text}>"
    return escape(text)


def _code(text: str) -> str:
    """More ticks around it than it has in a row; a blank keeps its own apart from them."""
    longest = max(map(len, _TICKS.findall(text)), default=0)
    ticks = "`" * (1 if not longest else longest + 1)
    return f"{ticks} {text} {ticks}" if "`" in (text[0], text[-1]) else f"{ticks}{text}{ticks}"
