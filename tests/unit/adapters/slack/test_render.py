"""What is shown: a customer's words byte for byte with nothing in them that acts, and cards within Slack's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.markup import unescape
from adapters.slack.network import plain_title, thread_words
from adapters.slack.parse import CLAIM, RESOLVE
from adapters.slack.refs import read_button_value
from adapters.slack.render import TEXT, Assignee, Rendered, card, customer_name, history, line, said
from bridge.messages import About, Body, FilePart, Mark, MarkKind, TextPart
from bridge.ports import Placed
from config.locales import LANGUAGES
from routing.facts import Mirror, Side
from routing.ids import CustomerKey, DeskId, NetworkName, Place, SessionId, ShortCode, Topic
from routing.session import Session, State, Turn, TurnOf
from tests.simulators.slack import blocks as block_kit
from tests.simulators.slack import mrkdwn
from tests.simulators.slack.shapes import seen
from tests.simulators.slack.workspace import Message, Workspace
from tests.unit.adapters.slack.test_markup import TEXT as WRITTEN

MIRROR = Mirror(1, NetworkName("slack"), Place("C1"))
SESSION = Session(
    id=SessionId("main.0.abc"),
    code=ShortCode("K7Q2"),
    customer=CustomerKey("main", "~v"),
    verified=False,
    language="en",
    topic=Topic("transfers"),
    desk=DeskId("en"),
    state=State.QUEUED,
    opened_at=1_700_000_000_000,
    last_at=1_700_000_000_000,
    turn=Turn(TurnOf.OURS, 1_700_000_000_000),
    mirrors=(MIRROR,),
    waiting_since=1_700_000_000_000,
)


def shown(rendered: Rendered) -> str:
    """What a person reads, by the simulator's reading."""
    message = Message("1.1", "U1", rendered.text, rendered.blocks, bot_id="B1")
    return seen(Workspace(), message)


def acts(rendered: Rendered) -> list[object]:
    """Everything in it that rings or can be clicked, blocks and notification text together."""
    reading = block_kit.reading_of(rendered.blocks)
    reading.add(mrkdwn.read(rendered.text, verbatim=rendered.changed["parse"] == "none"))
    return [*reading.pings, *reading.links]


def a_card(session: Session = SESSION, about: About | None = None, **changes: Any) -> Rendered:
    about = about or About(name="Hanako", page="https://example.com/trade", time_zone="Asia/Tokyo")
    return card(session, about, 1, **{"assignee": Assignee(), "wording": thread_words, "title": plain_title, **changes})


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


@settings(deadline=None)
@given(WRITTEN, WRITTEN, st.sampled_from(list(State)[1:]), st.sampled_from(LANGUAGES), WRITTEN)
def test_every_card_is_within_slacks_limits_and_no_name_in_it_acts(
    name: str, page: str, state: State, language: str, assignee: str
) -> None:
    session = replace(SESSION, state=state, language=language, turn=Turn(TurnOf.HELD, 1, 1_700_000_600_000))
    rendered = a_card(session, About(name=name * 40, page=page * 40), assignee=Assignee(name=assignee))
    assert block_kit.errors_in(rendered.blocks) == []
    assert [ping for ping in acts(rendered) if not str(getattr(ping, "url", "")).startswith("!date^")] == []


def test_the_first_forty_characters_of_a_cards_notification_decide() -> None:
    start = unescape(a_card(about=About(name="A very long name that goes on and on")).text)[:40]
    assert start == "K7Q2 · en · transfers · Waiting · A very"


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        (State.QUEUED, [CLAIM, RESOLVE]),
        (State.ASSIGNED, [RESOLVE]),
        (State.RESOLVED, [CLAIM]),
        (State.CLOSED, []),
    ],
)
def test_the_buttons_are_those_that_the_state_allows_and_name_the_session(state: State, actions: list[str]) -> None:
    rendered = a_card(replace(SESSION, state=state))
    buttons = [element for _block, element in block_kit.buttons_in(rendered.blocks)]
    assert [one["action_id"] for one in buttons] == actions
    assert all(read_button_value(one["value"]) == Placed(SESSION.id, 1) for one in buttons)


@pytest.mark.parametrize(("state", "style"), [(State.QUEUED, "primary"), (State.ASSIGNED, "primary")])
def test_the_likely_next_action_is_the_first_and_stands_out(state: State, style: str) -> None:
    first = next(block_kit.buttons_in(a_card(replace(SESSION, state=state)).blocks))[1]
    assert first["style"] == style


def test_the_card_of_a_mirror_that_was_left_has_no_buttons() -> None:
    moved = replace(SESSION, mirrors=(MIRROR, Mirror(2, MIRROR.network, Place("C2"))))
    assert list(block_kit.buttons_in(a_card(moved).blocks)) == []
    assert "moved to another desk" in shown(a_card(moved))


def test_the_bridges_own_lines_are_nobodys_words() -> None:
    rendered = line("The customer ended the conversation.")
    assert [block["type"] for block in rendered.blocks] == ["context"]


def test_what_an_operator_formatted_before_a_transfer_is_formatted_behind_it() -> None:
    words = TextPart("now\n• one", (Mark(MarkKind.BOLD, 0, 3), Mark(MarkKind.ITEM, 6, 9, "• ")))
    told = history(
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


def test_of_a_long_history_the_latest_is_shown() -> None:
    told = history([(1, "Hanako", TextPart("a" * 9_000)), (2, "Sato", TextPart("b" * 7_000))], "en", thread_words)
    assert not block_kit.are_too_long(told.blocks)
    assert shown(told).endswith("b" * 7_000)
    assert "a" * 900 in shown(told)
