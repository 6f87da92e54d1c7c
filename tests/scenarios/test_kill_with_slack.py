"""Promise 4, on real processes: killed while Slack loses answers, refuses for a while and says things twice.

Nothing is lost on the way to Slack or from there, and nothing is doubled; with one process, and with two on one Redis.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from routing.facts import Side
from tests.redis_servers import private_redis
from tests.scenarios.customer import Customer
from tests.scenarios.ledger import Ledger, ledger
from tests.scenarios.slack_desk import SlackDesk, slack_desk
from tests.scenarios.stage import UNHURRIED
from tests.service import Installation, free_port, until

Kill = Callable[[], Awaitable[None]]
NOTE = "note: "
BEHIND = 15
"""Messages that Slack has not taken yet, of all customers, at which they stop to write for a while."""


async def test_a_rude_slack_and_a_killed_process_lose_and_double_nothing(tmp_path: Path, seed: int, kills: int) -> None:
    await _one_process(tmp_path, 2 + kills, seed)


async def test_a_rude_slack_and_two_processes_of_which_one_is_killed(tmp_path: Path, seed: int, kills: int) -> None:
    await _two_processes(tmp_path, 2 + kills, seed)


async def _one_process(folder: Path, kills: int, seed: int) -> None:
    """Events come over signed HTTP: while the process is gone, nobody answers them."""
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(slack_desk(seed=seed))
        house = Installation(folder, {**UNHURRIED, **desk.settings("http")})
        await stack.enter_async_context(house)
        await desk.deliver_to((await house.up()).url)

        async def kill() -> None:
            await house.running.kill()
            await house.up()

        await _a_talk_with_kills(house, [house.url], desk, [kill] * kills, random.Random(seed))


async def _two_processes(folder: Path, kills: int, seed: int) -> None:
    """Both listen to Slack's sockets and share the lanes; each is killed in turn, and the other one takes over."""
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(slack_desk(seed=seed))
        redis = await stack.enter_async_context(private_redis(folder / "redis", durable=True))
        house = Installation(folder, {**UNHURRIED, **desk.settings("socket"), "REDIS__URL": redis})
        await stack.enter_async_context(house)
        ports = [house.port, free_port()]
        processes = [await house.up(WEB__PORT=port) for port in ports]

        async def kill(number: int) -> None:
            await processes[number].kill()
            processes[number] = await house.up(WEB__PORT=ports[number])

        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        turns = [_turn(kill, number % 2) for number in range(kills)]
        await _a_talk_with_kills(house, addresses, desk, turns, random.Random(seed))


def _turn(kill: Callable[[int], Awaitable[None]], number: int) -> Kill:
    return lambda: kill(number)


async def _a_talk_with_kills(
    house: Installation, addresses: Sequence[str], desk: SlackDesk, kills: Sequence[Kill], dice: random.Random
) -> None:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        everybody = [Customer(http, _from(addresses, number), f"customer-{number}") for number in range(3)]
        for one in everybody:
            await stack.enter_async_context(one.online())
            await one.write(f"{one.name} says hello")
            await one.is_heard()
        await _be_rude(desk)
        await _talk(everybody, desk, kills, dice)
        await desk.behave()
        for one in everybody:
            await one.is_heard()
            await until(functools.partial(_is_whole, desk, one), f"the thread of {one.name} is whole")
            await one.has_read([text for text in desk.said[one.code] if not text.startswith(NOTE)])
    await _compare(house, everybody, desk)


def _from(addresses: Sequence[str], number: int) -> Sequence[str]:
    """Customers are spread over the processes."""
    first = number % len(addresses)
    return [*addresses[first:], *addresses[:first]]


async def _be_rude(desk: SlackDesk) -> None:
    await desk.mischief("lose_answer", "chat.postMessage", probability=0.06)
    await desk.mischief("bad_gateway_after", "chat.postMessage", probability=0.02)
    await desk.mischief("internal_error", "chat.postMessage", probability=0.02)
    await desk.mischief("rate_limit", "chat.postMessage", probability=0.02, seconds=1)
    await desk.mischief("duplicate", "message", probability=0.15, copies=2)
    await desk.mischief("retry_acked", "message", probability=0.1)


async def _talk(everybody: Sequence[Customer], desk: SlackDesk, kills: Sequence[Kill], dice: random.Random) -> None:
    over = asyncio.Event()
    async with asyncio.TaskGroup() as talk:
        talk.create_task(_chatter(everybody, desk, over))
        for one in everybody:
            talk.create_task(_answer(desk, one, over))
        for kill in kills:
            await _slack_takes(desk, dice.randrange(3, 20))
            await kill()
        await _slack_takes(desk, 10)
        over.set()


async def _slack_takes(desk: SlackDesk, posts: int) -> None:
    goal = await desk.posts() + posts

    async def enough() -> bool:
        return await desk.posts() >= goal

    await until(enough, f"Slack has taken {posts} more posts")


async def _chatter(everybody: Sequence[Customer], desk: SlackDesk, over: asyncio.Event) -> None:
    """Everybody writes on, but no faster than a rude Slack takes it in: each lost answer costs its thread seconds."""
    while not over.is_set():
        behind = sum(len(one.said) for one in everybody) - await desk.posts()
        for one in everybody if behind < BEHIND else ():
            if len(one.outbox) < 3:
                await one.write(f"{one.name} says {len(one.said)}")
        await asyncio.sleep(0.1)


async def _answer(desk: SlackDesk, customer: Customer, over: asyncio.Event) -> None:
    """Each answer after the one before was read: what comes first is Slack's to say, and it says it in any order."""
    number = 0
    while not over.is_set():
        number += 1
        await desk.say(customer.code, f"reply {number} to {customer.name}")
        await desk.say(customer.code, f"{NOTE}note {number} on {customer.name}", person="aiko")
        while not over.is_set() and len(customer.replies()) < number:  # noqa: ASYNC110 - it may be over instead
            await asyncio.sleep(0.05)


async def _is_whole(desk: SlackDesk, customer: Customer) -> bool:
    return len(await desk.shown(customer.code, f"{customer.name} says")) >= len(customer.said)


async def _compare(house: Installation, everybody: Sequence[Customer], desk: SlackDesk) -> None:
    """What stands in Slack, what the customer's page shows and the journal are the same."""
    async with house.books() as store:
        sessions = [one async for one in store.sessions()]
        assert len(sessions) == len(everybody), "one open session per customer"
        books = {book.code: book for book in [await ledger(store, one) for one in sessions]}
    for one in everybody:
        book = books[one.code]
        assert book.said_by(Side.CUSTOMER) == one.said, "each message once, in the order in which it was written"
        assert await desk.shown(one.code, f"{one.name} says") == one.said
        assert len(await desk.roots(one.code)) == 1, "one session is one thread"
        _compare_operators(book, desk.said[one.code])
        assert one.transcript() == book.seen_by_the_customer()


def _compare_operators(book: Ledger, said: Sequence[str]) -> None:
    notes = [text.removeprefix(NOTE) for text in said if text.startswith(NOTE)]
    assert book.said_by(Side.REPLY) == [text for text in said if not text.startswith(NOTE)]
    assert sorted(book.said_by(Side.NOTE)) == sorted(notes)
