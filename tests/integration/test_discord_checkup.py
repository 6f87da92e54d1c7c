"""What `doctor` and `discord invite` say of Discord, and channels in which nothing may be posted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.discord.network import DiscordNetwork
from adapters.discord.places.channels import PUBLIC
from adapters.discord.setup.invite import application_of, invitation
from bridge.doctor import Finding
from bridge.errors import KakehashiError, SettingsError
from config.settings import DiscordSettings
from routing.ids import DeskId, OperatorId, Place
from routing.policy import Desk, Policy
from tests.integration.discord_house import DISCORD, House, house, settings
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person, Thread
from tests.simulators.discord.guild import Overwrite, Tag
from tests.simulators.discord.permissions import P, Permission

CHANNEL = "GET /channels/{channel_id}"
TAGS = ("Waiting", "In progress", "On hold", "Resolved", "Closed", "Escalation")
OUR_OWN = "https://chat.example"


@pytest.fixture
async def discord() -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator(limits=False) as simulator:
        simulator.install(asked_for(simulator))
        yield simulator


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return a_desk(discord, "support")


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as one:
        await one.listens()
        yield one


def asked_for(discord: DiscordSimulator) -> Permission:
    """What the invitation asks for."""
    return Permission(int(parse_qs(urlsplit(invitation(discord.guild.app.id)).query)["permissions"][0]))


def a_desk(discord: DiscordSimulator, name: str, kind: str = "text") -> Channel:
    """As the guide has it made: hidden from everyone, shown to the bot, which has there what its invitation gave it."""
    channel = discord.channel(name, kind, private=True, bot=False, tags=TAGS if kind == "forum" else ())
    discord.allow(channel, discord.guild.app.bot.id, P.VIEW_CHANNEL)
    return channel


async def looked(
    here: House, *channels: Channel, linked: bool = True, personas: bool = False, **chosen: Any
) -> list[Finding]:
    """As `doctor` does, before anything is started; with somebody who may answer in these channels."""
    if linked:
        await a_colleague(here, *channels)
    desks = [Desk(DeskId(one.name), DISCORD, Place(one.id), personas=personas) for one in channels]
    network = DiscordNetwork(
        settings(here.discord, **chosen),
        here.store,
        here.relay,
        here.files,
        here.directory,
        places=lambda: [Place(one.id) for one in channels],
        policy=lambda: Policy({one.id: one for one in desks}, operators=dict(here.directory.profiles())),
        url=OUR_OWN,
    )
    return list(await network.doctor())


async def a_colleague(here: House, *channels: Channel) -> Person:
    kenji = here.discord.person("kenji")
    for one in channels:
        here.discord.allow(one, kenji.id, P.VIEW_CHANNEL | P.SEND_MESSAGES_IN_THREADS, quietly=True)
    if here.directory.get(OperatorId("kenji")) is None:
        await here.enrol(kenji)
    return kenji


async def heard(here: House, thread: Thread) -> None:
    """Return once what happened before is heard: what an operator says after it has come through."""
    kenji = await a_colleague(here, here.desk)
    kenji.say(thread, "One moment")
    await here.reads("One moment")


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.level, one.what) for one in findings]


@pytest.mark.parametrize("kind", ["text", "forum"])
async def test_with_what_the_invitation_asks_for_nothing_is_missing_and_a_talk_works(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, kind: str
) -> None:
    desk = a_desk(discord, "desk", kind)
    async with house(engine_url, tmp_path, discord, desks=[desk]) as here:
        assert {level for level, _ in told(await looked(here, desk))} == {"ok"}
        await here.writes("I cannot withdraw")
        await here.shows(await here.thread(), "I cannot withdraw")


@pytest.mark.parametrize(
    ("kind", "lost", "name", "purpose", "level"),
    [
        ("text", P.SEND_MESSAGES_IN_THREADS, "Send Messages in Threads", "show what the customer writes", "fail"),
        ("forum", P.SEND_MESSAGES, "Create Posts", "post a session's card", "fail"),
        ("forum", P.MANAGE_THREADS, "Manage Posts", "wake archived threads", "fail"),
        ("text", P.MENTION_EVERYONE, "Mention @everyone, @here, and All Roles", "call everybody at the desk", "warn"),
    ],
)
async def test_each_missing_permission_is_named_with_what_it_is_for_and_the_mend(
    here: House, kind: str, lost: Permission, name: str, purpose: str, level: str
) -> None:
    channel = a_desk(here.discord, "desk", kind)
    here.discord.deny(channel, here.discord.guild.app.bot.id, lost)
    (found,) = [one for one in await looked(here, channel) if one.level != "ok"]
    assert found.level == level
    assert f"“{name}”" in found.what
    assert purpose in found.what
    assert name in found.mend


async def test_a_bot_that_is_timed_out_is_told_of(here: House, discord: DiscordSimulator) -> None:
    """It may look, so nothing else tells of it before the first post is refused."""
    bot = discord.guild.bot
    assert bot is not None
    bot.timed_out = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert any("timed out until" in one.what for one in await here.network.doctor() if one.level == "fail")
    bot.timed_out = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert not any("timed out" in one.what for one in await here.network.doctor())


async def test_a_needless_administrator_is_warned_of(here: House) -> None:
    here.discord.install(P.ADMINISTRATOR)
    (found,) = [one for one in await looked(here, here.desk) if one.level != "ok"]
    assert (found.level, "administrator" in found.what, bool(found.mend)) == ("warn", True, True)


async def test_a_channel_that_everyone_sees_fails_the_check_up_unless_it_is_allowed(here: House) -> None:
    lobby = here.discord.channel("lobby")
    (found,) = [one for one in await looked(here, lobby) if one.level != "ok"]
    assert (found.level, "whoever is on the server reads what customers write" in found.what) == ("fail", True)
    assert "View Channel" in found.mend
    (allowed,) = [one for one in await looked(here, lobby, allow_public_channels=True) if one.level != "ok"]
    assert (allowed.level, "discord.allow_public_channels" in allowed.mend) == ("warn", True)


async def test_nothing_is_posted_where_everyone_reads_along(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator
) -> None:
    lobby = discord.channel("lobby")
    async with house(engine_url, tmp_path, discord, desks=[lobby]) as here:
        await here.listens()
        await here.writes("my account number is 12")
        await here.until(lambda: _lane_is_blocked(here))
        assert not discord.threads(lobby)
        assert not lobby.messages
        await discord.until(lambda: lobby.id in (here.network.ready() or ""))
        discord.allow(lobby, discord.guild.app.bot.id, P.VIEW_CHANNEL)
        discord.deny(lobby, discord.guild.id, P.VIEW_CHANNEL)
        await here.shows(await here.thread(), "my account number is 12")
        assert here.network.ready() is None


async def test_an_open_thread_falls_silent_as_soon_as_its_channel_is_shown_to_everyone(here: House) -> None:
    await here.writes("hello")
    thread = await here.thread()
    await here.shows(thread, "hello")
    await here.lanes_are_empty()
    here.discord.allow(here.desk, here.discord.guild.id, P.VIEW_CHANNEL)
    await heard(here, thread)
    await here.writes("my account number is 12")
    await here.until(lambda: _lane_is_blocked(here))
    assert not any("account number" in line for line in here.said(thread))
    here.discord.deny(here.desk, here.discord.guild.id, P.VIEW_CHANNEL)
    await here.shows(thread, "my account number is 12")


async def test_a_role_that_opens_the_channel_to_everyone_is_noticed(here: House) -> None:
    """Hidden by @everyone's role alone, without an overwrite."""
    guild, bot = here.discord.guild, here.discord.guild.app.bot.id
    guild.roles[guild.id].permissions &= ~P.VIEW_CHANNEL
    here.desk.overwrites = {bot: Overwrite(bot, True, allow=P.VIEW_CHANNEL)}
    await here.writes("hello")
    thread = await here.thread()
    await here.shows(thread, "hello")
    await here.lanes_are_empty()
    guild.roles[guild.id].permissions |= P.VIEW_CHANNEL
    here.discord.happenings.tell_role(guild.id)
    await heard(here, thread)
    await here.writes("my account number is 12")
    await here.until(lambda: _lane_is_blocked(here))
    assert not any("account number" in line for line in here.said(thread))


