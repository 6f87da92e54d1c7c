"""A machine's translation in a Slack thread: one quiet line, marked as what it is, and gone with its message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.slack.setup.manifest import manifest
from bridge.messages import Body, TextPart
from bridge.relay import Receipt
from routing.ids import InputKey, MessageId
from routing.inputs import CustomerRevised, CustomerWithdrew, ErasureOrdered, MessageTranslated
from tests.integration.slack_house import House, house, settings
from tests.simulators.slack import Fault, SlackSimulator


@pytest.fixture
async def here(engine_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with SlackSimulator(limits=False) as slack:
        slack.install(manifest(settings(slack), "http://127.0.0.1"))
        async with house(engine_url, tmp_path, slack) as one:
            yield one


async def translated(here: House, receipt: Receipt, text: str, revision: int = 0) -> MessageId:
    """What the translator's lane enters."""
    session = receipt.stored.session
    message = session.recent[-1].message
    event, body = MessageTranslated(message, revision, "en"), Body((TextPart(text),))
    await here.relay.from_bridge(session.id, event, InputKey(f"translated/{message}/{revision}"), body=body)
    await here.lanes_are_empty()
    return message


def lines(here: House) -> list[str]:
    """The thread without the time of day, which is the reader's own."""
    root = here.slack.roots(here.desk)[0]
    return [line.replace("\n", " | ") for line in here.slack.thread(here.desk, root.ts)]


async def test_it_stands_under_its_message_and_says_that_a_machine_made_it(here: House) -> None:
    await translated(here, await here.writes("提现不到账", language="zh-Hans"), "The withdrawal has not arrived")
    original, line = lines(here)
    assert original.endswith("提现不到账")
    assert line.startswith("Machine translation · en · message of ")
    assert line.endswith("The withdrawal has not arrived")


async def test_nothing_in_it_acts(here: House) -> None:
    await translated(here, await here.writes("提现不到账"), "<!channel> *look* https://example.com <@U1>")
    root = await here.root()
    post = here.slack.replies(here.desk, root.ts)[-1]
    assert (post.pings, post.unfurls) == ([], [])
    assert [link for link in post.links if link.kind != "date"] == []  # the label's time of day is ours


async def test_it_is_rewritten_with_its_message_and_removed_with_it(here: House) -> None:
    receipt = await here.writes("提现不到账")
    message = await translated(here, receipt, "first")
    await here.does(CustomerRevised(message, 1), Body((TextPart("提现还是不到账"),)))
    await translated(here, receipt, "second", revision=1)
    assert len(lines(here)) == 2
    assert lines(here)[1].endswith("second")
    await here.does(CustomerWithdrew(message))
    await here.lanes_are_empty()
    assert len(lines(here)) == 1


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST, Fault.BAD_GATEWAY_AFTER])
async def test_an_unknown_outcome_leaves_one_line(here: House, fault: Fault) -> None:
    receipt = await here.writes("提现不到账")
    await here.thread(1)
    here.slack.mischief.add(fault, "chat.postMessage")
    await translated(here, receipt, "The withdrawal has not arrived")
    assert len(lines(here)) == 2


async def test_a_very_long_one_stands_in_several_posts_and_is_not_refused(here: House) -> None:
    await translated(here, await here.writes("提现不到账"), "word " * 2_400)
    whole = lines(here)[1:]
    assert len(whole) > 1
    assert sum(one.count("word") for one in whole) == 2_400


async def test_erasing_deletes_it(here: House) -> None:
    receipt = await here.writes("提现不到账")
    await translated(here, receipt, "The withdrawal has not arrived")
    await here.relay.from_bridge(receipt.stored.session.id, ErasureOrdered(), InputKey("erase"))
    await here.lanes_are_empty()
    assert here.slack.roots(here.desk) == []
