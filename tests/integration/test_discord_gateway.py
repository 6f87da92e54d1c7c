"""Who listens, what happens when it dies, and what is said when nothing can be heard."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from adapters.discord.places.channels import Channels
from adapters.discord.setup.checkup import Setup, checkup
from adapters.discord.wire import gateway, identifies
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.gateway import Gateway
from adapters.discord.wire.identifies import SCARCE, Identifies
from adapters.redis.store import RedisStore
from routing.ids import Place
from tests.contract.engines import opened
from tests.integration.discord_house import settings
from tests.simulators.discord import DiscordSimulator, Fault


@pytest.fixture
async def store(engine_url: str) -> AsyncIterator[RedisStore]:
    async with opened(engine_url, secrets.token_hex(4)) as one:
        yield one


class Listener:
    """A process's gateway, and what it heard."""

    def __init__(self, discord: DiscordSimulator, store: RedisStore, holder: str) -> None:
        self.heard: list[str] = []
        self.api = RestApi(settings(discord), store)
        self.gateway = Gateway(settings(discord), store, holder, self._take, Identifies(store, self.api, 0.02))
        self.task: asyncio.Task[None] | None = None

    def _take(self, kind: str, data: Any, told: str) -> None:
        if kind == "MESSAGE_CREATE":
            self.heard.append(data["content"])


@asynccontextmanager
async def listening(discord: DiscordSimulator, store: RedisStore, holder: str) -> AsyncIterator[Listener]:
    one = Listener(discord, store, holder)
    await one.api.open()
    task = one.task = asyncio.create_task(one.gateway.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await one.api.close()


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


async def test_a_client_that_has_ended_is_begun_anew(discord: DiscordSimulator, store: RedisStore) -> None:
    channel, kenji = discord.channel("support"), discord.person("kenji")
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.ready)
        (first,) = discord.gateway.listening
        first.send({"op": 10, "d": None, "t": None, "s": None})
        await until(lambda: discord.gateway.listening and first not in discord.gateway.listening)
        await until(lambda: one.gateway.ready)
        kenji.say(channel, "whole")
        await until(lambda: "whole" in one.heard)


@pytest.mark.parametrize(
    ("event", "missing"), [("MESSAGE_CREATE", ("id", "author")), ("GUILD_CREATE", ("channels", "roles", "name"))]
)
async def test_what_the_library_can_make_no_model_of_ends_no_connection(
    discord: DiscordSimulator, store: RedisStore, event: str, missing: tuple[str, ...]
) -> None:
    """A server's own form may be one that the library does not know: nobody would hear anything of it, however often
    a client is begun anew."""
    channel, kenji = discord.channel("support"), discord.person("kenji")
    discord.mischief.add(Fault.MALFORM, event, missing=missing)
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.ready)
        kenji.say(channel, "broken")
        kenji.say(channel, "whole")
        await until(lambda: "whole" in one.heard)
        assert len(discord.gateway.identifies) == 1


async def test_a_lost_intent_is_said_plainly(discord: DiscordSimulator, store: RedisStore) -> None:
    discord.guild.app.privileged = set()
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.trouble.lasting)
        assert "Message Content Intent" in one.gateway.trouble.what


async def test_a_connection_whose_heartbeats_nobody_acknowledges_is_resumed_on_another(
    discord: DiscordSimulator, store: RedisStore
) -> None:
    """Events still come over it, so a look at the last sign of life would not tell."""
    discord.habits.heartbeat_interval = 0.1
    channel, kenji = discord.channel("support"), discord.person("kenji")
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.ready)
        (first,) = discord.gateway.listening
        first.withhold_acks()
        await until(lambda: discord.gateway.resumes == 1 and one.gateway.ready)
        kenji.say(channel, "heard")
        await until(lambda: one.heard == ["heard"])
        assert len(discord.gateway.identifies) == 1


async def test_where_nobody_answers_at_the_address_to_resume_on_it_is_resumed_where_it_began(
    discord: DiscordSimulator, store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "DISCORDS", "127.0.0.1")  # READY's address counts, as with Discord itself
    discord.habits.resume_url = "ws://127.0.0.1:9/"
    channel, kenji = discord.channel("support"), discord.person("kenji")
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.ready)
        (first,) = discord.gateway.listening
        first.drop()
        kenji.say(channel, "said meanwhile")
        await until(lambda: "said meanwhile" in one.heard)
        assert len(discord.gateway.identifies) == 1


