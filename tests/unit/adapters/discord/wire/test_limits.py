"""Buckets as the headers tell of them; what all processes share is drawn from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from adapters.discord.wire import limits as module
from adapters.discord.wire.limits import EVERY, INVALID, Limits, urgent
from bridge.errors import DeliveryError, Fault, StoreUnavailableError
from bridge.networks.pacing import Urgency
from bridge.ports import Store

ONE, OTHER = "/channels/100000000000000001/messages", "/channels/100000000000000002/messages"


@dataclass
class Drawn:
    """A store with nothing but buckets."""

    empty: set[str] = field(default_factory=set)
    paused: list[tuple[str, int]] = field(default_factory=list)
    away: bool = False

    async def draw(
        self,
        bucket: str,
        wanted: int,
        rate: float,
        burst: int,
        rank: int | None = None,
        most: tuple[int, int] | None = None,
    ) -> tuple[int, int]:
        assert (rank is None) == (bucket == INVALID), "who waits has a place in line"
        if self.away:
            raise StoreUnavailableError("away")
        return (0, 2_000) if bucket in self.empty else (wanted, 0)

    async def pause(self, bucket: str, until: int) -> None:
        self.paused.append((bucket, until))

    async def now(self) -> int:
        return 1_000_000


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def made() -> tuple[Limits, Drawn, Clock]:
    store, clock = Drawn(), Clock()
    return Limits(cast(Store, store), clock), store, clock


def told(left: int, after: float = 5.0) -> dict[str, Any]:
    said = {"Limit": "5", "Remaining": str(left), "Reset-After": str(after)}
    return {"X-RateLimit-Bucket": "b"} | {f"X-RateLimit-{name}": value for name, value in said.items()}


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """But for the store's tokens: the clock stands still."""
    monkeypatch.setattr(module, "LOOKED_AT", 10.0)
    with urgent(Urgency.WORDS, 0.2):
        yield


async def test_an_empty_bucket_puts_off_until_it_fills_again() -> None:
    limits, _store, clock = made()
    limits.learn("POST", ONE, told(0, 5.0))
    with pytest.raises(DeliveryError) as raised:
        await limits.admit("POST", ONE)
    assert raised.value.fault is Fault.TRANSIENT
    assert raised.value.retry_after == pytest.approx(5.0)
    clock.now += 5.1
    await limits.admit("POST", ONE)


async def test_what_is_left_is_not_given_twice_to_calls_under_way() -> None:
    limits, _store, _clock = made()
    limits.learn("POST", ONE, told(2))
    await limits.admit("POST", ONE)
    await limits.admit("POST", ONE)
    with pytest.raises(DeliveryError):
        await limits.admit("POST", ONE)


async def test_one_threads_bucket_holds_up_no_other() -> None:
    limits, _store, _clock = made()
    limits.learn("POST", ONE, told(0))
    await limits.admit("POST", OTHER)


async def test_messages_of_one_channel_share_a_bucket_however_they_are_numbered() -> None:
    limits, _store, _clock = made()
    limits.learn("PATCH", f"{ONE}/200000000000000001", told(0))
    with pytest.raises(DeliveryError):
        await limits.admit("PATCH", f"{ONE}/200000000000000002")


async def test_all_reactions_of_a_channel_stand_apart_whatever_headers_say() -> None:
    limits, _store, clock = made()
    sign = f"{ONE}/100000000000000003/reactions/%F0%9F%91%8D/@me"
    await limits.admit("PUT", sign)
    limits.learn("PUT", sign, told(4))
    with pytest.raises(DeliveryError) as raised:
        await limits.admit("DELETE", sign.replace("8D", "80"))
    assert raised.value.retry_after == pytest.approx(0.25)
    await limits.admit("PUT", sign.replace(ONE, OTHER))
    clock.now += 0.26
    await limits.admit("DELETE", sign)


async def test_a_refusal_for_everything_pauses_all_processes() -> None:
    limits, store, _clock = made()
    await limits.refused("POST", ONE, 7.0, everywhere=True)
    assert store.paused == [(EVERY, 1_007_000)]


async def test_too_many_invalid_answers_pause_everything_long_before_discord_does() -> None:
    limits, store, _clock = made()
    await limits.count_invalid()
    assert not store.paused
    store.empty.add(INVALID)
    await limits.count_invalid()
    assert [bucket for bucket, _until in store.paused] == [EVERY]


async def test_without_the_store_nothing_is_called() -> None:
    limits, store, _clock = made()
    store.away = True
    with pytest.raises(DeliveryError) as raised:
        await limits.admit("GET", ONE)
    assert raised.value.fault is Fault.TRANSIENT


async def test_of_a_route_that_was_never_called_one_call_finds_out_for_all() -> None:
    limits, _store, clock = made()
    await limits.admit("POST", ONE)
    with pytest.raises(DeliveryError):
        await limits.admit("POST", ONE)
    limits.learn("POST", ONE, told(4))
    for _ in range(4):
        await limits.admit("POST", ONE)
    with pytest.raises(DeliveryError):
        await limits.admit("POST", ONE)
    clock.now += 5.1
    for _ in range(5):  # and what it holds is known by now, in every channel
        await limits.admit("POST", ONE)
        await limits.admit("POST", OTHER)
    with pytest.raises(DeliveryError):
        await limits.admit("POST", OTHER)


async def test_a_route_without_a_bucket_holds_nobody_up() -> None:
    limits, _store, _clock = made()
    await limits.admit("GET", "/gateway/bot")
    limits.learn("GET", "/gateway/bot", {})
    for _ in range(20):
        await limits.admit("GET", "/gateway/bot")


async def test_a_turn_is_kept_for_its_call_and_for_no_longer_than_a_moment() -> None:
    limits, _store, clock = made()
    for waited in (0.1, module.HELD + 0.1):
        await limits.hold("POST", ONE, Urgency.WORDS, 0)
        limits.learn("POST", ONE, told(0, 60.0))
        clock.now += waited
        with pytest.raises(DeliveryError) if waited > module.HELD else nullcontext():
            await limits.admit("POST", ONE)
        with pytest.raises(DeliveryError):
            await limits.admit("POST", ONE)
        clock.now += 60.0


async def test_a_crowd_that_waits_for_one_channel_takes_no_more_than_it_has() -> None:
    limits, _store, _clock = made()
    limits.learn("POST", ONE, told(2, 60.0))
    crowd = [asyncio.create_task(limits.hold("POST", ONE, Urgency.FIRST, 0)) for _ in range(5)]
    await asyncio.gather(*crowd[:2])
    for _ in range(20):
        await asyncio.sleep(0)
    assert [one.done() for one in crowd] == [True, True, False, False, False]
    for one in crowd[2:]:
        one.cancel()
    limits.close()


async def test_turns_that_were_kept_for_a_while_are_not_all_called_at_once() -> None:
    limits, _store, clock = made()
    limits.learn("GET", "/gateway/bot", {})
    for _ in range(module.EVERY_MOST):
        await limits.admit("GET", "/gateway/bot")
    late = asyncio.create_task(limits.admit("GET", "/gateway/bot"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not late.done()
    late.cancel()
    clock.now += 2 * module.A_SECOND
    await limits.admit("GET", "/gateway/bot")
