"""The programs that are measured, each a process of its own on this machine: Kakehashi, and the bare floor."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import aiohttp
import psutil

from adapters.redis.server import PrivateServer

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # the benchmark's own platform signs with it
POLICY = '[desks.en]\nnetwork = "slack"\nchannel = "C0BENCH01"\n'


@dataclass(frozen=True, slots=True)
class Subject:
    """A running program: where it listens, and its process."""

    url: str
    process: psutil.Process

    def cpu(self) -> float:
        """Seconds of CPU so far, its children included."""
        every = [self.process, *self.process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in every if "redis" not in one.name())

    def memory(self) -> int:
        """Bytes that it really holds."""
        return int(self.process.memory_full_info().uss)


@asynccontextmanager
async def durable_redis() -> AsyncIterator[str]:
    """A private server, fsync always: both subjects keep what they are given in it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server = PrivateServer(Path(folder))
        endpoint = await server.start()
        try:
            yield endpoint.url
        finally:
            await server.stop()


@asynccontextmanager
async def kakehashi(
    redis_url: str, api_url: str, *, policy: str = POLICY, changed: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Subject]:
    """The service as an administrator runs it, with Slack over HTTP and limits above the load. `changed`: settings that
    are others here; an empty one is not set."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        config = Path(folder, "kakehashi.toml")
        config.write_text(policy)
        port = _free_port()
        settings = {
            "KAKEHASHI_CONFIG": str(config),
            "KAKEHASHI_DATA_DIR": str(Path(folder, "data")),
            "KAKEHASHI_WEB__PORT": str(port),
            "KAKEHASHI_REDIS__URL": redis_url,
            "KAKEHASHI_SLACK__BOT_TOKEN": "xoxb-benchmark",
            "KAKEHASHI_SLACK__SIGNING_SECRET": SIGNING_SECRET,
            "KAKEHASHI_SLACK__API_URL": api_url,
            "KAKEHASHI_SLACK__RATES__POSTS_PER_SECOND": "100000",
            "KAKEHASHI_SLACK__RATES__BURST": "100000",
            "KAKEHASHI_SLACK__RATES__POSTS_PER_MINUTE": "6000000",
            "KAKEHASHI_SLACK__RATES__TIER_MULTIPLIER": "100000",
            "KAKEHASHI_WEB__LIMITS__MESSAGES_PER_MINUTE": "1000000",
            "KAKEHASHI_WEB__LIMITS__FRAMES_PER_SECOND": "100000",
            "KAKEHASHI_WEB__LIMITS__FRAMES_BURST": "1000000",
            "KAKEHASHI_WEB__LIMITS__CONNECTIONS_PER_ADDRESS": "100000",
            "KAKEHASHI_LOG__LEVEL": "warning",
        }
        command = [str(Path(sys.executable).with_name("kakehashi")), "up"]
        settings = {name: value for name, value in {**settings, **changed}.items() if value}
        with _process(command, settings) as process:
            await _ready(f"http://127.0.0.1:{port}/readyz")
            yield Subject(f"http://127.0.0.1:{port}", psutil.Process(process.pid))


@asynccontextmanager
async def bare(redis_url: str, api_url: str) -> AsyncIterator[Subject]:
    """The floor."""
    command = [sys.executable, "-m", "benchmarks.bare", redis_url, api_url]
    with _process(command, {}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = (await asyncio.to_thread(process.stdout.readline)).decode().strip()
        yield Subject(url, psutil.Process(process.pid))


class _process:  # noqa: N801  # used as a block, like a function
    """A child that is told to end when the block ends, and made to when it does not."""

    def __init__(self, command: list[str], environment: Mapping[str, str], stdout: int = subprocess.DEVNULL) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("KAKEHASHI_")}
        self._process = subprocess.Popen(command, env={**clean, **environment}, stdout=stdout)  # our own

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *error: object) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


async def _ready(url: str) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
