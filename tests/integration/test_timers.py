"""Deadlines on a real Redis: each fires once, fenced, under whatever policy holds by then."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import LostLeaseError, StoreUnavailableError
from bridge.leases import TIMERS, lease_name
from bridge.ports import Stored
from bridge.timers import ABSENT_AFTER
from routing import inputs as i
from routing.facts import CustomerGone, CustomerWentAway, Fact
from routing.ids import DeskId, InputKey, SessionId, partition_in
from routing.policy import HOUR, Desk, Policy
from routing.session import Presence
from tests.integration.engine_room import EN, POLICY, Room, customer, hurry, room, running, sound, until
from tests.integration.notice_board import Board
from tests.redis_servers import private_redis


@pytest.fixture
async def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    hurry(monkeypatch)
    async with private_redis(tmp_path / "redis", durable=True) as one:
        yield one


@pytest.fixture
async def one(url: str) -> AsyncIterator[Room]:
    async with running(url, Board()) as process:
        yield process


def gone_after(milliseconds: int) -> Policy:
    desk: Desk = replace(POLICY.desks[EN], gone_after=milliseconds)
    return replace(POLICY, desks={EN: desk})


async def opened(process: Room, name: str) -> Stored:
    return (await process.writes(name, 0)).stored


async def left(process: Room, session: SessionId) -> None:
    await process.relay.from_bridge(session, i.CustomerLeft(), InputKey("left"))


async def facts(process: Room, session: SessionId, kind: type[Fact]) -> int:
    return sum(isinstance(entry.fact, kind) for entry in await process.store.journal(session))


# ------------------------------------------------------------------ once


async def test_a_deadline_fires_once_whoever_looks(url: str, one: Room) -> None:
    async with running(url, Board()) as other:
        for process in (one, other):
            process.policy[0] = gone_after(50)
        sessions = [(await opened(one, f"u{number}")).session.id for number in range(12)]
        await asyncio.gather(*(left(one, session) for session in sessions))

        async def all_gone() -> bool:
            return all([await facts(one, session, CustomerGone) for session in sessions])

        await until(all_gone, "every deadline has fallen")
        for session in sessions:
            assert await facts(one, session, CustomerGone) == 1
    await sound(one.store)


async def test_two_that_believe_in_the_same_lease_fire_once(url: str) -> None:
    """The fence is checked in the commit, so whoever was paused meanwhile writes nothing."""
    process = await room(url, Board())
    process.policy[0] = gone_after(0)
    stored = await opened(process, "a")
    await left(process, stored.session.id)
    name = lease_name(TIMERS, partition_in(stored.session.id))
    old = await process.store.hold(name, "paused", 1)
    await asyncio.sleep(0.01)
    new = await process.store.hold(name, "awake", 60_000)
    assert old is not None
    assert new is not None
    with pytest.raises(LostLeaseError):
        await process.timers._fire(stored.session.id, (name, old.term), await process.store.now())
    assert await facts(process, stored.session.id, CustomerGone) == 0
    for _ in range(2):
        await process.timers._fire(stored.session.id, (name, new.term), await process.store.now())
    assert await facts(process, stored.session.id, CustomerGone) == 1
    await process.die()


async def test_a_deadline_survives_the_process_that_set_it(url: str) -> None:
    dying = await room(url, Board())
    dying.policy[0] = gone_after(300)
    session = (await opened(dying, "a")).session.id
    await left(dying, session)
    await dying.die()
    async with running(url, Board()) as survivor:
        survivor.policy[0] = gone_after(300)
        await until(lambda: facts(survivor, session, CustomerGone))


# ------------------------------------------------------------------ another policy


async def test_a_deadline_that_a_new_policy_brings_nearer_fires_then(one: Room) -> None:
    one.policy[0] = gone_after(24 * HOUR)
    session = (await opened(one, "a")).session.id
    await left(one, session)
    one.policy[0] = gone_after(0)
    await until(lambda: facts(one, session, CustomerGone), "the new policy holds for sessions that were there before")


async def test_a_deadline_that_a_new_policy_puts_off_does_not_fire(one: Room) -> None:
    one.policy[0] = gone_after(400)
    session = (await opened(one, "a")).session.id
    await left(one, session)
    one.policy[0] = gone_after(24 * HOUR)
    partition, now = partition_in(session), await one.store.now()

    async def moved() -> bool:
        return await one.store.due_timers(partition, now + HOUR) == []

    await until(moved)
    assert await one.store.due_timers(partition, now + 25 * HOUR) == [session]
    assert await facts(one, session, CustomerGone) == 0


async def test_a_desk_that_a_new_policy_does_not_know_stops_no_deadline(one: Room) -> None:
    session = (await opened(one, "a")).session.id
    await left(one, session)
    other = replace(POLICY.desks[EN], id=DeskId("ja"), gone_after=0)
    one.policy[0] = replace(POLICY, desks={other.id: other})
    await until(lambda: facts(one, session, CustomerGone))


# ------------------------------------------------------------------ absence


async def test_an_absent_customer_is_noted_once_and_a_page_undoes_it(one: Room) -> None:
    session = (await opened(one, "a")).session.id
    now = await one.store.now()
    await one.store.alive([session], now - ABSENT_AFTER - 1)
    await until(lambda: facts(one, session, CustomerWentAway), "they are noted as away")
    await one.relay.from_customer(customer("a"), i.CustomerArrived(), InputKey("back"))
    await one.store.alive([session], await one.store.now())
    await one.timers.tick()
    await one.timers.tick()
    assert await facts(one, session, CustomerWentAway) == 1
    stored = await one.store.load(session)
    assert stored is not None
    assert stored.session.presence is Presence.HERE


# ------------------------------------------------------------------ what must not starve


async def test_a_damaged_session_holds_up_no_other_deadline(one: Room) -> None:
    one.policy[0] = gone_after(24 * HOUR)
    sessions = [(await opened(one, f"u{number}")).session.id for number in range(12)]
    await asyncio.gather(*(left(one, session) for session in sessions))
    for session in sessions[::2]:
        key = one.store._keys.session(session, "snapshot")
        await one.store._wire.call(key, "HSET", key, "session", "{}")
    one.policy[0] = gone_after(0)
    for session in sessions[1::2]:
        await until(functools.partial(facts, one, session, CustomerGone))


async def test_a_store_that_is_away_in_the_middle_is_asked_again(one: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, failures = one.store.commit, iter(range(3))

    async def shaky(*arguments: object) -> object:
        if next(failures, None) is not None:
            raise StoreUnavailableError("away")
        return await commit(*arguments)  # type: ignore[arg-type]  # passed on as it is

    one.policy[0] = gone_after(200)
    session = (await opened(one, "a")).session.id
    await left(one, session)
    monkeypatch.setattr(one.store, "commit", shaky)
    await until(lambda: facts(one, session, CustomerGone))
    assert await facts(one, session, CustomerGone) == 1
