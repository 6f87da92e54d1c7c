"""The private redis-server through everything that was seen to lose data: kills, versions, a full disk."""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import stat
import sys
import tempfile
import time
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.redis.binary import Binary, PrivateRedisError, Version
from adapters.redis.folder import Folder, RedisDataMissingError, RedisFolderBusyError, RedisVersionLoweredError
from adapters.redis.server import INSTANCE_KEY, Endpoint, PrivateServer, RedisServerDiedError
from tests.redis_servers import floor_binary, redis7_binary

Found = TypeVar("Found")
ROOT = Path(__file__).parents[2]

# A Kakehashi in small: it counts in Redis and says each acknowledged number, until it is asked to end, then drains.
PROGRAM = """
import asyncio, signal, sys
from pathlib import Path
from adapters.redis.binary import find_binary
from adapters.redis.server import PrivateServer
from redis.asyncio import Redis

async def main():
    server = PrivateServer(Path(sys.argv[1]), find_binary(forced=Path(sys.argv[2])))
    endpoint = await server.start()
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    client = Redis(unix_socket_path=str(endpoint.socket_path))
    while not asked.is_set():
        print("acknowledged", await client.incr("count"), flush=True)
    for _ in range(20):
        await asyncio.sleep(0.02)  # a server that got the signal too would notice it within 0.1 s
        print("drained", await client.incr("count"), flush=True)
    await client.aclose()
    await server.stop()

asyncio.run(main())
"""


def binaries() -> list[Binary]:
    """The floor, and 7 where there is one: their AOFs are laid out differently."""
    return [binary for binary in (floor_binary(), redis7_binary()) if binary is not None]


