"""Who is on call: shifts as people write them, as plain shifts of time.

A rota says it in one of three ways: by shifts of the week, by turns that go round, or by an iCalendar that is kept
elsewhere. Over any of them go overrides, for the week in which somebody is ill.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from config.calendars import (
    DAY,
    DAYS,
    HoursRef,
    Spans,
    Window,
    Zone,
    days_of,
    instant,
    moment,
    wall_instant,
)
from config.settings import Section
from config.values import Seconds, wrong
from routing.hours import Hours
from routing.ids import OperatorId
from routing.policy import Rota, Shift

_DAY_SECONDS = 86_400


def _wall_time(value: Any) -> Any:
    """`2026-12-31T18:00:00` or `"2026-12-31 18:00"`: what a clock on the wall shows in the rota's time zone."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime) or value.tzinfo is not None:
        raise wrong("this is no date and time of the rota's own zone", 'write it as in "2026-12-31 18:00"')
    return value


def _day_range(value: Any) -> Any:
    if not isinstance(value, str) or not days_of(value):
        raise wrong("these are no days", f"write mon-fri, daily, or one of {', '.join(DAYS)}")
    return value


WallTime = Annotated[datetime, BeforeValidator(_wall_time)]
DayRange = Annotated[str, BeforeValidator(_day_range)]


class ShiftTable(Section):
    """One line of a week's rota."""

    operator: str = Field(description="who is on call: an id of [operators], or of `kakehashi operators list --json`")
    days: DayRange = Field(default="daily", description="the days on which it begins: mon, mon-fri, daily")
    hours: Spans = Field(default="00:00-24:00", validate_default=True, description='such as "18:00-09:00"')


class OverrideTable(Section):
    """An exception: who stands in, from when until when."""

    operator: str = Field(description="who is on call instead")
    start: WallTime = Field(description="from this date and time of the rota's zone")
    end: WallTime = Field(description="until then")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end <= self.start:
            raise wrong("it ends before it begins", "write the earlier time first", "end")
        return self


class RotaTable(Section):
    """Who is on call, by `shifts`, by `turns`, or by a `calendar`."""

    timezone: Zone = Field(description="the time zone that its times are meant in")
    shifts: tuple[ShiftTable, ...] = Field(default=(), description="lines of a week, the same every week")
    turns: tuple[str, ...] = Field(
        default=(), description="operators who take it in turns, in this order, round and round"
    )
    turn: Seconds = Field(default=7 * _DAY_SECONDS, gt=0, description="how long a turn is, in whole days")
    since: WallTime | None = Field(
        default=None, description="when the first one's turn began; hand-over is at that time"
    )
    calendar: str | None = Field(default=None, min_length=1, description="an iCalendar's address, or its file's path")
    overrides: tuple[OverrideTable, ...] = Field(default=(), description="exceptions; they go before all else")
    hours: HoursRef | None = Field(default=None, description="when somebody must be on call; always when unset")

    @property
    def feed(self) -> str | None:
        """The calendar's address, where it is on the web."""
        address = (self.calendar or "").replace("webcal://", "https://", 1)
        return address if address.startswith(("https://", "http://")) else None

    @property
    def people(self) -> Iterator[tuple[str, str]]:
        """(key within the table, operator) for everybody that it names."""
        yield from ((f"shifts.{place}.operator", one.operator) for place, one in enumerate(self.shifts))
        yield from ((f"turns.{place}", one) for place, one in enumerate(self.turns))
        yield from ((f"overrides.{place}.operator", one.operator) for place, one in enumerate(self.overrides))

    @model_validator(mode="after")
    def _check(self) -> Self:
        ways = [name for name in ("shifts", "turns", "calendar") if getattr(self, name)]
        if len(ways) != 1:
            what = "it says in two ways who is on call" if ways else "it does not say who is on call"
            raise wrong(what, "write one of shifts, turns and calendar", ways[1] if ways else "")
        if self.turns and self.since is None:
            raise wrong("turns need to know when the first one's began", 'write it as in "2026-01-05 09:00"', "since")
        if self.turn % _DAY_SECONDS:
            raise wrong("a turn lasts whole days", 'write it as in "7d"', "turn")
        return self


# ------------------------------------------------------------------ what becomes of it


