"""Threads: forum posts and threads of text channels, their archives, locks, tags and caps."""

from __future__ import annotations

from typing import Any

import discord as library
import pytest

from tests.integration.discord_simulator.clients import Client, Rest, refused
from tests.simulators.discord import Channel, DiscordSimulator, Permission, Person, Thread


async def post(client: Client, forum: Channel, name: str = "ABC-1", **more: Any) -> library.Thread:
    channel = client.get_channel(int(forum.id))
    assert isinstance(channel, library.ForumChannel)
    return (await channel.create_thread(name=name, content="card", **more)).thread


def tags(client: Client, forum: Channel, *names: str) -> list[library.ForumTag]:
    channel = client.get_channel(int(forum.id))
    assert isinstance(channel, library.ForumChannel)
    return [tag for tag in channel.available_tags if tag.name in names]


@pytest.fixture
async def thread(client: Client, forum: Channel, discord: DiscordSimulator) -> Thread:
    """A forum's post that the bot made."""
    return discord.guild.threads[str((await post(client, forum)).id)]


async def test_a_forum_post_has_its_first_messages_id_and_its_tags(
    discord: DiscordSimulator, forum: Channel, client: Client
) -> None:
    made = await post(client, forum, applied_tags=tags(client, forum, "open", "vip"))
    [thread] = discord.threads(forum)
    assert str(made.id) == thread.id == discord.messages(thread)[0].id
    assert discord.tags(thread) == ["open", "vip"]
    await discord.until(lambda: client.those("thread_create"))
    assert client.those("thread_create")[0].id == made.id


async def test_a_forum_post_needs_a_message_and_takes_five_tags_at_most(
    discord: DiscordSimulator, forum: Channel, rest: Rest
) -> None:
    route = f"POST /channels/{forum.id}/threads"
    status, answer, _ = await rest.call(route, {"name": "x"})
    assert (status, answer["code"]) == (400, 50035)
    every = [tag.id for tag in forum.tags]
    status, answer, _ = await rest.call(route, {"name": "x", "message": {"content": "x"}, "applied_tags": every})
    assert (status, answer["code"]) == (400, 50035)
    status, answer, _ = await rest.call(route, {"name": "x" * 101, "message": {"content": "x"}})
    assert (status, answer["code"]) == (400, 50035)
    assert not discord.threads(forum)


async def test_a_forum_itself_takes_no_messages_and_at_most_twenty_tags(
    forum: Channel, client: Client, rest: Rest
) -> None:
    with refused(50008):
        await client.place(forum.id).send("hello")
    many = {"available_tags": [{"name": str(n)} for n in range(21)]}
    rest.discord.install(Permission.ADMINISTRATOR)
    status, answer, _ = await rest.call(f"PATCH /channels/{forum.id}", many)
    assert (status, answer["code"]) == (400, 50035)


async def test_a_repeated_forum_post_is_posted_twice(discord: DiscordSimulator, forum: Channel, rest: Rest) -> None:
    body = {"name": "x", "message": {"content": "x", "nonce": "n", "enforce_nonce": True}}
    for _ in range(2):
        await rest.call(f"POST /channels/{forum.id}/threads", body)
    assert len(discord.threads(forum)) == 2


async def test_a_thread_on_a_message_shares_its_id(
    discord: DiscordSimulator, support: Channel, client: Client, kenji: Person
) -> None:
    said = kenji.say(support, "help")
    made = await client.place(support.id).get_partial_message(int(said.id)).create_thread(name="help")
    assert str(made.id) == said.id
    with refused(160004):
        await client.place(support.id).get_partial_message(int(said.id)).create_thread(name="again")
    kenji.say(discord.threads(support)[0], "inside")
    await discord.until(lambda: [m for m in client.those("message") if m.content == "inside"])
    inside = client.those("message")[-1]
    assert inside.channel.id == made.id


async def test_a_thread_by_itself_is_private_unless_it_says_public(
    discord: DiscordSimulator, support: Channel, client: Client
) -> None:
    channel = client.get_channel(int(support.id))
    assert isinstance(channel, library.TextChannel)
    await channel.create_thread(name="hidden")
    await channel.create_thread(name="open", type=library.ChannelType.public_thread)
    hidden, shown = discord.threads(support)
    assert (hidden.kind, shown.kind) == (12, 11)
    assert [m.content for m in support.messages.values()] == ["open"]


