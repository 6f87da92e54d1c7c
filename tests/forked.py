"""Processes of `kakehashi`, forked from one that has imported it already: its import is most of what a start costs.

A forked process is a process like any other: it has its own number, environment, folder and output, and is killed and
drained as those are. What it does not go through is Python's start and the import; `tests/integration/test_commands.py`
and `tests/scenarios/test_life.py` start the real command for that.

The one that forks is started once for each worker of the tests (`_Nursery`), serves orders over a socket, and ends with
that socket: then everything that it has forked is killed, so that nothing is left behind by a worker that died.

It takes Linux: its `pidfd`s tell of the end of a process that is not our own child.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).resolve().parent.parent
_ORDER_BYTES = 128 * 1024  # an environment is a few thousand
_PIPE_BYTES = 64 * 1024


# ------------------------------------------------------------------ the tests' side


class Forked:
    """One process, with what the tests use of `asyncio.subprocess.Process`. Its output is a pipe."""

    def __init__(self, pid: int, stdout: StreamReader, stderr: StreamReader | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._pidfd = os.pidfd_open(pid)  # it is there: nobody but `_reap` takes its status
        self._loop.add_reader(self._pidfd, self._reap)

    @classmethod
    async def start(
        cls, *arguments: str, env: Mapping[str, str], cwd: Path, stderr: int = asyncio.subprocess.PIPE
    ) -> Self:
        """`kakehashi …`. `stderr` is PIPE or a file's number; its input is empty."""
        nursery = await asyncio.to_thread(_nursery)
        out, said = os.pipe()
        err, wrong = os.pipe() if stderr == asyncio.subprocess.PIPE else (None, os.dup(stderr))
        try:
            pid = nursery.fork(arguments, env, cwd, said, wrong)
        finally:
            os.close(said)
            os.close(wrong)
        return cls(pid, await _reader(out), None if err is None else await _reader(err))

    def send_signal(self, number: int) -> None:
        """ProcessLookupError when it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError(self.pid)
        signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None, "it has ended, and its status was taken"
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """The rest of what it says, to its end."""
        out, err = await asyncio.gather(*(_rest(stream) for stream in (self.stdout, self.stderr)))
        await self.wait()
        return out, err

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.returncode = _nursery().status(self.pid)
        self._ended.set()


async def _reader(pipe: int) -> StreamReader:
    reader, loop = StreamReader(), asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: StreamReaderProtocol(reader), os.fdopen(pipe, "rb", 0))
    return reader


async def _rest(stream: StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()


class _Nursery:
    """The process that forks. Its answers take a moment, so they are waited for where they are asked."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = (sys.executable, "-m", "tests.forked", str(theirs.fileno()))
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=(theirs.fileno(),)
            )
        self._answer()

    def fork(self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, out: int, err: int) -> int:
        """A process that runs `kakehashi …`; its number."""
        order = {"arguments": arguments, "env": dict(env), "cwd": str(cwd)}
        socket.send_fds(self._line, [json.dumps(order).encode()], [out, err])
        return self._answer()

    def status(self, pid: int) -> int:
        """What a process has ended with; a signal is negative."""
        self._line.send(json.dumps({"reap": pid}).encode())
        return self._answer()

    def _answer(self) -> int:
        answer = self._line.recv(_ORDER_BYTES)
        assert answer, "the process that forks has ended"
        return int(answer)

    def close(self) -> None:
        self._line.close()
        self._process.wait()


_guard = threading.Lock()
_running: list[_Nursery] = []


def _nursery() -> _Nursery:
    """This worker's own."""
    with _guard:
        if not _running:
            _running.append(_Nursery())
            atexit.register(_running[0].close)
        return _running[0]


# ------------------------------------------------------------------ the process that forks


def _serve(line: socket.socket) -> list[str] | None:
    """Serve orders until the line is cut. In a forked process: the arguments that it was forked for."""
    living: set[int] = set()
    line.send(b"0")
    while True:
        order, files, _flags, _address = socket.recv_fds(line, _ORDER_BYTES, 2)
        if not order:
            break
        asked = json.loads(order)
        if "reap" in asked:
            _pid, status = os.waitpid(asked["reap"], 0)
            living.discard(asked["reap"])
            line.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        pid = os.fork()
        if not pid:
            line.close()
            return _settle(asked, *files)
        living.add(pid)
        for file in files:
            os.close(file)
        line.send(str(pid).encode())
    for pid in living:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return None


def _settle(asked: Mapping[str, Any], out: int, err: int) -> list[str]:
    """The new process takes what was meant for it: its output, its environment, its folder."""
    for file, number in ((out, 1), (err, 2)):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    return list(asked["arguments"])


if __name__ == "__main__":
    import bridge.main  # noqa: F401 - this is what the processes need not do again
    from bridge import cli

    gc.collect()
    gc.freeze()  # what is shared stays shared: the collector writes into all that it looks at
    if (orders := _serve(socket.socket(fileno=int(sys.argv[1])))) is not None:
        sys.exit(cli.main(orders))
