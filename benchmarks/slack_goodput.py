"""How much of what Slack lets through gets through, and how long people wait for it: 300 sessions over 3 channels.

Slack takes one post a second in a channel, so three channels have a ceiling of three posts a second, and a few more at
the beginning, which are counted as allowed. Its clock runs four times as fast as ours.

See `benchmarks.goodput` for the load, the plain sender beside it, and what is counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import uvloop

from benchmarks import goodput
from benchmarks.customers import join
from benchmarks.figures import Figure
from benchmarks.goodput import LOADS, Contest, Ours, Outcome
from benchmarks.subjects import durable_redis, kakehashi
from tests.simulators.slack.remote import SlackProcess

CHANNELS = ("pool-1", "pool-2", "pool-3")

BURST = 4
"""Posts at once that Slack, as the simulator reads it, tolerates in a channel."""


@dataclass(frozen=True, slots=True)
class Size:
    sessions: int = 300
    speed: float = 4.0
    loads: tuple[float, ...] = LOADS

    @property
    def ceiling(self) -> float:
        return float(len(CHANNELS))

    def ceiling_of(self, seconds: float) -> float:
        return self.ceiling + BURST * len(CHANNELS) / seconds


def outcome() -> Outcome:
    return Outcome("post", "thread_ts")


class Plain(goodput.Plain):
    def __init__(self, slack: SlackProcess, client: aiohttp.ClientSession, size: Size) -> None:
        super().__init__()
        self._slack = slack
        self._client = client
        self._speed = size.speed
        self._free_at = dict.fromkeys(range(len(CHANNELS)), 0.0)

    async def open(self, session: int) -> str:
        return await self._post(session, "", "a session")

    async def post(self, session: int, thread: str, text: str) -> None:
        await self._post(session, thread, text)

    async def _post(self, session: int, thread: str, text: str) -> str:
        number = session % len(CHANNELS)
        args = {"channel": self._slack.state["channels"][CHANNELS[number]], "text": text, "thread_ts": thread}
        headers = {"Authorization": f"Bearer {self._slack.state['bot_token']}"}
        while True:
            await asyncio.sleep(max(0.0, self._free_at[number] - time.perf_counter()))
            address = f"{self._slack.state['api_url']}chat.postMessage"
            async with self._client.post(address, data=args, headers=headers) as answer:
                if answer.status == 429:
                    await asyncio.sleep(int(answer.headers["Retry-After"]) / self._speed)
                    continue
                self._free_at[number] = time.perf_counter() + 1 / self._speed
                return str((await answer.json())["ts"])


@asynccontextmanager
async def _ours(size: Size, client: aiohttp.ClientSession) -> AsyncIterator[tuple[SlackProcess, Ours]]:
    speed = size.speed
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(durable_redis())
        slack = await stack.enter_async_context(_slack(size))
        ids = ", ".join(f'"{slack.state["channels"][name]}"' for name in CHANNELS)
        changed = {
            "KAKEHASHI_SLACK__BOT_TOKEN": slack.state["bot_token"],
            "KAKEHASHI_SLACK__APP_TOKEN": slack.state["app_token"],
            "KAKEHASHI_SLACK__SIGNING_SECRET": "",
            "KAKEHASHI_SLACK__RATES__POSTS_PER_SECOND": str(speed),
            "KAKEHASHI_SLACK__RATES__BURST": "",
            "KAKEHASHI_SLACK__RATES__POSTS_PER_MINUTE": str(int(300 * speed)),
            "KAKEHASHI_SLACK__RATES__TIER_MULTIPLIER": str(speed),
        }
        policy = f'[desks.en]\nchannels = [{ids}]\nalert = "none"\n'
        subject = await stack.enter_async_context(
            kakehashi(redis, slack.state["api_url"], policy=policy, changed=changed)
        )
        customers = [await join(client, subject) for _ in range(size.sessions)]
        yield slack, Ours(customers)
        for one in customers:
            await one.leave()


@asynccontextmanager
async def _plain(size: Size, client: aiohttp.ClientSession) -> AsyncIterator[tuple[SlackProcess, Plain]]:
    async with _slack(size) as slack:
        sender = Plain(slack, client, size)
        async with sender.running():
            yield slack, sender


def _slack(size: Size) -> SlackProcess:
    channels = [option for name in CHANNELS for option in ("--channel", name)]
    return SlackProcess("--speed", str(size.speed), *channels)


async def measure(size: Size = Size()) -> list[Figure]:  # frozen
    return await goodput.measure(Contest(outcome, _ours, _plain), size, "", "s of Slack's")


if __name__ == "__main__":
    uvloop.run(measure())