@pytest.fixture(params=binaries(), ids=lambda binary: str(binary.version))
def binary(request: pytest.FixtureRequest) -> Binary:
    found: Binary = request.param
    return found


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder; whatever server a failed test leaves there is killed."""
    folder = Folder(tmp_path / "data")
    yield folder.path
    if folder.path.exists() and folder.is_taken() and (pid := folder.pid()):
        os.kill(pid, signal.SIGKILL)
    if folder.record_file.exists() and (record := folder.record()):
        folder.leave(record)


@contextlib.asynccontextmanager
async def running(server: PrivateServer) -> AsyncIterator[Endpoint]:
    endpoint = await soon(server.start())
    try:
        yield endpoint
    finally:
        await soon(server.stop())


@contextlib.asynccontextmanager
async def client_of(endpoint: Endpoint) -> AsyncIterator["Redis"]:
    """A client that never tries twice, so that a test sees what really happened."""
    client = Redis(unix_socket_path=str(endpoint.socket_path), decode_responses=True, retry=Retry(NoBackoff(), 0))
    try:
        yield client
    finally:
        await client.aclose()


async def value_of(endpoint: Endpoint, key: str) -> object:
    async with client_of(endpoint) as client:
        return await client.get(key)


async def set_value(endpoint: Endpoint, key: str, value: str) -> None:
    async with client_of(endpoint) as client:
        await client.set(key, value)


async def soon(coming: Awaitable[Found]) -> Found:
    """What is waited for, or a failure instead of a test that hangs."""
    return await asyncio.wait_for(coming, 60)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - other processes have no event to give us
            await asyncio.sleep(0.02)


def is_served(data: Path) -> bool:
    """Whether a server lives on the folder."""
    return Folder(data).is_taken()


def a_script(folder: Path, body: str, real: Binary) -> Binary:
    """A `redis-server` that does something first; `$REAL` is the real one."""
    folder.mkdir(exist_ok=True)
    path = folder / "redis-server"
    path.write_text(f"#!/bin/sh\nREAL='{real.path}'\n{body}\n")
    path.chmod(0o755)
    return Binary(path, real.version)


# Coming up and going


async def test_it_is_durable_private_and_reachable_by_its_socket_alone(data: Path, binary: Binary) -> None:
    async with running(PrivateServer(data, binary)) as endpoint, client_of(endpoint) as client:
        settings = await client.config_get("*")
        wanted = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "save": ""}
        wanted |= {"port": "0", "protected-mode": "yes", "maxmemory-policy": "noeviction", "aof-load-truncated": "yes"}
        assert {name: settings[name] for name in wanted} == wanted
        assert Version.parse(endpoint.version) == binary.version
        assert stat.S_IMODE(endpoint.socket_path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        async with Redis.from_url(endpoint.url) as by_url:
            assert await by_url.ping()


async def test_the_last_one_out_ends_it_and_the_data_is_there_at_the_next_start(data: Path, binary: Binary) -> None:
    async with running(PrivateServer(data, binary)) as first:
        await set_value(first, "key", "kept")
    assert not is_served(data)
    assert not first.socket_path.parent.exists()
    async with running(PrivateServer(data, binary)) as second:
        assert second.instance_id == first.instance_id
        assert await value_of(second, "key") == "kept"


async def test_five_starts_at_once_on_a_fresh_folder_make_one_server(data: Path, binary: Binary) -> None:
    servers = [PrivateServer(data, binary) for _ in range(5)]
    endpoints = await asyncio.gather(*(server.start() for server in servers))
    assert len(set(endpoints)) == 1
    await asyncio.gather(*(server.stop() for server in servers))
    assert not is_served(data)


async def test_a_server_that_does_not_come_up_says_why_and_leaves_nothing_behind(data: Path, tmp_path: Path) -> None:
    real = floor_binary()
    broken = a_script(tmp_path / "bin", '[ "$1" = --version ] && exec "$REAL" "$@"; echo "bad luck"; exit 1', real)
    with pytest.raises(RedisServerDiedError, match="bad luck"):
        await PrivateServer(data, broken).start()
    async with running(PrivateServer(data, real)) as endpoint:
        assert endpoint.instance_id


async def test_a_damaged_aof_is_refused_with_the_servers_own_words(data: Path, binary: Binary) -> None:
    async with running(PrivateServer(data, binary)) as endpoint:
        await set_value(endpoint, "key", "kept")
    aof = the_aof(data)
    aof.write_bytes(b"nonsense, and more of it\r\n" + aof.read_bytes())
    with pytest.raises(RedisServerDiedError, match="Bad file format") as refused:
        await PrivateServer(data, binary).start()
    assert refused.value.where.endswith(".log")


async def test_a_tail_cut_by_a_crash_is_dropped_and_the_rest_is_served(data: Path, binary: Binary) -> None:
    async with running(PrivateServer(data, binary)) as endpoint:
        await set_value(endpoint, "key", "kept")
        await set_value(endpoint, "tail", "cut")
    aof = the_aof(data)
    aof.write_bytes(aof.read_bytes()[:-5])
    async with running(PrivateServer(data, binary)) as endpoint:
        assert await value_of(endpoint, "key") == "kept"
        assert await value_of(endpoint, "tail") is None


def the_aof(data: Path) -> Path:
    """The file that writes are appended to, in the layout of 6.2 or of 7."""
    return next(iter(data.glob("appendonlydir/*.incr.aof")), data / "appendonly.aof")


async def test_loading_a_long_aof_is_waited_for_however_long_it_takes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = floor_binary()
    # 0.15 ms for each command, and a word ("loading") to those who ask after each thousand.
    slowly = '[ "$1" = --version ] && exec "$REAL" "$@"; exec "$REAL" "$@" --key-load-delay 150'
    async with running(PrivateServer(data, real)) as endpoint, client_of(endpoint) as client:
        step = client.pipeline(transaction=False)
        for number in range(10_000):
            step.set(f"key-{number}", "kept")
        await step.execute()

    server = PrivateServer(data, a_script(tmp_path / "bin", slowly, real), patience=60)
    knock, years = server._knock, itertools.count(start=1e8, step=1e8)

    async def knock_and_age() -> object:
        """Each answer "loading" takes years of the clock that the patience is measured with."""
        if (answer := await knock()) is not None and not isinstance(answer, Endpoint):
            age = next(years)
            clock = types.SimpleNamespace(monotonic=lambda: time.monotonic() + age)
            monkeypatch.setattr("adapters.redis.server.time", clock)
        return answer

    monkeypatch.setattr(server, "_knock", knock_and_age)
    async with running(server) as endpoint:
        assert await value_of(endpoint, "key-9999") == "kept"


# Danger 1: the server outlives a killed parent, and must stay the only one


@contextlib.asynccontextmanager
async def another_process(data: Path, binary: Binary) -> AsyncIterator[asyncio.subprocess.Process]:
    """PROGRAM in a process group of its own, as a shell would start it."""
    arguments = (sys.executable, "-c", PROGRAM, str(data), str(binary.path))
    pipe, environment = asyncio.subprocess.PIPE, os.environ | {"PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=pipe, start_new_session=True, env=environment, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            kill(process)
        await process.communicate()


def kill(process: asyncio.subprocess.Process) -> None:
    """Not by its own method, which may reap the child under asyncio's feet."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)


