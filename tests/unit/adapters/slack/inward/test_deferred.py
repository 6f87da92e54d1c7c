"""Deferred input: in order within its thread, and nothing waits for ever behind what cannot be done."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from adapters.slack.inward.deferred import Deferred
from adapters.slack.wire.shape import GarbledError
from bridge.errors import KakehashiError
from bridge.networks import deferred
from bridge.ports import Store, Unplaced
from routing.ids import InputKey, NetworkName, ThreadRef


class Kept:
    """What is kept, by key."""

    def __init__(self) -> None:
        self.inputs: dict[InputKey, Unplaced] = {}

    async def now(self) -> int:
        return 1_000

    async def keep_unplaced(self, network: NetworkName, unplaced: Unplaced) -> None:
        self.inputs[unplaced.key] = unplaced

    async def drop_unplaced(self, network: NetworkName, unplaced: Unplaced) -> None:
        self.inputs.pop(unplaced.key)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "PAUSES", (0.0,))


def told(name: str) -> Unplaced:
    return Unplaced(InputKey(name), ThreadRef("T:C:1"), {}, 1_000)


async def carried_out(error: Exception, fails: int) -> tuple[list[str], Kept]:
    """Two inputs of one thread; the first one fails so often."""
    kept, done, failed = Kept(), list[str](), [error] * fails

    async def work(unplaced: Unplaced) -> None:
        if unplaced.key == "first" and failed:
            raise failed.pop()
        done.append(unplaced.key)

    line = Deferred(cast(Store, kept), work)
    await line.keep(told("first"))
    await line.keep(told("second"))
    async with asyncio.timeout(60):
        await asyncio.gather(*line._workers.values())
    assert not line.holds(ThreadRef("T:C:1"))
    return done, kept


async def test_what_nothing_can_store_is_refused() -> None:
    class Strict(Kept):
        async def keep_unplaced(self, network: NetworkName, unplaced: Unplaced) -> None:
            raise TypeError("str is not valid UTF-8: surrogates not allowed")

    with pytest.raises(GarbledError):
        await Deferred(cast(Store, Strict()), asyncio.sleep).keep(told("first"))  # type: ignore[arg-type]


async def test_words_wait_for_earlier_ones_while_somebody_is_away() -> None:
    done, kept = await carried_out(KakehashiError("away"), 20)
    assert done == ["first", "second"]
    assert not kept.inputs


async def test_what_breaks_again_and_again_holds_nothing_up_and_is_kept() -> None:
    done, kept = await carried_out(KeyError("nobody foresaw this"), 1_000)
    assert done == ["second"]
    assert list(kept.inputs) == ["first"]
