"""Discord is away: sessions go on, the built-in desk takes over, and in the end the thread has everything, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.messages import Body, TextPart
from bridge.relay import Receipt
from bridge.takeovers import SPACE
from routing.ids import InputKey, MessageId, OperatorId, SessionId
from routing.inputs import OperatorReplied
from tests.integration.discord_house import DISCORD, House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person
from tests.simulators.discord.permissions import BOT, P

SOON = 1_500
"""ms until the built-in desk takes over."""

AIKO = OperatorId("aiko")


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
    async with house(engine_url, tmp_path, discord, desks=[desk], takeover_after=SOON) as one:
        await one.enrol(kenji)
        await one.listens()
        yield one


async def desk_says(here: House, session: SessionId, text: str) -> None:
    event = OperatorReplied(MessageId(f"o:{text}"), AIKO)
    answer = await here.relay.from_operator(session, event, InputKey(f"desk/{text}"), body=Body((TextPart(text),)))
    assert isinstance(answer, Receipt)


async def taken_over(here: House) -> bool:
    return (await here.session()).session.taken_over is not None


async def caught_up(here: House) -> bool:
    session = (await here.session()).session
    return session.taken_over is None and await here.store.lane_states(session.id, DISCORD) is None


async def test_while_discord_is_down_the_desk_takes_over_and_the_thread_shows_it_all_in_order_afterwards(
    here: House, kenji: Person
) -> None:
    session = (await here.writes("first")).stored.session.id
    thread = await here.thread()
    await here.until(lambda: caught_up(here))
    before = len(here.said(thread))
    here.discord.go_down(Fault.SERVER_ERROR, status=503)
    await here.writes("is anybody there?")
    await here.until(lambda: taken_over(here))
    await desk_says(here, session, "I am here")
    await here.writes("good")
    assert await here.replies_seen() == ["I am here"]
    await here.discord.until(lambda: here.network.ready() is not None)
    here.discord.come_back()
    await here.until(lambda: caught_up(here))
    said = [line for line in here.said(thread)[before:] if "is yours now" not in line]
    expected = ("is anybody there?", "No answer from here", "I am here", "good", "Please go on here")
    assert len(said) == len(expected)
    assert all(words in line for words, line in zip(expected, said, strict=True))
    assert not await here.store.shelf(SPACE)
    await here.listens()
    kenji.say(thread, "reply: Back again")
    await here.reads("I am here", "Back again")


async def test_a_lost_permission_is_taken_over_and_said_with_its_mend_and_mended(here: House, desk: Channel) -> None:
    session = (await here.writes("first")).stored.session.id
    thread = await here.thread()
    await here.until(lambda: caught_up(here))
    bot = here.discord.guild.app.bot.id
    here.discord.deny(desk, bot, P.SEND_MESSAGES_IN_THREADS)
    await here.writes("second")
    await here.until(lambda: taken_over(here))
    state = await here.store.lane_states(session, DISCORD)
    assert state is not None
    assert state.error == "no_permission"
    here.discord.allow(desk, bot, P.SEND_MESSAGES_IN_THREADS)
    await here.until(lambda: caught_up(here))
    words = [line for line in here.said(thread) if "first" in line or "second" in line]
    assert ["first" in words[0], "second" in words[1], len(words)] == [True, True, 2]