def expand(written: RotaTable, window: Window, booked: Sequence[Shift] = ()) -> Rota:
    """The shifts in the window. `booked` are those of the rota's calendar, where it has one."""
    zone = ZoneInfo(written.timezone)
    found = [*_weekly(written, window, zone), *_turns(written, window, zone), *booked]
    first, last = instant(window.first, 0, zone), instant(window.last + DAY, 0, zone)
    overrides = _in_order(
        _shift(one.operator, wall_instant(one.start, zone), wall_instant(one.end, zone)) for one in written.overrides
    )
    shifts = _in_order([*overrides, *(part for one in _in_order(found) for part in _parts_outside(one, overrides))])
    return Rota(tuple(_one_after_another(one for one in shifts if one.end > first and one.start < last)))


def _weekly(written: RotaTable, window: Window, zone: ZoneInfo) -> Iterator[Shift]:
    for line in written.shifts:
        days = days_of(line.days)
        for day in window.days():
            if day.weekday() in days:
                for begin, end in line.hours:
                    yield _shift(line.operator, instant(day, begin, zone), instant(day, end, zone))


def _turns(written: RotaTable, window: Window, zone: ZoneInfo) -> Iterator[Shift]:
    """Turn by turn from the one that runs into the window. Before the first there is none."""
    if written.since is None or not written.turns:
        return
    length = timedelta(seconds=written.turn)
    number = max(0, (datetime.combine(window.first, written.since.time()) - written.since) // length)
    begin = written.since + number * length
    while begin.date() <= window.last + DAY:
        operator = written.turns[number % len(written.turns)]
        yield _shift(operator, wall_instant(begin, zone), wall_instant(begin + length, zone))
        begin, number = begin + length, number + 1


def _shift(operator: str, start: int, end: int) -> Shift:
    return Shift(start, end, OperatorId(operator))


def _in_order(shifts: Iterable[Shift]) -> list[Shift]:
    """Sorted; of two that overlap the earlier one keeps the time."""
    found: list[Shift] = []
    for shift in sorted(shifts, key=_order):
        free = max(shift.start, found[-1].end) if found else shift.start
        if free < shift.end:
            found.append(Shift(free, shift.end, shift.operator))
    return found


def _order(shift: Shift) -> tuple[int, int]:
    return shift.start, shift.end


def _parts_outside(shift: Shift, others: Sequence[Shift]) -> list[Shift]:
    """What of a shift no other covers."""
    parts = [shift]
    for other in others:
        pieces = [
            piece
            for part in parts
            for piece in (
                Shift(part.start, min(part.end, other.start), part.operator),
                Shift(max(part.start, other.end), part.end, part.operator),
            )
        ]
        parts = [piece for piece in pieces if piece.start < piece.end]
    return parts


def _one_after_another(shifts: Iterable[Shift]) -> list[Shift]:
    """Two shifts of one operator without a gap are one: nothing is handed over between them."""
    found: list[Shift] = []
    for shift in shifts:
        if found and found[-1].end == shift.start and found[-1].operator == shift.operator:
            found[-1] = Shift(found[-1].start, shift.end, shift.operator)
        else:
            found.append(shift)
    return found


# ------------------------------------------------------------------ what is said of it


def holes(rota: Rota, needed: Hours, start: int, end: int) -> list[tuple[int, int]]:
    """When nobody is on call between `start` and `end` (ms since 1970, UTC) though somebody must be."""
    wanted = (
        [(start, end)] if needed.spans is None else [one for one in needed.spans if one[1] > start and one[0] < end]
    )
    gaps: list[tuple[int, int]] = []
    for begin, stop in wanted:
        gaps += _gaps(rota, max(begin, start), min(stop, end))
    return gaps


def _gaps(rota: Rota, at: int, end: int) -> Iterator[tuple[int, int]]:
    while at < end:
        change = rota.changes_after(at)
        until = end if change is None else min(change, end)
        if rota.on_call(at) is None:
            yield at, until
        at = until


def doubly_booked(written: RotaTable, week: Window) -> str | None:
    """The first moment of the week at which two lines of the rota name two operators, for people to read."""
    zone = ZoneInfo(written.timezone)
    shifts = sorted(_weekly(written, week, zone), key=_order)
    for earlier, later in pairwise(shifts):
        if later.start < earlier.end and later.operator != earlier.operator:
            at = moment(later.start).astimezone(zone)
            return f"{DAYS[at.weekday()]} {at:%H:%M}: {earlier.operator} and {later.operator}"
    return None
