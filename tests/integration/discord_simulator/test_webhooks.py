"""Webhooks: names and faces, threads, their limits; and no nonce."""

from __future__ import annotations

from typing import Any

import discord as library
import pytest

from tests.integration.discord_simulator.clients import Client, Rest, refused
from tests.simulators.discord import Channel, DiscordSimulator, Permission, Person, Ping


@pytest.fixture
async def webhook(client: Client, support: Channel) -> library.Webhook:
    channel = client.get_channel(int(support.id))
    assert isinstance(channel, library.TextChannel)
    return await channel.create_webhook(name="Customers")


async def address(rest: Rest, channel: Channel) -> str:
    _, made, _ = await rest.call(f"POST /channels/{channel.id}/webhooks", {"name": "Customers"})
    return f"/webhooks/{made['id']}/{made['token']}"


async def test_a_webhooks_message_has_a_name_of_its_own(
    discord: DiscordSimulator, client: Client, webhook: library.Webhook, support: Channel
) -> None:
    sent = await webhook.send("hello", username="Aiko", wait=True)
    await discord.until(lambda: client.those("message"))
    [heard] = client.those("message")
    assert (heard.id, heard.author.name, heard.webhook_id) == (sent.id, "Aiko", webhook.id)
    await sent.edit(content="changed")
    assert discord.read(support) == ["changed"]
    await sent.delete()
    assert not discord.messages(support)


async def test_a_webhook_ignores_nonces_and_rings_whom_it_likes(
    discord: DiscordSimulator, rest: Rest, support: Channel
) -> None:
    path = await address(rest, support)
    for _ in range(2):
        await rest.call(f"POST {path}", {"content": "@everyone", "nonce": "n", "enforce_nonce": True})
    assert [m.pings for m in discord.messages(support)] == [[Ping("everyone")], [Ping("everyone")]]


async def test_a_webhook_answers_204_unless_it_is_to_wait(rest: Rest, support: Channel) -> None:
    path = await address(rest, support)
    assert (await rest.call(f"POST {path}", {"content": "x"}))[0] == 204
    status, answer, _ = await rest.call(f"POST {path}?wait=true", {"content": "x"})
    assert (status, answer["content"]) == (200, "x")


async def test_a_webhook_posts_in_its_channels_threads_only(
    discord: DiscordSimulator, client: Client, webhook: library.Webhook, support: Channel, aiko: Person
) -> None:
    thread = aiko.open_thread(support, "inside")
    elsewhere = aiko.open_thread(discord.channel("other"), "elsewhere")
    await webhook.send("hello", thread=library.Object(int(thread.id)), wait=True)
    assert discord.read(thread) == ["hello"]
    with refused(10003, 404):
        await webhook.send("hello", thread=library.Object(int(elsewhere.id)), wait=True)


async def test_in_a_forum_a_webhook_names_a_thread(discord: DiscordSimulator, rest: Rest, forum: Channel) -> None:
    path = await address(rest, forum)
    status, answer, _ = await rest.call(f"POST {path}", {"content": "x"})
    assert (status, answer["code"]) == (400, 220001)
    assert (await rest.call(f"POST {path}?wait=true", {"content": "x", "thread_name": "new"}))[0] == 200
    assert [t.name for t in discord.threads(forum)] == ["new"]


async def test_webhooks_have_a_visible_limit_and_a_hidden_one_for_the_channel(
    discord: DiscordSimulator, rest: Rest, support: Channel
) -> None:
    discord.limits.enabled = True
    path = await address(rest, support)
    burst = [await rest.call(f"POST {path}", {"content": "x"}) for _ in range(6)]
    assert [status for status, _, _ in burst] == [204] * 5 + [429]
    statuses: list[tuple[int, Any]] = []
    discord.clock.advance(1)
    for _ in range(26):
        discord.clock.advance(1)
        status, _, headers = await rest.call(f"POST {path}", {"content": "x"})
        statuses.append((status, headers["x-ratelimit-remaining"]))
    assert [status for status, _ in statuses] == [204] * 25 + [429]
    assert int(statuses[-1][1]) > 0


async def test_webhooks_that_are_refused(
    discord: DiscordSimulator, client: Client, rest: Rest, webhook: library.Webhook, support: Channel
) -> None:
    with refused(50035, 400):
        await webhook.send("hello", username="Discord Staff", wait=True)
    status, answer, _ = await rest.call(f"POST /webhooks/{webhook.id}/wrong", {"content": "x"})
    assert (status, answer["code"]) == (401, 50027)
    route = f"POST /channels/{support.id}/webhooks"
    for _ in range(14):
        assert (await rest.call(route, {"name": "more"}))[0] == 200
    status, answer, _ = await rest.call(route, {"name": "more"})
    assert (status, answer["code"]) == (400, 30007)
    discord.deny(support, discord.guild.app.bot.id, Permission.MANAGE_WEBHOOKS)
    with refused(50013, 403):
        await webhook.delete()
