"""Messages over REST: posting, reading, editing, deleting, reacting."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import discord as library
import pytest

from tests.integration.discord_simulator.clients import Client, Rest, refused
from tests.simulators.discord import Channel, DiscordSimulator, Permission, Person, Ping
from tests.simulators.discord.guild import Flag

NOBODY = library.AllowedMentions(everyone=False, users=False, roles=False, replied_user=False)


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


# --- the form of a message ----------------------------------------------------------------------------------------


async def test_answers_are_exactly_json_and_came_through_a_proxy(rest: Rest, support: Channel) -> None:
    _, _, headers = await rest.say(support.id, content="hello")
    assert headers["content-type"] == "application/json"
    assert headers["via"]


async def test_a_body_of_another_type_or_no_json_is_refused(rest: Rest, support: Channel) -> None:
    route = f"POST /channels/{support.id}/messages"
    status, answer, _ = await rest.call(route, data=b"content=hello", headers={"Content-Type": "text/plain"})
    assert (status, answer["code"]) == (400, 50035)
    status, answer, _ = await rest.call(route, data=b"{", headers={"Content-Type": "application/json"})
    assert (status, answer["code"]) == (400, 50109)


async def test_what_is_not_there_has_its_own_code(rest: Rest, discord: DiscordSimulator, support: Channel) -> None:
    for route, code in {
        "GET /channels/1": 10003,
        f"GET /channels/{support.id}/messages/1": 10008,
        "GET /guilds/1": 10004,
        "GET /users/1": 10013,
        f"GET /guilds/{discord.guild.id}/members/1": 10013,
        "GET /webhooks/1": 10015,
        "GET /nowhere": 0,
    }.items():
        status, answer, _ = await rest.call(route)
        assert (status, answer["code"]) == (404, code), route


TOO_MUCH: dict[str, dict[str, Any]] = {
    "content": {"content": "x" * 2_001},
    "embeds": {"embeds": [{"title": "x"}] * 11},
    "embed text": {"embeds": [{"description": "x" * 4_000}, {"description": "x" * 2_001}]},
    "embed title": {"embeds": [{"title": "x" * 257}]},
    "nonce": {"content": "x", "nonce": "x" * 26},
    "rows": {"content": "x", "components": [{"type": 1, "components": []}] * 6},
    "mentions": {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
}


@pytest.mark.parametrize("what", TOO_MUCH)
async def test_a_message_beyond_a_limit_is_refused_and_the_field_named(
    discord: DiscordSimulator, rest: Rest, support: Channel, what: str
) -> None:
    status, answer, _ = await rest.say(support.id, **TOO_MUCH[what])
    assert (status, answer["code"]) == (400, 50035)
    assert answer["errors"]
    assert not discord.messages(support)


async def test_the_tree_of_errors_leads_to_each_wrong_field(rest: Rest, support: Channel) -> None:
    _, answer, _ = await rest.say(support.id, content="x" * 2_001, embeds=[{"title": "x" * 257}])
    assert answer["errors"]["content"]["_errors"][0]["code"] == "BASE_TYPE_MAX_LENGTH"
    assert answer["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"] == "BASE_TYPE_MAX_LENGTH"


@pytest.mark.parametrize("content", ["", "   \n "])
async def test_nothing_is_no_message(client: Client, support: Channel, content: str) -> None:
    with refused(50006):
        await client.place(support.id).send(content)


async def test_blanks_around_a_text_are_lost(client: Client, support: Channel) -> None:
    sent = await client.place(support.id).send("\n  hello ")
    assert sent.content == "hello"


def button(**more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Claim", "custom_id": "claim"} | more


def row(*inside: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(inside)}


def select(**more: Any) -> dict[str, Any]:
    return {"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}]} | more


BAD_COMPONENTS = {
    "six buttons": [row(*(button(custom_id=str(n)) for n in range(6)))],
    "long label": [row(button(label="x" * 81))],
    "long custom_id": [row(button(custom_id="x" * 101))],
    "no custom_id": [row(button(custom_id=None))],
    "twice the same custom_id": [row(button()), row(button())],
    "link without address": [row({"type": 2, "style": 5, "label": "x"})],
    "two selects in a row": [row(select(), select(custom_id="t"))],
    "twenty-six options": [row(select(options=[{"label": str(n), "value": str(n)} for n in range(26)]))],
    "option twice": [row(select(options=[{"label": "a", "value": "a"}, {"label": "b", "value": "a"}]))],
    "text without the layout's flag": [{"type": 10, "content": "hello"}],
}


@pytest.mark.parametrize("what", BAD_COMPONENTS)
async def test_components_that_discord_refuses(rest: Rest, support: Channel, what: str) -> None:
    status, answer, _ = await rest.say(support.id, content="x", components=BAD_COMPONENTS[what])
    assert (status, answer["code"]) == (400, 50035)


async def test_the_second_layout_takes_text_components_and_no_content(
    discord: DiscordSimulator, rest: Rest, support: Channel
) -> None:
    layout = [{"type": 17, "components": [{"type": 10, "content": "# Card"}, row(button())]}]
    status, answer, _ = await rest.say(support.id, flags=1 << 15, components=layout)
    assert status == 200, answer
    assert discord.read(support) == ["# Card"]
    status, answer, _ = await rest.say(support.id, flags=1 << 15, components=layout, content="x")
    assert (status, answer["code"]) == (400, 50035)


# --- nonces -------------------------------------------------------------------------------------------------------


async def test_the_same_nonce_gives_the_first_message_for_some_minutes(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    first = await client.place(support.id).send("once", nonce="effect-1")
    again = await client.place(support.id).send("twice", nonce="effect-1")
    assert (again.id, again.content) == (first.id, "once")
    assert discord.read(support) == ["once"]
    discord.clock.advance(discord.habits.nonce_life + 1)
    await client.place(support.id).send("later", nonce="effect-1")
    assert discord.read(support) == ["once", "later"]


async def test_a_nonce_whose_message_was_deleted_is_unknown_and_makes_no_second_one(
    discord: DiscordSimulator, client: Client, support: Channel, aiko: Person
) -> None:
    sent = await client.place(support.id).send("once", nonce="effect-1")
    aiko.delete(support, str(sent.id))
    with refused(10008, 404):
        await client.place(support.id).send("once", nonce="effect-1")
    assert not discord.messages(support)


async def test_a_nonce_that_is_not_enforced_prevents_nothing(
    discord: DiscordSimulator, rest: Rest, support: Channel
) -> None:
    for _ in range(2):
        await rest.say(support.id, content="hello", nonce="n")
    assert discord.read(support) == ["hello", "hello"]


# --- mentions -----------------------------------------------------------------------------------------------------


async def test_whom_a_message_rings_is_what_allowed_mentions_lets_through(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person, aiko: Person
) -> None:
    text = f"<@{kenji.id}> <@{aiko.id}> @everyone"
    await client.place(support.id).send(text)
    only = library.AllowedMentions(everyone=False, users=[library.Object(int(aiko.id))], roles=False)
    await client.place(support.id).send(text, allowed_mentions=only)
    await client.place(support.id).send(text, allowed_mentions=NOBODY)
    rung = [message.pings for message in discord.messages(support)]
    assert rung == [[Ping("user", kenji.id), Ping("user", aiko.id)], [Ping("user", aiko.id)], []]


async def test_naming_roles_alone_leaves_everybody_else_allowed(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    """discord.py: what AllowedMentions is not told stays at its default, and that is to ring."""
    discord.allow(support, discord.guild.app.bot.id, Permission.MENTION_EVERYONE)
    role = discord.role("night shift")
    some = library.AllowedMentions(roles=[library.Object(int(role.id))])
    await client.place(support.id).send(f"@everyone <@{kenji.id}>", allowed_mentions=some)
    assert discord.messages(support)[0].pings == [Ping("everyone"), Ping("user", kenji.id)]


async def test_a_backslash_and_code_hide_a_mention_from_the_reader_only_code_from_the_server(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    await client.place(support.id).send(rf"\<@{kenji.id}>")
    await client.place(support.id).send(f"`<@{kenji.id}>`")
    assert [m.pings for m in discord.messages(support)] == [[Ping("user", kenji.id)], []]


async def test_what_acts_in_a_message_is_seen_in_its_text_its_embeds_and_its_layout(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    embed = library.Embed(description="[see](https://example.com)")
    await client.place(support.id).send("# Hello https://example.com", embed=embed)
    await client.place(support.id).send("https://example.com", suppress_embeds=True)
    loud, quiet = discord.messages(support)
    assert [act.kind for act in discord.acts(loud)] == ["heading", "preview", "masked_link"]
    assert discord.acts(quiet) == []


async def test_everyone_and_roles_need_the_right_to_ring_them(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    closed, open_to_all = discord.role("closed"), discord.role("open", mentionable=True)
    text = f"@here <@&{closed.id}> <@&{open_to_all.id}>"
    await client.place(support.id).send(text)
    discord.allow(support, discord.guild.app.bot.id, Permission.MENTION_EVERYONE)
    await client.place(support.id).send(text)
    before, after = (m.pings for m in discord.messages(support))
    assert before == [Ping("role", open_to_all.id)]
    assert after == [Ping("here"), Ping("role", closed.id), Ping("role", open_to_all.id)]


async def test_a_reply_rings_whom_it_answers_unless_told_not_to(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    asked = kenji.say(support, "question")
    reference = library.MessageReference(message_id=int(asked.id), channel_id=int(support.id))
    await client.place(support.id).send("answer", reference=reference)
    await client.place(support.id).send("quiet answer", reference=reference, allowed_mentions=NOBODY)
    _, loud, quiet = discord.messages(support)
    assert (loud.pings, quiet.pings) == ([Ping("user", kenji.id)], [])


async def test_a_reply_to_what_is_gone_is_refused_unless_it_may_fail(client: Client, support: Channel) -> None:
    gone = library.MessageReference(message_id=1, channel_id=int(support.id))
    with refused(50035):
        await client.place(support.id).send("answer", reference=gone)
    gone.fail_if_not_exists = False
    sent = await client.place(support.id).send("answer", reference=gone)
    assert sent.reference is None


# --- reading ------------------------------------------------------------------------------------------------------


async def test_history_goes_in_every_direction(discord: DiscordSimulator, client: Client, support: Channel) -> None:
    kenji = discord.person("kenji")
    said = [kenji.say(support, str(n)) for n in range(6)]
    place = client.place(support.id)
    marks = [library.Object(int(m.id)) for m in said]

    async def read(**where: Any) -> list[str]:
        return [m.content async for m in place.history(**where)]

    assert await read(limit=2) == ["5", "4"]
    assert await read(before=marks[2]) == ["1", "0"]
    assert await read(after=marks[2], limit=2) == ["3", "4"]
    assert sorted(await read(around=marks[2], limit=3)) == ["1", "2", "3"]


async def test_history_that_may_not_be_read_is_empty_and_a_message_refused(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    said = kenji.say(support, "hello")
    discord.deny(support, discord.guild.app.bot.id, Permission.READ_MESSAGE_HISTORY)
    assert [m async for m in client.place(support.id).history()] == []
    with refused(50013, 403):
        await client.place(support.id).fetch_message(int(said.id))


async def test_rest_too_withholds_content_without_the_privileged_switch(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    kenji.say(support, "secret")
    kenji.say(support, f"<@{discord.guild.app.bot.id}> for you")
    discord.guild.app.privileged.discard("message_content")
    for_bot, other = [m.content async for m in client.place(support.id).history()]
    assert (for_bot, other) == (f"<@{discord.guild.app.bot.id}> for you", "")


async def test_a_hidden_channel_is_not_accessible_and_a_mute_one_not_permitted(
    discord: DiscordSimulator, client: Client
) -> None:
    hidden = discord.channel("board", private=True, bot=False)
    with refused(50001, 403):
        await client.place(hidden.id).send("hello")
    mute = discord.channel("rules")
    discord.deny(mute, discord.guild.id, Permission.SEND_MESSAGES)
    with refused(50013, 403):
        await client.place(mute.id).send("hello")


async def test_a_bot_that_was_thrown_out_reaches_nothing(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    kenji.kick_bot()
    await discord.until(lambda: client.those("guild_remove"))
    with refused(50001, 403):
        await client.place(support.id).send("hello")


# --- editing and deleting -----------------------------------------------------------------------------------------


async def test_an_edit_tells_of_itself_and_rings_nobody(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    sent = await client.place(support.id).send("first")
    await client.place(support.id).get_partial_message(sent.id).edit(content=f"<@{kenji.id}>")
    await discord.until(lambda: client.those("raw_message_edit"))
    message = discord.messages(support)[0]
    assert (message.content, message.pings) == (f"<@{kenji.id}>", [])
    assert message.edited


async def test_a_preview_comes_as_an_update_that_is_no_edit(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    said = kenji.say(support, "see https://example.com/x and <https://example.com/y>")
    discord.happenings.unfurl(support, said)
    await discord.until(lambda: client.those("raw_message_edit"))
    [update] = client.those("raw_message_edit")
    assert [embed.url for embed in update.message.embeds] == ["https://example.com/x"]
    assert update.message.edited_at is None


async def test_suppressed_previews_do_not_unfurl(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    sent = await client.place(support.id).send("https://example.com", suppress_embeds=True)
    message = discord.message(support, str(sent.id))
    discord.happenings.unfurl(support, message)
    assert message.embeds == []


async def test_the_librarys_whole_message_brings_previews_back_when_it_is_edited_and_its_partial_one_does_not(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    sent = await client.place(support.id).send("https://example.com", suppress_embeds=True)
    message = discord.message(support, str(sent.id))
    await client.place(support.id).get_partial_message(sent.id).edit(content="https://example.com/2")
    assert message.flags & Flag.SUPPRESS_EMBEDS
    await sent.edit(content="https://example.com/3")
    assert not message.flags & Flag.SUPPRESS_EMBEDS


async def test_nobody_edits_anothers_words(client: Client, support: Channel, kenji: Person) -> None:
    said = kenji.say(support, "mine")
    with refused(50005, 403):
        await client.place(support.id).get_partial_message(int(said.id)).edit(content="yours")


async def test_edits_of_old_messages_have_a_limit_of_their_own(
    discord: DiscordSimulator, rest: Rest, support: Channel
) -> None:
    discord.limits.enabled = True
    _, sent, _ = await rest.say(support.id, content="card")
    route = f"PATCH /channels/{support.id}/messages/{sent['id']}"
    discord.clock.advance(3_601)
    outcomes = [await rest.call(route, {"content": str(n)}) for n in range(4)]
    assert [status for status, _, _ in outcomes] == [200, 200, 200, 429]
    _, answer, headers = outcomes[-1]
    assert answer["code"] == 30046
    assert answer["retry_after"] > 0
    assert int(headers["x-ratelimit-remaining"]) > 0


async def test_a_deletion_names_ids_only(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    said = kenji.say(support, "oops")
    kenji.delete(support, said)
    await discord.until(lambda: client.those("raw_message_delete"))
    [deleted] = client.those("raw_message_delete")
    assert (str(deleted.message_id), str(deleted.channel_id)) == (said.id, support.id)
    with refused(10008, 404):
        await client.place(support.id).get_partial_message(int(said.id)).delete()


async def test_the_bot_deletes_others_messages_only_as_a_moderator(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    said = kenji.say(support, "hello")
    discord.deny(support, discord.guild.app.bot.id, Permission.MANAGE_MESSAGES)
    with refused(50013, 403):
        await client.place(support.id).get_partial_message(int(said.id)).delete()


async def test_moderators_delete_many_at_once(
    discord: DiscordSimulator, client: Client, support: Channel, aiko: Person
) -> None:
    ids = [aiko.say(support, str(n)).id for n in range(3)]
    aiko.delete_many(support, ids[:2])
    await discord.until(lambda: client.those("raw_bulk_message_delete"))
    assert {str(i) for i in client.those("raw_bulk_message_delete")[0].message_ids} == set(ids[:2])
    assert discord.read(support) == ["2"]


# --- reactions and typing -----------------------------------------------------------------------------------------


async def test_reactions_come_and_go_both_ways(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    said = kenji.say(support, "hello")
    partial = client.place(support.id).get_partial_message(int(said.id))
    await partial.add_reaction("👀")
    kenji.react(support, said, "👀")
    assert said.reactions == {"👀": [discord.guild.app.bot.id, kenji.id]}
    kenji.unreact(support, said, "👀")
    await discord.until(lambda: client.those("raw_reaction_remove"))
    own, his = client.those("raw_reaction_add")
    assert (str(own.user_id), str(his.user_id), str(his.emoji)) == (discord.guild.app.bot.id, kenji.id, "👀")
    with refused(10014):
        await partial.add_reaction("eyes")


async def test_typing_is_seen_both_ways(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    kenji.type(support)
    await discord.until(lambda: client.those("raw_typing"))
    assert str(client.those("raw_typing")[0].user_id) == kenji.id
    await client.place(support.id).typing()
    assert discord.is_typing(support)
    discord.clock.advance(11)
    assert not discord.is_typing(support)
    await client.place(support.id).typing()
    await client.place(support.id).send("here it is")
    assert not discord.is_typing(support)


async def test_a_pinned_card_needs_the_right_to_pin(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    sent = await client.place(support.id).send("card")
    with refused(50013, 403):
        await client.place(support.id).get_partial_message(sent.id).pin()
    discord.allow(support, discord.guild.app.bot.id, Permission.PIN_MESSAGES)
    await client.place(support.id).get_partial_message(sent.id).pin()
    assert discord.message(support, str(sent.id)).pinned
    assert [m.id async for m in client.place(support.id).pins()] == [sent.id]
    await client.place(support.id).get_partial_message(sent.id).unpin()
    assert not discord.message(support, str(sent.id)).pinned


# --- files --------------------------------------------------------------------------------------------------------


async def test_files_go_up_and_come_down_under_links_that_expire(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    files = [library.File(io.BytesIO(b"one"), "a.txt", description="first"), library.File(io.BytesIO(b"two"), "b.png")]
    sent = await client.place(support.id).send("see", files=files)
    assert [(a.filename, a.size, a.content_type) for a in sent.attachments] == [
        ("a.txt", 3, "text/plain"),
        ("b.png", 3, "image/png"),
    ]
    assert sent.attachments[0].description == "first"
    assert await sent.attachments[1].read() == b"two"
    discord.clock.advance(discord.habits.link_life + 1)
    with pytest.raises(library.NotFound):
        await sent.attachments[1].read()
    fresh = await client.place(support.id).fetch_message(sent.id)
    assert await fresh.attachments[1].read() == b"two"


async def test_a_forged_link_leads_nowhere(discord: DiscordSimulator, support: Channel, kenji: Person) -> None:
    said = kenji.say(support, "", files=[("a.txt", b"x")])
    link = discord.downloads.sign(support, said.attachments[0])
    async with aiohttp.ClientSession() as session:
        async with session.get(link) as good:
            assert (good.status, await good.read()) == (200, b"x")
        async with session.get(link.replace("&hm=", "&hm=0")) as bad:
            assert bad.status == 404


async def test_files_beyond_ten_and_twentyfive_mebibytes_are_refused(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    mebi = 1024 * 1024
    with refused(40005, 413):
        await client.place(support.id).send(file=library.File(io.BytesIO(bytes(10 * mebi + 1)), "big.bin"))
    some = [library.File(io.BytesIO(bytes(9 * mebi)), f"{n}.bin") for n in range(3)]
    with refused(40005, 413):
        await client.place(support.id).send(files=some)
    assert not discord.messages(support)


async def test_an_edit_keeps_the_files_that_it_names(
    discord: DiscordSimulator, client: Client, support: Channel
) -> None:
    files = [library.File(io.BytesIO(b"1"), "a.txt"), library.File(io.BytesIO(b"2"), "b.txt")]
    sent = await client.place(support.id).send(files=files)
    new = library.File(io.BytesIO(b"3"), "c.txt")
    await client.place(support.id).get_partial_message(sent.id).edit(attachments=[sent.attachments[1], new])
    assert [a.filename for a in discord.messages(support)[0].attachments] == ["b.txt", "c.txt"]


async def test_a_forward_holds_its_text_in_a_snapshot(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    other = discord.channel("other")
    said = kenji.say(other, "original words")
    kenji.forward(support, other, said)
    await discord.until(lambda: len(client.those("message")) == 2)
    forwarded = client.those("message")[1]
    assert forwarded.content == ""
    assert forwarded.message_snapshots[0].content == "original words"


async def test_stickers_and_voice_messages_say_what_they_are(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    kenji.say(support, "", sticker="wave")
    kenji.speak(support, b"OggS", seconds=2.5)
    await discord.until(lambda: len(client.those("message")) == 2)
    sticker, voice = client.those("message")
    assert sticker.stickers[0].name == "wave"
    assert voice.flags.voice
    assert (voice.attachments[0].duration, voice.attachments[0].is_voice_message()) == (2.5, True)
