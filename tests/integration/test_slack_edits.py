"""Slack: edits, deletions and reactions, both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.directory import Operator
from bridge.messages import Body, TextPart
from bridge.relay import Receipt
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import CustomerReacted, CustomerRevised, OperatorReacted, OperatorReplied, OperatorWithdrew
from tests.integration.slack_house import House, house
from tests.simulators.slack import Fault, Person, SlackSimulator
from tests.simulators.slack.workspace import Message

KENJI = OperatorId("op-kenji")


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person) -> AsyncIterator[House]:
    """A house in which Kenji is enrolled."""
    async with house(engine_url, tmp_path, slack) as one:
        await enrol(one, kenji, KENJI)
        yield one


async def enrol(here: House, person: Person, as_: OperatorId) -> None:
    users = {"slack": (f"{here.slack.workspace.team_id}:{person.id}",)}
    await here.directory.add(Operator(as_, person.user.name, {"en": person.user.name.title()}, network_users=users))  # type: ignore[arg-type]


async def posted(here: House, text: str, number: int = 0) -> tuple[MessageId, Message]:
    """A customer's message, and its post."""
    receipt = await here.writes(text)
    await here.thread(number + 1)
    return receipt.stored.session.recent[-1].message, here.slack.replies(here.desk, (await here.root()).ts)[number]


async def answered(here: House, person: Person, text: str = "Certainly.") -> tuple[MessageId, Message]:
    """A reply typed in the thread, and the customer's name for it."""
    said = person.say(here.desk, text, thread_ts=(await here.root()).ts)
    await here.settled()
    reply = (await here.session()).session.last_reply
    assert reply is not None
    return reply, said


async def notices(here: House) -> list[str]:
    return [line for line in await here.customer_sees() if line.startswith("<")]


def calls(here: House, method: str) -> list[str]:
    return [call.outcome for call in here.slack.calls if call.method == method]


# ------------------------------------------------------------------ the customer's edits


async def test_an_edit_shows_the_new_words_and_small_beneath_them_the_former_ones(here: House) -> None:
    message, post = await posted(here, "send it to <@U1> *A*")
    for number, text in enumerate(["send it to B", "send it to C"], 1):
        await here.does(CustomerRevised(message, number), Body((TextPart(text),)))
    await here.lanes_are_empty()
    assert here.slack.seen(post).splitlines()[:2] == ["Hanako", "send it to C"]
    small = post.blocks[-1]
    assert small["type"] == "context"
    assert [one["text"] for one in small["elements"]] == [
        "edited",
        "Before: send it to B",
        "Before: send it to <@U1> *A*",
    ]
    assert {one["type"] for one in small["elements"]} == {"plain_text"}
    assert (post.pings, post.links) == ([], [])


async def test_a_long_message_that_is_changed_again_and_again_fits_its_post(here: House) -> None:
    message, post = await posted(here, "あ" * 4_000)
    for number in range(1, 9):
        await here.does(CustomerRevised(message, number), Body((TextPart(f"{number}" * 4_000),)))
    await here.lanes_are_empty()
    assert await here.store.stuck_lanes(here.network.name) == []
    assert [one["text"][:9] for one in post.blocks[-1]["elements"]] == [
        "edited",
        *(f"Before: {number}" for number in (7, 6, 5, 4, 3)),
    ]


async def test_the_relay_numbers_an_edit_that_bears_no_number(here: House) -> None:
    message, _ = await posted(here, "one")
    for text in ("two", "three"):
        answer = await here.does(CustomerRevised(message), Body((TextPart(text),)))
        assert isinstance(answer, Receipt)
    assert [line for line in await here.customer_sees() if not line.startswith("<")] == ["one", "two", "three"]


# ------------------------------------------------------------------ deletions


