"""Business time: when somebody is there, as plain spans of time.

Calendars, time zones and holidays stay outside: `config` expands them into spans, once a day, for a year ahead. What
is asked here is arithmetic on a sorted list, so a policy's answer can be worked out by hand.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hours:
    """When a desk, a topic or an operator is on. All times are ms since 1970 (UTC).

    `spans` are (from, to), half-open, sorted, with a gap between any two. None means always.
    """

    spans: tuple[tuple[int, int], ...] | None = None

    def open_at(self, at: int) -> bool:
        return self.spans is None or self._span(at) is not None

    def opens_after(self, at: int) -> int | None:
        """The next moment of being open, `at` itself when it is; None when the calendar names none."""
        if self.open_at(at):
            return at
        following = bisect_right(self.spans or (), at, key=_begin)
        return self.spans[following][0] if self.spans and following < len(self.spans) else None

    def closes_after(self, at: int) -> int | None:
        """The end of the span that holds `at`; None outside of spans, and where there is no end."""
        span = self._span(at)
        return None if span is None else span[1]

    def between(self, start: int, end: int) -> int:
        """How many ms of [start, end) are open."""
        if self.spans is None:
            return max(0, end - start)
        first = max(0, bisect_right(self.spans, start, key=_begin) - 1)
        total = 0
        for begin, stop in self.spans[first:]:
            if begin >= end:
                break
            total += max(0, min(stop, end) - max(begin, start))
        return total

    def after(self, start: int, ms: int) -> int | None:
        """When `ms` of open time have passed since `start`; None when the calendar ends before."""
        if self.spans is None:
            return start + ms
        first = max(0, bisect_right(self.spans, start, key=_begin) - 1)
        for begin, stop in self.spans[first:]:
            here = stop - max(begin, start)
            if here <= 0:
                continue
            if ms <= here:
                return max(begin, start) + ms
            ms -= here
        return None

    def _span(self, at: int) -> tuple[int, int] | None:
        spans = self.spans or ()
        place = bisect_right(spans, at, key=_begin) - 1
        return spans[place] if place >= 0 and at < spans[place][1] else None


ALWAYS = Hours()

TRIED = 100
"""Openings that are looked at until two calendars are open together: months of days."""


def opens_together(one: Hours, other: Hours, at: int) -> int | None:
    """The next moment at which both are open, `at` itself when they are now; None when the calendars name none."""
    moment: int | None = at
    for _ in range(TRIED):
        first = one.opens_after(moment) if moment is not None else None
        moment = other.opens_after(first) if first is not None else None
        if moment is None or moment == first:
            return moment
    return None


def _begin(span: tuple[int, int]) -> int:
    return span[0]
