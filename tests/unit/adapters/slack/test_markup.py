"""What operators type arrives byte for byte, and what begins as a note stays one."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.slack.markup import Names, emoji_in, escape, escaped_within, note, one_line, plain, unescape
from tests.simulators.slack import mrkdwn

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
@given(TEXT)
@example("see example.com, or <https://evil.example|bank> & 0.10")
def test_what_a_person_types_comes_out_as_they_typed_it(typed: str) -> None:
    if re.search(r"<[@#][A-Z][A-Z0-9]+>", typed) or any(f":{name}:" in typed for name in mrkdwn.EMOJI.values()):
        return  # the simulator takes these for a mention, and for an emoji that was picked
    if re.search(rf"(://|\.)\S*({'|'.join(map(re.escape, mrkdwn.EMOJI))})", typed):
        return  # glued to an address, where the simulator takes an emoji's name for a part of the address
    sent, blocks = mrkdwn.typed(typed), [mrkdwn.rich_text(typed)]
    if re.search(r"&(lt|gt|amp)[>|]", sent):
        return  # where an address ends in one, the simulator cuts the entity in two
    assert plain(sent, Names(emoji=emoji_in(blocks))) == typed


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("<https://example.com>", "https://example.com"),
        ("<http://example.com|example.com>", "example.com"),
        ("<http://example.com/|EXAMPLE.com>", "EXAMPLE.com"),
        ("<https://example.com/?a=1&amp;b=2>", "https://example.com/?a=1&b=2"),
        ("<https://example.com|our page>", "our page (https://example.com)"),
        ("<mailto:a@example.com|a@example.com>", "a@example.com"),
        ("<tel:+81312345678|+81312345678>", "+81312345678"),
        ("<@U1> and <@U2> and <@U3|bob>", "@Sato and @colleague and @bob"),
        ("<#C1|general> <#C1|> <#C1>", "#general #channel #channel"),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@night> <!subteam^S1>", "@night @team"),
        ("<!date^1700000000^{date}|14 Nov>", "14 Nov"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        (":custom: 10:30:45", ":custom: 10:30:45"),
    ],
)
def test_slacks_control_sequences_become_words(sent: str, meant: str) -> None:
    assert plain(sent, Names(person={"U1": "Sato"}.get)) == meant


def test_an_emoji_that_was_picked_becomes_its_character_and_a_custom_one_stays_its_name() -> None:
    blocks = [
        {"type": "emoji", "name": "pray", "unicode": "1f64f"},
        {"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fb", "skin_tone": 2},
        {"type": "emoji", "name": "our-logo"},
    ]
    names = Names(emoji=emoji_in(blocks))
    assert plain(":pray: :wave::skin-tone-2: :our-logo:", names) == "🙏 👋🏻 :our-logo:"


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


@settings(deadline=None)
@given(st.text(max_size=80), st.integers(2, 20))
def test_a_name_is_one_short_line(name: str, limit: int) -> None:
    line = one_line(name, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert "\u202e" not in line


@pytest.mark.parametrize("unicode", ["d800", "1f64f-dfff", "110000", "nonsense", "-1", ""])
def test_an_emoji_of_no_character_is_none(unicode: str) -> None:
    blocks = [{"type": "emoji", "name": "odd", "unicode": unicode}]
    assert emoji_in(blocks).get(":odd:", "") == ""
