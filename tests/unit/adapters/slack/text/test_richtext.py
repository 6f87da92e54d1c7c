"""What Slack's editor makes arrives whole: the same words, and what they are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings

from adapters.slack.text import mrkdwn as text_reader
from adapters.slack.text import richtext
from adapters.slack.text.markup import emoji_in
from adapters.slack.text.mentions import Names
from bridge.messages import Mark, MarkKind, TextPart
from tests.simulators.slack import mrkdwn
from tests.unit.adapters.slack.text.test_markup import TEXT

NAMES = Names(person={"U1": "Sato"}.get, place={"C1": "Withdrawals"}.get)
BOLD, ITALIC, STRIKE, CODE = MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE
PRE, QUOTE, ITEM, LINK = MarkKind.PRE, MarkKind.QUOTE, MarkKind.ITEM, MarkKind.LINK


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words} | ({"style": style} if style else {})


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def listed(*items: str, style: str = "bullet", **more: Any) -> dict[str, Any]:
    return {"type": "rich_text_list", "style": style, "elements": [section(text(one)) for one in items], **more}


def block(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": list(elements)}]


def read(*elements: dict[str, Any]) -> TextPart:
    part = richtext.read(block(*elements), NAMES)
    assert part is not None
    return part


def marks_of(part: TextPart) -> list[tuple[MarkKind, str]]:
    return [(mark.kind, part.text[mark.start : mark.end]) for mark in part.marks]


@settings(deadline=None)
@given(TEXT)
@example("see example.com, or <https://evil.example|bank> & 0.10")
def test_what_a_person_types_comes_out_as_they_typed_it(typed: str) -> None:
    if re.search(r"<[@#][A-Z][A-Z0-9]+>", typed):
        return  # the simulator takes these for a mention
    part = richtext.read([mrkdwn.rich_text(typed)], Names())
    assert part is not None
    assert part.text == typed
    assert {mark.kind for mark in part.marks} <= {LINK}


@settings(deadline=None)
@given(TEXT)
def test_blocks_and_text_agree_in_the_words(typed: str) -> None:
    """But for the signs of marks, which `text` has and blocks have not."""
    if re.search(r"<[@#][A-Z][A-Z0-9]+>", typed) or re.search(r"&(lt|gt|amp)[>|]", mrkdwn.typed(typed)):
        return  # where an address ends in an entity, the simulator cuts it in two
    if re.search(rf"(://|\.)\S*({'|'.join(map(re.escape, mrkdwn.EMOJI))})", typed) or re.search(r":[\w+-]+:", typed):
        return  # an emoji glued to an address; a short code that was typed and not picked
    blocks = [mrkdwn.rich_text(typed)]
    by_blocks = richtext.read(blocks, Names())
    by_text = text_reader.read(mrkdwn.typed(typed), Names(emoji=emoji_in(blocks)))
    assert by_blocks is not None
    assert _letters(by_blocks.text) == _letters(by_text.text)


def _letters(words: str) -> str:
    return re.sub(r"[*_~`>\s]", "", words)


def test_styles_stand_beside_the_words() -> None:
    part = read(
        section(text("a "), text("b", bold=True), text("c", bold=True, italic=True), text(" "), text("x_y", code=True))
    )
    assert part.text == "a bc x_y"
    assert marks_of(part) == [(BOLD, "bc"), (ITALIC, "c"), (CODE, "x_y")]


def test_lists_are_lines_and_know_their_level_and_number() -> None:
    part = read(
        section(text("Please:\n")),
        listed("open it", style="ordered"),
        listed("on a phone", "or a computer", indent=1),
        listed("log in", style="ordered", offset=1),
        section(text("Thanks")),
    )
    assert part.text == "Please:\n1. open it\n  • on a phone\n  • or a computer\n2. log in\nThanks"
    assert [(part.text[mark.start : mark.end], mark.to) for mark in part.marks] == [
        ("open it", "1. "),
        ("on a phone", "  • "),
        ("or a computer", "  • "),
        ("log in", "2. "),
    ]
    for mark in part.marks:
        assert part.text[: mark.start].endswith(mark.to)


def test_quotes_and_code_and_what_is_listed_in_a_quote() -> None:
    quote = {"type": "rich_text_quote", "elements": [text("you wrote\nthis")]}
    code = {"type": "rich_text_preformatted", "elements": [text("a\n  b")], "border": 0}
    part = read(quote, listed("one", border=1), code, section(text("\nend")))
    assert part.text == "you wrote\nthis\n• one\na\n  b\n\nend"
    assert marks_of(part) == [(QUOTE, "you wrote\nthis"), (QUOTE, "• one"), (ITEM, "one"), (PRE, "a\n  b")]


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ({"type": "user", "user_id": "U1"}, "@Sato"),
        ({"type": "user", "user_id": "U9"}, "@colleague"),
        ({"type": "usergroup", "usergroup_id": "S1"}, "@team"),
        ({"type": "usergroup", "usergroup_id": "S9"}, "@team"),
        ({"type": "channel", "channel_id": "C1"}, "Withdrawals"),
        ({"type": "channel", "channel_id": "C9"}, "#channel"),
        ({"type": "team", "team_id": "T1"}, "@team"),
        ({"type": "broadcast", "range": "here"}, "@here"),
        ({"type": "date", "timestamp": 1700000000, "format": "{date}", "fallback": "14 Nov"}, "14 Nov"),
        ({"type": "date", "timestamp": 1700000000, "format": "{date}"}, "2023-11-14 22:13 UTC"),
        ({"type": "color", "value": "#F405B3"}, "#F405B3"),
        ({"type": "emoji", "name": "pray", "unicode": "1f64f"}, "🙏"),
        ({"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fb", "skin_tone": 2}, "👋🏻"),
        ({"type": "emoji", "name": "wave", "skin_tone": 3}, "👋🏼"),
        ({"type": "emoji", "name": "our-logo"}, ":our-logo:"),
    ],
)
def test_everything_that_stands_in_a_line_has_its_words(element: dict[str, Any], words: str) -> None:
    assert read(section(element)).text == words


def test_a_link_shows_where_it_leads() -> None:
    part = read(
        section(
            {"type": "link", "url": "http://example.com", "text": "example.com"},
            text(" "),
            {"type": "link", "url": "https://a.example/x", "text": "our page", "style": {"bold": True}},
            text(" "),
            {"type": "link", "url": "javascript:alert(1)", "text": "here"},
            text(" "),
            {"type": "link", "url": "https://a.example/Path", "text": "https://A.example/path"},
        )
    )
    assert part.text == (
        "example.com our page (https://a.example/x) here (javascript:alert(1)) "
        "https://A.example/path (https://a.example/Path)"
    )
    links = {part.text[mark.start : mark.end]: mark.to for mark in part.marks if mark.kind is LINK}
    assert links == {
        "example.com": "http://example.com",
        "https://a.example/x": "https://a.example/x",
        "https://a.example/Path": "https://a.example/Path",
    }
    assert (BOLD, "our page (https://a.example/x)") in marks_of(part)


@pytest.mark.parametrize(
    "blocks",
    [
        None,
        [],
        "nonsense",
        [{"type": "section"}],
        [*block(section(text("x"))), {"type": "carousel"}],
        block({"type": "rich_text_table", "elements": []}),
        block(section({"type": "hologram"})),
        block({"type": "rich_text_list", "elements": [{"type": "rich_text_quote", "elements": []}]}),
        block(section(text("half \ud83d"))),
        [{"type": "rich_text", "elements": "x"}],
        block(section({"type": "text", "text": 7})),
    ],
)
def test_what_cannot_be_read_is_left_to_the_text(blocks: object) -> None:
    assert richtext.read(blocks, NAMES) is None


def test_a_number_that_is_none_counts_as_zero() -> None:
    assert read(listed("a", indent="7", offset=-3, style="ordered")).marks == (Mark(ITEM, 3, 4, "1. "),)
