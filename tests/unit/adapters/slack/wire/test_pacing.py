"""Pacing: tokens in batches, the urgent first, and a time to come back for those who would wait too long."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest

from adapters.slack.wire import pacing
from adapters.slack.wire.client import TOTAL
from adapters.slack.wire.pacing import TIERS, UNPACED, Pacing
from bridge.errors import DeliveryError, Fault, StoreUnavailableError
from bridge.networks import pacing as shared
from bridge.networks.pacing import PATIENCE, Bucket, Rate, Urgency
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

    async def draw(
        self,
        bucket: str,
        wanted: int,
        rate: float,
        burst: int,
        rank: int | None = None,
        most: tuple[int, int] | None = None,
    ) -> tuple[int, int]:
        assert rank is not None, "who waits has a place in line"
        self.draws.append((bucket, wanted))
        self.drawn.set()
        if self.down:
            raise StoreUnavailableError("down")
        given = min(wanted, self.tokens)
        self.tokens -= given
        return given, 0 if self.tokens else 5

    async def pause(self, bucket: str, until: int) -> None:
        if self.down:
            raise StoreUnavailableError("down")
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


async def test_first_messages_go_before_words_and_words_before_lines_and_cards_last(
    tokens: Tokens, bucket: Bucket
) -> None:
    order = (Urgency.CARD, Urgency.LINE, Urgency.WORDS, Urgency.FIRST)
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


async def turns(tokens: Tokens, bucket: Bucket, *waiting: tuple[Urgency, int]) -> list[int]:
    """In which order those who have waited since so many ms get their tokens, which come one by one."""
    order: list[int] = []

    async def one(place: int, urgency: Urgency, since: int) -> None:
        await bucket.wait(bucket.queue(urgency, since, None), None)
        order.append(place)

    tasks = [asyncio.ensure_future(one(place, *told)) for place, told in enumerate(waiting)]
    await tokens.drawn.wait()
    while len(order) < len(tasks):
        if not tokens.tokens:
            tokens.tokens = 1
        await asyncio.sleep(0)
    return order


async def test_of_equals_who_has_waited_longest_is_first(tokens: Tokens, bucket: Bucket) -> None:
    waiting = [(Urgency.WORDS, 900_000), (Urgency.WORDS, 100_000), (Urgency.WORDS, 500_000)]
    assert await turns(tokens, bucket, *waiting) == [1, 2, 0]


async def test_nobody_waits_for_ever(tokens: Tokens, bucket: Bucket) -> None:
    """What has waited longer than the other's head start goes first, whatever it is: words may stand behind a line."""
    waiting = [(Urgency.WORDS, 900_000), (Urgency.LINE, 894_000), (Urgency.CARD, 891_000), (Urgency.CARD, 889_000)]
    assert await turns(tokens, bucket, *waiting) == [1, 3, 0, 2]


async def test_a_first_message_is_not_sent_away_by_those_who_wait_behind_it(tokens: Tokens, bucket: Bucket) -> None:
    crowd = [asyncio.ensure_future(bucket.wait(bucket.queue(Urgency.WORDS, 1_000, None), None)) for _ in range(50)]
    first = asyncio.ensure_future(bucket.take(Urgency.FIRST, 2.0))
    await tokens.drawn.wait()
    with pytest.raises(DeliveryError):
        await bucket.take(Urgency.CARD, 2.0)
    tokens.tokens = 1
    await first
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


async def test_a_turn_is_held_for_its_post_and_for_no_other(tokens: Tokens) -> None:
    tokens.tokens = 100
    all_of_them = Pacing(cast(Store, tokens), SlackRates())
    all_of_them.team = "T1"
    assert await all_of_them.hold("e1", "chat.postMessage", "C1", Urgency.WORDS, 1_000) is False
    before = len(tokens.draws)
    tokens.tokens = 0
    await all_of_them.admit("chat.postMessage", "C1", Urgency.WORDS, 0.0, "e1")
    assert len(tokens.draws) == before
    with pytest.raises(DeliveryError):
        await all_of_them.admit("chat.postMessage", "C1", Urgency.WORDS, 0.0, "e1")
    tokens.tokens = 100
    await all_of_them.hold("e2", "chat.postMessage", "C1", Urgency.WORDS, 1_000)
    all_of_them.drop("e2")
    tokens.tokens = 0
    with pytest.raises(DeliveryError):
        await all_of_them.admit("chat.postMessage", "C1", Urgency.WORDS, 0.0, "e2")
    all_of_them.close()


