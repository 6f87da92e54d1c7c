"""Interactions over HTTP: signed by Discord and taken by whichever process they reach, or refused."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.discord.controls import replies
from adapters.discord.wire import receiver
from tests.integration.discord_house import House, house
from tests.simulators.discord import Channel, DiscordSimulator, Person, Thread, pressing
from tests.simulators.discord.interactions import Ask
from tests.simulators.discord.permissions import BOT

CALLBACK = "POST /interactions/{interaction_id}/{webhook_token}/callback"


@pytest.fixture(autouse=True)
def patient(discord: DiscordSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is not what any of these is about."""
    discord.habits.interaction_answer = 60.0
    monkeypatch.setattr(receiver, "ANSWER_WITHIN", 50.0)
    monkeypatch.setattr(replies, "AT_ONCE", 40.0)


@pytest.fixture
def desk(discord: DiscordSimulator) -> Channel:
    return discord.channel("support", "forum", private=True)


@pytest.fixture
def kenji(discord: DiscordSimulator, desk: Channel) -> Person:
    person = discord.person("kenji")
    discord.allow(desk, person.id, BOT, quietly=True)
    return person


@pytest.fixture
async def here(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> AsyncIterator[House]:
    chosen = {"public_key": discord.public_key}
    async with house(engine_url, tmp_path, discord, desks=[desk], chosen=chosen, asks=True) as one:
        await one.enrol(kenji)
        await one.listens()
        yield one


@asynccontextmanager
async def reached(here: House) -> AsyncIterator[str]:
    """The address of its door."""
    application, app = here.network.http_app(), web.Application()
    assert application is not None
    app.add_subapp("/discord", application)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/discord/interactions"
    await runner.cleanup()


@pytest.fixture
async def url(here: House, discord: DiscordSimulator) -> AsyncIterator[str]:
    """Discord has verified it, and sends there."""
    async with reached(here) as address:
        await discord.use_http(address)
        yield address


@pytest.fixture
async def thread(here: House) -> Thread:
    await here.writes("hello")
    thread = await here.thread()
    await here.shows(thread, "hello")
    await here.lanes_are_empty()
    return thread


async def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        raw = await response.read()
        return response.status, json.loads(raw) if response.status == 200 else {}


def a_press(here: House, person: Person, thread: Thread, label: str) -> bytes:
    """What Discord would send for it."""
    card = here.card(thread)
    button = next(one for one in card.components[0]["components"] if one.get("label") == label)
    data = pressing.pressed(button, None, here.discord.guild)
    interaction = here.discord.interactions.begin(Ask.COMPONENT, person.member, thread, data, card)
    return json.dumps(here.discord.interactions.payload(interaction)).encode()


async def test_a_press_is_answered_by_the_response_and_not_by_a_call(
    here: House, url: str, discord: DiscordSimulator, kenji: Person, thread: Thread
) -> None:
    outcome = await kenji.click(thread, here.card(thread), "Claim")
    assert (outcome.ok, outcome.status) == (True, 200)
    assert (await here.session()).session.assignee == "kenji"
    stranger = discord.person("stranger")
    discord.allow(here.desk, stranger.id, BOT, quietly=True)
    assert (await stranger.click(thread, here.card(thread), "Resolve")).ok
    assert "not enrolled" in stranger.whispers()[0].content
    assert discord.calls_of(CALLBACK) == []
    assert await discord.check_endpoint()


async def test_windows_and_commands_go_the_same_way(
    here: House, url: str, discord: DiscordSimulator, kenji: Person, thread: Thread
) -> None:
    opened = await kenji.click(thread, here.card(thread), "Note")
    assert (opened.status, opened.type) == (200, 9)
    sent = await kenji.submit({"words": "canary: called the bank"})
    assert (sent.status, sent.type) == (200, 6)
    await here.shows(thread, "canary: called the bank")
    assert await here.replies_seen() == []
    await discord.until(lambda: "chat" in [one["name"] for one in discord.guild.app.commands.values()])
    asked = await kenji.slash(thread, "chat mine")
    assert (asked.ok, asked.status) == (True, 200)
    assert discord.calls_of(CALLBACK) == []


async def test_what_discord_did_not_sign_just_now_is_refused(
    here: House, url: str, discord: DiscordSimulator, kenji: Person, thread: Thread
) -> None:
    body, transport = a_press(here, kenji, thread, "Claim"), discord.transport
    good = transport.signed(body)
    old, early = (transport.signed(body, str(int(time.time() + away))) for away in (-3_600, 3_600))
    forged = [
        {},
        transport.forged(body),
        transport.signed(body + b" "),
        good | {"X-Signature-Timestamp": str(int(time.time()) + 1)},
        good | {"X-Signature-Ed25519": "no number"},
        good | {"X-Signature-Ed25519": "ab"},
        transport.signed(body, "yesterday"),
        old,
        early,
    ]
    assert [(await post(url, body, headers))[0] for headers in forged] == [401] * len(forged)
    assert (await here.session()).session.assignee is None
    assert (await post(url, body, good))[0] == 200
    assert (await here.session()).session.assignee == "kenji"


async def test_the_same_request_is_answered_once(
    here: House, url: str, discord: DiscordSimulator, kenji: Person, thread: Thread
) -> None:
    body = a_press(here, kenji, thread, "Claim")
    headers = discord.transport.signed(body)
    assert sorted([(await post(url, body, headers))[0] for _ in range(3)]) == [200, 409, 409]


async def test_what_is_no_interaction_or_too_large_is_refused_and_harms_nothing(
    here: House, url: str, discord: DiscordSimulator, kenji: Person, thread: Thread
) -> None:
    async def sent(body: bytes) -> int:
        return (await post(url, body, discord.transport.signed(body)))[0]

    nothing = (b"", b"[]", b"{", b"\xff", b'"x"', b'{"type": 3}', b'{"type": "x"}')
    assert [await sent(body) for body in nothing] == [400] * len(nothing)
    assert await sent(b" " * (receiver.LARGEST + 1)) == 413
    assert await sent(json.dumps({"type": 1}).encode()) == 200
    assert (await kenji.click(thread, here.card(thread), "Claim")).ok


async def test_any_process_takes_what_is_pressed(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel, kenji: Person
) -> None:
    chosen, prefix = {"public_key": discord.public_key}, f"two{desk.id}"
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(
                house(engine_url, tmp_path, discord, desks=[desk], prefix=prefix, chosen=chosen)
            )
            for _ in range(2)
        ]
        await one.enrol(kenji)
        await other.directory.refresh()
        await one.writes("hello")
        thread = await one.thread()
        await one.shows(thread, "hello")
        await discord.until(lambda: one.network.listens or other.network.listens)
        deaf = other if one.network.listens else one
        await discord.use_http(await stack.enter_async_context(reached(deaf)))
        assert (await kenji.click(thread, one.card(thread), "Claim")).ok
        assert (await one.session()).session.assignee == "kenji"


