"""The digest at a change of shift: what it says, and that it is posted once, whoever dies when."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import DeliveryError, Fault
from bridge.handover import POSTING_FOR, Digest, Handovers, latest
from bridge.ports import Line
from routing.ids import DeskId, NetworkName, OperatorId, Place, SessionId, ShortCode
from routing.policy import HOUR, MINUTE, Desk, Policy, Rota, Shift
from tests.unit.bridge.mortal import Killed, Lives, Memory, Mortal

JA, SLACK, CHANNEL = DeskId("ja"), NetworkName("slack"), Place("C-JA")
AIKO, KENJI = OperatorId("aiko"), OperatorId("kenji")
MORNING = 1_767_225_600_000  # 2026-01-01 09:00 in Tokyo
ROTA = Rota(
    (
        Shift(MORNING - 12 * HOUR, MORNING, KENJI),
        Shift(MORNING, MORNING + 8 * HOUR, AIKO),
        Shift(MORNING + 12 * HOUR, MORNING + 24 * HOUR, KENJI),
    )
)


@dataclass
class Channel:
    """A network that announces, and finds what it announced."""

    posts: list[tuple[Place, str, str]] = field(default_factory=list)
    looks: int = 0
    fails: list[DeliveryError] = field(default_factory=list)

    async def announce(self, place: Place, key: str, text: str) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.posts.append((place, key, text))

    async def announced(self, place: Place, key: str, since: int) -> bool:
        self.looks += 1
        return any(one[:2] == (place, key) for one in self.posts)


class MortalChannel(Mortal):
    async def announce(self, place: Place, key: str, text: str) -> None:
        await self.__getattr__("announce")(place, key, text)

    async def announced(self, place: Place, key: str, since: int) -> bool:
        return bool(await self.__getattr__("announced")(place, key, since))


@dataclass
class Shelves(Memory):
    """A store with a desk's list."""

    clock: int = MORNING - HOUR
    listed: list[Line] = field(default_factory=list)

    async def lines(self, desk: DeskId) -> list[Line]:
        return [one for one in self.listed if one.desk == desk]


@dataclass
class World:
    store: Shelves = field(default_factory=Shelves)
    channel: Channel = field(default_factory=Channel)
    rota: Rota = ROTA
    started: int = 0

    def process(self, lives: Lives | None = None) -> Handovers:
        self.started += 1
        mortal = lives or Lives()
        desk = Desk(JA, SLACK, CHANNEL, rota="day")
        return Handovers(
            cast(Any, Mortal(self.store, mortal)),
            lambda: Policy({JA: desk}, rotas={"day": self.rota}),
            {SLACK: cast(Any, MortalChannel(self.channel, mortal))},
            words,
            f"process-{self.started}",
            name=lambda one: one.title(),
            zone=lambda _desk: ZoneInfo("Asia/Tokyo"),
        )


def words(language: str, key: str, /, **filled: object) -> str:
    return f"{key.removeprefix('handover.')}({', '.join(str(one) for one in filled.values())})"


def line(code: str, **summary: object) -> Line:
    state: dict[str, object] = {"state": "queued", "turn": "ours", "due": {}, "escalation": None}
    return Line(SessionId(f"main.1.{code}"), ShortCode(code), JA, 1, {**state, **summary})


async def test_a_change_of_shift_is_posted_with_what_is_open() -> None:
    world = World()
    handovers = world.process()
    await handovers.tick()
    world.store.listed = [
        line("K001", due={"first_response": MORNING + 5 * MINUTE, "resolution": MORNING + HOUR}),
        line("K002", state="assigned", due={"next_response": MORNING + 2 * HOUR}),
        line("K003", state="assigned", turn="held"),
        line("K004", state="resolved"),
        line("K005", escalation={"since": MORNING - 10 * MINUTE, "acknowledged_by": "kenji"}),
        line("K006", escalation={"since": MORNING - 20 * MINUTE, "acknowledged_by": None}),
    ]
    world.store.clock = MORNING
    await handovers.tick()
    ((place, _key, text),) = world.channel.posts
    assert place == CHANNEL
    assert text.split("\n") == [
        "shift(09:00 JST, Kenji, Aiko)",
        "open(5, 3, 1, 1)",
        "near(due(K001, 09:05 JST))",
        "escalated(late(K006, 08:40 JST), taken(K005, 08:50 JST, Kenji))",
    ]
    assert await latest(cast(Any, world.store), JA) == Digest(
        JA,
        MORNING,
        "Kenji",
        "Aiko",
        waiting=3,
        held=1,
        under_way=1,
        near=(("K001", MORNING + 5 * MINUTE),),
        escalated=(("K006", MORNING - 20 * MINUTE, ""), ("K005", MORNING - 10 * MINUTE, "Kenji")),
    )


