"""The roster as Block Kit: within every limit of Slack's, whatever it holds, and inert."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.controls.commands import LISTS, ROWS, drawn, stranger
from adapters.slack.controls.home import ROWS as HOME_ROWS
from adapters.slack.refs import NAME
from adapters.slack.shown.sheet import AWAY, BACK, NEXT, home, notice, stands, told
from bridge.networks.answers import Explained, Found, Lacking, Shown, Stood
from bridge.networks.commands import Mistyped, Verb
from bridge.networks.face import Face
from bridge.networks.roster import Day, Queue, Row, Sheet
from config.locales import LANGUAGES, thread_words
from routing.availability import Because, Standing
from routing.figures import Figures
from routing.ids import DeskId, OperatorId, SessionId, ShortCode, ThreadRef, Topic
from routing.policy import HOUR
from routing.session import State, TurnOf
from tests.simulators.slack.blocks import are_too_long, errors_in, reading_of

NASTY = "<!channel> <@U1> <https://evil.example|x> @here :tada: https://evil.example *b* &amp; "
names = st.sampled_from(["", NASTY * 9, "久" * 400, "\u202e\x00", "&" * 500]) | st.text(max_size=80)
NOW = 1_700_000_000_000


def face(language: str = "en", longest: bool = True) -> Face:
    title = "長" * 300 if longest else "Transfers"
    return Face(
        thread_words,
        language,
        lambda topic, _: title,
        lambda desk, _: f"{title} {desk}" if longest else desk,
        lambda thread: f"https://example.slack.com/archives/{thread}",
        lambda desk: "C123",
    )


def row(name: str = "Hanako", **changed: Any) -> Row:
    fields: dict[str, Any] = {
        "session": SessionId("main.0.a"), "code": ShortCode("K7Q2"), "desk": DeskId("en"), "topic": Topic("transfers"),
        "language": "en", "state": State.QUEUED, "turn": TurnOf.OURS, "waiting_since": NOW, "name": name,
        "network": NAME, "thread": ThreadRef("T:C:1.0"),
    }  # fmt: skip
    return Row(**{**fields, **changed})


def sheet(rows: int, desks: int, name: str = "Hanako", on: bool = True) -> Sheet:
    held = row(name, state=State.ASSIGNED, turn=TurnOf.HELD, until=NOW, urgency="past", offered=True)
    standing = Standing(on, Because.SAID, NOW, None if on else NOW, NOW)
    figures = Figures(99_999, 99_999, 88_888, 99_999, 99 * HOUR)
    return Sheet(
        operator=OperatorId("aiko"),
        language="en",
        now=NOW,
        standing=standing,
        languages=LANGUAGES,
        mine=(held,) * rows,
        more=99,
        held=rows,
        queues=tuple(Queue(DeskId(f"d{n}"), 9_999, (row(name, urgency="near"),) * rows) for n in range(desks)),
        days=tuple(Day(DeskId(f"d{n}"), "2026-11-30", figures, True) for n in range(desks)),
        done=figures,
    )


@settings(max_examples=25, deadline=None)  # each example is forty desks
@given(names, st.sampled_from(LANGUAGES), st.sampled_from([0, 1, 40]), st.booleans())
def test_a_home_is_within_slacks_limits_whatever_it_holds(name: str, language: str, desks: int, on: bool) -> None:
    blocks = home(sheet(HOME_ROWS if desks else 0, desks, name, on), face(language), [told("x")])
    assert errors_in(blocks, view=True) == []
    reading = reading_of(blocks)
    assert reading.pings == []
    assert {link.url for link in reading.links} <= {"https://example.slack.com/archives/T:C:1.0", "C123"}


@settings(max_examples=25, deadline=None)  # each example is forty desks
@given(names, st.sampled_from(LANGUAGES), st.sampled_from([Verb.HOME, Verb.QUEUE, Verb.MINE]))
def test_an_answer_is_within_slacks_limits_whatever_it_holds(name: str, language: str, part: Verb) -> None:
    answer = draws(Shown(part, sheet(ROWS, 40, name)), language)
    assert errors_in(answer["blocks"]) == []
    assert not are_too_long(answer["blocks"])
    assert answer["response_type"] == "ephemeral"
    found = draws(Found(name, (row(name),) * 5), language)
    assert errors_in(found["blocks"]) == []
    assert reading_of([*answer["blocks"], *found["blocks"]]).pings == []


def draws(answer: Any, language: str) -> dict[str, Any]:
    return drawn(answer, face(language), "/chat ", [DeskId(f"d{n}") for n in range(40)]).ack


@given(names)
def test_what_somebody_typed_is_repeated_escaped_and_short(word: str) -> None:
    for answer in (Mistyped(word, ("queue",)), Found(word, ())):
        text = draws(answer, "en")["text"]
        assert "<" not in text
        assert len(text) < 1_000


def test_every_other_answer_is_drawn_in_every_language() -> None:
    for language in LANGUAGES:
        for answer in (Explained(), Stood(Standing(False, Because.LAPSED, NOW)), Lacking("no_session", Verb.HOLD)):
            said = draws(answer, language)
            assert said["text"]
            assert errors_in(said.get("blocks", [])) == []
            assert not are_too_long(said.get("blocks", []))
    assert "T1:U1" in stranger(face(), "T1", "U1").text


@pytest.mark.parametrize("because", Because)
def test_every_reason_of_availability_has_its_words(because: Because) -> None:
    for language in LANGUAGES:
        said = str(stands(Standing(True, because, NOW, None, NOW), face(language)))
        assert "home." not in said


def test_the_likelier_button_comes_first_and_is_the_primary_one() -> None:
    def buttons(one: Sheet) -> list[tuple[str, str]]:
        (actions,) = [block for block in home(one, face()) if block["type"] == "actions"]
        return [(button["action_id"], button.get("style", "")) for button in actions["elements"]]

    assert buttons(sheet(1, 1)) == [(NEXT, "primary"), (AWAY, "")]
    assert buttons(sheet(1, 1, on=False)) == [(BACK, "primary"), (NEXT, "")]
    assert buttons(sheet(0, 0)) == [(AWAY, "")]


def test_desks_with_the_longest_lines_are_shown_where_there_are_very_many() -> None:
    blocks = home(sheet(1, 40), face(longest=False))
    assert len(blocks) <= 100
    answer = draws(Shown(Verb.QUEUE, sheet(1, 40)), "en")
    assert sum(block["type"] == "header" for block in answer["blocks"]) == LISTS


def test_a_line_of_ours_is_no_markup() -> None:
    assert reading_of([notice([{"type": "text", "text": NASTY}])]).links == []
