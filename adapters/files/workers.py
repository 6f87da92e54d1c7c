"""Processes that draw images anew, a few at a time, off the event loop.

Each image has a process of its own, which ends with it. It costs a tenth of a second of start, and buys that
one customer's image meets nothing of another's, that limits of processor time are simple, and that a stuck
process can be killed. A process gets neither our environment nor our open files.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import structlog

from adapters.files import images
from bridge.files import MIB, FileLimits, FileRefused, Refusal

_ANSWER_BYTES = 4096
_log = structlog.get_logger(__name__)


class Workers:
    """Draws at most `count` images at once and lets at most `waiting` others wait.

    `seconds` bounds one image's time, processor and wall clock alike; `memory_bytes` its address space.
    """

    def __init__(
        self,
        limits: FileLimits,
        *,
        count: int = 2,
        waiting: int = 32,
        seconds: int = 30,
        memory_bytes: int = 1024 * MIB,
    ) -> None:
        self._limits = limits
        self._room = count + waiting
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="images")
        self._children: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()
        self._closed = False

    async def redraw(self, source: Path, target: Path, form: str) -> tuple[int, int]:
        """Write the clean image to `target`, which must not exist; width and height in pixels.

        `form` is Pillow's name of the format. Raises FileRefused: too_many_pixels, damaged, too_large,
        storage_full, busy. `target` may be left behind half written.
        """
        if self._room == 0 or self._closed:
            raise FileRefused(Refusal.BUSY)
        self._room -= 1
        try:
            loop = asyncio.get_running_loop()
            raw = await loop.run_in_executor(self._threads, self._run, self._order(source, target, form))
        finally:
            self._room += 1
        return self._size(raw)

    def close(self) -> None:
        """Kill what is running; images under way are refused as busy."""
        with self._guard:
            self._closed = True
            for child in self._children:
                child.kill()
        self._threads.shutdown()

    def _order(self, source: Path, target: Path, form: str) -> images.Order:
        return images.Order(
            source=str(source.absolute()),
            target=str(target.absolute()),
            form=form,
            pixels=self._limits.pixels,
            frames=self._limits.frames,
            output_bytes=2 * self._limits.file_bytes,
            memory_bytes=self._memory_bytes,
            cpu_seconds=self._seconds,
        )

    def _run(self, order: images.Order) -> bytes:
        """The worker's answer, empty when it gave none. Runs in a thread."""
        child = self._start()
        alarm = threading.Timer(self._seconds, child.kill)
        alarm.start()
        try:
            return _converse(child, order)
        finally:
            alarm.cancel()
            self._end(child)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._guard:
            if self._closed:
                raise FileRefused(Refusal.BUSY)
            try:
                child = _spawn()
            except OSError as error:  # the machine is out of processes or memory
                raise FileRefused(Refusal.BUSY) from error
            self._children.add(child)
            return child

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        child.kill()  # its answer is all that we wanted
        child.wait()
        with self._guard:
            self._children.discard(child)

    def _size(self, raw: bytes) -> tuple[int, int]:
        try:
            answer = json.loads(raw)
            if "refused" not in answer:
                return int(answer["width"]), int(answer["height"])
            refusal = Refusal(answer["refused"])
        except (ValueError, KeyError, TypeError):
            _log.warning("image_worker_died")
            refusal = Refusal.BUSY if self._closed else Refusal.DAMAGED
        raise FileRefused(refusal, limit=self._limits.pixels if refusal is Refusal.TOO_MANY_PIXELS else None)


def _spawn() -> subprocess.Popen[bytes]:
    # -I: neither our folders nor the environment decide what the worker imports
    command = [sys.executable, "-I", images.__file__]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(  # noqa: S603 - our own program, by its full path
        command, stdin=pipe, stdout=pipe, stderr=nothing, env={}, cwd="/", start_new_session=True
    )


def _converse(child: subprocess.Popen[bytes], order: images.Order) -> bytes:
    assert child.stdin is not None, "we asked for a pipe"
    assert child.stdout is not None, "we asked for a pipe"
    with child.stdout as answers:
        with contextlib.suppress(BrokenPipeError), child.stdin as orders:
            orders.write(json.dumps(asdict(order)).encode() + b"\n")
        return answers.read(_ANSWER_BYTES)  # and no more, whatever it says
