"""A process that is told to stop stops, whatever its work makes of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from bridge import service


async def swallows(cancellations: int) -> None:
    """As a library does that loses a cancellation on the way."""
    for _ in range(cancellations):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    await asyncio.Event().wait()


async def breaks() -> None:
    raise KeyError("long ago")


async def begun(work: asyncio.Task[None]) -> asyncio.Task[None]:
    await asyncio.sleep(0)
    return work


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "CANCELLED_AGAIN", 0.01)


async def test_what_loses_a_cancellation_is_told_again() -> None:
    tasks = [await begun(asyncio.create_task(swallows(number))) for number in range(3)]
    await service.end(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_what_does_not_end_is_named_and_left() -> None:
    stubborn = await begun(asyncio.create_task(swallows(service.TOLD_AT_MOST), name="stubborn"))
    with capture_logs() as logs:
        await service.end([stubborn])
    assert [(line["event"], line["work"]) for line in logs] == [("work_does_not_end", ["stubborn"])]
    await service.end([stubborn])


async def test_what_has_ended_long_ago_is_no_trouble() -> None:
    broken = await begun(asyncio.create_task(breaks()))
    await service.end([broken])
    await service.end([])
    assert broken.done()