async def test_a_private_thread_shows_itself_to_members_and_moderators(
    discord: DiscordSimulator, support: Channel, client: Client, kenji: Person, aiko: Person
) -> None:
    channel = client.get_channel(int(support.id))
    assert isinstance(channel, library.TextChannel)
    made = await channel.create_thread(name="hidden")
    with pytest.raises(PermissionError):
        kenji.say(str(made.id), "hello")
    aiko.say(str(made.id), "hello")
    await made.add_user(library.Object(int(kenji.id)))
    kenji.say(str(made.id), "hello")


async def test_whoever_is_rung_in_a_private_thread_is_in_it_from_then_on(
    discord: DiscordSimulator, support: Channel, client: Client, kenji: Person
) -> None:
    channel = client.get_channel(int(support.id))
    assert isinstance(channel, library.TextChannel)
    made = await channel.create_thread(name="hidden")
    await made.send(f"<@{kenji.id}>", allowed_mentions=library.AllowedMentions.none())
    with pytest.raises(PermissionError):
        kenji.say(str(made.id), "hello")
    await made.send(f"<@{kenji.id}>")
    kenji.say(str(made.id), "hello")


# --- archives -----------------------------------------------------------------------------------------------------


async def test_sending_wakes_an_archived_thread_and_nothing_else_can_be_done_in_it(
    discord: DiscordSimulator, client: Client, thread: Thread, aiko: Person
) -> None:
    place = client.place(thread.id)
    sent = await place.send("before")
    aiko.archive(thread)
    partial = place.get_partial_message(sent.id)
    with refused(50083, 400):
        await partial.edit(content="changed")
    with refused(50083, 400):
        await partial.add_reaction("👀")
    with refused(50083, 400):
        await client.http.edit_channel(int(thread.id), applied_tags=[])
    with refused(50083, 400):
        await client.http.join_thread(int(thread.id))
    await place.get_partial_message(sent.id).delete()
    assert thread.archived
    await place.send("after")
    assert not thread.archived


async def test_waking_a_thread_may_come_together_with_a_change(
    discord: DiscordSimulator, client: Client, thread: Thread, forum: Channel, aiko: Person
) -> None:
    aiko.archive(thread)
    waiting = tags(client, forum, "waiting")[0].id
    await client.http.edit_channel(int(thread.id), archived=False, applied_tags=[str(waiting)])
    assert (thread.archived, discord.tags(thread)) == (False, ["waiting"])


async def test_a_thread_that_is_locked_and_archived_takes_no_message(
    client: Client, thread: Thread, aiko: Person
) -> None:
    aiko.lock(thread)
    aiko.archive(thread)
    with refused(50083, 400):
        await client.place(thread.id).send("hello")


async def test_a_locked_thread_takes_messages_of_moderators_only(
    discord: DiscordSimulator, client: Client, thread: Thread, kenji: Person, aiko: Person
) -> None:
    aiko.lock(thread)
    await client.place(thread.id).send("as a moderator")
    with pytest.raises(PermissionError):
        kenji.say(thread, "hello")
    discord.deny(discord.find_channel("desk"), discord.guild.app.bot.id, Permission.MANAGE_THREADS)
    with refused(160005, 403):
        await client.place(thread.id).send("hello")


async def test_idle_threads_archive_themselves_and_are_not_synced(
    discord: DiscordSimulator, client: Client, thread: Thread, forum: Channel
) -> None:
    discord.pass_time(thread.auto_archive * 60 - 1)
    await client.place(thread.id).send("activity")
    assert discord.pass_time(thread.auto_archive * 60 - 1) == []
    assert discord.pass_time(1) == [thread]
    await discord.until(lambda: client.those("raw_thread_update"))
    assert client.get_channel(int(thread.id)) is None
    fetched = await client.fetch_channel(int(thread.id))
    assert isinstance(fetched, library.Thread)
    assert fetched.archived
    channel = client.get_channel(int(forum.id))
    assert isinstance(channel, library.ForumChannel)
    assert [t.id async for t in channel.archived_threads()] == [fetched.id]


async def test_archives_come_in_pages_the_latest_first(client: Client, support: Channel, aiko: Person) -> None:
    opened = [aiko.open_thread(support, str(n)) for n in range(5)]
    for thread in opened:
        aiko.archive(thread)
    found = client.get_channel(int(support.id))
    assert isinstance(found, library.TextChannel)
    assert [t.name async for t in found.archived_threads(limit=4)] == ["4", "3", "2", "1"]


