"""The wire: one call at a time for the caller, batched pipelines for Redis.

A redis-py call alone costs five times what it costs inside a pipeline. So concurrent calls are gathered into batches,
each written and read as a whole on one connection; a few batches are in flight at once, the rest waits its turn (the
library's own pool raises when it is full). `WAIT` goes into the same batch as the writes that it vouches for: on
another connection it answers for nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
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
    ReadOnlyError,
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

SILENCE = 5.0
"""Seconds without a message until a subscription asks whether its server is there, and again until it gives it up:
a peer that vanished without a word would else be listened to for ever."""


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

    def give_up(self) -> None:
        """The wire is closed: nothing that waits is going to be sent."""
        left, self.waiting = self.waiting, []
        _fail(left, RedisConnectionError("the store was closed"))

    async def _carry(self, batch: list[_Call]) -> None:
        try:
            connection = self.line.lend()
        except RedisError as error:
            _fail(batch, error)
            return
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._exchange(connection, *_pack(batch))
        except asyncio.CancelledError as error:
            _fail(batch, error)
            await connection.disconnect(nowait=True)
            raise
        except Exception as error:  # whatever it was, nobody may wait for ever, and the connection is out of step
            _fail(batch, error)
            await connection.disconnect(nowait=True)
        finally:
            self.line.give_back(connection)

    async def _exchange(self, connection: AbstractConnection, packed: list[bytes], batch: list[_Call]) -> None:
        replicas = self.wire.replicas if any(call.durable for call in batch) else 0
        if replicas:
            wait: tuple[Any, ...] = ("WAIT", replicas, self.wire.replica_timeout)
            packed.append(pack_command(wait))
        await connection.send_packed_command(packed, check_health=False)
        answers = await self._answers(connection, batch, replicas)
        for call, answer in zip(batch, answers, strict=True):
            self.wire.answered(call, answer)

        if any(isinstance(answer, ReadOnlyError) for answer in answers):
            await connection.disconnect(nowait=True)  # its server was demoted: the address leads to another one now

    async def _answers(self, connection: AbstractConnection, batch: list[_Call], replicas: int) -> list[Any]:
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


def _pack(batch: Sequence[_Call]) -> tuple[list[bytes], list[_Call]]:
    """The batch's bytes. A call that cannot be written (half a surrogate pair) fails alone, not with its neighbours."""
    packed: list[bytes] = []
    sent = []
    for call in batch:
        try:
            command = pack_command(call.args)
        except UnicodeError as error:
            _refuse(call, error)
            continue
        packed += [pack_command(("ASKING",)), command] if call.asking else [command]
        sent.append(call)
    return packed, sent


def _refuse(call: _Call, error: Exception) -> None:
    if not call.done.done():
        failure = StoreCorruptError("a value cannot be written as UTF-8", where="redis")
        failure.__cause__ = error
        call.done.set_exception(failure)


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
        self._closed = False

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
    async def subscription(self, channel: str) -> AsyncIterator[AsyncIterator[str | None]]:
        """A connection of its own that hears the channel.

        What it yields gives the messages, and None whenever the server has confirmed that from now on it tells us:
        at first, and after the library has connected anew. Raises RedisError, OSError when it hears nothing more.
        """
        client = cast(Any, self.client)
        async with client.pubsub() as pubsub:
            await pubsub.subscribe(channel)
            heed_cancellation()
            yield _heard(pubsub)

    def primaries(self, key: str) -> list[str]:
        """A name for each primary that `call` takes in the place of a key; `key` itself where there is only one."""
        if not isinstance(self.client, RedisCluster):
            return [key]
        return [f"@{node.host}:{node.port}" for node in self.client.get_primaries()]

    def moved_to(self, url: str) -> None:
        """The server was started anew, at this URL. Calls under way fail by themselves; later ones go there."""
        old = cast(Redis, self.client)
        self.client = Redis.from_url(url, **_choices(old))
        node = self._nodes.get("")
        left = node.line.move(self.client) if node is not None and isinstance(node.line, _Standalone) else ()
        self._soon(_disconnect(old, left))

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._retries.add(task)
        task.add_done_callback(self._retries.discard)

    async def close(self) -> None:
        self._closed = True
        for node in self._nodes.values():
            node.give_up()
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
        self._soon(self._later(call, again))

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
        except asyncio.CancelledError as error:
            _fail((call,), error)
            raise
        except Exception as error:
            _fail((call,), error)

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
        if self._closed:
            raise StoreUnavailableError("the store is closed")
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
    if text.startswith(FOREIGN) or "WRONGTYPE" in text:  # Redis 6 puts words of its own before a script's error
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
        self._left: list[AbstractConnection] = []  # to a server that we have left; closed with the rest

    def lend(self) -> AbstractConnection:
        if self._free:
            return self._free.pop()
        connection = cast(AbstractConnection, cast(Any, self._pool).make_connection())
        self._all.append(connection)
        return connection

    def give_back(self, connection: AbstractConnection) -> None:
        (self._free if connection in self._all else self._left).append(connection)

    def move(self, client: Redis) -> list[AbstractConnection]:
        """Lend connections to another server from now on. Returns those to the old one that nobody uses."""
        self._pool = client.connection_pool
        idle, self._free, self._all = self._free, [], []
        return idle

    async def close(self) -> None:
        for connection in [*self._all, *self._left]:
            await connection.disconnect()


class _ClusterNode:
    """A cluster node lends from its own pool, which the cluster client closes."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def lend(self) -> AbstractConnection:
        return cast(AbstractConnection, self._node.acquire_connection())

    def give_back(self, connection: AbstractConnection) -> None:
        self._node.release(connection)


def heed_cancellation() -> None:
    """Raises CancelledError again where the one that came was lost: redis-py writes under `asyncio.wait_for`, which in
    Python 3.11 swallows a cancellation that comes in the tick in which the write is done (mended in 3.12)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _heard(pubsub: Any) -> AsyncIterator[str | None]:
    asked = False
    while True:
        message = await pubsub.get_message(timeout=SILENCE)
        if message is None and asked:
            raise RedisTimeoutError("the subscription's server fell silent")
        if message is None:
            await pubsub.ping()
            heed_cancellation()
        elif message["type"] == "subscribe":
            yield None
        elif message["type"] == "message":
            yield message["data"]
        asked = message is None


CHOICES = ("decode_responses", "protocol", "username", "password", "socket_connect_timeout", "retry")
"""What a connection to the same server at another place keeps."""


def _choices(client: Redis) -> dict[str, Any]:
    kept = client.connection_pool.connection_kwargs
    return {name: kept[name] for name in CHOICES if name in kept}


async def _disconnect(client: Redis, connections: Sequence[AbstractConnection]) -> None:
    for connection in connections:
        await connection.disconnect(nowait=True)
    await client.aclose()


def load_script(folder: Path, name: str) -> Script:
    """A script from its file. Raises FileNotFoundError for a name that has none."""
    text = (folder / f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), text)
