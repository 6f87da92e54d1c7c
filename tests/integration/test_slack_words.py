"""What people write in Slack and elsewhere, with all that it is: formatted, long, and strange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.messages import Body, FilePart, Mark, MarkKind, TextPart
from routing.facts import Side
from routing.ids import DeskId, InputKey, MessageId, OperatorId
from routing.inputs import CustomerRevised, OperatorReplied, OperatorRevised, OperatorTransferred, OperatorWithdrew
from routing.view import CustomerMessage
from tests.integration.slack_house import House, house
from tests.integration.test_slack import png
from tests.simulators.slack import Channel, Fault, Person, SlackSimulator
from tests.simulators.slack.workspace import Message
from tests.unit.adapters.slack.test_inert import ACTS

BOLD, ITEM = MarkKind.BOLD, MarkKind.ITEM


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack) as one:
        yield one


async def customer_reads(here: House) -> list[TextPart]:
    """The words of the replies that the customer has, as they stand now."""
    resumed = await here.feed.catch_up(await here.session(), None)
    return [
        shown.body.words
        for shown in resumed.shown
        if isinstance(shown.event, CustomerMessage) and shown.event.side is Side.REPLY and shown.body is not None
    ]


def bold(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words, "style": {"bold": True}}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


# ------------------------------------------------------------------ from Slack to the customer


async def test_what_is_formatted_in_slack_is_formatted_at_the_customers(here: House, kenji: Person) -> None:
    await here.writes("hello")
    root = await here.root()
    plain = {"type": "text", "text": "Please "}
    steps = {"type": "rich_text_list", "style": "ordered", "elements": [section(bold("log in"))]}
    said = kenji.say(
        here.desk, "Please *now*\n1. *log in*", thread_ts=root.ts, rich=[section(plain, bold("now")), steps]
    )
    await here.settled()
    marks = (Mark(BOLD, 7, 10), Mark(ITEM, 14, 20, "1. "), Mark(BOLD, 14, 20))
    assert await customer_reads(here) == [TextPart("Please now\n1. log in", marks)]
    kenji.edit(here.desk, said, "*done*", rich=[section(bold("done"))])
    await here.settled()
    assert (await customer_reads(here))[-1] == TextPart("done", (Mark(BOLD, 0, 4),))


async def test_a_formatted_note_is_a_note_and_keeps_its_form(here: House, kenji: Person) -> None:
    await here.writes("hello")
    root = await here.root()
    prefix = bold("Note:")
    plain = {"type": "text", "text": " call "}
    said = kenji.say(here.desk, "*Note:* call *her*", thread_ts=root.ts, rich=[section(prefix, plain, bold("her"))])
    await here.settled()
    session = (await here.session()).session
    spoken = next(one for one in session.recent if one.side is Side.NOTE)
    body = (await here.store.bodies(session.id, [(spoken.message, 0)]))[0]
    assert said.ts in spoken.message
    assert body is not None
    assert body.words == TextPart("call her", (Mark(BOLD, 5, 8),))
    assert await customer_reads(here) == []


# ------------------------------------------------------------------ from elsewhere to Slack

SATO = OperatorId("op-sato")
LONG = "".join(f"{number}. 界👩‍👩‍👧‍👦 <&> {'x' * (number % 40)}\n" for number in range(500))
"""Longer than two posts may be."""


async def replies(here: House, words: TextPart, name: str = "o:1") -> None:
    """An operator answers at the desk's page."""
    session, event = (await here.session()).session.id, OperatorReplied(MessageId(name), SATO)
    await here.relay.from_operator(session, event, InputKey(f"desk/{name}"), body=Body((words,)))
    await here.lanes_are_empty()


async def revises(here: House, words: str, revision: int, name: str = "o:1") -> None:
    session, event = (await here.session()).session.id, OperatorRevised(MessageId(name), SATO, revision)
    body = Body((TextPart(words),))
    await here.relay.from_operator(session, event, InputKey(f"desk/{name}/{revision}"), body=body)
    await here.lanes_are_empty()


def answers(here: House) -> list[str]:
    """The posts that show an operator's reply, in their order."""
    root = here.slack.roots(here.desk)[0]
    return [one for one in here.slack.thread(here.desk, root.ts) if "another face" in one]


def shows_a_reply(args: dict[str, Any]) -> bool:
    return "another face" in str(args.get("blocks"))


def words_in(posts: list[str]) -> str:
    """What these posts say together, without each one's own first line."""
    return "".join(post.partition("\n")[2] for post in posts)


