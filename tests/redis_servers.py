"""Throw-away Redis servers for tests: real processes on loopback or a Unix socket, gone when the block ends.

Each yields URLs for redis-py. They keep nothing on disk unless told so, for speed; whatever happens in the block (or if
the interpreter is told to exit), their processes are killed.
"""

import asyncio
import atexit
import contextlib
import functools
import random
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.redis.binary import Binary, Version, find_binary, wheel_binary

_UP_WITHIN = 30  # seconds, on a machine busy with other tests
_SLOTS = 16384
_DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
_LIVING: set["subprocess.Popen[bytes]"] = set()


@functools.cache
def floor_binary() -> Binary:
    """The binary in the wheel (6.2, the floor); where there is no wheel, the one on PATH."""
    return find_binary(forced=wheel_binary()) if wheel_binary() else find_binary()


@functools.cache
def redis7_binary() -> Binary | None:
    """Debian's redis-server, if it is installed and 7 or newer."""
    path = Path("/usr/bin/redis-server")
    if not path.exists():
        return None
    binary = find_binary(forced=path)
    return binary if binary.version >= Version(7, 0, 0) else None


@contextlib.asynccontextmanager
async def private_redis(
    folder: Path, *, binary: Binary | None = None, durable: bool = False, arguments: Sequence[str] = ()
) -> AsyncIterator[str]:
    """One server on a Unix socket, its files in `folder`; yields its URL. `durable`: AOF with fsync always."""
    with tempfile.TemporaryDirectory(prefix="kakehashi-test-") as place:  # `folder` may be too deep for a socket
        path = Path(place, "redis")
        extra = [*(_DURABLE if durable else ()), *arguments]
        async with _running(binary or floor_binary(), folder, "--port", "0", "--unixsocket", str(path), *extra):
            url = f"unix://{path}"
            await _answers(url)
            yield url


@contextlib.asynccontextmanager
async def debian_redis7(folder: Path, *, durable: bool = False) -> AsyncIterator[str | None]:
    """Like `private_redis` with Debian's Redis 7; yields None where there is none."""
    binary = redis7_binary()
    if binary is None:
        yield None
        return
    async with private_redis(folder, binary=binary, durable=durable) as url:
        yield url


@contextlib.asynccontextmanager
async def redis_cluster(folder: Path, nodes: int = 3, *, binary: Binary | None = None) -> AsyncIterator[str]:
    """A cluster of primaries that serves all slots; yields the URL of its first node.

    It takes over two seconds: Redis lets no fresh primary serve earlier (CLUSTER_WRITABLE_DELAY). Share it.
    """
    async with contextlib.AsyncExitStack() as stack:
        cluster: list[_Node] = []
        for number in range(nodes):
            arguments = ("--cluster-enabled", "yes", "--cluster-node-timeout", "5000")
            listening = _on_a_free_port(binary or floor_binary(), folder / f"node-{number}", *arguments)
            cluster.append(await stack.enter_async_context(listening))
        await _form_cluster(cluster)
        yield cluster[0].url


@dataclass(frozen=True)
class Replicated:
    """A primary and its replica. The replica can be frozen, for WAIT."""

    url: str
    replica_url: str
    _replica: "subprocess.Popen[bytes]"

    def freeze_replica(self) -> None:
        self._replica.send_signal(signal.SIGSTOP)

    def thaw_replica(self) -> None:
        self._replica.send_signal(signal.SIGCONT)


@contextlib.asynccontextmanager
async def replicated_redis(folder: Path, *, binary: Binary | None = None) -> AsyncIterator[Replicated]:
    """A primary with one replica in step, both on loopback."""
    chosen = binary or floor_binary()
    at_once = ("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0")
    async with _on_a_free_port(chosen, folder / "primary", *at_once) as primary:
        of_primary = ("--replicaof", f"127.0.0.1 {primary.port}")
        async with _on_a_free_port(chosen, folder / "replica", *of_primary) as replica:
            await _until(lambda: _is_in_step(replica))
            yield Replicated(primary.url, replica.url, replica.process)


