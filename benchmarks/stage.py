"""The stage that most figures are measured on: one Redis, one platform, both subjects, customers at both."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from benchmarks.customers import BareCustomer, Customer, KakehashiCustomer, join, join_bare
from benchmarks.platform import Platform, platform
from benchmarks.subjects import Subject, bare, durable_redis, kakehashi

_ROUNDS = itertools.count()


@dataclass(slots=True)
class Stage:
    platform: Platform
    ours: Subject
    floor: Subject
    our_customers: Sequence[KakehashiCustomer]
    floor_customers: Sequence[BareCustomer]
    client: aiohttp.ClientSession


@asynccontextmanager
async def stage(customers: int) -> AsyncIterator[Stage]:
    """So many customers at each subject, everything warm: sessions open, threads placed."""
    async with (
        durable_redis() as redis,
        platform() as slack,
        kakehashi(redis, slack.url) as ours,
        bare(redis, slack.url) as floor,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
    ):
        mine = [await join(client, ours) for _ in range(customers)]
        theirs = [await join_bare(client, floor, f"c{number}") for number in range(customers)]
        set_up = Stage(slack, ours, floor, mine, theirs, client)
        for crowd in (mine, theirs):
            await speak(set_up, crowd)
            await speak(set_up, crowd)
        gc.collect()
        gc.disable()  # of this program, which only measures
        yield set_up
        gc.enable()
        for one in (*mine, *theirs):
            await one.leave()


async def speak(stage: Stage, crowd: Sequence[Customer]) -> list[float]:
    """Each of the crowd says one thing, all at once. Seconds from the customer's frame to the platform's request."""
    round_number = next(_ROUNDS)
    tokens = [f"bench-{round_number}-{one.number}" for one in crowd]
    begun = await asyncio.gather(*(one.say(token) for one, token in zip(crowd, tokens, strict=True)))
    await stage.platform.until(set(tokens))
    return [stage.platform.arrived[token] - start for token, start in zip(tokens, begun, strict=True)]
