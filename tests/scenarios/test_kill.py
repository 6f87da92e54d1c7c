"""Promises 1 to 5, on real processes: killed with SIGKILL at any moment, nothing is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from routing.facts import Side
from routing.ids import SessionId
from tests.scenarios.customer import Customer
from tests.scenarios.ledger import ledger
from tests.scenarios.operator import Operator
from tests.scenarios.stage import Stage, stage
from tests.service import Installation, until

VICTIMS = ("service", "service", "redis", "starting", "both", "service")
"""Who is killed: the service; its redis-server, which it restarts; the service on its way up; both at once."""


async def test_kills_while_messages_flow_both_ways_lose_and_double_nothing(
    tmp_path: Path, seed: int, kills: int
) -> None:
    dice = random.Random(seed)
    victims = [*VICTIMS, *(dice.choice(VICTIMS) for _ in range(kills))]
    async with stage(tmp_path) as on:
        await _a_talk_with_kills(on, victims, customers=4, dice=dice)


async def _a_talk_with_kills(on: Stage, victims: Sequence[str], customers: int, dice: random.Random) -> None:
    everybody = [on.customer(f"customer-{number}") for number in range(customers)]
    async with AsyncExitStack() as stack:
        for one in everybody:
            await stack.enter_async_context(one.online())
            await one.write(f"{one.name} says hello")
            await one.is_heard()
        sessions = {one.name: await on.operator.session_of(one.code) for one in everybody}
        async with asyncio.TaskGroup() as talk:
            over = asyncio.Event()
            for one in everybody:
                talk.create_task(_chatter(one, over))
                talk.create_task(_answer(on.operator, one, sessions[one.name], over))
            for victim in victims:
                await _something_happens(everybody, on.operator, dice.randrange(1, 80))
                await _kill(on.house, victim, dice)
            await _something_happens(everybody, on.operator, 40)
            over.set()
        for one in everybody:
            await one.is_heard()
            await one.has_read(on.operator.replied[sessions[one.name]])
    await _compare(on, everybody, sessions)


async def _chatter(customer: Customer, over: asyncio.Event) -> None:
    """Somebody who writes on while they wait for the acknowledgement, as people do."""
    while not over.is_set():
        if len(customer.outbox) < 3:
            await customer.write(f"{customer.name} says {len(customer.said)}")
        await asyncio.sleep(0.01)


async def _answer(operator: Operator, customer: Customer, session: str, over: asyncio.Event) -> None:
    number = 0
    while not over.is_set():
        number += 1
        await operator.reply(session, f"reply {number} to {customer.name}")
        if number % 5 == 0:
            await operator.note(session, f"note {number} on {customer.name}")
        await asyncio.sleep(0.02)


async def _something_happens(everybody: Sequence[Customer], operator: Operator, times: int) -> None:
    """Wait until so many more messages were acknowledged: the moment of the next kill."""

    def count() -> int:
        return operator.acknowledgements + sum(len(one.acknowledged) for one in everybody)

    goal = count() + times
    await until(lambda: count() >= goal, "messages flow again after the kill")


async def _kill(house: Installation, victim: str, dice: random.Random) -> None:
    if victim in ("redis", "both"):
        house.kill_redis()
    if victim == "redis":
        return
    await house.running.kill()
    if victim == "starting":
        await _kill_on_the_way_up(house, dice.randrange(0, 30))
    await house.up()


async def _kill_on_the_way_up(house: Installation, lines: int) -> None:
    """At a random point: after so many lines of its log, or when it is up."""
    starting = await house.begin(LOG__LEVEL="debug")
    reading = asyncio.create_task(starting.is_up())
    await until(lambda: reading.done() or starting.errors().count("\n") >= lines, "it started")
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await starting.kill()


async def _compare(on: Stage, everybody: Sequence[Customer], sessions: dict[str, str]) -> None:
    """Both transcripts, the acknowledgements and the journal say the same."""
    async with on.house.books() as store:
        assert len([one async for one in store.sessions()]) == len(everybody), "one open session per customer"
        for one in everybody:
            book = await ledger(store, SessionId(sessions[one.name]))
            assert book.said_by(Side.CUSTOMER) == one.said, "each message once, in the order in which it was written"
            assert set(one.acknowledged.values()) == set(one.said)
            assert book.said_by(Side.REPLY) == on.operator.replied[sessions[one.name]]
            assert book.said_by(Side.NOTE) == on.operator.noted[sessions[one.name]]
            assert one.transcript() == book.seen_by_the_customer()
            assert await on.operator.thread(sessions[one.name]) == book.seen_at_the_desk()
            assert one.resets == 0, "no log was cut, so every resume was complete"
