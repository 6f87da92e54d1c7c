"""A link asks for its next address with patience, and says why it has none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.wire.client import WebApi
from adapters.slack.wire.links import Link
from adapters.slack.wire.sockets import _close
from bridge.errors import DeliveryError, Fault

PING = 5.0


class Door:
    """Slack, as far as it gives out addresses."""

    def __init__(self) -> None:
        self.sdk = AsyncWebClient()
        self.proxy = None
        self.error: DeliveryError | None = None

    async def socket_url(self) -> str:
        if self.error is not None:
            raise self.error
        return "wss://example.com/"


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def link(door: Door, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Link]:
    async def at_once(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    waited.clear()
    one = Link(cast(WebApi, door), "xapp-1", PING)
    yield one
    await _close(one)


waited: list[float] = []


async def asks(link: Link, times: int) -> list[float]:
    """What it has waited before each."""
    for _ in range(times):
        with pytest.raises(DeliveryError):
            await link.issue_new_wss_url()
    return waited


async def test_each_refusal_is_waited_for_longer_up_to_a_minute(link: Link, door: Door) -> None:
    door.error = DeliveryError(Fault.BLOCKED, "invalid_auth", mend="make another one")
    assert await asks(link, 9) == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert link.trouble == " (invalid_auth; make another one)"


async def test_what_slack_says_about_waiting_counts(link: Link, door: Door) -> None:
    door.error = DeliveryError(Fault.TRANSIENT, "ratelimited", retry_after=300.0)
    assert (await asks(link, 2))[1] == pytest.approx(300.0, abs=5)
    door.error = None
    assert await link.issue_new_wss_url() == "wss://example.com/"
