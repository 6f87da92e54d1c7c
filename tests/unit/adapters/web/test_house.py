"""What every page is told of the house: true at the moment it is told, and told again when it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from adapters.web.house import Door, House, hours_at
from bridge.incidents import Incident
from config.settings import WebSettings
from routing.hours import ALWAYS, Hours
from routing.ids import DeskId, IncidentId, NetworkName, OperatorId, Place, Topic
from routing.policy import Contact, Desk, Policy, TopicRules

DAY = Hours(((100, 200), (300, 400)))
LATER = Hours(((150, 250), (350, 450)))
EN, JA = DeskId("en"), DeskId("ja")
TRADING, SECURITY = Topic("trading"), Topic("security")


def policy(hours: Hours = DAY, topic: Hours = ALWAYS, **changed: Any) -> Policy:
    desk = Desk(EN, NetworkName("console"), Place("en"), languages=("en",), hours=hours)
    japanese = replace(desk, id=JA, languages=("ja",), hours=ALWAYS)
    rules = {TRADING: TopicRules(TRADING, hours=topic), SECURITY: TopicRules(SECURITY, emergency=True, hours=topic)}
    fields = {"desks": {EN: desk, JA: japanese}, "topics": (TRADING,), "topic_rules": rules, **changed}
    return Policy(**fields)


@dataclass
class Town:
    """A house, and what moves around it."""

    policy: Policy = field(default_factory=policy)
    now: int = 0
    incidents: tuple[Incident, ...] = ()
    waits: dict[DeskId, tuple[int, int]] = field(default_factory=dict)
    settings: WebSettings = field(default_factory=WebSettings)

    def __post_init__(self) -> None:
        self.house = House(
            self.settings,
            lambda: self.policy,
            lambda: self.now,
            titles={EN: {"en": "English", "ja": "英語"}},
            incidents=self.current,
            waits=self.waits.get,
        )
        self.house.changed()

    async def current(self) -> tuple[Incident, ...]:
        return self.incidents

    def service(self, language: str = "en") -> dict[str, Any]:
        told: dict[str, Any] = self.house.news(language)["service"]
        return told


@pytest.mark.parametrize(
    ("now", "door"),
    [
        (0, Door(False, 150)),
        (120, Door(False, 150)),
        (160, Door(True, 200)),
        (200, Door(False, 350)),
        (360, Door(True, 400)),
        (400, Door(False, None)),
    ],
)
def test_two_calendars_are_open_together(now: int, door: Door) -> None:
    assert hours_at(DAY, LATER, now) == hours_at(LATER, DAY, now) == door


def test_what_is_always_open_has_nothing_to_tell() -> None:
    assert hours_at(ALWAYS, ALWAYS, 5) == Door(True, None)
    assert hours_at(Hours(()), ALWAYS, 5) == Door(False, None)


def test_a_closed_desk_says_when_it_opens_and_how_long_it_takes_only_while_it_is_open() -> None:
    town = Town(waits={EN: (3, 5)})
    assert town.service() == {
        "open": False,
        "opens": 100,
        "wait": None,
        "topics": {TRADING: {"open": False, "opens": 100, "emergency": False}},
    }
    town.now = 150
    assert (town.service()["open"], town.service()["wait"]) == (True, {"low": 3, "high": 5})
    town.waits.clear()
    assert town.service()["wait"] is None


def test_hours_are_those_of_the_desk_that_speaks_the_pages_language() -> None:
    assert Town().service("ja")["open"]
    assert not Town().service("en")["open"]


def test_a_topic_has_hours_of_its_own_and_an_emergency_has_none() -> None:
    town = Town(policy(ALWAYS, LATER, topics=(TRADING, SECURITY)))
    topics = town.service()["topics"]
    assert topics[TRADING] == {"open": False, "opens": 150, "emergency": False}
    assert topics[SECURITY] == {"open": True, "opens": None, "emergency": True}
    assert (town.service()["open"], town.service()["opens"]) == (False, 150)  # the emergency is not what people ask


def test_a_policy_without_topics_is_asked_for_the_desk_itself() -> None:
    assert Town(policy(topics=())).service() == {"open": False, "opens": 100, "wait": None, "topics": {}}


async def test_it_changes_when_a_door_moves_and_when_an_incident_begins_or_ends() -> None:
    town = Town()
    assert not town.house.changed()
    town.now = 99
    assert not town.house.changed()
    before = town.house.frame("en")
    town.now = 100
    assert town.house.changed()
    assert town.house.frame("en") != before
    assert not town.house.changed()
    town.incidents = (Incident(IncidentId("I1"), {"en": "Late"}, {"en": "We know."}, 7, OperatorId("aiko")),)
    await town.house.look()
    assert town.house.changed()
    told = {"id": "I1", "title": "Late", "text": "We know.", "since": 7}
    assert town.house.news("ja")["incidents"] == [told]
    town.incidents = ()
    await town.house.look()
    assert town.house.changed()


def test_another_policy_changes_it() -> None:
    town = Town()
    town.policy = policy(Hours(((500, 600),)))
    assert town.house.changed()
    assert town.service()["opens"] == 500


def test_a_frame_is_made_once_for_each_language() -> None:
    house = Town().house
    assert house.frame("en") is house.frame("en")
    assert house.frame("en") != house.frame("ja")


def test_a_desk_is_called_by_its_title_or_not_at_all() -> None:
    house = Town().house
    assert (house.desk_title(EN, "ja"), house.desk_title(EN, "zh-Hans")) == ("英語", "English")
    assert (house.desk_title(JA, "ja"), house.desk_title(None, "ja")) == (None, None)


def test_a_desk_without_a_contact_names_the_houses() -> None:
    contact = {"mail": "us@shop.example", "phone": "03-0000", "phone_hours": "9–18"}
    town = Town(settings=WebSettings.model_validate({"contact": contact}))
    ours = {"mail": "us@shop.example", "phone": "03-0000", "hours": {"open": True, "changes": None, "text": "9–18"}}
    assert town.house.contact(EN) == town.house.contact(DeskId("removed")) == town.house.contact(None) == ours
    assert Town().house.contact(EN) is None


def test_a_desk_that_answers_the_sites_telephone_says_the_sites_hours() -> None:
    """The policy gives a desk that names no contact the site's mail and telephone."""
    contact = {"mail": "us@shop.example", "phone": "03-0000", "phone_hours": "9–18"}
    town = Town(settings=WebSettings.model_validate({"contact": contact}))
    for own in (Contact("us@shop.example", "03-0000"), Contact("desk@shop.example")):
        town.policy = replace(town.policy, desks={**town.policy.desks, EN: replace(town.policy.desks[EN], contact=own)})
        assert (town.house.contact(EN) or {})["hours"] == {"open": True, "changes": None, "text": "9–18"}


def test_a_desks_telephone_has_its_own_hours() -> None:
    town = Town()
    desk = replace(town.policy.desks[EN], contact=Contact("", "03-1111", DAY))
    town.policy = policy(desks={EN: desk})
    told = {"mail": None, "phone": "03-1111", "hours": {"open": False, "changes": 100, "text": None}}
    assert town.house.contact(EN) == told
    town.now = 150
    assert (town.house.contact(EN) or {})["hours"] == {"open": True, "changes": 200, "text": None}


def test_a_check_without_a_page_of_the_sites_has_no_address() -> None:
    assert Town().house.check_url("nonce") is None
