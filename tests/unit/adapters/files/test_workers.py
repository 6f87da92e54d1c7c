"""The processes that draw images: bounded, replaced, and never ours to wait for in vain."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from PIL import Image

from adapters.files import images
from adapters.files.workers import Workers
from bridge.files import MIB, FileLimits, FileRefused, Refusal
from tests.unit.adapters.files import samples

Program = Callable[[str], None]


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers(FileLimits())
    yield workers
    await asyncio.to_thread(workers.close)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts another program in the place of the one that draws images."""

    def install(text: str) -> None:
        path = tmp_path / "program.py"
        path.write_text("import os, signal, sys, time\norder = sys.stdin.buffer.readline()\n" + text)
        monkeypatch.setattr(images, "__file__", str(path))

    return install


async def refusal(workers: Workers, folder: Path, form: str = "PNG") -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        await workers.redraw(folder / "source", folder / "target", form)
    return refused.value


async def test_an_image_is_drawn_in_another_process(workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(samples.photograph("JPEG", orientation=6))
    assert await workers.redraw(tmp_path / "source", tmp_path / "target", "JPEG") == (32, 48)
    assert b"SECRET" not in (tmp_path / "target").read_bytes()


async def test_the_square_of_twelve_thousand_is_refused_with_the_bound(workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(samples.huge_png())
    refused = await refusal(workers, tmp_path)
    assert (refused.code, refused.limit) == (Refusal.TOO_MANY_PIXELS, 50_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "sys.exit(3)",
        "raise ValueError",
        "print('nonsense')",
        "print('[]')",
        'print(\'{"refused": "of no known kind"}\')',
        "print('{\"width\": 3}')",
        "print('{\"width\": 3, \"height\": 4' + 'x' * 10**7)",
    ],
)
async def test_a_worker_that_dies_or_babbles_means_damaged(
    workers: Workers, tmp_path: Path, program: Program, text: str
) -> None:
    program(text)
    assert (await refusal(workers, tmp_path)).code is Refusal.DAMAGED


async def test_after_a_worker_died_the_next_image_is_drawn(
    workers: Workers, tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("os.abort()")
    assert (await refusal(workers, tmp_path)).code is Refusal.DAMAGED
    monkeypatch.undo()
    (tmp_path / "source").write_bytes(samples.png())
    assert await workers.redraw(tmp_path / "source", tmp_path / "target", "PNG") == (48, 32)


async def test_a_worker_that_hangs_is_killed(tmp_path: Path, program: Program) -> None:
    program("signal.pause()")
    workers = Workers(FileLimits(), seconds=1)
    assert (await refusal(workers, tmp_path)).code is Refusal.DAMAGED
    await asyncio.to_thread(workers.close)


async def test_memory_is_bounded(tmp_path: Path) -> None:
    small, large = samples.png(), samples.encoded(Image.new("RGBA", (6000, 6000)), "PNG", compress_level=1)
    starved = Workers(FileLimits(), memory_bytes=128 * MIB)
    (tmp_path / "source").write_bytes(large)
    assert (await refusal(starved, tmp_path)).code is Refusal.TOO_MANY_PIXELS
    (tmp_path / "source").write_bytes(small)
    assert await starved.redraw(tmp_path / "source", tmp_path / "target", "PNG") == (48, 32)
    await asyncio.to_thread(starved.close)


async def test_what_is_written_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(samples.encoded(Image.effect_noise((300, 300), 90), "PNG"))
    tight = Workers(FileLimits(file_bytes=1000))
    assert (await refusal(tight, tmp_path)).code is Refusal.TOO_LARGE
    await asyncio.to_thread(tight.close)


async def test_a_worker_sees_nothing_of_our_environment(
    workers: Workers, tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAKEHASHI_SLACK__BOT_TOKEN", "xoxb-secret")
    seen = tmp_path / "seen"
    program(f"open({str(seen)!r}, 'w').write(repr((dict(os.environ), os.listdir('/dev/fd'))))")
    with (tmp_path / "ours").open("wb"):
        await refusal(workers, tmp_path)
    environment, descriptors = eval(seen.read_text())  # noqa: S307 - what our own program wrote just now
    assert "xoxb-secret" not in str(environment)
    assert not any(key.startswith("KAKEHASHI") for key in environment)
    assert len(descriptors) <= 5  # the three, the file that it writes, and the listing itself


def test_the_bounds_are_really_set() -> None:
    order = images.Order("", "", "PNG", 1, 1, output_bytes=1000, memory_bytes=2**30, cpu_seconds=7)
    script = f"""
import resource
from adapters.files import images
images.bind(images.{order!r})
print([resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in ("AS", "CPU", "FSIZE", "CORE")])
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout
    assert said.strip() == str([(2**30, 2**30), (7, 7), (1000, 1000), (0, 0)])


async def test_more_images_than_may_wait_are_refused_as_busy(tmp_path: Path, program: Program) -> None:
    program("signal.pause()")
    workers = Workers(FileLimits(), count=1, waiting=1)
    waiting = [asyncio.create_task(refusal(workers, tmp_path)) for _ in range(2)]
    await asyncio.sleep(0)  # both have taken their places
    busy = await refusal(workers, tmp_path)
    assert (busy.code, busy.retry) == (Refusal.BUSY, True)
    await asyncio.to_thread(workers.close)
    # an image that our own closing cut short is not damaged: its sender may try again
    assert {(await task).code for task in waiting} == {Refusal.BUSY}
    assert (await refusal(workers, tmp_path)).code is Refusal.BUSY


async def test_a_machine_that_can_start_no_process_is_busy(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    assert (await refusal(workers, tmp_path)).code is Refusal.BUSY