async def test_one_deletion_is_its_authors(here: House, kenji: Person) -> None:
    await here.writes("hello")
    _, said = await answered(here, kenji)
    kenji.delete(here.desk, said)
    await here.settled()
    assert (await here.replies_seen())[-1].endswith("withdrawn)")


async def test_a_clearing_of_several_peoples_words_takes_nothing_from_the_customer(
    here: House, kenji: Person, slack: SlackSimulator
) -> None:
    aiko, admin = slack.person("aiko"), slack.person("admin")
    await here.writes("hello")
    said = [(await answered(here, one, f"reply: reply {number}"))[1] for number, one in enumerate([kenji, aiko] * 2)]
    for one in said:
        admin.delete(here.desk, one)
    await here.settled()
    assert await here.replies_seen() == [f"reply {number}" for number in range(4)]
    await here.lanes_are_empty()
    told = [line for line in await here.thread(2) if "not by their authors" in line]
    assert len(told) == 1


async def test_the_end_of_a_long_clearing_is_no_authors_either(
    here: House, kenji: Person, slack: SlackSimulator
) -> None:
    """The bridge's own posts go first, then one reply, when all that went before has been counted."""
    await here.writes("hello")
    _, said = await answered(here, kenji)
    for number in range(11):
        await here.writes(f"{number}")
    await here.thread(13)
    root = await here.root()
    ours = [one for one in slack.replies(here.desk, root.ts) if one.bot_id]
    for one in ours:
        slack.person("admin").delete(here.desk, one)
    await here.settled()
    slack.person("admin").delete(here.desk, said)
    await here.settled()
    assert await here.replies_seen() == ["Certainly."]


async def test_a_deletion_that_slack_says_was_somebody_elses_is_not_passed_on(
    here: House, kenji: Person, slack: SlackSimulator
) -> None:
    await here.writes("hello")
    _, said = await answered(here, kenji)
    slack.habits.names_deleter = True
    slack.person("admin").delete(here.desk, said)
    await here.settled()
    assert await here.replies_seen() == ["Certainly."]
    await slack.until(lambda: any(one.user == kenji.id and one.blocks for one in slack.workspace.ephemerals))
    told = next(one for one in slack.workspace.ephemerals if one.user == kenji.id and one.blocks)
    button = told.blocks[-1]["elements"][0]
    root = await here.root()
    for who in (slack.person("mai"), kenji):
        payload = slack.interactions.block_actions(who.user, here.desk, root, button | {"block_id": "b"})
        await slack.interactions.send("interactive", payload)
        seen = await here.replies_seen()
        assert seen[-1].endswith("withdrawn)") is (who is kenji)


async def test_what_retention_deletes_concerns_nobody(here: House, kenji: Person, slack: SlackSimulator) -> None:
    """It is older than a day; nothing is kept of such a deletion, and nobody is told."""
    await here.writes("hello")
    _, said = await answered(here, kenji)
    before = (await here.session()).head
    slack.events.emit(_aged_deletion(here, said), here.desk, "message.channels")
    await here.settled()
    assert (await here.session()).head == before
    assert [one for one in slack.workspace.ephemerals if one.user == kenji.id] == []


def _aged_deletion(here: House, said: Message) -> dict[str, object]:
    seconds, fraction = said.ts.split(".")
    days_later = f"{int(seconds) + 2 * 86_400}.{fraction}"
    previous = {"type": "message", "user": said.user, "ts": said.ts, "thread_ts": said.thread_ts, "text": said.text}
    event = {"type": "message", "subtype": "message_deleted", "hidden": True, "deleted_ts": said.ts}
    where = {"channel": here.desk.id, "ts": days_later, "event_ts": days_later}
    return {**event, **where, "previous_message": previous}


async def test_a_root_or_a_post_of_ours_that_is_deleted_withdraws_nothing(here: House, kenji: Person) -> None:
    _, post = await posted(here, "hello")
    kenji.delete(here.desk, post)
    kenji.delete(here.desk, await here.root())
    await here.settled()
    assert "hello" in await here.customer_sees()