async def test_a_thread_takes_only_four_archiving_times(client: Client, thread: Thread) -> None:
    await client.http.edit_channel(int(thread.id), auto_archive_duration=60)
    assert thread.auto_archive == 60
    with refused(50035):
        await client.http.edit_channel(int(thread.id), auto_archive_duration=61)


async def test_the_guilds_cap_of_active_threads_holds_for_new_ones_and_for_waking(
    discord: DiscordSimulator, client: Client, thread: Thread, forum: Channel, aiko: Person
) -> None:
    second = await post(client, forum, "second")
    discord.habits.active_threads = 2
    with refused(160006):
        await post(client, forum, "third")
    aiko.archive(thread)
    await post(client, forum, "third")
    with refused(160006):
        await client.place(thread.id).send("wake up")
    await client.place(str(second.id)).send("still works")


async def test_near_the_cap_threads_archive_sooner(discord: DiscordSimulator, thread: Thread) -> None:
    assert discord.pass_time(3_601) == []
    discord.habits.active_threads = 1
    assert discord.pass_time(0) == [thread]


async def test_the_guild_lists_its_active_threads(
    discord: DiscordSimulator, client: Client, thread: Thread, aiko: Person, support: Channel
) -> None:
    idle = aiko.open_thread(support, "idle")
    aiko.archive(idle)
    active = await client.guilds[0].active_threads()
    assert [str(t.id) for t in active] == [thread.id]


# --- names, members, ends -----------------------------------------------------------------------------------------


async def test_a_thread_can_be_renamed_twice_in_ten_minutes_whatever_the_headers_say(
    discord: DiscordSimulator, rest: Rest, thread: Thread
) -> None:
    discord.limits.enabled = True
    outcomes = [await rest.call(f"PATCH /channels/{thread.id}", {"name": str(n)}) for n in range(3)]
    assert [status for status, _, _ in outcomes] == [200, 200, 429]
    _, answer, headers = outcomes[-1]
    assert 500 < answer["retry_after"] <= 600
    assert int(headers["x-ratelimit-remaining"]) > 0
    assert (await rest.call(f"PATCH /channels/{thread.id}", {"applied_tags": []}))[0] == 200
    discord.clock.advance(600)
    assert (await rest.call(f"PATCH /channels/{thread.id}", {"name": "later"}))[0] == 200
    assert thread.name == "later"


async def test_who_may_change_a_thread(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    """Its maker renames and archives it; locking, and others' threads, are for moderators."""
    theirs = kenji.open_thread(support, "theirs")
    discord.deny(support, discord.guild.app.bot.id, Permission.MANAGE_THREADS)
    with refused(50013, 403):
        await client.http.edit_channel(int(theirs.id), name="ours")
    with refused(50013, 403):
        await client.http.edit_channel(int(theirs.id), locked=True)
    with refused(50013, 403):
        await client.http.delete_channel(int(theirs.id))
    kenji.archive(theirs)
    await client.http.edit_channel(int(theirs.id), archived=False)
    assert not theirs.archived


async def test_deleting_a_thread_or_its_channel_is_told(
    discord: DiscordSimulator, client: Client, thread: Thread, forum: Channel, aiko: Person
) -> None:
    aiko.delete_thread(thread)
    await discord.until(lambda: client.those("raw_thread_delete"))
    with refused(10003, 404):
        await client.place(thread.id).send("hello")
    other = aiko.open_thread(forum, "other")
    discord.happenings.delete_channel(forum)
    await discord.until(lambda: client.those("guild_channel_delete"))
    with refused(10003, 404):
        await client.place(other.id).send("hello")


async def test_people_retag_and_rename_and_the_bot_hears_of_it(
    discord: DiscordSimulator, client: Client, thread: Thread, aiko: Person
) -> None:
    aiko.retag(thread, ["urgent"])
    aiko.rename(thread, "renamed")
    await discord.until(lambda: len(client.those("thread_update")) == 2)
    cached = client.get_channel(int(thread.id))
    assert isinstance(cached, library.Thread)
    assert (cached.name, [t.name for t in cached.applied_tags]) == ("renamed", ["urgent"])