async def test_where_it_is_allowed_everyone_may_read_along(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator
) -> None:
    lobby = discord.channel("lobby")
    async with house(engine_url, tmp_path, discord, desks=[lobby], chosen={"allow_public_channels": True}) as here:
        await here.writes("hello")
        await here.shows(await here.thread(), "hello")


async def test_where_discord_does_not_tell_who_reads_the_words_wait(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel
) -> None:
    discord.mischief.add(Fault.SERVER_ERROR, CHANNEL, times=2)
    async with house(engine_url, tmp_path, discord, desks=[desk]) as here:
        await here.writes("hello")
        await here.shows(await here.thread(), "hello")
        assert len(discord.threads(desk)) == 1


async def test_the_invitation_is_of_the_application_that_the_token_belongs_to(discord: DiscordSimulator) -> None:
    application = await application_of(settings(discord))
    address = urlsplit(invitation(application))
    asked = parse_qs(address.query)
    assert (address.netloc, asked["client_id"]) == ("discord.com", [discord.guild.app.id])
    assert asked["scope"] == ["bot applications.commands"]
    assert P.ADMINISTRATOR not in asked_for(discord)


async def test_without_a_token_or_with_a_dead_one_the_invitation_says_what_to_do(discord: DiscordSimulator) -> None:
    with pytest.raises(SettingsError, match="bot token") as raised:
        await application_of(DiscordSettings())
    assert "--application" in raised.value.mend
    dead = settings(discord)
    await discord.reset_token()
    with pytest.raises(SettingsError) as refused:
        await application_of(dead)
    assert refused.value.where == "discord.bot_token"
    discord.go_down()
    with pytest.raises(KakehashiError):
        await application_of(settings(discord))


