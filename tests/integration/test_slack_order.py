"""What an operator writes reaches the customer in the order of writing, whichever process hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.inward import inbound
from bridge.messages import FilePart
from routing.ids import InputKey, NetworkName, ThreadRef
from tests.integration.slack_house import SLACK, House, house
from tests.simulators.slack import Person, SlackSimulator
from tests.simulators.slack.workspace import Message
from tests.unit.adapters.files.samples import png


@asynccontextmanager
async def a_picture_in_the_other_process(
    engine_url: str, folder: Path, slack: SlackSimulator, kenji: Person, held: asyncio.Event
) -> AsyncIterator[tuple[House, Message]]:
    """Two processes: one fetches a picture until `held` is set, the other, given with the root, hears what comes."""
    async with (
        house(engine_url, folder / "a", slack, prefix=folder.name) as one,
        house(engine_url, folder / "b", slack, prefix=folder.name) as other,
    ):
        await one.writes("hello")
        root = await one.root()
        await one.thread(1)
        keep = one.network._inbound._fetching._downloads.keep

        async def slowly(*arguments: Any) -> FilePart:
            await held.wait()
            return await keep(*arguments)

        one.network._inbound._fetching._downloads.keep = slowly  # type: ignore[method-assign,assignment]  # a platform that takes its time
        await hears(other, False)
        kenji.upload(one.desk, "guide.png", png(), thread_ts=root.ts)
        await one.until(lambda: one.store.unplaced(SLACK))
        await hears(other, True)
        await hears(one, False)
        yield other, root
        held.set()


async def hears(one: House, listens: bool) -> None:
    """Whether a process's sockets are open: Slack gives an event to any."""
    assert one.network._sockets is not None
    await (one.network._open_sockets() if listens else one.network._sockets.stop())


def spied(one: House, monkeypatch: pytest.MonkeyPatch) -> list[ThreadRef]:
    """The threads that a process looks at for what others keep."""
    look, looks = one.store.unplaced_in, list[ThreadRef]()

    async def spy(network: NetworkName, thread: ThreadRef) -> frozenset[InputKey]:
        looks.append(thread)
        return await look(network, thread)

    monkeypatch.setattr(one.store, "unplaced_in", spy)
    return looks


async def test_words_wait_for_the_picture_that_another_process_still_fetches(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "OVERTAKES_AFTER", 600.0)
    held = asyncio.Event()
    async with a_picture_in_the_other_process(engine_url, tmp_path, slack, kenji, held) as (other, root):
        looks = spied(other, monkeypatch)
        kenji.say(other.desk, "see above", thread_ts=root.ts)
        await other.slack.until(lambda: len(looks) > 1)
        assert await other.replies_seen() == []
        held.set()
        await other.settled()
        assert await other.replies_seen() == ["", "see above"]


async def test_words_do_not_wait_for_ever(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "OVERTAKES_AFTER", 0.1)
    held = asyncio.Event()
    async with a_picture_in_the_other_process(engine_url, tmp_path, slack, kenji, held) as (other, root):
        kenji.say(other.desk, "never mind", thread_ts=root.ts)
        await other.until(other.replies_seen)
        assert await other.replies_seen() == ["never mind"]
        held.set()
        await other.settled()
        assert await other.replies_seen() == ["never mind", ""]


async def test_a_picture_that_comes_later_keeps_no_words_waiting(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, kenji: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "OVERTAKES_AFTER", 600.0)
    held = asyncio.Event()
    async with a_picture_in_the_other_process(engine_url, tmp_path, slack, kenji, held) as (other, _root):
        (kept,) = await other.store.unplaced(SLACK)
        team, _channel, ts = kept.key.split("/")[1:]
        earlier = dict(kept.payload) | {"ts": f"{float(ts) - 1:.6f}", "text": "look at this", "subtype": None}
        del earlier["files"], earlier["subtype"]
        await other.network._inbound.take({"type": "event_callback", "team_id": team, "event": earlier})
        assert await other.replies_seen() == ["look at this"]
