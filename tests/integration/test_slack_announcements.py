"""Announcements on Slack: posted once in the channel, found again by their key, and nobody's thread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.slack.setup.manifest import manifest
from bridge.directory import Operator
from bridge.handover import SupportsAnnouncing, SupportsTelling
from routing.ids import OperatorId, Place
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


async def test_an_operator_is_told_alone_as_far_as_they_are_linked(here: House) -> None:
    aiko, kenji = OperatorId("aiko"), here.slack.person("kenji")
    await here.directory.add(Operator(aiko, "aiko", {"en": "Aiko"}))
    assert isinstance(here.network, SupportsTelling)
    assert not await here.network.tell(aiko, "blocked/1", "archived: <@U1>")
    await here.directory.link(aiko, SLACK, kenji.id)
    assert await here.network.tell(aiko, "blocked/1", "archived: <@U1>")
    (post,) = [one for one in here.slack.calls if one.method == "chat.postMessage"]
    assert post.args["channel"] != here.desk.id
    assert post.args["text"] == "archived: &lt;@U1&gt;"
    assert here.slack.roots(here.desk) == []


async def test_an_answer_beneath_an_announcement_belongs_to_no_session(here: House) -> None:
    await here.writes("hello")
    root = await here.root()
    await here.network.announce(Place(here.desk.id), "handover/ja/1", "Hand-over")
    announcement = next(one for one in here.slack.roots(here.desk) if one.ts != root.ts)
    here.slack.person("kenji").say(here.desk, "thanks, good night", thread_ts=announcement.ts)
    await here.settled()
    assert await here.replies_seen() == []
    assert await here.store.unplaced(SLACK) == []
