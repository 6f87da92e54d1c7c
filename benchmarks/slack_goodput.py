"""How much of what Slack lets through gets through, and how long people wait for it: 300 sessions over 3 channels.

Slack takes one post a second in a channel, so three channels have a ceiling of three posts a second, and a few more at
the beginning, which are counted as allowed. What is counted against it is *posts* that Slack accepted while the load
lasted: roots, messages, merged messages as one. How many messages stand in a post is a figure of its own.

A customer opens a session and later says two things more; without merging that is four posts (the root is one). The
load is offered at 50 %, 90 % and 150 % of the ceiling, counted so. Delays run from the customer's frame until Slack has
accepted the post that bears the words.

Beside it, in the same run, under the same load, with a simulator of its own: a plain sender, one loop that posts in the
order of arrival, knows the same limits and waits as long as a 429 says. It has no service around it, keeps nothing, and
merges nothing.

Slack's clock runs `speed` times as fast as ours, its limits and the senders' with it. All times are told in Slack's
seconds, so our own time counts `speed` times: the figures flatter nobody but Slack.

In every row nothing may be lost or doubled, and each session's messages must stand in their order; else it fails.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
import uvloop

from benchmarks.customers import KakehashiCustomer, join
from benchmarks.figures import Figure, p50, p99, tell
from benchmarks.platform import TOKEN
from benchmarks.subjects import durable_redis, kakehashi
from tests.simulators.slack.remote import SlackProcess

CHANNELS = ("pool-1", "pool-2", "pool-3")
POSTS = 4
"""Of one session without merging: its root, its first message, two later ones."""

LATER = (4.0, 6.0)
"""Seconds of Slack's clock after its first message at which a customer says more."""

BURST = 4
"""Posts at once that Slack, as the simulator reads it, tolerates in a channel."""


@dataclass(frozen=True, slots=True)
class Size:
    """`speed`: seconds of Slack's clock in one of ours."""

    sessions: int = 300
    speed: float = 4.0
    loads: tuple[float, ...] = (0.5, 0.9, 1.5)

    @property
    def ceiling(self) -> float:
        """Posts in a second of Slack's clock."""
        return float(len(CHANNELS))


@dataclass(slots=True)
class Outcome:
    """What one sender made of one load; times by this machine's clock."""

    said: dict[str, float] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)
    posts: list[float] = field(default_factory=list)
    order: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, post: dict[str, Any]) -> None:
        if post["kind"] != "post":
            return
        self.posts.append(post["accepted"])
        for token in (found.decode() for found in TOKEN.findall(post["text"].encode())):
            self.order[post["thread_ts"]].append(token)
            self.accepted.setdefault(token, post["accepted"])

    def check(self) -> None:
        """Nothing lost, nothing doubled, each session's in order and in one thread."""
        sessions = defaultdict(list)
        for token in self.said:
            sessions[_session(token)].append(token)
        assert sorted(self.order.values()) == sorted(sessions.values()), "lost, doubled or out of order"

    def delays(self, speed: float, *, first: bool) -> list[float]:
        """Seconds of Slack's clock."""
        wanted = [token for token in self.said if token.endswith("-0") == first]
        return [(self.accepted[token] - self.said[token]) * speed for token in wanted]

    def goodput(self, size: Size) -> tuple[float, float]:
        """Posts in a second of Slack's clock while the load lasted: those that Slack accepted, and those that it would
        have accepted at most, its tolerance for a burst included."""
        begun, ended = min(self.said.values()), max(self.said.values())
        seconds = (ended - begun) * size.speed
        posted = sum(begun <= one < ended for one in self.posts)
        return posted / seconds, size.ceiling + BURST * len(CHANNELS) / seconds


def _session(token: str) -> str:
    return token.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Word:
    """`at`: when it is said, in Slack's seconds from the start."""

    at: float
    session: int
    token: str


class Offered(Protocol):
    """How much is said: so many sessions, at loads that are shares of the ceiling (posts in a second)."""

    @property
    def sessions(self) -> int: ...
    @property
    def ceiling(self) -> float: ...