async def test_between_changes_nothing_is_posted() -> None:
    world = World()
    handovers = world.process()
    for minute in range(0, 55, 5):
        world.store.clock = MORNING - HOUR + minute * MINUTE
        await handovers.tick()
    assert world.channel.posts == []
    assert await latest(cast(Any, world.store), JA) is None


async def test_a_gap_in_the_rota_hands_over_to_nobody_and_back() -> None:
    world = World()
    handovers = world.process()
    await handovers.tick()
    for at in (MORNING, MORNING + 8 * HOUR, MORNING + 12 * HOUR):
        world.store.clock = at
        await handovers.tick()
    assert [text.partition("\n")[0] for _place, _key, text in world.channel.posts] == [
        "shift(09:00 JST, Kenji, Aiko)",
        "shift(17:00 JST, Aiko, nobody())",
        "shift(21:00 JST, nobody(), Kenji)",
    ]


async def test_who_was_down_for_several_changes_posts_the_last_one() -> None:
    world = World()
    handovers = world.process()
    await handovers.tick()
    world.store.clock = MORNING + 13 * HOUR
    await handovers.tick()
    await handovers.tick()
    assert [text.partition("\n")[0] for _place, _key, text in world.channel.posts] == [
        "shift(21:00 JST, nobody(), Kenji)"
    ]


async def test_two_processes_post_it_once() -> None:
    world = World()
    one, other = world.process(), world.process()
    await one.tick()
    world.store.clock = MORNING
    for _ in range(3):
        await one.tick()
        await other.tick()
    assert len(world.channel.posts) == 1


async def test_a_post_whose_answer_was_lost_is_looked_for_before_it_is_made_again() -> None:
    world = World()
    handovers = world.process()
    await handovers.tick()
    world.store.clock = MORNING
    world.channel.fails = [DeliveryError(Fault.AMBIGUOUS, "lost")]
    await handovers.tick()
    world.channel.posts.append((CHANNEL, f"handover/ja/{MORNING}", "it was posted after all"))
    world.store.clock += POSTING_FOR
    await handovers.tick()
    assert (len(world.channel.posts), world.channel.looks) == (1, 1)
    assert await latest(cast(Any, world.store), JA) is not None


async def test_killed_at_any_point_it_is_posted_once() -> None:
    for death in range(60):
        world = World()
        await world.process().tick()
        world.store.clock = MORNING
        with suppress(Killed):
            await world.process(Lives(death)).tick()
        other = world.process()
        for _ in range(3):
            world.store.clock += POSTING_FOR
            await other.tick()
        assert len(world.channel.posts) == 1, f"killed at {death}"
        assert await latest(cast(Any, world.store), JA) is not None


@pytest.mark.parametrize("rota", [Rota(), Rota((Shift(0, 1, AIKO),))], ids=["empty", "over"])
async def test_a_rota_without_changes_posts_nothing(rota: Rota) -> None:
    world = World(rota=rota)
    handovers = world.process()
    for _ in range(3):
        await handovers.tick()
        world.store.clock += HOUR
    assert world.channel.posts == []


async def test_a_network_that_cannot_announce_leaves_it_to_the_desks_page() -> None:
    world = World()
    handovers = world.process()
    handovers._networks = {}
    await handovers.tick()
    world.store.clock = MORNING
    world.store.listed = [line("K001")]
    await handovers.tick()
    found = await latest(cast(Any, world.store), JA)
    assert found == replace(Digest(JA, MORNING, "Kenji", "Aiko"), waiting=1)
