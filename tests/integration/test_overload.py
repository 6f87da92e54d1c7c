"""A store that dies, freezes or falls behind: a commit is durable or it raises, and sending again stores it once."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.redis.server import PrivateServer
from bridge.errors import OverloadedError, StoreCorruptError, StoreUnavailableError
from bridge.ports import Entry
from bridge.relay import Answer
from routing import inputs as i
from routing.facts import CustomerMessageAdded
from routing.ids import InputKey, MessageId
from tests.contract.engines import opened
from tests.integration.engine_room import GREETING, Room, customer, hurry, idle, running, sound, until
from tests.integration.notice_board import Board


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PrivateServer]:
    one = PrivateServer(tmp_path / "redis")
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def process(server: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    hurry(monkeypatch)
    async with running(server.endpoint.url, Board()) as one:
        server.when_restarted(one.store.moved_to)
        yield one


# ------------------------------------------------------------------ it dies


async def test_a_killed_store_loses_nothing_that_was_acknowledged(server: PrivateServer, process: Room) -> None:
    """Customers send again under the same key until they are told; each message is one entry of the journal."""
    told: list[tuple[str, int]] = []

    async def chat(name: str) -> None:
        for number in range(20):
            await process.writes(name, number)
            told.append((name, number))

    chats = asyncio.gather(*(chat(f"u{number}") for number in range(10)))
    for share in (0.2, 0.5, 0.8):
        await until(functools.partial(_is_long, told, 200 * share), "they chat")
        pid = server.endpoint.pid
        os.kill(pid, signal.SIGKILL)
        await until(functools.partial(_is_back, server, pid), "the server is back")
    await chats
    await until(lambda: idle(process.store), "all is delivered")
    sessions = await sound(process.store)
    assert len(sessions) == 10
    for stored in sessions:
        said = _said(await process.store.journal(stored.session.id))
        assert said == [f"c:{number}" for number in range(20)]
        assert process.network.board.shows(stored.session.id) == ["OpenThread", *said]
    assert not process.network.board.doubled()


def _is_long(told: list[tuple[str, int]], wanted: float) -> bool:
    return len(told) >= wanted


def _is_back(server: PrivateServer, pid: int) -> bool:
    return server.alive and server.endpoint.pid != pid


def _said(journal: list[Entry]) -> list[str]:
    return [entry.fact.message for entry in journal if isinstance(entry.fact, CustomerMessageAdded)]


async def test_a_server_that_came_back_on_another_socket_is_found(server: PrivateServer, process: Room) -> None:
    await process.writes("a", 0)
    old = server.endpoint
    shutil.rmtree(old.socket_path.parent)  # somebody cleaned the temporary folder
    await until(lambda: server.endpoint.socket_path != old.socket_path, "it is restarted elsewhere")
    receipt = await process.writes("a", 1)
    assert receipt.stored.session.messages == 2


async def test_a_dead_store_raises_and_nothing_is_answered(server: PrivateServer, process: Room) -> None:
    await server.stop()
    with pytest.raises(StoreUnavailableError):
        await process.relay.from_customer(
            customer("a"), i.CustomerWrote(MessageId("c:0")), InputKey("web/0"), greeting=GREETING
        )
    with pytest.raises(StoreUnavailableError):
        await process.store.draw("bucket", 1, 1.0, 1)


# ------------------------------------------------------------------ it falls behind


async def test_calls_beyond_the_queue_are_refused_at_once_and_the_others_are_answered(
    server: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.redis.wire.QUEUED", 50)
    async with opened(server.endpoint.url) as store:
        os.kill(server.endpoint.pid, signal.SIGSTOP)
        try:
            calls = [asyncio.ensure_future(store.get(f"name/{number}")) for number in range(300)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        finally:
            os.kill(server.endpoint.pid, signal.SIGCONT)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, OverloadedError)]
        assert refused
        assert answers.count(None) + len(refused) == 300


async def test_inputs_beyond_the_bound_are_shed_visibly(process: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.relay.UNDER_WAY", 5)

    async def write(number: int) -> Answer:
        event, key = i.CustomerWrote(MessageId("c:0")), InputKey("web/0")
        return await process.relay.from_customer(customer(f"u{number}"), event, key, greeting=GREETING)

    answers = await asyncio.gather(*map(write, range(50)), return_exceptions=True)
    assert any(isinstance(answer, OverloadedError) for answer in answers)
    assert len(await sound(process.store)) == sum(not isinstance(answer, Exception) for answer in answers)


# ------------------------------------------------------------------ one bad call


async def test_what_cannot_be_written_fails_alone(server: PrivateServer) -> None:
    """Half a surrogate pair is legal in JSON and not in UTF-8; its neighbours in the batch must not suffer."""
    async with opened(server.endpoint.url) as store:
        names = ["name/one", "\ud83d", "name/two"]
        answers = await asyncio.gather(*map(store.get, names), return_exceptions=True)
        assert answers[0] is None
        assert isinstance(answers[1], StoreCorruptError)
        assert answers[2] is None


async def test_a_closed_store_leaves_nobody_waiting(server: PrivateServer) -> None:
    async with opened(server.endpoint.url) as store:
        os.kill(server.endpoint.pid, signal.SIGSTOP)
        try:
            calls = [asyncio.ensure_future(store.get(f"name/{number}")) for number in range(1_000)]
            await asyncio.sleep(0)
            await store.close()
            answers = await asyncio.gather(*calls, return_exceptions=True)
        finally:
            os.kill(server.endpoint.pid, signal.SIGCONT)
        assert all(isinstance(answer, StoreUnavailableError) for answer in answers)
        with pytest.raises(StoreUnavailableError):
            await store.get("name/late")
