"""Nothing goes out by accident: who may reply from Slack, what waits, what stays inside, and how it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.controls import windows
from bridge.directory import Operator
from bridge.doctor import Finding
from bridge.messages import Body, TextPart
from bridge.templates import Template
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import OperatorNoted, OperatorReplied
from routing.policy import PlainWords
from routing.session import State
from routing.view import CustomerMessage
from tests.integration.slack_house import SLACK, House, house
from tests.simulators.slack import Person, SlackSimulator
from tests.simulators.slack.workspace import Json


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack, ping=5.0) as one:
        yield one


@pytest.fixture
def mary(slack: SlackSimulator) -> Person:
    return slack.person("mary")


async def asked(here: House, text: str = "hello") -> str:
    """A customer has written; the ts of their thread."""
    await here.writes(text)
    await here.thread(1)
    return (await here.root()).ts


def shown(here: House, person: Person) -> list[str]:
    return [one.text for one in here.slack.workspace.ephemerals if one.user == person.id]


async def is_shown(here: House, person: Person, words: str) -> None:
    await here.slack.until(lambda: any(words in one for one in shown(here, person)))


def user(here: House, person: Person) -> str:
    return f"{here.slack.workspace.team_id}:{person.id}"


async def line_below(here: House, ts: str, words: str) -> str:
    """The ts of the bridge's line with these words."""

    def found() -> list[str]:
        return [one.ts for one in here.slack.replies(here.desk, ts) if words in here.slack.seen(one)]

    await here.slack.until(found)
    return found()[0]


# ------------------------------------------------------------------ who is not enrolled


async def test_the_words_of_whoever_is_not_enrolled_wait_and_the_line_says_how_to_enrol_them(
    here: House, kenji: Person
) -> None:
    here.directory.outsiders.add(kenji.id)
    ts = await asked(here)
    kenji.say(here.desk, "I know this one", thread_ts=ts)
    await line_below(here, ts, f"kakehashi operators link ACCOUNT {user(here, kenji)}")
    assert await here.replies_seen() == []
    assert (await here.session()).session.state is State.QUEUED
    await kenji.click(here.desk, await here.root(), "claim")
    await is_shown(here, kenji, "not enrolled")
    found = await here.network.doctor()
    assert any(user(here, kenji) in one.what and "operators link" in one.mend for one in found)


async def test_an_operator_sends_them_in_their_own_name_and_another_press_does_nothing(
    here: House, kenji: Person, mary: Person
) -> None:
    here.directory.outsiders.add(kenji.id)
    ts = await asked(here)
    kenji.say(here.desk, "I know this one", thread_ts=ts)
    line = await line_below(here, ts, "not enrolled")
    await kenji.click(here.desk, line, "send")
    await is_shown(here, kenji, "not enrolled")
    assert await here.replies_seen() == [], "whoever is not enrolled does not send their own words"
    await mary.click(here.desk, line, "send")
    await mary.click(here.desk, line, "send") if _has_buttons(here, line) else None
    assert await here.replies_seen() == ["I know this one"]
    assert (await here.session()).session.assignee == f"slack:{user(here, mary)}"
    await line_below(here, ts, "in the name of")


def _has_buttons(here: House, line: str) -> bool:
    return any(block["type"] == "actions" for block in here.slack.message(here.desk, line).blocks)


async def test_kept_inside_they_reach_nobody_and_the_line_says_so(here: House, kenji: Person, mary: Person) -> None:
    here.directory.outsiders.add(kenji.id)
    ts = await asked(here)
    kenji.say(here.desk, "he is a fool", thread_ts=ts)
    await mary.click(here.desk, await line_below(here, ts, "not enrolled"), "keep")
    await line_below(here, ts, "Kept inside")
    assert await here.replies_seen() == []


async def test_held_words_leave_as_they_stand_and_deleted_they_never_leave(
    here: House, kenji: Person, mary: Person
) -> None:
    here.directory.outsiders.add(kenji.id)
    ts = await asked(here)
    said = kenji.say(here.desk, "fisrt", thread_ts=ts)
    line = await line_below(here, ts, "not enrolled")
    kenji.edit(here.desk, said, "first")
    await here.settled()
    await mary.click(here.desk, line, "send")
    assert await here.replies_seen() == ["first"]
    kenji.edit(here.desk, said, "something that nobody sent")
    gone = kenji.say(here.desk, "second", thread_ts=ts)
    await here.slack.until(lambda: len([one for one in here.slack.thread(here.desk, ts) if "not enrolled" in one]) == 1)
    kenji.delete(here.desk, gone)
    await here.settled()
    assert (await here.session()).session.pending == ()
    assert await here.replies_seen() == ["first"]