async def test_behind_an_address_of_its_own_it_resumes_there_and_not_at_discords(
    discord: DiscordSimulator, store: RedisStore
) -> None:
    discord.habits.resume_url = "ws://127.0.0.1:9/"
    channel, kenji = discord.channel("support"), discord.person("kenji")
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.ready)
        discord.gateway.listening[0].drop()
        await until(lambda: discord.gateway.resumes == 1 and one.gateway.ready)
        kenji.say(channel, "heard")
        await until(lambda: one.heard == ["heard"])


@pytest.mark.parametrize("close_code", [4004, 4013])
async def test_what_a_person_has_to_mend_is_said_and_not_tried_hot(
    discord: DiscordSimulator, store: RedisStore, monkeypatch: pytest.MonkeyPatch, close_code: int
) -> None:
    monkeypatch.setattr(gateway, "AGAIN_AFTER", (0.01,))
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.ready)
        if close_code == 4004:
            discord.guild.app.token = "another"
        (first,) = discord.gateway.listening
        await first.close(close_code)
        await until(lambda: one.gateway.trouble.lasting)
        calls = len(discord.calls)
        await asyncio.sleep(0.3)  # thirty tries, if it were hot
        assert len(discord.calls) - calls <= 1
        assert "Discord refuses" in one.gateway.trouble.what


async def test_a_token_that_is_refused_while_messages_may_not_be_read_is_not_tried_hot_either(
    discord: DiscordSimulator, store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "AGAIN_AFTER", (0.01,))
    discord.guild.app.privileged = set()
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.blind and one.gateway.ready)
        discord.guild.app.token = "another"
        await discord.gateway.listening[0].close(4004)
        await until(lambda: "refuses the bot token" in one.gateway.trouble.what)
        calls = len(discord.calls)
        await asyncio.sleep(0.3)  # thirty tries, if it were hot
        assert len(discord.calls) - calls <= 1


async def test_a_crash_loop_does_not_use_up_the_connections_of_the_day(
    discord: DiscordSimulator, store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identifies, "A_DAY_BURST", 2)
    for holder in ("first", "second"):
        async with listening(discord, store, holder) as one:
            await until(lambda: one.gateway.ready)
    async with listening(discord, store, "third") as one:
        await until(lambda: "too many" in one.gateway.trouble.what)
    assert len(discord.gateway.identifies) == 2


async def test_what_discord_says_is_left_of_the_day_counts_whoever_used_it(
    discord: DiscordSimulator, store: RedisStore
) -> None:
    discord.gateway.identifies.extend([discord.clock.now()] * (discord.habits.identifies_a_day - 1))
    async with listening(discord, store, "one") as one:
        await until(lambda: "too many" in one.gateway.trouble.what)
        assert discord.gateway.identifies_left == 1
    assert SCARCE > 1


async def test_who_gets_no_connection_leaves_the_lease_to_others(
    discord: DiscordSimulator, store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "AGAIN_AFTER", (0.01,))
    discord.mischief.add(Fault.REFUSE, "GET /users/@me", times=None, status=400, code=0)
    async with listening(discord, store, "one") as one:
        await until(lambda: one.gateway.leads)
        await until(lambda: not one.gateway.leads)
        assert await store.hold(gateway.LEASE, "other", gateway.TTL) is not None


async def test_doctor_says_what_token_intent_and_channels_are_like(
    discord: DiscordSimulator, store: RedisStore
) -> None:
    forum, hidden = discord.channel("desk", "forum", private=True), discord.channel("hidden", private=True, bot=False)
    api = RestApi(settings(discord), store)
    await api.open()
    try:
        setup = Setup([Place(forum.id), Place(hidden.id)])
        found = await checkup(api, Channels(api), setup)
        assert [one.level for one in found if "lacks" not in one.what] == ["ok", "ok", "fail"]
        assert found[-1].mend
        discord.guild.app.privileged = set()
        (_, intent, *_) = await checkup(api, Channels(api), setup)
        assert (intent.level, "Message Content Intent" in intent.mend) == ("fail", True)
        await discord.reset_token()
        (refused,) = await checkup(api, Channels(api), setup)
        assert (refused.level, "discord.bot_token" in refused.mend) == ("fail", True)
    finally:
        await api.close()
