"""Reactions and typing, both ways, through a Discord desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.feed import Signal
from routing.facts import ReactionAdded, ReactionRemoved
from routing.ids import InputKey, MessageId
from routing.inputs import CustomerReacted, OperatorWithdrew
from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Message, Person, Thread
from tests.simulators.discord.permissions import BOT, P


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "forum", private=True)


def joins(discord: DiscordSimulator, desk: Channel, name: str, *, moderator: bool = False) -> Person:
    person = discord.person(name, moderator=moderator)
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    return joins(discord, desk, "kenji")


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as one:
        await one.enrol(kenji)
        await one.listens()
        yield one


async def answered(here: House, kenji: Person) -> tuple[Thread, Message, Message]:
    """A thread with the customer's words and, above what the customer then says, Kenji's reply."""
    await here.writes("I cannot withdraw")
    thread = await here.thread()
    reply = kenji.say(thread, "Let me look")
    await here.reads("Let me look")
    await here.writes("thank you")
    await here.shows(thread, "thank you")
    await here.lanes_are_empty()
    asked = next(one for one in here.discord.messages(thread) if "thank you" in here.discord.seen(one))
    return thread, reply, asked


async def reactions(here: House) -> list[tuple[str, str, bool]]:
    journal = await here.store.journal((await here.session()).session.id)
    facts = [one.fact for one in journal if isinstance(one.fact, ReactionAdded | ReactionRemoved)]
    return [(one.by, one.reaction, isinstance(one, ReactionAdded)) for one in facts]


async def until_reactions(here: House, *wanted: tuple[str, str, bool]) -> None:
    async def are_there() -> bool:
        return await reactions(here) == list(wanted)

    await here.until(are_there)


async def test_the_assignees_eyes_tell_the_customer_and_other_signs_stay_inside(here: House, kenji: Person) -> None:
    thread, _, asked = await answered(here, kenji)
    kenji.react(thread, asked, "🎉")
    kenji.react(thread, asked, "👀")
    await until_reactions(here, ("kenji", "🎉", True), ("kenji", "👀", True))
    assert (await here.customer_sees()).count("<looking_into_it>") == 1
    kenji.unreact(thread, asked, "🎉")
    await until_reactions(here, ("kenji", "🎉", True), ("kenji", "👀", True), ("kenji", "🎉", False))


async def test_who_is_not_enrolled_reacts_for_nobody(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    stranger = joins(discord, desk, "stranger")
    thread, _, asked = await answered(here, kenji)
    stranger.react(thread, asked, "👀")
    discord.guild.emoji["1290000000000000077"] = "party"
    kenji.react(thread, asked, "party:1290000000000000077")
    await until_reactions(here, ("kenji", ":party:", True))


async def test_what_a_moderator_clears_is_off_here_too(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    thread, _, asked = await answered(here, kenji)
    kenji.react(thread, asked, "👀")
    kenji.react(thread, asked, "🎉")
    await until_reactions(here, ("kenji", "👀", True), ("kenji", "🎉", True))
    discord.happenings.clear_reactions(thread, asked, "🎉")
    await until_reactions(here, ("kenji", "👀", True), ("kenji", "🎉", True), ("kenji", "🎉", False))
    discord.happenings.clear_reactions(thread, asked)
    put = [("kenji", "👀", True), ("kenji", "🎉", True), ("kenji", "🎉", False), ("kenji", "👀", False)]
    await until_reactions(here, *put)


async def customer_reacts(here: House, reply: Message, sign: str, *, on: bool = True) -> None:
    await here.does(CustomerReacted(MessageId(f"d:{reply.channel_id}:{reply.id}"), sign, on))
    await here.lanes_are_empty()


async def test_the_customers_reaction_stands_at_the_reply_within_discords_limit(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    thread, reply, _ = await answered(here, kenji)
    discord.limits.enabled = True
    await customer_reacts(here, reply, "❤️")
    assert list(discord.message(thread, reply.id).reactions) == ["❤️"]
    await customer_reacts(here, reply, "🙏")
    assert list(discord.message(thread, reply.id).reactions) == ["🙏"]
    await customer_reacts(here, reply, "🙏", on=False)
    assert discord.message(thread, reply.id).reactions == {}
    assert not any("reacted" in line for line in here.said(thread))
    assert not [call for call in discord.calls if "reactions" in call.route and call.status == 429]


async def test_where_we_may_not_react_it_is_said_in_words(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    thread, reply, _ = await answered(here, kenji)
    discord.deny(desk, discord.guild.app.bot.id, P.ADD_REACTIONS)
    await customer_reacts(here, reply, "🙏")
    await here.shows(thread, "The customer reacted to a reply: 🙏")


async def test_in_an_archived_thread_a_reaction_wakes_it(here: House, discord: DiscordSimulator, kenji: Person) -> None:
    thread, reply, _ = await answered(here, kenji)
    discord.happenings.update_thread(thread, archived=True)
    await customer_reacts(here, reply, "🙏")
    assert list(discord.message(thread, reply.id).reactions) == ["🙏"]


async def test_what_is_taken_back_at_the_desk_bears_a_mark_here(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    thread, reply, _ = await answered(here, kenji)
    session = (await here.session()).session
    spoken = session.spoken(MessageId(f"d:{thread.id}:{reply.id}"))
    assert spoken is not None
    event = OperatorWithdrew(spoken.message, spoken.by)  # type: ignore[arg-type]  # an operator's
    await here.relay.from_operator(session.id, event, InputKey("desk/1"))
    lines = await here.shows(thread, "Withdrawn for the customer")
    assert any(f"/{thread.id}/{reply.id}" in line for line in lines)
    assert list(discord.message(thread, reply.id).reactions) == ["🗑️"]


class Page:
    """A customer's page, as far as it is told that somebody types."""

    def __init__(self) -> None:
        self.typing: list[str] = []

    def changed(self, session: object, head: int) -> None: ...

    def signalled(self, signal: Signal) -> None:
        self.typing += [signal.operator] if signal.kind == "typing" else []


async def test_the_customer_is_told_that_their_operator_types(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    aiko, stranger = joins(discord, desk, "aiko"), joins(discord, desk, "stranger")
    await here.enrol(aiko)
    thread, _, _ = await answered(here, kenji)
    page = Page()
    unwatch = here.feed.watch(page)
    for person in (stranger, aiko, kenji, kenji):
        person.type(thread)
    await discord.until(lambda: page.typing)
    await here.settled()
    kenji.say(thread, "One moment")
    await here.reads("Let me look", "One moment")
    await asyncio.sleep(0)
    unwatch()
    assert page.typing == ["kenji"]
