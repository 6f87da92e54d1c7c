"""The windows: within Discord's limits, in every language, inert, and read back as they were filled in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.controls.windows import read
from adapters.discord.heard.app import App
from adapters.discord.heard.happenings import Submitted
from adapters.discord.parse import parse
from adapters.discord.refs import custom_id, read_custom_id
from adapters.discord.render import Rendered
from adapters.discord.shown.views import TEMPLATE, Pen
from bridge.networks.card import Action
from bridge.networks.submissions import Submission
from bridge.networks.windows import FILL, Choice
from bridge.ports import Placed
from bridge.templates import Template
from config.locales import LANGUAGES
from routing.ids import MessageId, SessionId
from tests.simulators.discord import acts_in
from tests.simulators.discord.components import check_modal, every, numbered
from tests.simulators.discord.guild import Guild
from tests.simulators.discord.pressing import submitted
from tests.simulators.discord.refusal import Complaints
from tests.unit.adapters.discord.judging import acts
from tests.unit.adapters.discord.test_render import wording
from tests.unit.adapters.discord.text.test_markup import HOSTILE

PLACED = Placed(SessionId("main.0.0123456789abcdef"), 2)
WIDEST = Placed(SessionId(f"{'s' * 32}.ffff.0123456789abcdef"), 99)
CHOICES = [Choice("en", "English"), Choice("ja", "日本語")]


def many(count: int) -> list[Choice]:
    return [Choice(f"c{number}", f"Choice {number}") for number in range(count)]


def pen(headline: str = "K7Q2 · Hanako · ja · withdrawals", language: str = "en") -> Pen:
    return Pen(wording, language, headline)


def windows(pen: Pen, words: str = "words") -> list[dict[str, Any]]:
    choices = [Choice("a", words), Choice("b", "other")]
    return [
        pen.note(PLACED, quote=words),
        pen.transfer(PLACED, choices, choices, "b"),
        pen.transfer(PLACED, many(40), many(200), "c1"),
        pen.hold(PLACED),
        pen.resolve(PLACED, choices, choices),
        pen.block(PLACED),
        pen.fill(PLACED, "refund", words, ["amount", "days"]),
        pen.fill(PLACED, "refund", words * 2_000, [f"gap{number}" for number in range(9)]),
        pen.resolve(PLACED, choices, many(200)),
    ]


@settings(deadline=None, max_examples=25)
@given(HOSTILE, HOSTILE, st.sampled_from(LANGUAGES))
def test_every_window_is_taken_and_nothing_in_it_acts(name: str, words: str, language: str) -> None:
    for window in windows(pen(f"K7Q2 · {name}", language), words):
        complaints = Complaints()
        check_modal(window, complaints)
        complaints.settle()
        shown = [str(one["content"]) for one in every(window["components"]) if one["type"] == 10]
        kinds = {act.kind for text in shown for act in acts_in(text)}
        assert kinds <= {"quote", "block", "code", "subtext"}
        assert window["title"].startswith(wording(language, f"window.{window['custom_id'].split('|')[1]}"))


def filled_in(window: dict[str, Any], values: dict[str, Any]) -> Submission:
    """What Discord tells when somebody sends it."""
    numbered(window["components"])
    data = submitted(window, values, Guild.__new__(Guild))
    member = {"user": {"id": "5", "username": "kenji"}, "roles": []}
    body = {"id": "8", "token": "t", "type": 5, "guild_id": "1", "channel_id": "20", "member": member, "data": data}
    sent = parse("INTERACTION_CREATE", body, App("900", "901"))
    assert isinstance(sent, Submitted)
    return read(sent)


def test_what_is_filled_in_comes_back_by_its_name() -> None:
    note = filled_in(pen().note(PLACED), {"words": " a note "})
    assert (note.name, note.placed, note.text("words")) == (Action.NOTE, PLACED, "a note")
    hold = filled_in(pen().hold(PLACED), {"until": "15:00"})
    assert (hold.chosen("within"), hold.text("until"), hold.text("words")) == ("30", "15:00", "")
    resolved = filled_in(pen().resolve(PLACED, many(3), many(3)), {"outcome": "c1", "tags": ["c0", "c2"]})
    assert (resolved.chosen("outcome"), resolved.choices["tags"]) == ("c1", ("c0", "c2"))
    moved = filled_in(pen().transfer(PLACED, CHOICES, CHOICES, "ja"), {"reason": "theirs"})
    assert (moved.chosen("desk"), moved.chosen("operator"), moved.text("reason")) == ("ja", "", "theirs")


def test_a_long_list_stands_in_several_menus_and_is_one_choice() -> None:
    window = pen().transfer(PLACED, many(40), many(60), "c1")
    moved = filled_in(window, {"desk.2": ["c30"], "operator.1": ["c3"], "desk.1": [], "operator.2": []})
    assert (moved.chosen("desk"), moved.chosen("operator")) == ("c30", "c3")


def test_a_block_is_not_sent_unless_it_is_confirmed() -> None:
    with pytest.raises(ValueError, match="sure"):
        filled_in(pen().block(PLACED), {"how_long": "7"})


@pytest.mark.parametrize("placed", [PLACED, WIDEST])
def test_a_chosen_template_is_named_by_its_window(placed: Placed) -> None:
    code = "r" * 40
    sent = filled_in(pen().fill(placed, code, "You get {amount}.", ["amount"]), {"gap.amount": "5.00"})
    assert (sent.name, sent.placed, sent.template) == (FILL, placed, code)
    assert (sent.text("reply"), sent.text("gap.amount")) == ("You get {amount}.", "5.00")


def test_what_is_filled_in_may_be_named_as_a_menu_is() -> None:
    sent = filled_in(pen().fill(PLACED, "x", "{amount.2}", ["amount.2"]), {"gap.amount.2": "5.00"})
    assert sent.text("gap.amount.2") == "5.00"


def test_a_list_that_does_not_fit_says_where_the_rest_is_found() -> None:
    window = pen().transfer(PLACED, CHOICES, many(200), "ja")
    hints = [str(one.get("description")) for one in window["components"]]
    assert wording("en", "hint.not_all") in hints
    assert wording("en", "hint.not_all") in pen().templates(PLACED, templates(200)).content


def templates(count: int) -> list[Template]:
    return [Template(f"t{number}", {"en": "words"}, f"Title {number}") for number in range(count)]


def test_what_discord_takes_for_no_value_is_no_choice() -> None:
    window = pen().transfer(PLACED, [*CHOICES, Choice("x" * 101, "too long"), Choice("", "nothing")], CHOICES, "ja")
    complaints = Complaints()
    check_modal(window, complaints)
    complaints.settle()


def test_a_message_from_a_window_is_named_by_its_buttons_in_the_widest_site() -> None:
    message = MessageId(f"discord:{'9' * 20}")
    for action in ("send", "keep", "undo", "offer"):
        found = read_custom_id(custom_id(action, WIDEST, message))
        assert found is not None
        assert found[1].message == message


def test_templates_are_chosen_from_menus() -> None:
    shown = pen().templates(PLACED, templates(60))
    assert acts(shown) == []
    menus = [one for one in every(list(shown.components)) if one["type"] == 3]
    assert [len(one["options"]) for one in menus] == [25, 25, 10]
    found = [read_custom_id(one["custom_id"]) for one in menus]
    assert {one[0] for one in found if one is not None} == {TEMPLATE}
    assert pen().templates(PLACED, []) == Rendered(wording("en", "window.no_templates"))


@settings(deadline=None, max_examples=25)
@given(st.lists(HOSTILE, max_size=4), st.lists(st.tuples(HOSTILE, HOSTILE), max_size=6), HOSTILE)
def test_a_history_is_taken_and_inert(sessions: list[str], said: list[tuple[str, str]], name: str) -> None:
    told = [(1_700_000_000_000, who, words * 60) for who, words in said]
    assert acts(pen(f"K7Q2 · {name}").history(sessions, told)) == []
