"""A desk's day through the library's own calls: each finds its route, and none is refused."""

from __future__ import annotations

import io
import re
from typing import Any, Self

import discord as library

from tests.integration.discord_simulator.clients import Client, running
from tests.simulators.discord import Channel, DiscordSimulator, Permission, Person

NOBODY = library.AllowedMentions.none()


class Claim(library.ui.DynamicItem[library.ui.Button[Any]], template=r"claim:(?P<code>\w+)"):
    """A button that works across restarts: all that it knows is in its custom_id."""

    def __init__(self, code: str) -> None:
        super().__init__(library.ui.Button(label="Claim", custom_id=f"claim:{code}"))
        self.code = code

    @classmethod
    async def from_custom_id(cls, interaction: Any, item: Any, match: re.Match[str], /) -> Self:
        return cls(match["code"])

    async def callback(self, interaction: library.Interaction[Any]) -> None:
        await interaction.response.edit_message(content=f"{self.code} is claimed", view=None)


def card() -> library.ui.View:
    view = library.ui.View(timeout=None)
    view.add_item(Claim("S1"))
    return view


def file(name: str) -> library.File:
    return library.File(io.BytesIO(b"bytes"), name)


def granted(discord: DiscordSimulator) -> None:
    """Nothing that was asked for was missing or forbidden."""
    assert [(c.route, c.status, c.outcome) for c in discord.calls if c.status >= 400] == []


async def test_a_session_in_a_forum_from_its_card_to_its_end(
    discord: DiscordSimulator, forum: Channel, kenji: Person
) -> None:
    client = Client()
    client.add_dynamic_items(Claim)
    async with running(client, discord):
        desk = client.get_channel(int(forum.id))
        assert isinstance(desk, library.ForumChannel)
        wanted, later = desk.available_tags[:2]
        thread, first = await desk.create_thread(
            name="S1", content="card", view=card(), file=file("a.txt"), applied_tags=[wanted], allowed_mentions=NOBODY
        )
        assert [a.filename for a in first.attachments] == ["a.txt"]
        outcome = await kenji.click("S1", str(first.id), "Claim")
        assert (outcome.ok, discord.read("S1")) == (True, ["S1 is claimed"])
        await thread.edit(archived=True, locked=True, applied_tags=[later])
        [kept] = discord.threads(forum)
        assert (kept.archived, kept.locked, discord.tags(kept)) == (True, True, ["waiting"])
        await thread.edit(archived=False, locked=False)
        await thread.edit(name="S1, done", auto_archive_duration=60)
        await thread.send("after", silent=True)
        await thread.delete()
    granted(discord)


async def test_a_session_in_a_text_channel_with_personas(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    channel = client.get_channel(int(support.id))
    assert isinstance(channel, library.TextChannel)
    root = await channel.send("card", view=card())
    thread = await root.create_thread(name="S1")
    webhook = await channel.create_webhook(name="Customers")
    said = await webhook.send("hello", thread=thread, username="Aiko", files=[file("b.png")], wait=True)
    await webhook.edit_message(said.id, thread=thread, content="hello!")
    answer = kenji.say(thread_id := str(thread.id), "hi", reply_to=str(said.id))
    fetched = await thread.fetch_message(int(answer.id))
    await fetched.add_reaction("✅")
    await fetched.clear_reactions()
    await fetched.reply("noted", mention_author=False)
    assert discord.read(thread_id) == ["hello!", "hi", "noted"]
    async with thread.typing():
        pass
    await root.edit(content="closed", view=None)
    granted(discord)


async def test_an_administrator_bot_prepares_its_channels(
    discord: DiscordSimulator, client: Client, forum: Channel
) -> None:
    discord.install(Permission.ADMINISTRATOR)
    desk = client.get_channel(int(forum.id))
    assert isinstance(desk, library.ForumChannel)
    await desk.create_tag(name="new")
    await desk.edit(name="renamed", topic="The desk")
    assert ([t.name for t in forum.tags][-1], forum.name, forum.topic) == ("new", "renamed", "The desk")
    granted(discord)
