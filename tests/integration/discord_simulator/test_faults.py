"""What becomes of a message when its answer is lost, as the unmodified library meets it."""

from __future__ import annotations

import asyncio

import aiohttp
import discord as library
import pytest

from tests.integration.discord_simulator.clients import Client, Rest
from tests.simulators.discord import Channel, DiscordSimulator, Fault

CREATE = "POST /channels/{channel_id}/messages"


async def test_a_lost_answer_leaves_a_message_and_an_error(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    discord.mischief.add(Fault.LOSE_ANSWER, CREATE)
    with pytest.raises(aiohttp.ClientError):
        await client.place(support.id).send("hello")
    assert discord.read(support) == ["hello"]


async def test_a_lost_request_leaves_nothing_but_the_same_error(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    discord.mischief.add(Fault.LOSE_REQUEST, CREATE)
    with pytest.raises(aiohttp.ClientError):
        await client.place(support.id).send("hello")
    assert not discord.messages(support)


async def test_after_a_502_the_library_posts_again_and_only_the_nonce_prevents_a_second_message(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    discord.mischief.add(Fault.SERVER_ERROR_AFTER, CREATE, status=502)
    await client.place(support.id).send("hello")
    assert [call.outcome for call in discord.calls_of(CREATE)] == ["server_error_after", "ok"]
    assert discord.read(support) == ["hello"]


async def test_a_503_is_raised_at_once_whatever_was_done(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    discord.mischief.add(Fault.SERVER_ERROR_AFTER, CREATE, status=503)
    with pytest.raises(library.DiscordServerError):
        await client.place(support.id).send("hello")
    assert discord.read(support) == ["hello"]


async def test_a_webhook_posts_again_after_a_503_and_there_is_no_nonce(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    channel = client.get_channel(int(support.id))
    assert isinstance(channel, library.TextChannel)
    webhook = await channel.create_webhook(name="Aiko")
    discord.mischief.add(Fault.SERVER_ERROR_AFTER, "POST /webhooks/{webhook_id}/{webhook_token}", status=503)
    await webhook.send("hello", wait=True)
    assert discord.read(support) == ["hello", "hello"]


async def test_a_slow_answer_and_a_hung_one(discord: DiscordSimulator, rest: Rest, support: Channel) -> None:
    discord.mischief.add(Fault.SLOW, CREATE, seconds=0.05)
    assert (await rest.say(support.id, content="slow"))[0] == 200
    discord.mischief.add(Fault.HANG_AFTER, CREATE, seconds=3_600)
    hung = asyncio.create_task(rest.say(support.id, content="hung"))
    await discord.until(lambda: discord.read(support) == ["slow", "hung"])
    assert not hung.done()
    hung.cancel()


async def test_mischief_chooses_by_what_the_call_says(discord: DiscordSimulator, rest: Rest, support: Channel) -> None:
    rule = discord.mischief.add(Fault.REFUSE, CREATE, status=400, code=99, match={"content": "b"}, times=None)
    statuses = [(await rest.say(support.id, content=text))[0] for text in "abcb"]
    assert statuses == [200, 400, 200, 400]
    assert rule.fired == 2
