"""Two real processes on one Redis, one killed while it commits and delivers: nothing is lost, doubled, or inverted."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from adapters.redis.store import RedisStore
from tests.contract.engines import opened
from tests.integration.engine_room import idle, sound, until
from tests.redis_servers import private_redis

CUSTOMERS, DEATHS = 12, 3
PAUSE = 0.05  # seconds between a customer's messages


@dataclass(slots=True)
class Engine:
    """One process. `send` returns once the message is stored; ConnectionError when the process dies before."""

    process: Process
    stored: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    reader: asyncio.Task[None] | None = None
    silent: bool = False
    """Its output has ended, which is known before its death is: it answers nothing more."""

    async def send(self, line: str) -> None:
        assert self.process.stdin is not None, "it was started with a pipe"
        if self.silent:
            raise ConnectionError(line)
        answer = self.stored[line] = asyncio.get_running_loop().create_future()
        self.process.stdin.write(f"{line}\n".encode())  # a line is short: there is nothing to wait for but the answer
        await answer

    async def read(self) -> None:
        assert self.process.stdout is not None, "it was started with a pipe"
        while line := (await self.process.stdout.readline()).decode().strip():
            answer = self.stored.pop(line, None)
            if answer is not None and not answer.done():
                answer.set_result(None)
        self.silent = True
        for line, answer in self.stored.items():
            if not answer.done():
                answer.set_exception(ConnectionError(line))

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        if self.reader is not None:
            await self.reader

    async def finish(self) -> int:
        """End its input, as SIGTERM would: it drains. Returns the exit status."""
        assert self.process.stdin is not None, "it was started with a pipe"
        self.process.stdin.close()
        status = await self.process.wait()
        if self.reader is not None:
            await self.reader
        return status


@asynccontextmanager
async def engine(url: str, platform: str) -> AsyncIterator[Engine]:
    command = (sys.executable, "-m", "tests.integration.one_process", url, platform)
    one = Engine(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE))
    assert one.process.stdout is not None, "it was started with a pipe"
    try:
        async for line in one.process.stdout:
            if line == b"ready\n":
                break
        one.reader = asyncio.create_task(one.read())
        yield one
    finally:
        await one.kill()


@dataclass(slots=True)
class Crowd:
    """Customers who write until `enough`, and write again to another process when theirs has died."""

    engines: list[Engine]
    chance: random.Random
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def chat(self, name: str) -> int:
        """Returns how many messages this customer was told are stored."""
        for number in itertools.count():
            if self.enough.is_set():
                return number
            await self._send(f"{name} {number}")
            await asyncio.sleep(PAUSE)
        raise AssertionError("counting never ends")

    async def _send(self, line: str) -> None:
        while True:
            with contextlib.suppress(ConnectionError):
                return await self.chance.choice(self.engines).send(line)
            await asyncio.sleep(PAUSE)


async def test_a_process_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(private_redis(tmp_path / "engine", durable=True))
        platform = await stack.enter_async_context(private_redis(tmp_path / "platform"))
        posts: Any = await stack.enter_async_context(Redis.from_url(platform, decode_responses=True))
        store = await stack.enter_async_context(opened(url))
        steady, mortal = [await stack.enter_async_context(engine(url, platform)) for _ in range(2)]
        crowd = Crowd([steady, mortal], random.Random(7))
        chats = asyncio.gather(*(crowd.chat(f"u{number}") for number in range(CUSTOMERS)))
        for _ in range(DEATHS):
            await _posts_grow(posts, by=20)
            await crowd.engines[1].kill()
            crowd.engines[1] = await stack.enter_async_context(engine(url, platform))
        await _posts_grow(posts, by=20)
        crowd.enough.set()
        told = await chats
        await until(lambda: idle(store), "all is delivered and swept")
        await _compare(store, posts, sorted(told))
        assert await steady.finish() == 0


async def _posts_grow(posts: Any, by: int) -> None:
    mark = await posts.llen("posts") + by

    async def grown() -> bool:
        return bool(await posts.llen("posts") >= mark)

    await until(grown, "something is delivered")


async def _compare(store: RedisStore, posts: Any, told: list[int]) -> None:
    """Journals, platform and what customers were told say the same: every message once, in order."""
    sessions = await sound(store)
    assert sorted(one.session.messages for one in sessions) == told
    removed = await posts.smembers("removed")
    lines = [line.split(" ") for line in await posts.lrange("posts", 0, -1)]
    for stored in sessions:
        shown = [what for ref, session, _effect, what in lines if session == stored.session.id and ref not in removed]
        assert shown == ["OpenThread", *(f"c:{number}" for number in range(stored.session.messages))]
