"""Who listens, what happens when it dies, and what is said when nothing can be heard."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from adapters.discord import gateway
from adapters.discord.channels import Channels
from adapters.discord.checkup import checkup
from adapters.discord.client import RestApi
from adapters.discord.gateway import Gateway
from adapters.redis.store import RedisStore
from routing.ids import Place
from tests.contract.engines import opened
from tests.integration.discord_house import settings
from tests.simulators.discord import DiscordSimulator, Fault


@pytest.fixture
async def discord() -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator(limits=False) as simulator:
        yield simulator


@pytest.fixture
async def store(engine_url: str) -> AsyncIterator[RedisStore]:
    async with opened(engine_url, secrets.token_hex(4)) as one:
        yield one


class Listener:
    """A process's gateway, and what it heard."""

    def __init__(self, discord: DiscordSimulator, store: RedisStore, holder: str) -> None:
        self.heard: list[str] = []
        self.gateway = Gateway(settings(discord), store, holder, self._take)
        self.task: asyncio.Task[None] | None = None

    def _take(self, kind: str, data: Any, told: str) -> None:
        if kind == "MESSAGE_CREATE":
            self.heard.append(data["content"])


@asynccontextmanager
async def listening(discord: DiscordSimulator, store: RedisStore, holder: str) -> AsyncIterator[Listener]:
    one = Listener(discord, store, holder)
    task = one.task = asyncio.create_task(one.gateway.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Any) -> None:
    for _ in range(3_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never became so")


async def test_one_process_listens_and_the_next_takes_over_from_one_that_stops(
    discord: DiscordSimulator, store: RedisStore
) -> None:
    channel, kenji = discord.channel("support"), discord.person("kenji")
    async with listening(discord, store, "second") as second, listening(discord, store, "first") as first:
        await until(lambda: first.gateway.ready or second.gateway.ready)
        leader, other = (first, second) if first.gateway.ready else (second, first)
        kenji.say(channel, "one")
        await until(lambda: leader.heard == ["one"])
        assert other.heard == []
        assert leader.task is not None
        leader.task.cancel()
        await until(lambda: other.gateway.ready)
        kenji.say(channel, "two")
        await until(lambda: other.heard == ["two"])
        assert leader.heard == ["one"]


async def test_a_process_that_dies_without_a_word_is_replaced_within_five_seconds(
    discord: DiscordSimulator, store: RedisStore
) -> None:
    await store.hold(gateway.LEASE, "died", gateway.TTL)
    begun = monotonic()
    async with listening(discord, store, "next") as following:
        await until(lambda: following.gateway.ready)
    assert monotonic() - begun < 5.0


async def test_a_client_that_an_event_has_broken_is_begun_anew(discord: DiscordSimulator, store: RedisStore) -> None:
    channel, kenji = discord.channel("support"), discord.person("kenji")
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.ready)
        discord.mischief.add(Fault.MALFORM, "MESSAGE_CREATE", missing=("id", "author"))
        kenji.say(channel, "broken")
        await until(lambda: not one.gateway.ready)
        await until(lambda: one.gateway.ready)
        kenji.say(channel, "whole")
        await until(lambda: "whole" in one.heard)


async def test_a_lost_intent_is_said_plainly(discord: DiscordSimulator, store: RedisStore) -> None:
    discord.guild.app.privileged = set()
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.trouble.lasting)
        assert "Message Content Intent" in one.gateway.trouble.what


async def test_doctor_says_what_token_intent_and_channels_are_like(
    discord: DiscordSimulator, store: RedisStore
) -> None:
    forum, hidden = discord.channel("desk", "forum", private=True), discord.channel("hidden", private=True, bot=False)
    api = RestApi(settings(discord), store)
    await api.open()
    try:
        places = [Place(forum.id), Place(hidden.id)]
        found = await checkup(api, Channels(api), places)
        assert [one.level for one in found if "lacks" not in one.what] == ["ok", "ok", "fail"]
        assert found[-1].mend
        discord.guild.app.privileged = set()
        (_, intent, *_) = await checkup(api, Channels(api), places)
        assert (intent.level, "Message Content Intent" in intent.mend) == ("fail", True)
        await discord.reset_token()
        (refused,) = await checkup(api, Channels(api), places)
        assert (refused.level, "discord.bot_token" in refused.mend) == ("fail", True)
    finally:
        await api.close()
