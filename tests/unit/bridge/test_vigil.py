"""The vigil: what is ill for its patience calls people, step by step, by a way that needs nothing of what is ill."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from bridge import vigil as v
from bridge.errors import DeliveryError, Fault, KakehashiError, StoreUnavailableError
from bridge.pagers import PageCall
from bridge.vigil import Call, End, Mute, Mutes, Rules, Symptom, Vigil, Watch
from routing.ids import NetworkName
from tests.unit.bridge.mortal import Memory

SLACK, ONCALL = NetworkName("slack"), NetworkName("oncall")
RULES = Rules((("ops", 0), ("boss", 300_000)), 900_000, 60_000, 120_000, 20_000)
DOWN = {"store": Symptom("refused")}

# ------------------------------------------------------------------ the pure part


def watched(found: dict[str, Symptom], rules: Rules = RULES, seconds: int = 3_000) -> list[tuple[int, str]]:
    """Who is called when (seconds), while this is ill from the start."""
    watch, calls = Watch(rules), []
    for second in range(0, seconds, 5):
        calls += [(second, step.pager) for step in watch.look(found, second * 1000) if isinstance(step, Call)]
    return calls


def test_the_ladder_is_climbed_step_by_step_and_its_end_repeated() -> None:
    assert watched(DOWN) == [(20, "ops"), (320, "boss"), (1220, "boss"), (2120, "boss")]


@pytest.mark.parametrize(("name", "patience"), [("network:slack", 60), ("lane:slack", 120), ("leader", 120)])
def test_each_illness_has_a_patience_of_its_own(name: str, patience: int) -> None:
    assert watched({name: Symptom()}, seconds=200) == [(patience, "ops")]


def test_what_is_known_to_be_old_has_had_its_patience() -> None:
    assert watched({"lane:slack": Symptom(age=150_000)}, seconds=10) == [(0, "ops")]


def test_a_short_illness_calls_nobody() -> None:
    watch = Watch(RULES)
    assert watch.look(DOWN, 0) == []
    assert watch.look(DOWN, 19_999) == []
    assert watch.look({}, 20_000) == []
    assert watch.look(DOWN, 20_001) == []


def test_what_is_well_again_is_said_to_whoever_was_called() -> None:
    watch = Watch(RULES)
    for now in (0, 20_000, 320_000):
        watch.look(DOWN, now)
    assert watch.look({}, 330_000) == [End("store", ("ops", "boss"))]
    assert watch.look({}, 340_000) == []


def test_an_acknowledgement_stops_it_until_it_is_well() -> None:
    watch = Watch(RULES)
    watch.look(DOWN, 0)
    watch.look(DOWN, 20_000)
    assert watch.acknowledged("store")
    assert watch.look(DOWN, 9_000_000) == []
    watch.look({}, 9_000_001)
    watch.look(DOWN, 9_000_002)
    assert len(watch.look(DOWN, 9_100_000)) == 1


def test_nobody_has_what_is_not_ill() -> None:
    assert not Watch(RULES).acknowledged("store")


def test_a_pager_that_fails_hands_on_to_the_next_at_once_and_the_last_is_asked_again_soon() -> None:
    watch = Watch(RULES)
    watch.look(DOWN, 0)
    watch.look(DOWN, 20_000)
    watch.failed("store", 20_000)
    assert [step.pager for step in watch.look(DOWN, 25_000) if isinstance(step, Call)] == ["boss"]
    watch.failed("store", 25_000)
    assert watch.look(DOWN, 30_000) == []
    assert [step.pager for step in watch.look(DOWN, 55_000) if isinstance(step, Call)] == ["boss"]


def test_muted_calls_wait_and_are_made_when_it_is_over_and_still_ill() -> None:
    watch = Watch(RULES)
    for second in range(0, 1_800, 5):
        assert watch.look(DOWN, second * 1000, muted=True) == []
    assert watch.look(DOWN, 1_800_000) == [Call("store", "ops", 0, "refused")]


def test_muted_what_is_well_again_is_still_said() -> None:
    watch = Watch(RULES)
    watch.look(DOWN, 0)
    watch.look(DOWN, 20_000)
    assert watch.look({}, 30_000, muted=True) == [End("store", ("ops",))]


def test_illnesses_climb_side_by_side() -> None:
    watch = Watch(RULES)
    found = {"store": Symptom(), "network:slack": Symptom()}
    watch.look(found, 0)
    assert [step.name for step in watch.look(found, 60_000)] == ["store", "network:slack"]


def test_steps_without_a_delay_are_called_together() -> None:
    assert watched(DOWN, Rules((("ops", 0), ("boss", 0))), seconds=60) == [(20, "ops"), (20, "boss")]


def test_without_a_ladder_nobody_is_called_and_nothing_breaks() -> None:
    assert watched(DOWN, Rules()) == []


# ------------------------------------------------------------------ the watchman


@dataclass
class Store(Memory):
    """A store that can be away, or hang."""

    away: bool = False
    hangs: bool = False
    late: int = 0
    orphan: str = ""
    alive: list[str] = field(default_factory=lambda: ["holder-1"])
    partitions: int = 2

    async def _answers(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise StoreUnavailableError("the store did not answer")

    async def get(self, name: str) -> str | None:
        await self._answers()
        return self.kept.get(name)

    async def shelf(self, space: str) -> Any:
        await self._answers()
        return await Memory.shelf(self, space)

    async def put(self, name: str, value: str) -> None:
        await self._answers()
        self.kept[name] = value

    async def processes(self, holder: str, now: int) -> list[str]:
        return self.alive

    async def backlog(self, partition: int, to: NetworkName, now: int) -> tuple[int, int]:
        return (1, now - self.late) if self.late and to == SLACK else (0, 0)

    async def holder(self, name: str) -> tuple[str, int, int]:
        return ("", 3, 0) if name == self.orphan else ("holder-1", 3, 10**15)


@dataclass
class Leases:
    holder: str = "holder-1"

    def partitions(self, to: NetworkName) -> list[tuple[int, int]]:
        return [(0, 1), (1, 1)]


@dataclass
class Network:
    why: str | None = None

    def ready(self) -> str | None:
        return self.why


@dataclass
class Pages:
    late: int = 0

    async def overdue(self) -> int:
        return self.late


@dataclass
class Phone:
    name: str = "ops"
    language: str = "en"
    rings: list[PageCall] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    dead: bool = False

    async def page(self, call: PageCall) -> None:
        if self.dead:
            raise DeliveryError(Fault.TRANSIENT, "unreachable")
        self.rings.append(call)

    async def acknowledge(self, key: str) -> None:
        """Nobody asks for this here."""

    async def resolve(self, key: str) -> None:
        self.resolved.append(key)

    async def close(self) -> None:
        """Nothing is open."""


def words(language: str, key: str, /, **filled: object) -> str:
    return f"{key} {filled['name']}".strip()


@dataclass
class Tower:
    """One process's watchman, and what he looks at. `passes` lets time go by."""

    store: Store = field(default_factory=Store)
    slack: Network = field(default_factory=Network)
    pages: Pages = field(default_factory=Pages)
    phone: Phone = field(default_factory=Phone)
    boss: Phone = field(default_factory=lambda: Phone("boss", "ja"))
    now: int = 0
    trouble: str | None = None

    def __post_init__(self) -> None:
        self.vigil = self.process()

    def process(self, identity: str = "host-a:8787") -> Vigil:
        return Vigil(
            store=cast(Any, self.store),
            networks=cast(Any, {SLACK: self.slack, ONCALL: Network()}),
            leases=cast(Any, Leases()),
            destinations=(SLACK, ONCALL),
            pages=cast(Any, self.pages),
            pagers=cast(Any, {"ops": self.phone, "boss": self.boss}),
            rules=RULES,
            words=words,
            identity=identity,
            site="support.example.com",
            engine=lambda: self.trouble,
        )

    async def passes(self, seconds: int) -> None:
        for _ in range(0, seconds, 5):
            self.now += 5_000
            await self.vigil.look(self.now)

    def rung(self) -> list[str]:
        return [call.line for call in self.phone.rings]


