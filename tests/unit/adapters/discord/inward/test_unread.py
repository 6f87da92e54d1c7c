"""What could not be read is read back: at once the first time, then once in a while."""

from __future__ import annotations

import asyncio

from adapters.discord.inward.unread import APART, Unread

QUICK = 0.05 / APART
"""Makes 0.05 s of the pause."""


async def test_the_first_event_that_nobody_could_read_has_the_threads_read_back_at_once() -> None:
    losses: list[int] = []
    unread = Unread(lambda: losses.append(1))
    unread.hear("MESSAGE_CREATE")
    assert losses == [1]


async def test_however_many_follow_the_threads_are_read_once_more_and_that_later() -> None:
    lost = asyncio.Semaphore(0)
    unread = Unread(lost.release, QUICK)
    begun = asyncio.get_running_loop().time()
    for _ in range(100):
        unread.hear("MESSAGE_UPDATE")
    async with asyncio.timeout(30):
        await lost.acquire()
        await lost.acquire()
    assert asyncio.get_running_loop().time() - begun >= 0.05
    unread.stop()
    assert lost.locked()


async def test_what_no_thread_shows_is_not_looked_for_there() -> None:
    losses: list[int] = []
    Unread(lambda: losses.append(1)).hear("TYPING_START")
    assert losses == []


async def test_nothing_follows_after_the_end() -> None:
    losses: list[int] = []
    unread = Unread(lambda: losses.append(1), QUICK)
    unread.hear("MESSAGE_CREATE")
    unread.hear("MESSAGE_CREATE")
    unread.stop()
    await asyncio.sleep(0.1)
    assert losses == [1]