async def test_team_and_id_both_count(here: House, kenji: Person) -> None:
    here.directory.outsiders.add(kenji.id)
    await here.directory.add(Operator(OperatorId("kenji"), "kenji", network_users={SLACK: (f"T0OTHER:{kenji.id}",)}))
    ts = await asked(here)
    kenji.say(here.desk, "hello", thread_ts=ts)
    await line_below(here, ts, "not enrolled")
    assert await here.replies_seen() == []


async def test_who_leaves_the_channel_is_held_until_they_are_linked_anew(here: House, kenji: Person) -> None:
    await here.directory.add(Operator(OperatorId("kenji"), "kenji", network_users={SLACK: (user(here, kenji),)}))
    ts = await asked(here)
    kenji.say(here.desk, "one", thread_ts=ts)
    await here.settled()
    kenji.leave(here.desk)
    await here.settled()
    kenji.say(here.desk, "two", thread_ts=ts)
    await line_below(here, ts, "not enrolled")
    assert await here.replies_seen() == ["one"]
    assert _mended(await here.network.doctor(), "operators link kenji")
    await here.directory.link(OperatorId("kenji"), SLACK, user(here, kenji))
    kenji.say(here.desk, "three", thread_ts=ts)
    await here.settled()
    assert await here.replies_seen() == ["one", "three"]
    assert not _mended(await here.network.doctor(), "operators link kenji")


async def test_who_has_left_the_channel_says_nothing_to_the_customer_by_a_reaction_either(
    here: House, kenji: Person
) -> None:
    """Whoever leaves a public channel may still react in it."""
    await here.directory.add(Operator(OperatorId("kenji"), "kenji", network_users={SLACK: (user(here, kenji),)}))
    ts = await asked(here)
    await kenji.click(here.desk, await here.root(), "claim")
    await here.settled()
    kenji.leave(here.desk)
    await here.settled()
    (post,) = [one for one in here.slack.replies(here.desk, ts) if "hello" in one.text]
    kenji.react(here.desk, post, "eyes")
    await here.settled()
    assert "<looking_into_it>" not in await here.customer_sees()
    await here.directory.link(OperatorId("kenji"), SLACK, user(here, kenji))
    kenji.unreact(here.desk, post, "eyes")
    kenji.react(here.desk, post, "eyes")
    await here.settled()
    assert "<looking_into_it>" in await here.customer_sees()


def _mended(found: object, mend: str) -> bool:
    return any(isinstance(one, Finding) and mend in one.mend for one in found)  # type: ignore[attr-defined]  # a sequence


async def test_who_left_while_no_event_came_is_missed_at_the_next_look(here: House, kenji: Person) -> None:
    await here.directory.add(Operator(OperatorId("kenji"), "kenji", network_users={SLACK: (user(here, kenji),)}))
    await asked(here)
    kenji.join(here.desk)
    membership = here.network._membership
    membership._places = lambda: [here.desk.id]  # type: ignore[list-item]  # the desk's channel
    await membership.look()
    here.desk.members.discard(kenji.id)
    await membership.look()
    assert here.directory.by_network_user(SLACK, user(here, kenji), place=here.desk.id, home=True) is None


# ------------------------------------------------------------------ what stays inside


async def test_anyone_elses_words_stay_inside_and_their_author_may_send_them(
    here: House, kenji: Person, mary: Person
) -> None:
    ts = await asked(here)
    kenji.say(here.desk, "I am on it", thread_ts=ts)
    await here.settled()
    mary.say(here.desk, "Tell them that it is the fee", thread_ts=ts)
    await is_shown(here, mary, "is answering")
    assert await here.replies_seen() == ["I am on it"]
    await mary.click_shown("send")
    assert await here.replies_seen() == ["I am on it", "Tell them that it is the fee"]
    await here.slack.until(lambda: any("Sent to the customer" in one for one in shown(here, mary)))
    assert not any("is answering" in one for one in shown(here, mary)), "the line that they saw says what was done"
    await line_below(here, ts, "reply from another face")


