"""KiB of memory for each idle, joined customer, at five and at fifteen thousand; the floor is a bare aiohttp socket."""

from __future__ import annotations

import asyncio
import resource

import aiohttp
import uvloop

from benchmarks.figures import tell
from benchmarks.platform import platform
from benchmarks.subjects import Subject, bare, durable_redis, kakehashi

COUNTS = (5_000, 15_000)
AT_ONCE = 100
ROOM = 500
"""Descriptors for everything else."""


async def measure() -> None:
    counts = [count for count in COUNTS if count < _descriptors() - ROOM]
    async with durable_redis() as redis, platform() as slack:
        async with kakehashi(redis, slack.url) as ours:
            mine = await _held(ours, counts, hello=True)
        async with bare(redis, slack.url) as floor:
            theirs = await _held(floor, counts, hello=False)
    for count in counts:
        tell(f"idle_sockets_{count}", mine[count] / 1024, "KiB", theirs[count] / 1024)


def _descriptors() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


async def _held(subject: Subject, counts: list[int], *, hello: bool) -> dict[int, float]:
    """Bytes for each socket, when so many are held."""
    held: dict[int, float] = {}
    sockets: list[aiohttp.ClientWebSocketResponse] = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        await _join(client, subject, sockets, 200, hello)  # what is needed once is there afterwards
        empty = subject.memory()
        for count in counts:
            await _join(client, subject, sockets, count + 200, hello)
            await asyncio.sleep(1.0)
            held[count] = (subject.memory() - empty) / count
        subject.process.kill()
    return held


async def _join(
    client: aiohttp.ClientSession,
    subject: Subject,
    sockets: list[aiohttp.ClientWebSocketResponse],
    count: int,
    hello: bool,
) -> None:
    while len(sockets) < count:
        more = min(AT_ONCE, count - len(sockets))
        sockets += await asyncio.gather(*(_one(client, subject, len(sockets) + one, hello) for one in range(more)))


async def _one(
    client: aiohttp.ClientSession, subject: Subject, number: int, hello: bool
) -> aiohttp.ClientWebSocketResponse:
    if not hello:
        return await client.ws_connect(f"{subject.url}/socket?name=c{number}", compress=0)
    socket = await client.ws_connect(f"{subject.url}/v1/socket", headers={"Origin": subject.url}, compress=0)
    await socket.send_str('{"t":"hello","v":1,"locale":"en"}')
    await socket.receive(timeout=40)
    return socket


if __name__ == "__main__":
    uvloop.run(measure())
