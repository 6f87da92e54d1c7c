"""Opening hours as people write them, and as plain spans of time.

`{ timezone = "Asia/Tokyo", mon-fri = "09:00-18:00", holidays = "JP", closed = ["12-31"] }` is what an administrator
reads aloud; `routing.hours.Hours` is what the rules count with. In between stand time zones, summer time and public
holidays, and nothing outside this module knows them.

A span belongs to the day on which it begins: "22:00-06:00" on a Friday ends on Saturday morning, also where that is a
holiday. It is open from the first moment at which the clock on the wall shows its begin until the last one at which it
does not yet show its end. So a change of the clock never makes it shorter than it is written, and a begin or an end
within an hour that is skipped is the moment of the change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from config.settings import Section
from config.values import Several, wrong
from routing.hours import ALWAYS, Hours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS_BACK, DAYS_AHEAD = 35, 400
"""How far spans are worked out around today: resolutions look back, the next opening and a held session ahead."""

DAY = timedelta(days=1)
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MIDNIGHT = 24 * 60
_SPAN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*")
_RANGE = re.compile(r"([\d-]+)\s+to\s+([\d-]+)")
_YEARLY = re.compile(r"\d{2}-\d{2}")
_LEAP_YEAR = "2024-"


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are worked out, both included. A day's spans may reach into the next."""

    first: date
    last: date

    @classmethod
    def around(cls, now: int) -> Window:
        """`now` is ms since 1970 (UTC)."""
        today = moment(now).date()
        return cls(today - DAYS_BACK * DAY, today + DAYS_AHEAD * DAY)

    def days(self) -> Iterator[date]:
        """From a day early to a day late: no zone is farther from UTC."""
        return (self.first + (number - 1) * DAY for number in range((self.last - self.first).days + 3))


# ------------------------------------------------------------------ how it is written


Minutes = tuple[int, int]
"""Of a day: (from, until), `until` beyond 24:00 for a span that ends on the next."""


def _spans(value: Any) -> Any:
    """`"09:00-18:00"`, or a list of such; an empty list is a day that stays closed."""
    if not isinstance(value, str | list | tuple):
        raise wrong("these are no hours", 'write them as in "09:00-18:00", several in a list')
    return tuple(_span(one) for one in ([value] if isinstance(value, str) else value))


def _span(text: Any) -> Minutes:
    match = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise wrong("these are no hours", 'write them as in "09:00-18:00", several in a list')
    begin, end = (int(match[place]) * 60 + int(match[place + 1]) for place in (1, 3))
    if begin >= _MIDNIGHT or end > _MIDNIGHT or int(match[2]) > 59 or int(match[4]) > 59:
        raise wrong("there is no such time of day", "times go from 00:00 to 24:00")
    if begin == end:
        raise wrong("these hours begin and end at once", 'for a whole day write "00:00-24:00"')
    return begin, end if end > begin else end + _MIDNIGHT


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = get_close_matches(name, available_timezones(), n=1, cutoff=0.5)
        raise wrong("this time zone is unknown", f'write it as in "{close[0] if close else "Asia/Tokyo"}"') from None
    return name


def _holidays(code: str) -> str:
    from holidays import list_supported_countries, list_supported_financial  # 0.6 s that most start-ups can do without

    country, _, part = code.partition("-")
    known = list_supported_countries(include_aliases=True)
    if country not in known and code not in list_supported_financial():
        raise wrong(
            f"the holidays of {code} are unknown", 'write a country such as "JP", a part of one such as "US-NY"'
        )
    if part and part not in known[country]:
        raise wrong(f"{country} has no part {part}", f"choose from {', '.join(known[country]) or country}")
    return code


def _no_day() -> Exception:
    return wrong("this is no day", 'write "2026-12-31", every year "12-31", or "2026-12-29 to 2027-01-03"')


