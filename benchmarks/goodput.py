"""How much of what a platform lets through gets through, and how long people wait for it: what is alike for each.

A customer opens a session and later says two things more; without merging that is four posts (the root is one). The
load is offered at 50 %, 90 % and 150 % of the platform's ceiling, counted so. What is counted against the ceiling is
*posts* that the platform accepted while the whole load lasted: roots, messages, merged messages as one. (Until the
first customer has said all that it says, and once the last one has come, the load is smaller, and no sender could reach
the ceiling.) How many messages stand in a post is a figure of its own. Delays run from the customer's frame until the
platform has accepted the post that bears the words.

Beside it, in the same run, under the same load, with a simulator of its own: a plain sender, one loop that posts in the
order of arrival, knows the same limits and waits as long as a 429 says. It has no service around it, keeps nothing, and
merges nothing.

The platform's clock may run `speed` times as fast as ours, its limits and the senders' with it. All times are told in
its seconds, so our own time counts `speed` times: the figures flatter nobody but the platform.

In every row nothing may be lost or doubled, and each session's messages must stand in their order; else it fails.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import aiohttp

from benchmarks.customers import KakehashiCustomer
from benchmarks.figures import Figure, p50, p99, tell
from benchmarks.platform import TOKEN

POSTS = 4
"""Of one session without merging: its root, its first message, two later ones."""

LATER = (4.0, 6.0)
"""Seconds of the platform's clock after its first message at which a customer says more."""

LOADS = (0.5, 0.9, 1.5)
"""Shares of the ceiling."""


class Size(Protocol):
    """`speed`: seconds of the platform's clock in one of ours. All else is told in the platform's seconds."""

    @property
    def sessions(self) -> int: ...
    @property
    def speed(self) -> float: ...
    @property
    def loads(self) -> tuple[float, ...]: ...
    @property
    def ceiling(self) -> float:
        """Posts in a second for good."""
        ...

    def ceiling_of(self, seconds: float) -> float:
        """Posts in a second that are accepted at most in so many seconds, the platform's tolerance included."""
        ...


S = TypeVar("S", bound=Size)


@dataclass(frozen=True, slots=True)
class Word:
    """`at`: when it is said, in the platform's seconds from the start."""

    at: float
    session: int
    token: str


def script(size: Size, load: float, row: int) -> list[Word]:
    """Who says what when. The pauses between openings are drawn, with a mean that makes the load."""
    chance, at = random.Random(row), 0.0
    words = []
    for number in range(size.sessions):
        at += chance.expovariate(size.ceiling * load / POSTS)
        moments = (at, *(at + later for later in LATER))
        words += [Word(moment, number, f"bench-{row}{number:04}-{place}") for place, moment in enumerate(moments)]
    return sorted(words, key=lambda word: word.at)


# ------------------------------------------------------------------ what came of it


@dataclass(slots=True)
class Outcome:
    """What one sender made of one load; times by this machine's clock. `kind`: of what the platform tells, that which
    is a post; `thread`: where it says which thread that stands in."""

    kind: str
    thread: str
    said: dict[str, float] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)
    posts: list[float] = field(default_factory=list)
    order: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, post: dict[str, Any]) -> None:
        if post["kind"] != self.kind:
            return
        self.posts.append(post["accepted"])
        for token in (found.decode() for found in TOKEN.findall(post["text"].encode())):
            self.order[post[self.thread]].append(token)
            self.accepted.setdefault(token, post["accepted"])

    def check(self) -> None:
        """Nothing lost, nothing doubled, each session's in order and in one thread."""
        sessions = defaultdict(list)
        for token in self.said:
            sessions[_session(token)].append(token)
        assert sorted(self.order.values()) == sorted(sessions.values()), "lost, doubled or out of order"

    def delays(self, size: Size, *, first: bool) -> list[float]:
        wanted = [token for token in self.said if token.endswith("-0") == first]
        return [(self.accepted[token] - self.said[token]) * size.speed for token in wanted]

    def goodput(self, size: Size) -> tuple[float, float]:
        """Posts in a second while the whole load lasted: those that were accepted, and those that would have been at
        most."""
        begun, ended = self._whole_load(size)
        seconds = (ended - begun) * size.speed
        return sum(begun <= one < ended for one in self.posts) / seconds, size.ceiling_of(seconds)

    def _whole_load(self, size: Size) -> tuple[float, float]:
        """From when the first customer has said all until the last one comes; one too short for that as a whole."""
        begun = min(self.said.values()) + LATER[-1] / size.speed
        ended = max(at for token, at in self.said.items() if token.endswith("-0"))
        return (begun, ended) if begun < ended else (min(self.said.values()), max(self.said.values()))

    def merged(self, size: Size) -> float:
        """Messages in a post that is not a root."""
        return len(self.said) / (len(self.posts) - size.sessions)


