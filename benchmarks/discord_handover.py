"""How long nobody hears Discord when the process that listens is killed, and that nothing is lost by it.

Two processes on one Redis, customers' pages at both, and operators who go on writing in their threads. The one that
listens dies by SIGKILL, twenty times; it is started again, and the next to die is whoever listens then. Measured is the
time from the kill until the other one has a session at the gateway, and the longest that a customer waited for a reply.

Every reply must reach its customer, once, in order; else it fails. The floor is the time for which the dead process's
lease keeps the others out: nobody may listen sooner, or two would.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
import uvloop

from adapters.discord.wire.gateway import TTL
from benchmarks.figures import Figure, p50, tell
from benchmarks.subjects import durable_redis
from tests.scenarios.customer import Customer
from tests.service import Installation, Running, free_port
from tests.simulators.discord import DiscordSimulator, Person, Thread
from tests.simulators.discord.permissions import BOT


@dataclass(frozen=True, slots=True)
class Size:
    """`pause`: seconds from one kill to the next, at least; `apart`: between two replies in a thread."""

    kills: int = 20
    customers: int = 4
    pause: float = 6.0
    apart: float = 0.5


@dataclass(slots=True)
class Outcome:
    """Seconds. `said` and `read`: when each reply was written, and when its customer had it; by text."""

    handovers: list[float] = field(default_factory=list)
    said: dict[str, float] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)
    lost: int = 0
    doubled: int = 0

    @property
    def waits(self) -> list[float]:
        return [self.read[text] - at for text, at in self.said.items() if text in self.read]


class House:
    """The two processes, and who of them listens."""

    def __init__(self, installation: Installation, discord: DiscordSimulator) -> None:
        self._installation = installation
        self._discord = discord
        self.ports = (free_port(), free_port())
        self._running: dict[int, Running] = {}

    @property
    def addresses(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    async def start(self, port: int) -> None:
        self._running[port] = await self._installation.up(WEB__PORT=port)

    async def kill_who_listens(self) -> tuple[int, float]:
        """Its port, and when."""
        port = self._who_listens()
        at = time.perf_counter()
        await self._running[port].kill()
        return port, at

    def _who_listens(self) -> int:
        (connection,) = self._discord.gateway.listening
        transport = connection._request.transport  # noqa: SLF001 - the simulator is ours
        assert transport is not None, "it listens"
        peer = transport.get_extra_info("peername")[1]
        for port, one in self._running.items():
            if any(socket.laddr.port == peer for socket in psutil.Process(one.pid).net_connections("tcp")):
                return port
        raise AssertionError("nobody of ours listens")


async def _hand_over(house: House, discord: DiscordSimulator, outcome: Outcome) -> int:
    """The port of the dead one."""
    before = len(discord.gateway.identifies)
    port, at = await house.kill_who_listens()
    async with asyncio.timeout(60):
        while not (len(discord.gateway.identifies) > before and discord.gateway.listening):  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.002)
    outcome.handovers.append(time.perf_counter() - at)
    return port


async def _write(kenji: Person, threads: list[Thread], outcome: Outcome, size: Size) -> None:
    number = 0
    while True:
        for place, thread in enumerate(threads):
            text = f"{place} reply {number}"
            outcome.said[text] = time.perf_counter()
            kenji.say(thread, text)
        number += 1
        await asyncio.sleep(size.apart)


async def _read(customers: list[Customer], outcome: Outcome) -> None:
    while True:
        for text in [text for one in customers for text in one.replies()]:
            outcome.read.setdefault(text, time.perf_counter())
        await asyncio.sleep(0.02)


def _check(customers: list[Customer], outcome: Outcome) -> None:
    read = Counter(text for one in customers for text in one.replies())
    outcome.lost = sum(text not in read for text in outcome.said)
    outcome.doubled = sum(count - 1 for count in read.values())
    assert not outcome.lost, f"lost: {[text for text in outcome.said if text not in read][:5]}"
    assert not outcome.doubled, f"doubled: {[text for text, count in read.items() if count > 1][:5]}"
    for place, one in enumerate(customers):
        mine = [text for text in outcome.said if text.startswith(f"{place} ")]
        assert one.replies() == mine, f"out of order: {one.name}"


@asynccontextmanager
async def _stage(size: Size) -> AsyncIterator[tuple[House, DiscordSimulator, Person, list[Customer], list[Thread]]]:
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(DiscordSimulator())
        desk, kenji = discord.channel("desk", "forum", private=True), discord.person("kenji")
        discord.allow(desk, kenji.id, BOT, quietly=True)
        redis = await stack.enter_async_context(durable_redis())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        settings: dict[str, str | int] = {
            "REDIS__URL": redis,
            "DISCORD__BOT_TOKEN": discord.token,
            "DISCORD__CHANNEL": desk.id,
            "DISCORD__API_URL": f"{discord.api_url}/",
            "DISCORD__GATEWAY_URL": discord.gateway_url,
            "DISCORD__CDN_URL": f"{discord.cdn_url}/",
            "LOG__LEVEL": "warning",
        }
        installation = await stack.enter_async_context(Installation(Path(folder), settings, afresh=True))
        await installation.answer("operators", "add", "kenji", "--name", "en=Kenji", "--no-password")
        await installation.answer("operators", "link", "kenji", kenji.id)
        house = House(installation, discord)
        for port in house.ports:
            await house.start(port)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        customers = []
        for number in range(size.customers):
            addresses = house.addresses[number % 2 :] + house.addresses[: number % 2]
            one = Customer(http, addresses, name=f"customer {number}")
            customers.append(await stack.enter_async_context(one.online()))
            await one.write("hello")
            await discord.until(lambda: len(discord.threads(desk)) > number)  # noqa: B023 - awaited here
        yield house, discord, kenji, customers, discord.threads(desk)


async def run(size: Size = Size()) -> Outcome:  # frozen
    """AssertionError when a reply is lost, doubled or out of order."""
    outcome = Outcome()
    async with _stage(size) as (house, discord, kenji, customers, threads):
        await discord.until(lambda: discord.gateway.listening)
        work = [asyncio.create_task(one) for one in (_write(kenji, threads, outcome, size), _read(customers, outcome))]
        await asyncio.sleep(size.pause)
        for number in range(size.kills):
            dead, begun = await _hand_over(house, discord, outcome), time.perf_counter()
            if number + 1 < size.kills:
                await house.start(dead)
            await asyncio.sleep(max(0.0, begun + size.pause - time.perf_counter()))
        work[0].cancel()
        async with asyncio.timeout(60):
            while len(outcome.read) < len(outcome.said):  # noqa: ASYNC110 - a page has no event to give us
                await asyncio.sleep(0.05)
        work[1].cancel()
        await asyncio.gather(*work, return_exceptions=True)
        _check(customers, outcome)
    return outcome


async def measure(size: Size = Size()) -> list[Figure]:  # frozen
    outcome = await run(size)
    lease = TTL / 1000
    return [
        tell("discord_handover_p50", p50(outcome.handovers), "s", lease),
        tell("discord_handover_max", max(outcome.handovers), "s", lease),
        tell("discord_handover_longest_wait", max(outcome.waits), "s", lease),
        tell("discord_handover_replies", len(outcome.said), "replies", len(outcome.said)),
        tell("discord_handover_lost", outcome.lost, "replies", 0.0),
        tell("discord_handover_doubled", outcome.doubled, "replies", 0.0),
    ]


if __name__ == "__main__":
    uvloop.run(measure())
