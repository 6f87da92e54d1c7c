"""Who is on: takes new sessions now. From what an operator said, their schedule, and where they were seen.

An operator is *on* or not, in this order:

1. What they said last counts: on, away (a break) or off (gone for today). With a schedule it counts until the
   schedule's next change, so nobody stays away for ever because of one lunch.
2. Their schedule (`OperatorProfile.hours`), if they have one.
3. Where they are polled, whether their network shows them as active: until `SEEN_FOR` after the last look.
4. Else they are not on: who never said anything is asked for nothing.

"On" that was *said* lapses after `lapse_after` without an act of theirs (a reply, a press, a key on the desk page). A
page that is merely open is no act, so nobody is on for ever because of a tab that was left open; their next act makes
them on again.

Who is not on any more *hands back* what they hold, so that it goes to somebody who is: off at once, away (and after a
lapse, or at the end of a shift) after `GRACE` without an act. Acting puts it off again: who answers from the train
keeps their sessions, and is asked for no new ones.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from enum import StrEnum

from routing.hours import Hours
from routing.policy import MINUTE

LAPSE_AFTER = 60 * MINUTE
GRACE = 15 * MINUTE
SEEN_FOR = 10 * MINUTE


class Choice(StrEnum):
    """What an operator says of themselves."""

    ON = "on"
    AWAY = "away"
    OFF = "off"


class Because(StrEnum):
    """What makes an operator on, or not."""

    SAID = "said"
    SCHEDULE = "schedule"
    SEEN = "seen"
    LAPSED = "lapsed"
    NOTHING = "nothing"  # nothing is known of them


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of an operator. Times are ms since 1970 (UTC), 0 for never."""

    choice: Choice | None = None
    chosen_at: int = 0
    acted_at: int = 0
    active: bool | None = None  # as their network showed them; None: nobody has looked
    looked_at: int = 0
    active_since: int = 0  # since when `active` has been so


@dataclass(frozen=True, slots=True)
class Standing:
    """`since` when, when (if at all) they hand back what they hold, and `until` when it stays so if they do nothing,
    where that is known: all ms since 1970 (UTC)."""

    on: bool
    because: Because
    since: int = 0
    hands_back_at: int | None = None
    until: int | None = None


def standing(signs: Signs, hours: Hours | None, now: int, lapse_after: int = LAPSE_AFTER) -> Standing:
    """How an operator stands now. `hours` is their schedule, None where they have none."""
    if signs.choice is not None and signs.chosen_at >= _last_change(hours, now):
        return _bounded(_said(signs, signs.choice, now, lapse_after), hours, now)
    if hours is not None:
        return _scheduled(signs, hours, now)
    if signs.active is not None and now - signs.looked_at < SEEN_FOR:
        return _in_or_out(signs, signs.active, Because.SEEN, signs.active_since)
    return Standing(False, Because.NOTHING)


def _said(signs: Signs, choice: Choice, now: int, lapse_after: int) -> Standing:
    if choice is Choice.OFF:
        later = signs.acted_at > signs.chosen_at
        return Standing(False, Because.SAID, signs.chosen_at, signs.acted_at + GRACE if later else signs.chosen_at)
    if choice is Choice.AWAY:
        return _in_or_out(signs, False, Because.SAID, signs.chosen_at)
    lapses = max(signs.chosen_at, signs.acted_at) + lapse_after
    if lapses <= now:
        return _in_or_out(signs, False, Because.LAPSED, lapses)
    return Standing(True, Because.SAID, signs.chosen_at, until=lapses)


def _scheduled(signs: Signs, hours: Hours, now: int) -> Standing:
    changed, on = _last_change(hours, now), hours.open_at(now)
    if not on and not changed:
        here = Standing(False, Because.SCHEDULE)  # their first shift is still to come
    else:
        here = _in_or_out(signs, on, Because.SCHEDULE, changed)
    return _bounded(here, hours, now)


def _bounded(here: Standing, hours: Hours | None, now: int) -> Standing:
    """Whatever holds, the schedule's next change ends it."""
    change = None if hours is None else hours.closes_after(now) if hours.open_at(now) else hours.opens_after(now)
    ends = [at for at in (here.until, change) if at is not None]
    return replace(here, until=min(ends, default=None))


def _in_or_out(signs: Signs, on: bool, because: Because, since: int) -> Standing:
    return Standing(on, because, since, None if on else max(since, signs.acted_at) + GRACE)


def _last_change(hours: Hours | None, now: int) -> int:
    """When the schedule last went on or off; 0 where there is none, or it has not begun."""
    if hours is None or hours.spans is None:
        return 0
    place = bisect_right(hours.spans, now, key=lambda span: span[0]) - 1
    if place < 0:
        return 0
    start, end = hours.spans[place]
    return end if end <= now else start
