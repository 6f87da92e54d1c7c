"""What is known of operators, on a real Redis: kept, shared by all processes, and never undone by one another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import StoreUnavailableError
from routing.availability import LAPSE_AFTER, Because, Choice
from routing.hours import ALWAYS
from routing.ids import OperatorId
from tests.integration.desk_room import AIKO, KENJI, MEI, POLICY, Process, process
from tests.redis_servers import private_redis


@pytest.fixture
async def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Process]:
    monkeypatch.setattr("bridge.availability.READ_EVERY", 0.0)
    async with private_redis(tmp_path / "redis") as url:
        here = await process(url)
        yield here
        await here.dies()


@pytest.fixture
async def other(one: Process, tmp_path: Path) -> AsyncIterator[Process]:
    """Another process on the same store."""
    connection = one.store._wire.client.connection_pool.connection_kwargs  # type: ignore[union-attr]  # standalone
    there = await process(f"unix://{connection['path']}")
    yield there
    await there.dies()


async def later(one: Process, monkeypatch: pytest.MonkeyPatch, ms: int) -> None:
    now = await one.store.now() + ms
    monkeypatch.setattr(one.store, "now", lambda: asyncio.sleep(0, now))


async def test_what_an_operator_says_is_known_everywhere(one: Process, other: Process) -> None:
    assert (await one.availability.choose(AIKO, Choice.ON)).on
    assert (await other.availability.of(AIKO)).on
    await other.availability.choose(AIKO, Choice.AWAY)
    assert not (await one.availability.of(AIKO)).on
    assert (await one.availability.of(KENJI)).because is Because.NOTHING


async def test_everybody_is_named_whom_the_policy_knows_or_who_gave_a_sign(one: Process) -> None:
    stranger = OperatorId("slack:T1:U1")
    one.policy[0] = replace(POLICY, operators={**POLICY.operators, MEI: replace(POLICY.operators[MEI], hours=ALWAYS)})
    await one.availability.choose(stranger, Choice.ON)
    found = await one.availability.everyone()
    assert {who for who, standing in found.items() if standing.on} == {stranger, MEI}
    assert set(found) == {AIKO, KENJI, MEI, stranger}


async def test_an_act_keeps_them_on_and_is_written_once_in_a_while(
    one: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.availability.choose(AIKO, Choice.ON)
    await later(one, monkeypatch, LAPSE_AFTER)
    assert (await one.availability.of(AIKO)).because is Because.LAPSED
    await one.availability.acted(AIKO)
    assert (await one.availability.of(AIKO)).on

    async def fails(*_: object) -> bool:
        raise AssertionError("a second act within the pause writes nothing")

    monkeypatch.setattr(one.store, "swap", fails)
    await one.availability.acted(AIKO)


async def test_an_act_that_cannot_be_noted_is_noted_with_the_next(
    one: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = one.store.get

    async def away(name: str) -> str | None:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(one.store, "get", away)
    await one.availability.acted(AIKO)
    monkeypatch.setattr(one.store, "get", get)
    await one.availability.acted(AIKO)
    assert await one.store.shelf("available") != {}


async def test_two_processes_that_change_a_record_at_once_lose_nothing(one: Process, other: Process) -> None:
    await asyncio.gather(
        one.availability.choose(AIKO, Choice.ON),
        other.availability.acted(AIKO),
        one.availability.note_presence(AIKO, active=True),
        other.availability.note_presence(AIKO, active=True),
    )
    assert (await other.availability.of(AIKO)).on
    kept = other.availability._signs[AIKO]
    assert (kept.choice, kept.active) == (Choice.ON, True)
    assert kept.acted_at > 0


async def test_presence_is_since_it_changed_and_not_since_it_was_looked_at(
    one: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.availability.note_presence(AIKO, active=True)
    since = (await one.availability.of(AIKO)).since
    await later(one, monkeypatch, 60_000)
    await one.availability.note_presence(AIKO, active=True)
    standing = await one.availability.of(AIKO)
    assert (standing.on, standing.because, standing.since) == (True, Because.SEEN, since)
    await one.availability.note_presence(AIKO, active=False)
    assert (await one.availability.of(AIKO)).since > since


async def test_a_record_of_a_newer_release_is_read_as_far_as_it_is_known(one: Process) -> None:
    await one.store.put("available/aiko", '{"choice": "on", "chosen_at": 99999999999999, "mood": "fine"}')
    assert (await one.availability.of(AIKO)).on
