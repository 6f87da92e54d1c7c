"""Discord: edits and deletions, by the author only, though Discord does not say whose doing they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from routing.ids import OperatorId
from routing.policy import OperatorProfile
from tests.integration.discord_house import DISCORD, House, house
from tests.simulators.discord import Channel, DiscordSimulator, Message, Person, Thread
from tests.simulators.discord.permissions import BOT, P


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "forum", private=True)


def joins(discord: DiscordSimulator, desk: Channel, name: str, *, moderator: bool = False) -> Person:
    person = discord.person(name, moderator=moderator)
    discord.allow(desk, person.id, BOT & ~P.MANAGE_MESSAGES, quietly=True)
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


async def talking(here: House, kenji: Person, *words: str) -> tuple[Thread, list[Message]]:
    await here.writes("hello")
    thread = await here.thread()
    said = []
    for number, one in enumerate(words):
        said.append(kenji.say(thread, one))
        await here.reads(*words[: number + 1])
    return thread, said


async def until_withdrawn(here: House, count: int = 1) -> None:
    async def are_gone() -> bool:
        return sum("withdrawn" in line for line in await here.replies_seen()) == count

    await here.until(are_gone)


def offer(here: House, thread: Thread) -> Message:
    found = [one for one in here.discord.messages(thread) if "not by you, as it seems" in here.discord.seen(one)]
    return found[-1]


async def test_a_few_deletions_of_ones_own_are_their_authors(here: House, kenji: Person) -> None:
    thread, (one, two) = await talking(here, kenji, "one", "two")
    kenji.delete(thread, one)
    kenji.delete(thread, two)
    await until_withdrawn(here, 2)


async def test_who_clears_up_takes_nothing_from_the_customer(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    moderator = joins(discord, desk, "mod", moderator=True)
    thread, said = await talking(here, kenji, "one", "two", "three")
    stranger = joins(discord, desk, "stranger")
    for each in [*said, stranger.say(thread, "note: by others")]:
        moderator.delete(thread, each)
    await here.shows(thread, "Messages were deleted here", "not by you, as it seems")
    await here.settled()
    assert await here.replies_seen() == ["one", "two", "three"]


async def test_the_audit_log_tells_of_a_single_one_and_its_author_may_still_withdraw_it(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    moderator = joins(discord, desk, "mod", moderator=True)
    discord.install(discord.bot_permissions | P.VIEW_AUDIT_LOG)
    thread, (one, two) = await talking(here, kenji, "one", "two")
    moderator.delete(thread, one)
    await here.shows(thread, "not by you, as it seems")
    moderator.delete(thread, two)  # the log counts up, and nobody is told
    await here.settled()
    assert await here.replies_seen() == ["one", "two"]
    asked = offer(here, thread)
    assert [ping.target for ping in asked.pings] == [kenji.id]
    assert (await kenji.click(thread, asked, "Withdraw it from the customer")).ok
    await until_withdrawn(here)


async def test_of_an_operator_whom_the_policy_names_it_tells_as_well(
    here: House, discord: DiscordSimulator, desk: Channel
) -> None:
    aiko, moderator = joins(discord, desk, "aiko"), joins(discord, desk, "mod", moderator=True)
    discord.install(discord.bot_permissions | P.VIEW_AUDIT_LOG)
    operator = OperatorId("aiko")
    here.directory.rewrite({operator: OperatorProfile(operator, {"en": "Aiko"})}, {(DISCORD, aiko.id): operator})
    thread, (one,) = await talking(here, aiko, "one")
    moderator.delete(thread, one)
    await here.shows(thread, "not by you, as it seems")
    assert [ping.target for ping in offer(here, thread).pings] == [aiko.id]
    assert await here.replies_seen() == ["one"]


async def test_without_the_log_a_single_deletion_counts_as_its_authors(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    moderator = joins(discord, desk, "mod", moderator=True)
    thread, (one,) = await talking(here, kenji, "one")
    moderator.delete(thread, one)
    await until_withdrawn(here)


async def test_held_words_that_are_deleted_never_leave(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    stranger = joins(discord, desk, "stranger")
    thread, _ = await talking(here, kenji)
    said = stranger.say(thread, "I am from sales")
    await here.shows(thread, "kakehashi operators link")
    stranger.delete(thread, said)
    await here.discord.until(lambda: not any("operators link" in line for line in here.said(thread)))
    assert (await here.session()).session.pending == ()


async def test_what_is_swept_away_while_it_is_held_never_leaves_either(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    moderator, stranger = joins(discord, desk, "mod", moderator=True), joins(discord, desk, "stranger")
    thread, (one,) = await talking(here, kenji, "one")
    said = stranger.say(thread, "I am from sales")
    await here.shows(thread, "kakehashi operators link")
    moderator.delete_many(thread, [one, said])
    await here.shows(thread, "Messages were deleted here")
    await here.discord.until(lambda: not any("operators link" in line for line in here.said(thread)))
    assert (await here.session()).session.pending == ()
    assert await here.replies_seen() == ["one"]


async def test_previews_pins_and_flags_are_no_edits(here: House, discord: DiscordSimulator, kenji: Person) -> None:
    thread, (said,) = await talking(here, kenji, "see https://example.com/terms")
    kenji.edit(thread, said, "see https://example.com/new")
    await here.reads("see https://example.com/terms", "see https://example.com/new")
    discord.happenings.unfurl(thread, said)
    discord.happenings.pin(thread, said)
    said.flags |= 1 << 2 | 1 << 0
    discord.happenings.refresh(thread, said)
    kenji.say(thread, "and more")
    await here.reads("see https://example.com/terms", "see https://example.com/new", "and more")
