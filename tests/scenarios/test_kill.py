"""Promises 1 to 5, on real processes and on every network: killed with SIGKILL at any moment, nothing is lost, doubled
or out of order, on its platform's bad days as well; with one process, and with two on one Redis."""

from __future__ import annotations

import asyncio
import functools
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import pytest

from bridge.ports import Store
from routing.facts import NoteAdded, Side
from tests.scenarios.customer import Customer
from tests.scenarios.desks import NETWORKS, PLATFORMS, Desk, Rude, at_work
from tests.scenarios.ledger import ledger
from tests.scenarios.stage import Stage, stage
from tests.service import Installation, until

Kill = Callable[[], Awaitable[None]]

VICTIMS = ("redis", "starting", "both", "service")
"""Who is killed: its redis-server, which the service restarts; the service on its way up; both at once; the service."""

on_every_network = pytest.mark.parametrize("network", NETWORKS)


@on_every_network
async def test_kills_while_messages_flow_both_ways_lose_and_double_nothing(
    tmp_path: Path, network: str, seed: int, kills: int
) -> None:
    dice = random.Random(seed)
    victims = [*VICTIMS[:3], *(dice.choice(VICTIMS) for _ in range(kills))]
    async with at_work(network, seed=seed) as desk, stage(tmp_path, desk) as on:
        deaths = [functools.partial(_kill, on.house, victim, dice) for victim in victims]
        await _a_talk_with_kills(on, deaths, dice)


@on_every_network
async def test_of_two_processes_each_is_killed_and_the_other_takes_over(
    tmp_path: Path, network: str, seed: int, kills: int
) -> None:
    async with at_work(network, seed=seed, sockets=True) as desk, stage(tmp_path, desk, processes=2) as on:
        processes = list(on.house.processes)

        async def kill(number: int) -> None:
            await processes[number].kill()
            processes[number] = await on.house.up(WEB__PORT=on.addresses[number].rpartition(":")[2])

        deaths = [functools.partial(kill, number % 2) for number in range(2 + kills)]
        await _a_talk_with_kills(on, deaths, random.Random(seed))


async def _a_talk_with_kills(on: Stage, kills: Sequence[Kill], dice: random.Random) -> None:
    async with AsyncExitStack() as stack:
        names = [f"customer-{number}" for number in range(4)]
        everybody = [await stack.enter_async_context(on.visit(name, f"{name} says hello")) for name in names]
        *talkers, listener = everybody
        if on.desk.network in PLATFORMS:
            cast(Rude, on.desk).be_rude()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as talk:
            for one in talkers:
                talk.create_task(_chatter(one, over))
                talk.create_task(_answer(on.desk, one, over))
            for number, kill in enumerate(kills):
                await _something_happens(talkers, dice.randrange(1, 40))
                await asyncio.gather(kill(), on.desk.say(listener.code, f"whoever is dead, reply {number}"))
                await listener.has_read(on.desk.said[listener.code])
            await _something_happens(talkers, 20)
            over.set()
        if on.desk.network in PLATFORMS:
            cast(Rude, on.desk).behave()
        for one in everybody:
            await one.is_heard()
            await until(functools.partial(_is_whole, on.desk, one), f"the thread of {one.name} is whole")
            await one.has_read(on.desk.said[one.code])
    await _compare(on, everybody)


async def _chatter(customer: Customer, over: asyncio.Event) -> None:
    """Somebody who writes on while they wait, for the acknowledgement and for an answer, as people do."""
    while not over.is_set():
        if len(customer.outbox) < 3 and len(customer.said) < 4 * len(customer.replies()) + 8:
            await customer.write(f"{customer.name} says {len(customer.said)}")
        await asyncio.sleep(0.05)


async def _answer(desk: Desk, customer: Customer, over: asyncio.Event) -> None:
    """Kenji answers what he has read, and again when his answer was: what comes first is the network's to say."""
    number = 0
    while not over.is_set():
        number += 1
        while not over.is_set() and await _heard(desk, customer) < 3 * number:  # noqa: ASYNC110 - it may be over
            await asyncio.sleep(0.05)
        await desk.say(customer.code, f"reply {number} to {customer.name}")
        await desk.note(customer.code, f"note {number} on {customer.name}")
        while not over.is_set() and len(customer.replies()) < number:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.05)


async def _something_happens(everybody: Sequence[Customer], times: int) -> None:
    """Wait until so many more messages came through, either way: the moment of the next kill."""

    def count() -> int:
        return sum(len(one.acknowledged) + len(one.replies()) for one in everybody)

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


def _words_of(customer: Customer, thread: Sequence[str]) -> list[str]:
    """What the customer said, as it stands there: several in a post, where the place was behind."""
    return re.findall(rf"{customer.name} says \w+", "\n".join(thread))


async def _heard(desk: Desk, customer: Customer) -> int:
    """How many of the customer's messages stand in the thread."""
    return len(_words_of(customer, await desk.thread(customer.code)))


async def _is_whole(desk: Desk, customer: Customer) -> bool:
    return await _heard(desk, customer) >= len(customer.said)


async def _holds_notes(store: Store, desk: Desk) -> bool:
    """Nobody but the journal says when a note has come in."""
    journals = [await store.journal(session) async for session in store.sessions()]
    notes = [entry for journal in journals for entry in journal if isinstance(entry.fact, NoteAdded)]
    return len(notes) >= sum(map(len, desk.noted.values()))


async def _compare(on: Stage, everybody: Sequence[Customer]) -> None:
    """Both transcripts, the acknowledgements and the journal say the same."""
    async with on.house.books() as store:
        await until(functools.partial(_holds_notes, store, on.desk), "every note has come in, too")
        books = [await ledger(store, session) async for session in store.sessions()]
    assert len(books) == len(everybody), "one open session per customer"
    by_code = {book.code: book for book in books}
    for one in everybody:
        book, desk = by_code[one.code], on.desk
        assert book.said_by(Side.CUSTOMER) == one.said, "each message once, in the order in which it was written"
        assert set(one.acknowledged.values()) == set(one.said)
        assert book.said_by(Side.REPLY) == desk.said[one.code]
        assert sorted(book.said_by(Side.NOTE)) == sorted(desk.noted[one.code])
        assert one.transcript() == book.seen_by_the_customer()
        assert _words_of(one, await desk.thread(one.code)) == one.said
        assert await desk.threads(one.code) == 1, "one session is one thread"
        assert one.resets == 0, "no log was cut, so every resume was complete"
