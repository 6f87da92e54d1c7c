"""What Discord keeps from us for want of a right is not taken for what is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person
from tests.simulators.discord.permissions import BOT, P

POST = "POST /channels/{channel_id}/messages"
READ = "GET /channels/{channel_id}/messages/{message_id}"


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "forum", private=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as one:
        await one.enrol(kenji)
        await one.listens()
        yield one


async def test_where_history_may_not_be_read_nothing_is_said_twice(
    here: House, discord: DiscordSimulator, desk: Channel
) -> None:
    """Discord gives nothing then, which is not the same as there being nothing."""
    await here.writes("hello")
    thread = await here.thread()
    await here.shows(thread, "hello")
    await here.lanes_are_empty()
    discord.habits.nonce_life = 0.0
    bot = discord.guild.app.bot.id
    discord.deny(desk, bot, P.READ_MESSAGE_HISTORY)
    discord.mischief.add(Fault.LOSE_ANSWER, POST)
    await here.writes("are you there")
    await discord.until(lambda: any(call.code == 50013 for call in discord.calls_of(READ)))
    discord.allow(desk, bot, P.READ_MESSAGE_HISTORY)
    await here.lanes_are_empty()
    assert sum("are you there" in line for line in here.said(thread)) == 1
