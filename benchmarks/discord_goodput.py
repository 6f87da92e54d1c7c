"""How much of what Discord lets through gets through, and how long people wait for it: 300 sessions over 12 forums.

Discord takes 50 calls a second of a bot, whichever; that is the ceiling. What a card costs when it is drawn anew comes
out of the same fifty. (Each thread takes five messages in five seconds, which people who talk do not reach; each forum
takes 50 new posts in five minutes, so there are enough forums that this is not what is measured.)

See `benchmarks.goodput` for the load, the plain sender beside it, and what is counted.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvloop

from benchmarks import goodput
from benchmarks.customers import join
from benchmarks.figures import Figure
from benchmarks.goodput import LOADS, Contest, Ours, Outcome
from benchmarks.subjects import durable_redis, kakehashi
from tests.simulators.discord.limits import GLOBAL
from tests.simulators.discord.remote import DiscordProcess


@dataclass(frozen=True, slots=True)
class Size:
    sessions: int = 300
    forums: int = 12
    loads: tuple[float, ...] = LOADS
    speed: float = 1.0

    @property
    def ceiling(self) -> float:
        """Calls in a second."""
        return GLOBAL[0] / GLOBAL[1]

    def ceiling_of(self, _seconds: float) -> float:
        return self.ceiling


def outcome() -> Outcome:
    """A forum's post is told of twice, as a thread and as its first message; the message counts."""
    return Outcome("message", "channel")


class Plain(goodput.Plain):
    def __init__(self, discord: DiscordProcess, client: aiohttp.ClientSession, size: Size) -> None:
        super().__init__()
        self._discord = discord
        self._client = client
        self._apart = 1 / size.ceiling
        self._forums = list(discord.state["channels"].values())
        self._free_at = 0.0

    async def open(self, session: int) -> str:
        forum = self._forums[session % len(self._forums)]
        body = {"name": "a session", "message": {"content": "a session"}}
        return await self._call(f"/channels/{forum}/threads", body)

    async def post(self, session: int, thread: str, text: str) -> None:
        await self._call(f"/channels/{thread}/messages", {"content": text})

    async def _call(self, path: str, body: dict[str, Any]) -> str:
        headers = {"Authorization": f"Bot {self._discord.state['token']}", "Content-Type": "application/json"}
        while True:
            await asyncio.sleep(max(0.0, self._free_at - time.perf_counter()))
            self._free_at = time.perf_counter() + self._apart
            address = self._discord.state["api_url"] + path
            async with self._client.post(address, data=json.dumps(body), headers=headers) as answer:
                told = await answer.json()
                if answer.status == 429:
                    await asyncio.sleep(float(told["retry_after"]))
                    continue
                return str(told["id"])


@asynccontextmanager
async def _ours(size: Size, client: aiohttp.ClientSession) -> AsyncIterator[tuple[DiscordProcess, Ours]]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(durable_redis())
        discord = await stack.enter_async_context(_discord(size))
        ids = ", ".join(f'"{one}"' for one in discord.state["channels"].values())
        changed = {
            "KAKEHASHI_SLACK__BOT_TOKEN": "",
            "KAKEHASHI_SLACK__SIGNING_SECRET": "",
            "KAKEHASHI_DISCORD__BOT_TOKEN": discord.state["token"],
            "KAKEHASHI_DISCORD__API_URL": f"{discord.state['api_url']}/",
            "KAKEHASHI_DISCORD__GATEWAY_URL": discord.state["gateway_url"],
            "KAKEHASHI_DISCORD__CDN_URL": f"{discord.state['cdn_url']}/",
            "KAKEHASHI_DISCORD__ALLOW_PUBLIC_CHANNELS": "true",
        }
        policy = f'[desks.en]\nnetwork = "discord"\nchannels = [{ids}]\nalert = "none"\n'
        subject = await stack.enter_async_context(kakehashi(redis, "", policy=policy, changed=changed))
        customers = [await join(client, subject) for _ in range(size.sessions)]
        yield discord, Ours(customers)
        for one in customers:
            await one.leave()


@asynccontextmanager
async def _plain(size: Size, client: aiohttp.ClientSession) -> AsyncIterator[tuple[DiscordProcess, Plain]]:
    async with _discord(size) as discord:
        sender = Plain(discord, client, size)
        async with sender.running():
            yield discord, sender


def _discord(size: Size) -> DiscordProcess:
    return DiscordProcess(*(option for number in range(size.forums) for option in ("--forum", f"pool-{number}")))


async def measure(size: Size = Size()) -> list[Figure]:  # frozen
    return await goodput.measure(Contest(outcome, _ours, _plain), size, "discord_", "s")


if __name__ == "__main__":
    uvloop.run(measure())
