"""What people write in Slack and elsewhere, with all that it is: formatted, long, and strange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.messages import Mark, MarkKind, TextPart
from routing.facts import Side
from routing.view import CustomerMessage
from tests.integration.slack_house import House, house
from tests.simulators.slack import Person, SlackSimulator

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
