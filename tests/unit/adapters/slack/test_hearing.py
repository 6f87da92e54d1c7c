"""Hearing: after a silence what may have been missed is read back, whatever the clock did meanwhile."""

from __future__ import annotations

from typing import cast

import pytest

from adapters.slack.hearing import HEARD, MARGIN, Hearing
from bridge.ports import Store
from tests.unit.bridge.book import Book

MINUTE = 60_000


class Marked(Book):
    """A store of one partition."""

    partitions = 1

    async def swap(self, name: str, before: str | None, after: str | None) -> bool:
        if self.lasting.get(name) != before:
            return False
        self.lasting[name] = str(after)
        return True

    async def shelf(self, space: str) -> dict[str, str]:
        return {name: value for name, value in self.lasting.items() if name.startswith(space)}


async def gap(last: int, now: int, *, alone: bool) -> int | None:
    """Since when is read back by a process that begins at `now`, when something was heard at `last`."""
    book = Marked(clock=now)
    book.lasting[HEARD] = str(last)
    hearing = Hearing(cast(Store, book), lambda: True, lambda: alone)
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
