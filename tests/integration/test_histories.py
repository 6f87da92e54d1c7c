"""Random histories: processes die at any await, answers of the store and of the network are lost, leases are stolen.

Whatever happened, in the end nothing is lost, nothing is visibly doubled, and every session is in order. A history is
its seed; `--soak` walks thousands.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from bridge.errors import KakehashiError, StoreUnavailableError
from bridge.ports import Delivery
from bridge.relay import Answer, Receipt
from routing.facts import CustomerMessageAdded, ReplyAdded
from routing.ids import SessionId
from tests.integration.engine_room import PARTITIONS, Room, hurry, idle, in_time, room, sound, until
from tests.integration.notice_board import BOARD, Board, Mood
from tests.redis_servers import private_redis

CUSTOMERS, MESSAGES, REPLIES = 6, 6, 3
TROUBLES = (Mood.LOST_BEFORE, Mood.LOST_AFTER, Mood.LATE, Mood.HIDDEN, Mood.HANG, Mood.BUSY, Mood.BREAK, Mood.BLOCKED)
_PREFIXES = itertools.count()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    yield loop.run_until_complete(stack.enter_async_context(private_redis(tmp_path_factory.mktemp("redis"))))
    loop.run_until_complete(stack.aclose())
    loop.close()


@dataclass(slots=True)
class World:
    """Some processes, one platform, and chance. `calm`: no more troubles, so that things can come to an end."""

    url: str
    chance: random.Random
    prefix: str = field(default_factory=lambda: f"h{next(_PREFIXES)}")
    board: Board = field(default_factory=Board)
    rooms: list[Room] = field(default_factory=list)
    ever: list[Room] = field(default_factory=list)
    ending: bool = False
    told: dict[str, int] = field(default_factory=dict)
    """By customer: how many of their messages are stored, as they were told."""
    sessions: dict[str, SessionId] = field(default_factory=dict)
    calm: bool = False
    _narrow: float = 0.0

    def __post_init__(self) -> None:
        self.board.mood = self._mood
        self.board.latency = self.chance.choice((0.0, 0.001, 0.02))
        self._narrow = self.chance.choice((0.0, 0.5))
        self.board.line = self._line

    def _mood(self, delivery: Delivery, attempt: int) -> Mood:
        del delivery
        if self.calm or attempt > 2 or self.chance.random() > 0.15:
            return Mood.FINE
        return self.chance.choice(TROUBLES)

    def _line(self, delivery: Delivery) -> float:
        """In a narrow place one waits now and then, and then messages go out together."""
        del delivery
        return self.chance.choice((0.005, 0.03, 0.15)) if self.chance.random() < self._narrow else 0.0

    async def add_room(self) -> None:
        one = await room(self.url, self.board, prefix=self.prefix)
        self.ever.append(one)
        self._make_shaky(one)
        while not one.tasks:
            with contextlib.suppress(KakehashiError):
                await one.start()
        self.rooms.append(one)

    def _make_shaky(self, one: Room) -> None:
        """Some calls never arrive, and some answers are lost."""
        call = one.store._wire.call

        async def shaky(*arguments: Any, **named: Any) -> Any:
            if not self.calm and self.chance.random() < 0.01:
                raise StoreUnavailableError("lost on its way there")
            answer = await call(*arguments, **named)
            if not self.calm and self.chance.random() < 0.01:
                raise StoreUnavailableError("lost on its way back")
            return answer

        one.store._wire.call = shaky  # type: ignore[method-assign]  # the wire between this process and the store

    # ------------------------------------------------------------------ what happens

    async def chat(self, name: str) -> None:
        for number in range(MESSAGES):
            receipt = await self._until_taken(partial(Room.writes, name=name, number=number))
            self.told[name] = number + 1
            self.sessions[name] = receipt.stored.session.id
            await asyncio.sleep(self.chance.random() * 0.05)

    async def answer(self, name: str) -> None:
        """An operator who works somewhere else than on the board, so that it is told of what they say."""
        await until(lambda: name in self.sessions, f"{name} has a session")
        for number in range(REPLIES):
            await self._until_taken(partial(Room.replies, session=self.sessions[name], message=f"o:{number}"))
            await asyncio.sleep(self.chance.random() * 0.1)

    async def _until_taken(self, happens: Callable[[Room], Awaitable[Answer]]) -> Receipt:
        """As a page does: whatever happens to the process, the same is sent again, perhaps to another."""
        while True:
            process = self.chance.choice(self.rooms)
            with contextlib.suppress(KakehashiError, TimeoutError):
                async with asyncio.timeout(self.chance.choice((0.003, 0.02, 2.0))):
                    answer = await happens(process)
                    assert isinstance(answer, Receipt), answer
                    return answer
            await asyncio.sleep(0)

    async def mishaps(self) -> None:
        while not self.ending:
            await asyncio.sleep(self.chance.random() * 0.3)
            with contextlib.suppress(KakehashiError):
                await self.chance.choice((self._kill, self._drain, self._steal, self._wake))()

    async def _kill(self) -> None:
        await self.add_room()
        victim = self.rooms.pop(self.chance.randrange(len(self.rooms) - 1))
        for _ in range(self.chance.randrange(20)):
            await asyncio.sleep(0)  # at any await
        await victim.die()

    async def _drain(self) -> None:
        await self.add_room()
        leaver = self.rooms.pop(0)
        with contextlib.suppress(KakehashiError):
            await leaver.drain()
        await leaver.die()

    async def _steal(self) -> None:
        """A lease passes to somebody who does nothing with it, as to a process that was paused."""
        thief = self.chance.choice(self.rooms).store
        name = f"{BOARD}@{self.chance.randrange(PARTITIONS)}"
        with contextlib.suppress(KakehashiError):
            key = thief._keys.lease(name)
            await thief._wire.call(key, "HSET", key, "until", 0)
            await thief.hold(name, f"thief-{self.chance.random()}", self.chance.randrange(1, 300))

    async def _wake(self) -> None:
        """Hints come at any time, wanted or not."""
        for process in self.rooms:
            async for session in process.store.sessions():
                process.lanes.wake(session, [BOARD])

    async def end(self) -> None:
        for one in self.ever:
            await one.die()


@pytest.mark.soak
async def test_nothing_is_lost_and_nothing_stays_doubled(
    url: str, history: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, ttl=300)
    world = World(url, random.Random(history))
    try:
        for _ in range(2):
            await world.add_room()
        mishaps = asyncio.create_task(world.mishaps())
        names = [f"u{number}" for number in range(CUSTOMERS)]
        await asyncio.gather(*map(world.chat, names), *map(world.answer, names))
        world.ending = True
        await in_time(mishaps, f"history {history} stops making trouble")
        world.calm = True
        hurry(monkeypatch, ttl=10_000)  # a machine that is busy with other tests takes no lease away from now on
        await world.add_room()
        await until(lambda: idle(world.rooms[-1].store), f"history {history} comes to rest")
        await _judge(world)
    finally:
        await world.end()


async def _judge(world: World) -> None:
    store = world.rooms[-1].store
    sessions = await sound(store)
    assert len(sessions) == CUSTOMERS, "a customer who writes again opens no second session"
    for stored in sessions:
        journal = await store.journal(stored.session.id)
        said = [
            str(entry.fact.message) for entry in journal if isinstance(entry.fact, CustomerMessageAdded | ReplyAdded)
        ]
        assert [one for one in said if one.startswith("c:")] == [f"c:{number}" for number in range(MESSAGES)]
        assert [one for one in said if one.startswith("o:")] == [f"o:{number}" for number in range(REPLIES)]
        shown = world.board.shows(stored.session.id)
        assert shown[0] == "OpenThread"
        assert [one for one in shown if one.startswith(("c:", "o:"))] == said
    assert not world.board.doubled()
    for to_whom in world.told.values():
        assert to_whom == MESSAGES