async def test_marks_of_another_face_are_styles_in_slack(here: House) -> None:
    await here.writes("hello")
    marks = (Mark(BOLD, 0, 3), Mark(ITEM, 6, 9, "• "))
    await replies(here, TextPart("now\n• one", marks))
    root = await here.root()
    post = next(one for one in here.slack.replies(here.desk, root.ts) if "another face" in here.slack.seen(one))
    first, second = post.blocks[-1]["elements"]
    assert first["elements"] == [{"type": "text", "text": "now", "style": {"bold": True}}]
    assert (second["type"], second["style"]) == ("rich_text_list", "bullet")


@pytest.mark.parametrize("lost", [None, 0, 1, 2])
async def test_a_long_reply_is_whole_over_several_posts_whichever_answer_is_lost(here: House, lost: int | None) -> None:
    await here.writes("hello")
    await here.thread(1)
    if lost is not None:
        here.slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage", skip=lost, where=shows_a_reply)
    await replies(here, TextPart(LONG))
    posts = answers(here)
    assert len(posts) == 3
    assert words_in(posts) == LONG
    stored = await here.session()
    assert len(await here.store.posts(stored.session.id, MessageId("o:1"), 1)) == 3


@pytest.mark.parametrize("fault", [None, Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
async def test_a_reply_that_grows_and_shrinks_takes_as_many_posts_as_it_needs(here: House, fault: Fault | None) -> None:
    await here.writes("hello")
    await replies(here, TextPart("short"))
    if fault is not None:
        here.slack.mischief.add(fault, "chat.postMessage")
    await revises(here, LONG, 1)
    assert words_in(answers(here)) == f"{LONG}\nedited"
    assert len(answers(here)) == 3
    await revises(here, "short again", 2)
    assert words_in(answers(here)) == "short again\nedited"
    assert len(answers(here)) == 1


async def test_a_long_reply_is_withdrawn_whole(here: House) -> None:
    await here.writes("hello")
    await replies(here, TextPart(LONG))
    session = (await here.session()).session.id
    await here.relay.from_operator(session, OperatorWithdrew(MessageId("o:1"), SATO), InputKey("desk/gone"))
    await here.lanes_are_empty()
    assert answers(here) == []
    root = await here.root()
    assert here.slack.thread(here.desk, root.ts).count("This message was withdrawn.") == 1


async def test_the_longest_reply_from_slack_arrives_whole(here: House, kenji: Person) -> None:
    await here.writes("hello")
    root = await here.root()
    longest = (LONG * 3)[:39_000]
    kenji.say(here.desk, longest, thread_ts=root.ts)
    await here.settled()
    assert [one.text for one in await customer_reads(here)] == [longest]


# ------------------------------------------------------------------ what customers write acts nowhere


async def everything(slack: SlackSimulator, *places: Channel) -> list[Message]:
    return [one for place in places for root in slack.roots(place) for one in (root, *slack.replies(place, root.ts))]


@pytest.mark.parametrize("persona", [False, True])
async def test_nothing_of_a_customers_acts_anywhere_in_slack(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, persona: bool
) -> None:
    """Words, name, page, file, edit, and all of it again at the desk that the session moves to."""
    if persona:
        slack.workspace.app.scopes.add("chat:write.customize")
    desks = (slack.channel("support"), slack.channel("withdrawals"))
    hostile, name = "\n".join(ACTS), " ".join(ACTS[:6])
    async with house(engine_url, tmp_path, slack, desks=desks) as here:
        kept = await here.files.put("customer:main/~visitor", f"{name}.png", png(), "k1")
        file = FilePart(kept.file_id, kept.name, kept.media_type, kept.size)
        receipt = await here.writes(hostile, file, name=name)
        await here.lanes_are_empty()
        message = receipt.stored.session.recent[-1].message
        await here.does(CustomerRevised(message, 1), Body((TextPart(f"{hostile} again"), file)))
        moved = OperatorTransferred(SATO, DeskId("withdrawals"))
        await here.relay.from_operator(receipt.stored.session.id, moved, InputKey("desk/move"))
        await here.root(desks[1])
        await here.lanes_are_empty()
        messages = await everything(slack, *desks)
        shown = [slack.seen(one) for one in messages]
        assert sum(hostile in one for one in shown) >= 2
        ours = {(link.url, link.kind) for one in messages for link in one.links if link.kind != "date"}
        assert {kind for _, kind in ours} <= {"channel"}  # "This session moved to #withdrawals"
        assert {url for url, _ in ours} <= {desk.id for desk in desks}
        assert [one.unfurls for one in messages if one.unfurls] == []
        assert {ping.kind for one in messages for ping in one.pings} <= {"user"}  # assignees, whom we mention
        assert not any(ping.target in hostile for one in messages for ping in one.pings)
        assert [one.name for one in slack.workspace.files.values()] == [kept.name]
