"""Berths: sessions are spread over a pool by what the lists and our own commits say, and never to where it is shut."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from bridge.berths import Berths
from bridge.index import Index
from bridge.ports import Line, LineNews, Store
from bridge.views import summary
from routing.facts import Mirror
from routing.hours import Hours
from routing.ids import DeskId, NetworkName, Place, SessionId, ShortCode
from routing.policy import Desk, Policy
from routing.session import Session
from tests.unit.routing.builders import opened

SLACK, EN, JA = NetworkName("slack"), DeskId("en"), DeskId("ja")
C1, C2, C3 = Place("C1"), Place("C2"), Place("C3")
POLICY = Policy({EN: Desk(EN, SLACK, C1, further=(C2, C3)), JA: Desk(JA, SLACK, C2)})


@dataclass
class Lists:
    """What the store has: lines by desk, and marks."""

    lines: dict[DeskId, list[Line]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)

    async def line_news(self, desk: DeskId, mark: int) -> LineNews:
        return LineNews(1, True, tuple(self.lines.get(desk, ())))

    async def get(self, name: str) -> str | None:
        return self.marks.get(name)

    async def put(self, name: str, value: str, ttl: int | None = None) -> None:
        assert ttl, "a mark that stays would shut a place for ever"
        self.marks[name] = value


def session(number: int, place: Place, desk: DeskId = EN) -> Session:
    under_way = opened().session
    assert under_way is not None
    return replace(under_way, id=SessionId(f"main.1.{number}"), desk=desk, mirrors=(Mirror(1, SLACK, place),))


def line(number: int, place: Place, desk: DeskId = EN) -> Line:
    one = session(number, place, desk)
    return Line(one.id, ShortCode("K7Q2"), desk, 1, summary(one, POLICY))


def berths(lists: Lists, policy: list[Policy] | None = None) -> Berths:
    now = policy or [POLICY]
    store = cast(Store, lists)
    return Berths(store, Index(store, lambda: now[0]), lambda: now[0])


def opens(here: Berths, number: int) -> Place:
    place = here.free()[EN]
    here.note(session(number, place))
    return place


def test_a_crowd_is_spread_evenly_before_any_list_tells_of_it() -> None:
    here = berths(Lists())
    assert Counter(opens(here, number) for number in range(300)) == {C1: 100, C2: 100, C3: 100}


async def test_the_emptiest_channel_is_next_and_other_desks_in_it_count() -> None:
    lists = Lists({EN: [line(1, C1), line(2, C3)], JA: [line(3, C2, JA), line(4, C2, JA)]})
    here = berths(lists)
    await here.look()
    assert [opens(here, number) for number in range(10, 14)] == [C1, C3, C1, C2]


async def test_what_the_list_tells_is_not_counted_twice() -> None:
    lists = Lists()
    here = berths(lists)
    assert opens(here, 1) == C1
    lists.lines[EN] = [line(1, C1), line(2, C2), line(3, C2), line(4, C3), line(5, C3)]
    await here.look()
    assert here.free()[EN] == C1


async def test_a_shut_place_takes_none_while_others_work_and_every_process_hears_of_it() -> None:
    lists = Lists()
    here, other = berths(lists), berths(lists)
    await here.shut(SLACK, C1, "is_archived")
    await other.look()
    for one in (here, other):
        assert Counter(opens(one, number) for number in range(10)) == {C2: 5, C3: 5}
    for place in (C2, C3):
        await here.shut(SLACK, place, "is_archived")
    assert here.free()[EN] in POLICY.desks[EN].places, "where all are shut, one is as good as another"
    lists.marks.clear()
    await here.look()
    assert here.free()[EN] == C1, "its mark has run out"


async def test_a_place_of_no_pool_is_not_marked() -> None:
    lists = Lists()
    here = berths(lists)
    await here.shut(SLACK, Place("C9"), "is_archived")
    assert lists.marks == {}


@pytest.mark.parametrize("places", [(C2,), (C2, C3)])
async def test_a_reloaded_policy_holds_at_once(places: tuple[Place, ...]) -> None:
    policy = [POLICY]
    here = berths(Lists(), policy)
    assert here.free() == {EN: C1}
    policy[0] = Policy({EN: Desk(EN, SLACK, places[0], further=places[1:])})
    assert here.free() == ({EN: C2} if len(places) > 1 else {})


# ------------------------------------------------------------------ where nothing of a pool is open

FALLING = Policy(
    {
        EN: Desk(EN, SLACK, C1, fallbacks=(DeskId("gone"), JA, DeskId("console"))),
        JA: Desk(JA, SLACK, C2),
        DeskId("console"): Desk(DeskId("console"), NetworkName("console"), Place("console")),
    }
)


async def test_the_first_fallback_that_takes_posts_takes_whoever_waits() -> None:
    lists = Lists()
    here = berths(lists, [FALLING])
    waits = session(1, C1)
    assert here.refuge(waits, C1) is None
    assert here.fallback(waits, 0) == (JA, C2)
    await here.shut(SLACK, C2, "is_archived")
    assert here.fallback(waits, 0) == (DeskId("console"), Place("console"))
    other = berths(lists, [FALLING])
    await other.look()
    assert other.fallback(waits, 0) == (DeskId("console"), Place("console"))


def test_a_fallback_that_is_open_comes_first_and_who_was_moved_often_stays() -> None:
    closed = replace(FALLING.desks[JA], hours=Hours(()))
    here = berths(Lists(), [replace(FALLING, desks={**FALLING.desks, JA: closed})])
    assert here.fallback(session(1, C1), 0) == (DeskId("console"), Place("console"))
    assert here.fallback(replace(session(1, C1), transfers=3), 0) is None
