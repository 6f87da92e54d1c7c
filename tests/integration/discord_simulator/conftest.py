"""A guild, people in it, and clients that are pointed at the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
import yarl
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.integration.discord_simulator.clients import Client, Rest, running
from tests.simulators.discord import Channel, DiscordSimulator, Person


@pytest.fixture
async def discord() -> AsyncIterator[DiscordSimulator]:
    """Discord's clock stands still, and no limit is in the way, unless a test says otherwise."""
    async with DiscordSimulator(speed=0, limits=False) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _addresses(discord: DiscordSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", discord.api_url)
    monkeypatch.setattr(Asset, "BASE", discord.cdn_url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(discord.gateway_url))


@pytest.fixture
def support(discord: DiscordSimulator) -> Channel:
    return discord.channel("support")


@pytest.fixture
def forum(discord: DiscordSimulator) -> Channel:
    return discord.channel("desk", "forum", tags=["open", "waiting", "resolved", "urgent", "vip", "note"])


@pytest.fixture
def kenji(discord: DiscordSimulator) -> Person:
    return discord.person("kenji")


@pytest.fixture
def aiko(discord: DiscordSimulator) -> Person:
    return discord.person("aiko", moderator=True)


@pytest.fixture
async def client(discord: DiscordSimulator, support: Channel, forum: Channel) -> AsyncIterator[Client]:
    """Logged in, ready and listening; the two channels were there before."""
    async with running(Client(), discord) as ready:
        yield ready


@pytest.fixture
async def rest(discord: DiscordSimulator) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession() as session:
        yield Rest(discord, session)