def _session(token: str) -> str:
    return token.rpartition("-")[0]


# ------------------------------------------------------------------ the two senders


class Sender(Protocol):
    async def say(self, word: Word) -> None: ...


class Ours:
    """Customers at their sockets."""

    def __init__(self, customers: Sequence[KakehashiCustomer]) -> None:
        self._customers = customers

    async def say(self, word: Word) -> None:
        await self._customers[word.session].say(word.token)


class Plain:
    """One loop, in the order of arrival. A platform's own says how a thread is opened there, and how words are posted
    in it; both wait for the limits that they know."""

    def __init__(self) -> None:
        self._words: asyncio.Queue[Word] = asyncio.Queue()
        self._threads: dict[int, str] = {}

    async def open(self, session: int) -> str:
        """The new thread."""
        raise NotImplementedError

    async def post(self, session: int, thread: str, text: str) -> None:
        raise NotImplementedError

    async def say(self, word: Word) -> None:
        self._words.put_nowait(word)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        yield
        await _end(task)

    async def _run(self) -> None:
        while True:
            word = await self._words.get()
            if word.session not in self._threads:
                self._threads[word.session] = await self.open(word.session)
            await self.post(word.session, self._threads[word.session], f"hello {word.token}")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


# ------------------------------------------------------------------ a row


class Platform(Protocol):
    def watch(self) -> AsyncIterator[dict[str, Any]]:
        """All that it accepts, as it accepts it."""
        ...


@dataclass(frozen=True, slots=True)
class Contest(Generic[S]):
    """`outcome` makes one with nothing in it; `ours` and `plain` bring a platform of their own."""

    outcome: Callable[[], Outcome]
    ours: Callable[[S, aiohttp.ClientSession], AbstractAsyncContextManager[tuple[Platform, Sender]]]
    plain: Callable[[S, aiohttp.ClientSession], AbstractAsyncContextManager[tuple[Platform, Sender]]]

    async def row(self, size: S, load: float, number: int) -> tuple[Outcome, Outcome]:
        """One load on both, at the same time. AssertionError when anything is lost, doubled or out of order."""
        words = script(size, load, number)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
            self.ours(size, client) as ours,
            self.plain(size, client) as plain,
        ):
            mine, theirs = await asyncio.gather(self._play(words, size, *ours), self._play(words, size, *plain))
        return mine, theirs

    async def _play(self, words: Sequence[Word], size: S, platform: Platform, sender: Sender) -> Outcome:
        """Say it all, and wait until the platform has it all."""
        outcome, done = self.outcome(), asyncio.Event()
        wanted = {word.token for word in words}

        async def watch() -> None:
            async for post in platform.watch():
                outcome.note(post)
                if wanted <= outcome.accepted.keys():
                    done.set()

        watching = asyncio.create_task(watch())
        begun = time.perf_counter()
        for word in words:
            await asyncio.sleep(max(0.0, begun + word.at / size.speed - time.perf_counter()))
            outcome.said[word.token] = time.perf_counter()
            await sender.say(word)
        async with asyncio.timeout(60 + 3 * size.sessions * POSTS / size.ceiling / size.speed):
            await done.wait()
        await _end(watching)
        outcome.check()
        return outcome


async def measure(contest: Contest[S], size: S, platform: str, seconds: str) -> list[Figure]:
    """All rows. `platform` stands in the figures' names, with its underscore; `seconds` is how its seconds are told."""
    figures = []
    for number, load in enumerate(size.loads, start=1):
        mine, theirs = await contest.row(size, load, number)
        name = f"goodput_{platform}{load:.0%}".rstrip("%")
        figures += [
            tell(
                f"{name}_{which}_{kind}",
                of(mine.delays(size, first=first)),
                seconds,
                of(theirs.delays(size, first=first)),
            )
            for which, first in (("first", True), ("later", False))
            for kind, of in (("p50", p50), ("p99", p99))
        ]
        posts = f"saturated_{platform}goodput" if load > 1 else f"{name}_posts"
        figures += [
            tell(f"{posts}{whose}", one.goodput(size)[0], "posts/s", one.goodput(size)[1])
            for whose, one in (("", mine), ("_plain", theirs))
        ]
        figures.append(tell(f"{name}_merged", mine.merged(size), "messages/post", theirs.merged(size)))
    return figures
