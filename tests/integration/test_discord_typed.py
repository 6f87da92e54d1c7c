"""What is typed in a session's thread for us: codes of templates, and commands, however they are edited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.templates import Template
from routing.inputs import Outcome
from routing.policy import MINUTE, PlainWords
from routing.session import State, TurnOf
from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Message, Person, Thread
from tests.simulators.discord.permissions import BOT

READY = (
    Template("hi", {"en": "Hello {customer}, {operator} here."}),
    Template("fee", {"en": "It costs {amount}."}),
)


@pytest.fixture
def desks(discord: DiscordSimulator) -> list[Channel]:
    return [discord.channel("support", "forum", private=True), discord.channel("other", "text", private=True)]


@pytest.fixture
def kenji(discord: DiscordSimulator, desks: list[Channel]) -> Person:
    person = discord.person("kenji")
    for desk in desks:
        discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
def housed(engine_url: str, tmp_path: Path, discord: DiscordSimulator, desks: list[Channel]) -> Any:
    parts: dict[str, Any] = {"templates": lambda _desk: READY}
    return partial(house, engine_url, tmp_path, discord, desks=desks, parts=parts)


class Talk:
    """Kenji's, in the thread of a session that waits."""

    def __init__(self, here: House, thread: Thread, kenji: Person) -> None:
        self.here = here
        self.thread = thread
        self.kenji = kenji

    async def types(self, words: str) -> Message:
        written = self.kenji.say(self.thread, words)
        await self.here.settled()
        return written

    async def edits(self, message: Message, words: str) -> None:
        self.kenji.edit(self.thread, message, words)
        await self.here.settled()

    async def told(self, *words: str) -> Message:
        """The answer to Kenji that says all of this, once it is there."""

        def answer() -> Message | None:
            found = [one for one in self.here.discord.messages(self.thread) if one.reference]
            return next((one for one in found if all(word in self.here.discord.seen(one) for word in words)), None)

        await self.here.discord.until(answer)
        found = answer()
        assert found is not None
        assert {ping.target for ping in found.pings} <= {self.kenji.id}
        return found


async def begun(here: House, kenji: Person) -> Talk:
    await here.enrol(kenji)
    await here.listens()
    await here.writes("hello")
    return Talk(here, await here.thread(), kenji)


@pytest.fixture
async def talk(housed: Any, kenji: Person) -> AsyncIterator[Talk]:
    async with housed() as here:
        yield await begun(here, kenji)


# ------------------------------------------------------------------ templates


async def test_a_code_becomes_its_words_and_is_never_read_itself(talk: Talk) -> None:
    await talk.types(";hi")
    await talk.here.reads("Hello Hanako, Kenji here.")
    await talk.here.shows(talk.thread, "Hello Hanako, Kenji here.")


async def test_what_cannot_be_filled_or_is_not_there_goes_to_nobody(talk: Talk) -> None:
    await talk.types(";fee")
    await talk.told("amount")
    await talk.types(";hii")
    await talk.told(";hi")
    assert await talk.here.replies_seen() == []


async def test_where_plain_words_are_notes_a_code_is_one_and_can_be_sent(housed: Any, kenji: Person) -> None:
    async with housed(rules={"plain_words": PlainWords.NOTE}) as here:
        talk = await begun(here, kenji)
        await talk.types(";hi")
        offer = await talk.told("stay inside until they are sent")
        assert await here.replies_seen() == []
        assert (await kenji.click(talk.thread, offer, "Send to customer")).ok
        await here.reads("Hello Hanako, Kenji here.")


async def test_a_code_can_be_undone_and_the_line_shows_its_words(housed: Any, kenji: Person) -> None:
    async with housed(rules={"undo": 60_000}) as here:
        talk = await begun(here, kenji)
        await talk.types(";hi")
        await here.shows(talk.thread, "Hello Hanako, Kenji here.")
        (line,) = [one for one in here.discord.messages(talk.thread) if "Hello Hanako" in here.discord.seen(one)]
        assert (await kenji.click(talk.thread, line, "Undo")).ok
        await here.settled()
        assert await here.replies_seen() == []
        assert (await here.session()).session.pending == ()


# ------------------------------------------------------------------ commands


async def test_a_session_is_worked_by_typing_alone(talk: Talk) -> None:
    here = talk.here
    await talk.types("！ＣＬＡＩＭ")
    await talk.told("is yours")
    assert (await here.session()).session.assignee == "kenji"
    await talk.types("!hold 30m")
    session = (await here.session()).session
    assert session.turn.of is TurnOf.HELD
    assert abs((session.turn.until or 0) - session.last_at - 30 * MINUTE) < MINUTE
    await talk.told("an update is promised by")
    await talk.types("!send We are **looking** into it")
    await talk.types("!note 本人確認済み")
    await talk.types("／ resolve unsolved")
    session = (await here.session()).session
    assert (session.state, session.outcome) == (State.RESOLVED, Outcome.UNSOLVED)
    assert await here.replies_seen() == ["We are looking into it"]
    assert not [line for line in await here.customer_sees() if "!" in line or "本人" in line]


async def test_what_a_command_lacks_is_said_and_nothing_is_done(talk: Talk) -> None:
    for typed, words in {
        "!hold soon": "write a time behind !hold",
        "!transfer nowhere": "support, other",
        "!transfer @nobody": "not known as an operator",
        "!claim please": "takes nothing behind it",
    }.items():
        await talk.types(typed)
        await talk.told(words)
    session = (await talk.here.session()).session
    assert (session.state, session.desk, session.recent[1:]) == (State.QUEUED, "support", ())


async def test_what_is_no_command_stays_inside_and_can_be_sent(talk: Talk) -> None:
    await talk.types("!claim")
    await talk.types("Thank you\n!resolve")
    await talk.told("Not sent", "a command stands alone")
    await talk.types("!cliam")
    offer = await talk.told("Not sent", "!claim", "kept as a note")
    assert await talk.here.replies_seen() == []
    assert (await talk.kenji.click(talk.thread, offer, "Send to customer")).ok
    await talk.here.reads("!cliam")
    assert (await talk.here.session()).session.state is State.ASSIGNED


async def test_ones_own_work_is_shown_to_oneself_only(talk: Talk) -> None:
    await talk.types("!queue")
    await talk.told("/chat queue")
    assert len((await talk.here.session()).session.recent) == 1, "none of it belongs to the session"


async def test_a_command_never_acts_nor_goes_out_by_an_edit(talk: Talk) -> None:
    here = talk.here
    await talk.types("!claim")
    reply = await talk.types("Hello")
    await here.reads("Hello")
    await talk.edits(reply, "!resolve")
    assert (await here.session()).session.state is State.ASSIGNED, "it did not act"
    assert "withdrawn" in str(await here.replies_seen())
    await talk.told("not by an edit")
    command = await talk.types("!release")
    await talk.edits(command, "Hello again")
    await talk.told("never sees it")
    refused = await talk.types("!hold soon")
    await talk.edits(refused, "I hold soon")
    assert (await here.session()).session.state is State.QUEUED
    replies = str(await here.replies_seen())
    assert ("again" in replies, "soon" in replies) == (False, False)


async def test_who_is_not_enrolled_commands_nothing(talk: Talk, desks: list[Channel]) -> None:
    mallory = talk.here.discord.person("mallory")
    talk.here.discord.allow(desks[0], mallory.id, BOT, quietly=True)
    talk.kenji = mallory
    for typed in ("!claim", "!mine"):
        await talk.types(typed)
        await talk.told("not enrolled")
    assert (await talk.here.session()).session.state is State.QUEUED