async def test_a_desk_whose_customers_bear_their_names_needs_a_webhook(here: House) -> None:
    channel = a_desk(here.discord, "names", "text")
    (found,) = [one for one in await looked(here, channel, personas=True) if one.level != "ok"]
    assert (found.level, "Manage Webhooks" in found.what) == ("warn", True)
    here.discord.allow(channel, here.discord.guild.app.bot.id, P.MANAGE_WEBHOOKS)
    assert [one for one in await looked(here, channel, personas=True) if one.level != "ok"] == []


# ------------------------------------------------------------------ a forum's tags


async def doubts(here: House, channel: Channel, **chosen: Any) -> list[Finding]:
    return [one for one in await looked(here, channel, **chosen) if one.level != "ok"]


async def test_tags_that_are_missing_are_named_with_the_room_that_there_is(here: House) -> None:
    forum = a_desk(here.discord, "posts", "forum")
    forum.tags = forum.tags[:4] + [Tag(here.discord.guild.mint(), f"other {number}") for number in range(16)]
    (found,) = await doubts(here, forum)
    assert (found.level, found.what) == ("warn", "#posts has no tag for: Closed, Escalation")
    assert "0 are free" in found.mend
    forum.tags = forum.tags[:4]
    (found,) = await doubts(here, forum)
    assert "free" not in found.mend


async def test_a_forum_that_wants_a_tag_and_has_none_of_ours_takes_no_post(here: House) -> None:
    forum = a_desk(here.discord, "posts", "forum")
    forum.tags, forum.requires_tag = [Tag(here.discord.guild.mint(), "VIP")], True
    assert [one.level for one in await doubts(here, forum)] == ["warn", "fail"]


async def test_tags_that_stand_twice_or_are_for_moderators_only(here: House) -> None:
    forum = a_desk(here.discord, "posts", "forum")
    forum.tags.append(Tag(here.discord.guild.mint(), "対応待ち", moderated=True))
    (double,) = await doubts(here, forum)
    assert "2 tags for Waiting" in double.what
    here.discord.deny(forum, here.discord.guild.app.bot.id, P.MANAGE_THREADS)
    found = [one.what for one in await doubts(here, forum)]
    assert "#posts: only moderators set the tags 対応待ち" in found


# ------------------------------------------------------------------ interactions over HTTP