async def test_all_is_well_and_nobody_is_called() -> None:
    tower = Tower()
    await tower.passes(600)
    assert tower.rung() == []


@pytest.mark.parametrize("ill", ["away", "hangs"])
async def test_a_dead_redis_is_called_straight_from_the_process(ill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tower = Tower()
    await tower.passes(10)
    setattr(tower.store, ill, True)
    with monkeypatch.context() as impatient:
        impatient.setattr(v, "ASK_WITHIN", 0.01)
        await tower.passes(40)
    assert tower.rung() == ["support.example.com · health.store"]
    (call,) = tower.phone.rings
    assert (call.key, call.severity) == ("health.host-a:8787.store", "critical")
    setattr(tower.store, ill, False)
    await tower.passes(5)
    assert tower.phone.resolved[-1] == call.key


async def test_an_engine_of_ours_that_is_down_is_the_store_that_is_down() -> None:
    tower = Tower(trouble="the private server is being restarted")
    await tower.passes(40)
    assert tower.rung() == ["support.example.com · health.store"]
    assert tower.phone.rings[0].details["detail"] == "the private server is being restarted"


async def test_a_dead_slack_is_called_and_needs_no_slack_for_it() -> None:
    tower = Tower()
    tower.slack.why = "the socket is not connected"
    await tower.passes(70)
    assert tower.rung() == ["support.example.com · health.network slack"]
    tower.slack.why = None
    await tower.passes(5)
    assert tower.phone.resolved[-1] == "health.host-a:8787.network:slack"


async def test_a_dead_slack_and_a_dead_redis_are_two_pages() -> None:
    tower = Tower()
    tower.slack.why, tower.store.away = "down", True
    await tower.passes(70)
    assert sorted(tower.rung()) == ["support.example.com · health.network slack", "support.example.com · health.store"]


async def test_a_late_delivery_is_called() -> None:
    tower = Tower()
    tower.store.late = 119_000
    await tower.passes(5)
    assert tower.rung() == []
    tower.store.late = 121_000
    await tower.passes(5)
    assert tower.rung() == ["support.example.com · health.lane slack"]


async def test_a_partition_without_a_leader_is_called_by_one_process_only() -> None:
    tower = Tower()
    tower.store.orphan = "slack@1"
    await tower.passes(130)
    assert tower.rung() == ["support.example.com · health.leader"]
    assert tower.phone.rings[0].details["detail"] == "slack@1"
    other = Tower(store=Store(orphan="slack@1", alive=["holder-0", "holder-1"]))
    await other.passes(130)
    assert other.rung() == []


async def test_pages_that_no_pager_accepts_are_called_too() -> None:
    tower = Tower()
    tower.pages.late = 121_000
    await tower.passes(5)
    assert tower.rung() == ["support.example.com · health.page"]


async def test_where_the_first_pager_is_dead_the_next_is_called() -> None:
    tower = Tower()
    tower.phone.dead, tower.store.away = True, True
    await tower.passes(40)
    assert [call.line for call in tower.boss.rings] == ["support.example.com · health.store"]


async def test_a_page_that_a_former_life_left_open_is_closed_at_the_start() -> None:
    tower = Tower()
    tower.slack.why = "down"
    await tower.passes(70)
    tower.slack.why = None
    tower.vigil = tower.process()  # killed and started again
    await tower.passes(5)
    assert "health.host-a:8787.network:slack" in tower.phone.resolved


async def test_the_same_illness_of_another_process_is_another_page() -> None:
    tower = Tower()
    tower.slack.why = "down"
    await tower.passes(70)
    tower.vigil = tower.process("host-b:8787")
    await tower.passes(70)
    assert len({call.key for call in tower.phone.rings}) == 2


async def test_an_acknowledgement_at_any_process_reaches_the_one_whose_page_it_is() -> None:
    tower = Tower()
    tower.slack.why = "down"
    await tower.passes(70)
    (call,) = tower.phone.rings
    other = tower.process("host-b:8787")
    await other.acknowledged(call.key)
    await other.acknowledged("ja.e0001")  # not a health page
    await tower.passes(3_000)
    assert (len(tower.phone.rings), tower.boss.rings) == (1, [])
    assert tower.store.kept == {}


async def test_without_a_ladder_of_its_own_every_pager_is_called() -> None:
    tower = Tower()
    tower.vigil.rules = Rules()
    tower.vigil.__post_init__()
    tower.store.away = True
    await tower.passes(30)
    assert (len(tower.phone.rings), len(tower.boss.rings)) == (1, 1)


# ------------------------------------------------------------------ planned silence


async def test_a_mute_is_timed_has_a_reason_and_is_remembered() -> None:
    store = Store()
    mutes = Mutes(cast(Any, store))
    mute = await mutes.add(1_800_000, "root@host-a", "Redis is being replaced")
    assert (mute.start, mute.until) == (store.clock, store.clock + 1_800_000)
    assert mute.holds_at(store.clock)
    assert not mute.holds_at(store.clock + 1_800_000)
    store.clock += 60_000
    ended = await mutes.end(mute.id)
    assert ended == Mute(mute.id, mute.start, mute.until, "root@host-a", "Redis is being replaced", store.clock)
    assert not ended.holds_at(store.clock)
    assert await mutes.all() == [ended]
    with pytest.raises(KakehashiError, match="no such mute"):
        await mutes.end(mute.id)


@pytest.mark.parametrize(("lasting", "why"), [(0, "why"), (v.MUTE_AT_MOST + 1, "why"), (60_000, "  ")])
async def test_what_is_no_planned_silence_is_refused(lasting: int, why: str) -> None:
    with pytest.raises(KakehashiError):
        await Mutes(cast(Any, Store())).add(lasting, "root", why)


async def test_the_oldest_mutes_are_forgotten_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v, "MUTES_KEPT", 3)
    store = Store()
    mutes = Mutes(cast(Any, store))
    for number in range(5):
        store.clock += 1_000
        await mutes.add(1_000, "root", f"number {number}")
    assert [one.why for one in await mutes.all()] == ["number 4", "number 3", "number 2"]