async def test_a_messages_menu_sends_a_note_once_and_words_of_nobodys_never(
    here: House, kenji: Person, mary: Person
) -> None:
    ts = await asked(here)
    mary.join(here.desk)
    note = kenji.say(here.desk, "note: the fee is 2 %", thread_ts=ts)
    await here.settled()
    theirs = here.slack.replies(here.desk, ts)[0]
    for message in (note, theirs, note):
        assert (await mary.message_shortcut(here.desk, message, "send_to_customer")).ok
    assert await here.replies_seen() == ["the fee is 2 %"]
    await here.slack.until(lambda: len(shown(here, mary)) == 2)
    here.directory.outsiders.add(kenji.id)
    held = kenji.say(here.desk, "and 3 % abroad", thread_ts=ts)
    await line_below(here, ts, "not enrolled")
    assert (await kenji.message_shortcut(here.desk, held, "send_to_customer")).ok
    assert len(await here.replies_seen()) == 1
    assert (await mary.message_shortcut(here.desk, held, "send_to_customer")).ok
    assert (await here.replies_seen())[1:] == ["and 3 % abroad"]


async def test_what_was_sent_follows_its_authors_edits_and_goes_with_their_message(
    here: House, kenji: Person, mary: Person
) -> None:
    ts = await asked(here)
    kenji.say(here.desk, "I am on it", thread_ts=ts)
    await here.settled()
    said = mary.say(here.desk, "It is the feee", thread_ts=ts)
    await is_shown(here, mary, "is answering")
    await mary.click_shown("send")
    mary.edit(here.desk, said, "It is the fee")
    await here.settled()
    assert (await here.replies_seen())[-1] == "It is the fee"
    mary.edit(here.desk, said, "note: it is not the fee")
    await here.settled()
    await is_shown(here, mary, "taken back from the customer")
    assert "withdrawn" in (await here.replies_seen())[-1]


async def test_a_reply_that_is_edited_into_words_to_a_colleague_is_taken_back(
    here: House, kenji: Person, mary: Person
) -> None:
    ts = await asked(here)
    said = kenji.say(here.desk, "It is the fee", thread_ts=ts)
    await here.settled()
    kenji.edit(here.desk, said, f"<@{mary.id}> is it the fee?")
    await is_shown(here, kenji, "taken back from the customer")
    assert "withdrawn" in (await here.replies_seen())[-1]
    kenji.edit(here.desk, said, "It is the fee, after all")
    await is_shown(here, kenji, "stays so")
    assert "withdrawn" in (await here.replies_seen())[-1]


async def test_a_note_that_is_edited_into_plain_words_stays_one_until_it_is_sent(here: House, kenji: Person) -> None:
    ts = await asked(here)
    said = kenji.say(here.desk, "note: It is the fee", thread_ts=ts)
    await here.settled()
    kenji.edit(here.desk, said, "It is the fee")
    await is_shown(here, kenji, "stays a note")
    assert await here.replies_seen() == []
    await kenji.click_shown("send")
    assert await here.replies_seen() == ["It is the fee"]


async def test_a_messages_menu_sends_a_note_that_was_written_on_the_desk_page(here: House, kenji: Person) -> None:
    ts = await asked(here)
    kenji.join(here.desk)
    session, aiko = (await here.session()).session.id, OperatorId("aiko")
    note, reply = OperatorNoted(MessageId("o:note"), aiko), OperatorReplied(MessageId("o:reply"), aiko)
    await here.relay.from_operator(session, note, InputKey("desk/1"), body=Body((TextPart("It is the fee"),)))
    await here.relay.from_operator(session, reply, InputKey("desk/2"), body=Body((TextPart("A moment"),)))
    for text in ("A moment", "It is the fee"):
        assert (await kenji.message_shortcut(here.desk, await line_below(here, ts, text), "send_to_customer")).ok
    await is_shown(here, kenji, "gone to the customer already")
    assert await here.replies_seen() == ["A moment", "It is the fee"]


def named(*, note: bool = False, public: str = "") -> tuple[str, list[Json]]:
    """A message that names a channel and a group of the workspace's, and a desk's channel: its text, and its blocks."""
    lead = "note: see " if note else "see "
    elements: list[Json] = [{"type": "text", "text": lead}, {"type": "channel", "channel_id": "C0SECRET"}]
    elements += [{"type": "text", "text": ", "}, {"type": "usergroup", "usergroup_id": "S1"}]
    elements += [{"type": "text", "text": ", "}, {"type": "channel", "channel_id": public}]
    text = f"{lead}<#C0SECRET|secret-project>, <!subteam^S1|@merger>, <#{public}|support>"
    return text, [{"type": "rich_text_section", "elements": elements}]


