"""Who is on, and when who is not hands back what they hold. Every time is a number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from routing.availability import GRACE, LAPSE_AFTER, SEEN_FOR, Because, Choice, Signs, Standing, standing
from routing.hours import ALWAYS, Hours
from routing.policy import HOUR, MINUTE

SHIFT = Hours(((9 * HOUR, 12 * HOUR), (13 * HOUR, 18 * HOUR)))


def test_who_never_said_anything_is_not_on_and_holds_on_to_what_they_have() -> None:
    assert standing(Signs(), None, HOUR) == Standing(False, Because.NOTHING)
    assert standing(Signs(acted_at=HOUR), None, HOUR) == Standing(False, Because.NOTHING), "a reply is not a choice"


def test_on_lapses_without_an_act_and_comes_back_with_the_next() -> None:
    signs = Signs(Choice.ON, chosen_at=HOUR, acted_at=HOUR)
    assert standing(signs, None, HOUR + LAPSE_AFTER - 1) == Standing(True, Because.SAID, HOUR, until=HOUR + LAPSE_AFTER)
    lapsed = standing(signs, None, HOUR + LAPSE_AFTER)
    assert lapsed == Standing(False, Because.LAPSED, HOUR + LAPSE_AFTER, HOUR + LAPSE_AFTER + GRACE)
    again = Signs(Choice.ON, chosen_at=HOUR, acted_at=5 * HOUR)
    assert standing(again, None, 5 * HOUR) == Standing(True, Because.SAID, HOUR, until=5 * HOUR + LAPSE_AFTER)


def test_away_hands_back_after_a_while_and_off_at_once() -> None:
    away = standing(Signs(Choice.AWAY, chosen_at=HOUR), None, HOUR)
    assert away == Standing(False, Because.SAID, HOUR, HOUR + GRACE)
    off = standing(Signs(Choice.OFF, chosen_at=HOUR, acted_at=HOUR), None, HOUR)
    assert off == Standing(False, Because.SAID, HOUR, HOUR)


def test_who_answers_though_they_are_off_or_away_keeps_what_they_answer() -> None:
    for choice in (Choice.AWAY, Choice.OFF):
        later = standing(Signs(choice, chosen_at=HOUR, acted_at=2 * HOUR), None, 2 * HOUR)
        assert later.hands_back_at == 2 * HOUR + GRACE
        assert not later.on


def test_a_schedule_makes_them_on_and_off() -> None:
    assert standing(Signs(), SHIFT, 8 * HOUR) == Standing(False, Because.SCHEDULE, until=9 * HOUR)
    assert standing(Signs(), SHIFT, 9 * HOUR) == Standing(True, Because.SCHEDULE, 9 * HOUR, until=12 * HOUR)
    off = Standing(False, Because.SCHEDULE, 12 * HOUR, 12 * HOUR + GRACE, until=13 * HOUR)
    assert standing(Signs(), SHIFT, 12 * HOUR) == off
    assert standing(Signs(), ALWAYS, 12 * HOUR) == Standing(True, Because.SCHEDULE, 0)


def test_what_was_said_counts_until_the_schedule_changes() -> None:
    away = Signs(Choice.AWAY, chosen_at=10 * HOUR)
    assert not standing(away, SHIFT, 11 * HOUR).on
    assert standing(away, SHIFT, 11 * HOUR).until == 12 * HOUR
    assert standing(away, SHIFT, 13 * HOUR).on, "nobody is away for ever because of one break"
    extra = Signs(Choice.ON, chosen_at=12 * HOUR + 1, acted_at=12 * HOUR + 1)
    assert standing(extra, SHIFT, 12 * HOUR + 2).because is Because.SAID
    assert standing(extra, SHIFT, 18 * HOUR).on is False, "nor on for ever because of one extra hour"


def test_who_is_seen_on_their_network_is_on_for_as_long_as_somebody_looks() -> None:
    seen = Signs(active=True, looked_at=2 * HOUR, active_since=HOUR)
    assert standing(seen, None, 2 * HOUR) == Standing(True, Because.SEEN, HOUR)
    assert standing(seen, None, 2 * HOUR + SEEN_FOR).on is False
    idle = Signs(active=False, looked_at=2 * HOUR, active_since=2 * HOUR)
    assert standing(idle, None, 2 * HOUR) == Standing(False, Because.SEEN, 2 * HOUR, 2 * HOUR + GRACE)
    said = Signs(Choice.AWAY, chosen_at=HOUR, active=True, looked_at=2 * HOUR, active_since=HOUR)
    assert standing(said, None, 2 * HOUR).on is False, "what they say goes first"


TIMES = st.integers(0, 30 * HOUR)
SIGNS = st.builds(Signs, st.none() | st.sampled_from(Choice), TIMES, TIMES, st.none() | st.booleans(), TIMES, TIMES)
SCHEDULES = st.sampled_from([None, SHIFT, ALWAYS, Hours(())])


@given(SIGNS, SCHEDULES, TIMES)
def test_whoever_is_on_hands_nothing_back_and_an_act_puts_it_off(signs: Signs, hours: Hours | None, now: int) -> None:
    found = standing(signs, hours, now)
    if found.on:
        assert found.hands_back_at is None
    elif found.hands_back_at is not None and signs.acted_at > found.since:
        assert found.hands_back_at >= signs.acted_at + GRACE


@given(SIGNS, TIMES)
def test_nobody_is_on_for_ever(signs: Signs, now: int) -> None:
    later = max(now, signs.chosen_at, signs.acted_at, signs.looked_at) + LAPSE_AFTER + MINUTE
    assert not standing(signs, None, later).on