async def test_a_mute_holds_while_the_redis_that_it_was_made_for_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    tower = Tower()
    monkeypatch.setattr(v, "_wall", lambda: tower.store.clock)
    await Mutes(cast(Any, tower.store)).add(600_000, "root", "Redis is being replaced")
    await tower.passes(5)
    tower.store.away = True
    await tower.passes(300)
    assert tower.rung() == []
    tower.store.clock += 600_000
    await tower.passes(5)
    assert tower.rung() == ["support.example.com · health.store"]


# ------------------------------------------------------------------ the dead man's switch


async def beats(tower: Tower, monkeypatch: pytest.MonkeyPatch, fails: int = 0) -> int:
    """How often the heart beats in a moment."""
    beaten = 0

    async def beat() -> None:
        nonlocal beaten
        beaten += 1
        if beaten <= fails:
            raise DeliveryError(Fault.TRANSIENT, "unreachable")
        if beaten >= fails + 3:
            enough.set()

    enough = asyncio.Event()
    tower.vigil.beat, tower.vigil.beat_every = beat, 0.0
    task = asyncio.get_running_loop().create_task(tower.vigil.run_heartbeat())
    try:
        async with asyncio.timeout(0.2):
            await enough.wait()
    except TimeoutError:
        return beaten
    finally:
        task.cancel()
    return beaten


async def test_the_heart_beats_while_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    tower = Tower()
    await tower.passes(5)
    assert await beats(tower, monkeypatch) >= 3


async def test_a_beat_that_is_lost_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    tower = Tower()
    await tower.passes(5)
    assert await beats(tower, monkeypatch, fails=2) >= 5


async def test_with_a_dead_redis_the_heart_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    tower = Tower(store=Store(away=True))
    await tower.passes(5)
    assert await beats(tower, monkeypatch) == 0


async def test_who_does_not_look_any_more_is_not_said_to_be_well(monkeypatch: pytest.MonkeyPatch) -> None:
    tower = Tower()
    await tower.passes(5)
    tower.vigil._looked -= 4 * v.LOOK_EVERY
    assert await beats(tower, monkeypatch) == 0
