"""What of a text acts in a reader's client, and whom the server rings for it."""

import pytest
from discord.utils import escape_markdown, escape_mentions
from hypothesis import given
from hypothesis import strategies as st

from tests.simulators.discord import Ping, acts_in, pings_in

ACTS = {
    "<@80351110224678912>": "user",
    "<@!80351110224678912>": "user",
    "<@&165511591545143296>": "role",
    "<#103735883630395392>": "channel",
    "</chat home:816437322781949972>": "command",
    "<id:customize>": "guide",
    "<t:1618953630:R>": "timestamp",
    "<t:0>": "timestamp",
    "<:mmLol:216154654256398347>": "emoji",
    "<a:b1nzy:392938283556143104>": "emoji",
    ":smile:": "shortcode",
    "[see](https://example.com)": "masked_link",
    "[a [b] c](<https://example.com> 'title')": "masked_link",
    "https://example.com/x": "preview",
    "<https://example.com/x>": "link",
    "<mail@example.com>": "link",
    "<sound:216154654256398347>": "sound",
    "steam://run/440": "preview",
    "discord.gg/kakehashi": "invite",
    "https://discord.com/invite/kakehashi": "invite",
    "@everyone": "everyone",
    "@here": "here",
    "||secret||": "spoiler",
    "**bold**": "bold",
    "*italic*": "italic",
    "_italic_": "italic",
    "__under__": "underline",
    "~~gone~~": "strike",
    "`code`": "code",
    "```\nblock\n```": "block",
    "# Heading": "heading",
    "-# small": "subtext",
    "> quote": "quote",
    ">>> quote": "quote",
    "- item": "list",
    "1. item": "list",
    "+ item": "list",
}


@pytest.mark.parametrize("text", ACTS)
def test_each_kind_of_markup_acts_and_as_what(text: str) -> None:
    assert ACTS[text] in [act.kind for act in acts_in(text)]
    below = f"words\n{text}\nwords"
    assert ACTS[text] in [act.kind for act in acts_in(below)]


@pytest.mark.parametrize("text", ACTS)
def test_a_backslash_before_every_sign_leaves_nothing_but_words(text: str) -> None:
    """All but the address inside: that is still a link when a client finds it."""
    escaped = "".join(f"\\{c}" if not c.isalnum() and not c.isspace() else c for c in text)
    assert acts_in(escaped) == []


@given(st.text(alphabet="ab1 \n\\*_~|`#>-<@!&:/[]().", max_size=60))
def test_whatever_is_escaped_sign_by_sign_is_inert(text: str) -> None:
    escaped = "".join(c if c.isalnum() or c.isspace() else f"\\{c}" for c in text)
    assert acts_in(escaped) == []


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(acts_in(text), list)
    assert isinstance(pings_in(text), list)


LEFT = {
    "<#103735883630395392>": "channel",
    "</chat:816437322781949972>": "command",
    "<t:0:R>": "timestamp",
    "<id:customize>": "guide",
    "<:a:216154654256398347>": "emoji",
    "<sound:216154654256398347>": "sound",
    "steam://run/440": "preview",
    "discord.gg/kakehashi": "invite",
    "1. item": "list",
    "+ item": "list",
}
STOPPED = (
    "<@80351110224678912>", "<@&165511591545143296>", "@everyone", "# Heading", "-# small", "> quote", "- item",
    "||secret||", "**bold**", "`code`", "__under__", "~~gone~~",
)  # fmt: skip


@pytest.mark.parametrize("text", LEFT)
def test_what_the_librarys_escapes_leave(text: str) -> None:
    assert [act.kind for act in acts_in(escape_mentions(escape_markdown(text)))] == [LEFT[text]]


@pytest.mark.parametrize("text", STOPPED)
def test_what_the_librarys_escapes_stop(text: str) -> None:
    escaped = escape_mentions(escape_markdown(text))
    assert acts_in(escaped) == []
    assert pings_in(escaped) == []


INERT = [
    "",
    "plain words, 日本語 and 😀",
    "5 * 3 = 15 # not a heading",
    "a_b_c snake_case_name",
    "#hashtag without a blank",
    "1 < 2 > 0",
    "at 10:30:45",
    "mail@example.com",
    "<@ 123>",
    "<@\u200b123>",
    "@\u200beveryone",
    "(a)[b]",
    "[a] (https:)",
    "-item",
    "**",
    "3. ",
]


@pytest.mark.parametrize("text", INERT)
def test_words_are_words(text: str) -> None:
    assert acts_in(text) == []


def test_what_is_inside_of_markup_acts_as_well() -> None:
    assert {act.kind for act in acts_in("> # **<@1>**")} == {"quote", "heading", "bold", "user"}
    assert [act.kind for act in acts_in("`<@1>`")] == ["code"]


def test_the_server_rings_despite_a_backslash_but_not_for_code() -> None:
    assert pings_in(r"\<@1> <@&2> @here <@1>") == [Ping("user", "1"), Ping("role", "2"), Ping("here")]
    assert pings_in("`<@1>` ```@everyone```") == []
