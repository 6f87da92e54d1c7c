"""A long text is cut where a reader would pause, and never within what they see as one character."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.messages import Mark, MarkKind, TextPart
from bridge.networks.splitting import split
from tests.unit.bridge.test_marks import marked

CHARACTERS = [
    "👩‍👩‍👧‍👦", "🙏🏽", "🏳️‍🌈", "🇯🇵", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "1️⃣", "e\u0301\u0323", "각", "\u1112\u1161\u11ab", "क्षि", "\r\n", "ก็", "a", "界",
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(CHARACTERS), max_size=60), st.integers(16, 40))
def test_no_character_is_cut(characters: list[str], limit: int) -> None:
    text = "".join(characters)
    ends = {0}
    for character in characters:
        ends.add(max(ends) + len(character))
    pieces = split(TextPart(text), limit)
    assert "".join(piece.text for piece in pieces) == text
    at = 0
    for piece in pieces:
        assert len(piece.text) <= limit
        assert at in ends
        at += len(piece.text)


@settings(deadline=None)
@given(marked(), st.integers(1, 20))
def test_the_pieces_are_the_whole_with_its_marks(part: TextPart, limit: int) -> None:
    pieces = split(part, limit)
    assert "".join(piece.text for piece in pieces) == part.text
    signs = [
        (sign, frozenset(mark.kind for mark in piece.marks if mark.start <= at < mark.end))
        for piece in pieces
        for at, sign in enumerate(piece.text)
    ]
    assert signs == [
        (sign, frozenset(mark.kind for mark in part.marks if mark.start <= at < mark.end))
        for at, sign in enumerate(part.text)
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("one two three\n\nfour five\nsix seven", "one two three\n\n"),
        ("one two three four\nfive six seven", "one two three four\n"),
        ("One two three. Four five six seven", "One two three."),
        ("一二三四五六七八九十。一二三四五六七八九十", "一二三四五六七八九十。"),
        ("onetwothree fourfivesix sevene", "onetwothree "),
        ("0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886E"),
    ],
)
def test_it_is_cut_where_a_reader_would_pause(text: str, first: str) -> None:
    assert split(TextPart(text), 20)[0].text == first


def test_an_address_and_a_piece_of_code_stay_whole() -> None:
    text = "see here now https://a.example/x y-z"
    mark = Mark(MarkKind.LINK, 13, 32, "https://a.example/x")
    first, second, *_ = split(TextPart(text, (mark,)), 22)
    assert first.text == "see here now "
    assert (second.text[:19], second.marks) == ("https://a.example/x", (Mark(MarkKind.LINK, 0, 19, mark.to),))


def test_weights_count() -> None:
    pieces = split(TextPart("&" * 10), 20, lambda sign: 5)
    assert [len(piece.text) for piece in pieces] == [4, 4, 2]


def test_a_character_without_end_is_cut_all_the_same() -> None:
    pieces = split(TextPart("e" + "\u0301" * 100), 20)
    assert all(len(piece.text) <= 20 for piece in pieces)


@pytest.mark.parametrize("sign", ["a", " ", "\n", "\u0301", "🇯", "。", "\u200d"])
def test_the_longest_text_of_any_sign_is_split_in_no_time(sign: str) -> None:
    started = time.process_time()
    split(TextPart(sign * 40_000), 1_000)
    assert time.process_time() - started < 2