# One process


@contextlib.asynccontextmanager
async def _running(binary: Binary, folder: Path, *arguments: str) -> AsyncIterator["subprocess.Popen[bytes]"]:
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(binary.path), "--dir", str(folder), "--logfile", "redis.log", "--save", "", *_split(arguments)]
    process = _spawn(command)
    try:
        yield process
    finally:
        _kill(process)


def _spawn(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _LIVING.add(process)
    return process


def _split(arguments: Sequence[str]) -> list[str]:
    """`--replicaof "host port"` is one value for people and two words for Redis."""
    return [word for argument in arguments for word in (argument.split() or [argument])]


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    _LIVING.discard(process)


@atexit.register
def _kill_all() -> None:
    for process in list(_LIVING):
        _kill(process)


@dataclass(frozen=True)
class _Node:
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def _on_a_free_port(binary: Binary, folder: Path, *arguments: str) -> AsyncIterator[_Node]:
    """A server on a loopback port; another port if somebody else was faster. Cluster nodes use port + 10,000 too."""
    for _ in range(20):
        port = _free_port()
        async with _running(binary, folder, "--bind", "127.0.0.1", "--port", str(port), *arguments) as process:
            node = _Node(port, process)
            if await _is_up(node):
                yield node
                return
    raise AssertionError(f"no redis-server came up on a loopback port; see {folder}/redis.log")


def _free_port() -> int:
    while True:
        port = random.randrange(20_000, 30_000)  # below the ephemeral ports, also with 10,000 added on Linux's default
        with contextlib.suppress(OSError), socket.socket() as client, socket.socket() as bus:
            client.bind(("127.0.0.1", port))
            bus.bind(("127.0.0.1", port + 10_000))
            return port


async def _is_up(node: _Node) -> bool:
    """Whether it is this process that answers there, and not one of a test that runs beside us."""
    async with _client(node.url) as client:
        for _ in range(_UP_WITHIN * 50):
            if node.process.poll() is not None:
                return False
            with contextlib.suppress(RedisError, OSError):
                return bool((await client.info("server"))["process_id"] == node.process.pid)
            await asyncio.sleep(0.02)
    return False


# Asking servers


@contextlib.asynccontextmanager
async def _client(url: str) -> AsyncIterator["Redis"]:
    client = Redis.from_url(url, retry=Retry(NoBackoff(), 0), decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()


async def _until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(_UP_WITHIN):
        while not await condition():  # noqa: ASYNC110 - another process has no event to give us
            await asyncio.sleep(0.02)


async def _answers(url: str) -> None:
    async def pings() -> bool:
        with contextlib.suppress(RedisError, OSError):
            return bool(await client.ping())
        return False

    async with _client(url) as client:
        await _until(pings)


async def _is_in_step(replica: _Node) -> bool:
    async with _client(replica.url) as client:
        return bool((await client.info("replication")).get("master_link_status") == "up")


async def _command(client: "Redis", *words: str | int) -> Any:
    return await client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped


# A cluster, without redis-cli


async def _form_cluster(nodes: Sequence[_Node]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(node.url)) for node in nodes]
        for number, client in enumerate(clients):
            first, after = (_SLOTS * edge // len(nodes) for edge in (number, number + 1))
            await _command(client, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            await _command(client, "CLUSTER", "ADDSLOTS", *range(first, after))
        for number, client in enumerate(clients):  # only now: a node that knows others refuses an epoch
            for other in nodes[number + 1 :]:
                await _command(client, "CLUSTER", "MEET", "127.0.0.1", other.port)
        for client in clients:
            await _until(functools.partial(_serves_all_slots, client, len(nodes)))


async def _serves_all_slots(client: "Redis", nodes: int) -> bool:
    about = await _command(client, "CLUSTER", "INFO")
    fields = about if isinstance(about, dict) else dict(line.split(":", 1) for line in about.split())
    return (
        fields["cluster_state"] == "ok"
        and int(fields["cluster_known_nodes"]) == nodes
        and int(fields["cluster_slots_ok"]) == _SLOTS
    )
