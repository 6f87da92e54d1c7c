"""A talk through a Discord desk, both ways: the whole line, on the library as it is, in front of the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Placed
from bridge.relay import Receipt
from routing.ids import InputKey
from routing.inputs import CustomerRevised, CustomerWithdrew, ErasureOrdered
from routing.session import State
from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person
from tests.simulators.discord.permissions import BOT

MESSAGES = "POST /channels/{channel_id}/messages"
POSTS = "POST /channels/{channel_id}/threads"
HANGS = "POST /channels/{channel_id}/messages/{message_id}/threads"


OUR_OWN = {"block", "small", "timestamp", "style", "bold"}
"""What of our messages is more than words: the block around a customer's, small print, times."""


@pytest.fixture(params=["forum", "text"])
def desk(request: pytest.FixtureRequest, discord: DiscordSimulator) -> Channel:
    """Every story is told in a forum and in a text channel."""
    return discord.channel("support", request.param, private=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji")
    letting_in(discord, desk, person)
    return person


def letting_in(discord: DiscordSimulator, desk: Channel, person: Person) -> None:
    discord.allow(desk, person.id, BOT, quietly=True)


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as one:
        await one.enrol(kenji)
        await one.listens()
        yield one


async def test_a_talk_goes_both_ways_in_order(here: House, kenji: Person) -> None:
    await here.writes("I cannot withdraw")
    thread = await here.thread()
    await here.shows(thread, "I cannot withdraw")
    kenji.say(thread, "Let me **look**")
    await here.reads("Let me look")
    await here.writes("thank you")
    lines = await here.shows(thread, "thank you")
    assert [one for one in lines if "withdraw" in one or "look" in one or "thank" in one] == lines
    kenji.say(thread, "Done")
    await here.reads("Let me look", "Done")


async def test_a_press_claims_and_resolves_and_the_card_says_so(here: House, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    where = thread if thread.id in thread.messages else here.desk
    outcome = await kenji.click(where, here.card(thread), "Claim")
    assert outcome.ok
    assert (await here.session()).session.assignee == "kenji"
    await here.discord.until(lambda: "Kenji" in here.discord.seen(here.card(thread)))
    assert (await kenji.click(where, here.card(thread), "Resolve")).ok
    assert (await kenji.submit({})).ok
    assert (await here.session()).session.state is State.RESOLVED


async def test_a_note_stays_inside(here: House, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    kenji.say(thread, "note: he called before")
    kenji.say(thread, "Hello!")
    await here.reads("Hello!")
    assert not any("called" in line for line in await here.customer_sees())


async def test_who_is_not_enrolled_is_held_until_somebody_sends_it(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    stranger = discord.person("stranger")
    letting_in(discord, desk, stranger)
    await here.writes("hello")
    thread = await here.thread()
    stranger.say(thread, "I am from sales")
    lines = await here.shows(thread, "kakehashi operators link")
    assert await here.replies_seen() == []
    asked = next(one for one in discord.messages(thread) if "kakehashi operators link" in discord.seen(one))
    assert lines
    assert (await stranger.click(thread, asked, "Send in my name")).ok
    assert await here.replies_seen() == []
    assert (await kenji.click(thread, asked, "Send in my name")).ok
    await here.reads("I am from sales")


async def test_an_operators_edit_and_deletion_reach_the_customer(here: House, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    message = kenji.say(thread, "On Monday")
    await here.reads("On Monday")
    kenji.edit(thread, message, "On Tuesday")
    await here.reads("On Monday", "On Tuesday")
    kenji.delete(thread, message)

    async def is_gone() -> bool:
        return any("withdrawn" in line for line in await here.replies_seen())

    await here.until(is_gone)


async def test_what_a_moderator_sweeps_away_the_customer_keeps(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    moderator = discord.person("mod", moderator=True)
    letting_in(discord, desk, moderator)
    await here.writes("hello")
    thread = await here.thread()
    said = [kenji.say(thread, one) for one in ("one", "two")]
    await here.reads("one", "two")
    moderator.delete_many(thread, said)
    await here.settled()
    kenji.say(thread, "three")
    await here.reads("one", "two", "three")


async def test_a_customers_edit_and_deletion_are_shown(here: House) -> None:
    first = await here.writes("On Monday")
    thread = await here.thread()
    await here.shows(thread, "On Monday")
    spoken = first.stored.session.recent[-1].message
    await here.does(CustomerRevised(spoken, 1), Body((TextPart("On Tuesday"),)))
    await here.shows(thread, "On Tuesday")
    await here.does(CustomerWithdrew(spoken))
    await here.lanes_are_empty()
    await here.discord.until(lambda: not any("Tuesday" in line for line in here.said(thread)))


async def test_a_customers_words_act_on_nobody(here: House, discord: DiscordSimulator) -> None:
    await here.writes("@everyone <@1> [x](https://evil.example) # big ``` </a:1>", name="@here **x**")
    thread = await here.thread()
    await here.shows(thread, "evil.example")
    for message in [*discord.messages(thread), here.card(thread)]:
        assert message.pings == []
        assert {act.kind for act in discord.acts(message)} <= OUR_OWN


async def test_files_go_both_ways(here: House, kenji: Person, picture: bytes) -> None:
    kept = await here.files.put("customer", "mine.png", picture, "one")
    await here.writes("look", FilePart(kept.file_id, kept.name, kept.media_type, kept.size, 1, 1))
    thread = await here.thread()
    await here.shows(thread, "look")
    (message,) = [one for one in here.discord.messages(thread) if one.attachments and one.id != thread.id]
    assert message.attachments[0].filename == "mine.png"
    kenji.say(thread, "and this", files=[("theirs.png", picture)])

    async def has_come() -> bool:
        return bool(await here.replies_seen())

    await here.until(has_come)
    session = (await here.session()).session
    said = session.recent[-1]
    (body,) = await here.store.bodies(session.id, [(said.message, said.revision)])
    assert body is not None
    assert [one.name for one in body.files] == ["theirs.png"]


@pytest.fixture
def picture() -> bytes:
    content = BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, "PNG")
    return content.getvalue()


# ------------------------------------------------------------------ bad days


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.SERVER_ERROR_AFTER])
async def test_a_lost_answer_doubles_no_message(here: House, discord: DiscordSimulator, fault: Fault) -> None:
    await here.writes("first")
    thread = await here.thread()
    await here.shows(thread, "first")
    discord.mischief.add(fault, MESSAGES, times=2)
    await here.writes("second")
    await here.writes("second")
    await here.lanes_are_empty()
    assert [("first" in one, "second" in one) for one in here.said(thread)] == [
        (True, False),
        (False, True),
        (False, True),
    ]


@pytest.mark.parametrize("target", [POSTS, HANGS, MESSAGES])
async def test_a_lost_answer_doubles_no_thread(here: House, discord: DiscordSimulator, target: str) -> None:
    discord.mischief.add(Fault.LOSE_ANSWER, target)
    await here.writes("hello")
    thread = await here.thread()
    await here.shows(thread, "hello")
    await here.lanes_are_empty()
    assert len(discord.threads(here.desk)) == 1
    assert len([one for one in here.said(thread) if "hello" in one]) == 1
    stored = await here.store.threads((await here.session()).session.id)
    assert list(stored) == [1]


async def test_an_archived_thread_is_woken_for_an_edit(here: House, discord: DiscordSimulator) -> None:
    first = await here.writes("On Monday")
    thread = await here.thread()
    await here.shows(thread, "On Monday")
    await here.lanes_are_empty()
    discord.happenings.update_thread(thread, archived=True)
    spoken = first.stored.session.recent[-1].message
    await here.does(CustomerRevised(spoken, 1), Body((TextPart("On Tuesday"),)))
    await here.shows(thread, "On Tuesday")


async def test_a_deleted_thread_is_opened_again(here: House, discord: DiscordSimulator, desk: Channel) -> None:
    moderator = discord.person("mod", moderator=True)
    letting_in(discord, desk, moderator)
    await here.writes("first")
    thread = await here.thread()
    await here.shows(thread, "first")
    await here.lanes_are_empty()
    moderator.delete_thread(thread)
    if thread.id in desk.messages:
        moderator.delete(desk, thread.id)
    await here.writes("second")
    await here.lanes_are_empty()
    (again,) = discord.threads(desk)
    assert again.id != thread.id
    await here.shows(again, "second")


async def test_one_malformed_event_leaves_us_hearing(here: House, discord: DiscordSimulator, kenji: Person) -> None:
    await here.writes("hello")
    thread = await here.thread()
    kenji.say(thread, "before")
    await here.reads("before")
    await discord.until(lambda: here.network.caught_up)  # of a first ear: what is read back from here on is another gap
    discord.mischief.add(Fault.MALFORM, "MESSAGE_CREATE", missing=("id", "author"))
    kenji.say(thread, "what nobody can read as an event")
    await here.reads("before", "what nobody can read as an event")
    kenji.say(thread, "and what comes after it")
    await here.reads("before", "what nobody can read as an event", "and what comes after it")
    assert len(discord.gateway.identifies) == 1


async def test_the_customers_typing_is_shown_and_costs_one_call(here: House, discord: DiscordSimulator) -> None:
    await here.writes("hello")
    thread = await here.thread()
    await here.lanes_are_empty()
    (ref,) = (await here.store.threads((await here.session()).session.id)).values()
    for _ in range(3):
        await here.network.show_typing(ref)
    assert discord.is_typing(thread)
    assert len(discord.calls_of("POST /channels/{channel_id}/typing")) == 1


async def test_a_session_that_is_erased_leaves_no_thread(here: House, discord: DiscordSimulator, kenji: Person) -> None:
    await here.writes("secret")
    thread = await here.thread()
    await here.shows(thread, "secret")
    kenji.say(thread, "reply")
    await here.reads("reply")
    session = (await here.session()).session.id
    assert isinstance(await here.relay.from_bridge(session, ErasureOrdered(), InputKey("erase/1")), Receipt)
    await here.lanes_are_empty()
    assert discord.threads(here.desk) == []
    assert here.desk.messages == {}


async def test_a_burst_keeps_discords_limits_and_loses_nothing(here: House, discord: DiscordSimulator) -> None:
    await here.writes("0")
    thread = await here.thread()
    await here.lanes_are_empty()
    discord.limits.enabled = True
    for number in range(1, 8):
        await here.writes(f"number {number}")
    await here.lanes_are_empty()
    assert [number for number in range(1, 8) if any(f"number {number}" in one for one in here.said(thread))] == [
        *range(1, 8)
    ]
    assert not [call for call in discord.calls_of(MESSAGES) if call.status == 429]


async def test_what_is_said_while_nobody_listens_is_read_back(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    async with house(engine_url, tmp_path, discord, desks=[desk], prefix=f"restart{desk.id}") as one:
        await one.enrol(kenji)
        await one.listens()
        await one.writes("hello")
        thread = await one.thread()
        kenji.say(thread, "before")
        await one.reads("before")
    kenji.say(thread, "meanwhile")
    async with house(engine_url, tmp_path, discord, desks=[desk], prefix=f"restart{desk.id}") as other:
        await other.reads("before", "meanwhile")
        await other.listens()
        kenji.say(thread, "after")
        await other.reads("before", "meanwhile", "after")
        await other.writes("are you there")
        await other.shows(thread, "are you there")
        assert len(discord.threads(desk)) == 1
        placed = await other.store.placed(other.network.name, f"{discord.guild.id}:{thread.id}")  # type: ignore[arg-type]
        assert placed == Placed((await other.session()).session.id, 1)
