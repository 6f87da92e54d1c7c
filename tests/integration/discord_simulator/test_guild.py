"""What can be read of the guild and its people, and what an administrator changes under the bot's feet."""

from __future__ import annotations

import discord as library

from tests.integration.discord_simulator.clients import Client, Rest, refused
from tests.simulators.discord import Channel, DiscordSimulator, Permission, Person


async def test_the_library_computes_the_permissions_that_the_simulator_does(
    discord: DiscordSimulator, client: Client, support: Channel, aiko: Person
) -> None:
    """Roles and overwrites lead both to the same: neither is kinder than the other."""
    bot = discord.guild.app.bot.id
    discord.deny(support, discord.guild.id, Permission.ADD_REACTIONS | Permission.ATTACH_FILES)
    discord.allow(support, bot, Permission.ATTACH_FILES)
    thread = aiko.open_thread(support, "inside")
    await discord.until(lambda: client.get_channel(int(thread.id)))
    known = sum(Permission)
    for place in (support, thread):
        channel = client.get_channel(int(place.id))
        assert isinstance(channel, library.TextChannel | library.Thread)
        theirs = channel.permissions_for(channel.guild.me).value & known
        ours = int(discord.rights(place))
        missing = [p.name for p in Permission if (theirs ^ ours) & p]
        assert set(missing) <= {"SEND_TTS_MESSAGES", "MENTION_EVERYONE"}, place.name


async def test_what_an_invite_grants_is_all_that_the_bot_may_do(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    discord.guild.roles[discord.guild.id].permissions = Permission(0)
    discord.install(Permission.VIEW_CHANNEL)
    with refused(50013, 403):
        await client.place(support.id).send("hello")
    discord.install(Permission.VIEW_CHANNEL | Permission.SEND_MESSAGES)
    await client.place(support.id).send("hello")
    with refused(50013, 403):
        await client.place(support.id).send(embed=library.Embed(title="no"))


async def test_the_guild_its_roles_channels_and_members_can_be_read(
    discord: DiscordSimulator, client: Client, support: Channel, forum: Channel, kenji: Person
) -> None:
    role = discord.role("operators")
    kenji.take(role.id)
    guild = await client.fetch_guild(int(discord.guild.id))
    assert [r.name for r in await guild.fetch_roles()] == ["@everyone", "Kakehashi", "operators"]
    assert {c.name for c in await guild.fetch_channels()} == {"support", "desk"}
    member = await guild.fetch_member(int(kenji.id))
    assert [r.name for r in member.roles] == ["@everyone", "operators"]
    assert {m.name async for m in guild.fetch_members()} == {"owner", "kakehashi", "kenji"}
    with refused(10007, 404):
        kenji.leave()
        await guild.fetch_member(int(kenji.id))
    discord.guild.app.privileged.discard("members")
    with refused(50001, 403):
        assert [m async for m in guild.fetch_members()]


async def test_the_application_says_which_intents_it_may_have(discord: DiscordSimulator, client: Client) -> None:
    application = await client.application_info()
    assert application.flags.gateway_message_content_limited
    assert application.verify_key == discord.public_key
    discord.guild.app.privileged.clear()
    assert not (await client.application_info()).flags.gateway_message_content_limited


async def test_direct_messages_are_heard_with_their_words(
    discord: DiscordSimulator, client: Client, kenji: Person
) -> None:
    user = await client.fetch_user(int(kenji.id))
    sent = await user.send("hello")
    direct = discord.guild.direct_channel(kenji.member.user)
    assert str(sent.channel.id) == direct.id
    discord.guild.app.privileged.discard("message_content")
    kenji.say(direct, "to you alone")
    await discord.until(lambda: len(client.those("message")) == 2)
    heard = client.those("message")[1]
    assert (heard.content, heard.guild, heard.author.name) == ("to you alone", None, "kenji")


async def test_who_takes_no_direct_messages_gets_none(discord: DiscordSimulator, client: Client, kenji: Person) -> None:
    kenji.close_direct()
    with refused(50007, 403):
        await (await client.fetch_user(int(kenji.id))).send("hello")


async def test_the_bot_forwards_and_the_forward_says_nothing_itself(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    said = kenji.say(support, "original words")
    message = await client.place(support.id).fetch_message(int(said.id))
    forwarded = await message.forward(client.place(support.id))
    assert (forwarded.content, forwarded.message_snapshots[0].content) == ("", "original words")


async def test_a_moderated_tag_is_for_moderators(discord: DiscordSimulator, rest: Rest, forum: Channel) -> None:
    forum.tags[0].moderated = True
    body = {"name": "x", "message": {"content": "x"}, "applied_tags": [forum.tags[0].id]}
    assert (await rest.call(f"POST /channels/{forum.id}/threads", body))[0] == 201
    discord.deny(forum, discord.guild.app.bot.id, Permission.MANAGE_THREADS)
    status, answer, _ = await rest.call(f"POST /channels/{forum.id}/threads", body)
    assert (status, answer["code"]) == (403, 50013)


async def test_a_sticker_and_an_emoji_can_be_fetched_as_pictures(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    kenji.say(support, "", sticker="wave")
    await discord.until(lambda: client.those("message"))
    picture = await client.those("message")[0].stickers[0].read()
    assert picture.startswith(b"\x89PNG")
