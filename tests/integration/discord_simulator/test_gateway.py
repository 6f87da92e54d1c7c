"""The gateway: identifying, resuming, intents, and all the ways in which it goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import discord as library
import pytest

from tests.integration.discord_simulator.clients import EVERYTHING, Client, Wire, running, wire
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Permission, Person
from tests.simulators.discord.gateway import Connection
from tests.simulators.discord.intents import Intent


def texts(client: Client) -> list[str]:
    return [message.content for message in client.those("message")]


def only(discord: DiscordSimulator) -> Connection:
    """The one connection that has a session; a former one may still be on its way out."""
    [connection] = discord.gateway.listening
    return connection


async def is_back(discord: DiscordSimulator, former: Connection) -> None:
    """A new connection with a session has taken the former one's place."""
    await discord.until(lambda: discord.gateway.listening and discord.gateway.listening[-1] is not former)


# --- the opening --------------------------------------------------------------------------------------------------


async def test_hello_identify_ready_and_the_guild_in_both_encodings(discord: DiscordSimulator, forum: Channel) -> None:
    for compress in (False, True):
        async with wire(discord, compress=compress) as socket:
            ready = await socket.identify(discord.token)
            assert ready["resume_gateway_url"].startswith("ws://127.0.0.1")
            assert ready["guilds"] == [{"id": discord.guild.id, "unavailable": True}]
            guild = (await socket.event("GUILD_CREATE"))["d"]
            assert [c["name"] for c in guild["channels"]] == ["desk"]
            assert [m["user"]["username"] for m in guild["members"]] == ["kakehashi"]


async def test_an_event_may_come_in_two_frames(discord: DiscordSimulator) -> None:
    discord.habits.split_frames = True
    async with wire(discord, compress=True) as socket:
        await socket.identify(discord.token)
        assert socket.frames == 4
        async with running(Client(), discord) as client:
            assert client.guilds


async def test_active_threads_are_synced_and_archived_ones_are_not(
    discord: DiscordSimulator, support: Channel, aiko: Person
) -> None:
    active, idle = aiko.open_thread(support, "active"), aiko.open_thread(support, "idle")
    aiko.archive(idle)
    async with wire(discord) as socket:
        await socket.identify(discord.token)
        guild = (await socket.event("GUILD_CREATE"))["d"]
    assert [t["id"] for t in guild["threads"]] == [active.id]


REFUSALS: dict[str, tuple[dict[str, Any], int]] = {
    "wrong token": ({"token": "nonsense", "intents": 0}, 4004),
    "unknown intents": ({"intents": 1 << 60}, 4013),
    "no intents": ({"intents": None}, 4013),
}


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_wrong_identify_is_closed_with_its_code(discord: DiscordSimulator, what: str) -> None:
    data, code = REFUSALS[what]
    async with wire(discord) as socket:
        await socket.op(10)
        await socket.send(2, {"token": discord.token, "properties": {}} | data)
        assert await socket.receive() == {"closed": code}


async def test_another_version_of_the_gateway_is_closed(discord: DiscordSimulator) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{discord.gateway_url}?v=6") as socket:
        assert await Wire(socket).receive() == {"closed": 4012}


async def test_speaking_out_of_turn_is_closed_with_its_code(discord: DiscordSimulator) -> None:
    async with wire(discord) as socket:
        await socket.op(10)
        await socket.send(8, {})
        assert await socket.receive() == {"closed": 4003}
    async with wire(discord) as socket:
        await socket.identify(discord.token)
        await socket.event("GUILD_CREATE")
        await socket.send(2, {"token": discord.token, "intents": 0})
        assert await socket.receive() == {"closed": 4005}
    async with wire(discord) as socket:
        await socket.identify(discord.token)
        await socket.event("GUILD_CREATE")
        await socket.send(99)
        assert await socket.receive() == {"closed": 4001}
    async with wire(discord) as socket:
        await socket.op(10)
        await socket.socket.send_str("{")
        assert await socket.receive() == {"closed": 4002}


async def test_a_privileged_intent_that_is_not_switched_on_ends_the_client(discord: DiscordSimulator) -> None:
    discord.guild.app.privileged.discard("message_content")
    async with Client() as client:
        await client.login(discord.token)
        with pytest.raises(library.PrivilegedIntentsRequired):
            await client.connect()


