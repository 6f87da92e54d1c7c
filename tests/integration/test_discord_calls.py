"""Alerts and the ladder on Discord: who is called, where, in which words, and once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.directory import Operator
from bridge.handover import SupportsAnnouncing
from bridge.networks.attention import WHOEVER_EVERY
from routing.ids import CustomerKey, InputKey, OperatorId, Place
from routing.inputs import ErasureOrdered, OperatorEscalated
from routing.policy import Alert, AlertBy, Ladder, Rota, Rung, RungKind, Shift
from tests.integration.discord_house import DISCORD, House, house
from tests.simulators.discord import Channel, DiscordSimulator, Fault, Person, Thread
from tests.simulators.discord.permissions import BOT, P

NIGHT = OperatorId("night")
MESSAGES = "POST /channels/{channel_id}/messages"


@pytest.fixture(params=["forum", "text"])
def desk(request: pytest.FixtureRequest, discord: DiscordSimulator) -> Channel:
    channel = discord.channel("support", request.param, private=True)
    discord.allow(channel, discord.guild.app.bot.id, P.MENTION_EVERYONE, quietly=True)
    return channel


@pytest.fixture
def housed(engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel) -> Any:
    return partial(house, engine_url, tmp_path, discord, desks=[desk])


def on_call(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("ken")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


async def is_on_call(here: House, person: Person) -> None:
    await here.directory.add(Operator(NIGHT, "night", {"en": "Ken"}, network_users={DISCORD: (person.id,)}))


def pings(here: House, *places: Channel | Thread) -> list[str]:
    """Everybody whose telephone rang, in order."""
    found = sorted((one for place in places for one in place.messages.values()), key=lambda one: int(one.id))
    return [ping.target or ping.kind for one in found for ping in dict.fromkeys(one.pings)]


def beside(here: House, thread: Thread) -> list[str]:
    """The lines in the channel beside the card."""
    return [here.discord.seen(one) for one in here.discord.messages(here.desk) if one.id != thread.id]


async def escalate(here: House) -> None:
    session = (await here.session()).session.id
    await here.relay.from_operator(session, OperatorEscalated(NIGHT), InputKey(f"escalated/{session}"))
    await here.lanes_are_empty()


async def test_each_rung_calls_where_it_should(housed: Any, discord: DiscordSimulator, desk: Channel) -> None:
    person, role = on_call(discord, desk), discord.role("night", mentionable=True)
    rungs = (
        Rung(RungKind.THREAD),
        Rung(RungKind.CHANNEL),
        Rung(RungKind.ON_CALL),
        Rung(RungKind.GROUP, role.id, every=3_600_000),
    )
    rotas = {"night": Rota((Shift(0, 10**15, NIGHT),))}
    async with housed(rules={"ladder": Ladder(rungs), "rota": "night"}, rotas=rotas) as here:
        await is_on_call(here, person)
        await here.writes("my secret words")
        thread = await here.thread()
        await escalate(here)
        code = (await here.session()).session.code
        (direct,) = discord.guild.direct_channel(person.member.user).messages.values()
        in_channel = beside(here, thread)
        assert len(in_channel) == (0 if desk.kind == 15 else 1), "a forum takes no messages: there it is in the thread"
        for said in (discord.seen(direct), *in_channel):
            assert code in said
            assert "my secret words" not in said
            assert "Open the thread" in said
        assert role.id in pings(here, thread)
        assert any("Escalated: called by hand. Please take this." in one for one in here.said(thread))


async def test_who_takes_no_direct_messages_is_called_at_the_desk(
    housed: Any, discord: DiscordSimulator, desk: Channel
) -> None:
    person = on_call(discord, desk)
    person.close_direct()
    rotas = {"night": Rota((Shift(0, 10**15, NIGHT),))}
    rules = {"ladder": Ladder((Rung(RungKind.ON_CALL, every=3_600_000),)), "rota": "night"}
    async with housed(rules=rules, rotas=rotas) as here:
        await is_on_call(here, person)
        await here.writes("hello")
        thread = await here.thread()
        await escalate(here)
        assert pings(here, desk, thread) == [person.id]


async def test_a_call_whose_answer_is_lost_is_made_once(housed: Any, discord: DiscordSimulator, desk: Channel) -> None:
    person = on_call(discord, desk)
    rotas = {"night": Rota((Shift(0, 10**15, NIGHT),))}
    rules = {"ladder": Ladder((Rung(RungKind.CHANNEL), Rung(RungKind.ON_CALL, every=3_600_000))), "rota": "night"}
    async with housed(rules=rules, rotas=rotas) as here:
        await is_on_call(here, person)
        await here.writes("hello")
        thread = await here.thread()
        await here.lanes_are_empty()
        before = len(here.said(thread))
        struck = discord.mischief.add(Fault.LOSE_ANSWER, MESSAGES, times=2)
        await escalate(here)
        assert struck.fired == 2
        assert len(discord.guild.direct_channel(person.member.user).messages) == 1
        assert len(beside(here, thread)) + len(here.said(thread)) - before == 1


async def test_with_nobody_on_whoever_is_there_is_called_once_in_a_while(
    housed: Any, desk: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with housed(rules={"alert": Alert(AlertBy.AVAILABLE)}) as here:

        async def comes(number: int) -> Thread:
            receipt = await here.writes("my secret words", customer=CustomerKey("main", f"~{number}"))
            thread: Thread = await here.thread(number)

            async def all_is_said() -> bool:
                return await here.store.lane_states(receipt.stored.session.id, DISCORD) is None

            await here.until(all_is_said)
            return thread

        first = await comes(0)
        assert pings(here, desk, *here.discord.threads(desk)) == ["here"]
        assert all("my secret words" not in one for one in beside(here, first))
        await comes(1)
        now = here.store.now

        async def later() -> int:
            return int(await now()) + WHOEVER_EVERY

        monkeypatch.setattr(here.store, "now", later)
        await comes(2)
        assert pings(here, desk, *here.discord.threads(desk)) == ["here", "here"]


async def test_a_desk_may_call_a_role(housed: Any, discord: DiscordSimulator) -> None:
    role = discord.role("support", mentionable=True)
    async with housed(rules={"alert": Alert(AlertBy.GROUP, role.id)}) as here:
        await here.writes("hello")
        thread = await here.thread()
        await here.discord.until(lambda: pings(here, thread) == [role.id])


async def test_an_erasure_takes_the_calls_along(housed: Any, desk: Channel) -> None:
    async with housed(rules={"alert": Alert(AlertBy.HERE)}) as here:
        await here.writes("hello")
        thread = await here.thread()
        await here.lanes_are_empty()
        assert len(beside(here, thread)) == (0 if desk.kind == 15 else 1)
        session = (await here.session()).session.id
        await here.relay.from_bridge(session, ErasureOrdered(), InputKey("erase/1"))
        await here.lanes_are_empty()
        assert (here.discord.threads(desk), here.discord.messages(desk)) == ([], [])


async def test_an_announcement_stands_at_the_desk_and_is_found_by_its_key(housed: Any, desk: Channel) -> None:
    async with housed() as here:
        network, place = here.network, Place(desk.id)
        assert isinstance(network, SupportsAnnouncing)
        since = await here.store.now()
        assert not await network.announced(place, "handover/ja/1", since)
        await network.announce(place, "handover/ja/1", "Hand-over: <@1> → Aiko & *Kenji*\n@everyone, good night")
        assert await network.announced(place, "handover/ja/1", since)
        assert not await network.announced(place, "handover/ja/2", since)
        (post,) = [one for where in (desk, *here.discord.threads(desk)) for one in here.discord.messages(where)]
        assert post.pings == []
        assert here.discord.seen(post) == "Hand-over: <@1> → Aiko & *Kenji*\n@everyone, good night"


async def test_what_is_said_beneath_an_announcement_belongs_to_no_session(
    housed: Any, discord: DiscordSimulator, desk: Channel
) -> None:
    person = on_call(discord, desk)
    async with housed() as here:
        await here.listens()
        await here.network.announce(Place(desk.id), "handover/ja/1", "Hand-over")
        where = discord.threads(desk)[0] if discord.threads(desk) else desk
        person.say(where, "thanks, good night")
        await here.settled()
        assert await here.store.unplaced(DISCORD) == []
        assert await here.relay.current(CustomerKey("main", "~visitor")) is None
