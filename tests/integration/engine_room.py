"""The engine without faces: one "process" of it on a real store, which can be drained, or die at once.

Several rooms in one test are several processes on one Redis. All waits of the engine are scaled down alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from bridge.errors import KakehashiError
from bridge.feed import Feed
from bridge.lanes import Lanes, Timing
from bridge.leases import TIMERS, Leases
from bridge.messages import Body, TextPart
from bridge.metrics import Metrics
from bridge.ports import Stored
from bridge.relay import Answer, Greeting, Receipt, Relay
from bridge.service import end
from bridge.timers import Timers
from routing import inputs as i
from routing.fold import fold
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, OperatorId, Place, SessionId, Topic
from routing.policy import Desk, OperatorProfile, Policy
from tests.integration.notice_board import BOARD, Board, BoardNetwork

QUICK = Timing(
    send_deadline=0.3,
    quarantine=0.6,
    settle_down=0.03,
    sweep_after=0.4,
    back_off=0.02,
    back_off_at_most=0.1,
    blocked=0.2,
    poll=0.05,
)
"""A thirtieth of the real thing."""

AIKO = OperatorId("aiko")
EN = DeskId("en")
GREETING = Greeting(False, "en", Topic(""))
POLICY = Policy(
    desks={EN: Desk(EN, BOARD, Place("C1"))}, operators={AIKO: OperatorProfile(AIKO, {"en": "Aiko"}, (EN,))}
)
PARTITIONS = 4
WITHIN = 180.0
"""Seconds until a condition that must come true counts as never coming, on a machine busy with other tests."""
_HOLDERS = itertools.count()


def hurry(monkeypatch: pytest.MonkeyPatch, ttl: int = 600) -> None:
    """Leases and presence at about the same scale as QUICK; `ttl` is a lease's, in ms."""
    monkeypatch.setattr("bridge.leases.TTL", ttl)
    monkeypatch.setattr("bridge.leases.MARGIN", ttl // 6)
    monkeypatch.setattr("bridge.leases.RENEW_EVERY", 0.1)
    monkeypatch.setattr("adapters.redis.store.PROCESS_TTL", ttl)
    monkeypatch.setattr("bridge.timers.TICK", 0.03)


async def until(condition: Callable[[], Any], what: str = "it became so") -> None:
    """Wait for a condition, plain or awaitable."""
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                holds = condition()
                if await holds if asyncio.iscoroutine(holds) else holds:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited in vain until {what}") from None


async def in_time(task: asyncio.Task[Any], what: str) -> Any:
    """The task's result; AssertionError, with what every task is waiting for, when that takes too long."""
    await asyncio.wait((task,), timeout=WITHIN)
    if not task.done():
        waits = "\n".join(" > ".join(_waits_for(one)) for one in asyncio.all_tasks())
        raise AssertionError(f"waited in vain until {what}:\n{waits}")
    return await task


def _waits_for(task: asyncio.Task[Any]) -> Iterator[str]:
    """From the task inwards, to what it waits for."""
    coroutine: Any = task.get_coro()
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        yield f"{frame.f_code.co_name}:{frame.f_lineno}" if frame else type(coroutine).__name__
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)


@dataclass(slots=True)
class Room:
    """One process. `policy` may be replaced while it runs, as a reload does."""

    store: RedisStore
    network: BoardNetwork
    feed: Feed
    leases: Leases
    lanes: Lanes
    relay: Relay
    timers: Timers
    policy: list[Policy]
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    async def start(self) -> None:
        await self.leases.renew()
        runs = (self.leases.run, self.lanes.run, self.timers.run, self._hear)
        self.tasks = [asyncio.get_running_loop().create_task(self._again(run)) for run in runs]

    @staticmethod
    async def _again(run: Callable[[], Any]) -> None:
        while True:
            with contextlib.suppress(KakehashiError):
                await run()
            await asyncio.sleep(0.05)

    async def _hear(self) -> None:
        async for hint in self.store.hints():
            if hint is not None and hint.signal is None:
                self.relay.outdated(hint.session, hint.head)
                self.lanes.wake(hint.session, hint.lanes)

    async def drain(self) -> None:
        """Stop as SIGTERM does."""
        await self.lanes.drain()
        await self._cancel(self.tasks)
        await self.leases.release_all()

    async def die(self) -> None:
        """Stop as SIGKILL does: whatever is under way is never heard of again."""
        workers = [one.task for one in self.lanes._workers.values() if one.task is not None]
        await self._cancel([*self.tasks, *workers, *self.lanes._sweeping.values()])
        await self.store.close()

    async def _cancel(self, tasks: list[asyncio.Task[Any]]) -> None:
        await end(tasks)

    # ------------------------------------------------------------------ what people do

    async def writes(self, name: str, number: int) -> Receipt:
        """The customer's number-th message, sent again until it is stored, as the widget does."""
        message = MessageId(f"c:{number}")
        body = Body((TextPart(f"{name} says {number}"),))
        while True:
            with contextlib.suppress(KakehashiError):
                answer = await self.relay.from_customer(
                    customer(name), i.CustomerWrote(message), InputKey(f"web/{number}"), body=body, greeting=GREETING
                )
                assert isinstance(answer, Receipt), answer
                return answer
            await asyncio.sleep(0.02)

    async def replies(self, session: SessionId, message: str, text: str = "hello") -> Answer:
        event = i.OperatorReplied(MessageId(message), AIKO)
        return await self.relay.from_operator(session, event, InputKey(f"desk/{message}"), body=Body((TextPart(text),)))


def customer(name: str) -> CustomerKey:
    return CustomerKey("main", f"~{name}")


async def room(url: str, board: Board, *, prefix: str = "kakehashi", timing: Timing = QUICK, **target: Any) -> Room:
    """A process, built and not yet started."""
    store, _checks = await open_store(Target(url=url, prefix=prefix, partitions=PARTITIONS, **target))
    network, feed, metrics = BoardNetwork(board), Feed(store), Metrics()
    leases = Leases(store, f"holder-{os.getpid()}-{next(_HOLDERS)}", [BOARD, TIMERS])
    lanes = Lanes(store, {BOARD: network}, leases, feed, metrics, timing)
    policy = [POLICY]
    relay = Relay(store, feed, lambda: policy[0], lanes)
    timers = Timers(store, relay, leases, lambda: policy[0])
    return Room(store, network, feed, leases, lanes, relay, timers, policy)


@asynccontextmanager
async def running(url: str, board: Board, **options: Any) -> AsyncIterator[Room]:
    """A process from its start to its drain, or to its death inside the block."""
    one = await room(url, board, **options)
    try:
        await one.start()
        yield one
    finally:
        await one.die()


# ------------------------------------------------------------------ what must hold


async def idle(store: RedisStore) -> bool:
    """Whether every lane is empty and every sweep has been made."""
    for partition in range(store.partitions):
        for name in ("busy", "sweeps"):
            key = store._keys.per_destination(partition, name, BOARD)
            if await store._wire.call(key, "ZCARD", key):
                return False
    return True


async def sound(store: RedisStore) -> list[Stored]:
    """Every session; each is the fold of its journal, and no customer has two that are open."""
    found = []
    async for session in store.sessions():
        stored = await store.load(session)
        assert stored is not None
        journal = await store.journal(session)
        assert fold(entry.fact for entry in journal) == stored.session
        assert [entry.index for entry in journal] == list(range(stored.head))
        found.append(stored)
    open_ones = [one.session.customer for one in found if one.session.state != "closed"]
    assert len(open_ones) == len(set(open_ones))
    return found
