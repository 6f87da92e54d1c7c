"""Words are words: in a block, and among our own. Judged by the simulator's reading of what acts."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.discord.text.markup import certain, escape, escaped_within, fenced, kept, units
from tests.simulators.discord import acts_in, pings_in
from tests.simulators.discord.markdown import seen, taken_in
from tests.unit.simulators.discord.test_markdown import ACTS

SIGNS = [
    *ACTS,
    *("```", "``", "`", "\n```", "```\n", "```ansi\n", "\\", "\\`", "\\```", "~~~", "***", "__", "||", "> ", ">>> "),
    *("\n", "\r\n", "\t", " ", "\u3000", "\u200b", "\u2060", "\u202e", "\u2028", "日本", "🙏🏽", "👩‍👩‍👧‍👦", "é"),
    *("`\u202e`", "`\x1b``", "`\u0301`\u0301`", "discord\u202e.gg/x", "dis\u2066cord.gg/x", "\u0300 " * 150),
    *("discord.gg/x", "DISCORD.COM/invite/abc", "http://", "steam://run/1", "<sound:1>", "1) x", "+ x"),
    *("K7Q2 · Hanako · en · Waiting", "-# Sato · reply from another face", "**Sato**\n"),
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(SIGNS) | st.text(max_size=8), min_size=1, max_size=8).map("".join)
BLOCK = re.compile(r"```\n(.*)\n```", re.DOTALL)


def block(text: str) -> str:
    """What a client draws in the block that a text is, by Discord's own rule; AssertionError where it is more."""
    found = BLOCK.fullmatch(text)
    assert found is not None
    assert "```" not in found[1]
    return found[1]


def shown(text: str) -> str:
    """A block of nothing is none, so something without width stands in it."""
    return kept(text) if kept(text).strip("\n") else f"{kept(text)}\u200b"


@settings(deadline=None, max_examples=40)
@given(HOSTILE)
@example("```")
@example("\x1b")
@example("\n\n")
@example("a``````b`")
@example("`\u202e``\n[mail](https://example.com)")
@example("\u0300 " * 150 + "`\u0300`\u0301`\n# x")
def test_a_block_holds_all_words_and_nothing_in_it_acts(text: str) -> None:
    """Not even when Discord has taken out what it does not like."""
    made = fenced(text)
    assert block(made).replace("`\u200b", "`") == shown(text).replace("`\u200b", "`")
    for around in (made, taken_in(made), taken_in(f"**Hanako**\n{made}")):
        assert {act.kind for act in acts_in(around)} <= {"block", "code", "bold"}
        assert [act.kind for act in acts_in(around)].count("block") == 1
        assert pings_in(around) == []


@settings(deadline=None, max_examples=40)
@given(HOSTILE)
def test_what_is_without_three_ticks_is_in_a_block_byte_for_byte(text: str) -> None:
    text = kept(text).replace("`", "\u3000`\u3000")
    assert block(fenced(text)) == shown(text)


@settings(deadline=None, max_examples=40)
@given(HOSTILE)
def test_escaped_words_are_nothing_but_words(text: str) -> None:
    for around in (escape(text), f"x {escape(text)} y", f"> {escape(text)}"):
        assert [act for act in acts_in(taken_in(around)) if act.kind != "quote"] == []
    assert seen(escape(text), lambda name: "?") == kept(text)


@settings(deadline=None, max_examples=40)
@given(HOSTILE)
def test_what_was_said_is_known_again_whatever_was_taken_out_of_it(text: str) -> None:
    assert certain(taken_in(fenced(text))) == certain(fenced(text))


def test_ids_addresses_and_amounts_keep_their_characters() -> None:
    for text in ("0x71C7656EC7ab88b098defB751B7401B5f6d8976F", "1,234.56 USDT", "bc1qar0srrr7xfkvy5l643", "K7Q2 ja"):
        assert escape(text) == text


@settings(deadline=None, max_examples=40)
@given(HOSTILE, st.integers(2, 60))
def test_escaped_words_are_shortened_between_escapes(text: str, limit: int) -> None:
    short = escaped_within(text, limit)
    assert units(short) <= limit
    assert acts_in(short) == []
