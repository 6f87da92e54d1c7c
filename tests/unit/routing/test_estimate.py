"""The wait that customers are told: rounded as people speak, silent below its samples, and right when it speaks."""

from __future__ import annotations

import heapq
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.estimate import SPOKEN, Pace, minutes, pace, spoken
from routing.policy import HOUR, MINUTE

SAMPLES = st.lists(st.integers(1_000, 3 * HOUR), min_size=5, max_size=60)


def test_the_example_in_the_docstring_is_true() -> None:
    handled = [4, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 7, 8, 9, 9, 9, 9, 9, 10, 12]
    found = pace([one * MINUTE for one in handled], 3, least=5)
    assert found == Pace(5 * MINUTE // 3, 9 * MINUTE // 3)
    assert minutes(3, found) == (5, 10)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0, 0, (1, 2)),
        (3 * MINUTE, 5 * MINUTE, (3, 5)),
        (3.9 * MINUTE, 4.1 * MINUTE, (3, 5)),
        (5 * MINUTE, 5 * MINUTE, (5, 7)),
        (11 * MINUTE, 14 * MINUTE, (10, 15)),
        (31 * MINUTE, 41 * MINUTE, (30, 45)),
        (100 * MINUTE, 200 * MINUTE, (90, 240)),
        (100 * MINUTE, 241 * MINUTE, None),
    ],
)
def test_minutes_are_rounded_outwards_to_numbers_that_people_use(
    low: float, high: float, said: tuple[int, int] | None
) -> None:
    assert spoken(int(low), int(high)) == said


def test_below_its_samples_and_with_nobody_there_it_cannot_tell() -> None:
    handled = [MINUTE] * 4
    assert pace(handled, 2, least=5) is None
    assert pace([*handled, MINUTE], 0, least=5) is None
    assert pace([*handled, MINUTE], 2, least=5) is not None
    assert minutes(1, None) is None


def test_whoever_finds_room_need_not_wait_for_anybody() -> None:
    ready = Pace(10 * MINUTE, 20 * MINUTE, free=2)
    assert [minutes(place, ready) for place in (1, 2, 3, 4)] == [(1, 2), (1, 2), (10, 20), (20, 45)]


@given(SAMPLES, st.integers(1, 20), st.integers(1, 200))
def test_a_range_is_in_order_and_grows_with_the_position(handled: list[int], slots: int, position: int) -> None:
    found = pace(handled, slots, least=5)
    assert found is not None
    here, behind = minutes(position, found), minutes(position + 1, found)
    if here is not None:
        assert here[0] < here[1]
        assert set(here) <= set(SPOKEN)
    if behind is not None:
        assert here is not None
        assert here[0] <= behind[0]
        assert here[1] <= behind[1]


@given(SAMPLES, st.integers(1, 20))
def test_more_people_are_never_slower(handled: list[int], slots: int) -> None:
    few, more = pace(handled, slots, least=5), pace(handled, slots + 1, least=5)
    assert few is not None
    assert more is not None
    assert more.quick <= few.quick
    assert more.slow <= few.slow


@pytest.mark.parametrize("spread", [0.3, 0.6, 1.0])
def test_most_waits_end_within_what_was_said(spread: float) -> None:
    """A desk of eight places on a busy day, with handling times that differ much: at least seven in ten are right."""
    chance = random.Random(7)
    right = told = 0
    for _ in range(200):
        handled = [_handling(chance, spread) for _ in range(40)]
        position = chance.randint(4, 40)
        said = minutes(position, pace(handled, 8, least=5))
        if said is not None:
            told += 1
            wait = _wait(position, 8, chance, spread)
            right += said[0] * MINUTE <= wait <= said[1] * MINUTE
    assert told > 150
    assert right / told >= 0.7, f"{right} of {told}"


def _handling(chance: random.Random, spread: float) -> int:
    """About ten minutes; the spread is a log-normal's."""
    return int(10 * MINUTE * chance.lognormvariate(0, spread))


def _wait(position: int, slots: int, chance: random.Random, spread: float) -> int:
    """How long the customer at this position really waits when all places are taken, in all stages of their talks."""
    free_at = [int(_handling(chance, spread) * chance.random()) for _ in range(slots)]
    heapq.heapify(free_at)
    for _ in range(position - 1):
        heapq.heappush(free_at, heapq.heappop(free_at) + _handling(chance, spread))
    return free_at[0]