def script(size: Offered, load: float, row: int) -> list[Word]:
    """Who says what when. The pauses between openings are drawn, with a mean that makes the load."""
    chance, at = random.Random(row), 0.0
    words = []
    for number in range(size.sessions):
        at += chance.expovariate(size.ceiling * load / POSTS)
        moments = (at, *(at + later for later in LATER))
        words += [Word(moment, number, f"bench-{row}{number:04}-{place}") for place, moment in enumerate(moments)]
    return sorted(words, key=lambda word: word.at)


# ------------------------------------------------------------------ the two senders


class Ours:
    """Customers at their sockets."""

    def __init__(self, customers: Sequence[KakehashiCustomer]) -> None:
        self._customers = customers

    async def say(self, word: Word) -> None:
        await self._customers[word.session].say(word.token)


class Plain:
    """One loop, in the order of arrival."""

    def __init__(self, slack: SlackProcess, client: aiohttp.ClientSession, size: Size) -> None:
        self._slack = slack
        self._client = client
        self._speed = size.speed
        self._words: asyncio.Queue[Word] = asyncio.Queue()
        self._roots: dict[int, str] = {}
        self._free_at = dict.fromkeys(range(len(CHANNELS)), 0.0)

    async def say(self, word: Word) -> None:
        self._words.put_nowait(word)

    async def run(self) -> None:
        while True:
            word = await self._words.get()
            if word.session not in self._roots:
                self._roots[word.session] = await self._post(word.session, "a session", "")
            await self._post(word.session, f"hello {word.token}", self._roots[word.session])

    async def _post(self, session: int, text: str, thread: str) -> str:
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


# ------------------------------------------------------------------ a row


async def _play(words: Sequence[Word], sender: Ours | Plain, slack: SlackProcess, size: Size, within: float) -> Outcome:
    """Say it all, and wait until Slack has it all."""
    outcome, done = Outcome(), asyncio.Event()
    wanted = {word.token for word in words}

    async def watch() -> None:
        async for post in slack.watch():
            outcome.note(post)
            if wanted <= outcome.accepted.keys():
                done.set()

    watching = asyncio.create_task(watch())
    begun = time.perf_counter()
    for word in words:
        await asyncio.sleep(max(0.0, begun + word.at / size.speed - time.perf_counter()))
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
        running = asyncio.create_task(sender.run())
        yield slack, sender
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def _slack(size: Size) -> SlackProcess:
    channels = [option for name in CHANNELS for option in ("--channel", name)]
    return SlackProcess("--speed", str(size.speed), *channels)


async def row(size: Size, load: float, number: int) -> tuple[Outcome, Outcome]:
    """One load on both, at the same time. AssertionError when anything is lost, doubled or out of order."""
    words = script(size, load, number)
    within = 60 + 2 * size.sessions * POSTS / size.ceiling / size.speed
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(connector=connector) as client,
        _ours(size, client) as (our_slack, ours),
        _plain(size, client) as (their_slack, plain),
    ):
        mine, theirs = await asyncio.gather(
            _play(words, ours, our_slack, size, within), _play(words, plain, their_slack, size, within)
        )
    return mine, theirs


async def measure(size: Size = Size()) -> list[Figure]:  # frozen
    figures = []
    for number, load in enumerate(size.loads, start=1):
        mine, theirs = await row(size, load, number)
        name, speed = f"{load:.0%}".rstrip("%"), size.speed
        figures += [
            tell(
                f"goodput_{name}_{which}_{kind}",
                of(mine.delays(speed, first=first)),
                "s of Slack's",
                of(theirs.delays(speed, first=first)),
            )
            for which, first in (("first", True), ("later", False))
            for kind, of in (("p50", p50), ("p99", p99))
        ]
        posts = "saturated_goodput" if load > 1 else f"goodput_{name}_posts"
        figures.append(tell(posts, mine.goodput(size)[0], "posts/s", mine.goodput(size)[1]))
        figures.append(tell(f"{posts}_plain", theirs.goodput(size)[0], "posts/s", theirs.goodput(size)[1]))
        figures.append(
            tell(f"goodput_{name}_merged", len(mine.said) / (len(mine.posts) - size.sessions), "messages/post", 1.0)
        )
    return figures


if __name__ == "__main__":
    uvloop.run(measure())
