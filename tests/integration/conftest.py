"""What the tests of desks share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from adapters.discord.controls import replies
from adapters.discord.wire import receiver
from adapters.slack.setup.manifest import manifest
from tests.contract.engines import engine
from tests.integration.slack_house import settings
from tests.simulators.discord import DiscordSimulator
from tests.simulators.slack import Person, SlackSimulator


@pytest.fixture(scope="module")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One engine for the module; each house has a prefix of its own on it."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    yield loop.run_until_complete(stack.enter_async_context(engine("floor", tmp_path_factory.mktemp("engine"))))
    loop.run_until_complete(stack.aclose())
    loop.close()


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is not late: what happens when an answer is, tests of that tell."""
    monkeypatch.setattr(replies, "AT_ONCE", 30.0)
    monkeypatch.setattr(receiver, "ANSWER_WITHIN", 30.0)


@pytest.fixture
async def slack() -> AsyncIterator[SlackSimulator]:
    """A workspace in which our own manifest created the app: it has that app's scopes and events, and no more."""
    async with SlackSimulator(limits=False) as simulator:
        simulator.install(manifest(settings(simulator), "http://127.0.0.1"))
        yield simulator


@pytest.fixture
async def discord() -> AsyncIterator[DiscordSimulator]:
    """A server on which nobody is slowed down; tests of limits make one that slows."""
    async with DiscordSimulator(limits=False) as simulator:
        yield simulator


@pytest.fixture
def kenji(slack: SlackSimulator) -> Person:
    return slack.person("kenji")
