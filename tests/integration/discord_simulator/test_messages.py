"""Messages over REST: posting, reading, editing, deleting, reacting."""

from __future__ import annotations

import discord as library
import pytest

from tests.integration.discord_simulator.clients import Client
from tests.simulators.discord import Channel, DiscordSimulator, Person


async def test_a_client_logs_in_posts_and_hears_people(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    assert client.user is not None
    assert str(client.user.id) == discord.guild.app.bot.id
    sent = await client.place(support.id).send("hello")
    assert discord.read(support) == ["hello"]
    said = kenji.say(support, "こんにちは")
    await discord.until(lambda: len(client.those("message")) == 2)
    own, heard = client.those("message")
    assert own.id == sent.id
    assert (str(heard.id), heard.content, heard.author.name) == (said.id, "こんにちは", "kenji")
    assert heard.guild.name == "Simulated"
    assert heard.channel.name == "support"


async def test_a_wrong_token_is_refused(discord: DiscordSimulator) -> None:
    async with Client() as client:
        with pytest.raises(library.LoginFailure):
            await client.login("nonsense")