# ------------------------------------------------------------------ operators' reactions


async def test_the_assignees_eyes_tell_the_customer_once(here: House, kenji: Person) -> None:
    _, post = await posted(here, "hello")
    await kenji.click(here.desk, await here.root(), "claim")
    kenji.react(here.desk, post, "eyes")
    kenji.unreact(here.desk, post, "eyes")
    kenji.react(here.desk, post, "eyes")
    await here.settled()
    assert (await notices(here)).count("<looking_into_it>") == 1


async def test_a_reaction_that_comes_many_times_is_one(here: House, kenji: Person, slack: SlackSimulator) -> None:
    _, post = await posted(here, "hello")
    await kenji.click(here.desk, await here.root(), "claim")
    slack.mischief.add(Fault.DUPLICATE, "reaction_added", copies=10)
    kenji.react(here.desk, post, "+1::skin-tone-3")
    await here.settled()
    entries = await here.store.journal((await here.session()).session.id)
    assert [one.fact.reaction for one in entries if type(one.fact).__name__ == "ReactionAdded"] == ["👍"]  # type: ignore[attr-defined]


async def test_who_is_not_enrolled_reacts_for_themselves(here: House, slack: SlackSimulator) -> None:
    here.directory.outsiders.add(slack.person("guest").id)
    _, post = await posted(here, "hello")
    before, asked = (await here.session()).head, len(calls(here, "conversations.replies"))
    slack.person("guest").react(here.desk, post, "eyes")
    await here.settled()
    assert (await here.session()).head == before
    assert len(calls(here, "conversations.replies")) == asked


async def test_reactions_to_cards_and_to_other_peoples_talk_are_nothing(here: House, kenji: Person) -> None:
    await posted(here, "hello")
    talk = kenji.say(here.desk, "lunch?")
    kenji.say(here.desk, "yes", thread_ts=talk.ts)
    before = (await here.session()).head
    for one in (await here.root(), talk, here.slack.replies(here.desk, talk.ts)[0]):
        kenji.react(here.desk, one, "eyes")
    await here.settled()
    assert (await here.session()).head == before


async def test_a_reaction_waits_for_slack_to_say_whose_thread_it_is(
    here: House, kenji: Person, slack: SlackSimulator
) -> None:
    _, post = await posted(here, "hello")
    await kenji.click(here.desk, await here.root(), "claim")
    slack.mischief.add(Fault.BAD_GATEWAY, "conversations.replies", times=2)
    kenji.react(here.desk, post, "eyes")
    await here.settled()
    assert "<looking_into_it>" in await notices(here)


# ------------------------------------------------------------------ the customer's reactions


async def test_a_customers_reaction_stands_at_the_reply_and_is_taken_off_again(here: House, kenji: Person) -> None:
    await here.writes("hello")
    reply, said = await answered(here, kenji)
    bot = here.slack.workspace.app.bot.id
    await here.does(CustomerReacted(reply, "❤️", True))
    await here.lanes_are_empty()
    assert said.reactions == {"heart": [bot]}
    await here.does(CustomerReacted(reply, "👍", True))
    await here.lanes_are_empty()
    assert said.reactions == {"+1": [bot]}
    await here.does(CustomerReacted(reply, "👍", False))
    await here.lanes_are_empty()
    assert said.reactions == {}


async def test_a_reaction_to_what_was_said_at_another_face_stands_at_our_post(here: House) -> None:
    session = (await here.writes("hello")).stored.session.id
    body, reply = Body((TextPart("from the desk"),)), MessageId("o:1")
    await here.relay.from_operator(session, OperatorReplied(reply, KENJI), InputKey("desk/1"), body=body)
    await here.does(CustomerReacted(reply, "🙏", True))
    await here.lanes_are_empty()
    post = here.slack.replies(here.desk, (await here.root()).ts)[1]
    assert list(post.reactions) == ["pray"]


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.BAD_GATEWAY_AFTER, Fault.INTERNAL_ERROR])
async def test_a_lost_answer_leaves_one_reaction(here: House, kenji: Person, fault: Fault) -> None:
    await here.writes("hello")
    reply, said = await answered(here, kenji)
    here.slack.mischief.add(fault, "reactions.add")
    await here.does(CustomerReacted(reply, "👍", True))
    await here.lanes_are_empty()
    assert list(said.reactions) == ["+1"]
    assert len(await here.thread(2)) == 2


