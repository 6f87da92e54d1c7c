"""Connecting to the Redis that the settings name, and saying plainly what it will and will not keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, cast

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.redis.store import RedisStore
from adapters.redis.wire import Wire
from bridge.errors import SettingsError, StoreUnavailableError

FLOOR = (6, 2)
"""The oldest server that has what the scripts use (GETDEL, ZADD GT)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the engine is. `url` for a standalone server or a node of a cluster; `sentinels` for Sentinel."""

    url: str = ""
    sentinels: tuple[tuple[str, int], ...] = ()
    sentinel_name: str = ""
    prefix: str = "kakehashi"
    partitions: int = 8
    replicas: int = 0
    replica_timeout: int = 1_000
    allow_eviction: bool = False
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of what was found: `level` is ok, warn or fail."""

    level: Literal["ok", "warn", "fail"]
    what: str
    mend: str = ""


async def open_store(target: Target) -> tuple[RedisStore, list[Check]]:
    """Connect, check, and open the store.

    Raises StoreUnavailableError when nothing answers, SettingsError for a server that would lose what it is given.
    """
    client = await _client(target)
    wire = Wire(client, replicas=target.replicas, replica_timeout=target.replica_timeout)
    try:
        checks = await inspect(wire, target)
        for check in checks:
            if check.level == "fail":
                raise SettingsError(check.what, where="redis.url", mend=check.mend)
        return await RedisStore.open(wire, target.prefix, target.partitions), checks
    except BaseException:
        await wire.close()
        raise


async def _client(target: Target) -> Redis | RedisCluster:
    options: dict[str, Any] = {"decode_responses": True, "protocol": 2, **target.options}
    plain = {**options, "retry": Retry(NoBackoff(), 0), "socket_connect_timeout": 5}
    if target.sentinels:
        sentinel = cast(Any, Sentinel)(list(target.sentinels), sentinel_kwargs=target.options, **plain)
        return cast(Redis, sentinel.master_for(target.sentinel_name))
    client = Redis.from_url(target.url, **plain)
    try:
        info = await cast(Any, client).info("cluster")
    except (RedisError, OSError) as error:
        await client.aclose()
        raise StoreUnavailableError("Redis does not answer", where="redis.url", mend="is it running there?") from error
    if not int(info.get("cluster_enabled", 0)):
        return client
    await client.aclose()
    cluster = RedisCluster.from_url(target.url, **options)
    return await cluster.initialize()


async def inspect(wire: Wire, target: Target) -> list[Check]:
    """Version, eviction and persistence of the server; "cannot tell" where it does not let us ask."""
    info = await wire.call("kakehashi", "INFO")
    fields = dict(line.split(":", 1) for line in str(info).splitlines() if ":" in line)
    return [_version(fields), _eviction(fields, target), await _persistence(wire, fields)]


def _version(fields: dict[str, str]) -> Check:
    version = fields.get("redis_version", "0")
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if parts < FLOOR:
        return Check("fail", f"Redis {version} is too old", "use Redis 6.2 or newer")
    return Check("ok", f"Redis {version}")


def _eviction(fields: dict[str, str], target: Target) -> Check:
    policy = fields.get("maxmemory_policy", "")
    if not policy:
        return Check("warn", "cannot tell whether Redis evicts keys", "make sure that maxmemory-policy is noeviction")
    if policy == "noeviction":
        return Check("ok", "Redis evicts nothing")
    mend = "set maxmemory-policy noeviction, or redis.allow_eviction = true if you accept losing messages"
    level: Literal["warn", "fail"] = "warn" if target.allow_eviction else "fail"
    return Check(level, f"Redis may evict keys ({policy}): messages would be lost", mend)


async def _persistence(wire: Wire, fields: dict[str, str]) -> Check:
    if fields.get("aof_enabled") != "1":
        return Check("warn", "Redis keeps no append-only file: a crash loses messages", "set appendonly yes")
    try:
        answer = await wire.call("kakehashi", "CONFIG", "GET", "appendfsync")
    except StoreUnavailableError:
        return Check("warn", "cannot tell how often Redis syncs its file", "make sure that appendfsync is always")
    if answer and answer[-1] == "always":
        return Check("ok", "Redis syncs every write")
    return Check("warn", f"Redis syncs {answer[-1]}: a crash may lose the last second", "set appendfsync always")
