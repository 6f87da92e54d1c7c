"""Commits a second of one process; the floor is the same script with constant arguments at the same concurrency."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

import uvloop

from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from adapters.redis.wire import Script
from benchmarks.figures import p50, tell
from benchmarks.subjects import durable_redis
from bridge.feed import Feed
from bridge.messages import Body, TextPart
from bridge.ports import Commit, Stored
from bridge.relay import Greeting, Receipt, Relay
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, NetworkName, Place, Topic
from routing.inputs import CustomerWrote
from routing.policy import Desk, Policy

CONCURRENCY = 200
EACH = 12
ROUNDS = 4
POLICY = Policy(desks={DeskId("en"): Desk(DeskId("en"), NetworkName("slack"), Place("C1"))})
BODY = Body((TextPart("My withdrawal of 0.25 BTC has been pending for two hours. What can I do?"),))
GREETING = Greeting(False, "en", Topic("trading"))


class NoSenders:
    """Nothing is delivered here: only commits are measured."""

    def terms(self, partition: int) -> dict[NetworkName, int]:
        del partition
        return {}

    def send_direct(self, stored: Stored, effects: object, bodies: object) -> None:
        raise AssertionError("without a lease nothing is direct")


class Recorder:
    """A store that also remembers the arguments of its commits."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self.arguments: list[tuple[list[str], list[str | int | bytes]]] = []

    def note(self, commit: Commit) -> None:
        self.arguments.append(self._store._arguments(commit))  # noqa: SLF001  # the very arguments are the floor


async def measure() -> None:
    async with durable_redis() as url:
        ours: list[float] = []
        floor: list[float] = []
        for number in range(ROUNDS):
            store, _ = await open_store(Target(url=url, prefix=f"ours{number}"))
            ours.append(await _ours(store, number))
            arguments = await _recorded(store, number)
            floor.append(await _constant(store, arguments))
            await store.close()
        tell("commits", p50(ours), "commits/s", p50(floor))


async def _ours(store: RedisStore, number: int) -> float:
    relay = Relay(store, Feed(store), lambda: POLICY, NoSenders())
    await asyncio.gather(*(_talk(relay, f"~o{number}-{one}", [0]) for one in range(CONCURRENCY)))
    begun = time.perf_counter()
    await asyncio.gather(*(_talk(relay, f"~o{number}-{one}", range(1, EACH + 1)) for one in range(CONCURRENCY)))
    return CONCURRENCY * EACH / (time.perf_counter() - begun)


async def _talk(relay: Relay, account: str, messages: Iterable[int]) -> None:
    """Some messages of one customer, one after another; the first opens the session."""
    customer = CustomerKey("main", account)
    for one in messages:
        event, key = CustomerWrote(MessageId(f"c:{one}")), InputKey(f"web/{one}")
        answer = await relay.from_customer(customer, event, key, body=BODY, greeting=GREETING)
        assert isinstance(answer, Receipt)


async def _recorded(store: RedisStore, number: int) -> list[list[tuple[list[str], list[str | int | bytes]]]]:
    """The same talks once more, their arguments noted and their keys emptied again: constants for the floor."""
    recorder = Recorder(store)
    committing, talks = store.commit, []

    async def commit(one: Commit) -> object:
        recorder.note(one)
        return await committing(one)

    store.commit = commit  # type: ignore[method-assign, assignment]  # a benchmark looks over the store's shoulder
    relay = Relay(store, Feed(store), lambda: POLICY, NoSenders())
    for one in range(CONCURRENCY):
        recorder.arguments = []
        await _talk(relay, f"~f{number}-{one}", range(EACH + 1))
        talks.append(recorder.arguments)
    store.commit = committing  # type: ignore[method-assign]  # and back
    wire = store._wire  # noqa: SLF001  # to empty what was recorded
    async for key in wire.scan(f"*ours{number}*"):
        if not key.endswith((":meta", ":codes")):
            await wire.call(key, "DEL", key)
    return talks


async def _constant(store: RedisStore, talks: list[list[tuple[list[str], list[str | int | bytes]]]]) -> float:
    script: Script = store._commit  # noqa: SLF001  # the same script
    wire = store._wire  # noqa: SLF001  # at the same concurrency

    async def talk(arguments: list[tuple[list[str], list[str | int | bytes]]]) -> None:
        for keys, args in arguments:
            answer = await wire.run(script, keys, args, durable=True)
            assert answer[0] == "committed", answer

    await asyncio.gather(*(talk(arguments[:1]) for arguments in talks))
    begun = time.perf_counter()
    await asyncio.gather(*(talk(arguments[1:]) for arguments in talks))
    return len(talks) * EACH / (time.perf_counter() - begun)


if __name__ == "__main__":
    uvloop.run(measure())