async def test_names_of_channels_and_groups_stay_inside_and_the_author_is_told(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    parts = {"desk_title": lambda desk, language: "Transfers"}
    async with house(engine_url, tmp_path, slack, parts=parts, ping=5.0) as here:
        ts = await asked(here)
        text, rich = named(public=here.desk.id)
        kenji.say(here.desk, text, thread_ts=ts, rich=rich)
        await is_shown(here, kenji, "the customer reads #channel, @team instead")
        assert await here.replies_seen() == ["see #channel, @team, Transfers"]
        text, rich = named(note=True, public=here.desk.id)
        note = kenji.say(here.desk, text, thread_ts=ts, rich=rich)
        await here.settled()
        assert (await kenji.message_shortcut(here.desk, note, "send_to_customer")).ok
        assert (await here.replies_seen())[1:] == ["see #channel, @team, Transfers"], "a note that is sent, too"


async def test_words_to_a_colleague_stay_inside(here: House, kenji: Person, mary: Person) -> None:
    ts = await asked(here)
    await kenji.click(here.desk, await here.root(), "claim")
    kenji.say(here.desk, f"<@{mary.id}> is he always like this?", thread_ts=ts)
    await is_shown(here, kenji, "addressed to a colleague")
    assert await here.replies_seen() == []


async def test_what_is_forwarded_stays_inside_until_its_author_sends_it(here: House, kenji: Person) -> None:
    ts = await asked(here)
    origin = kenji.say(here.desk, "of *another* customer")
    note = kenji.forward(here.desk, origin, text="look", thread_ts=ts)
    await is_shown(here, kenji, "Forwarded messages stay inside")
    kenji.forward(here.desk, origin, thread_ts=ts)
    await here.settled()
    assert await here.replies_seen() == []
    assert (await kenji.message_shortcut(here.desk, note, "send_to_customer")).ok
    assert await here.replies_seen() == ["look\nForwarded message\nof another customer"]


async def test_of_two_who_answer_at_once_the_second_hears_who_is_answering(
    here: House, kenji: Person, mary: Person
) -> None:
    ts = await asked(here)
    kenji.say(here.desk, "Hello, this is Kenji", thread_ts=ts)
    mary.say(here.desk, "Hello, this is Mary", thread_ts=ts)
    await here.settled()
    await here.slack.until(lambda: shown(here, kenji) or shown(here, mary))
    assert len(await here.replies_seen()) == 1


async def test_where_plain_words_are_notes_a_reply_is_sent_expressly(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with house(engine_url, tmp_path, slack, rules={"plain_words": PlainWords.NOTE}, ping=5.0) as here:
        ts = await asked(here)
        kenji.say(here.desk, "Just a moment", thread_ts=ts)
        await is_shown(here, kenji, "stay inside until")
        assert await here.replies_seen() == []
        kenji.say(here.desk, "返信： Good morning", thread_ts=ts)
        await here.settled()
        assert await here.replies_seen() == ["Good morning"]
        await kenji.click_shown("send")
        assert await here.replies_seen() == ["Good morning", "Just a moment"]


# ------------------------------------------------------------------ undo


async def test_a_reply_can_be_undone_and_else_leaves_by_itself(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with house(engine_url, tmp_path, slack, rules={"undo": 60_000}, ping=5.0) as here:
        ts = await asked(here)
        kenji.say(here.desk, "oh no", thread_ts=ts)
        line = await line_below(here, ts, "Goes to the customer in 60 s")
        assert (await here.session()).session.state is State.ASSIGNED
        await kenji.click(here.desk, line, "undo")
        await is_shown(here, kenji, "Undone")
        await here.slack.until(lambda: line not in here.desk.messages)
        assert await here.replies_seen() == []
        kenji.say(here.desk, "oh yes", thread_ts=ts)
        line = await line_below(here, ts, "Goes to the customer in 60 s")
        await kenji.click(here.desk, line, "send")
        assert await here.replies_seen() == ["oh yes"]
        await here.slack.until(lambda: line not in here.desk.messages)


async def test_when_the_time_to_undo_is_over_it_has_left_and_the_line_goes(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with house(engine_url, tmp_path, slack, rules={"undo": 300}, ping=5.0) as here:
        ts = await asked(here)
        kenji.say(here.desk, "here it is", thread_ts=ts)

        async def has_left() -> bool:
            return await here.replies_seen() == ["here it is"]

        await here.until(has_left)
        await here.lanes_are_empty()
        assert not any("Goes to the customer" in one for one in here.slack.thread(here.desk, ts))


async def test_what_is_corrected_before_it_leaves_is_not_edited_to_the_customer(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with house(engine_url, tmp_path, slack, rules={"undo": 60_000}, ping=5.0) as here:
        ts = await asked(here)
        said = kenji.say(here.desk, "it costs 100 BTC", thread_ts=ts)
        line = await line_below(here, ts, "Goes to the customer")
        kenji.edit(here.desk, said, "it costs 1 BTC")
        await here.settled()
        await kenji.click(here.desk, line, "send")
        resumed = await here.feed.catch_up(await here.session(), None)
        (reply,) = [one for one in resumed.shown if isinstance(one.event, CustomerMessage) and one.event.operator]
        assert (await here.replies_seen(), reply.event.edited) == (["it costs 1 BTC"], False)  # type: ignore[union-attr]


# ------------------------------------------------------------------ templates

REFUND = Template("refund", {"en": "Dear {customer}, {amount} is on its way."})


@asynccontextmanager
async def with_templates(engine_url: str, tmp_path: Path, slack: SlackSimulator, **rules: Any) -> AsyncIterator[House]:
    parts = {"templates": lambda desk: (REFUND,)}
    slack.habits.ack_timeout = slack.habits.trigger_life = 30.0  # what is too late, other tests tell
    async with house(engine_url, tmp_path, slack, rules=rules, parts=parts, ping=5.0) as here:
        yield here


async def test_a_typed_template_can_be_undone_and_its_line_says_the_words_as_they_stand(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with with_templates(engine_url, tmp_path, slack, undo=60_000) as here:
        ts = await asked(here)
        said = kenji.say(here.desk, ";refund amount=5", thread_ts=ts)
        line = await line_below(here, ts, "Dear Hanako, 5 is on its way.")
        kenji.edit(here.desk, said, ";refund amount=6")
        assert await line_below(here, ts, "Dear Hanako, 6 is on its way.") == line
        assert await here.replies_seen() == []
        await kenji.click(here.desk, line, "undo")
        await line_below(here, ts, "note, not shown to the customer")
        await is_shown(here, kenji, "Undone")
        await here.slack.until(lambda: line not in here.desk.messages)
        await kenji.click_shown("send")
        assert await here.replies_seen() == ["Dear Hanako, 6 is on its way."]


async def test_what_a_templates_gap_is_given_names_no_channel_either(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with with_templates(engine_url, tmp_path, slack) as here:
        ts = await asked(here)
        channel: Json = {"type": "channel", "channel_id": "C0SECRET"}
        elements = [{"type": "text", "text": ';refund amount="'}, channel, {"type": "text", "text": '"'}]
        rich: list[Json] = [{"type": "rich_text_section", "elements": elements}]
        kenji.say(here.desk, ';refund amount="<#C0SECRET|secret-project>"', thread_ts=ts, rich=rich)
        await is_shown(here, kenji, "the customer reads #channel instead")
        assert await here.replies_seen() == ["Dear Hanako, #channel is on its way."]


async def test_where_plain_words_are_notes_a_typed_template_is_one_and_can_be_sent(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    async with with_templates(engine_url, tmp_path, slack, plain_words=PlainWords.NOTE) as here:
        ts = await asked(here)
        said = kenji.say(here.desk, ";refund amount=5", thread_ts=ts)
        await is_shown(here, kenji, "stay inside until")
        await line_below(here, ts, "Dear Hanako, 5 is on its way.")
        kenji.edit(here.desk, said, ";refund amount=6")
        await is_shown(here, kenji, "stays a note")
        assert await here.replies_seen() == []
        await kenji.click_shown("send")
        assert await here.replies_seen() == ["Dear Hanako, 6 is on its way."]


async def test_a_template_sent_from_its_window_is_meant_for_the_customer_and_can_be_undone(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "OPEN_WITHIN", 30.0)
    rules = {"plain_words": PlainWords.NOTE, "undo": 60_000}
    async with with_templates(engine_url, tmp_path, slack, **rules) as here:
        ts = await asked(here)
        await kenji.click(here.desk, await here.root(), "templates")
        await here.slack.until(lambda: any(one.user == kenji.id for one in here.slack.workspace.views.values()))
        await kenji.submit({"template": "refund"})
        assert (await kenji.submit({"gap.amount": "5"})).answer == {"response_action": "clear"}
        line = await line_below(here, ts, "Dear Hanako, 5 is on its way.")
        assert (await here.replies_seen(), len((await here.session()).session.pending)) == ([], 1)
        await kenji.click(here.desk, line, "send")
        assert await here.replies_seen() == ["Dear Hanako, 5 is on its way."]
        await here.slack.until(lambda: line not in here.desk.messages)
