"""The wire: one call at a time for the caller, batched pipelines for Redis.

A redis-py call alone costs five times what it costs inside a pipeline. So concurrent calls are gathered into batches,
each written and read as a whole on one connection; a few batches are in flight at once, the rest waits its turn (the
library's own pool raises when it is full). `WAIT` goes into the same batch as the writes that it vouches for: on
another connection it answers for nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from hiredis import pack_command
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoScriptError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from bridge.errors import OverloadedError, StoreCorruptError, StoreUnavailableError

IN_FLIGHT = 4
"""Batches under way to one node. More gain nothing: `appendfsync always` syncs once for all that wait."""

BATCH = 512
"""Calls in one batch, so that one slow reader never waits behind thousands."""

QUEUED = 20_000
"""Calls waiting for a batch. Beyond it new ones are refused: memory is bounded, and the caller can say so."""

TIMEOUT = 10.0
"""Seconds for one batch, above every wait that we ask the server for."""

REDIRECTS = 5
"""How often one call follows a cluster's redirections."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script by its digest; its text is sent only where the server does not know it."""

    name: str
    digest: str
    text: str


@dataclass(slots=True)
class _Call:
    args: tuple[Any, ...]
    key: str
    durable: bool
    done: asyncio.Future[Any]
    tries: int = 0
    asking: bool = False


class Line(Protocol):
    """One node: lends connections."""

    def lend(self) -> AbstractConnection: ...
    def give_back(self, connection: AbstractConnection) -> None: ...


@dataclass(slots=True)
class _Node:
    """The queue and the batches of one node."""

    line: Line
    wire: Wire
    waiting: list[_Call] = field(default_factory=list)
    in_flight: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def put(self, call: _Call) -> None:
        if len(self.waiting) >= QUEUED:
            raise OverloadedError("the store is too far behind", mend="send it again in a moment")
        self.waiting.append(call)
        if self.in_flight < IN_FLIGHT:
            self._start()

    def _start(self) -> None:
        self.in_flight += 1
        task = asyncio.get_running_loop().create_task(self._work())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _work(self) -> None:
        """Batch after batch until nothing waits. The first one takes whatever the same tick has put there."""
        try:
            while self.waiting:
                batch, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
                await self._carry(batch)
        finally:
            self.in_flight -= 1

    async def _carry(self, batch: list[_Call]) -> None:
        connection = self.line.lend()
        try:
            async with asyncio.timeout(TIMEOUT):
                answers = await self._exchange(connection, batch)
        except (RedisError, OSError, TimeoutError, EOFError) as error:
            await connection.disconnect(nowait=True)
            _fail(batch, error)
        except BaseException:
            await connection.disconnect(nowait=True)
            _fail(batch, RedisConnectionError("the store was closed"))
            raise
        else:
            for call, answer in zip(batch, answers, strict=True):
                self.wire.answered(call, answer)
        finally:
            self.line.give_back(connection)

    async def _exchange(self, connection: AbstractConnection, batch: list[_Call]) -> list[Any]:
        replicas = self.wire.replicas if any(call.durable for call in batch) else 0
        commands: list[tuple[Any, ...]] = []
        for call in batch:
            commands += [("ASKING",)] if call.asking else []
            commands.append(call.args)
        if replicas:
            commands.append(("WAIT", replicas, self.wire.replica_timeout))
        packed = [pack_command(command) for command in commands]
        await connection.send_packed_command(packed, check_health=False)
        answers = []
        for call in batch:
            if call.asking:
                await _read(connection)
            answers.append(await _read(connection))
        if replicas:
            acknowledged = await _read(connection)
            answers = [
                _vouched(call, answer, acknowledged, replicas) for call, answer in zip(batch, answers, strict=True)
            ]
        return answers


