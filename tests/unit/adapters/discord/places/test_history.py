"""Reading back, however the pages come."""

from __future__ import annotations

from typing import Any, cast

import pytest

from adapters.discord.places.history import PAGE, History
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.faults import refused
from bridge.errors import DeliveryError


class Told:
    """A channel with these messages (ids), in the order in which `shuffle` gives a page of them."""

    def __init__(self, ids: range, *, readable: bool = True, ignores_after: bool = False) -> None:
        self.ids, self.readable, self.ignores_after = ids, readable, ignores_after
        self.calls = 0

    async def get(self, path: str, **query: Any) -> Any:
        self.calls += 1
        if not path.endswith("/messages"):
            raise refused(404, 10008) if self.readable else refused(403, 50013)
        after = 0 if self.ignores_after else int(query["after"])
        page = [number for number in self.ids if number > after][: query["limit"]] if self.readable else []
        swapped = [pair for two in zip(page[1::2], page[::2], strict=False) for pair in two] + page[len(page) & ~1 :]
        return [{"id": str(number)} for number in reversed(swapped)]


def history(told: Told) -> History:
    return History(cast(RestApi, told))


async def test_pages_are_joined_in_order_though_two_of_one_millisecond_are_not() -> None:
    found = await history(Told(range(1, 3 * PAGE + 8))).after("2", "0")
    assert found is not None
    assert [int(one["id"]) for one in found] == list(range(1, 3 * PAGE + 8))


async def test_a_page_that_is_always_the_same_ends_it() -> None:
    found = await history(Told(range(1, PAGE + 1), ignores_after=True)).after("2", "0", pages=None)
    assert found is not None
    assert len(found) == PAGE


async def test_nothing_is_told_from_what_may_not_be_read() -> None:
    assert await history(Told(range(0))).after("2", "1") == []
    with pytest.raises(DeliveryError):
        await history(Told(range(0), readable=False)).after("2", "1")


class Listed:
    """A channel whose list of archived threads says of every page that there is more."""

    def __init__(self, pages: list[list[str]]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    async def get(self, path: str, **query: Any) -> Any:
        del path
        self.asked.append(query.get("before", ""))
        page = self.pages[min(len(self.asked), len(self.pages)) - 1]
        threads = [{"id": stamp[-8:-6], "thread_metadata": {"archive_timestamp": stamp}} for stamp in page]
        return {"threads": threads, "members": [], "has_more": True}


@pytest.mark.parametrize("last", [[], ["2023-11-19T18:00:01+00:00"]])
async def test_a_list_that_promises_more_and_has_none_ends(last: list[str]) -> None:
    told = Listed([["2023-11-19T18:00:02+00:00", "2023-11-19T18:00:01+00:00"], last, last])
    assert len(await History(cast(RestApi, told)).archived("2", 0)) == 2 + len(last)
    assert told.asked[:2] == ["", "2023-11-19T18:00:01+00:00"]
