"""Commands that are typed in a session's thread: they act, and never reach the customer, however they are edited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from routing.inputs import Outcome
from routing.policy import MINUTE
from routing.session import State, TurnOf
from tests.integration.slack_house import House, house
from tests.integration.test_slack_home import KENJI, enrol
from tests.simulators.slack import Fault, Person, SlackSimulator
from tests.simulators.slack.workspace import Message


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person) -> AsyncIterator[House]:
    places = (slack.channel("support"), slack.channel("other"))
    async with house(engine_url, tmp_path, slack, desks=places, ping=5.0) as one:
        await enrol(one, kenji)
        yield one


class Thread:
    """Kenji's, of a session that waits."""

    def __init__(self, here: House, root: Message, kenji: Person) -> None:
        self.here = here
        self.root = root
        self.kenji = kenji

    async def types(self, text: str) -> Message:
        written = self.kenji.say(self.here.desk, text, thread_ts=self.root.ts)
        await self.here.settled()
        return written

    async def edits(self, message: Message, text: str) -> None:
        self.kenji.edit(self.here.desk, message, text)
        await self.here.settled()

    async def told(self, *words: str) -> None:
        """Return once Kenji alone was told all of this at once."""

        def all_told() -> list[str]:
            everything = self.here.slack.workspace.ephemerals
            return [f"{one.text} {one.blocks}" for one in everything if one.user == self.kenji.id]

        await self.here.slack.until(lambda: any(all(word in one for word in words) for one in all_told()))


@pytest.fixture
async def thread(here: House, kenji: Person) -> Thread:
    await here.writes("hello")
    return Thread(here, await here.root(), kenji)


async def test_a_session_is_worked_by_typing_alone(here: House, thread: Thread) -> None:
    await thread.types("！ＣＬＡＩＭ")
    await thread.told("is yours")
    assert (await here.session()).session.assignee == KENJI
    await thread.types("!hold 30m")
    session = (await here.session()).session
    assert session.turn.of is TurnOf.HELD
    assert abs((session.turn.until or 0) - session.last_at - 30 * MINUTE) < MINUTE
    await thread.told("an update is promised by")
    await thread.types("!send We are *looking* into it")
    await thread.types("!note 本人確認済み")
    await thread.types("／ resolve unsolved")
    session = (await here.session()).session
    assert (session.state, session.outcome) == (State.RESOLVED, Outcome.UNSOLVED)
    assert await here.replies_seen() == ["We are *looking* into it"]
    assert not [line for line in await here.customer_sees() if "!" in line or "本人" in line]


async def test_a_session_is_moved_to_a_desk_or_put_back(here: House, thread: Thread) -> None:
    await thread.types("!claim")
    await thread.types("!release")
    assert (await here.session()).session.state is State.QUEUED
    await thread.types("!transfer oth")
    assert (await here.session()).session.desk == "other"
    await thread.told("moved to other")


async def test_what_a_command_lacks_is_said_and_nothing_is_done(here: House, thread: Thread) -> None:
    for typed, words in {
        "!hold soon": "write a time behind !hold",
        "!resolve splendidly": "solved, unsolved, no answer, spam",
        "!transfer nowhere": "support, other",
        "!transfer @nobody": "not known as an operator",
        "!claim please": "takes nothing behind it",
    }.items():
        await thread.types(typed)
        await thread.told(words)
    session = (await here.session()).session
    assert (session.state, session.desk, session.recent[1:]) == (State.QUEUED, "support", ())


@pytest.mark.parametrize("line", ["!cliam", "／ｒｅｓｏｌｖｅｄ", "Thank you\n!resolve", "！おねがいします"])
async def test_what_is_no_command_stays_inside_and_can_be_sent(here: House, thread: Thread, line: str) -> None:
    await thread.types("!claim")
    await thread.types(line)
    await thread.told("Not sent", "kept as a note", "button")
    session = (await here.session()).session
    assert session.recent[-1].side == "note"
    assert session.state is State.ASSIGNED
    assert await here.replies_seen() == []


async def test_ones_own_work_is_asked_for_in_a_thread_too(here: House, thread: Thread) -> None:
    await thread.types("!away")
    await thread.told("You take no new sessions")
    await thread.types("!find Ｋ７Ｑ２")
    await thread.told("No session")
    await thread.types("!mine")
    await thread.told("My sessions")
    await thread.types("!help")
    await thread.told("!claim", "/chat find")
    assert len((await here.session()).session.recent) == 1, "none of it belongs to the session"


async def test_a_command_never_acts_nor_goes_out_by_an_edit(here: House, thread: Thread) -> None:
    await thread.types("!claim")
    reply = await thread.types("Hello")
    assert await here.replies_seen() == ["Hello"]
    await thread.edits(reply, "!resolve")
    assert (await here.session()).session.state is State.ASSIGNED, "it did not act"
    assert "withdrawn" in str(await here.replies_seen())
    await thread.told("not by an edit")
    command = await thread.types("!release")
    await thread.edits(command, "Hello again")
    await thread.told("never sees it")
    refused = await thread.types("!hold soon")
    await thread.edits(refused, "I hold soon")
    await thread.edits(command, "!claim")
    assert (await here.session()).session.state is State.QUEUED
    assert "again" not in str(await here.replies_seen())
    assert "hold" not in str(await here.replies_seen())


async def test_words_behind_send_are_edited_as_a_reply_and_those_behind_note_as_a_note(
    here: House, thread: Thread
) -> None:
    sent = await thread.types("!send one")
    noted = await thread.types("!note secret")
    await thread.edits(sent, "!send two")
    await thread.edits(noted, "!note more secret")
    assert (await here.replies_seen())[-1] == "two"
    await thread.edits(sent, "!note three")
    assert "withdrawn" in str(await here.replies_seen())
    assert "three" not in str(await here.customer_sees())
    assert "secret" not in str(await here.customer_sees())


async def test_an_edit_into_a_command_that_overtakes_its_message_stays_inside(here: House, thread: Thread) -> None:
    here.slack.mischief.add(Fault.REORDER, "message", where=lambda event: event.get("user") == thread.kenji.id)
    message = thread.kenji.say(here.desk, "Hello", thread_ts=thread.root.ts)
    await thread.edits(message, "!resolve")
    assert await here.replies_seen() == []
    assert (await here.session()).session.state is not State.RESOLVED


async def test_who_is_not_enrolled_commands_nothing(here: House, thread: Thread) -> None:
    mallory = here.slack.person("mallory")
    here.directory.outsiders.add(mallory.id)
    thread.kenji = mallory
    for typed in ("!claim", "!resolve", "!find hanako", "!mine"):
        await thread.types(typed)
        await thread.told("not enrolled")
    assert (await here.session()).session.state is State.QUEUED
