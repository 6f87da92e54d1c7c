"""An honest wait: a range from what the last hour's sessions really took, or "we cannot tell".

A line moves on when somebody is done with a session. With `slots` sessions being handled side by side, the place in
front of you is free after about one handling time divided by the slots. Handling times differ widely, so this is a
range: the quick quarter's and the slow quarter's, the average always within it (a few very long ones make the average
longer than most, and a line has to wait for those, too).

    20 sessions took from 4 to 12 minutes (quarters at 5 and 9, on average 7), 3 are handled side by side:
    third in line: 3 × 5 / 3 = 5 to 3 × 9 / 3 = 9 minutes → "5–10 minutes"

Minutes are rounded outwards, to numbers that people use. Where too few sessions were handled (`Desk.estimate_from`),
where nobody is on, and beyond four hours, we cannot tell, and say so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

from routing.inputs import Outcome
from routing.policy import MINUTE
from routing.session import Session

SPOKEN = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
"""Minutes as people say them."""

WINDOW = 60 * MINUTE
"""What is older says little of now."""


COUNTED = (Outcome.SOLVED, Outcome.UNSOLVED, Outcome.ENDED)
"""Ends that say how long a conversation took. Silence is the customer's own time, and spam nobody's."""


def handling(session: Session) -> tuple[int, int] | None:
    """When a session was done and how long it had been in somebody's hands, both in ms; None while it is not, and
    where that says nothing of the next one."""
    done = session.resolved_at or session.closed_at
    if done is None or session.assigned_at is None or session.reopenings or session.outcome not in COUNTED:
        return None
    took = done - session.assigned_at
    return (done, took) if took > 0 else None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a desk's line moves: ms for each place, when it goes quickly and when it goes slowly.

    `free`: so many at the head of the line need not wait for anybody to be done, since there is room for them.
    """

    quick: int
    slow: int
    free: int = 0


def pace(handled: Sequence[int], slots: int, *, least: int, free: int = 0) -> Pace | None:
    """From handling times in ms, and how many sessions are handled side by side. None: we cannot tell."""
    if len(handled) < max(2, least) or slots < 1:
        return None
    lower, _, upper = quantiles(handled, n=4, method="inclusive")
    mean = fmean(handled)
    return Pace(int(min(lower, mean) / slots), int(max(upper, mean) / slots), free)


def minutes(position: int, pace: Pace | None) -> tuple[int, int] | None:
    """The range for whoever stands at `position` (from 1), in whole minutes. None: we cannot tell."""
    if pace is None:
        return None
    turns = max(0, position - pace.free)
    return spoken(turns * pace.quick, turns * pace.slow)


def spoken(low: int, high: int) -> tuple[int, int] | None:
    """A range in ms as people say it, rounded outwards; None when it is longer than anybody should be told."""
    below = max(1, bisect_right(SPOKEN, low / MINUTE)) - 1
    above = max(below + 1, bisect_left(SPOKEN, high / MINUTE))
    return (SPOKEN[below], SPOKEN[above]) if above < len(SPOKEN) else None