async def last_number(process: asyncio.subprocess.Process, word: str, at_least: int = 0) -> int:
    """The last number that the process said with `word`, read until it reaches `at_least` or the output ends."""
    assert process.stdout is not None
    number = 0
    async with asyncio.timeout(60):
        async for line in process.stdout:
            said, _, rest = line.decode().partition(" ")
            if said == word and rest.endswith("\n"):  # a kill may cut the last line
                number = int(rest)
            if at_least and number >= at_least:
                break
    return number


async def test_a_server_whose_parent_was_killed_is_adopted_with_every_acknowledged_write(
    data: Path, binary: Binary
) -> None:
    async with another_process(data, binary) as parent:
        first = await last_number(parent, "acknowledged", at_least=50)
        left_behind = Folder(data).pid()
        kill(parent)
        acknowledged = max(first, await last_number(parent, "acknowledged"))
    async with running(PrivateServer(data, binary)) as endpoint:
        assert endpoint.pid == left_behind
        assert int(str(await value_of(endpoint, "count"))) >= acknowledged
    assert not is_served(data)


async def test_two_processes_share_one_server_and_the_first_to_leave_does_not_end_it(
    data: Path, binary: Binary
) -> None:
    starter, adopter = PrivateServer(data, binary), PrivateServer(data, binary)
    async with running(starter) as first:
        second = await adopter.start()
        assert second == first
        await set_value(first, "from", "the starter")
    assert await value_of(second, "from") == "the starter"
    assert adopter.alive
    await adopter.stop()
    assert not is_served(data)


async def test_the_adopter_restarts_the_server_when_its_starter_is_dead(data: Path, binary: Binary) -> None:
    restarted: asyncio.Queue[Endpoint] = asyncio.Queue()
    async with another_process(data, binary) as starter:
        first = await last_number(starter, "acknowledged", at_least=10)
        adopter = PrivateServer(data, binary, on_restart=restarted.put_nowait)
        async with running(adopter) as endpoint:
            kill(starter)
            acknowledged = max(first, await last_number(starter, "acknowledged"))
            os.kill(endpoint.pid, signal.SIGKILL)
            again = await soon(restarted.get())
            assert again.pid != endpoint.pid
            assert int(str(await value_of(again, "count"))) >= acknowledged


async def test_of_two_processes_one_restarts_the_server_and_both_know(data: Path, binary: Binary) -> None:
    told: list[asyncio.Queue[Endpoint]] = [asyncio.Queue(), asyncio.Queue()]
    one, two = (PrivateServer(data, binary, on_restart=queue.put_nowait) for queue in told)
    async with running(one) as endpoint, running(two):
        os.kill(endpoint.pid, signal.SIGKILL)
        first, second = [await soon(queue.get()) for queue in told]
        assert first == second
        assert first.pid != endpoint.pid


async def test_a_locked_folder_is_waited_for(data: Path) -> None:
    folder = Folder(data)
    folder.prepare()
    lock = folder.take()
    assert lock is not None
    starting = asyncio.create_task(PrivateServer(data, floor_binary()).start())
    server = PrivateServer(data, floor_binary(), patience=0.2)
    with pytest.raises(RedisFolderBusyError) as refused:
        await server.start()
    assert str(data) in refused.value.where
    assert not starting.done()
    os.close(lock)
    endpoint = await starting
    async with running(server) as same:
        assert same == endpoint


async def test_whoever_comes_while_the_last_one_stops_the_server_waits_and_starts_a_new_one(data: Path) -> None:
    folder = Folder(data)
    folder.prepare()
    leaving = folder.join()
    assert leaving is not None
    assert folder.is_last(leaving)
    with pytest.raises(RedisFolderBusyError):
        await PrivateServer(data, floor_binary(), patience=0.1).start()
    server = PrivateServer(data, floor_binary())
    starting = asyncio.create_task(server.start())
    await until(lambda: not starting.done())
    os.close(leaving)
    assert (await starting).instance_id
    await server.stop()


async def test_a_server_whose_starter_died_before_it_verified_it_is_verified_by_the_adopter(
    data: Path, binary: Binary
) -> None:
    folder = Folder(data)
    folder.prepare()
    assert PrivateServer(data, binary)._launch_if_free()
    async with running(PrivateServer(data, binary)) as endpoint:
        assert endpoint.pid == folder.pid()
        assert await value_of(endpoint, INSTANCE_KEY) == endpoint.instance_id


async def test_ctrl_c_reaches_kakehashi_and_not_its_server_so_that_it_can_drain(data: Path, binary: Binary) -> None:
    async with another_process(data, binary) as process:
        counted = await last_number(process, "acknowledged", at_least=10)
        server = Folder(data).pid()
        assert server is not None
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
        assert await last_number(process, "drained") >= counted + 20
        assert await process.wait() == 0
    assert not is_served(data)


