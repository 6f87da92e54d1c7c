"""Opening hours as they are written, against a clock on the wall that is looked at minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.errors import SettingsError
from config.calendars import DAY, DAYS, HoursTable, Window, days_of, expand, instant, joined, moment, ms_of
from config.mistakes import settings_errors
from routing.hours import ALWAYS, Hours

MINUTE = 60_000
TOKYO = "Asia/Tokyo"


def written(keys: dict[str, Any], zone: str = TOKYO) -> HoursTable:
    return HoursTable.model_validate({"timezone": zone, **keys})


def week_of(first: str, days: int = 7) -> Window:
    begin = date.fromisoformat(first)
    return Window(begin, begin + (days - 1) * DAY)


def at(text: str) -> int:
    return ms_of(datetime.fromisoformat(text))


def shown(hours: Hours, zone: str) -> list[str]:
    """The spans as a person of that zone reads them."""
    times = [[moment(edge).astimezone(ZoneInfo(zone)) for edge in span] for span in hours.spans or ()]
    return [f"{begin:%a %H:%M}-{end:%a %H:%M}" for begin, end in times]


def within(hours: Hours, window: Window, zone: str) -> list[str]:
    """Only those that begin within the window."""
    first, last = (instant(day, 0, ZoneInfo(zone)) for day in (window.first, window.last + DAY))
    return shown(Hours(tuple(one for one in hours.spans or () if first <= one[0] < last)), zone)


# ------------------------------------------------------------------ how it is read


def test_a_week_is_read_aloud() -> None:
    hours = written({"mon-fri": "09:00-18:00", "sat": ["10:00-12:00", "13:00-15:00"]})
    week = week_of("2026-06-01")
    assert within(expand(hours, week), week, TOKYO) == [
        *(f"{day} 09:00-{day} 18:00" for day in ("Mon", "Tue", "Wed", "Thu", "Fri")),
        "Sat 10:00-Sat 12:00",
        "Sat 13:00-Sat 15:00",
    ]


def test_the_narrower_day_wins() -> None:
    hours = written({"daily": "08:00-20:00", "mon-fri": "09:00-18:00", "wed": "09:00-12:00", "sun": []})
    week = week_of("2026-06-01")
    assert within(expand(hours, week), week, TOKYO) == [
        "Mon 09:00-Mon 18:00",
        "Tue 09:00-Tue 18:00",
        "Wed 09:00-Wed 12:00",
        "Thu 09:00-Thu 18:00",
        "Fri 09:00-Fri 18:00",
        "Sat 08:00-Sat 20:00",
    ]


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    hours = written({"fri": "22:00-06:00"})
    week = week_of("2026-06-01")
    assert within(expand(hours, week), week, TOKYO) == ["Fri 22:00-Sat 06:00"]


def test_nights_that_touch_days_are_one_span() -> None:
    hours = written({"mon-fri": "00:00-24:00", "sat": "00:00-03:00"})
    week = week_of("2026-06-01")
    assert within(expand(hours, week), week, TOKYO) == ["Mon 00:00-Sat 03:00"]


def test_around_the_clock_is_always() -> None:
    assert expand(written({"daily": "00:00-24:00"}), week_of("2026-06-01")) == ALWAYS
    assert expand(written({"daily": "00:00-24:00", "closed": ["2026-06-03"]}), week_of("2026-06-01")) != ALWAYS


@pytest.mark.parametrize(
    ("key", "days"),
    [("mon", "mon"), ("fri-mon", "fri sat sun mon"), ("sat-sun", "sat sun"), ("daily", " ".join(DAYS)), ("mo-fr", "")],
)
def test_ranges_of_days_may_go_over_sunday(key: str, days: str) -> None:
    assert [DAYS[day] for day in days_of(key)] == days.split()


# ------------------------------------------------------------------ holidays and exceptions


def test_public_holidays_are_closed_with_those_in_lieu() -> None:
    hours = expand(written({"daily": "09:00-18:00", "holidays": "JP"}), week_of("2026-05-01"))
    assert not hours.open_at(at("2026-05-05T10:00+09:00"))  # Children's Day
    assert not hours.open_at(at("2026-05-06T10:00+09:00"))  # in lieu of Constitution Day, which is a Sunday
    assert hours.open_at(at("2026-05-07T10:00+09:00"))


def test_holidays_of_a_part_of_a_country_and_of_an_exchange() -> None:
    emancipation = at("2026-04-16T12:00-04:00")  # in the District of Columbia only
    for code, closed in (("US-DC", True), ("US-NY", False)):
        hours = expand(written({"daily": "09:00-17:00", "holidays": code}, "America/New_York"), week_of("2026-04-13"))
        assert hours.open_at(emancipation) is not closed
    good_friday = at("2026-04-03T12:00-04:00")
    exchange = expand(
        written({"daily": "09:00-17:00", "holidays": ["NYSE"]}, "America/New_York"), week_of("2026-03-30")
    )
    assert not exchange.open_at(good_friday)


def test_holidays_may_have_hours_of_their_own() -> None:
    hours = written({"mon-fri": "09:00-18:00", "holidays": "JP", "on_holidays": "10:00-12:00"})
    day = week_of("2026-05-05", 1)
    assert within(expand(hours, day), day, TOKYO) == ["Tue 10:00-Tue 12:00"]


def test_extra_goes_before_closed_before_holidays_before_the_week() -> None:
    hours = written(
        {
            "daily": "09:00-18:00",
            "holidays": "JP",
            "on_holidays": "10:00-16:00",
            "closed": ["12-31", "2026-12-29 to 2026-12-30", date(2027, 1, 1)],
            "extra": {"2026-12-30": "10:00-11:00", "2027-01-03": ["01:00-02:00"]},
        }
    )
    days = week_of("2026-12-28", 7)
    assert within(expand(hours, days), days, TOKYO) == [
        "Mon 09:00-Mon 18:00",
        "Wed 10:00-Wed 11:00",
        "Sat 09:00-Sat 18:00",
        "Sun 01:00-Sun 02:00",
    ]


@pytest.mark.parametrize(("day", "closed"), [("12-28", 0), ("12-29", 1), ("12-31", 1), ("01-03", 1), ("01-04", 0)])
def test_days_off_of_every_year_may_go_over_new_year(day: str, closed: int) -> None:
    hours = expand(
        written({"daily": "09:00-10:00", "closed": ["12-29 to 01-03"]}), Window.around(at("2026-11-22T00:00Z"))
    )
    year = 2027 if day.startswith("01") else 2026
    assert hours.open_at(at(f"{year}-{day}T09:30+09:00")) is not bool(closed)


def test_a_holiday_does_not_cut_the_night_before_it() -> None:
    hours = written({"daily": "22:00-06:00", "closed": ["2026-06-03"]})
    days = week_of("2026-06-02", 3)
    assert within(expand(hours, days), days, TOKYO) == ["Tue 22:00-Wed 06:00", "Thu 22:00-Fri 06:00"]


# ------------------------------------------------------------------ when the clock changes


@pytest.mark.parametrize(
    ("zone", "change", "before", "after"),
    [
        ("America/New_York", "2026-03-08", "-05:00", "-04:00"),
        ("America/New_York", "2026-11-01", "-04:00", "-05:00"),
        ("Europe/London", "2026-03-29", "+00:00", "+01:00"),
        ("Europe/London", "2026-10-25", "+01:00", "+00:00"),
        ("Asia/Tokyo", "2026-03-08", "+09:00", "+09:00"),
    ],
)
def test_the_clock_on_the_wall_is_kept_over_a_change(zone: str, change: str, before: str, after: str) -> None:
    day = date.fromisoformat(change)
    hours = expand(written({"daily": "09:00-17:00"}, zone), Window(day - DAY, day + DAY))
    assert hours.opens_after(at(f"{day - DAY}T00:00{before}")) == at(f"{day - DAY}T09:00{before}")
    assert hours.opens_after(at(f"{day}T05:00{after}")) == at(f"{day}T09:00{after}")
    assert hours.closes_after(at(f"{day}T12:00{after}")) == at(f"{day}T17:00{after}")


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("Asia/Tokyo", "2026-03-29", 24),
    ],
)
def test_a_whole_day_has_as_many_hours_as_the_day(zone: str, day: str, length: int) -> None:
    hours = expand(written({"extra": {day: "00:00-24:00"}}, zone), week_of(str(date.fromisoformat(day) - DAY), 3))
    assert hours.spans is not None
    assert [(end - begin) // (60 * MINUTE) for begin, end in hours.spans] == [length]


@pytest.mark.parametrize(
    ("zone", "day", "span", "begin", "end"),
    [
        ("America/New_York", "2026-03-08", "02:30-04:00", "03:00-04:00", "04:00-04:00"),  # 02:30 is skipped
        ("America/New_York", "2026-03-08", "01:00-02:30", "01:00-05:00", "03:00-04:00"),
        ("America/New_York", "2026-11-01", "01:30-04:00", "01:30-04:00", "04:00-05:00"),  # 01:30 comes twice
        ("America/New_York", "2026-11-01", "00:00-01:30", "00:00-04:00", "01:30-05:00"),
        ("Europe/London", "2026-03-29", "01:15-05:00", "02:00+01:00", "05:00+01:00"),
        ("Europe/London", "2026-10-25", "01:15-01:45", "01:15+01:00", "01:45+00:00"),
    ],
)
def test_an_hour_that_is_skipped_or_comes_twice(zone: str, day: str, span: str, begin: str, end: str) -> None:
    hours = expand(written({"extra": {day: span}}, zone), week_of(day, 1))
    assert hours.spans == ((at(f"{day}T{begin}"), at(f"{day}T{end}")),)


ZONES = {
    "America/New_York": ("2026-03-08", "2026-11-01", "2026-06-10"),
    "Europe/London": ("2026-03-29", "2026-10-25", "2026-12-31"),
    "Asia/Tokyo": ("2026-03-29", "2026-12-31"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),  # half an hour
    "America/Havana": ("2026-03-08", "2026-11-01"),  # at midnight
    "Pacific/Kiritimati": ("2026-01-01",),  # fourteen hours ahead
}


@cache
def walls(zone: str, change: str) -> tuple[tuple[int, datetime], ...]:
    """(ms, what the clock on the wall shows) for each minute around a change."""
    begin = datetime.combine(date.fromisoformat(change) - 4 * DAY, datetime.min.time(), tzinfo=UTC)
    minutes = (begin + timedelta(minutes=number) for number in range(8 * 1440))
    return tuple((ms_of(one), one.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for one in minutes)


def naively_open(zone: str, change: str, spans: dict[date, list[tuple[int, int]]]) -> set[int]:
    """From the first minute that shows the begin, to the last that does not show the end yet."""
    opened: set[int] = set()
    for day, minutes in spans.items():
        midnight = datetime.combine(day, datetime.min.time())
        for begin, end in minutes:
            start, stop = midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end)
            first = next(ms for ms, wall in walls(zone, change) if wall >= start)
            last = next(ms for ms, wall in reversed(walls(zone, change)) if wall < stop)
            opened.update(range(first, last + 1, MINUTE))
    return opened


def text_of(begin: int, end: int) -> str:
    end = end if end <= 1440 else end - 1440
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


span_minutes = st.builds(lambda begin, length: (begin, begin + length), st.integers(0, 1439), st.integers(1, 1439)).map(
    lambda span: (span[0], min(span[1], 1440) if span[1] % 1440 == 0 else span[1])
)
days_of_spans = st.lists(span_minutes, max_size=3)


@given(
    place=st.sampled_from([(zone, change) for zone, changes in ZONES.items() for change in changes]),
    week=st.tuples(*[days_of_spans] * 7),
    special=st.dictionaries(st.integers(-2, 2), days_of_spans, max_size=3),
)
def test_spans_are_what_a_clock_on_the_wall_shows(
    place: tuple[str, str], week: tuple[list[tuple[int, int]], ...], special: dict[int, list[tuple[int, int]]]
) -> None:
    zone, change = place
    day = date.fromisoformat(change)
    window = Window(day - DAY, day + DAY)
    table: dict[str, Any] = {DAYS[number]: [text_of(*one) for one in spans] for number, spans in enumerate(week)}
    table["extra"] = {str(day + days * DAY): [text_of(*one) for one in spans] for days, spans in special.items()}
    hours = expand(written(table, zone), window)
    spans = {one: special.get((one - day).days, week[one.weekday()]) for one in window.days()}
    expected = naively_open(zone, change, spans)
    shown = [ms for ms, wall in walls(zone, change) if window.first <= wall.date() <= window.last]
    assert [ms for ms in shown if hours.open_at(ms) is not (ms in expected)] == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))))
def test_joined_spans_have_gaps_and_cover_the_same(spans: list[tuple[int, int]]) -> None:
    found = joined(spans)
    assert all(begin < end for begin, end in found)
    assert all(end < begin for (_, end), (begin, _) in pairwise(found))
    covered = {one for begin, end in spans for one in range(begin, end)}
    assert {one for begin, end in found for one in range(begin, end)} == covered


def test_the_window_looks_back_a_month_and_ahead_a_year() -> None:
    now = at("2026-11-22T12:00+00:00")
    hours = expand(written({"daily": "09:00-10:00"}), Window.around(now))
    assert hours.spans is not None
    assert hours.spans[0][0] < now - 34 * DAY // timedelta(milliseconds=1)
    assert hours.spans[-1][1] > now + 399 * DAY // timedelta(milliseconds=1)


# ------------------------------------------------------------------ what is said of wrong ones


@pytest.mark.parametrize(
    ("keys", "where", "said"),
    [
        ({"timezone": "Tokyo"}, "timezone", 'this time zone is unknown / write it as in "Asia/Tokyo"'),
        ({"timezone": "JST"}, "timezone", "this time zone is unknown"),
        ({"timezone": "../../etc/passwd"}, "timezone", "this time zone is unknown"),
        ({"mon-fry": "09:00-18:00"}, "mon-fry", "there is no such day / perhaps you mean mon-fri"),
        ({"time_zone": "Asia/Tokyo"}, "time_zone", "perhaps you mean timezone"),
        ({"mon": "9-18"}, "mon", "09:00-18:00"),
        ({"mon": "09:00-25:00"}, "mon", "there is no such time of day"),
        ({"mon": "09:75-10:00"}, "mon", "there is no such time of day"),
        ({"mon": "09:00-09:00"}, "mon", 'for a whole day write "00:00-24:00"'),
        ({"mon": 9}, "mon", "these are no hours"),
        ({"mon": ["09:00-10:00", 9]}, "mon", "these are no hours"),
        ({"mon-wed": "09:00-10:00", "wed-fri": "09:00-10:00"}, "wed-fri", "a day that mon-wed speaks of too"),
        ({"holidays": "XX"}, "holidays.0", "the holidays of XX are unknown"),
        ({"holidays": "US-XX"}, "holidays.0", "US has no part XX / choose from AK, AL"),
        ({"holidays": "JP-13"}, "holidays.0", "JP has no part 13"),
        ({"closed": ["31.12."]}, "closed.0", "this is no day"),
        ({"closed": ["02-30"]}, "closed.0", "this is no day"),
        ({"closed": ["12-29 to 2027-01-03"]}, "closed.0", "one of the two has a year"),
        ({"closed": ["2026-12-31", 7]}, "closed.1", "this is no day"),
        ({"closed": ["2027-01-03 to 2026-12-29"]}, "closed.0", "these days end before they begin"),
        ({"extra": {"christmas": "09:00-12:00"}}, "extra.christmas", "this is no day"),
        ({"extra": {"2026-12-24": "noon"}}, "extra.2026-12-24", "these are no hours"),
    ],
)
def test_wrong_hours_name_the_key_and_the_mend(keys: dict[str, Any], where: str, said: str) -> None:
    error = complaint({"timezone": TOKYO, **keys})
    assert error.where == where
    assert said in f"{error.what} / {error.mend}"


def complaint(keys: dict[str, Any]) -> SettingsError:
    with pytest.raises(ValidationError) as caught:
        HoursTable.model_validate(keys)
    return settings_errors(caught.value, HoursTable, ".".join)
