"""One operating-system process of the engine, to be killed: `python -m tests.integration.one_process URL PLATFORM`.

It hands each line "customer number" of its input to the relay, and prints the line once the message is stored. Its
network is a list on another Redis, so that what it posted outlives it.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis

from adapters.redis import store
from bridge import leases
from bridge.ports import Delivered, Delivery
from routing.effects import OpenThread, PostMessage
from routing.ids import NetworkName, PostRef, ThreadRef
from tests.integration.engine_room import QUICK, room
from tests.integration.notice_board import BOARD, Board

PATIENT = replace(QUICK, send_deadline=2.0, quarantine=4.0, sweep_after=4.0)
"""A fifth of the real deadline and quarantine: on a busy machine a post may well be late by a second."""

LATENCY = 0.02
"""Seconds between a post and its answer: wide enough to be killed in."""


@dataclass(slots=True)
class Platform:
    """A network whose posts are a list on a Redis of its own: `reference session effect what`."""

    client: Any
    name: NetworkName = BOARD

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def deliver(self, delivery: Delivery) -> Delivered:
        effect = delivery.effect
        what = effect.message if isinstance(effect, PostMessage) else type(effect).__name__
        ref = f"n{await self.client.incr('refs')}"
        await self.client.rpush("posts", f"{ref} {delivery.session.id} {effect.id} {what}")
        await asyncio.sleep(LATENCY)
        return _delivered(delivery, ref)

    async def find(self, delivery: Delivery) -> list[Delivered]:
        removed = await self.client.smembers("removed")
        posts = [line.split(" ") for line in await self.client.lrange("posts", 0, -1)]
        mine = [post[0] for post in posts if post[2] == delivery.effect.id and post[0] not in removed]
        return [_delivered(delivery, ref) for ref in mine]

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        await self.client.sadd("removed", double.thread or double.posts[0])

    async def refresh(self, delivery: Delivery) -> None:
        """There are no cards."""

    def ready(self) -> str | None:
        return None


def _delivered(delivery: Delivery, ref: str) -> Delivered:
    if isinstance(delivery.effect, OpenThread):
        return Delivered(ThreadRef(ref))
    return Delivered(posts=(PostRef(ref),))


async def main(url: str, platform: str) -> None:
    leases.TTL, leases.MARGIN, leases.RENEW_EVERY, store.PROCESS_TTL = 3_000, 500, 0.2, 3_000
    one = await room(url, Board(), timing=PATIENT)
    one.lanes._networks = {BOARD: Platform(Redis.from_url(platform, decode_responses=True))}
    await one.start()
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("ready", flush=True)  # noqa: T201 - the test waits for it
    under_way: set[asyncio.Task[None]] = set()
    while line := (await lines.readline()).decode().strip():
        task = asyncio.create_task(_store(one, line))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    await one.drain()
    await one.store.close()


async def _store(one: Any, line: str) -> None:
    name, number = line.split(" ")
    await one.writes(name, int(number))
    print(line, flush=True)  # noqa: T201 - the test takes it for the customer's "sent"


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
