"""The service as people run it: real processes of `kakehashi up`, on a data folder and a port of their own.

They are forked from one that has imported the service (`tests.forked`), unless an installation is `afresh`.
An `Installation` outlives its processes, as a server's disk does: they are killed, drained and started again on it.
Whatever happens in its block, nothing that it started is left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from adapters.redis.connection import Target, open_store
from adapters.redis.folder import Folder
from adapters.redis.server import PrivateServer
from adapters.redis.store import RedisStore
from tests.forked import Forked

DEADLINE = 90.0
"""Seconds. How long a test waits for what must happen, on a machine busy with other tests."""

COMMAND = str(Path(sys.executable).with_name("kakehashi"))

_LISTENS = re.compile(r"listening on (http://\S+) \(public\)")
_SIGN_IN = re.compile(r"Operator desk\s+(http://\S+)")
_LOOK_EVERY = 0.02  # seconds


async def until(condition: Callable[[], Any], what: str = "it became so") -> None:
    """Wait for a condition, plain or awaitable; AssertionError after a generous while."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not await _holds(condition):  # noqa: ASYNC110 - another process has no event to give us
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        raise AssertionError(f"it never came to pass that {what}") from None


async def _holds(condition: Callable[[], Any]) -> bool:
    answer = condition()
    return bool(await answer if isinstance(answer, Awaitable) else answer)


@dataclass(frozen=True)
class Ended:
    """What a command of the command line said."""

    status: int
    out: str
    err: str


@dataclass
class Running:
    """One process of the service."""

    process: Process | Forked
    log: Path
    url: str = ""
    sign_in_link: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def lives(self) -> bool:
        return self.process.returncode is None

    def errors(self) -> str:
        """The process's log, up to now; nothing when it goes elsewhere than into a file."""
        return self.log.read_text(errors="replace") if self.log.is_file() else ""

    async def is_up(self) -> None:
        """Wait until it listens. AssertionError, with its log, when it ends instead."""
        assert self.process.stdout is not None, "it was asked for with PIPE"
        async with asyncio.timeout(DEADLINE):
            while not self.url:
                line = (await self.process.stdout.readline()).decode()
                assert line, f"it ended before it was up:\n{self.errors()}"
                self._hear(line)

    def _hear(self, line: str) -> None:
        self.said.append(line)
        if found := _SIGN_IN.search(line):
            self.sign_in_link = found[1]
        if found := _LISTENS.search(line):
            self.url = found[1]

    async def kill(self) -> None:
        """SIGKILL: no goodbye, no last write."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self._ended()

    async def drain(self) -> int:
        """SIGTERM, and wait; the exit status."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        return await self._ended()

    async def _ended(self) -> int:
        async with asyncio.timeout(DEADLINE):
            await self.process.communicate()  # whatever it still says, so that its pipe cannot hold it up
        status = self.process.returncode
        assert status is not None, "communicate() returns when the process has ended"
        return status


class Installation:
    """A data folder, its settings, and the processes that run on it.

    `settings` are environment variables without their KAKEHASHI_, such as WEB__LIMITS__FRAME. `afresh` starts the
    command itself, with all that a start costs.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str | int] | None = None, *, afresh: bool = False) -> None:
        self.folder = folder
        self.settings = {name: str(value) for name, value in (settings or {}).items()}
        self.port = free_port()
        self.processes: list[Running] = []
        self._afresh = afresh
        self._commands: list[Process | Forked] = []
        self._logs: list[IO[bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> Running:
        """The process that was started last."""
        return self.processes[-1]

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        for command in self._commands:
            if command.returncode is None:
                command.kill()
                await command.wait()
        for one in self.processes:
            await one.kill()
        for log in self._logs:
            log.close()
        if self.private:
            await self._end_redis()

    @property
    def private(self) -> bool:
        return "REDIS__URL" not in self.settings

    async def _end_redis(self) -> None:
        """A killed process leaves its redis-server behind. The last one who uses it ends it, so use it once more."""
        redis = Folder(self.data / "redis")
        if redis.path.exists() and redis.is_taken():
            server = PrivateServer(redis.path)
            await server.start()
            await server.stop()

    # ------------------------------------------------------------------ processes

    async def up(self, **settings: str | int) -> Running:
        """A process of the service that listens. Another one beside it needs its own WEB__PORT."""
        one = await self.begin(**settings)
        await one.is_up()
        return one

    async def begin(self, **settings: str | int) -> Running:
        """A process on its way up."""
        log = self.folder / f"process-{len(self.processes)}.log"
        file = log.open("wb")
        self._logs.append(file)
        process = await self._start("up", stderr=file.fileno(), settings=settings)
        self.processes.append(Running(process, log))
        return self.running

    async def answer(self, *arguments: str, **settings: str | int) -> str:
        """What `kakehashi …` printed. AssertionError, with what it said, when it failed."""
        ended = await self.command(*arguments, **settings)
        assert ended.status == 0, f"{' '.join(arguments)} ended with {ended.status}:\n{ended.err}"
        return ended.out

    async def command(self, *arguments: str, **settings: str | int) -> Ended:
        """`kakehashi …`, to its end."""
        process = await self._start(*arguments, stderr=PIPE, settings=settings)
        self._commands.append(process)
        async with asyncio.timeout(DEADLINE):
            out, err = await process.communicate()
        assert process.returncode is not None, "communicate() returns when the process has ended"
        return Ended(process.returncode, out.decode(), err.decode())

    async def _start(self, *arguments: str, stderr: int, settings: Mapping[str, str | int]) -> Process | Forked:
        """In a folder without a kakehashi.toml."""
        env = self._environment(settings)
        if sys.platform == "linux" and not self._afresh:
            return await Forked.start(*arguments, stderr=stderr, env=env, cwd=self.folder)
        return await asyncio.create_subprocess_exec(
            COMMAND, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=stderr, env=env, cwd=self.folder
        )

    def _environment(self, settings: Mapping[str, str | int]) -> dict[str, str]:
        """Free of whatever this machine has set."""
        ours = {"DATA_DIR": str(self.folder / "data"), "WEB__PORT": str(self.port), **self.settings}
        ours |= {name: str(value) for name, value in settings.items()}
        rest = {name: value for name, value in os.environ.items() if not name.startswith("KAKEHASHI_")}
        return {**rest, **{f"KAKEHASHI_{name}": value for name, value in ours.items()}}

    # ------------------------------------------------------------------ the engine underneath

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def redis_pid(self) -> int | None:
        """The private server's process, while there is one."""
        return Folder(self.data / "redis").pid()

    def kill_redis(self) -> None:
        """SIGKILL for the private server, which this installation's own process has started."""
        pid = self.redis_pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @contextlib.asynccontextmanager
    async def books(self) -> AsyncIterator[RedisStore]:
        """The store, read beside the service or without it."""
        async with contextlib.AsyncExitStack() as stack:
            url = self.settings.get("REDIS__URL", "")
            if self.private:
                server = PrivateServer(self.data / "redis")
                url = (await server.start()).url
                stack.push_async_callback(server.stop)
            store, _ = await open_store(Target(url=url, partitions=8))
            stack.push_async_callback(store.close)
            yield store


def free_port() -> int:
    """Below the ephemeral ports, so that no outgoing connection takes it while the service is being restarted."""
    while True:
        port = random.randrange(10_000, 20_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
