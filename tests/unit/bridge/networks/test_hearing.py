"""Hearing: after a silence what may have been missed is read back, whatever the clock did meanwhile."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from bridge.networks.hearing import FARTHEST, MARGIN, Hearing, heard
from bridge.ports import Store
from routing.ids import NetworkName
from tests.unit.bridge.book import Book

MINUTE = 60_000
NETWORK = NetworkName("slack")


class Marked(Book):
    """A store of one partition."""

    partitions = 1

    async def swap(self, name: str, before: str | None, after: str | None) -> bool:
        if self.lasting.get(name) != before:
            return False
        self.lasting.pop(name, None)
        if after is not None:
            self.lasting[name] = after
        return True

    async def shelf(self, space: str) -> dict[str, str]:
        return {name: value for name, value in self.lasting.items() if name.startswith(space)}


async def gap(last: int, now: int, *, alone: bool) -> int | None:
    """Since when is read back by a process that begins at `now`, when something was heard at `last`."""
    book = Marked(clock=now)
    book.lasting[heard(NETWORK)] = str(last)
    hearing = Hearing(cast(Store, book), NETWORK, lambda: True, lambda: alone)
    await hearing.begin()
    return hearing.gaps.get(0)


async def test_what_was_said_in_the_silence_is_read_back() -> None:
    now = 100 * MINUTE
    assert await gap(now - MINUTE, now, alone=False) == now - MINUTE - MARGIN
    assert await gap(now - 1_000, now, alone=False) is None
    assert await gap(now - 1_000, now, alone=True) == now - 1_000 - MARGIN


@pytest.mark.parametrize("alone", [True, False])
async def test_a_clock_that_was_put_back_hides_no_silence(alone: bool) -> None:
    now = 100 * MINUTE
    since = await gap(now + 10 * MINUTE, now, alone=alone)
    assert since is not None
    assert since <= now - 10 * MINUTE


async def test_where_nothing_is_repeated_every_silence_is_a_gap_and_so_is_a_first_ear() -> None:
    now = 100 * MINUTE
    book = Marked(clock=now)
    hearing = Hearing(cast(Store, book), NETWORK, lambda: True, lambda: True, repeats=False, resumes=True)
    await hearing.begin()
    assert hearing.gaps == {0: now - FARTHEST}
    await hearing.closed(0, now - FARTHEST)
    book.lasting[heard(NETWORK)] = str(now)
    hearing.lost()
    await hearing.sure()
    assert hearing.gaps == {0: now - MARGIN}


async def test_what_is_lost_while_a_gap_is_looked_for_is_looked_for_again() -> None:
    now = 100 * MINUTE
    book = Marked(clock=now)
    book.lasting[heard(NETWORK)] = str(now)
    hearing = Hearing(cast(Store, book), NETWORK, lambda: True, lambda: True, repeats=False, resumes=True)
    looking = asyncio.create_task(hearing.begin())
    await asyncio.sleep(0)
    hearing.lost()
    await looking
    book.lasting[heard(NETWORK)] = str(now - 5 * MINUTE)
    await hearing.sure()
    assert hearing.gaps == {0: now - 5 * MINUTE - MARGIN}


async def test_two_losses_between_two_beats_are_two_gaps() -> None:
    """A gap is known by where it begins: one that began where the last one did would count as read back."""
    now = 100 * MINUTE
    book = Marked(clock=now)
    book.lasting[heard(NETWORK)] = str(now - 1_000)
    hearing = Hearing(cast(Store, book), NETWORK, lambda: True, lambda: True, repeats=False, resumes=True)
    begun = []
    for _ in range(3):
        book.clock += 200
        hearing.lost()
        await hearing.sure()
        begun.append(hearing.gaps[0])
        await hearing.closed(0, begun[-1])
    assert len(set(begun)) == 3
    assert begun == sorted(begun)
