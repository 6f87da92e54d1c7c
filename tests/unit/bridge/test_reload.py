"""A new policy while the service runs: who asks for it, what becomes of a broken one, who answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from bridge import reload
from bridge.errors import SettingsError, StoreUnavailableError
from bridge.metrics import Metrics
from bridge.reload import Answer, PolicyWatch
from tests.unit.bridge.book import Book

BROKEN = SettingsError("desks.ja.rota: there is no rota day", where="kakehashi.toml: desks.ja.rota", mend="write one")


@dataclass
class Shelf(Book):
    """A book with leases: `a` and `b` hold one each, `gone` held one."""

    partitions: int = 3
    away: bool = False

    async def holder(self, name: str) -> tuple[str, int, int]:
        return {
            "timers@0": ("a", 1, self.clock + 1),
            "timers@1": ("b", 4, self.clock + 1),
            "timers@2": ("gone", 2, self.clock),
        }[name]

    async def get(self, name: str) -> str | None:
        if self.away:
            raise StoreUnavailableError("gone fishing")
        return await super().get(name)


@dataclass
class House:
    """A process with its policy: a file that says something, and what is in force."""

    shelf: Shelf = field(default_factory=Shelf)
    file: str | SettingsError = "old"
    in_force: str = "old"
    expanded: int = 0
    calendars: list[bool] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    reads: int = 0

    def watch(self, process: str = "a") -> PolicyWatch:
        return PolicyWatch(
            self.shelf.store, process, self.metrics, read=self._read, expand=self._expand, renew=self._renew
        )

    async def _read(self) -> None:
        self.reads += 1
        if isinstance(self.file, SettingsError):
            raise self.file
        self.in_force = self.file

    async def _expand(self) -> None:
        self.expanded += 1

    async def _renew(self) -> bool:
        return self.calendars.pop(0) if self.calendars else False

    def counted(self, outcome: str) -> float:
        return self.metrics.registry.get_sample_value("kakehashi_policy_reads_total", {"outcome": outcome}) or 0


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "LOOK_EVERY", 0.001)
    monkeypatch.setattr(reload, "RENEW_EVERY", 0.001)


@asynccontextmanager
async def running(*watches: PolicyWatch) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(watch.run()) for watch in watches]
    for _ in range(3):
        await asyncio.sleep(0)  # each has seen what was ordered before it
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - what is watched has no event to give us
        await asyncio.sleep(0)


async def answered(shelf: Shelf, name: str, *asked: str) -> list[Answer]:
    """Everybody's answer to an order, once all are there."""
    while len(told := await reload.answers(shelf.store, name, asked)) < len(asked):  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0)
    return told


async def test_a_signal_puts_what_is_written_in_force() -> None:
    house = House(file="new")
    watch = house.watch()
    async with running(watch):
        watch.ask()
        await until(lambda: house.in_force == "new")
    assert (house.reads, house.counted("adopted")) == (1, 1)


async def test_an_order_reaches_every_process_and_each_answers() -> None:
    shelf = Shelf()
    here, there = House(shelf, "new"), House(shelf, "new")
    async with running(here.watch("a"), there.watch("b")):
        asked = await reload.processes(shelf.store)
        told = await answered(shelf, await reload.order(shelf.store), *asked)
    assert asked == ["a", "b"]
    assert (here.in_force, there.in_force) == ("new", "new")
    assert told == [Answer("a"), Answer("b")]


async def test_a_broken_policy_is_refused_with_its_errors_and_the_old_one_stays() -> None:
    house = House(file=BROKEN)
    async with running(house.watch()):
        told = await answered(house.shelf, await reload.order(house.shelf.store), "a")
    assert house.in_force == "old"
    assert told == [Answer("a", tuple(str(BROKEN).splitlines()))]
    assert (house.counted("refused"), house.counted("adopted")) == (1, 0)


async def test_after_a_refusal_the_next_order_is_heard() -> None:
    house = House(file=BROKEN)
    async with running(house.watch()):
        await reload.order(house.shelf.store)
        await until(lambda: house.reads == 1)
        house.file = "new"
        await reload.order(house.shelf.store)
        await until(lambda: house.in_force == "new")


async def test_what_was_ordered_before_a_process_began_is_not_read_twice() -> None:
    house = House()
    await reload.order(house.shelf.store)
    watch = house.watch()
    async with running(watch):
        house.file = "new"
        watch.ask()
        await until(lambda: house.in_force == "new")
    assert house.reads == 1


async def test_an_answer_to_another_order_does_not_count() -> None:
    house = House()
    async with running(house.watch()):
        await answered(house.shelf, await reload.order(house.shelf.store), "a")
    assert await reload.answers(house.shelf.store, "another", ["a"]) == []


async def test_while_the_store_is_away_a_signal_still_works() -> None:
    house = House(file="new")
    watch = house.watch()
    async with running(watch):
        house.shelf.away = True
        watch.ask()
        await until(lambda: house.in_force == "new")


async def test_the_days_are_worked_out_anew_without_reading_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "EXPAND_EVERY", 0.0)
    house = House(file=BROKEN)
    async with running(house.watch()):
        await until(lambda: house.expanded > 2)
    assert (house.reads, house.in_force) == (0, "old")


async def test_a_calendar_that_has_changed_is_worked_in() -> None:
    house = House(calendars=[False, True, False])
    task = asyncio.create_task(house.watch().renew_calendars())
    await until(lambda: not house.calendars and house.expanded == 1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert house.expanded == 1
