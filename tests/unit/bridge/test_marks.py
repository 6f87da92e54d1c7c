"""Marks stand beside the words: they follow a cut, and what knows none of them loses nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.redis.codec import decode_body, encode_body
from bridge.marks import Writer, as_text, cut, stripped
from bridge.messages import Body, FilePart, Mark, MarkKind, TextPart

KINDS = [kind for kind in MarkKind if kind is not MarkKind.ITEM]


@st.composite
def marked(draw: st.DrawFn) -> TextPart:
    text = draw(st.text(alphabet="ab \n日👋🏽", min_size=1, max_size=40))
    ends = st.integers(0, len(text))
    marks = draw(st.lists(st.tuples(st.sampled_from(KINDS), ends, ends), max_size=6))
    return TextPart(text, tuple(Mark(kind, min(a, b), max(a, b)) for kind, a, b in marks if a != b))


def words_of(part: TextPart, kind: MarkKind) -> set[str]:
    return {part.text[mark.start : mark.end] for mark in part.marks if mark.kind is kind}


@settings(deadline=None)
@given(marked(), st.integers(0, 40), st.integers(0, 40))
def test_what_is_cut_keeps_its_marks_on_the_same_words(part: TextPart, start: int, length: int) -> None:
    piece = cut(part, start, start + length)
    assert piece.text == part.text[start : start + length]
    for at, _ in enumerate(piece.text):
        here = {mark.kind for mark in piece.marks if mark.start <= at < mark.end}
        assert here == {mark.kind for mark in part.marks if mark.start <= at + start < mark.end}


def test_an_item_that_lost_its_bullet_is_no_item() -> None:
    part = TextPart("• one\n• two", (Mark(MarkKind.ITEM, 2, 5, "• "), Mark(MarkKind.ITEM, 8, 11, "• ")))
    assert cut(part, 3).marks == (Mark(MarkKind.ITEM, 5, 8, "• "),)


def test_words_lose_the_space_around_them_and_no_mark() -> None:
    assert stripped(TextPart(" \n bold ", (Mark(MarkKind.BOLD, 3, 7),))) == TextPart(
        "bold", (Mark(MarkKind.BOLD, 0, 4),)
    )


def test_only_addresses_that_may_be_followed_become_links() -> None:
    writer = Writer()
    for url in (
        "https://a.example",
        "MAILTO:a@b.example",
        "javascript:alert(1)",
        "tel:+81",
        "data:text/html,x",
        "slack://x",
    ):
        writer.address(url, url)
        writer.write(" ")
    assert words_of(writer.done(), MarkKind.LINK) == {"https://a.example", "MAILTO:a@b.example"}


def test_a_body_of_several_parts_reads_as_one_with_its_marks() -> None:
    parts = (
        TextPart("ab", (Mark(MarkKind.BOLD, 1, 2),)),
        FilePart("f", "f", "x/y", 1),
        TextPart("cd", (Mark(MarkKind.CODE, 0, 2),)),
    )
    words = Body(parts).words
    assert words.text == "ab\ncd"
    assert (words_of(words, MarkKind.BOLD), words_of(words, MarkKind.CODE)) == ({"b"}, {"cd"})


@settings(deadline=None)
@given(marked())
def test_a_body_is_kept_with_its_marks(part: TextPart) -> None:
    body = Body((part, FilePart("f", "n", "x/y", 1)))
    assert decode_body(encode_body(body).decode()) == body


def test_words_without_marks_are_kept_as_before_there_were_any() -> None:
    assert encode_body(Body((TextPart("hello"),))) == b'[{"text":"hello"}]'
    assert as_text(TextPart("hello")) == {"type": "text", "text": "hello"}


def test_a_kind_of_mark_that_only_a_newer_release_knows_is_left_out() -> None:
    kept = '[{"text":"ab","marks":[{"kind":"sparkle","start":0,"end":1,"to":""},{"kind":"bold","start":1,"end":2}]}]'
    assert decode_body(kept) == Body((TextPart("ab", (Mark(MarkKind.BOLD, 1, 2),)),))