def _day(value: Any) -> Any:
    """A day or, with `to` between, the first and the last: dates, or `"12-31"` of every year. As (first, last)."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return (value, value)
    if not isinstance(value, str):
        raise _no_day()
    between = _RANGE.fullmatch(value.strip())
    first, last = (_one_day(one) for one in (between.groups() if between else (value.strip(),) * 2))
    if isinstance(first, date) and isinstance(last, date) and last < first:
        raise wrong("these days end before they begin", "write the earlier one first")
    if isinstance(first, date) is not isinstance(last, date):
        raise wrong("one of the two has a year", "write both with it, or none")
    return (first, last)


def _one_day(text: str) -> date | str:
    try:
        day = date.fromisoformat(_LEAP_YEAR + text if _YEARLY.fullmatch(text) else text)
    except ValueError:
        raise _no_day() from None
    return text if _YEARLY.fullmatch(text) else day


def _day_name(text: str) -> str:
    _day(text)
    return text


Zone = Annotated[str, AfterValidator(_zone)]
Spans = Annotated[tuple[Minutes, ...], BeforeValidator(_spans)]
Days = Annotated[tuple[date, date] | tuple[str, str], BeforeValidator(_day)]
DayName = Annotated[str, AfterValidator(_day_name)]
HolidayCode = Annotated[str, AfterValidator(_holidays)]
WHOLE_DAY: tuple[Minutes, ...] = ((0, _MIDNIGHT),)


class HoursTable(Section):
    """When somebody is there. Its other keys are days: `mon`, `sat`, `mon-fri`, `daily`; the narrower one wins."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Spans] = Field(init=False)

    timezone: Zone = Field(description="the time zone that the hours are meant in, such as Asia/Tokyo")
    holidays: Annotated[tuple[HolidayCode, ...], Several] = Field(
        default=(), description='whose public holidays: "JP", "US-NY", "NYSE", several in a list'
    )
    on_holidays: Spans = Field(default=(), description="hours on those days; closed when unset")
    closed: tuple[Days, ...] = Field(
        default=(), description='days off: "2026-12-31", or of every year "12-31", "12-29 to 01-03"'
    )
    extra: dict[DayName, Spans] = Field(
        default_factory=dict, description="other hours on a day, whatever else is written of it"
    )

    @model_validator(mode="before")
    @classmethod
    def _only_days(cls, values: Any) -> Any:
        for key in values if isinstance(values, dict) else ():
            if key not in cls.model_fields and not days_of(key):
                close = get_close_matches(key, [*cls.model_fields, *DAYS, "daily", "mon-fri"], n=1)
                raise wrong("there is no such day", f"perhaps you mean {close[0] if close else 'mon-fri'}", key)
        return values

    @model_validator(mode="after")
    def _check(self) -> Self:
        written = self.week_keys()
        for key in written:
            same = [
                one for one in written if len(days_of(one)) == len(days_of(key)) and {*days_of(one)} & {*days_of(key)}
            ]
            if len(same) > 1:
                raise wrong(f"it speaks of a day that {same[0]} speaks of too", "write each day once", same[1])
        return self

    def week_keys(self) -> tuple[str, ...]:
        """The keys that are days."""
        return tuple(self.__pydantic_extra__)

    def week(self) -> tuple[tuple[Minutes, ...], ...]:
        """Of each weekday, from Monday."""
        week: list[tuple[Minutes, ...]] = [()] * len(DAYS)
        for key in sorted(self.week_keys(), key=lambda one: -len(days_of(one))):
            for day in days_of(key):
                week[day] = self.__pydantic_extra__[key]
        return tuple(week)


def _kind(value: Any) -> str:
    return "[name]" if isinstance(value, str) else "[table]"


HoursRef = Annotated[Annotated[str, Tag("[name]")] | Annotated[HoursTable, Tag("[table]")], Discriminator(_kind)]
"""Hours in place, or the name of a table under [hours]. The tags keep errors to the one that was meant."""


