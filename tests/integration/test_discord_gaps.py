"""What people do on Discord while nobody hears is read back: words, changes, deletions; and nothing else is touched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.discord.inward import backfill
from adapters.discord.places import history, survey
from bridge.networks import hearing
from routing.facts import DeletionIgnored, ReactionAdded, ReactionRemoved
from routing.ids import CustomerKey
from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person, Thread
from tests.simulators.discord.permissions import BOT, P

HISTORY = "GET /channels/{channel_id}/messages"


@pytest.fixture(params=["forum", "text"])
def desk(request: pytest.FixtureRequest, discord: DiscordSimulator) -> Channel:
    return discord.channel("support", request.param, private=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji", moderator=True)
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


@asynccontextmanager
async def unheard(discord: DiscordSimulator) -> AsyncIterator[None]:
    """Nothing of what happens is told, and then Discord begins another session: no replay."""
    rule, before = discord.mischief.add(Fault.LOSE_EVENT, times=None), len(discord.gateway.identifies)
    yield
    discord.mischief.rules.remove(rule)
    for connection in discord.gateway.listening:
        connection.invalidate()
    await discord.until(lambda: len(discord.gateway.identifies) > before)


async def talk(here: House, kenji: Person, *words: str) -> Thread:
    await here.writes("hello")
    thread = await here.thread()
    for one in words:
        kenji.say(thread, one)
    await here.reads(*words)
    await is_read_back(here)  # of a first ear: what follows is another gap
    return thread


async def is_withdrawn(here: House, count: int = 1) -> None:
    async def gone() -> bool:
        return sum("withdrawn" in line for line in await here.replies_seen()) == count

    await here.until(gone)


async def is_read_back(here: House) -> None:
    """The new session is there, and no gap is open any more."""
    await here.discord.until(lambda: here.network.caught_up)


async def test_words_changes_and_deletions_of_a_gap_reach_the_customer(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    thread = await talk(here, kenji, "stays", "is changed", "is deleted")
    stays, changed, deleted = [one for one in discord.messages(thread) if one.author_id == kenji.id]
    async with unheard(discord):
        kenji.edit(thread, changed, "was changed")
        kenji.delete(thread, deleted)
        kenji.say(thread, "is new")
    await is_withdrawn(here)
    seen = await here.replies_seen()
    assert (seen[0], "was changed" in seen, "is new" in seen) == (stays.content, True, True)
    await is_read_back(here)
    assert [line for line in await here.replies_seen() if "is new" in line] == ["is new"]


async def theirs(here: House) -> list[tuple[str, str, bool]]:
    """Operators' reactions in the record: whose, which, and whether it was put there."""
    journal = await here.store.journal((await here.session()).session.id)
    facts = [one.fact for one in journal if isinstance(one.fact, ReactionAdded | ReactionRemoved)]
    return [(one.by, one.reaction, isinstance(one, ReactionAdded)) for one in facts]


