"""A message without blocks is read by Slack's own rules, and where they leave a doubt it stays as it was written."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.text.markup import emoji_in, escape
from adapters.slack.text.mentions import Names
from adapters.slack.text.mrkdwn import read
from bridge.messages import MarkKind, TextPart

BOLD, ITALIC, STRIKE, CODE = MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE
PRE, QUOTE, LINK = MarkKind.PRE, MarkKind.QUOTE, MarkKind.LINK


def plain(sent: str, names: Names | None = None) -> str:
    return read(sent, names or Names()).text


def marks_of(part: TextPart) -> list[tuple[MarkKind, str]]:
    return [(mark.kind, part.text[mark.start : mark.end]) for mark in part.marks]


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
        ("<@U1> and <@U2> and <@U3|bob>", "@Sato and @colleague and @colleague"),
        ("<#C1|secret-project> <#C1|> <#C1>", "#channel #channel #channel"),
        ("<#C2|support-en>", "Withdrawals"),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@night> <!subteam^S1> <!subteam^S2>", "@team @team @team"),
        ("<!date^1700000000^{date}|14 Nov>", "14 Nov"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        (":custom: 10:30:45", ":custom: 10:30:45"),
        ("fe80:100:200 at 10:100:20", "fe80:100:200 at 10:100:20"),
    ],
)
def test_slacks_control_sequences_become_words(sent: str, meant: str) -> None:
    assert plain(sent, Names(person={"U1": "Sato"}.get, place={"C2": "Withdrawals"}.get)) == meant


def test_an_emoji_that_was_picked_becomes_its_character_and_a_custom_one_stays_its_name() -> None:
    blocks = [
        {"type": "emoji", "name": "pray", "unicode": "1f64f"},
        {"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fb", "skin_tone": 2},
        {"type": "emoji", "name": "our-logo"},
    ]
    names = Names(emoji=emoji_in(blocks))
    assert plain(":pray: :wave::skin-tone-2: :our-logo:", names) == "🙏 👋🏻 :our-logo:"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (":pray:", "🙏"),
        (":+1::skin-tone-3:", "👍🏼"),
        (":wave::skin-tone-6: :satellite: :egg:", "👋🏿 🛰️ 🥚"),
        (":flag-jp: :jp: :-1: :100:", "🇯🇵 🇯🇵 👎 💯"),
        (":woman-gesturing-ok: :mans_shoe:", "🙆\u200d♀️ 👞"),
        ("`:pray:`", ":pray:"),
        (":party-parrot: :30:", ":party-parrot: :30:"),
    ],
)
def test_short_codes_are_slacks_own(sent: str, meant: str) -> None:
    assert plain(sent) == meant


@pytest.mark.parametrize(
    ("sent", "words", "marks"),
    [
        ("*b* _i_ ~s~ `c`", "b i s c", [(BOLD, "b"), (ITALIC, "i"), (STRIKE, "s"), (CODE, "c")]),
        ("*_both_*, (*x*)", "both, (x)", [(BOLD, "both"), (ITALIC, "both"), (BOLD, "x")]),
        ("*see <https://a.example|us>*", "see us (https://a.example)", [(BOLD, "see us (https://a.example)"), (LINK, "https://a.example")]),
        ("`a *b* &lt;c&gt;`", "a *b* <c>", [(CODE, "a *b* <c>")]),
        ("a\n```x *y*\n  z```\nb", "a\nx *y*\n  z\nb", [(PRE, "x *y*\n  z")]),
        ("a ```x``` b", "a \nx\n b", [(PRE, "x")]),
        ("&gt; one\n&gt; *two*\nthree", "one\ntwo\nthree", [(QUOTE, "one\ntwo"), (BOLD, "two")]),
        ("&gt;&gt;&gt; one\ntwo", "one\ntwo", [(QUOTE, "one\ntwo")]),
    ],
)  # fmt: skip
def test_marks_at_the_edges_of_words(sent: str, words: str, marks: list[tuple[MarkKind, str]]) -> None:
    part = read(sent, Names())
    assert (part.text, marks_of(part)) == (words, marks)


@pytest.mark.parametrize(
    "typed",
    [
        *("a*b*c", "2 * 3 * 4", "2*3*4", "*", "**", "* x *", "*x", "x*", "*a\nb*", "**x**"),
        *("0x_ab_cd", "snake_case_name", "order_12_34", "_", "a_b", "~/.ssh/~x", "10~20~30"),
        *("> 5 BTC", ">= 3", ">$20", "1 > 0", "`", "``", "```", "``````", "a`b`c"),
        *("太字*です*よ", "https", "1,234.50", "10:30:45"),
    ],
)
def test_what_is_not_certain_stays_as_it_was_written(typed: str) -> None:
    assert read(escape(typed), Names()) == TextPart(typed)


@settings(deadline=None)
@given(
    st.from_regex(r"[A-Za-z0-9]{1,6}([_*~.,:/+\-][A-Za-z0-9]{1,6}){0,6}", fullmatch=True),
    st.sampled_from(["", " ", "\n"]),
)
def test_no_id_or_amount_loses_a_character(typed: str, around: str) -> None:
    sent = escape(f"to{around or ' '}{typed}{around} now")
    assert plain(sent) == f"to{around or ' '}{typed}{around} now"


@settings(deadline=None)
@given(st.text(alphabet="*_~`> qk\n<>&:|", max_size=60))
def test_any_text_can_be_read_and_keeps_its_letters(typed: str) -> None:
    part = read(escape(typed), Names())
    # No emoji is called by these letters, as some are by others: `:a:`.
    assert [c for c in part.text if c in "qk"] == [c for c in typed if c in "qk"]
    assert all(0 <= mark.start < mark.end <= len(part.text) for mark in part.marks)


@pytest.mark.parametrize("piece", ["*a ", "_a ", "`a ", "*a _b ~c ", "> ", "```", "<@U1> ", ":a:b"])
def test_a_long_text_of_nothing_but_signs_is_read_in_no_time(piece: str) -> None:
    started = time.process_time()
    read((piece * 40_000)[:40_000], Names())
    assert time.process_time() - started < 2
