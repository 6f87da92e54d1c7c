"""Coming up, draining, taking over: the life of a process as an init system sees it.

No network changes it, so it is told at the built-in desk. How one takes over from another that is killed is told of
each, in `test_kill`."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.cli.command import Status
from bridge.ports import Store
from routing.facts import Side
from routing.ids import SessionId
from tests.scenarios.customer import Customer
from tests.scenarios.ledger import ledger
from tests.scenarios.stage import stage
from tests.service import Installation, until


async def test_sigterm_drains_and_exits_with_zero_and_the_next_start_goes_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as on, on.customer().online() as one:
        await one.write("before")
        await one.is_heard()
        session = await on.operator.session_of(one.code)
        writing = asyncio.create_task(_write_on(one))
        for _ in range(2):
            await one.is_heard_more(20)
            assert await on.house.running.drain() == Status.DONE
            assert on.house.redis_pid() is None, "the last process ends its redis-server"
            await on.house.up()
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        await one.is_heard()
        await on.operator.reply(session, "still here")
        await one.reads("still here")
        async with on.house.books() as store:
            assert (await ledger(store, SessionId(session))).said_by(Side.CUSTOMER) == one.said
        byes = [frame["code"] for frame in one.heard if frame["t"] == "bye"]
        assert byes == ["restarting", "restarting"]


async def _write_on(one: Customer) -> None:
    while True:
        await one.write(f"message {len(one.said)}")
        await until(lambda: len(one.outbox) < 3, "there is room for the next")


async def test_a_second_process_takes_over_at_once_from_one_that_drains(tmp_path: Path) -> None:
    """At once: the leases are given back, so nobody waits until they have run out."""
    async with stage(tmp_path, processes=2) as on, on.visit("customer", "to the first") as one:
        first, second = on.house.processes
        session = await on.operator.session_of(one.code)
        async with on.house.books() as store:
            await until(lambda: _share(store, 2), "both hold leases")
            assert await first.drain() == Status.DONE
            assert len(await _holders(store) - {""}) == 1, "what it held is free, or the other one's already"
            await until(lambda: _share(store, 1), "the second one holds every lease")
        await one.write("to the second")
        await one.is_heard()
        on.operator.addresses = [second.url]
        await on.operator.reply(session, "from the second")
        await one.reads("from the second")
        assert await second.drain() == Status.DONE


async def _share(store: Store, processes: int) -> bool:
    """Whether so many processes hold all the desk's leases between them."""
    holders = await _holders(store)
    return len(holders) == processes and "" not in holders


async def _holders(store: Store) -> set[str]:
    return {(await store.holder(f"console@{partition}"))[0] for partition in range(store.partitions)}


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"WEB__PORT": "telephone"}, "KAKEHASHI_WEB__PORT"),
        ({"WEB__ORIGINS": "not an origin"}, "KAKEHASHI_WEB__ORIGINS"),
        ({"REDIS__URL": "http://127.0.0.1"}, "KAKEHASHI_REDIS__URL"),
        ({"SLACK__BOT_TOKEN": "xoxb-1"}, "slack.app_token"),
        ({"LANES__QUARANTINE": "1"}, "lanes.quarantine"),
        ({"NO_SUCH_THING": "1"}, "KAKEHASHI_NO_SUCH_THING"),
    ],
)
async def test_a_wrong_setting_ends_it_with_key_and_mend_before_anything_opens(
    tmp_path: Path, settings: dict[str, str], key: str
) -> None:
    async with Installation(tmp_path) as house:
        ended = await house.command("up", **settings)
        assert ended.status == Status.SETTINGS, ended.err
        assert key.lower() in ended.err.lower()
        assert "mend:" in ended.err
        assert "Traceback" not in ended.err
        assert not house.data.exists(), "nothing was made, and no redis-server was started"
        assert not await _somebody_listens(house.port)


async def test_a_port_that_is_taken_ends_it_with_a_mend_and_leaves_nothing_running(tmp_path: Path) -> None:
    async with Installation(tmp_path) as house:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", house.port))
            taken.listen()
            ended = await house.command("up")
        assert ended.status == Status.FAILED
        assert f"cannot listen on 127.0.0.1:{house.port}" in ended.err
        assert "where: web.port (KAKEHASHI_WEB__PORT)" in ended.err
        assert "mend:" in ended.err
        assert house.redis_pid() is None


async def _somebody_listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