async def test_reactions_of_a_gap_are_read_back_once_and_the_customer_is_told(
    here: House, discord: DiscordSimulator, desk: Channel, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = discord.person("stranger")
    discord.allow(desk, stranger.id, BOT, quietly=True)
    thread = await talk(here, kenji, "one moment")
    await here.writes("are you there?")
    await here.shows(thread, "are you there")
    asked = next(one for one in discord.messages(thread) if "are you there" in discord.seen(one))
    await here.lanes_are_empty()
    kenji.react(thread, asked, "🎉")
    await here.until(lambda: theirs(here))
    monkeypatch.setattr(backfill, "FORMER", 0)  # nothing was written since, so nothing else is to be read
    monkeypatch.setattr(history, "SKEW", 0)
    monkeypatch.setattr(survey, "SKEW", 0)
    monkeypatch.setattr(hearing, "MARGIN", 0)
    async with unheard(discord):
        kenji.unreact(thread, asked, "🎉")
        kenji.react(thread, asked, "👀")
        stranger.react(thread, asked, "👍")
    wanted = [("kenji", "🎉", True), ("kenji", "👀", True), ("kenji", "🎉", False)]

    async def is_known() -> bool:
        return await theirs(here) == wanted

    await here.until(is_known)
    await is_read_back(here)
    async with unheard(discord):
        pass
    await is_read_back(here)
    assert await theirs(here) == wanted
    assert (await here.customer_sees()).count("<looking_into_it>") == 1


async def test_what_was_missed_comes_before_what_is_heard_now(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    thread = await talk(here, kenji, "before")
    async with unheard(discord):
        kenji.say(thread, "missed one")
        kenji.say(thread, "missed two")
    kenji.say(thread, "heard")
    await here.reads("before", "missed one", "missed two", "heard")


async def test_what_a_resumed_session_says_twice_is_taken_once_and_nothing_is_read_back(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    discord.habits.resume_overlap = 5
    thread = await talk(here, kenji, "one")
    await is_read_back(here)
    before = len(discord.calls_of(HISTORY))
    (connection,) = discord.gateway.listening
    connection.drop()
    kenji.say(thread, "two")
    await discord.until(lambda: discord.gateway.resumes == 1)
    kenji.say(thread, "three")
    await here.reads("one", "two", "three")
    await here.settled()
    assert await here.replies_seen() == ["one", "two", "three"]
    assert len(discord.calls_of(HISTORY)) == before


async def test_a_thread_that_was_archived_in_the_gap_is_read_back(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    """Discord tells of active threads only."""
    thread = await talk(here, kenji, "before")
    async with unheard(discord):
        kenji.say(thread, "and goodbye")
        discord.happenings.update_thread(thread, archived=True)
    await here.reads("before", "and goodbye")


async def test_neither_a_thread_that_is_gone_nor_a_closed_channel_takes_words_from_the_customer(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    await here.writes("hello", customer=CustomerKey("main", "~other"))
    other = await here.thread()
    kenji.say(other, "also here")
    await here.settled()
    thread = await talk_in_second(here, kenji)
    async with unheard(discord):
        kenji.delete_thread(thread)
    await is_read_back(here)
    async with unheard(discord):
        discord.deny(here.desk, discord.guild.app.bot.id, P.READ_MESSAGE_HISTORY)
    await is_read_back(here)
    assert await here.replies_seen() == ["one", "two"]


async def talk_in_second(here: House, kenji: Person) -> Thread:
    await here.writes("hello")
    thread = await here.thread(1)
    for words in ("one", "two"):
        kenji.say(thread, words)
    await here.reads("one", "two")
    await is_read_back(here)
    return thread


async def test_what_somebody_clears_up_in_the_gap_the_customer_keeps(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    said = [f"number {number}" for number in range(12)]
    thread = await talk(here, kenji, *said)
    async with unheard(discord):
        for message in [one for one in discord.messages(thread) if one.author_id == kenji.id]:
            kenji.delete(thread, message)
    await is_read_back(here)
    assert await here.replies_seen() == said


async def test_a_clearing_that_is_heard_of_while_it_is_read_back_is_one_clearing(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    said = ["one", "two", "three"]
    thread = await talk(here, kenji, *said)
    messages = [one for one in discord.messages(thread) if one.author_id == kenji.id]
    cannot_read = discord.mischief.add(Fault.SERVER_ERROR, HISTORY, times=None)
    async with unheard(discord):
        for message in messages:
            kenji.delete(thread, message)
    told = {"ids": [one.id for one in messages], "channel_id": thread.id, "guild_id": discord.guild.id}
    discord.events.emit("MESSAGE_DELETE_BULK", told)

    async def is_heard() -> bool:
        journal = await here.store.journal((await here.session()).session.id)
        return sum(isinstance(one.fact, DeletionIgnored) for one in journal) == len(messages)

    await here.until(is_heard)
    discord.mischief.rules.remove(cannot_read)
    await is_read_back(here)
    await here.settled()
    assert await here.replies_seen() == said


async def test_words_that_wait_and_are_deleted_in_the_gap_can_be_sent_by_nobody(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    thread = await talk(here, kenji, "stays")
    stranger = discord.person("stranger")
    discord.allow(here.desk, stranger.id, BOT, quietly=True)
    held = stranger.say(thread, "I think it is lost")

    async def waits() -> bool:
        return bool((await here.session()).session.pending)

    await here.until(waits)
    async with unheard(discord):
        stranger.delete(thread, held)

    async def waits_no_more() -> bool:
        return not await waits()

    await here.until(waits_no_more)
    assert await here.replies_seen() == ["stays"]


async def test_a_page_that_shows_less_than_there_is_takes_nothing_from_the_customer(
    here: House, discord: DiscordSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not shown is gone only when Discord says so of that very message."""
    await talk(here, kenji, "one", "two")

    async def nothing(*_: object, **__: object) -> list[object]:
        return []

    monkeypatch.setattr(history.History, "after", nothing)
    async with unheard(discord):
        pass
    await is_read_back(here)
    assert await here.replies_seen() == ["one", "two"]


async def test_of_many_open_threads_only_those_are_read_in_which_somebody_wrote(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The margins, which are minutes in a real house, are none here."""
    monkeypatch.setattr(backfill, "FORMER", 0)
    monkeypatch.setattr(backfill, "SKEW", 0)
    monkeypatch.setattr(survey, "SKEW", 0)
    monkeypatch.setattr(hearing, "MARGIN", 0)
    customers = [CustomerKey("main", f"~v{number}") for number in range(12)]
    async with house(engine_url, tmp_path, discord, desks=[desk], prefix=f"many{desk.id}") as one:
        await one.enrol(kenji)
        await one.listens()
        for customer in customers:
            await one.writes("hello", customer=customer)
        await discord.until(lambda: len([t for t in discord.threads(desk) if said_in(discord, t)]) == 12)
        latest = max(int(thread.last_message_id or 0) for thread in discord.threads(desk))

        async def all_of_it_was_heard() -> bool:
            mark = await one.store.get(hearing.heard(one.network.name))
            return int(mark or 0) > (latest >> 22) + 1_420_070_400_000

        await one.until(all_of_it_was_heard)
        await is_read_back(one)  # a first ear reads back what was said before there was any
    third, seventh = discord.threads(desk)[3], discord.threads(desk)[7]
    kenji.say(third, "while you were away")
    kenji.say(seventh, "and here")
    discord.happenings.update_thread(seventh, archived=True)
    before = len(discord.calls_of(HISTORY))
    async with house(engine_url, tmp_path, discord, desks=[desk], prefix=f"many{desk.id}") as one:
        await is_read_back(one)
    read = [call["channel_id"] for call in list(discord.calls_of(HISTORY))[before:]]
    assert sorted(read) == sorted([third.id, seventh.id])


def said_in(discord: DiscordSimulator, thread: Thread) -> bool:
    return any("hello" in discord.seen(one) for one in discord.messages(thread))


async def test_what_is_said_in_two_gaps_one_right_after_the_other_reaches_the_customer(
    here: House, discord: DiscordSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions of Discord's may end faster than the mark of what was heard moves."""
    thread = await talk(here, kenji, "begins")
    monkeypatch.setattr(here.network._hearing, "_beat", 3_600.0)
    words = [f"said in gap {number}" for number in range(3)]
    for one in words:
        async with unheard(discord):
            kenji.say(thread, one)
        await is_read_back(here)
    await here.reads("begins", *words)
