"""Pacing: tokens in batches, the urgent first, and a time to come back for those who would wait too long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from adapters.slack.client import TOTAL
from adapters.slack.pacing import PATIENCE, Bucket, Pacing, Rate, Urgency
from bridge.errors import DeliveryError, Fault, StoreUnavailableError
from bridge.ports import Store
from config.settings import SlackRates


class Tokens:
    """The store's buckets: as many tokens as a test puts in."""

    def __init__(self, tokens: int = 0) -> None:
        self.tokens = tokens
        self.draws: list[tuple[str, int]] = []
        self.pauses: dict[str, int] = {}
        self.down = False
        self.drawn = asyncio.Event()

    async def draw(self, bucket: str, wanted: int, rate: float, burst: int) -> tuple[int, int]:
        self.draws.append((bucket, wanted))
        self.drawn.set()
        if self.down:
            raise StoreUnavailableError("down")
        given = min(wanted, self.tokens)
        self.tokens -= given
        return given, 0 if self.tokens else 5

    async def pause(self, bucket: str, until: int) -> None:
        self.pauses[bucket] = until

    async def now(self) -> int:
        return 1_000


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
async def bucket(tokens: Tokens) -> AsyncIterator[Bucket]:
    made = Bucket(cast(Store, tokens), "slack/T1/C1", Rate(1.0, 3))
    yield made
    made.close()


async def test_a_fast_bucket_is_drawn_from_once_for_many_posts(tokens: Tokens) -> None:
    tokens.tokens = 10_000
    fast = Bucket(cast(Store, tokens), "b", Rate(1_000.0, 1_000))
    for _ in range(200):
        await fast.take(Urgency.WORDS, 1.0)
    assert len(tokens.draws) < 10


async def test_waiting_together_costs_one_draw(tokens: Tokens, bucket: Bucket) -> None:
    tokens.tokens = 3
    await asyncio.gather(*(bucket.take(Urgency.WORDS, 1.0) for _ in range(3)))
    assert tokens.draws == [("slack/T1/C1", 3)]


async def test_customers_words_go_before_lines_and_lines_before_cards(tokens: Tokens, bucket: Bucket) -> None:
    order = (Urgency.CARD, Urgency.LINE, Urgency.WORDS)
    waiting = {urgency: asyncio.ensure_future(bucket.take(urgency, 5.0)) for urgency in order}
    await tokens.drawn.wait()
    for urgency in sorted(order):
        tokens.tokens = 1
        done, left = await asyncio.wait(waiting.values(), return_when=asyncio.FIRST_COMPLETED)
        assert done == {waiting.pop(urgency)}
        assert len(left) == len(waiting)


async def test_who_would_wait_too_long_is_told_when_to_come_back_each_at_a_time_of_their_own(bucket: Bucket) -> None:
    times = []
    for _ in range(3):
        with pytest.raises(DeliveryError) as raised:
            await bucket.take(Urgency.WORDS, 0.0)
        assert (raised.value.fault, raised.value.code) == (Fault.TRANSIENT, "paced")
        times.append(raised.value.retry_after or 0.0)
    assert times == sorted(times)
    assert times[2] - times[0] > 1.9


async def test_slacks_own_word_to_wait_shuts_the_bucket_at_once(tokens: Tokens) -> None:
    tokens.tokens = 100
    all_of_them = Pacing(cast(Store, tokens), SlackRates())
    all_of_them.team = "T1"
    await all_of_them.admit("chat.postMessage", "C1", Urgency.WORDS)
    await all_of_them.pause("chat.postMessage", "C1", 30.0)
    assert tokens.pauses == {"slack/T1/C1": 31_000}
    with pytest.raises(DeliveryError) as raised:
        await all_of_them.admit("chat.postMessage", "C1", Urgency.WORDS)
    assert (raised.value.retry_after or 0) > 29
    await all_of_them.admit("chat.postMessage", "C2", Urgency.WORDS)
    await all_of_them.admit("chat.update", "C1", Urgency.CARD)
    all_of_them.close()


async def test_each_method_has_the_bucket_of_its_tier_and_posts_have_two(tokens: Tokens) -> None:
    tokens.tokens = 100
    all_of_them = Pacing(cast(Store, tokens), SlackRates())
    all_of_them.team = "T1"
    await all_of_them.admit("chat.postMessage", "C1", Urgency.WORDS)
    await all_of_them.admit("chat.update", "C1", Urgency.WORDS)
    await all_of_them.admit("auth.test", "", Urgency.WORDS)
    assert [name for name, _ in tokens.draws] == ["slack/T1/C1", "slack/T1/chat.postMessage", "slack/T1/chat.update"]
    all_of_them.close()


async def test_a_store_that_is_down_is_said_and_nothing_was_sent(tokens: Tokens, bucket: Bucket) -> None:
    tokens.down = True
    with pytest.raises(DeliveryError) as raised:
        await bucket.take(Urgency.WORDS, 1.0)
    assert (raised.value.fault, raised.value.code) == (Fault.TRANSIENT, "store_unavailable")


async def test_a_token_that_comes_too_late_is_not_lost(tokens: Tokens, bucket: Bucket) -> None:
    waiting = asyncio.ensure_future(bucket.take(Urgency.WORDS, 5.0))
    await tokens.drawn.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    tokens.tokens = 1
    await bucket.take(Urgency.WORDS, 5.0)


def test_waiting_for_both_of_a_posts_buckets_leaves_time_for_the_call() -> None:
    assert 2 * PATIENCE + TOTAL / 2 <= TOTAL
