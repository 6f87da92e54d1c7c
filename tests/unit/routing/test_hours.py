"""Business time, against a naive count of every unit of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from routing.hours import ALWAYS, Hours

END = 60

spans = (
    st.lists(st.integers(0, END), unique=True, max_size=10)
    .map(sorted)
    .map(lambda edges: tuple(zip(edges[::2], edges[1::2], strict=False)))
)
moments = st.integers(-5, END + 5)


def opened(hours: Hours) -> list[int]:
    """Every unit that is open."""
    return [unit for begin, end in hours.spans or () for unit in range(begin, end)]


@given(spans.map(Hours), moments)
def test_it_is_open_within_its_spans_only(hours: Hours, at: int) -> None:
    assert hours.open_at(at) is (at in opened(hours))


@given(spans.map(Hours), moments)
def test_it_opens_next_at_the_first_open_moment_from_then_on(hours: Hours, at: int) -> None:
    assert hours.opens_after(at) == next((unit for unit in opened(hours) if unit >= at), None)


@given(spans.map(Hours), moments)
def test_it_closes_at_the_first_moment_that_is_not_open_any_more(hours: Hours, at: int) -> None:
    units = opened(hours)
    expected = next(unit for unit in range(at, END + 7) if unit not in units) if at in units else None
    assert hours.closes_after(at) == expected


@given(spans.map(Hours), moments, moments)
def test_open_time_between_two_moments_is_counted_unit_by_unit(hours: Hours, start: int, end: int) -> None:
    assert hours.between(start, end) == len([unit for unit in opened(hours) if start <= unit < end])


@given(spans.map(Hours), moments, st.integers(1, END))
def test_so_much_open_time_has_passed_when_its_last_unit_is_over(hours: Hours, start: int, ms: int) -> None:
    units = [unit for unit in opened(hours) if unit >= start]
    assert hours.after(start, ms) == (units[ms - 1] + 1 if len(units) >= ms else None)


@given(spans.map(Hours), moments, st.integers(1, END))
def test_what_has_passed_is_what_lies_between(hours: Hours, start: int, ms: int) -> None:
    end = hours.after(start, ms)
    assert end is None or hours.between(start, end) == ms


@given(moments, st.integers(0, END))
def test_around_the_clock_every_unit_counts(start: int, ms: int) -> None:
    assert ALWAYS.open_at(start)
    assert ALWAYS.opens_after(start) == start
    assert ALWAYS.closes_after(start) is None
    assert ALWAYS.after(start, ms) == start + ms
    assert ALWAYS.between(start, start + ms) == ms
    assert ALWAYS.between(start + ms, start) == 0
