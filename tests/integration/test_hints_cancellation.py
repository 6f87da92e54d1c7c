"""A reader of hints that is cancelled while it subscribes must end, whatever the library does with the cancellation.

redis-py writes under `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that comes in the tick in which
the write is done. The reader then listened on for ever, and a drain waited for it. Found by a random history.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from adapters.redis.connection import Target, open_store
from tests.redis_servers import private_redis


async def test_a_reader_of_hints_that_is_cancelled_ends_wherever_it_is(tmp_path: Path) -> None:
    async with private_redis(tmp_path) as url:
        store, _ = await open_store(Target(url=url, partitions=4))

        async def hear() -> None:
            async for _ in store.hints():
                pass

        lost = []
        for ticks in range(60):
            reader = asyncio.create_task(hear())
            for _ in range(ticks):
                await asyncio.sleep(0)
            reader.cancel()
            _, running = await asyncio.wait([reader], timeout=2)
            if running:
                lost.append(ticks)
                reader.cancel()
                await asyncio.wait([reader], timeout=5)
        await store.close()
        assert lost == []