async def test_too_many_payloads_in_a_minute_are_closed(discord: DiscordSimulator) -> None:
    discord.limits.enabled = True
    async with wire(discord) as socket:
        await socket.op(10)
        for _ in range(121):
            await socket.send(1)
        while (payload := await socket.receive()).get("op") == 11:
            pass
        assert payload == {"closed": 4008}


async def test_one_identify_in_five_seconds_and_a_thousand_a_day_or_the_token_is_reset(
    discord: DiscordSimulator,
) -> None:
    discord.limits.enabled = True
    discord.habits.identifies_a_day = 2
    async with wire(discord) as socket:
        await socket.identify(discord.token)
    async with wire(discord) as socket:
        await socket.op(10)
        await socket.send(2, {"token": discord.token, "intents": 0, "properties": {}})
        assert (await socket.op(9))["d"] is False
    discord.clock.advance(5)
    async with wire(discord) as socket:
        await socket.identify(discord.token)
    discord.clock.advance(5)
    former = discord.token
    async with wire(discord) as socket:
        await socket.op(10)
        await socket.send(2, {"token": former, "intents": 0, "properties": {}})
        assert await socket.receive() == {"closed": 4004}
    assert discord.token != former


async def test_a_silent_client_is_closed(discord: DiscordSimulator) -> None:
    discord.habits.heartbeat_interval = 0.05
    async with wire(discord) as socket:
        await socket.op(10)
        assert await socket.receive() == {"closed": 4009}


# --- intents ------------------------------------------------------------------------------------------------------


async def test_without_the_content_intent_words_and_files_are_empty_but_for_mentions_and_own(
    discord: DiscordSimulator, support: Channel, kenji: Person
) -> None:
    async with running(Client(wanted=EVERYTHING & ~Intent.MESSAGE_CONTENT), discord) as client:
        kenji.say(support, "secret", files=[("a.txt", b"x")])
        kenji.say(support, f"<@{discord.guild.app.bot.id}> for you")
        await client.place(support.id).send("own")
        await discord.until(lambda: len(client.those("message")) == 3)
        assert texts(client) == ["", f"<@{discord.guild.app.bot.id}> for you", "own"]
        assert client.those("message")[0].attachments == []


async def test_a_session_hears_only_what_it_asked_for(
    discord: DiscordSimulator, support: Channel, kenji: Person
) -> None:
    async with wire(discord) as few, wire(discord) as all_of_them:
        await few.identify(discord.token, Intent.GUILDS)
        await all_of_them.identify(discord.token)
        said = kenji.say(support, "hello")
        kenji.react(support, said, "👀")
        kenji.type(support)
        kenji.call_oneself("Ken")
        discord.happenings.tell_channel(support)
        assert (await few.event("GUILD_CREATE"))["s"] == 2
        assert (await few.receive())["t"] == "CHANNEL_UPDATE"
        await all_of_them.event("GUILD_CREATE")
        heard = [(await all_of_them.receive())["t"] for _ in range(5)]
        wanted = ["MESSAGE_CREATE", "MESSAGE_REACTION_ADD", "TYPING_START", "GUILD_MEMBER_UPDATE", "CHANNEL_UPDATE"]
        assert heard == wanted


async def test_what_cannot_be_seen_is_not_told(discord: DiscordSimulator, client: Client, kenji: Person) -> None:
    hidden, shown = discord.channel("hidden"), discord.channel("shown")
    discord.deny(hidden, discord.guild.app.bot.id, Permission.VIEW_CHANNEL)
    kenji.say(hidden, "nobody hears")
    kenji.say(shown, "all hear")
    await discord.until(lambda: client.those("message"))
    assert texts(client) == ["all hear"]


async def test_a_channel_that_comes_into_sight_brings_its_active_threads(
    discord: DiscordSimulator, support: Channel, aiko: Person
) -> None:
    discord.deny(support, discord.guild.app.bot.id, Permission.VIEW_CHANNEL)
    thread = aiko.open_thread(support, "unseen")
    async with running(Client(), discord) as client:
        assert client.get_channel(int(thread.id)) is None
        discord.allow(support, discord.guild.app.bot.id, Permission.VIEW_CHANNEL)
        await discord.until(lambda: client.get_channel(int(thread.id)))


async def test_members_leave_and_take_roles_and_the_bot_hears_of_it(
    discord: DiscordSimulator, client: Client, kenji: Person
) -> None:
    role = discord.role("operators")
    kenji.take(role.id)
    kenji.leave()
    await discord.until(lambda: client.those("raw_member_remove"))
    assert [str(gone.user.id) for gone in client.those("raw_member_remove")] == [kenji.id]


