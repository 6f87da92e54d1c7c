"""What the server's filter does not let through is said to be there, and holds up nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.messages import Body, TextPart
from routing.inputs import CustomerRevised
from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person
from tests.simulators.discord.permissions import BOT

MESSAGES = "POST /channels/{channel_id}/messages"
HARMFUL, AUTOMOD, TITLE = 240000, 200000, 200001
BAD = "evil.example"


@pytest.fixture(params=["forum", "text"])
def desk(request: pytest.FixtureRequest, discord: DiscordSimulator) -> Channel:
    return discord.channel("support", request.param, private=True)


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
        yield one


def filters(discord: DiscordSimulator, code: int, words: str = BAD) -> None:
    """From now on nothing with these words in it is let through."""

    def holds(told: Any) -> bool:
        return words in str(told)

    discord.mischief.add(Fault.REFUSE, times=None, status=400, code=code, where=holds)


@pytest.mark.parametrize("code", [HARMFUL, AUTOMOD])
async def test_a_customers_harmful_link_holds_up_nothing_of_the_session(
    here: House, discord: DiscordSimulator, kenji: Person, code: int
) -> None:
    filters(discord, code)
    await here.writes(f"Is https://{BAD} yours?")
    thread = await here.thread()
    await here.writes("It asked for my password")
    said = await here.shows(thread, "filter does not let this be shown", "It asked for my password")
    assert not any(BAD in line for line in said)
    kenji.say(thread, "No, it is not ours")
    await here.reads("No, it is not ours")
    await here.lanes_are_empty()
    assert (await here.shows(thread, "It asked"))[-1].endswith("No, it is not ours"), "no line of anything set aside"


async def test_what_a_message_is_changed_to_likewise_and_back_again(here: House, discord: DiscordSimulator) -> None:
    await here.writes("Is it yours?")
    thread = await here.thread()
    await here.shows(thread, "Is it yours?")
    filters(discord, HARMFUL)
    (spoken,) = (await here.session()).session.recent
    await here.does(CustomerRevised(spoken.message, 1), Body((TextPart(f"Is {BAD} yours?"),)))
    said = await here.shows(thread, "filter does not let this be shown")
    assert not any("Is it yours?" in line for line in said if "before" not in line)
    await here.does(CustomerRevised(spoken.message, 2), Body((TextPart("Is the other one yours?"),)))
    discord.mischief.clear()
    await here.shows(thread, "Is the other one yours?")


@pytest.mark.parametrize("code", [AUTOMOD, TITLE])
async def test_a_name_that_the_filter_does_not_like_opens_a_thread_without_it(
    here: House, discord: DiscordSimulator, code: int
) -> None:
    filters(discord, code, "Badword")
    await here.writes("Where is it?", name="Badword")
    thread = await here.thread()
    assert "Badword" not in thread.name
    assert (await here.session()).session.code in thread.name
    await here.shows(thread, "filter does not let this be shown")


async def test_a_thread_that_begins_anew_begins_without_what_is_filtered(
    here: House, discord: DiscordSimulator
) -> None:
    await here.writes(f"Is {BAD} yours?")
    thread = await here.thread()
    await here.shows(thread, BAD)
    await here.lanes_are_empty()
    filters(discord, HARMFUL)
    moderator = discord.person("mod", moderator=True)
    discord.allow(here.desk, moderator.id, BOT, quietly=True)
    moderator.delete_thread(thread)
    await here.writes("Hello?")
    await discord.until(lambda: discord.threads(here.desk))
    await here.shows(discord.threads(here.desk)[0], "filter does not let this be shown", "Hello?")
