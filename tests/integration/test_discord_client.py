"""Calls of Discord's REST API, and what is known when one of them fails."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from adapters.discord.wire.client import RestApi, Upload
from bridge.errors import DeliveryError, Fault
from config.settings import DiscordSettings
from tests.contract.engines import opened
from tests.simulators.discord import Channel, DiscordSimulator
from tests.simulators.discord import Fault as Mischief

MESSAGES = "POST /channels/{channel_id}/messages"


@pytest.fixture
def support(discord: DiscordSimulator) -> Channel:
    return discord.channel("support")


@pytest.fixture
async def api(engine_url: str, discord: DiscordSimulator) -> AsyncIterator[RestApi]:
    chosen = DiscordSettings(bot_token=SecretStr(discord.token), api_url=f"{discord.api_url}/")
    async with opened(engine_url, secrets.token_hex(4)) as store:
        made = RestApi(chosen, store)
        await made.open()
        yield made
        await made.close()


async def failed(api: RestApi, channel: Channel, text: str = "hello", **more: object) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        await api.say(f"/channels/{channel.id}/messages", {"content": text, **more})
    return raised.value


async def test_a_message_rings_nobody_unless_its_call_says_so(
    api: RestApi, discord: DiscordSimulator, support: Channel
) -> None:
    kenji = discord.person("kenji")
    await api.say(f"/channels/{support.id}/messages", {"content": f"<@{kenji.id}> @everyone"})
    (message,) = discord.messages(support)
    assert message.pings == []
    (call,) = discord.calls_of(MESSAGES)
    assert isinstance(call.body, dict)
    assert set(call.body["allowed_mentions"]) == {"parse", "users", "roles", "replied_user"}


async def test_files_go_up_with_their_words(api: RestApi, discord: DiscordSimulator, support: Channel) -> None:
    upload = Upload("photo.png", "image/png", b"bytes")
    await api.say(f"/channels/{support.id}/messages", {"content": "look"}, [upload])
    (message,) = discord.messages(support)
    assert [(one.filename, one.data) for one in message.attachments] == [("photo.png", b"bytes")]


@pytest.mark.parametrize("fault", [Mischief.LOSE_ANSWER, Mischief.LOSE_REQUEST])
async def test_a_lost_connection_leaves_the_outcome_unknown(
    api: RestApi, discord: DiscordSimulator, support: Channel, fault: Mischief
) -> None:
    discord.mischief.add(fault, MESSAGES)
    assert (await failed(api, support)).fault is Fault.AMBIGUOUS


@pytest.mark.parametrize("status", [500, 502, 503, 504, 524])
async def test_a_server_error_leaves_it_unknown_and_is_never_tried_again_by_itself(
    api: RestApi, discord: DiscordSimulator, support: Channel, status: int
) -> None:
    discord.mischief.add(Mischief.SERVER_ERROR_AFTER, MESSAGES, status=status)
    assert (await failed(api, support)).fault is Fault.AMBIGUOUS
    assert len(discord.messages(support)) == 1


async def test_nobody_listening_is_certainly_not_done(api: RestApi, discord: DiscordSimulator) -> None:
    support = discord.channel("elsewhere")
    await discord.close()
    assert (await failed(api, support)).fault is Fault.TRANSIENT


async def test_a_limit_is_kept_from_the_next_call_on(api: RestApi, discord: DiscordSimulator, support: Channel) -> None:
    discord.mischief.add(Mischief.HIDDEN_LIMIT, MESSAGES, seconds=30.0)
    first, second = await failed(api, support), await failed(api, support)
    assert first.retry_after == pytest.approx(30.0)
    assert second.code == "paced"
    assert len(discord.calls_of(MESSAGES)) == 1


async def test_a_ban_by_the_network_before_discord_stops_everything(
    api: RestApi, discord: DiscordSimulator, support: Channel
) -> None:
    discord.mischief.add(Mischief.BAN, MESSAGES, seconds=60.0)
    await failed(api, support)
    other = discord.channel("other")
    assert (await failed(api, other)).code == "paced"


async def test_a_refused_token_is_told_at_once_and_not_tried_on(
    api: RestApi, discord: DiscordSimulator, support: Channel
) -> None:
    await discord.reset_token()
    for _ in range(5):
        error = await failed(api, support)
        assert (error.fault, error.code) == (Fault.BLOCKED, "unauthorized")
    assert len(discord.calls_of(MESSAGES)) == 1


async def test_the_same_nonce_is_one_message(api: RestApi, discord: DiscordSimulator, support: Channel) -> None:
    body = {"content": "once", "nonce": "a" * 25, "enforce_nonce": True}
    first = await api.say(f"/channels/{support.id}/messages", body)
    again = await api.say(f"/channels/{support.id}/messages", body)
    assert first["id"] == again["id"]
    assert len(discord.messages(support)) == 1
