"""The card: within Slack's limits whatever stands in it, inert whoever wrote it, and the likeliest button first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.controls.presses import DEEDS
from adapters.slack.refs import read_aim
from adapters.slack.render import Rendered
from adapters.slack.shown.card import MENU, card
from adapters.slack.text.markup import unescape
from bridge.messages import About
from bridge.networks import card as content
from bridge.networks.card import Action, Past
from bridge.networks.cards import Current
from bridge.networks.names import Assignee, topic_by_key
from bridge.ports import Placed
from config.locales import LANGUAGES, thread_words
from routing.facts import Cause, Mirror
from routing.ids import (
    CustomerKey,
    DeskId,
    EffectId,
    IncidentId,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    Topic,
)
from routing.inputs import FOR_GOOD, Outcome
from routing.session import Check, CheckState, Escalation, Presence, Session, State, Turn, TurnOf
from tests.simulators.slack import blocks as block_kit
from tests.simulators.slack import mrkdwn
from tests.simulators.slack.shapes import seen
from tests.simulators.slack.workspace import Message, Workspace
from tests.unit.adapters.slack.text.test_markup import TEXT as WRITTEN

MIRROR = Mirror(1, NetworkName("slack"), Place("C1"))
NOW = 1_700_000_000_000
SESSION = Session(
    id=SessionId("main.0.abc"),
    code=ShortCode("K7Q2"),
    customer=CustomerKey("main", "~v"),
    verified=False,
    language="en",
    topic=Topic("transfers"),
    desk=DeskId("en"),
    state=State.QUEUED,
    opened_at=NOW,
    last_at=NOW,
    turn=Turn(TurnOf.OURS, NOW),
    mirrors=(MIRROR,),
    waiting_since=NOW,
)
ABOUT = About(name="Hanako", page="https://example.com/trade", time_zone="Asia/Tokyo")
ADMIN = "https://admin.example.com/users/{account_id}?tier={tier}"
FULL = replace(
    SESSION,
    customer=CustomerKey("main", "42"),
    verified=True,
    assignee=OperatorId("aiko"),
    turn=Turn(TurnOf.HELD, NOW, NOW + 600_000),
    last_reply=MessageId("o:1"),
    escalation=Escalation(EffectId("e1"), Cause.FIRST_RESPONSE, NOW),
    check=Check(CheckState.REQUESTED, NOW, "n1"),
    incident=IncidentId("outage"),
    tags=("fees", "kyc"),
    blocked_until=FOR_GOOD,
)
"""Everything that a session can be at once."""


def a_card(session: Session = SESSION, about: About = ABOUT, name: str = "Aiko", **more: Any) -> Rendered:
    here = session.mirror.number == 1
    said = content.card(session, about, now=NOW, wording=thread_words, title=topic_by_key, here=here, **more)
    current = Current(said, Placed(session.id, 1), session.state, not here, lambda who: Assignee(name))
    return card(current, thread_words)


def shown(rendered: Rendered) -> str:
    return seen(Workspace(), Message("1.1", "U1", rendered.text, rendered.blocks, bot_id="B1"))


def elements(rendered: Rendered) -> list[dict[str, Any]]:
    return [element for _block, element in block_kit.buttons_in(rendered.blocks)]


def pressed(rendered: Rendered) -> list[str]:
    return [one["action_id"] for one in elements(rendered) if one["type"] == "button"]


def chosen(rendered: Rendered) -> list[str]:
    aims = [read_aim(option["value"]) for one in elements(rendered) for option in one.get("options", ())]
    return [aim.choice for aim in aims if aim is not None]


@settings(deadline=None)
@given(
    st.tuples(WRITTEN, WRITTEN, WRITTEN, WRITTEN),
    st.dictionaries(WRITTEN.filter(bool), WRITTEN, max_size=30),
    st.sampled_from(list(State)[1:]),
    st.sampled_from(LANGUAGES),
)
def test_every_card_is_within_slacks_limits_and_nothing_in_it_acts(
    texts: tuple[str, str, str, str], claims: dict[str, str], state: State, language: str
) -> None:
    name, page, zone, topic = texts
    session = replace(FULL, state=state, language=language, topic=Topic(topic * 40))
    about = About(name=name * 40, page=page * 40, time_zone=zone, claims=claims | {"tier": name * 40})
    rendered = a_card(session, about, name * 40, earlier=Past(10**9, ShortCode("K7Q3"), Outcome.UNSOLVED))
    assert block_kit.errors_in(rendered.blocks) == []
    assert not block_kit.are_too_long(rendered.blocks)
    reading = block_kit.reading_of(rendered.blocks)
    reading.add(mrkdwn.read(rendered.text, verbatim=rendered.changed["parse"] == "none"))
    acting = [*reading.pings, *reading.links]
    assert [one for one in acting if not str(getattr(one, "url", "")).startswith("!date^")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_reads_in_each_language(language: str) -> None:
    about = replace(ABOUT, claims={"name": "Hanako", "tier": "gold"})
    rendered = a_card(replace(FULL, language=language), about, earlier=Past(3, ShortCode("K7Q1"), Outcome.SOLVED))
    read = shown(rendered)
    assert read.splitlines()[0].startswith("K7Q2 · ")
    assert "23:13 " not in read
    for part in ("gold", "fees, kyc", "outage", "K7Q1", "07:13", "Asia/Tokyo"):
        assert part in read
    assert not any(key in read for key in ("card.", "turn.", "delivery.", "button.", "block."))


def test_the_first_forty_characters_of_a_cards_notification_decide() -> None:
    start = unescape(a_card(about=About(name="A very long name that goes on and on")).text)[:40]
    assert start == "K7Q2 · en · transfers · Waiting · A very"
    long = replace(SESSION, topic=Topic("deposits-and-withdrawals-of-everything"), state=State.ASSIGNED)
    assert "In prog" in a_card(long).text[:48]


@pytest.mark.parametrize(
    ("changes", "buttons", "first_of_menu"),
    [
        ({}, ["claim", "templates", "note", "resolve", "hold"], "transfer"),
        ({"escalation": FULL.escalation}, ["acknowledge", "claim", "templates", "note", "resolve"], "hold"),
        ({"state": State.ASSIGNED}, ["templates", "note", "hold", "resolve"], "transfer"),
        (
            {"state": State.ASSIGNED, "turn": Turn(TurnOf.CUSTOMERS, NOW)},
            ["resolve", "templates", "note", "hold"],
            "transfer",
        ),
        ({"state": State.RESOLVED}, ["reopen", "templates", "note"], "transfer"),
        ({"state": State.CLOSED}, ["note"], "history"),
    ],
)
def test_at_most_five_buttons_the_likeliest_first_and_the_rest_in_a_menu(
    changes: dict[str, Any], buttons: list[str], first_of_menu: str
) -> None:
    rendered = a_card(replace(SESSION, **changes))
    assert (pressed(rendered), chosen(rendered)[0]) == (buttons, first_of_menu)
    values = [read_aim(one["value"]) for one in elements(rendered) if one["type"] == "button"]
    assert all(aim is not None and aim.placed == Placed(SESSION.id, 1) for aim in values)
    styled = [one["action_id"] for one in elements(rendered) if one.get("style")]
    assert styled == (buttons[:1] if changes.get("state") not in (State.RESOLVED, State.CLOSED) else [])


def test_more_than_five_choices_are_a_list_and_each_has_its_deed() -> None:
    offered = replace(SESSION, state=State.ASSIGNED)
    rendered = a_card(offered, check_demanded=True)
    menu = elements(rendered)[-1]
    assert (menu["action_id"], menu["type"]) == (MENU, "static_select")
    assert elements(a_card())[-1]["type"] == "overflow"
    assert {"transfer", "put_back", "escalate", "check", "history", "block"} == set(chosen(rendered))
    assert {action.value for action in Action} <= set(DEEDS)


def test_the_card_of_a_mirror_that_was_left_has_no_buttons() -> None:
    moved = replace(SESSION, mirrors=(MIRROR, Mirror(2, MIRROR.network, Place("C2"))))
    assert elements(a_card(moved)) == []
    assert "moved to another desk" in shown(a_card(moved))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "On its way"),
        ({"presence": Presence.AWAY, "unreached": MessageId("o:1")}, "the customer is away"),
        ({"presence": Presence.GONE, "unreached": MessageId("o:1")}, "the customer has left"),
        ({"presence": Presence.GONE, "reached": MessageId("o:1")}, "Reached the customer"),
        ({"reached": MessageId("o:1"), "seen": MessageId("o:1")}, "Seen"),
        ({"reached": MessageId("o:0"), "seen": MessageId("o:0")}, "On its way"),
    ],
)
def test_the_card_says_how_far_our_last_reply_has_come(changes: dict[str, Any], told: str) -> None:
    assert told in shown(a_card(replace(SESSION, last_reply=MessageId("o:1"), **changes)))


def test_the_way_to_the_sites_admin_is_that_customers_and_no_value_changes_where_it_leads() -> None:
    about = replace(ABOUT, claims={"tier": "a&b=/../|>"})
    account = replace(FULL, customer=CustomerKey("main", "../4 2?"))
    links = block_kit.reading_of(a_card(account, about, admin_link=ADMIN).blocks).links
    assert [one.url for one in links if one.url.startswith("https")] == [
        "https://admin.example.com/users/..%2F4%202%3F?tier=a%26b%3D%2F..%2F%7C%3E"
    ]


@pytest.mark.parametrize(
    ("session", "claims"),
    [(SESSION, {"tier": "gold"}), (replace(FULL, verified=False), {"tier": "gold"}), (FULL, {})],
)
def test_there_is_no_way_to_the_admin_of_a_visitor_or_with_something_missing(
    session: Session, claims: dict[str, str]
) -> None:
    assert content.link_to_admin(ADMIN, session, replace(ABOUT, claims=claims)) == ""


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "/etc/passwd", "a\x00b", "x" * 5_000])
def test_a_zone_that_is_none_is_left_out(zone: str) -> None:
    assert content.local_time(zone, NOW) == ""
