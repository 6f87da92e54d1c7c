"""How much of what Discord lets through gets through, and how long people wait for it: 300 sessions over 12 forums.

Discord takes 50 calls a second of a bot, whichever; that is the ceiling. What is counted against it is *posts* that
Discord accepted while the whole load lasted: forum posts with their cards, and messages. What a card costs when it is
drawn anew comes out of the same fifty. (Each thread takes five messages in five seconds, which people who talk do not
reach; each forum takes 50 new posts in five minutes, so there are enough forums that this is not what is measured.)

A customer opens a session and later says two things more: four posts, the root is one. The load is offered at 50 %,
90 % and 150 % of the ceiling, counted so. Delays run from the customer's frame until Discord has accepted the post that
bears the words.

Beside it, in the same run, under the same load, with a simulator of its own: a plain sender, one loop that posts in the
order of arrival, knows the same limit and waits as long as a 429 says. It has no service around it and keeps nothing.

In every row nothing may be lost or doubled, and each session's messages must stand in their order; else it fails.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvloop

from benchmarks.customers import join
from benchmarks.figures import Figure, p50, p99, tell
from benchmarks.platform import TOKEN
from benchmarks.slack_goodput import LATER, POSTS, Ours, Outcome, Word, script
from benchmarks.subjects import durable_redis, kakehashi
from tests.simulators.discord.limits import GLOBAL
from tests.simulators.discord.remote import DiscordProcess


@dataclass(frozen=True, slots=True)
class Size:
    sessions: int = 300
    forums: int = 12
    loads: tuple[float, ...] = (0.5, 0.9, 1.5)

    @property
    def ceiling(self) -> float:
        """Calls in a second."""
        return GLOBAL[0] / GLOBAL[1]


class Accepted(Outcome):
    """What one sender made of one load."""

    def note(self, post: dict[str, Any]) -> None:
        if post["kind"] != "message":  # a forum's post is told of twice: as a thread, and as its first message
            return
        self.posts.append(post["accepted"])
        for token in (found.decode() for found in TOKEN.findall(post["text"].encode())):
            self.order[post["channel"]].append(token)
            self.accepted.setdefault(token, post["accepted"])

    def rate(self) -> float:
        """Posts in a second while the load lasted, from when the first customer has said all: before, it only grows."""
        begun, ended = min(self.said.values()) + LATER[-1], max(self.said.values())
        return sum(begun <= one < ended for one in self.posts) / (ended - begun)


class Plain:
    """One loop, in the order of arrival."""

    def __init__(self, discord: DiscordProcess, client: aiohttp.ClientSession, size: Size) -> None:
        self._discord = discord
        self._client = client
        self._apart = 1 / size.ceiling
        self._forums = list(discord.state["channels"].values())
        self._words: asyncio.Queue[Word] = asyncio.Queue()
        self._threads: dict[int, str] = {}
        self._free_at = 0.0

    async def say(self, word: Word) -> None:
        self._words.put_nowait(word)

    async def run(self) -> None:
        while True:
            word = await self._words.get()
            if word.session not in self._threads:
                forum = self._forums[word.session % len(self._forums)]
                body = {"name": "a session", "message": {"content": "a session"}}
                self._threads[word.session] = await self._post(f"/channels/{forum}/threads", body)
            thread = self._threads[word.session]
            await self._post(f"/channels/{thread}/messages", {"content": f"hello {word.token}"})

    async def _post(self, path: str, body: dict[str, Any]) -> str:
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


# ------------------------------------------------------------------ a row


async def _play(words: list[Word], sender: Ours | Plain, discord: DiscordProcess, within: float) -> Accepted:
    """Say it all, and wait until Discord has it all."""
    outcome, done = Accepted(), asyncio.Event()
    wanted = {word.token for word in words}

    async def watch() -> None:
        async for post in discord.watch():
            outcome.note(post)
            if wanted <= outcome.accepted.keys():
                done.set()

    watching = asyncio.create_task(watch())
    begun = time.perf_counter()
    for word in words:
        await asyncio.sleep(max(0.0, begun + word.at - time.perf_counter()))
        outcome.said[word.token] = time.perf_counter()
        await sender.say(word)
    async with asyncio.timeout(within):
        await done.wait()
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    outcome.check()
    return outcome


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
        running = asyncio.create_task(sender.run())
        yield discord, sender
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def _discord(size: Size) -> DiscordProcess:
    return DiscordProcess(*(option for number in range(size.forums) for option in ("--forum", f"pool-{number}")))


async def row(size: Size, load: float, number: int) -> tuple[Accepted, Accepted]:
    """One load on both, at the same time. AssertionError when anything is lost, doubled or out of order."""
    words = script(size, load, number)
    within = 60 + 3 * size.sessions * POSTS / size.ceiling
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
        _ours(size, client) as (our_discord, ours),
        _plain(size, client) as (their_discord, plain),
    ):
        mine, theirs = await asyncio.gather(
            _play(words, ours, our_discord, within), _play(words, plain, their_discord, within)
        )
    return mine, theirs


async def measure(size: Size = Size()) -> list[Figure]:  # frozen
    figures = []
    for number, load in enumerate(size.loads, start=1):
        mine, theirs = await row(size, load, number)
        name = f"discord_{load:.0%}".rstrip("%")
        figures += [
            tell(
                f"goodput_{name}_{which}_{kind}",
                of(mine.delays(1.0, first=first)),
                "s",
                of(theirs.delays(1.0, first=first)),
            )
            for which, first in (("first", True), ("later", False))
            for kind, of in (("p50", p50), ("p99", p99))
        ]
        posts = "saturated_discord_goodput" if load > 1 else f"goodput_{name}_posts"
        figures.append(tell(posts, mine.rate(), "posts/s", size.ceiling))
        figures.append(tell(f"{posts}_plain", theirs.rate(), "posts/s", size.ceiling))
    return figures


if __name__ == "__main__":
    uvloop.run(measure())
