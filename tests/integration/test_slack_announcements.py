"""Announcements on Slack: posted once in the channel, found again by their key, and nobody's thread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.slack.manifest import manifest
from bridge.handover import SupportsAnnouncing
from routing.ids import Place
from tests.integration.slack_house import SLACK, House, house, settings
from tests.simulators.slack import SlackSimulator


@pytest.fixture
async def here(engine_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with SlackSimulator(limits=False) as slack:
        slack.install(manifest(settings(slack), "http://127.0.0.1"))
        async with house(engine_url, tmp_path, slack) as one:
            yield one


async def test_an_announcement_stands_in_the_channel_and_is_found_by_its_key(here: House) -> None:
    network, place = here.network, Place(here.desk.id)
    assert isinstance(network, SupportsAnnouncing)
    since = await here.store.now()
    assert not await network.announced(place, "handover/ja/1", since)
    await network.announce(place, "handover/ja/1", "Hand-over: <@U1> → Aiko & Kenji")
    assert await network.announced(place, "handover/ja/1", since)
    assert not await network.announced(place, "handover/ja/2", since)
    (post,) = here.slack.roots(here.desk)
    assert "&lt;@U1&gt; → Aiko &amp; Kenji" in post.text


async def test_an_answer_beneath_an_announcement_belongs_to_no_session(here: House) -> None:
    await here.writes("hello")
    root = await here.root()
    await here.network.announce(Place(here.desk.id), "handover/ja/1", "Hand-over")
    announcement = next(one for one in here.slack.roots(here.desk) if one.ts != root.ts)
    here.slack.person("kenji").say(here.desk, "thanks, good night", thread_ts=announcement.ts)
    await here.settled()
    assert await here.replies_seen() == []
    assert await here.store.unplaced(SLACK) == []