async def test_what_was_thought_better_of_meanwhile_is_not_shown(here: House, kenji: Person) -> None:
    await here.writes("hello")
    reply, said = await answered(here, kenji)
    here.slack.mischief.add(Fault.RATE_LIMIT, "reactions.add", seconds=4)
    for number in range(9):
        await here.does(CustomerReacted(reply, "👍", number % 2 == 0))
    await here.lanes_are_empty()
    assert list(said.reactions) == ["+1"]
    assert calls(here, "reactions.remove") == []


@pytest.mark.parametrize("error", ["message_not_found", "thread_locked", "missing_scope", "unknown_method"])
async def test_where_the_post_cannot_bear_it_it_is_said_in_words(here: House, kenji: Person, error: str) -> None:
    await here.writes("hello")
    reply, _ = await answered(here, kenji)
    here.slack.mischief.add(Fault.ERROR, "reactions.add", error=error)
    await here.does(CustomerReacted(reply, "👍", True))
    await here.lanes_are_empty()
    assert (await here.thread(3))[-1] == "The customer reacted to a reply: 👍"


async def test_what_is_done_on_the_desk_page_stands_at_the_customers_words(here: House) -> None:
    message, post = await posted(here, "hello")
    session = (await here.session()).session.id
    await here.relay.from_operator(session, OperatorReacted(message, KENJI, "👀", True), InputKey("desk/2"))
    await here.lanes_are_empty()
    assert list(post.reactions) == ["eyes"]


# ------------------------------------------------------------------ taken back elsewhere


@pytest.mark.parametrize("may_react", [True, False])
async def test_what_its_author_takes_back_at_the_desk_page_is_said_once_where_it_still_stands(
    here: House, kenji: Person, may_react: bool
) -> None:
    if not may_react:
        here.slack.workspace.app.scopes.discard("reactions:write")
    await here.writes("hello")
    root = await here.root()
    said = kenji.say(here.desk, "my mistake", thread_ts=root.ts)
    await here.settled()
    await here.lanes_are_empty()
    here.slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage")
    stored = await here.session()
    message = MessageId(f"s:{here.desk.id}:{said.ts}")
    spoken = stored.session.spoken(message)
    assert spoken is not None
    event = OperatorWithdrew(message, OperatorId(spoken.by))
    await here.relay.from_operator(stored.session.id, event, InputKey("desk/back"))
    await here.lanes_are_empty()
    lines = [line for line in here.slack.thread(here.desk, root.ts) if line.startswith("Withdrawn for the customer")]
    assert len(lines) == 1
    assert list(said.reactions) == (["wastebasket"] if may_react else [])
    assert here.slack.thread(here.desk, root.ts).count("my mistake") == 1  # nobody but its author can delete it


async def test_what_its_author_deletes_in_slack_needs_no_word_about_it(here: House, kenji: Person) -> None:
    await here.writes("hello")
    root = await here.root()
    said = kenji.say(here.desk, "my mistake", thread_ts=root.ts)
    await here.settled()
    kenji.delete(here.desk, said.ts)
    await here.settled()

    async def is_withdrawn() -> bool:
        return "withdrawn" in str(await here.customer_sees())

    await here.until(is_withdrawn)
    await here.lanes_are_empty()
    assert "Withdrawn for the customer" not in "".join(here.slack.thread(here.desk, root.ts))
