"""The roster and the answers to commands: within every limit of Discord's, whatever they hold, and inert."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.refs import NAME, read_custom_id, read_home_id
from adapters.discord.shown.sheet import LOOK, drawn, home
from bridge.networks.answers import Answer, Explained, Found, Lacking, Shown, Stood
from bridge.networks.commands import Mistyped, Verb
from bridge.networks.face import Face
from bridge.networks.roster import Day, Queue, Row, Sheet
from config.locales import LANGUAGES
from routing.availability import Because, Standing
from routing.figures import Figures
from routing.ids import DeskId, OperatorId, SessionId, ShortCode, ThreadRef, Topic
from routing.policy import HOUR
from routing.session import State, TurnOf
from tests.unit.adapters.discord.judging import acts, texts
from tests.unit.adapters.discord.test_render import wording
from tests.unit.adapters.discord.text.test_markup import HOSTILE

NOW = 1_700_000_000_000
OURS = frozenset(("bold", "list", "timestamp", "subtext", "code", "channel", "masked_link"))


def face(language: str = "en", title: str = "Transfers") -> Face:
    link = "https://discord.com/channels/1/2"
    return Face(
        wording, language, lambda topic, _: title, lambda desk, _: f"{title} {desk}", lambda _: link, lambda _: "7"
    )


def row(name: str = "Hanako", **changed: Any) -> Row:
    fields: dict[str, Any] = {
        "session": SessionId("main.0.a"), "code": ShortCode("K7Q2"), "desk": DeskId("en"), "topic": Topic("transfers"),
        "language": "en", "state": State.QUEUED, "turn": TurnOf.OURS, "waiting_since": NOW, "name": name,
        "network": NAME, "thread": ThreadRef("1:2"),
    }  # fmt: skip
    return Row(**{**fields, **changed})


def sheet(rows: int, desks: int, name: str = "Hanako", on: bool = True) -> Sheet:
    held = row(name, state=State.ASSIGNED, turn=TurnOf.HELD, until=NOW, urgency="past", offered=True)
    figures = Figures(99_999, 99_999, 88_888, 99_999, 99 * HOUR)
    return Sheet(
        operator=OperatorId("aiko"),
        language="en",
        now=NOW,
        standing=Standing(on, Because.SAID, NOW, None if on else NOW, NOW),
        languages=LANGUAGES,
        mine=(held,) * rows,
        more=99,
        held=rows,
        queues=tuple(Queue(DeskId(f"d{n}"), 9_999, (row(name, urgency="near"),) * rows) for n in range(desks)),
        days=tuple(Day(DeskId(f"d{n}"), "2026-11-30", figures, True) for n in range(desks)),
        done=figures,
    )


@settings(max_examples=25, deadline=None)  # each example is forty desks
@given(HOSTILE, st.sampled_from(LANGUAGES), st.sampled_from([0, 1, 40]), st.booleans())
def test_a_home_is_within_discords_limits_whatever_it_holds(name: str, language: str, desks: int, on: bool) -> None:
    shown = home(sheet(10 if desks else 0, desks, name, on), face(language, name), notice=name)
    assert acts(shown, OURS) == []
    names = [one["custom_id"] for one in shown.components[0]["components"]]
    assert read_home_id(names[-1]) == LOOK
    assert [read_custom_id(name) for name in names] == [None] * len(names), "none is taken for a card's"


@settings(max_examples=25, deadline=None)
@given(HOSTILE, st.sampled_from(LANGUAGES))
def test_an_answer_is_within_discords_limits_whatever_it_holds(name: str, language: str) -> None:
    answers: list[Answer] = [
        *(Shown(part, sheet(5, 40, name)) for part in (Verb.HOME, Verb.QUEUE, Verb.MINE)),
        *(Found(name, found) for found in ((), (row(name),) * 5)),
        Stood(Standing(True, Because.SAID, NOW)),
        Lacking("no_session", Verb.CLAIM),
        Mistyped(name, ("home",)),
        Explained(),
    ]
    for answer in answers:
        assert acts(drawn(answer, face(language, name), "/chat", [DeskId("en")]), OURS) == []


def test_a_session_leads_to_its_thread() -> None:
    (text,) = [one for one in texts(home(sheet(1, 0), face())) if "K7Q2" in one]
    assert "[**K7Q2**](<https://discord.com/channels/1/2>)" in text
    assert "**K7Q2** ·" in str(drawn(Found("x", (row(network="slack"),)), face(), "/chat", []).embeds)