async def _read(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


def _vouched(call: _Call, answer: Any, acknowledged: Any, wanted: int) -> Any:
    """A durable write is only answered when enough replicas have it."""
    if call.durable and not (isinstance(acknowledged, int) and acknowledged >= wanted):
        return StoreUnavailableError("too few replicas have the write", mend="check the replicas; it is sent again")
    return answer


def _fail(batch: Sequence[_Call], error: BaseException) -> None:
    for call in batch:
        if not call.done.done():
            failure = StoreUnavailableError("the store did not answer", where="redis", mend="kakehashi doctor")
            failure.__cause__ = error
            call.done.set_exception(failure)


class Wire:
    """Calls to Redis, standalone, behind Sentinel, or a cluster. Every call names a key, which decides the node."""

    errors = RedisError
    """What a subscription may raise when its connection is lost."""

    def __init__(self, client: Redis | RedisCluster, *, replicas: int = 0, replica_timeout: int = 1_000) -> None:
        self.client = client
        self.replicas = replicas
        self.replica_timeout = replica_timeout
        self._nodes: dict[str, _Node] = {}
        self._scripts: dict[str, Script] = {}
        self._retries: set[asyncio.Task[None]] = set()

    async def call(self, key: str, *args: Any, durable: bool = False) -> Any:
        """One command, routed by `key`. Raises StoreUnavailableError, StoreCorruptError, OverloadedError.

        `durable`: answered only when enough replicas have it, where the settings ask for that.
        """
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._send(_Call(args, key, durable, done))
        return await done

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Any], *, durable: bool = False) -> Any:
        """A script on keys of one slot."""
        self._scripts[script.digest] = script
        return await self.call(keys[0], "EVALSHA", script.digest, len(keys), *keys, *args, durable=durable)

    async def scan(self, pattern: str) -> AsyncIterator[str]:
        """Every key like `pattern`, on every primary. Slow; for maintenance only."""
        client = cast(Any, self.client)
        async for key in client.scan_iter(match=pattern, count=1_000):
            yield key

    @asynccontextmanager
    async def subscription(self, channel: str) -> AsyncIterator[Any]:
        """A connection of its own that hears the channel."""
        client = cast(Any, self.client)
        async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(channel)
            yield pubsub

    async def close(self) -> None:
        tasks = [task for node in self._nodes.values() for task in node.tasks] + list(self._retries)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for node in self._nodes.values():
            if isinstance(node.line, _Standalone):
                await node.line.close()
        await cast(Any, self.client).aclose()

    # ------------------------------------------------------------------ answers

    def answered(self, call: _Call, answer: Any) -> None:
        """Pass an answer on, or follow what it says: unknown script, moved slot, cluster in the middle of a change."""
        if call.done.done():
            return
        if not isinstance(answer, Exception):
            call.done.set_result(answer)
            return
        again = self._again(call, answer)
        if again is None or call.tries >= REDIRECTS:
            call.done.set_exception(_ours(answer))
            return
        call.tries += 1
        task = asyncio.get_running_loop().create_task(self._later(call, again))
        self._retries.add(task)
        task.add_done_callback(self._retries.discard)

    def _again(self, call: _Call, answer: Exception) -> Callable[[], Awaitable[None]] | None:
        if isinstance(answer, NoScriptError):
            return lambda: self._with_text(call)
        if not isinstance(self.client, RedisCluster):
            return None
        if isinstance(answer, AskError):
            return lambda: self._asking(call, answer)
        if isinstance(answer, MovedError):
            return self._moved
        if isinstance(answer, TryAgainError | ClusterDownError):
            return lambda: asyncio.sleep(0.1 * (call.tries + 1))
        return None

    async def _later(self, call: _Call, prepare: Callable[[], Awaitable[None]]) -> None:
        try:
            await prepare()
            self._send(call)
        except (RedisError, OSError, OverloadedError) as error:
            _fail((call,), error)
        except BaseException as error:
            _fail((call,), error)
            raise

    async def _with_text(self, call: _Call) -> None:
        script = self._scripts[call.args[1]]
        call.args = ("EVAL", script.text, *call.args[2:])

    async def _asking(self, call: _Call, error: AskError) -> None:
        call.asking = True
        call.key = f"@{error.host}:{error.port}"

    async def _moved(self) -> None:
        await cast(RedisCluster, self.client).nodes_manager.initialize()

    # ------------------------------------------------------------------ nodes

    def _send(self, call: _Call) -> None:
        self._node_for(call.key).put(call)

    def _node_for(self, key: str) -> _Node:
        if not isinstance(self.client, RedisCluster):
            return self._named("", lambda: _Standalone(cast(Redis, self.client)))
        manager = self.client.nodes_manager
        if key.startswith("@"):
            host, port = key[1:].rsplit(":", 1)
            node = manager.get_node(host=host, port=int(port))
        else:
            node = manager.get_node_from_slot(self.client.keyslot(key))
        if node is None:
            raise StoreUnavailableError("no node of the cluster has this slot", mend="check CLUSTER INFO")
        return self._named(node.name, lambda: _ClusterNode(node))

    def _named(self, name: str, line: Callable[[], Line]) -> _Node:
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = _Node(line(), self)
        return node


FOREIGN = ("FOREIGN", "WRONGTYPE")
REFUSALS = ("MISCONF", "OOM", "READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "BUSY", "NOAUTH", "NOPERM")


def _ours(error: Exception) -> Exception:
    """A vendor's error as one of ours, cause chained; one of ours as it is."""
    if isinstance(error, StoreUnavailableError):
        return error
    text = str(error)
    ours: Exception
    if text.startswith(FOREIGN):
        ours = StoreCorruptError(text, where="redis", mend="find out who else writes under this prefix")
    elif text.startswith(REFUSALS):
        code = text.split(" ", 1)[0]
        ours = StoreUnavailableError(f"the store refuses: {code}", where="redis", mend="kakehashi doctor")
    elif isinstance(error, RedisTimeoutError | RedisConnectionError | ClusterDownError | TryAgainError | MovedError):
        ours = StoreUnavailableError("the store did not answer", where="redis", mend="kakehashi doctor")
    else:
        ours = StoreUnavailableError(f"the store answered with an error: {text[:200]}", where="redis")
    ours.__cause__ = error
    return ours


class _Standalone:
    """Connections of our own, as many as batches in flight; the library's pool knows how to make them."""

    def __init__(self, client: Redis) -> None:
        self._pool = client.connection_pool
        self._free: list[AbstractConnection] = []
        self._all: list[AbstractConnection] = []

    def lend(self) -> AbstractConnection:
        if self._free:
            return self._free.pop()
        connection = cast(AbstractConnection, cast(Any, self._pool).make_connection())
        self._all.append(connection)
        return connection

    def give_back(self, connection: AbstractConnection) -> None:
        self._free.append(connection)

    async def close(self) -> None:
        for connection in self._all:
            await connection.disconnect()


class _ClusterNode:
    """A cluster node lends from its own pool, which the cluster client closes."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def lend(self) -> AbstractConnection:
        return cast(AbstractConnection, self._node.acquire_connection())

    def give_back(self, connection: AbstractConnection) -> None:
        self._node.release(connection)


def load_script(folder: Path, name: str) -> Script:
    """A script from its file. Raises FileNotFoundError for a name that has none."""
    text = (folder / f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), text)
