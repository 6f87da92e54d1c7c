"""The simulator in a process of its own, driven from another one."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import aiohttp

from .guild import Json

_ROOT = Path(__file__).resolve().parents[3]


class DiscordProcess:
    """`async with DiscordProcess() as discord:` starts it; `await discord.do("say", …)` is any verb of `control`.

    `state` holds what the process printed when it was ready: `url`, `api_url`, `gateway_url`, `cdn_url`,
    `token`, `public_key`, ids. `options` are command line arguments, such as `--no-limits`.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._process: Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self.state: Json = {}

    async def __aenter__(self) -> Self:
        command = (sys.executable, "-m", "tests.simulators.discord", *self._options)
        self._process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, cwd=_ROOT)
        assert self._process.stdout is not None, "it was asked for with PIPE"
        self.state = json.loads(await self._process.stdout.readline())
        self._session = aiohttp.ClientSession(self.state["url"])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()

    async def do(self, verb: str, **args: Any) -> Json:
        """One verb; ValueError with the simulator's words when it cannot be done."""
        async with self._http().post(f"/_sim/{verb}", json=args) as response:
            answer: Json = await response.json()
        if response.status != 200:
            raise ValueError(answer["error"])
        return answer

    async def watch(self, *, after: int | None = None) -> AsyncIterator[Json]:
        """Every post from now on (or numbered above `after`): kind, channel, id, text, received, accepted.

        The times are time.perf_counter(), which on Linux all processes of a machine share.
        """
        query = {} if after is None else {"after": str(after)}
        async with self._http().ws_connect("/_sim/watch", params=query) as socket:
            async for message in socket:
                yield json.loads(message.data)

    def _http(self) -> aiohttp.ClientSession:
        assert self._session is not None, "enter the context first"
        return self._session
