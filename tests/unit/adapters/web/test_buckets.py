"""Token buckets: bursts, refill, and a memory that a scan cannot fill."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.web.buckets import Addresses, Bucket


def test_a_burst_then_the_rate() -> None:
    bucket = Bucket()
    assert [bucket.draw(0.0, 2.0, 3) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert bucket.draw(0.5, 2.0, 3) == 0.0
    assert bucket.draw(0.5, 2.0, 3) == 0.5


@given(st.lists(st.floats(0, 10), max_size=200))
def test_never_more_than_the_burst_and_the_rate_allow(pauses: list[float]) -> None:
    bucket, now, drawn = Bucket(), 0.0, 0
    for pause in pauses:
        now += pause
        drawn += bucket.draw(now, 1.5, 4) == 0.0
    assert drawn <= 4 + now * 1.5 + 1e-6


def test_addresses_are_forgotten_oldest_first() -> None:
    addresses = Addresses(1, remembered=2)
    for name in ("a", "b", "c"):
        assert addresses.enter(name, 0.0) == 0.0
        addresses.leave(name)
    assert addresses.enter("c", 0.0) > 0  # still remembered
    assert addresses.enter("a", 0.0) == 0.0


def test_a_connection_that_was_not_let_in_does_not_count() -> None:
    addresses = Addresses(2)
    assert [addresses.enter("a", 0.0) > 0 for _ in range(4)] == [False, False, True, True]
    addresses.leave("a")
    addresses.leave("a")
    assert addresses.enter("a", 60.0) == 0.0
