"""A session's thread: its tags, its archive, the server's cap, and what people do to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from adapters.discord.places import room, upkeep
from bridge.messages import Body, TextPart
from routing.ids import CustomerKey, DeskId, InputKey, NetworkName, OperatorId, Place
from routing.inputs import CustomerEnded, CustomerRevised, OperatorClaimed, OperatorResolved, OperatorTransferred
from routing.policy import Desk
from routing.session import State
from tests.integration.discord_house import DISCORD, House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person, Thread
from tests.simulators.discord.guild import Tag
from tests.simulators.discord.permissions import BOT, P

POSTS = "POST /channels/{channel_id}/threads"
MESSAGES = "POST /channels/{channel_id}/messages"
EDITS = "PATCH /channels/{channel_id}"
TAGS = ("対応待ち", "In Progress", "🟢 Resolved", "已结束", "English", "Transfers", "VIP")
"""As people make them: in several languages, in capitals, with pictures."""

OTHERS = [CustomerKey("main", f"~visitor{number}") for number in range(6)]


@pytest.fixture(params=["forum", "text"])
def desk(request: pytest.FixtureRequest, discord: DiscordSimulator) -> Channel:
    return discord.channel("support", request.param, private=True, tags=TAGS if request.param == "forum" else ())


@pytest.fixture
def forum(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "forum", private=True, tags=TAGS)


@pytest.fixture
def kenji(discord: DiscordSimulator) -> Person:
    person = discord.person("kenji", moderator=True)
    discord.guild.roles[person.member.roles[0]].permissions |= P.MANAGE_CHANNELS
    return person


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as one:
        discord.allow(desk, kenji.id, BOT, quietly=True)
        await one.enrol(kenji)
        yield one


@pytest.fixture
async def there(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, forum: Channel, kenji: Person
) -> AsyncIterator[House]:
    """With a forum."""
    async with house(engine_url, tmp_path, discord, desks=[forum]) as one:
        discord.allow(forum, kenji.id, BOT, quietly=True)
        await one.enrol(kenji)
        yield one


async def shown(here: House, *words: str, number: int = 0) -> Thread:
    """The thread, once it shows these."""
    thread = await here.thread(number)
    await here.shows(thread, *words)
    await here.lanes_are_empty()
    return thread


async def tagged(here: House, thread: Thread, *tags: str) -> None:
    await here.discord.until(lambda: set(here.discord.tags(thread)) == {*tags})


async def does(here: House, event: OperatorClaimed | OperatorResolved | OperatorTransferred, key: str) -> None:
    session = (await here.session()).session.id
    await here.relay.from_operator(session, event, InputKey(f"desk/{key}"))


async def is_past(here: House, at: int) -> bool:
    return await here.store.now() > at


async def waits_for(here: House, code: str) -> None:
    async def waits() -> bool:
        state = await here.store.lane_states((await here.session()).session.id, DISCORD)
        return state is not None and state.error == code

    await here.until(waits)


def announced(discord: DiscordSimulator, channel: Channel) -> list[str]:
    """What stands in a desk's channel outside of sessions' threads; in a forum each line is a post."""
    threads = discord.threads(channel)
    firsts = [thread.messages[thread.id] for thread in threads if thread.id in thread.messages]
    return [discord.seen(one) for one in (*discord.messages(channel), *firsts) if not one.components]


# ------------------------------------------------------------------ tags


async def test_a_posts_tags_say_how_it_is_and_nobody_elses_are_touched(there: House, kenji: Person) -> None:
    await there.writes("hello")
    thread = await shown(there, "hello")
    (opening,) = there.discord.calls_of(POSTS)
    assert len(opening.fields["applied_tags"]) == 3
    await tagged(there, thread, "対応待ち", "English", "Transfers")
    kenji.retag(thread, ["対応待ち", "English", "VIP"])
    await does(there, OperatorClaimed(OperatorId("kenji")), "claim")
    await tagged(there, thread, "In Progress", "English", "Transfers", "VIP")
    await does(there, OperatorResolved(OperatorId("kenji")), "resolve")
    await tagged(there, thread, "🟢 Resolved", "English", "Transfers", "VIP")
    assert not [call for call in there.discord.calls_of(EDITS) if "name" in call.fields]


async def test_a_tag_that_is_gone_or_only_for_moderators_costs_nothing_but_the_tag(
    there: House, kenji: Person, forum: Channel
) -> None:
    there.discord.deny(forum, there.discord.guild.app.bot.id, P.MANAGE_THREADS)
    moderated = [Tag(tag.id, tag.name, moderated=tag.name in ("対応待ち", "In Progress")) for tag in forum.tags]
    kenji.define_tags(forum, moderated)
    await there.writes("hello")
    thread = await shown(there, "hello")
    await tagged(there, thread, "English", "Transfers")
    there.network._channels._known.clear()
    await there.network._channels.of(forum.id)
    forum.tags = [tag for tag in forum.tags if tag.name != "English"]  # nobody hears of it
    await there.writes("and I", customer=OTHERS[0])
    await shown(there, number=1)
    await does(there, OperatorResolved(OperatorId("kenji")), "resolve")
    await there.writes("thank you")
    await there.shows(thread, "thank you")


async def test_without_any_tags_a_forum_works(engine_url: str, tmp_path: Path, discord: DiscordSimulator) -> None:
    bare = discord.channel("bare", "forum", private=True)
    async with house(engine_url, tmp_path, discord, desks=[bare]) as here:
        await here.writes("hello")
        await here.shows(await here.thread(), "hello")
        assert "applied_tags" not in discord.calls_of(POSTS)[0].fields


# ------------------------------------------------------------------ archives


async def test_a_closed_sessions_thread_is_archived_once_everything_stands_in_it(
    here: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LANE", 0.1)
    await here.writes("hello")
    thread = await shown(here, "hello")
    assert not thread.archived
    here.discord.mischief.add(Fault.HIDDEN_LIMIT, MESSAGES, times=3, seconds=1.0)
    await here.does(CustomerEnded())
    await here.discord.until(lambda: thread.archived)
    assert any("ended" in line for line in here.said(thread))
    if here.desk.tags:
        await tagged(here, thread, "已结束", "English", "Transfers")
    assert (await here.session()).session.state is State.CLOSED


async def test_a_thread_that_the_session_has_left_is_archived(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel
) -> None:
    refunds = discord.channel("refunds", "forum", private=True)
    async with house(engine_url, tmp_path, discord, desks=[desk, refunds]) as here:
        await here.writes("hello")
        thread = await shown(here, "hello")
        await does(here, OperatorTransferred(OperatorId("kenji"), DeskId("refunds")), "transfer")
        await discord.until(lambda: thread.archived)
        if desk.tags:
            assert discord.tags(thread) == []
        await here.lanes_are_empty()
        (new,) = discord.threads(refunds)
        assert not new.archived


async def test_a_locked_thread_that_sleeps_is_woken_by_a_moderator_and_waits_without_one(
    here: House, kenji: Person
) -> None:
    discord, bot = here.discord, here.discord.guild.app.bot.id
    first = await here.writes("On Monday")
    thread = await shown(here, "On Monday")
    kenji.lock(thread)
    kenji.archive(thread)
    await here.writes("please")
    await here.shows(thread, "please")
    kenji.archive(thread)
    discord.deny(here.desk, bot, P.MANAGE_THREADS)
    await here.does(CustomerRevised(first.stored.session.recent[-1].message, 1), Body((TextPart("On Tuesday"),)))
    await waits_for(here, "thread_locked")
    code = str(first.stored.session.code)
    await discord.until(lambda: any(code in one and "thread_locked" in one for one in announced(discord, here.desk)))
    await here.writes("are you there?")
    kenji.unlock(thread)
    await here.shows(thread, "On Tuesday", "are you there?")


# ------------------------------------------------------------------ the server's cap


async def test_at_the_cap_the_oldest_resolved_thread_makes_way(
    here: House, discord: DiscordSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AT_ONCE", 1)
    for number, customer in enumerate(OTHERS[:3]):
        await here.writes(f"number {number}", customer=customer)
        await here.thread(number)
    for number in (1, 0):
        stored = await here.relay.current(OTHERS[number])
        assert stored is not None
        event, key = OperatorResolved(OperatorId("kenji")), InputKey(f"desk/resolve{number}")
        await here.relay.from_operator(stored.session.id, event, key)
        at = await here.store.now()
        await here.until(partial(is_past, here, at))
    discord.habits.active_threads = 3
    from_now_on = {thread.name.partition(" ")[0]: thread for thread in discord.threads(here.desk)}
    last, first, open_still = [await here.relay.current(one) for one in OTHERS[:3]]
    assert first is not None
    assert last is not None
    assert open_still is not None
    await here.writes("a new one")
    await here.shows(await here.thread(3), "a new one")
    assert from_now_on[first.session.code].archived
    assert not from_now_on[last.session.code].archived
    assert not from_now_on[open_still.session.code].archived


async def test_where_nothing_is_done_with_the_customer_waits_until_there_is_room(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    await here.writes("first", customer=OTHERS[0])
    other = await here.thread()
    discord.habits.active_threads = 1
    await here.writes("is anybody there?")
    await waits_for(here, "too_many_threads")
    assert not other.archived
    await discord.until(lambda: "as many active threads" in (here.network.ready() or ""))
    kenji.archive(other)
    await here.shows(await here.thread(1), "is anybody there?")
    assert len(discord.threads(here.desk)) == 2


async def test_at_the_cap_with_nowhere_to_say_it_a_person_is_told_directly(
    here: House, discord: DiscordSimulator, kenji: Person
) -> None:
    await here.listens()
    discord.habits.active_threads = 0
    await here.writes("is anybody there? canary")
    direct = discord.guild.direct_channel(kenji.member.user)
    await discord.until(lambda: bool(direct.messages))
    (told,) = direct.messages.values()
    assert here.desk.id in discord.seen(told)
    assert "too_many_threads" in discord.seen(told)
    assert "canary" not in discord.seen(told)


async def test_at_the_cap_who_waits_goes_to_a_fallback_that_is_not_on_the_server(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel
) -> None:
    refunds = discord.channel("refunds", private=True)
    built_in = Desk(DeskId("lobby"), NetworkName("console"), Place("lobby"))
    rules = {"fallbacks": (DeskId("refunds"), built_in.id)}
    async with house(engine_url, tmp_path, discord, desks=[desk, refunds], rules=rules, beside=[built_in]) as here:
        discord.habits.active_threads = 0
        await here.writes("is anybody there?")

        async def has_moved() -> bool:
            return (await here.session()).session.desk == built_in.id

        await here.until(has_moved)
        assert (await here.session()).session.transfers == 1
        assert "<moved>" in await here.customer_sees()
        await discord.until(lambda: any("too_many_threads" in one for one in announced(discord, refunds)))


async def test_a_desk_whose_channel_is_deleted_hands_who_waits_to_its_neighbour(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel
) -> None:
    refunds = discord.channel("refunds", private=True)
    async with house(
        engine_url, tmp_path, discord, desks=[desk, refunds], rules={"fallbacks": (DeskId("refunds"),)}
    ) as here:
        discord.happenings.delete_channel(desk)
        await here.writes("is anybody there?")
        await discord.until(lambda: len(discord.threads(refunds)) == 1)
        (thread,) = discord.threads(refunds)
        await here.shows(thread, "is anybody there?", "This session comes from")
        assert (await here.session()).session.desk == "refunds"
        await discord.until(
            lambda: any(desk.id in one and "unknown_channel" in one for one in announced(discord, refunds))
        )


async def test_a_text_channels_card_without_a_thread_does_not_stay_behind(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator
) -> None:
    desk, refunds = discord.channel("support", private=True), discord.channel("refunds", private=True)
    async with house(
        engine_url, tmp_path, discord, desks=[desk, refunds], rules={"fallbacks": (DeskId("refunds"),)}
    ) as here:
        discord.deny(desk, discord.guild.app.bot.id, P.CREATE_PUBLIC_THREADS)
        await here.writes("is anybody there?")
        await discord.until(lambda: len(discord.threads(refunds)) == 1)
        await here.shows(discord.threads(refunds)[0], "is anybody there?")
        assert not [one for one in discord.messages(desk) if one.components]


# ------------------------------------------------------------------ what is deleted, and what is not allowed


@pytest.mark.parametrize("card_too", [True, False])
async def test_a_deleted_threads_session_goes_on_in_a_new_one_that_tells_what_was_said(
    here: House, kenji: Person, card_too: bool
) -> None:
    await here.writes("I cannot withdraw")
    thread = await shown(here, "I cannot withdraw")
    await here.listens()
    kenji.say(thread, "Which coin?")
    await here.reads("Which coin?")
    kenji.delete_thread(thread)
    if card_too and thread.id in here.desk.messages:
        kenji.delete(here.desk, thread.id)
    await here.writes("Bitcoin")
    await here.lanes_are_empty()
    (again,) = here.discord.threads(here.desk)
    assert again.id != thread.id
    (history,) = [line for line in here.said(again) if "Which coin?" in line]
    assert "I cannot withdraw" in history
    assert "Bitcoin" not in history
    assert len([line for line in here.said(again) if "Bitcoin" in line]) == 1
    kenji.say(again, "I see")
    await here.reads("Which coin?", "I see")
    assert len(here.discord.messages(here.desk)) == (0 if here.desk.tags else 1)


async def test_with_a_permission_lost_the_words_wait_and_go_on_when_it_is_given_back(here: House) -> None:
    await here.writes("hello")
    thread = await shown(here, "hello")
    bot = here.discord.guild.app.bot.id
    here.discord.deny(here.desk, bot, P.SEND_MESSAGES_IN_THREADS)
    await here.writes("still there?")
    await waits_for(here, "no_permission")
    here.discord.allow(here.desk, bot, P.SEND_MESSAGES_IN_THREADS)
    await here.shows(thread, "still there?")
