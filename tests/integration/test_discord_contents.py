"""Messages that arrive empty: nobody takes them for sent, whoever wrote is told, and an administrator is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Person
from tests.simulators.discord.permissions import BOT

SWITCH = "Message Content Intent"


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
        await one.listens()
        yield one


def switch(discord: DiscordSimulator, *, on: bool) -> None:
    discord.guild.app.privileged = {"message_content"} if on else set()


async def test_with_the_intent_switched_off_operators_are_told_once_and_administrators_at_once(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    await here.writes("hello")
    thread = await here.thread()
    said = kenji.say(thread, "On Monday")
    await here.reads("On Monday")
    switch(discord, on=False)
    kenji.say(thread, "what nobody can read")
    await here.shows(thread, SWITCH)
    assert SWITCH in (here.network.ready() or "")
    kenji.edit(thread, said, "On Tuesday")
    kenji.say(thread, "nor this")
    await here.settled()
    assert len([line for line in here.said(thread) if SWITCH in line]) == 1
    assert await here.replies_seen() == ["On Monday"]
    (told,) = [one for one in discord.messages(thread) if SWITCH in discord.seen(one)]
    assert [ping.target for ping in told.pings] == [kenji.id]
    switch(discord, on=True)
    kenji.say(thread, "On Wednesday")
    await here.reads("On Monday", "On Wednesday")
    assert here.network.ready() is None


async def test_one_empty_message_is_told_its_author_and_blames_nobody_yet(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    await here.writes("hello")
    thread = await here.thread()
    await here.lanes_are_empty()
    kenji.say(thread, "")  # of some kind that did not exist when this was written
    await here.shows(thread, "without its words")
    assert here.network.ready() is None
    kenji.say(thread, "")
    await discord.until(lambda: SWITCH in (here.network.ready() or ""))
    assert await here.replies_seen() == []


async def test_where_discord_refuses_the_intent_presses_are_heard_and_words_again_when_it_is_given(
    here: House, discord: DiscordSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    discord.habits.interaction_answer = 60.0
    await here.writes("hello")
    thread = await here.thread()
    switch(discord, on=False)
    for connection in list(discord.gateway.connections):
        connection.invalidate()
    await discord.until(lambda: here.network.listens and here.network._gateway.blind)
    kenji.say(thread, "what nobody can read")
    await here.shows(thread, SWITCH)
    where = thread if thread.id in thread.messages else here.desk
    assert (await kenji.click(where, here.card(thread), "Claim")).ok
    assert (await here.session()).session.assignee == "kenji"
    switch(discord, on=True)
    monkeypatch.setattr(here.network._gateway, "_blind_until", 0.0)
    await discord.until(lambda: here.network.listens and here.network.ready() is None)
    kenji.say(thread, "On Wednesday")
    await here.reads("On Wednesday")
