"""Who is on call, as it is written and as it turns out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.errors import SettingsError
from config.calendars import DAY, Window, moment, ms_of
from config.mistakes import settings_errors
from config.rotas import RotaTable, doubly_booked, expand, holes
from routing.hours import ALWAYS, Hours
from routing.ids import OperatorId
from routing.policy import Rota, Shift
from tests.unit.config.test_calendars import TOKYO, at, week_of

NEW_YORK = "America/New_York"
HOUR = 3_600_000


def written(keys: dict[str, Any], zone: str = TOKYO) -> RotaTable:
    return RotaTable.model_validate({"timezone": zone, **keys})


def on_call(rota: Rota, *times: str) -> list[str | None]:
    return [rota.on_call(at(one)) for one in times]


def booked(operator: str, begin: str, end: str) -> Shift:
    return Shift(at(begin), at(end), OperatorId(operator))


# ------------------------------------------------------------------ shifts of the week


def test_shifts_come_back_every_week() -> None:
    rota = expand(
        written(
            {
                "shifts": [
                    {"days": "mon-fri", "hours": "18:00-09:00", "operator": "aiko"},
                    {"days": "sat-sun", "operator": "kenji"},
                ]
            }
        ),
        week_of("2026-06-01", 14),
    )
    assert on_call(rota, "2026-06-01T17:59+09:00", "2026-06-01T18:00+09:00", "2026-06-02T08:59+09:00") == [
        None,
        "aiko",
        "aiko",
    ]
    assert on_call(rota, "2026-06-13T12:00+09:00", "2026-06-14T23:59+09:00", "2026-06-15T00:00+09:00") == [
        "kenji",
        "kenji",
        None,
    ]


def test_of_two_who_are_on_call_at_once_the_one_who_began_earlier_stays() -> None:
    table = written(
        {
            "shifts": [
                {"days": "mon", "hours": "09:00-18:00", "operator": "aiko"},
                {"days": "mon", "hours": "12:00-20:00", "operator": "kenji"},
            ]
        }
    )
    week = week_of("2026-06-01")
    rota = expand(table, week)
    assert on_call(rota, "2026-06-01T13:00+09:00", "2026-06-01T18:00+09:00") == ["aiko", "kenji"]
    assert doubly_booked(table, week) == "mon 12:00: aiko and kenji"


def test_shifts_one_after_another_are_one_and_nothing_is_handed_over_at_midnight() -> None:
    rota = expand(written({"shifts": [{"operator": "aiko"}]}), week_of("2026-06-01"))
    assert len(rota.shifts) == 1
    assert rota.changes_after(at("2026-06-03T12:00+09:00")) == rota.shifts[0].end


# ------------------------------------------------------------------ turns


def test_turns_go_round_week_by_week() -> None:
    table = written({"turns": ["aiko", "kenji", "mei"], "since": "2026-01-05 09:00"})
    rota = expand(table, week_of("2026-01-01", 60))
    assert on_call(
        rota,
        "2026-01-05T08:59+09:00",
        "2026-01-05T09:00+09:00",
        "2026-01-12T08:59+09:00",
        "2026-01-12T09:00+09:00",
        "2026-01-19T09:00+09:00",
        "2026-01-26T09:00+09:00",
    ) == [None, "aiko", "aiko", "kenji", "mei", "aiko"]


def test_a_turn_that_began_long_ago_is_still_counted_from_the_first() -> None:
    table = written({"turns": ["aiko", "kenji"], "since": "2016-01-04 09:00"})
    assert expand(table, week_of("2026-06-01")).on_call(at("2026-06-01T09:00+09:00")) == "kenji"
    weeks = (date(2026, 6, 1) - date(2016, 1, 4)).days // 7
    assert weeks % 2 == 1


def test_the_hand_over_keeps_its_time_on_the_wall_when_the_clock_changes() -> None:
    table = written({"turns": ["aiko", "kenji"], "turn": "1d", "since": "2026-03-06 09:00"}, NEW_YORK)
    rota = expand(table, week_of("2026-03-06", 5))
    changes = [moment(one.start).strftime("%d %H:%M") for one in rota.shifts if one.start >= at("2026-03-06T00:00Z")]
    assert changes[:4] == ["06 14:00", "07 14:00", "08 13:00", "09 13:00"]  # UTC


# ------------------------------------------------------------------ overrides


def test_an_override_goes_before_everything() -> None:
    table = written(
        {
            "turns": ["aiko", "kenji"],
            "since": "2026-01-05 09:00",
            "overrides": [{"operator": "mei", "start": "2026-01-10 18:00", "end": "2026-01-13 09:00"}],
        }
    )
    rota = expand(table, week_of("2026-01-05", 14))
    assert on_call(rota, "2026-01-10T17:59+09:00", "2026-01-12T12:00+09:00", "2026-01-13T09:00+09:00") == [
        "aiko",
        "mei",
        "kenji",
    ]
    assert rota.changes_after(at("2026-01-10T12:00+09:00")) == at("2026-01-10T18:00+09:00")


def test_an_override_fills_a_hole() -> None:
    table = written(
        {
            "shifts": [{"days": "mon", "hours": "09:00-10:00", "operator": "aiko"}],
            "overrides": [{"operator": "mei", "start": "2026-06-03 00:00", "end": "2026-06-04 00:00"}],
        }
    )
    assert expand(table, week_of("2026-06-01")).on_call(at("2026-06-03T12:00+09:00")) == "mei"


def test_what_a_calendar_has_booked_is_a_shift_like_any_other() -> None:
    table = written({"calendar": "rota.ics"})
    shift = booked("aiko", "2026-06-01T00:00+09:00", "2026-06-02T00:00+09:00")
    rota = expand(table, week_of("2026-06-01"), [shift])
    assert rota.shifts == (shift,)


# ------------------------------------------------------------------ properties

shifts_of_somebody = st.lists(
    st.builds(
        lambda begin, length, name: Shift(begin * HOUR, (begin + length) * HOUR, OperatorId(name)),
        st.integers(0, 72),
        st.integers(1, 24),
        st.sampled_from(["aiko", "kenji", "mei"]),
    ),
    max_size=8,
)


@given(shifts_of_somebody)
def test_no_two_are_on_call_at_once_and_nobody_is_called_who_is_not_booked(shifts: list[Shift]) -> None:
    rota = expand(RotaTable(timezone="UTC", calendar="x"), Window(date(1970, 1, 1), date(1970, 1, 6)), shifts)
    assert all(one.end <= other.start for one, other in zip(rota.shifts, rota.shifts[1:], strict=False))
    for hour in range(120):
        here = hour * HOUR
        claims = sorted((one for one in shifts if one.start <= here < one.end), key=lambda one: one.start)
        assert (rota.on_call(here) in {one.operator for one in claims}) if claims else rota.on_call(here) is None


@given(shifts_of_somebody)
def test_the_next_change_is_the_first_moment_at_which_somebody_else_is_on_call(shifts: list[Shift]) -> None:
    rota = expand(RotaTable(timezone="UTC", calendar="x"), Window(date(1970, 1, 1), date(1970, 1, 6)), shifts)
    for hour in range(100):
        later = (one for one in range(hour + 1, 130) if rota.on_call(one * HOUR) != rota.on_call(hour * HOUR))
        found = next(later, None)
        assert rota.changes_after(hour * HOUR) == (None if found is None else found * HOUR)


@given(shifts_of_somebody, st.lists(st.tuples(st.integers(0, 100), st.integers(1, 9)), max_size=3))
def test_holes_are_where_nobody_is_on_call_and_somebody_must_be(
    shifts: list[Shift], wanted: list[tuple[int, int]]
) -> None:
    rota = expand(RotaTable(timezone="UTC", calendar="x"), Window(date(1970, 1, 1), date(1970, 1, 6)), shifts)
    edges = sorted({edge for begin, length in wanted for edge in (begin, begin + length)})
    spans = tuple((begin * HOUR, end * HOUR) for begin, end in zip(edges[::2], edges[1::2], strict=False))
    needed = Hours(spans) if wanted else ALWAYS
    gaps = holes(rota, needed, 0, 120 * HOUR)
    for hour in range(120):
        here = hour * HOUR
        missing = needed.open_at(here) and rota.on_call(here) is None
        assert any(begin <= here < end for begin, end in gaps) is missing


# ------------------------------------------------------------------ what is said of wrong ones


@pytest.mark.parametrize(
    ("keys", "where", "said"),
    [
        ({}, "", "it does not say who is on call / write one of shifts, turns and calendar"),
        ({"turns": ["aiko"], "calendar": "x.ics"}, "calendar", "it says in two ways who is on call"),
        ({"turns": ["aiko"]}, "since", "turns need to know when the first one's began"),
        ({"turns": ["aiko"], "since": "monday"}, "since", "this is no date and time of the rota's own zone"),
        ({"turns": ["aiko"], "since": "2026-01-05T09:00+09:00"}, "since", "the rota's own zone"),
        ({"turns": ["aiko"], "since": "2026-01-05 09:00", "turn": "36h"}, "turn", "a turn lasts whole days"),
        ({"shifts": [{"operator": "aiko", "days": "weekdays"}]}, "shifts.0.days", "these are no days"),
        ({"shifts": [{"operator": "aiko", "hours": "9"}]}, "shifts.0.hours", "these are no hours"),
        ({"shifts": [{"days": "mon"}]}, "shifts.0.operator", "field required"),
        (
            {
                "calendar": "x",
                "overrides": [{"operator": "a", "start": "2026-01-05 09:00", "end": "2026-01-05 09:00"}],
            },
            "overrides.0.end",
            "it ends before it begins",
        ),
        ({"calendar": "x", "timezone": "Mars/Base"}, "timezone", "this time zone is unknown"),
    ],
)
def test_a_wrong_rota_names_the_key_and_the_mend(keys: dict[str, Any], where: str, said: str) -> None:
    error = complaint({"timezone": TOKYO, **keys})
    assert error.where == where
    assert said in f"{error.what} / {error.mend}"


def complaint(keys: dict[str, Any]) -> SettingsError:
    with pytest.raises(ValidationError) as caught:
        RotaTable.model_validate(keys)
    return settings_errors(caught.value, RotaTable, ".".join)


def test_only_an_address_on_the_web_is_fetched() -> None:
    feeds = {
        one: written({"calendar": one}).feed for one in ("webcal://a/b", "https://a/b", "/etc/passwd", "file:///x")
    }
    assert feeds == {
        "webcal://a/b": "https://a/b",
        "https://a/b": "https://a/b",
        "/etc/passwd": None,
        "file:///x": None,
    }


def test_a_year_of_daily_turns_is_worked_out_at_once() -> None:
    table = written({"turns": ["aiko", "kenji"], "turn": "1d", "since": "2020-01-01 09:00"})
    now = ms_of(moment(0)) + 57 * 365 * 24 * HOUR
    assert len(expand(table, Window.around(now)).shifts) > (400 * DAY).days
