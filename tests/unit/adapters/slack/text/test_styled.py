"""What was formatted elsewhere is formatted in Slack again: the same words with the same marks."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.text import richtext
from adapters.slack.text.mentions import Names
from adapters.slack.text.styled import elements
from bridge.messages import Mark, MarkKind, TextPart
from tests.simulators.slack import blocks as block_kit
from tests.unit.bridge.test_marks import marked

STYLES = ("bold", "italic", "strike", "code")
WORDS = st.text(alphabet="ab <&*日👋🏽", min_size=1, max_size=6).filter(str.strip)


@st.composite
def sections(draw: st.DrawFn, kind: str = "rich_text_section") -> dict[str, Any]:
    inside = []
    for words, style in draw(st.lists(st.tuples(WORDS, st.sets(st.sampled_from(STYLES))), min_size=1, max_size=3)):
        styles = {"style": dict.fromkeys(style, True)} if style else {}
        inside.append({"type": "text", "text": words, **styles})
    if draw(st.booleans()):
        inside.append({"type": "link", "url": "https://a.example/x", "text": "https://a.example/x"})
    return {"type": kind, "elements": inside}


@st.composite
def lists(draw: st.DrawFn) -> dict[str, Any]:
    style, indent = draw(st.sampled_from(["bullet", "ordered"])), draw(st.integers(0, 3))
    items = draw(st.lists(sections(), min_size=1, max_size=3))
    return {"type": "rich_text_list", "style": style, "indent": indent, "elements": items}


@st.composite
def messages(draw: st.DrawFn) -> list[dict[str, Any]]:
    code = WORDS.map(lambda words: {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": words}]})
    kinds = st.one_of(sections(), sections("rich_text_quote"), lists(), code)
    return draw(st.lists(kinds, min_size=1, max_size=5))


def read(made: list[dict[str, Any]]) -> TextPart:
    part = richtext.read([{"type": "rich_text", "elements": made}], Names())
    assert part is not None
    return part


@settings(deadline=None)
@given(messages())
def test_what_came_from_slack_goes_back_as_it_came(said: list[dict[str, Any]]) -> None:
    part = read(said)
    made = elements(part)
    assert block_kit.errors_in([{"type": "rich_text", "elements": made}]) == []
    assert read(made) == part


@settings(deadline=None)
@given(marked())
def test_any_marks_can_be_drawn_and_no_word_is_lost(part: TextPart) -> None:
    made = elements(part)
    assert "".join(read(made).text.split()) == "".join(part.text.split())
    assert block_kit.errors_in([{"type": "rich_text", "elements": made}]) == [] or not made


def test_words_without_marks_are_one_plain_section() -> None:
    text = "*a* <!channel>\n• b"
    assert elements(TextPart(text)) == [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]


def test_all_of_a_note_is_quoted() -> None:
    items = (Mark(MarkKind.ITEM, 5, 6, "• "), Mark(MarkKind.ITEM, 9, 10, "• "))
    made = elements(TextPart("do\n• a\n• b", items), quoted=True)
    assert [(one["type"], one.get("border")) for one in made] == [("rich_text_quote", None), ("rich_text_list", 1)]
    assert len(made[1]["elements"]) == 2