async def test_turns_for_which_nobody_came_are_forgotten(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "HELD", -1.0)
    tokens.tokens = 100
    all_of_them = Pacing(cast(Store, tokens), SlackRates())
    all_of_them.team = "T1"
    for number in range(5):
        await all_of_them.hold(f"e{number}", "chat.postMessage", "C1", Urgency.WORDS, 1_000)
    monkeypatch.setattr(pacing, "HELD", -10.0)
    await all_of_them.admit("chat.postMessage", "C1", Urgency.WORDS)
    assert not all_of_them._held
    all_of_them.close()


async def test_what_slack_said_about_waiting_counts_while_the_store_is_away(tokens: Tokens) -> None:
    tokens.tokens = 100
    all_of_them = Pacing(cast(Store, tokens), SlackRates())
    all_of_them.team = "T1"
    await all_of_them.admit("chat.update", "C1", Urgency.WORDS)
    tokens.down = True
    await all_of_them.pause("chat.update", "C1", 30)
    with pytest.raises(DeliveryError) as raised:
        await all_of_them.admit("chat.update", "C1", Urgency.WORDS)
    assert raised.value.fault is Fault.TRANSIENT
    all_of_them.close()


async def test_nobody_waits_for_ever_behind_a_line_that_broke(
    tokens: Tokens, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> tuple[int, int]:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(tokens, "draw", broken)
    async with asyncio.timeout(60):
        with pytest.raises(DeliveryError):
            await bucket.wait(bucket.queue(Urgency.WORDS, 1_000, None), None)


async def test_a_crowded_channel_takes_nothing_from_the_others(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for its channel holds nothing of what the channels share."""
    shared: list[str] = []

    async def draw(bucket: str, wanted: int, *_args: object) -> tuple[int, int]:
        shared.extend([bucket] * wanted if bucket.endswith("postMessage") else ())
        return (0, 1_000) if bucket.endswith("/C1") else (wanted, 0)

    monkeypatch.setattr(tokens, "draw", draw)
    all_of_them = Pacing(cast(Store, tokens), SlackRates())
    all_of_them.team = "T1"
    crowd = [
        asyncio.ensure_future(all_of_them.hold(f"e{number}", "chat.postMessage", "C1", Urgency.WORDS, number))
        for number in range(50)
    ]
    await asyncio.sleep(0.01)
    assert not shared
    assert await all_of_them.hold("other", "chat.postMessage", "C2", Urgency.WORDS, 1_000) is False
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    all_of_them.close()


async def test_a_channel_is_behind_when_there_is_less_than_was_asked_for(tokens: Tokens) -> None:
    all_of_them = Pacing(cast(Store, tokens), SlackRates())
    all_of_them.team = "T1"
    turn = asyncio.ensure_future(all_of_them.hold("e1", "chat.postMessage", "C1", Urgency.WORDS, 1_000))
    await tokens.drawn.wait()
    tokens.tokens = 2
    assert await turn is True
    tokens.tokens = 2
    assert await all_of_them.hold("e2", "chat.postMessage", "C1", Urgency.WORDS, 1_000) is False
    all_of_them.close()


ADAPTER = Path(__file__).parents[5] / "adapters" / "slack"


def methods() -> Iterator[tuple[str, str]]:
    """Every name of one of Slack's methods that the adapter has in its code."""
    families = "chat|conversations|files|users|usergroups|views|reactions|assistant|auth|apps|team|bots|emoji|pins"
    named = re.compile(rf"({families})\.[a-zA-Z.]+")
    for file in sorted(ADAPTER.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and named.fullmatch(node.value):
                yield file.name, node.value


def test_every_method_that_we_call_is_paced_by_its_tier() -> None:
    known = {*TIERS, *UNPACED, "chat.postMessage"}
    wrong = [one for one in methods() if one[1] not in known]
    assert not wrong, "give it its tier in pacing.TIERS"
    assert ("posts.py", "chat.update") in set(methods())


def test_a_429_without_a_time_is_waited_for_longer_from_one_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(shared, "monotonic", lambda: now[0])
    bucket = Bucket(cast(Store, Tokens()), "method", Rate(1.0, 1))
    waited = []
    for _ in range(7):
        assert bucket.shut(None) == pytest.approx(bucket.shut(None)), "what was under way then does not count"
        waited.append(bucket.shut(None))
        now[0] += waited[-1]
    assert waited == [1, 2, 4, 8, 16, 30, 30]
    assert bucket.shut(120.0) == 120.0, "what Slack names is what counts"
    assert bucket.shut(5.0) == 120.0
    now[0] += 120.0 + shared.FORGIVEN
    assert bucket.shut(None) == 1.0
