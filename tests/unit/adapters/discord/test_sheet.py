"""The roster and the answers to commands: within every limit of Discord's, whatever they hold, and inert."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.parse import Author, Commanded, Interaction
from adapters.discord.refs import NAME, Root, read_custom_id
from adapters.discord.sheet import AWAY, BACK, NEXT, Face, drawn, home
from adapters.discord.slash import NOTE, SEND, chosen, definitions, typed
from bridge.answers import Answer, Explained, Found, Lacking, Shown, Stood
from bridge.commands import ANYWHERE, Mistyped, Verb
from bridge.roster import Day, Queue, Row, Sheet
from config.locales import LANGUAGES
from routing.availability import Because, Standing
from routing.figures import Figures
from routing.ids import DeskId, InputKey, OperatorId, SessionId, ShortCode, ThreadRef, Topic
from routing.policy import HOUR
from routing.session import State, TurnOf
from tests.unit.adapters.discord.judging import acts, texts
from tests.unit.adapters.discord.test_markup import HOSTILE
from tests.unit.adapters.discord.test_render import wording

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
    assert [one["custom_id"] for one in shown.components[0]["components"]][-1] in (AWAY, BACK, NEXT)
    assert all(read_custom_id(one["custom_id"]) is None for one in shown.components[0]["components"])


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


def test_the_commands_are_within_discords_limits_and_in_every_language() -> None:
    chat, *menus = definitions(wording)
    assert [one["name"] for one in chat["options"]] == [verb.value for verb in ANYWHERE]
    for one in (chat, *chat["options"]):
        assert 1 <= len(one["description"]) <= 100
        assert set(one["description_localizations"]) == {"ja", "zh-CN", "zh-TW"}
        assert all(1 <= len(text) <= 100 for text in one["description_localizations"].values())
    assert [chosen(one["name"], wording) for one in menus] == [SEND, NOTE]
    assert chosen("their entry", wording) == ""
    assert all(one["type"] == 3 and len(one["name"]) <= 32 for one in menus)
    localized = [one["name_localizations"] for one in chat["options"]]
    for locale in ("ja", "zh-CN", "zh-TW"):
        names = [one[locale] for one in localized if locale in one]
        assert len(set(names)) == len(names)
        assert names


def test_what_was_asked_is_read_as_it_is_typed() -> None:
    def asked(*words: str, **options: str) -> str:
        return typed(Commanded(InputKey("k"), Root("1", "2"), words, options, Author("1", "5"), Interaction("8", "t")))

    assert asked("chat", "home") == "home"
    assert asked("chat", "find", sought=" K7Q2 ") == "find K7Q2"
