"""Words with marks as `rich_text` elements: what an operator formatted at another face, or in another thread.

Text elements mean nothing but themselves. Without marks it is one section of plain text, and a customer's words never
have any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bridge.messages import Mark, MarkKind, TextPart

Block = dict[str, Any]

_STYLES = {
    MarkKind.BOLD: "bold",
    MarkKind.ITALIC: "italic",
    MarkKind.STRIKE: "strike",
    MarkKind.CODE: "code",
}
_KINDS = {MarkKind.PRE: "rich_text_preformatted", MarkKind.QUOTE: "rich_text_quote", None: "rich_text_section"}


@dataclass(frozen=True, slots=True)
class _Run:
    """Words from `start` to `end` that stand in one element: `item` when it is one of a list."""

    start: int
    end: int
    kind: MarkKind | None = None
    item: Mark | None = None
    quoted: bool = False


def elements(part: TextPart, *, quoted: bool = False) -> list[Block]:
    """The elements of a rich_text block. `quoted`: all of it, as a note is."""
    made: list[Block] = []
    for run in _separated(part, list(_runs(part, quoted))):
        inside = _inline(part, run)
        if not inside:
            continue
        if run.item is not None:
            _add_item(made, run, run.item, inside)
            continue
        element: Block = {"type": _KINDS[run.kind], "elements": inside}
        made.append(element | ({"border": 1} if run.quoted and run.kind is MarkKind.PRE else {}))
    return made


def _runs(part: TextPart, quoted: bool) -> Iterator[_Run]:
    blocks = [mark for mark in part.marks if mark.kind in (MarkKind.PRE, MarkKind.QUOTE, MarkKind.ITEM)]
    edges = {0, len(part.text)}
    for mark in blocks:
        edges |= {mark.start - _label(mark), mark.start, mark.end}
    for start, end in pairwise(sorted(edges)):
        here = [mark for mark in blocks if mark.start <= start < mark.end]
        if any(mark.start - _label(mark) <= start < mark.start for mark in blocks):
            continue  # a bullet: Slack draws its own
        kinds = {mark.kind for mark in here}
        in_quote = quoted or MarkKind.QUOTE in kinds
        item = next((mark for mark in here if mark.kind is MarkKind.ITEM), None)
        kind = MarkKind.PRE if MarkKind.PRE in kinds else MarkKind.QUOTE if in_quote else None
        yield _Run(start, end, kind, None if kind is MarkKind.PRE else item, in_quote)


def _label(mark: Mark) -> int:
    return len(mark.to) if mark.kind is MarkKind.ITEM else 0


def _separated(part: TextPart, runs: list[_Run]) -> Iterator[_Run]:
    """Elements begin on lines of their own: the break between two is not said twice."""
    for number, run in enumerate(runs):
        start, end = run.start, run.end
        if run.item is None and run.kind is not MarkKind.PRE:
            start += number > 0 and part.text[start:end].startswith("\n")
            end -= number < len(runs) - 1 and part.text[start:end].endswith("\n")
        if start < end:
            yield _Run(start, end, run.kind, run.item, run.quoted)


def _add_item(made: list[Block], run: _Run, item: Mark, inside: list[Block]) -> None:
    """Items that follow each other on one level are one list."""
    label = item.to.strip().rstrip(".")
    number = int(label) if label.isdecimal() else 0
    style: Block = {
        "style": "ordered" if number else "bullet",
        "indent": (len(item.to) - len(item.to.lstrip())) // 2,
        "border": int(run.quoted),
    }
    section: Block = {"type": "rich_text_section", "elements": inside}
    last = made[-1] if made else {}
    goes_on = last.get("type") == "rich_text_list" and style.items() <= last.items()
    if goes_on and (not number or number == last.get("offset", 0) + len(last["elements"]) + 1):
        last["elements"].append(section)
        return
    offset: Block = {"offset": number - 1} if number > 1 else {}
    made.append({"type": "rich_text_list", **style, **offset, "elements": [section]})


# ------------------------------------------------------------------ within an element


def _inline(part: TextPart, run: _Run) -> list[Block]:
    marks = [mark for mark in part.marks if mark.start < run.end and run.start < mark.end]
    if run.kind is MarkKind.PRE:
        return [{"type": "text", "text": part.text[run.start : run.end]}]
    edges = {run.start, run.end}
    for mark in marks:
        edges |= {min(max(edge, run.start), run.end) for edge in (mark.start, mark.end)}
    return [
        _piece(part.text[start:end], [mark for mark in marks if mark.start <= start < mark.end])
        for start, end in pairwise(sorted(edges))
    ]


def _piece(text: str, marks: list[Mark]) -> Block:
    style = {_STYLES[mark.kind]: True for mark in marks if mark.kind in _STYLES}
    link = next((mark.to for mark in marks if mark.kind is MarkKind.LINK), "")
    piece: Block = {"type": "link", "url": link, "text": text} if link else {"type": "text", "text": text}
    return piece | ({"style": style} if style else {})
