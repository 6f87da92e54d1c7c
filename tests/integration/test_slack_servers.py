"""Servers that speak Slack's language and say less than Slack does: words flow all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.slack_house import House, house
from tests.simulators.slack import Fault, Person, SlackSimulator

CALM = 5.0


async def both_ways(here: House, kenji: Person) -> None:
    await here.writes("hello")
    await here.thread(1)
    root = await here.root()
    kenji.say(here.desk, "Good morning", thread_ts=root.ts)
    await here.settled()
    await here.writes("thanks")
    assert [line.split()[-1] for line in await here.thread(3)] == ["hello", "morning", "thanks"]
    assert await here.replies_seen() == ["Good morning"]
    assert len(here.slack.roots(here.desk)) == 1


@pytest.mark.parametrize(
    ("method", "missing"),
    [
        ("auth.test", ("bot_id", "url", "team", "user", "is_enterprise_install")),
        ("chat.postMessage", ("message",)),
        ("conversations.info", ("channel",)),
        ("conversations.members", ("members",)),
    ],
)
async def test_what_a_server_leaves_out_stops_nothing(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person, method: str, missing: tuple[str, ...]
) -> None:
    slack.mischief.add(Fault.LESS, method, times=None, missing=missing)
    async with house(engine_url, tmp_path, slack, ping=CALM) as here:
        await both_ways(here, kenji)
        assert await here.network.doctor()


@pytest.mark.parametrize(
    "method", ["conversations.info", "conversations.members", "users.getPresence", "assistant.threads.setStatus"]
)
async def test_a_method_that_a_server_lacks_stops_nothing(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person, method: str
) -> None:
    slack.mischief.add(Fault.ERROR, method, times=None, error="unknown_method")
    async with house(engine_url, tmp_path, slack, ping=CALM) as here:
        await both_ways(here, kenji)


async def test_a_thread_is_recognised_without_a_bots_id(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person
) -> None:
    slack.mischief.add(Fault.LESS, "auth.test", times=None, missing=("bot_id",))
    async with house(engine_url, tmp_path, slack, ping=CALM) as here:
        slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage")
        await here.writes("hello")
        await here.thread(1)
        kenji.say(here.desk, "first", thread_ts=(await here.root()).ts)
        await here.settled()
        assert await here.replies_seen() == ["first"]