# Danger 2: an older version, or missing data, starts empty


async def test_an_older_version_is_refused_and_the_data_stays_whole(data: Path, tmp_path: Path) -> None:
    real = floor_binary()
    newer = a_script(
        tmp_path / "bin", '[ "$1" = --version ] && echo "Redis server v=99.1.2 sha=0" && exit; exec "$REAL" "$@"', real
    )
    async with running(PrivateServer(data, newer)) as endpoint:
        await set_value(endpoint, "key", "kept")
    with pytest.raises(RedisVersionLoweredError, match=r"99\.1\.2"):
        await PrivateServer(data, real).start()
    assert not is_served(data)
    async with running(PrivateServer(data, newer)) as endpoint:
        assert await value_of(endpoint, "key") == "kept"


async def test_a_newer_version_takes_the_data_over(data: Path) -> None:
    for binary in binaries():  # from the floor upward
        async with running(PrivateServer(data, binary)) as endpoint, client_of(endpoint) as client:
            await client.append("versions", f"{binary.version} ")
            assert await client.get("versions") == "".join(f"{one.version} " for one in upto(binary))


def upto(binary: Binary) -> list[Binary]:
    every = binaries()
    return every[: every.index(binary) + 1]


async def test_missing_data_is_refused_rather_than_started_empty(data: Path, binary: Binary) -> None:
    async with running(PrivateServer(data, binary)) as endpoint:
        await set_value(endpoint, "key", "kept")
    hidden = hide_the_aof(data)
    with pytest.raises(RedisDataMissingError, match="without its instance id"):
        await PrivateServer(data, binary).start()
    assert not is_served(data)
    bring_back_the_aof(data, hidden)
    async with running(PrivateServer(data, binary)) as endpoint:
        assert await value_of(endpoint, "key") == "kept"


async def test_the_data_of_another_instance_is_refused(data: Path, tmp_path: Path, binary: Binary) -> None:
    for folder in (data, tmp_path / "other"):
        async with running(PrivateServer(folder, binary)):
            pass
    hide_the_aof(data)
    bring_back_the_aof(data, hide_the_aof(tmp_path / "other"))
    with pytest.raises(RedisDataMissingError, match="another instance id"):
        await PrivateServer(data, binary).start()


async def test_data_that_goes_missing_under_a_running_service_is_never_replaced_by_an_empty_server(
    data: Path, binary: Binary
) -> None:
    server = PrivateServer(data, binary)
    async with running(server) as endpoint, client_of(endpoint) as client:
        await client.set("key", "kept")
        hidden = hide_the_aof(data)
        os.kill(endpoint.pid, signal.SIGKILL)
        seen = []
        async with asyncio.timeout(60):
            while not isinstance(server.trouble, RedisDataMissingError):
                with contextlib.suppress(RedisError, OSError):
                    seen.append(await client.get("key"))
                await asyncio.sleep(0)
        assert set(seen) <= {"kept"}  # refused, or the old server: never an empty one
        bring_back_the_aof(data, hidden)
        assert await value_of(await soon(server.wait_alive()), "key") == "kept"


def hide_the_aof(data: Path) -> Path:
    hidden = Path(tempfile.mkdtemp(dir=data.parent))
    for path in data.glob("appendonly*"):
        path.rename(hidden / path.name)
    return hidden


