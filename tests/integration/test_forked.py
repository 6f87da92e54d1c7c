"""A forked process of `kakehashi` is what a started one is: its own environment, folder, output, status and end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from bridge.cli.command import Status
from tests.forked import Forked
from tests.service import Installation, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the command itself is started")


async def test_it_says_what_the_command_says_and_ends_with_its_status(tmp_path: Path) -> None:
    one = await Forked.start("--version", env={}, cwd=tmp_path)
    assert await one.communicate() == (f"kakehashi {version('kakehashi')}\n".encode(), b"")
    assert one.returncode == 0


async def test_it_has_the_environment_and_the_folder_that_it_was_given_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "kakehashi.toml").write_text("[web]\nport = 'eighty'\n", encoding="utf-8")
    wrong = await Forked.start("check", env={"KAKEHASHI_LANES__QUARANTINE": "never"}, cwd=tmp_path)
    _, said = await wrong.communicate()
    assert wrong.returncode == Status.SETTINGS
    assert b"web.port" in said
    assert b"KAKEHASHI_LANES__QUARANTINE" in said
    right = await Forked.start("check", env={}, cwd=tmp_path.parent)
    assert (await right.communicate())[1] == b""
    assert right.returncode == Status.DONE


async def test_a_killed_one_ends_with_its_signal_and_is_no_longer_there(tmp_path: Path) -> None:
    async with Installation(tmp_path / "house") as house:
        up = await house.up()
        os.kill(up.pid, 0)
        await up.kill()
        assert up.process.returncode == -signal.SIGKILL
        assert not _there(up.pid)


async def test_nothing_outlives_the_tests_that_started_it(tmp_path: Path, engine_url: str) -> None:
    """A worker that is killed cannot tidy up: the one that forks does, as its line is cut."""
    script = tmp_path / "worker.py"
    script.write_text(
        "import asyncio, os, pathlib, sys\n"
        "from tests.forked import Forked\n"
        "async def main():\n"
        f"    env = {{'KAKEHASHI_WEB__PORT': '0', 'KAKEHASHI_REDIS__URL': {engine_url!r}}}\n"
        f"    one = await Forked.start('up', env=env, cwd=pathlib.Path({str(tmp_path)!r}))\n"
        "    print(one.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    worker = await asyncio.create_subprocess_exec(sys.executable, script, stdout=subprocess.PIPE, env=environment)
    assert worker.stdout is not None, "it was asked for with PIPE"
    pid = int(await worker.stdout.readline())
    worker.kill()
    await worker.wait()
    await until(lambda: not _there(pid), "it is gone, too")


def _there(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its status to be taken does not."""
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
