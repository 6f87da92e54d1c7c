"""What is shown: a customer's words byte for byte with nothing in them that acts, and cards within Slack's limits."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.render import HISTORIES, TEXT, Rendered, history, line, said
from bridge.messages import About, Body, FilePart, Mark, MarkKind, TextPart
from bridge.networks.names import customer_name
from config.locales import LANGUAGES, thread_words
from routing.facts import Side
from tests.simulators.slack import blocks as block_kit
from tests.simulators.slack import mrkdwn
from tests.simulators.slack.shapes import seen
from tests.simulators.slack.workspace import Message, Workspace
from tests.unit.adapters.slack.text.test_markup import TEXT as WRITTEN


def shown(rendered: Rendered) -> str:
    """What a person reads, by the simulator's reading."""
    message = Message("1.1", "U1", rendered.text, rendered.blocks, bot_id="B1")
    return seen(Workspace(), message)


def acts(rendered: Rendered) -> list[object]:
    """Everything in it that rings or can be clicked, blocks and notification text together."""
    reading = block_kit.reading_of(rendered.blocks)
    reading.add(mrkdwn.read(rendered.text, verbatim=rendered.changed["parse"] == "none"))
    return [*reading.pings, *reading.links]


@settings(deadline=None)
@given(WRITTEN.filter(bool), st.sampled_from(list(Side)), st.sampled_from(LANGUAGES), WRITTEN)
def test_words_are_shown_byte_for_byte_and_nothing_in_them_acts(
    text: str, side: Side, language: str, name: str
) -> None:
    speaker = customer_name(About(name=name), language, thread_words)
    (rendered,) = said(side, Body((TextPart(text),)), speaker, language=language, wording=thread_words)
    assert block_kit.errors_in(rendered.blocks) == []
    assert shown(rendered).endswith(f"\n{text}")
    assert acts(rendered) == []
    assert len(rendered.text) <= TEXT


@settings(deadline=None)
@given(WRITTEN.filter(bool))
def test_a_persona_leaves_the_words_alone(text: str) -> None:
    body = Body((TextPart(text),))
    (rendered,) = said(Side.CUSTOMER, body, "Hanako", language="en", wording=thread_words, persona=True)
    assert shown(rendered) == text
    assert acts(rendered) == []


def test_four_thousand_characters_fit_into_one_post_and_its_change() -> None:
    body = Body((TextPart("👀" * 4_000),))
    (rendered,) = said(Side.CUSTOMER, body, "Hanako", language="en", wording=thread_words)
    assert not block_kit.are_too_long(rendered.blocks)
    assert shown(rendered) == "Hanako\n" + "👀" * 4_000
    assert len(rendered.text) <= TEXT


def test_files_without_words_say_how_many_they_are() -> None:
    body = Body((FilePart("f1", "a.png", "image/png", 1), FilePart("f2", "b.png", "image/png", 1)))
    (rendered,) = said(Side.CUSTOMER, body, "Hanako", language="en", wording=thread_words)
    assert shown(rendered) == "Hanako\nFiles: 2"


def test_the_bridges_own_lines_are_nobodys_words() -> None:
    rendered = line("The customer ended the conversation.")
    assert [block["type"] for block in rendered.blocks] == ["context"]


def test_what_an_operator_formatted_before_a_transfer_is_formatted_behind_it() -> None:
    words = TextPart("now\n• one", (Mark(MarkKind.BOLD, 0, 3), Mark(MarkKind.ITEM, 6, 9, "• ")))
    (told,) = history(
        [(1_700_000_000_000, "Hanako", TextPart("*hi*")), (1_700_000_000_000, "Sato", words)], "en", thread_words
    )
    elements = told.blocks[-1]["elements"]
    assert [(one["type"], one["elements"][0].get("style")) for one in elements] == [
        ("rich_text_section", {"bold": True}),
        ("rich_text_quote", None),
        ("rich_text_section", {"bold": True}),
        ("rich_text_quote", {"bold": True}),
        ("rich_text_list", None),
    ]


def test_a_long_history_is_told_whole_in_several_posts() -> None:
    said = [(1, "Hanako", TextPart("a" * 9_000)), (2, "Sato", TextPart("b" * 7_000)), (3, "Hanako", TextPart("c"))]
    told = history(said, "en", thread_words)
    assert not any(block_kit.are_too_long(one.blocks) or block_kit.errors_in(one.blocks) for one in told)
    text = "".join(map(shown, told))
    assert [text.count(sign * 1_000) for sign in "ab"] == [9, 7]
    assert text.endswith("c")
    assert [one.text.rpartition(" ")[2] for one in told] == ["(1/3)", "(2/3)", "(3/3)"]


def test_of_a_very_long_history_the_latest_is_told_and_where_the_beginning_is() -> None:
    said = [(number, "Hanako", TextPart("&" * 1_500)) for number in range(20)]
    told = history(said, "en", thread_words)
    assert len(told) > HISTORIES
    first, *others = told[-HISTORIES:]
    assert thread_words("en", "post.history.more") in shown(first)
    assert first.text.endswith(f"(1/{HISTORIES})")
    assert not any(thread_words("en", "post.history.more") in shown(one) for one in others)
    assert not any(block_kit.are_too_long(one.blocks) for one in told)
