"""Customers' posts under their own names, where a desk wants them so; and the bot's wherever a name would hold up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bridge.messages import Body, FilePart, TextPart
from routing.inputs import CustomerRevised, CustomerWithdrew
from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Message, Person, Thread
from tests.simulators.discord.permissions import BOT, P

EXECUTE = "POST /webhooks/{webhook_id}/{webhook_token}"


@pytest.fixture
async def discord() -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator() as simulator:
        yield simulator


@pytest.fixture(params=["forum", "text"])
def desk(request: pytest.FixtureRequest, discord: DiscordSimulator) -> Channel:
    channel = discord.channel("support", request.param, private=True)
    discord.allow(channel, discord.guild.app.bot.id, BOT | P.MANAGE_WEBHOOKS, quietly=True)
    return channel


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk], rules={"personas": True}) as one:
        await one.enrol(kenji)
        yield one


def post(here: House, thread: Thread, words: str) -> Message:
    (found,) = [one for one in here.discord.messages(thread) if words in one.content]
    return found


async def test_a_customers_posts_bear_their_name_and_say_whose_they_are(here: House) -> None:
    await here.writes("*Where* is it? @everyone", name="Hanako")
    thread = await here.thread()
    await here.shows(thread, "Where")
    found = post(here, thread, "Where")
    assert found.webhook_id
    assert "Hanako" in found.username
    assert found.username != "Hanako", "a customer may be called as an operator is"
    assert "Hanako" not in found.content
    assert {act.kind for act in here.discord.acts(found)} == {"block"}
    assert found.pings == []


async def test_what_operators_say_elsewhere_and_the_bridges_own_lines_stay_the_bots(here: House, kenji: Person) -> None:
    await here.writes("Where is it?")
    thread = await here.thread()
    await here.shows(thread, "Where")
    kenji.say(thread, "We are looking")
    await here.reads("We are looking")
    await here.writes("Thank you")
    await here.shows(thread, "Thank you")
    bot = here.discord.guild.app.bot.id
    ours = [one for one in here.discord.messages(thread) if one.author_id == bot and one.id != thread.id]
    assert [one for one in ours if "Where" in one.content or "Thank" in one.content] == []
    assert len(here.discord.guild.webhooks) == 1


async def test_it_is_edited_and_withdrawn_as_any_other(here: House) -> None:
    await here.writes("Wher is it?")
    (first,) = (await here.session()).session.recent
    thread = await here.thread()
    await here.shows(thread, "Wher")
    await here.does(CustomerRevised(first.message, 1), Body((TextPart("Where is it?"),)))
    await here.shows(thread, "Where is it?")
    assert post(here, thread, "Where is it?").webhook_id
    await here.does(CustomerWithdrew(first.message))
    await here.discord.until(lambda: not any("Where is it?" in line for line in here.said(thread)))
    await here.lanes_are_empty()


async def test_its_files_go_with_it(here: House) -> None:
    picture = BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    kept = await here.files.put("customer", "mine.png", picture.getvalue(), "one")
    await here.writes("Here", FilePart(kept.file_id, kept.name, kept.media_type, kept.size, 8, 8))
    thread = await here.thread()
    await here.shows(thread, "Here")
    found = post(here, thread, "Here")
    assert found.webhook_id
    assert len(found.attachments) == 1


@pytest.mark.parametrize("trouble", ["rate_limit", "hidden_limit", "refuse"])
async def test_what_a_webhook_does_not_take_the_bot_says_at_once(here: House, trouble: str) -> None:
    here.discord.mischief.add(Fault(trouble), EXECUTE, times=1, status=403, code=50013, seconds=3_000.0)
    await here.writes("Where is it?", name="Hanako")
    thread = await here.thread()
    await here.shows(thread, "Where")
    found = post(here, thread, "Where")
    assert not found.webhook_id
    assert "Hanako" in found.content


async def test_where_the_bot_may_have_no_webhook_it_speaks_itself(here: House) -> None:
    here.discord.deny(here.desk, here.discord.guild.app.bot.id, P.MANAGE_WEBHOOKS)
    await here.writes("Where is it?", name="Hanako")
    thread = await here.thread()
    await here.shows(thread, "Hanako", "Where")
    assert here.discord.guild.webhooks == {}


async def test_a_webhook_that_somebody_deletes_is_made_anew(here: House) -> None:
    await here.writes("One")
    thread = await here.thread()
    await here.shows(thread, "One")
    here.discord.guild.webhooks.clear()
    await here.writes("Two")
    await here.shows(thread, "Two")
    await here.writes("Three")
    await here.shows(thread, "Three")
    assert not post(here, thread, "Two").webhook_id
    assert post(here, thread, "Three").webhook_id


async def test_where_the_webhooks_limit_is_reached_nobody_waits_for_it(here: House) -> None:
    """It is counted by all processes together, and Discord is not asked for more."""
    await here.store.pause(f"discord/personas/{here.desk.id}", await here.store.now() + 3_600_000)
    await here.writes("Where is it?", name="Hanako")
    await here.shows(await here.thread(), "Hanako", "Where")
    assert here.discord.calls_of(EXECUTE) == []


@pytest.mark.parametrize("after", [False, True])
async def test_an_answer_that_is_lost_leaves_one_post(here: House, after: bool) -> None:
    await here.writes("One")
    thread = await here.thread()
    await here.shows(thread, "One")
    fault = Fault.SERVER_ERROR_AFTER if after else Fault.SERVER_ERROR
    here.discord.mischief.add(fault, EXECUTE, times=1, status=502)
    await here.writes("Two")
    await here.shows(thread, "Two")
    await here.writes("Three")
    await here.shows(thread, "Three")
    await here.lanes_are_empty()
    assert [len([1 for line in here.said(thread) if word in line]) for word in ("One", "Two", "Three")] == [1, 1, 1]


async def test_a_desk_that_does_not_want_it_has_none(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel
) -> None:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as plain:
        await plain.writes("Where is it?")
        await plain.shows(await plain.thread(), "Where")
    assert discord.guild.webhooks == {}
    assert discord.calls_of("GET /channels/{channel_id}/webhooks") == []
