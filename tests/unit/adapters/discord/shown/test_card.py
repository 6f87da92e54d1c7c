"""The card: within Discord's limits whatever stands in it, inert whoever wrote it, and the likeliest button first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.controls.presses import DEEDS
from adapters.discord.refs import MENU, read_custom_id
from adapters.discord.render import Rendered
from adapters.discord.shown.card import COLOURS, card
from bridge.messages import About
from bridge.networks import card as content
from bridge.networks.card import Action, Past
from bridge.networks.cards import Current
from bridge.networks.names import Assignee
from bridge.networks.windows import WINDOWS
from bridge.ports import Placed
from config.locales import LANGUAGES
from routing.facts import Mirror
from routing.ids import CustomerKey, NetworkName, Place, ShortCode, Topic
from routing.inputs import Outcome
from routing.session import Session, State
from tests.unit.adapters.discord.judging import acts, taken
from tests.unit.adapters.discord.test_render import wording
from tests.unit.adapters.discord.text.test_markup import HOSTILE
from tests.unit.adapters.slack.shown.test_card import ABOUT, FULL, NOW, SESSION

ALLOWED = frozenset(("timestamp", "masked_link", "user"))


def a_card(session: Session = SESSION, about: About = ABOUT, name: str = "Aiko", **more: Any) -> Rendered:
    here = session.mirror.number == 1
    user = more.pop("user", "")
    said = content.card(
        session, about, now=NOW, wording=wording, title=lambda topic, language: topic, here=here, **more
    )
    current = Current(said, Placed(session.id, 1), session.state, not here, lambda who: Assignee(name, user))
    return card(current, wording)


def buttons(rendered: Rendered) -> list[dict[str, Any]]:
    return [one for row in rendered.components for one in row["components"] if one["type"] == 2]


def pressed(rendered: Rendered) -> list[str]:
    found = [read_custom_id(one["custom_id"]) for one in buttons(rendered)]
    return [one[0] for one in found if one is not None]


def chosen(rendered: Rendered) -> list[str]:
    menus = [one for row in rendered.components for one in row["components"] if one["type"] == 3]
    return [option["value"] for one in menus for option in one["options"]]


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
    st.dictionaries(HOSTILE.filter(bool), HOSTILE, max_size=30),
    st.sampled_from(list(State)[1:]),
    st.sampled_from(LANGUAGES),
)
def test_every_card_is_within_discords_limits_and_nothing_in_it_acts(
    texts: tuple[str, str, str, str], claims: dict[str, str], state: State, language: str
) -> None:
    name, page, zone, topic = texts
    session = replace(FULL, state=state, language=language, topic=Topic(topic * 40))
    about = About(name=name * 40, page=page * 40, time_zone=zone, claims=claims | {"tier": name * 40})
    admin = f"https://admin.example/{'x' * 900}/{{account_id}}"
    past = Past(10**9, ShortCode("K7Q3"), Outcome.UNSOLVED)
    rendered = a_card(replace(session, verified=True), about, name * 40, earlier=past, admin_link=admin)
    assert acts(rendered, ALLOWED) == []
    assert all(one["label"] for one in buttons(rendered))
    assert rendered.content.startswith("K7Q2 · ")


def test_an_address_that_is_too_long_for_discord_costs_the_link_and_not_the_card() -> None:
    customer = CustomerKey("main", "acct-8812")
    account = replace(FULL, verified=True, customer=customer)
    for length, shown in ((100, True), (5_000, False)):
        rendered = a_card(account, admin_link=f"https://admin.example/{'x' * length}/{{account_id}}")
        assert ("description" in taken(rendered)["embeds"][0]) is shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_reads_in_each_language(language: str) -> None:
    about = replace(ABOUT, claims={"name": "Hanako", "tier": "gold"})
    rendered = a_card(replace(FULL, language=language), about, earlier=Past(3, ShortCode("K7Q1"), Outcome.SOLVED))
    read = str(taken(rendered))
    for part in ("gold", "fees, kyc", "outage", "K7Q1", "07:13", "Asia/Tokyo", "<t:1700000000:R>"):
        assert part in read
    assert not any(key in read for key in ("card.", "turn.", "delivery.", "button.", "block."))


def test_the_first_characters_decide() -> None:
    assert a_card(about=About(name="A very long name")).content.startswith("K7Q2 · en · transfers · Waiting · A very")


def test_each_state_has_a_colour_of_its_own() -> None:
    states = list(State)[1:]
    shown = [a_card(replace(SESSION, state=state)).embeds[0]["color"] for state in states]
    assert shown == [COLOURS[state] for state in states]
    assert len(set(shown)) == len(states)


def test_the_likeliest_is_first_and_only_it_is_primary() -> None:
    rendered = a_card()
    assert pressed(rendered)[0] == Action.CLAIM
    assert len(pressed(rendered)) <= 5
    assert [one["style"] for one in buttons(rendered)] == [1] + [2] * (len(buttons(rendered)) - 1)
    assert not set(pressed(rendered)) & set(chosen(rendered))
    assert {Action.TRANSFER, Action.BLOCK} <= set(chosen(rendered))


@pytest.mark.parametrize("state", list(State))
def test_everything_that_can_be_done_is_offered_and_something_is_done_for_it(state: State) -> None:
    for session in (replace(SESSION, state=state), replace(FULL, state=state)):
        rendered, (first, more) = a_card(session), content.offered(session)
        assert {*pressed(rendered), *chosen(rendered)} == {*first, *more}
        assert {*pressed(rendered), *chosen(rendered)} <= {*DEEDS, *WINDOWS}


def test_every_button_names_its_session_and_works_after_a_restart() -> None:
    for row in a_card(FULL).components:
        for one in row["components"]:
            found = read_custom_id(one["custom_id"])
            assert found is not None
            assert found[1].placed == Placed(FULL.id, 1)
            assert found[0] in {*Action, MENU}


def test_a_card_whose_session_moved_has_nothing_to_press_and_is_known_still() -> None:
    moved = replace(SESSION, mirrors=(*SESSION.mirrors, Mirror(2, NetworkName("slack"), Place("C1"))))
    (one,) = buttons(a_card(moved))
    assert one["disabled"]
    found = read_custom_id(one["custom_id"])
    assert found is not None
    assert found[1].placed == Placed(SESSION.id, 1)


def test_whom_the_directory_does_not_know_is_named_by_discord_and_not_rung() -> None:
    rendered = a_card(FULL, user="5")
    assert "<@5>" in str(rendered.embeds)
    assert taken(rendered)["allowed_mentions"]["users"] == []


def test_a_link_to_the_admin_leads_where_it_says() -> None:
    admin = "https://admin.example.com/users/{account_id}?a=(1)"
    rendered = a_card(replace(FULL, verified=True), admin_link=admin)
    assert rendered.embeds[0]["description"] == ("[Open in your admin](<https://admin.example.com/users/42?a=%281%29>)")
