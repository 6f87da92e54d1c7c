"""Whatever a customer writes or is called: on Discord it rings nobody, leads nowhere, and reads as it was written."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.discord import render
from adapters.discord.refs import custom_id
from adapters.discord.render import CONTENT, HISTORIES, Rendered
from adapters.discord.shown.rewording import reworded
from adapters.discord.text.markdown import read
from adapters.discord.text.markup import kept, units
from adapters.discord.text.mentions import Names
from bridge.messages import About, Body, FilePart, Mark, MarkKind, TextPart
from bridge.networks.names import customer_name
from bridge.ports import Placed
from config.locales import LANGUAGES, text
from routing.facts import Side
from routing.ids import MessageId, SessionId
from tests.unit.adapters.discord.judging import acts, taken
from tests.unit.adapters.discord.text.test_markup import HOSTILE, block, shown

WORDS = HOSTILE.filter(str.strip)
AT = 1_700_000_000_000
HEAD = r"**11-14 22\:13 "


def wording(language: str, key: str, /, **words: str) -> str:
    return text("thread", language, key, **words)


def spoken(words: str, name: str = "Hanako", language: str = "en", side: Side = Side.CUSTOMER) -> tuple[Rendered, ...]:
    speaker = customer_name(About(name=name), language, wording)
    return render.said(side, Body((TextPart(words),)), speaker, language=language, wording=wording)


@settings(deadline=None, max_examples=40)
@given(WORDS, HOSTILE, st.sampled_from(LANGUAGES))
@example("**bold** <@1> @everyone", "@here", "en")
@example("```", "`", "ja")
def test_words_and_the_name_above_them(words: str, name: str, language: str) -> None:
    (one,) = spoken(words, name, language)
    assert acts(one) == []
    head, _, rest = one.content.partition("\n")
    assert block(rest).replace("`\u200b", "`") == shown(words).replace("`\u200b", "`")
    assert read(head, Names()).text == customer_name(About(name=name), language, wording)


@settings(deadline=None, max_examples=40)
@given(WORDS, HOSTILE, st.sampled_from([Side.REPLY, Side.NOTE]), st.sampled_from(LANGUAGES))
def test_an_operators_plain_words_are_nothing_else_and_say_whose_they_are(
    words: str, name: str, side: Side, language: str
) -> None:
    (one,) = spoken(words, name, language, side)
    assert acts(one) == []
    head, _, rest = one.content.partition("\n")
    assert head.startswith("-# ")
    assert read(rest, Names()).text.strip() == kept(words).strip()


@settings(deadline=None, max_examples=40)
@given(WORDS, st.lists(HOSTILE, max_size=3), HOSTILE)
def test_words_that_were_changed_and_what_they_were(words: str, former: list[str], name: str) -> None:
    (one,) = spoken(words, name)
    changed = reworded(one, [Body((TextPart(text),)) for text in former], "en", wording)
    assert acts(changed) == []
    assert changed.content.startswith(one.content)
    assert changed.content.splitlines()[len(one.content.splitlines())] == "-# edited"


@settings(deadline=None, max_examples=40)
@given(WORDS, st.sampled_from(LANGUAGES))
def test_a_machines_translation_of_them(words: str, language: str) -> None:
    (one,) = render.translation(Body((TextPart(words),)), language, AT, wording)
    assert acts(one) == []
    assert "<t:1700000000:f>" in one.content


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(HOSTILE, WORDS), min_size=1, max_size=4), st.sampled_from(LANGUAGES))
def test_what_was_said_before_is_each_ones_own_quote(said: list[tuple[str, str]], language: str) -> None:
    told = [(AT, customer_name(About(name=name), language, wording), TextPart(words)) for name, words in said]
    (one,) = render.history(told, language, wording)
    assert acts(one) == []
    lines = str(one.embeds[0]["description"]).split("\n")
    assert sum(line.startswith(HEAD) for line in lines) == len(said)
    assert all(line.startswith((HEAD, "> ")) for line in lines)


@pytest.mark.parametrize("size", [4_000, 40_000])
@pytest.mark.parametrize("words", ["<@1>", "`", "```", "👩‍👩‍👧‍👦", "*a* ", "\n.", "日本", "https://a.example/x "])
def test_the_longest_words_are_shown_whole_in_numbered_posts(words: str, size: int) -> None:
    whole = (words * size)[:size]
    for name in ("Hanako", "_" * 200):
        posts = spoken(whole, name)
        assert all(units(one.content) <= CONTENT and acts(one) == [] for one in posts)
        shown = "".join(block(one.content.partition("\n")[2]) for one in posts)
        assert shown.replace("\u200b", "") == whole.replace("\u200b", "")
        assert posts[-1].content.partition("\n")[0].endswith(f" ({len(posts)}/{len(posts)})")


def test_files_without_words_say_how_many_they_are() -> None:
    body = Body((FilePart("f1", "a.png", "image/png", 1), FilePart("f2", "b.png", "image/png", 1)))
    (one,) = render.said(Side.CUSTOMER, body, "Hanako", language="en", wording=wording, others=1)
    assert one.content == "**Hanako**\n```\nFiles: 3\n```"


def test_the_bridges_own_lines_are_small_and_ring_only_who_is_called() -> None:
    quiet = render.line("The customer ended the conversation.\n<@5> did it")
    assert quiet.content == "-# The customer ended the conversation.\n-# <@5> did it"
    assert taken(quiet)["allowed_mentions"] == {"parse": [], "users": [], "roles": [], "replied_user": False}
    called = render.line("<@5> Can you take this?", users=("5",))
    assert called.content == "<@5> Can you take this?"
    assert taken(called)["allowed_mentions"]["users"] == ["5"]
    assert taken(render.line("@here Who?", everyone=True))["allowed_mentions"]["parse"] == ["everyone"]


@settings(deadline=None, max_examples=40)
@given(WORDS)
def test_a_line_that_asks_shows_the_words_that_it_is_about(words: str) -> None:
    name = custom_id("send", Placed(SessionId("main.0.abc"), 1), MessageId("d:1:2"))
    asked = render.asking("Goes out in 5 s.", [(name, "Undo")], TextPart(words))
    assert acts(asked) == []
    assert asked.content.endswith("\n-# Goes out in 5 s.")
    assert asked.components[0]["components"][0]["custom_id"] == name
    assert taken(render.asking("Goes out.", [(name, "Undo")]))["content"] == "-# Goes out."


def test_a_very_long_history_tells_the_latest_and_where_the_beginning_is() -> None:
    said = [(number, "Hanako", TextPart("& *" * 500)) for number in range(20)]
    told = render.history(said, "en", wording)
    assert len(told) == HISTORIES
    assert all(acts(one) == [] for one in told)
    first = told[0]
    assert wording("en", "post.history.more") in first.embeds[0]["description"]
    assert first.content.endswith(f"(1/{HISTORIES})")


def test_what_an_operator_formatted_before_a_transfer_is_formatted_behind_it() -> None:
    words = TextPart("now\n• one", (Mark(MarkKind.BOLD, 0, 3), Mark(MarkKind.ITEM, 6, 9, "• ")))
    (told,) = render.history([(AT, "Hanako", TextPart("*hi*")), (AT, "Sato", words)], "en", wording)
    assert told.embeds[0]["description"] == (
        "**11-14 22\\:13 Hanako**\n> \\*hi\\*\n**11-14 22\\:13 Sato**\n> **now**\n> - one"
    )


def test_a_post_is_known_again_by_what_it_says() -> None:
    (one,) = spoken("hi ")
    message = {"content": one.content.strip(), "embeds": []}
    assert one.is_shown_by(message)
    assert not one.is_shown_by({**message, "content": "hi"})
    (told,) = render.history([(AT, "Hanako", TextPart("a"))], "en", wording)
    assert told.is_shown_by({"content": told.content, "embeds": [{"type": "rich", **told.embeds[0]}]})
    assert not told.is_shown_by({"content": told.content, "embeds": [{"description": "else"}]})
