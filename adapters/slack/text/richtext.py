"""The `rich_text` blocks of what a person wrote, as words with marks beside them.

Slack's editor makes them of everything that is typed, so they say what was meant where `text` has to be guessed at. A
block or element that we do not know makes the whole unreadable: `text` is read then, since words must not be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.slack.text.addresses import write_address
from adapters.slack.text.emoji import characters, named
from adapters.slack.text.mentions import Names
from bridge.marks import Writer
from bridge.messages import MarkKind, TextPart
from bridge.networks.names import moment

Element = Mapping[str, Any]

_STYLES = {
    "bold": MarkKind.BOLD,
    "italic": MarkKind.ITALIC,
    "strike": MarkKind.STRIKE,
    "code": MarkKind.CODE,
}
INDENT = "  "
"""Before an item's bullet or number, for each level."""

LEVELS = 8
"""Slack's editor knows nine levels of lists."""


class _UnreadableError(ValueError):
    """Not what Slack's editor makes, or made by a newer one."""


def read(blocks: object, names: Names) -> TextPart | None:
    """What the blocks say; None where there are none of them, or they cannot be read."""
    try:
        rich = [_object(block) for block in blocks] if isinstance(blocks, list) else []
        if not rich:
            return None
        writer = Writer()
        for block in rich:
            _expect(block.get("type") == "rich_text")
            for element in _objects(block, "elements"):
                writer.break_line()
                _element(writer, element, names)
        part = writer.done()
        part.text.encode()  # half a character can be kept nowhere
        return part
    except ValueError:
        return None


def _element(writer: Writer, element: Element, names: Names) -> None:
    kind = element.get("type")
    if kind == "rich_text_section":
        _section(writer, element, names)
    elif kind == "rich_text_list":
        with writer.marked(*_bordered(element)):
            _list(writer, element, names)
    elif kind == "rich_text_preformatted":
        with writer.marked(*_bordered(element), MarkKind.PRE):
            _section(writer, element, names, plain=True)
    elif kind == "rich_text_quote":
        with writer.marked(MarkKind.QUOTE):
            _section(writer, element, names)
    else:
        raise _UnreadableError


def _bordered(element: Element) -> tuple[MarkKind, ...]:
    """A list or code within a quote has the quote's border."""
    return (MarkKind.QUOTE,) if element.get("border") else ()


def _list(writer: Writer, element: Element, names: Names) -> None:
    level = min(_number(element, "indent"), LEVELS)
    first = _number(element, "offset") + 1
    for number, item in enumerate(_objects(element, "elements"), first):
        _expect(item.get("type") == "rich_text_section")
        writer.break_line()
        label = INDENT * level + (f"{number}. " if element.get("style") == "ordered" else "• ")
        writer.write(label)
        with writer.marked(MarkKind.ITEM, to=label):
            _section(writer, item, names)


def _section(writer: Writer, section: Element, names: Names, *, plain: bool = False) -> None:
    for element in _objects(section, "elements"):
        write = _WRITERS.get(_string(element, "type"))
        if write is None:
            raise _UnreadableError
        style = element.get("style")
        styles = () if plain or not isinstance(style, Mapping) else (k for s, k in _STYLES.items() if style.get(s))
        with writer.marked(*styles):
            write(writer, element, names)


# ------------------------------------------------------------------ what stands in a line


def _text(writer: Writer, element: Element, names: Names) -> None:
    del names
    writer.write(_string(element, "text"))


def _link(writer: Writer, element: Element, names: Names) -> None:
    del names
    write_address(writer, _string(element, "url"), _string(element, "text"))


def _emoji(writer: Writer, element: Element, names: Names) -> None:
    del names
    name, tone = _string(element, "name"), _number(element, "skin_tone")
    writer.write(characters(_string(element, "unicode")) or named(name, tone) or f":{name}:")


def _user(writer: Writer, element: Element, names: Names) -> None:
    writer.write(names.of_person(_string(element, "user_id")))


def _group(writer: Writer, element: Element, names: Names) -> None:
    del element
    writer.write(names.of_group)


def _channel(writer: Writer, element: Element, names: Names) -> None:
    writer.write(names.of_channel(_string(element, "channel_id")))


def _team(writer: Writer, element: Element, names: Names) -> None:
    del element
    writer.write(names.of_group)


def _broadcast(writer: Writer, element: Element, names: Names) -> None:
    del names
    writer.write(f"@{_string(element, 'range')}")


def _date(writer: Writer, element: Element, names: Names) -> None:
    del names
    writer.write(_string(element, "fallback") or moment(_number(element, "timestamp")))


def _colour(writer: Writer, element: Element, names: Names) -> None:
    del names
    writer.write(_string(element, "value"))


_WRITERS: Mapping[str, Callable[[Writer, Element, Names], None]] = {
    "text": _text,
    "link": _link,
    "emoji": _emoji,
    "user": _user,
    "usergroup": _group,
    "channel": _channel,
    "team": _team,
    "broadcast": _broadcast,
    "date": _date,
    "color": _colour,
}


# ------------------------------------------------------------------ what Slack's editor may send


def _expect(condition: bool) -> None:
    if not condition:
        raise _UnreadableError


def _object(value: object) -> Element:
    if not isinstance(value, Mapping):
        raise _UnreadableError
    return value


def _objects(element: Element, name: str) -> Sequence[Element]:
    value = element.get(name)
    if not isinstance(value, list):
        raise _UnreadableError
    return [_object(one) for one in value]


def _string(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        return ""
    _expect(isinstance(value, str))
    return str(value)


def _number(element: Element, name: str) -> int:
    value = element.get(name)
    return value if type(value) is int and value >= 0 else 0