async def test_key_and_address_of_interactions_fit_together_and_answer(here: House, discord: DiscordSimulator) -> None:
    assert await doubts(here, here.desk) == []
    (unused,) = await doubts(here, here.desk, public_key=discord.public_key)
    assert (unused.level, f"{OUR_OWN}/discord/interactions" in unused.mend) == ("warn", True)
    (wrong, _) = await doubts(here, here.desk, public_key="ab" * 32)
    assert (wrong.level, "not the key" in wrong.what) == ("fail", True)
    discord.guild.app.interactions_url = "http://127.0.0.1:1/discord/interactions"
    (lost,) = await doubts(here, here.desk)
    assert (lost.level, "nothing takes it here" in lost.what) == ("fail", True)
    (away,) = await doubts(here, here.desk, public_key=discord.public_key)
    assert (away.level, "does not answer from here" in away.what) == ("warn", True)
    discord.guild.app.interactions_url = f"{discord.url}/_sim/nothing"
    (open_to_all,) = await doubts(here, here.desk, public_key=discord.public_key)
    assert (open_to_all.level, "forged interaction" in open_to_all.what) == ("fail", True)


# ------------------------------------------------------------------ who may answer


async def test_who_is_linked_and_reaches_no_desk_is_named(here: House, discord: DiscordSimulator) -> None:
    (nobody,) = [one for one in await looked(here, here.desk, linked=False) if one.level != "ok"]
    assert "nobody is linked" in nobody.what
    aiko, gone = discord.person("aiko"), discord.person("ken")
    await here.enrol(aiko)
    await here.enrol(gone)
    gone.leave()
    found = [one.what for one in await doubts(here, here.desk)]
    assert found == [
        f"aiko ({aiko.id}) sees no desk's channel",
        f"ken is linked to {gone.id}, who is on no server that has a desk",
    ]
    everything = discord.role("admins", P.ADMINISTRATOR)
    aiko.take(everything.id)
    assert len(await doubts(here, here.desk)) == 1


@pytest.mark.parametrize("how", ["leaves the server", "sees the channel no more"])
async def test_who_has_left_answers_nobody_until_they_are_linked_anew(
    here: House, discord: DiscordSimulator, how: str
) -> None:
    kenji = await a_colleague(here, here.desk)
    for one in (discord.person("later"), discord.person("aiko")):
        await here.enrol(one)
    discord.allow(here.desk, discord.person("aiko").id, P.VIEW_CHANNEL, quietly=True)
    await here.network._membership.look()
    await here.writes("hello")
    thread = await here.thread()
    kenji.say(thread, "one")
    await here.reads("one")
    if how == "leaves the server":
        kenji.leave()
    else:
        discord.deny(here.desk, kenji.id, P.VIEW_CHANNEL)
    discord.mischief.add(Fault.SERVER_ERROR, "GET /guilds/{guild_id}/members/{user_id}", times=2)
    for _ in range(2):  # Discord does not tell: that is not to say that everybody has left
        await here.network._membership.look()
    discord.mischief.clear()
    await here.network._membership.look()
    discord.guild.members.setdefault(kenji.id, kenji.member)  # and comes back
    discord.allow(here.desk, kenji.id, P.VIEW_CHANNEL | P.SEND_MESSAGES_IN_THREADS)
    kenji.say(thread, "two")
    await here.shows(thread, "kakehashi operators link")
    assert await here.replies_seen() == ["one"]
    assert any("has left" in one.what for one in await looked(here, here.desk, linked=False))
    losses = {one.user for one in here.directory.losses(DISCORD)}
    assert losses == {kenji.id}


async def test_a_channel_that_nobody_sees_for_a_while_costs_nobody_their_enrolment(
    here: House, discord: DiscordSimulator
) -> None:
    kenji = await a_colleague(here, here.desk)
    for hidden in (False, True, False):
        (discord.deny if hidden else discord.allow)(here.desk, kenji.id, P.VIEW_CHANNEL | P.SEND_MESSAGES_IN_THREADS)
        await here.network._membership.look()
    assert here.directory.losses(DISCORD) == ()
    kenji.leave()
    await here.network._membership.look()
    assert [one.user for one in here.directory.losses(DISCORD)] == [kenji.id]


async def _lane_is_blocked(here: House) -> bool:
    state = await here.store.lane_states((await here.session()).session.id, DISCORD)
    return state is not None and state.error == PUBLIC
