"""Slack answers 429 to one method after the other, for longer than anybody waits, or without saying for how long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from math import log2
from pathlib import Path
from time import monotonic

import pytest

from config.settings import SlackRates
from routing.ids import CustomerKey
from tests.integration.slack_house import CALM, House, house
from tests.simulators.slack import Fault, Person, SlackSimulator

STORMY = ("chat.postMessage", "chat.update", "chat.postEphemeral", "conversations.replies", "conversations.history")
CUSTOMERS = [CustomerKey("main", f"~v{number}") for number in range(8)]
LONG = 3.0
"""Seconds, and longer than the patience of a call."""

RATES = SlackRates(posts_per_second=10, burst=10, posts_per_minute=6_000, tier_multiplier=10)


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, slack, ping=CALM, rates=RATES) as one:
        yield one


def said_in(here: House, ts: str) -> list[str]:
    """The customer's words in a thread, which may stand in one post together."""
    return [line for post in here.slack.thread(here.desk, ts) for line in post.splitlines() if line.isdigit()]


@pytest.mark.parametrize("header", [f"{LONG:.0f}", "in a while"], ids=["long", "garbled"])
async def test_a_storm_of_429s_loses_doubles_and_inverts_nothing_and_is_not_hammered_at(
    here: House, kenji: Person, header: str
) -> None:
    slack = here.slack
    for customer in CUSTOMERS:
        await here.writes("0", customer=customer)
    await slack.until(lambda: len(slack.roots(here.desk)) == len(CUSTOMERS))
    for customer in CUSTOMERS:
        await here.lanes_are_empty(customer)
    roots = [one.ts for one in slack.roots(here.desk)]
    known, begun = len(slack.calls), monotonic()
    for method in STORMY:
        slack.mischief.add(Fault.RATE_LIMIT, method, times=None, header=header)
    for words in ("1", "2", "3"):
        for customer in CUSTOMERS:
            await here.writes(words, customer=customer)
    await slack.until(lambda: any(one.outcome == "rate_limit" for one in slack.calls_of("chat.postMessage")))
    assert (await kenji.click(here.desk, slack.message(here.desk, roots[0]), "note")).ok
    await slack.until(lambda: [one.outcome for one in slack.calls_of("views.open")] == ["ok"])
    await asyncio.sleep(LONG + 0.5)  # a duration on purpose: how much happens in it is what this is about
    calls = Counter(one.method for one in list(slack.calls)[known:] if one.method in STORMY)
    over = monotonic() - begun
    waves = over / LONG if header == f"{LONG:.0f}" else log2(1 + over)
    for method, count in calls.items():  # what was under way already, and then a few at each reopening
        assert count <= len(CUSTOMERS) + 4 * (1 + waves), method
    slack.mischief.clear()
    for ts in roots:
        await slack.until(lambda ts=ts: len(said_in(here, ts)) >= 4, timeout=30)  # type: ignore[misc]
    for customer in CUSTOMERS:
        await here.lanes_are_empty(customer)
    assert [said_in(here, ts) for ts in roots] == [["0", "1", "2", "3"]] * len(CUSTOMERS)
    assert here.network.ready() is None