@cache
def days_of(key: str) -> tuple[int, ...]:
    """`mon-fri` → (0, 1, 2, 3, 4); a range may go over Sunday. Empty for what is no day."""
    if key == "daily":
        return tuple(range(len(DAYS)))
    first, dash, last = key.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        return ()
    begin = DAYS.index(first)
    count = (DAYS.index(last) - begin) % len(DAYS) + 1 if dash else 1
    return tuple((begin + step) % len(DAYS) for step in range(count))


# ------------------------------------------------------------------ what becomes of it


def expand(written: HoursTable, window: Window) -> Hours:
    """The spans of the days in the window."""
    zone, week = ZoneInfo(written.timezone), written.week()
    special = _special_days(written, window)
    every = (
        (instant(day, begin, zone), instant(day, end, zone, last=True))
        for day in window.days()
        for begin, end in special.get(day, week[day.weekday()])
    )
    spans = joined(every)
    whole = instant(window.first, 0, zone), instant(window.last + DAY, 0, zone)
    if any(begin <= whole[0] and whole[1] <= end for begin, end in spans):
        return ALWAYS
    return Hours(spans)


def _special_days(written: HoursTable, window: Window) -> Mapping[date, tuple[Minutes, ...]]:
    """Days that are not like their weekday: holidays, over them what is closed, over that what is extra."""
    special: dict[date, tuple[Minutes, ...]] = {}
    for code in written.holidays:
        special |= dict.fromkeys(_holidays_of(code, window.first.year - 1, window.last.year + 1), written.on_holidays)
    for one in written.closed:
        special |= dict.fromkeys(_dates(one, window), ())
    for text, spans in written.extra.items():
        special |= dict.fromkeys(_dates(_day(text), window), spans)
    return special


@cache
def _holidays_of(code: str, first: int, last: int) -> frozenset[date]:
    """The public holidays of the years from `first` to `last`, those in lieu included."""
    from holidays import country_holidays, financial_holidays, list_supported_countries

    years = range(first, last + 1)
    country, _, part = code.partition("-")
    if country in list_supported_countries(include_aliases=True):
        return frozenset(country_holidays(country, subdiv=part or None, years=years))
    return frozenset(financial_holidays(code, years=years))


def _dates(written: tuple[date, date] | tuple[str, str], window: Window) -> Iterable[date]:
    return [day for day in window.days() if _is_among(day, *written)]


def _is_among(day: date, first: date | str, last: date | str) -> bool:
    if isinstance(first, date) and isinstance(last, date):
        return first <= day <= last
    yearly = f"{day:%m-%d}"
    inside = str(first) <= yearly, yearly <= str(last)
    return all(inside) if str(first) <= str(last) else any(inside)  # over New Year


def joined(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sorted, with a gap between any two; what has no length is left out."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return tuple(found)


def instant(day: date, minute: int, zone: ZoneInfo, *, last: bool = False) -> int:
    """When a clock on the wall shows this minute of the day (ms since 1970, UTC).

    Of a time that comes twice the first, or with `last` the last; of one that is skipped, the moment of the change.
    """
    return wall_instant(datetime.combine(day, time()) + timedelta(minutes=minute), zone, last=last)


def wall_instant(wall: datetime, zone: ZoneInfo, *, last: bool = False) -> int:
    """The same for a naive date and time."""
    early, late = (ms_of(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if early > late:  # skipped: the offset before the change leads behind it, the one after it before it
        return _change_between(late, early, zone)
    return late if last else early


def _change_between(before: int, after: int, zone: ZoneInfo) -> int:
    """The first moment whose offset is not that of `before`. By RFC 8536 a change is at a whole second."""
    offset = _offset(before, zone)
    while after - before > 1000:
        middle = (before + after) // 2000 * 1000
        before, after = (middle, after) if _offset(middle, zone) == offset else (before, middle)
    return after


def _offset(at: int, zone: ZoneInfo) -> timedelta | None:
    return moment(at).astimezone(zone).utcoffset()


def moment(at: int) -> datetime:
    """`at` is ms since 1970 (UTC)."""
    return _EPOCH + at * _MS


def ms_of(when: datetime) -> int:
    """The other way."""
    return (when - _EPOCH) // _MS
