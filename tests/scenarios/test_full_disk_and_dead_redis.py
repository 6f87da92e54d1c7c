"""A full disk, or a Redis that is gone: "not sent yet"; the page keeps it, nothing is acknowledged, nothing is lost.

About the store, and so told once. What an operator says while it is dead is told of each network, in `test_kill`."""

from __future__ import annotations

import os
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from adapters.redis.binary import find_binary
from routing.facts import Side
from routing.ids import SessionId
from tests.scenarios.customer import Customer
from tests.scenarios.ledger import ledger
from tests.scenarios.stage import Stage, stage
from tests.service import Installation, until

UNLIMITED = resource.RLIM_INFINITY


async def test_while_redis_is_dead_nothing_is_acknowledged_and_then_everything_is(tmp_path: Path) -> None:
    binary = tmp_path / "redis-server"
    binary.symlink_to(find_binary().path)
    async with stage(tmp_path / "house", REDIS__BINARY=str(binary)) as on, on.customer().online() as one:
        session = await _has_begun(on, one)
        binary.unlink()  # nobody can start another one
        on.house.kill_redis()
        async with _nothing_is_stored(on, one):
            await one.write("while it is dead")
            await until(lambda: _was_refused(one), "the page was told that it is not stored yet")
            assert await _answer_of_the_desk(on, session) == (503, "not_stored", True)
            assert await _ready(on.house) == 503
        binary.symlink_to(find_binary().path)
        await _everything_is_stored(on, one, session)


async def test_on_a_full_disk_nothing_is_acknowledged_and_then_everything_is(tmp_path: Path) -> None:
    """A limit on the size of files fails writes as a full disk does, and needs no disk."""
    async with stage(tmp_path) as on, on.customer().online() as one:
        session = await _has_begun(on, one)
        _limit_files(on.house, _largest_file(on.house.data / "redis"))
        async with _nothing_is_stored(on, one):
            await one.write("on a full disk")
            await until(lambda: _was_refused(one), "the page was told that it is not stored yet")
        _limit_files(on.house, UNLIMITED)
        await _everything_is_stored(on, one, session)


async def test_a_log_that_nobody_takes_costs_its_lines_and_nothing_else(tmp_path: Path) -> None:
    """Whoever read it is gone, or its disk is full: every write of a line fails, those about a dead Redis as well."""
    log = tmp_path / "process-0.log"
    os.mkfifo(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    async with stage(tmp_path) as on, on.customer().online() as one:
        os.close(reader)
        session = await _has_begun(on, one)
        for times in range(2):
            on.house.kill_redis()
            await one.write(f"after {times + 1} deaths")
            await one.is_heard()
        await _everything_is_stored(on, one, session)
        assert await on.house.running.drain() == 0


async def _has_begun(on: Stage, one: Customer) -> str:
    await one.write("before")
    await one.is_heard()
    return await on.operator.session_of(one.code)


def _was_refused(one: Customer) -> bool:
    """On the line that was open, or at the next hello."""
    said = {(frame["t"], frame.get("code")) for frame in one.heard}
    return bool(said & {("refused", "not_stored"), ("bye", "unavailable")})


@asynccontextmanager
async def _nothing_is_stored(on: Stage, one: Customer) -> AsyncIterator[None]:
    before = dict(one.acknowledged)
    yield
    assert one.acknowledged == before, "what is not stored is not acknowledged"
    assert len(one.outbox) == 1, "the page keeps it"
    assert on.house.running.lives, "the service itself goes on"


async def _everything_is_stored(on: Stage, one: Customer, session: str) -> None:
    await one.is_heard()
    await on.operator.reply(session, "we are back")
    await one.reads("we are back")
    await until(lambda: _is_ready(on.house), "the service is ready again")
    async with on.house.books() as store:
        book = await ledger(store, SessionId(session))
    assert book.said_by(Side.CUSTOMER) == one.said
    assert book.seen_by_the_customer() == one.transcript()


async def _answer_of_the_desk(on: Stage, session: str) -> tuple[int, str, bool]:
    address = on.house.url
    form = {"id": "desk-while-dead", "parts": [{"type": "text", "text": "are you there?"}]}
    headers = {"Origin": address, "X-Kakehashi-Desk": "1"}
    url = f"{address}/console/api/sessions/{session}/reply"
    async with on.operator.http.post(url, json=form, headers=headers) as response:
        error = (await response.json())["error"]
        return response.status, error["code"], error["retry"]


async def _ready(house: Installation) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"{house.url}/readyz") as response:
        return response.status


async def _is_ready(house: Installation) -> bool:
    return await _ready(house) == 200


def _largest_file(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _limit_files(house: Installation, size: int) -> None:
    """Bytes; for the service, for whatever it starts from now on, and for its redis-server."""
    for process in (house.running.pid, house.redis_pid()):
        if process is not None and _lives(process):
            _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (size, hard))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