async def test_what_takes_long_is_answered_by_a_call_while_discord_waits(
    here: House,
    url: str,
    discord: DiscordSimulator,
    kenji: Person,
    thread: Thread,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receiver, "ANSWER_WITHIN", 0.05)
    session = here.relay.session

    async def slowly(name: Any) -> Any:
        await asyncio.sleep(0.3)
        return await session(name)

    monkeypatch.setattr(here.relay, "session", slowly)
    assert (await kenji.click(thread, here.card(thread), "Claim")).ok
    assert len(discord.calls_of(CALLBACK)) == 1


async def test_what_takes_longer_is_filled_in_after_the_response(
    here: House,
    url: str,
    discord: DiscordSimulator,
    thread: Thread,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replies, "AT_ONCE", 0.05)
    session = here.relay.session

    async def slowly(name: Any) -> Any:
        await asyncio.sleep(0.1)
        return await session(name)

    monkeypatch.setattr(here.relay, "session", slowly)
    stranger = discord.person("stranger")
    discord.allow(here.desk, stranger.id, BOT, quietly=True)
    outcome = await stranger.click(thread, here.card(thread), "Claim")
    assert (outcome.ok, outcome.status, outcome.type) == (True, 200, 5)
    await discord.until(lambda: any("not enrolled" in one.content for one in stranger.whispers()))
    assert discord.calls_of(CALLBACK) == []


async def test_without_the_public_key_there_is_no_door(
    engine_url: str, tmp_path: Path, discord: DiscordSimulator, desk: Channel
) -> None:
    async with house(engine_url, tmp_path, discord, desks=[desk]) as here:
        assert here.network.http_app() is None


async def test_a_window_opens_by_the_response_and_is_taken_by_one(
    here: House, url: str, discord: DiscordSimulator, kenji: Person, thread: Thread
) -> None:
    outcome = await kenji.click(thread, here.card(thread), "Note")
    assert (outcome.ok, outcome.status, outcome.type) == (True, 200, 9)
    assert (await kenji.submit({"words": "canary"})).status == 200
    await here.shows(thread, "canary")
    assert discord.calls_of(CALLBACK) == []