def bring_back_the_aof(data: Path, hidden: Path) -> None:
    for path in data.glob("appendonly*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in hidden.iterdir():
        path.rename(data / path.name)


async def test_a_first_start_that_crashed_after_the_record_and_before_the_key_recovers(data: Path) -> None:
    folder = Folder(data)
    folder.prepare()
    claimed = folder.claim(floor_binary())
    async with running(PrivateServer(data, floor_binary())) as endpoint:
        assert endpoint.instance_id == claimed.instance
        assert await value_of(endpoint, INSTANCE_KEY) == claimed.instance
    record = folder.record()
    assert record is not None
    assert record.sealed


async def test_a_first_start_that_crashed_after_the_key_and_before_the_seal_recovers(data: Path) -> None:
    async with running(PrivateServer(data, floor_binary())) as first:
        await set_value(first, "key", "kept")
    folder = Folder(data)
    folder.record_file.unlink()
    folder.claim(floor_binary())  # unsealed, and with another id
    async with running(PrivateServer(data, floor_binary())) as second:
        assert second.instance_id == first.instance_id
        assert await value_of(second, "key") == "kept"


async def test_a_lost_record_is_written_again_from_the_data(data: Path, binary: Binary) -> None:
    async with running(PrivateServer(data, binary)) as first:
        await set_value(first, "key", "kept")
    Folder(data).record_file.unlink()
    async with running(PrivateServer(data, binary)) as second:
        assert second.instance_id == first.instance_id
        assert await value_of(second, "key") == "kept"


async def test_the_data_of_somebody_elses_redis_is_not_taken_for_ours(data: Path) -> None:
    async with running(PrivateServer(data, floor_binary())) as endpoint, client_of(endpoint) as client:
        await client.set("key", "theirs")
        await client.delete(INSTANCE_KEY)
    Folder(data).record_file.unlink()
    with pytest.raises(RedisDataMissingError):
        await PrivateServer(data, floor_binary()).start()


# Danger 3: the server ends


async def test_a_killed_server_is_restarted_at_the_same_socket_with_every_acknowledged_write(
    data: Path, binary: Binary
) -> None:
    troubles: asyncio.Queue[PrivateRedisError] = asyncio.Queue()
    restarted: asyncio.Queue[Endpoint] = asyncio.Queue()
    server = PrivateServer(data, binary, on_restart=restarted.put_nowait, on_trouble=troubles.put_nowait)
    async with running(server) as first:
        before = first
        for number in range(3):
            await set_value(before, f"key-{number}", "kept")
            os.kill(before.pid, signal.SIGKILL)
            assert isinstance(await soon(troubles.get()), RedisServerDiedError)
            before = await soon(restarted.get())
        assert before.socket_path == first.socket_path
        assert [await value_of(before, f"key-{number}") for number in range(3)] == ["kept"] * 3
        assert server.alive
        assert isinstance(server.trouble, RedisServerDiedError)  # still said, so soon after


async def test_a_full_disk_is_said_and_outlived_with_every_acknowledged_write(
    data: Path, tmp_path: Path, binary: Binary
) -> None:
    """A limit on the size of files stands for the full disk: both are a failed write to Redis."""
    full = tmp_path / "bin" / "full"
    limited = a_script(tmp_path / "bin", f'[ -e \'{full}\' ] && ulimit -f 200; exec "$REAL" "$@"', binary)
    full.touch()
    troubles: asyncio.Queue[PrivateRedisError] = asyncio.Queue()
    server = PrivateServer(data, limited, on_trouble=troubles.put_nowait)
    async with running(server):
        acknowledged = await write_until_refused(server, at_most=500)
        trouble = await soon(troubles.get())
        assert isinstance(trouble, RedisServerDiedError)
        assert "AOF" in trouble.what
        assert await write_until_refused(server, at_most=500) <= 1  # restarted, and no room has come
        await soon(troubles.get())
        full.unlink()
        await until_written(server, "room")
        async with client_of(server.endpoint) as client:
            kept = {int(number) for number in await client.lrange("numbers", 0, -1)}
        assert kept >= set(range(acknowledged))
        assert acknowledged > 0


async def write_until_refused(server: PrivateServer, at_most: int) -> int:
    """Write 1 KiB and its number in one step; returns how many were acknowledged."""
    async with client_of(await soon(server.wait_alive())) as client:
        for number in range(at_most):
            try:
                async with client.pipeline(transaction=True) as step:
                    step.rpush("numbers", number)
                    step.set(f"body-{number}", "x" * 1024)
                    await step.execute()
            except (RedisError, OSError):
                return number
    raise AssertionError("the disk was never full")


async def until_written(server: PrivateServer, key: str) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(RedisError, OSError):
                return await set_value(await server.wait_alive(), key, "written")


async def test_a_cleaned_temporary_folder_costs_a_restart_at_a_new_place(data: Path, binary: Binary) -> None:
    restarted: asyncio.Queue[Endpoint] = asyncio.Queue()
    async with running(PrivateServer(data, binary, on_restart=restarted.put_nowait)) as endpoint:
        await set_value(endpoint, "key", "kept")
        shutil.rmtree(endpoint.socket_path.parent)
        again = await soon(restarted.get())
        assert again.socket_path.parent != endpoint.socket_path.parent
        assert await value_of(again, "key") == "kept"


# Danger 4: long paths


async def test_a_data_folder_deeper_than_any_socket_path_works(data: Path) -> None:
    deep = data / ("d" * 120) / "redis data, 'quoted' データ"
    async with running(PrivateServer(deep, floor_binary())) as endpoint:
        assert len(os.fsencode(endpoint.socket_path)) < 104
        await set_value(endpoint, "key", "kept")
        assert (deep / "kakehashi-redis.log").exists()
