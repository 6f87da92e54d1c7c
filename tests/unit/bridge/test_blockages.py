"""What holds a lane up is said where people can read it: nearby, once, and not for ever where nothing takes it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, cast

from bridge.blockages import Blockages
from bridge.errors import DeliveryError, Fault
from bridge.messages import About
from bridge.ports import Delivery, Network, Store
from routing.effects import OpenThread
from routing.ids import DeskId, EffectId, NetworkName, OperatorId, Place
from routing.policy import Desk, OperatorProfile, Policy, Rota, Shift
from tests.unit.adapters.slack.shown.test_card import SESSION

SLACK = NetworkName("slack")
EN, JA = DeskId("en"), DeskId("ja")
POLICY = Policy(
    {
        JA: Desk(JA, SLACK, Place("C9"), languages=("ja",)),
        EN: Desk(EN, SLACK, Place("C1"), languages=("en",), further=(Place("C2"),)),
        DeskId("page"): Desk(DeskId("page"), NetworkName("console"), Place("page")),
    }
)
DELIVERY = Delivery(OpenThread(id=EffectId("e1"), to=SLACK, mirror=1), SESSION, About(name="Hanako"))
ARCHIVED = DeliveryError(Fault.BLOCKED, "is_archived", mend="unarchive it", of_place=True)
LOCKED = DeliveryError(Fault.BLOCKED, "thread_locked", mend="unlock it")


@dataclass
class Slack:
    """Takes lines everywhere but in `shut`."""

    shut: frozenset[str] = frozenset()
    said: list[tuple[str, str, str]] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    async def announce(self, place: Place, key: str, text: str) -> None:
        self.tried.append(place)
        if place in self.shut:
            raise DeliveryError(Fault.BLOCKED, "is_archived")
        self.said.append((place, key, text))

    async def announced(self, place: Place, key: str, since: int) -> bool:
        del since
        return (place, key) in [one[:2] for one in self.said]


@dataclass
class Forum(Slack):
    """Takes no line anywhere, and speaks to those whom it `reaches`."""

    reaches: tuple[str, ...] = ()
    told: list[tuple[str, str]] = field(default_factory=list)

    async def announce(self, place: Place, key: str, text: str) -> None:
        self.tried.append(place)
        raise DeliveryError(Fault.BLOCKED, "too_many_threads")

    async def tell(self, operator: OperatorId, key: str, text: str) -> bool:
        if operator == "shut":
            raise DeliveryError(Fault.POISON, "no_direct")
        if operator in self.reaches:
            self.told.append((operator, text))
        return operator in self.reaches


class Shelf:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def now(self) -> int:
        return 1_700_000_000_000

    async def get(self, name: str) -> str | None:
        return self.kept.get(name)

    async def put(self, name: str, value: str, ttl: int | None = None) -> None:
        assert ttl
        self.kept[name] = value


def words(language: str, key: str, /, **gaps: object) -> str:
    return f"{language} {key} {' '.join(map(str, gaps.values()))}"


def blockages(slack: Slack, shelf: Shelf | None = None) -> Blockages:
    networks = {SLACK: cast(Network, slack)}
    return Blockages(cast(Store, shelf or Shelf()), lambda: POLICY, networks, words)


async def meets(one: Blockages, error: DeliveryError, delivery: Delivery = DELIVERY, times: int = 1) -> None:
    for _ in range(times):
        one.met(delivery, error)
    await asyncio.gather(*one._saying.values())


async def test_a_channel_that_is_shut_is_spoken_of_in_the_next_one_of_its_desk_once_for_all_its_sessions() -> None:
    slack = Slack()
    one = blockages(slack)
    await meets(one, ARCHIVED, times=3)
    await meets(one, ARCHIVED, replace(DELIVERY, session=replace(SESSION, id=cast(Any, "main.0.other"))))
    ((place, _, text),) = slack.said
    assert place == "C2"
    assert text == "en blocked.place en C1 K7Q2 is_archived\nunarchive it"
    assert "Hanako" not in text


async def test_where_the_whole_pool_is_shut_a_neighbour_is_told_and_another_network_never() -> None:
    slack = Slack(frozenset(("C1", "C2")))
    await meets(blockages(slack), ARCHIVED)
    assert [place for place, *_ in slack.said] == ["C9"]


async def test_a_thread_that_is_shut_is_spoken_of_in_its_own_channel() -> None:
    slack = Slack()
    await meets(blockages(slack), LOCKED)
    ((place, _, text),) = slack.said
    assert place == "C1"
    assert text.startswith("en blocked.thread")


async def test_another_process_says_it_no_second_time() -> None:
    slack, shelf = Slack(), Shelf()
    await meets(blockages(slack, shelf), ARCHIVED)
    await meets(blockages(slack, shelf), ARCHIVED)
    await meets(blockages(slack, Shelf()), ARCHIVED)  # it had crashed before it could note it
    assert len(slack.said) == 1


async def test_what_no_place_takes_is_not_tried_again_at_once() -> None:
    slack = Slack(frozenset(("C1", "C2", "C9")))
    one = blockages(slack)
    await meets(one, ARCHIVED)
    await meets(one, LOCKED)
    assert slack.tried == ["C2", "C9"]


FULL = DeliveryError(Fault.BLOCKED, "too_many_threads", mend="archive some", of_place=True)
NIGHT, DAY, OTHERS, SHUT = OperatorId("night"), OperatorId("day"), OperatorId("others"), OperatorId("shut")
STAFFED = replace(
    POLICY,
    desks={EN: Desk(EN, SLACK, Place("C1"), languages=("en",), rota="night")},
    operators={name: OperatorProfile(name, {}, (JA,) if name == OTHERS else ()) for name in (NIGHT, DAY, SHUT, OTHERS)},
    rotas={"night": Rota((Shift(0, 10**15, NIGHT),))},
)


async def told_of(forum: Forum, policy: Policy = STAFFED, shelf: Shelf | None = None) -> list[str]:
    one = Blockages(cast(Store, shelf or Shelf()), lambda: policy, {SLACK: cast(Network, forum)}, words)
    await meets(one, FULL, times=2)
    return [operator for operator, _ in forum.told]


async def test_where_no_place_takes_the_line_who_is_on_call_is_told_directly_and_once() -> None:
    forum, shelf = Forum(reaches=("night", "day")), Shelf()
    assert await told_of(forum, shelf=shelf) == ["night"]
    assert await told_of(forum, shelf=shelf) == ["night"]
    assert forum.told[0][1] == "en blocked.place en C1 K7Q2 too_many_threads\narchive some"


async def test_with_nobody_on_call_or_to_be_reached_so_the_desks_own_operators_are_told() -> None:
    assert await told_of(Forum(reaches=("day", "others"))) == ["day"]
    assert await told_of(Forum(reaches=("day", "night", "others")), replace(STAFFED, rotas={})) == ["day", "night"]
    crowd = {name: OperatorProfile(name, {}) for name in map(OperatorId, map(str, range(9)))}
    told = await told_of(Forum(reaches=tuple(crowd)), replace(STAFFED, rotas={}, operators=crowd))
    assert told == ["0", "1", "2"]


async def test_where_nobody_can_be_told_it_is_not_tried_again_at_once() -> None:
    forum, shelf = Forum(), Shelf()
    assert await told_of(forum, shelf=shelf) == []
    assert shelf.kept == {}
