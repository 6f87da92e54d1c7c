"""What was formatted elsewhere is formatted on Discord again: the same words with the same marks, and nothing more."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.discord.text.markdown import read
from adapters.discord.text.markup import kept, units
from adapters.discord.text.mentions import Names
from adapters.discord.text.styled import markdown, pieces
from bridge.marks import Writer
from bridge.messages import Mark, MarkKind, TextPart
from tests.simulators.discord import acts_in
from tests.unit.adapters.discord.text.test_markup import HOSTILE
from tests.unit.bridge.test_marks import marked

WORDS = st.text(alphabet="ab1.<&*_~|\\>#-日👋🏽", min_size=1, max_size=6).filter(lambda words: words[-1] != "~")
STYLES = (MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE)
URL = "https://a.example/x_y*z"


@st.composite
def lines(draw: st.DrawFn) -> TextPart:
    """As people format: whole words, line by line; code and lists on lines of their own."""
    writer = Writer()
    for kind in draw(st.lists(st.sampled_from(["words", "quote", "item", "code"]), min_size=1, max_size=5)):
        writer.break_line()
        if kind == "code":
            with writer.marked(MarkKind.PRE):
                writer.write(draw(WORDS))
            writer.write("\n")
            continue
        label = draw(st.sampled_from(["• ", "  • ", "3. "])) if kind == "item" else ""
        writer.write(label)
        with (
            writer.marked(*((MarkKind.QUOTE,) if kind == "quote" else ())),
            writer.marked(*((MarkKind.ITEM,) if label else ()), to=label),
        ):
            runs = draw(st.lists(st.tuples(WORDS, st.sampled_from([*STYLES, MarkKind.CODE, None])), min_size=1))
            for words, style in runs:
                with writer.marked(*((style,) if style else ())):
                    writer.write(words)
                writer.write(" ")
            writer.address(URL, URL)
        writer.write("\n")
    return writer.done()


def reread(part: TextPart) -> TextPart:
    return read(markdown(part), Names())


@settings(deadline=None, max_examples=40)
@given(lines())
def test_what_was_sent_is_read_back_as_it_was(part: TextPart) -> None:
    again = reread(part)
    assert again.text.strip("\n") == part.text.strip("\n")
    assert _looks(again) == _looks(part)


def _looks(part: TextPart) -> list[tuple[str, set[tuple[MarkKind, str]]]]:
    """Each character with what it is; of code within code nothing more can be seen."""
    return [
        (sign, {(mark.kind, mark.to) for mark in part.marks if mark.start <= at < mark.end})
        for at, sign in enumerate(part.text)
        if sign != "\n"
    ]


@settings(deadline=None, max_examples=40)
@given(marked())
def test_any_marks_can_be_drawn_and_no_word_is_lost(part: TextPart) -> None:
    assert "".join(reread(part).text.split()) == "".join(part.text.split())


@settings(deadline=None, max_examples=40)
@given(HOSTILE)
@example("**bold** <@1> https://a.example # x")
def test_words_without_marks_are_nothing_but_words(text: str) -> None:
    made = markdown(TextPart(text))
    assert acts_in(made) == []
    assert reread(TextPart(text)).text == kept(text)
    assert reread(TextPart(text)).marks == ()


@pytest.mark.parametrize("words", ["a* b. ", "日本語。", "👩‍👩‍👧‍👦", "**", "x_y ", "\n\n", "https://a.example/x "])
def test_long_words_stand_in_several_pieces_and_none_is_cut_where_it_hurts(words: str) -> None:
    text = (words * 4_000)[:4_000].rsplit(" ", 1)[0]
    marks = tuple(
        Mark(MarkKind.BOLD, at, at + 3) for at in range(0, 3_900, 9) if text[at : at + 3].strip() == text[at : at + 3]
    )
    made = pieces(TextPart(text, marks), 1_800)
    assert all(units(one) <= 1_800 for one in made)
    again = "".join(read(one, Names()).text for one in made)
    assert "".join(again.split()) == "".join(text.split())
    assert not any(one.startswith(("\u200d", "\ufe0f")) for one in made)


def test_all_of_a_note_is_quoted() -> None:
    assert markdown(TextPart("a\n• b", (Mark(MarkKind.ITEM, 4, 5, "• "),)), quoted=True) == "> a\n> - b"
