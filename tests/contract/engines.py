"""The engines that the store's contract runs on: the floor in the wheel, a Redis 7, a cluster of three."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from tests.redis_servers import private_redis, redis7_binary, redis_cluster

ENGINES = ("floor", "redis7", "cluster")


@asynccontextmanager
async def engine(name: str, folder: Path) -> AsyncIterator[str]:
    """The URL of a fresh engine. Raises LookupError for one that this machine does not have."""
    if name == "cluster":
        async with redis_cluster(folder) as url:
            yield url
        return
    binary = redis7_binary() if name == "redis7" else None
    if name == "redis7" and binary is None:
        raise LookupError("there is no redis-server 7 on this machine")
    async with private_redis(folder, binary=binary, durable=True) as url:
        yield url


@asynccontextmanager
async def opened(url: str, prefix: str = "kakehashi") -> AsyncIterator[RedisStore]:
    """A store on that engine, as one process has it."""
    store, _checks = await open_store(Target(url=url, prefix=prefix, partitions=4))
    try:
        yield store
    finally:
        await store.close()
