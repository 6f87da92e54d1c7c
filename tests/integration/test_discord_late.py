"""What is written on Discord where a session is over, or has left: its author hears so, once, and it bears a mark."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.outward.late import NOT_SENT
from bridge.networks.late import owed
from routing.inputs import CustomerEnded
from tests.integration.discord_house import DISCORD, House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Message, Person, Thread
from tests.simulators.discord.permissions import BOT, P

POSTS = "POST /channels/{channel_id}/messages"
REACTS = "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me"


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "forum", private=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
def housed(engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel) -> Any:
    return partial(house, engine_url, tmp_path, discord, desks=[desk])


async def over(here: House, kenji: Person) -> Thread:
    """A session's thread, when the session is over."""
    await here.enrol(kenji)
    await here.listens()
    await here.writes("hello")
    thread = await here.thread()
    await here.does(CustomerEnded())
    await here.lanes_are_empty()
    return thread


def is_marked(message: Message) -> bool:
    return NOT_SENT in message.reactions


def answers(here: House, thread: Thread, message: Message) -> list[Message]:
    found = [one for one in here.discord.messages(thread) if one.reference]
    return [one for one in found if one.reference and one.reference["message_id"] == message.id]


async def nothing_is_owed(here: House) -> None:
    async def is_paid() -> bool:
        return not await here.store.shelf(owed(DISCORD))

    await here.until(is_paid)


async def test_its_author_is_told_once_and_it_bears_a_mark(housed: Any, kenji: Person) -> None:
    async with housed() as here:
        thread = await over(here, kenji)
        here.discord.mischief.add(Fault.DUPLICATE, "MESSAGE_CREATE")
        late = kenji.say(thread, "one more thing")
        await here.discord.until(lambda: is_marked(late))
        await here.settled()
        await nothing_is_owed(here)
        (told,) = answers(here, thread, late)
        assert "Not sent" in here.discord.seen(told)
        assert [ping.target for ping in told.pings] == [kenji.id]
        assert await here.replies_seen() == []


async def test_who_wrote_too_late_is_told_also_when_the_process_ended_before_it_could_say_so(
    housed: Any, discord: DiscordSimulator, kenji: Person
) -> None:
    async with housed(prefix="late-discord") as here:
        thread = await over(here, kenji)
        for route in (POSTS, REACTS):
            discord.mischief.add(Fault.SERVER_ERROR, route, times=None, status=503)
        late = kenji.say(thread, "too late")

        async def is_owed() -> bool:
            return len(await here.store.shelf(owed(DISCORD))) == 1

        await here.until(is_owed)
    assert not is_marked(late)
    discord.mischief.clear()
    async with housed(prefix="late-discord") as here:
        await here.discord.until(lambda: is_marked(late))
        await nothing_is_owed(here)
        assert len(answers(here, thread, late)) == 1


async def test_where_we_may_not_react_the_answer_says_it(
    housed: Any, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    async with housed() as here:
        thread = await over(here, kenji)
        discord.deny(desk, discord.guild.app.bot.id, P.ADD_REACTIONS)
        late = kenji.say(thread, "one more thing")
        await here.discord.until(lambda: answers(here, thread, late))
        await nothing_is_owed(here)
        assert not is_marked(late)
