"""Escaping is undone exactly, and what begins as a note stays one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.text.markup import emoji_in, escape, escaped_within, unescape
from bridge.networks.openings import note

MEANINGFUL = st.sampled_from(
    [
        "<!channel>", "<!here|here>", "<https://evil.example|bank>", "&", "<", ">", "&lt;", "&amp;lt;", "*b*", "`c`",
        "```", "_i_", "~s~", "> q", ":smile:", "👍", "https://example.com/a?b=c&d=e", "example.com", "a@b.io", "@here",
        "0x52908400098527886E0F7030069857D2E4169EE7", "1,234.50", "10:30:45", "|", "\n", " ",
        "\u202e", "日本", "<>", "<@",
    ]
)  # fmt: skip
TEXT = st.lists(MEANINGFUL | st.text(max_size=12)).map("".join)


@settings(deadline=None)
@given(TEXT, st.integers(0, 60))
def test_shortened_text_fits_and_cuts_no_entity(text: str, limit: int) -> None:
    short = escaped_within(text, limit)
    assert len(short) <= limit
    assert text.startswith(unescape(short))
    assert escape(unescape(short)) == short


@settings(deadline=None)
@given(TEXT)
def test_escaping_is_undone_exactly(text: str) -> None:
    assert unescape(escape(text)) == text


@pytest.mark.parametrize(
    "written",
    [
        *("note: x", "Note： x", "NOTE :x", "ｎｏｔｅ：x", "notes: x", "n o t e : x"),
        *("メモ: x", "メモ：x", "ﾒﾓ:x", "备注：x", "備註:x", "内部: x"),
        *("// x", "／／x", "  note:x", "\u3000メモ:x", "\u200bnote: x"),
        *("*note:* x", "*Note*: x", "_note: x", "> note: x"),
    ],
)
def test_a_note_is_known_however_its_prefix_is_typed(written: str) -> None:
    assert note(written) == "x"


@pytest.mark.parametrize(
    "written", ["noted: x", "note x", "a note: x", "https://x", "/ / x"[:1], "", "   ", "メモ x", "1/2"]
)
def test_a_reply_is_not_taken_for_a_note(written: str) -> None:
    assert note(written) is None


@settings(deadline=None)
@given(st.text(max_size=200))
def test_whatever_follows_a_notes_prefix_it_is_a_note(rest: str) -> None:
    assert note(f"note:{rest}") is not None
    assert note(f"//{rest}") is not None


@pytest.mark.parametrize("unicode", ["d800", "1f64f-dfff", "110000", "nonsense", "-1", ""])
def test_an_emoji_of_no_character_is_none(unicode: str) -> None:
    blocks = [{"type": "emoji", "name": "odd", "unicode": unicode}]
    assert emoji_in(blocks).get(":odd:", "") == ""