async def test_the_library_can_ask_for_members(discord: DiscordSimulator, kenji: Person) -> None:
    async with running(Client(chunk_guilds_at_startup=True), discord) as client:
        member = client.guilds[0].get_member(int(kenji.id))
        assert member is not None
        assert member.name == "kenji"


# --- resuming -----------------------------------------------------------------------------------------------------


async def test_a_broken_line_is_resumed_under_its_own_address_and_nothing_is_lost(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    kenji.say(support, "before")
    await discord.until(lambda: texts(client) == ["before"])
    former = only(discord)
    discord.gateway.is_shut = True
    former.drop()
    await discord.until(lambda: not discord.gateway.connections)
    kenji.say(support, "meanwhile")
    discord.gateway.is_shut = False
    await discord.until(lambda: texts(client) == ["before", "meanwhile"], timeout=20)
    assert only(discord).path == "/gateway/resume/"
    assert client.those("resumed")


async def test_a_resume_may_replay_what_was_already_delivered(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    discord.habits.resume_overlap = 2
    for text in ("a", "b", "c"):
        kenji.say(support, text)
    await discord.until(lambda: len(texts(client)) == 3)
    only(discord).reconnect()
    await discord.until(lambda: client.those("resumed"))
    assert texts(client) == ["a", "b", "c", "b", "c"]


async def test_op_9_true_resumes_and_op_9_false_identifies_again_without_replay(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    first = only(discord)
    first.invalidate(resumable=True)
    await discord.until(lambda: client.those("resumed"))
    second = only(discord)
    discord.gateway.is_shut = True
    second.invalidate()
    await discord.until(lambda: not discord.gateway.connections)
    kenji.say(support, "lost")
    discord.gateway.is_shut = False
    await discord.until(lambda: len(client.those("ready")) == 2, timeout=20)
    kenji.say(support, "heard")
    await discord.until(lambda: texts(client))
    assert texts(client) == ["heard"]


@pytest.mark.parametrize("code", [4000, 4007, 4009])
async def test_codes_that_a_client_comes_back_from(discord: DiscordSimulator, client: Client, code: int) -> None:
    """After 4007 and 4009 the session is gone: the library's RESUME is answered with op 9, and it identifies."""
    former = only(discord)
    await former.close(code)
    await is_back(discord, former)
    again = 1 if code == 4000 else 2
    await discord.until(lambda: len(client.those("ready")) == again)
    assert len(discord.gateway.identifies) == again


@pytest.mark.parametrize("code", [1000, 4000, 4009, 4014])
async def test_discord_closes_with_the_code_that_it_is_told(discord: DiscordSimulator, code: int) -> None:
    async with wire(discord) as socket:
        await socket.identify(discord.token)
        await socket.event("GUILD_CREATE")
        discord.spawn(only(discord).close(code))
        assert await socket.receive() == {"closed": code}


async def test_a_code_that_says_stop_ends_the_client(discord: DiscordSimulator, client: Client) -> None:
    await only(discord).close(4011)
    await discord.until(client.is_closed)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_client_that_closes_with_1000_or_1001_cannot_resume(discord: DiscordSimulator, code: int) -> None:
    async with wire(discord) as socket:
        ready = await socket.identify(discord.token)
        await socket.socket.close(code=code)
    await discord.until(lambda: not discord.gateway.connections)
    async with wire(discord, url=ready["resume_gateway_url"]) as socket:
        await socket.op(10)
        await socket.send(6, {"token": discord.token, "session_id": ready["session_id"], "seq": 1})
        assert (await socket.op(9))["d"] is False


async def resumed(discord: DiscordSimulator, ready: dict[str, Any], seq: int) -> dict[str, Any]:
    async with wire(discord, url=ready["resume_gateway_url"]) as socket:
        await socket.op(10)
        await socket.send(6, {"token": discord.token, "session_id": ready["session_id"], "seq": seq})
        answer = await socket.receive()
        await socket.socket.close(code=4000)
        return answer


async def left(discord: DiscordSimulator) -> dict[str, Any]:
    """READY's data of a session whose line has broken."""
    async with wire(discord) as socket:
        ready = await socket.identify(discord.token)
        await socket.event("GUILD_CREATE")
        await socket.socket.close(code=4000)
    await discord.until(lambda: not discord.gateway.connections)
    return ready


async def test_a_session_can_be_resumed_for_some_minutes_and_not_from_the_future(discord: DiscordSimulator) -> None:
    ready = await left(discord)
    assert (await resumed(discord, ready, 2))["t"] == "RESUMED"
    await discord.until(lambda: not discord.gateway.connections)
    assert await resumed(discord, ready, 99) == {"closed": 4007}
    ready = await left(discord)
    discord.clock.advance(discord.habits.resume_life + 1)
    assert (await resumed(discord, ready, 2))["op"] == 9


async def test_two_clients_on_one_token_both_hear_everything(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    async with running(Client(), discord) as other:
        kenji.say(support, "hello")
        await discord.until(lambda: texts(client) == texts(other) == ["hello"])


# --- bad days -----------------------------------------------------------------------------------------------------


async def test_one_malformed_event_ends_the_client_while_its_socket_stays_open(
    discord: DiscordSimulator, support: Channel, kenji: Person
) -> None:
    async with Client() as client:
        await client.login(discord.token)
        task = asyncio.create_task(client.connect())
        await asyncio.wait([asyncio.create_task(client.wait_until_ready())], timeout=20)
        discord.mischief.add(Fault.MALFORM, "MESSAGE_CREATE")
        kenji.say(support, "hello")
        await asyncio.wait([task], timeout=20)
        assert isinstance(task.exception(), KeyError)
        assert not client.is_closed()
        assert discord.gateway.listening


async def test_missed_acks_are_not_noticed_as_long_as_anything_comes(
    discord: DiscordSimulator, support: Channel, kenji: Person
) -> None:
    discord.habits.heartbeat_interval = 0.05
    discord.habits.heartbeat_grace = 2_000.0
    async with running(Client(heartbeat_timeout=30.0), discord) as client:
        connection = only(discord)
        connection.withhold_acks()
        beats = connection.beats
        await discord.until(lambda: connection.beats > beats + 2)
        kenji.say(support, "still here")
        await discord.until(lambda: texts(client))
        assert only(discord) is connection


async def test_a_silent_socket_is_left_when_the_library_has_waited_long_enough(discord: DiscordSimulator) -> None:
    discord.habits.heartbeat_interval = 0.05
    discord.habits.heartbeat_grace = 2_000.0
    async with running(Client(heartbeat_timeout=0.5), discord):
        connection = only(discord)
        connection.deafen()
        await is_back(discord, connection)


async def test_a_gateway_that_is_away_is_tried_again(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    discord.go_down(status=503)
    await discord.until(lambda: not discord.gateway.connections)
    with pytest.raises(library.DiscordServerError):
        await client.place(support.id).send("unheard")
    discord.come_back()
    await discord.until(lambda: discord.gateway.listening, timeout=20)
    kenji.say(support, "hello")
    await discord.until(lambda: texts(client) == ["hello"])


async def test_events_are_doubled_reordered_lost_and_delayed(
    discord: DiscordSimulator, client: Client, support: Channel, kenji: Person
) -> None:
    discord.mischief.add(Fault.DUPLICATE, "MESSAGE_CREATE")
    kenji.say(support, "twice")
    discord.mischief.add(Fault.REORDER, "MESSAGE_CREATE")
    kenji.say(support, "second")
    kenji.say(support, "first")
    discord.mischief.add(Fault.LOSE_EVENT, "MESSAGE_CREATE")
    kenji.say(support, "never")
    discord.mischief.add(Fault.DELAY, "MESSAGE_CREATE", seconds=60)
    kenji.say(support, "late")
    kenji.say(support, "now")
    await discord.until(lambda: len(texts(client)) == 5)
    discord.clock.advance(60)
    await discord.events.settled()
    await discord.until(lambda: len(texts(client)) == 6)
    assert texts(client) == ["twice", "twice", "first", "second", "now", "late"]


async def test_an_unavailable_guild_comes_back(discord: DiscordSimulator, client: Client) -> None:
    discord.happenings.outage()
    await discord.until(lambda: client.those("guild_unavailable"))
    discord.happenings.outage(over=True)
    await discord.until(lambda: client.those("guild_available"))


async def test_a_reset_token_ends_every_session(discord: DiscordSimulator, client: Client) -> None:
    await discord.reset_token()
    await discord.until(client.is_closed)


async def test_heartbeats_are_acknowledged_and_asked_for(discord: DiscordSimulator) -> None:
    async with wire(discord) as socket:
        await socket.op(10)
        await socket.send(1)
        assert (await socket.receive())["op"] == 11
        discord.gateway.connections[0].ask_for_heartbeat()
        assert (await socket.receive())["op"] == 1
