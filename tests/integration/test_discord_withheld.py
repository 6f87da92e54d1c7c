"""What Discord keeps from us takes nothing from the customer: words without the intent, history without the right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person
from tests.simulators.discord.permissions import BOT


@pytest.fixture
async def discord() -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator(limits=False) as simulator:
        yield simulator


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


async def test_an_edit_whose_words_are_withheld_takes_nothing_back(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    await here.writes("hello")
    thread = await here.thread()
    message = kenji.say(thread, "On Monday")
    await here.reads("On Monday")
    discord.mischief.add(Fault.MALFORM, "MESSAGE_UPDATE", missing=("content",))
    kenji.edit(thread, message, "On Tuesday")

    async def is_told() -> bool:
        return "arrive empty" in (here.network.ready() or "")

    await here.until(is_told)
    kenji.say(thread, "At noon")
    await here.reads("On Monday", "At noon")
