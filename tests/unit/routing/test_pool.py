"""A desk with a pool of places: a session that comes goes where there is room, and one that is there stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing import effects as e
from routing import inputs as i
from routing.decide import Nothing
from routing.facts import Mirror
from routing.ids import DeskId, MessageId, NetworkName, Place
from routing.policy import MINUTE
from tests.unit.routing.builders import AIKO, BUSY, EN, JA, Talk, opening

SLACK = NetworkName("slack")
ONE, TWO, THREE = Place("C1"), Place("C2"), Place("C3")
POOLED = replace(
    BUSY,
    desks={
        EN: replace(BUSY.desks[EN], network=SLACK, place=ONE, further=(TWO, THREE)),
        JA: replace(BUSY.desks[JA], network=SLACK, place=THREE, further=(TWO,)),
        DeskId("console"): replace(BUSY.desks[EN], id=DeskId("console")),
    },
)


def a_talk(**berths: Place) -> Talk:
    talk = Talk(POOLED, berths={DeskId(desk): place for desk, place in berths.items()})
    talk.accepts(i.CustomerWrote(MessageId("c:1"), opening()))
    return talk


def where(talk: Talk) -> Mirror:
    assert talk.session
    return talk.session.mirror


@pytest.mark.parametrize("berth", [ONE, TWO, THREE])
def test_a_session_opens_where_there_is_room(berth: Place) -> None:
    assert where(a_talk(en=berth)) == Mirror(1, SLACK, berth)


@pytest.mark.parametrize("berths", [{}, {"en": Place("C9")}])
def test_without_a_place_that_the_desk_has_it_is_the_first(berths: dict[str, Place]) -> None:
    assert where(a_talk(**berths)) == Mirror(1, SLACK, ONE)


def test_a_session_that_moves_goes_where_there_is_room() -> None:
    talk = a_talk(en=ONE, ja=TWO)
    talk.accepts(i.OperatorTransferred(AIKO, JA))
    assert where(talk) == Mirror(2, SLACK, TWO)
    assert [effect.mirror for effect in talk.effects if isinstance(effect, e.OpenThread)] == [1, 2]


def test_overflow_and_a_language_lead_where_there_is_room_too() -> None:
    talk = a_talk(en=ONE, ja=TWO)
    talk.accepts(i.DeadlineFell(), after=21 * MINUTE)
    assert where(talk) == Mirror(2, SLACK, TWO)
    other = a_talk(en=ONE, ja=TWO)
    other.accepts(i.CustomerChoseLanguage("ja"))
    assert where(other) == Mirror(2, SLACK, TWO)


def test_a_session_in_a_place_that_both_desks_have_stays_there_whichever_is_emptier() -> None:
    talk = a_talk(en=TWO, ja=THREE)
    talk.accepts(i.OperatorTransferred(AIKO, JA))
    assert where(talk) == Mirror(1, SLACK, TWO)


def test_a_place_that_leaves_the_pool_keeps_its_sessions() -> None:
    talk = a_talk(en=THREE)
    talk.policy = replace(POOLED, desks={**POOLED.desks, EN: replace(POOLED.desks[EN], further=(TWO,))})
    talk.berths = {EN: ONE}
    talk.accepts(i.CustomerWrote(MessageId("c:2")))
    assert where(talk) == Mirror(1, SLACK, THREE)
    assert talk.effects[-1].mirror == 1


# ------------------------------------------------------------------ a place that is lost


def lost(talk: Talk, place: Place, to: Place, mirror: int = 1, desk: DeskId | None = None) -> object:
    return talk.hears(i.PlaceLost(mirror, place, to, "is_archived", desk))


def test_a_thread_that_finds_no_place_goes_to_another_of_the_pool_and_nothing_is_posted_twice() -> None:
    talk = a_talk(en=ONE)
    talk.accepts(i.PlaceLost(1, ONE, TWO, "is_archived"))
    assert where(talk) == Mirror(1, SLACK, TWO)
    assert [(type(one), one.mirror) for one in talk.effects] == [(e.OpenThread, 1), (e.PostMessage, 1)]
    assert isinstance(lost(talk, ONE, THREE), Nothing)  # said of the place that it has left


def test_it_does_not_go_to_where_other_peoples_sessions_are() -> None:
    talk = a_talk(en=ONE)
    assert isinstance(lost(talk, ONE, Place("C9")), Nothing)
    assert isinstance(lost(talk, ONE, TWO, mirror=7), Nothing)
    assert where(talk) == Mirror(1, SLACK, ONE)


def test_a_former_thread_that_was_never_opened_goes_too_so_that_the_one_behind_it_opens() -> None:
    talk = a_talk(en=ONE, ja=TWO)
    talk.accepts(i.OperatorTransferred(AIKO, JA))
    talk.accepts(i.PlaceLost(1, ONE, THREE, "channel_not_found"))
    assert talk.session is not None
    assert [one.place for one in talk.session.mirrors] == [THREE, TWO]


# ------------------------------------------------------------------ a fallback takes what finds no place


BUILT_IN = replace(BUSY.desks[EN], id=DeskId("console"), network=NetworkName("console"), place=Place("console"))


def falling() -> Talk:
    """The English desk has one place, and two fallbacks: in the same network, and the built-in desk."""
    talk = a_talk(en=ONE)
    english = replace(POOLED.desks[EN], further=(), fallbacks=(JA, BUILT_IN.id))
    talk.policy = replace(POOLED, desks={**POOLED.desks, EN: english, BUILT_IN.id: BUILT_IN})
    return talk


def lines(talk: Talk) -> list[tuple[str, int]]:
    return [(effect.key, effect.mirror) for effect in talk.effects if isinstance(effect, e.PostLine)]


def test_on_the_same_network_the_root_that_stands_nowhere_goes_along_with_its_session() -> None:
    talk = falling()
    talk.accepts(i.PlaceLost(1, ONE, TWO, "is_archived", JA))
    assert talk.session
    assert (where(talk), talk.session.desk) == (Mirror(1, SLACK, TWO), JA)
    assert [type(one) for one in talk.effects].count(e.OpenThread) == 1
    assert lines(talk) == [("place_lost", 1)]
    assert talk.notices()[-1] == "moved"


def test_on_another_network_it_opens_there_and_the_lost_place_is_told_when_it_is_back() -> None:
    talk = falling()
    talk.accepts(i.PlaceLost(1, ONE, BUILT_IN.place, "is_archived", BUILT_IN.id))
    assert talk.session
    assert (where(talk), talk.session.desk) == (Mirror(2, BUILT_IN.network, BUILT_IN.place), BUILT_IN.id)
    assert lines(talk) == [("moved", 1), ("place_lost", 2)]


@pytest.mark.parametrize("desk", [DeskId("gone"), EN])
def test_a_desk_that_is_no_fallback_gets_nothing(desk: DeskId) -> None:
    talk = falling()
    assert isinstance(talk.hears(i.PlaceLost(1, ONE, TWO, "is_archived", desk)), Nothing)


def test_who_is_answered_elsewhere_or_was_moved_often_stays() -> None:
    talk = falling()
    talk.accepts(i.OperatorClaimed(AIKO))
    assert isinstance(talk.hears(i.PlaceLost(1, ONE, TWO, "is_archived", JA)), Nothing)
    other = falling()
    japanese = replace(POOLED.desks[JA], place=TWO, further=(), fallbacks=(EN,))
    other.policy = replace(other.policy, desks={**other.policy.desks, JA: japanese})
    for _ in range(3):
        lost(other, ONE, TWO, desk=JA)
        lost(other, TWO, ONE, desk=EN)
    assert other.session
    assert (other.session.transfers, other.session.desk) == (3, JA)
