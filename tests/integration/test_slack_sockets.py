"""Socket Mode where Slack sends our sockets away: nobody hammers at the door, people are told, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from math import log2
from pathlib import Path
from time import monotonic

import pytest

from adapters.slack.wire.links import FIRST_PAUSE
from bridge.doctor import Finding
from tests.integration.slack_house import House, house
from tests.simulators.slack import Person, SlackSimulator
from tests.simulators.slack.socket_mode import DisconnectReason

PING = 0.5


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack, ping=PING) as one:
        await slack.until(lambda: len(slack.sockets.connections) == 2)
        yield one


async def sends_away(slack: SlackSimulator, reason: DisconnectReason) -> None:
    slack.habits.max_connections = 0 if reason == "too_many_websockets" else 10
    await slack.sockets.disconnect_all(reason)


def lets_in(slack: SlackSimulator) -> None:
    slack.habits.max_connections = 10
    slack.sockets.enable_link()


async def is_patient(slack: SlackSimulator, links: int) -> None:
    """Each try comes twice as long after the one before; without that there are hundreds."""
    before, begun = slack.sockets.sent_away, monotonic()
    await asyncio.sleep(2.5)  # a duration on purpose: how much happens in it is what this is about
    tries = 2 + log2(1 + (monotonic() - begun) / (FIRST_PAUSE * PING))
    assert slack.sockets.sent_away - before <= links * tries


async def said_by_doctor(here: House) -> list[Finding]:
    return [one for one in await here.network.doctor() if "sockets to Slack is open" in one.what]


async def has_nothing_to_say(here: House) -> None:
    async def nothing() -> bool:
        return not await said_by_doctor(here)

    await here.until(nothing)


@pytest.mark.parametrize("reason", ["link_disabled", "too_many_websockets"])
async def test_whoever_is_sent_away_says_so_waits_and_hears_everything_once_it_is_let_in_again(
    here: House, kenji: Person, reason: DisconnectReason
) -> None:
    slack = here.slack
    await here.writes("first")
    root = await here.root()
    kenji.say(here.desk, "one", thread_ts=root.ts)
    await here.settled()
    await sends_away(slack, reason)
    kenji.say(here.desk, "two", thread_ts=root.ts)
    await is_patient(slack, links=2)
    await slack.until(lambda: f"no socket to Slack is open ({reason};" in (here.network.ready() or ""))

    async def told() -> bool:
        return [(one.level, reason in one.what) for one in await said_by_doctor(here)] == [("fail", True)]

    await here.until(told)
    await here.writes("are you still there?")
    await slack.until(lambda: "Hanako\nare you still there?" in slack.thread(here.desk, root.ts))
    assert await here.replies_seen() == ["one"]
    kenji.say(here.desk, "three", thread_ts=root.ts)
    lets_in(slack)
    await slack.until(lambda: here.network.ready() is None)
    await here.until(lambda: is_heard(here, "three"))
    assert await here.replies_seen() == ["one", "two", "three"]
    await slack.until(lambda: len(slack.sockets.connections) == 2)
    await has_nothing_to_say(here)


async def is_heard(here: House, words: str) -> bool:
    return words in await here.replies_seen()


async def test_one_socket_that_finds_no_room_leaves_the_other_alone_and_is_spoken_of(
    here: House, kenji: Person
) -> None:
    slack = here.slack
    slack.habits.max_connections = 1
    await slack.sockets.connections[0].disconnect("too_many_websockets")
    await slack.until(lambda: slack.sockets.sent_away > 0)
    await is_patient(slack, links=1)
    assert here.network.ready() is None

    async def told() -> bool:
        return [(one.level, one.what[:6]) for one in await said_by_doctor(here)] == [("warn", "1 of 2")]

    await here.until(told)
    await here.writes("first")
    root = await here.root()
    kenji.say(here.desk, "one", thread_ts=root.ts)
    await here.settled()
    assert await here.replies_seen() == ["one"]
    lets_in(slack)
    await slack.until(lambda: len(slack.sockets.connections) == 2)
    await has_nothing_to_say(here)
