"""A desk with several channels, on Slack as it is: sessions are spread, and none goes where nothing can be posted."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.ids import CustomerKey, Place
from tests.integration.slack_house import house
from tests.simulators.slack import SlackSimulator


def customer(number: int) -> CustomerKey:
    return CustomerKey("main", f"~{number}")


@pytest.fixture
def pool(slack: SlackSimulator) -> dict[str, tuple[Place, ...]]:
    """What a desk in the channel `support` has besides."""
    slack.channel("support")
    return {"further": tuple(Place(slack.channel(name).id) for name in ("support-2", "support-3"))}


async def test_sessions_are_spread_over_the_channels_and_over_processes(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, pool: dict[str, tuple[Place, ...]]
) -> None:
    async with house(engine_url, tmp_path, slack, prefix="pool", rules=pool) as here:
        for number in range(6):
            await here.writes("hello", customer=customer(number))
        channels = [here.desk, *(slack.workspace.channels[one] for one in pool["further"])]
        await slack.until(lambda: all(len(slack.roots(one)) == 2 for one in channels))
        stored = await here.session(customer(0))

        async def listed() -> bool:
            return len(await here.store.lines(stored.session.desk)) == 6

        await here.until(listed)
        async with house(engine_url, tmp_path, slack, prefix="pool", rules=pool) as other:
            for number in range(6, 9):
                await other.writes("hello", customer=customer(number))
            await slack.until(lambda: all(len(slack.roots(one)) == 3 for one in channels))


async def test_an_archived_channel_takes_no_new_sessions_while_another_works(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, pool: dict[str, tuple[Place, ...]]
) -> None:
    kenji = slack.person("kenji")
    async with house(engine_url, tmp_path, slack, rules=pool) as here:
        await here.writes("first", customer=customer(0))
        kenji.archive(here.desk)
        await here.writes("second", customer=customer(0))

        async def is_known() -> bool:
            return await here.store.get(f"shut-place/{here.desk.id}") == "is_archived"

        await here.until(is_known)
        for number in range(1, 5):
            await here.writes("hello", customer=customer(number))
        channels = [slack.workspace.channels[one] for one in pool["further"]]
        await slack.until(lambda: all(len(slack.roots(one)) == 2 for one in channels))
        kenji.unarchive(here.desk)
        assert await here.thread(2) == ["Hanako\nfirst", "Hanako\nsecond"]
