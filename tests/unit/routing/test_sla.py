"""Promises: when each is due, on whose clock, and what of our time counts towards it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing import sla
from routing.hours import Hours
from routing.ids import MessageId, Topic
from routing.policy import (
    HOUR,
    MINUTE,
    Clock,
    Desk,
    Policy,
    Priority,
    Promise,
    Promised,
    TopicRules,
)
from routing.session import Session
from routing.timers import TimerName, timers
from tests.unit.routing.builders import ACCOUNT, AIKO, EN, KENJI, POLICY, WITHDRAWALS, Talk, opening

FIRST, NEXT, RESOLUTION = Promised.FIRST_RESPONSE, Promised.NEXT_RESPONSE, Promised.RESOLUTION
M = MessageId


def promising(*promises: Promise, hours: Hours | None = None, topic: TopicRules | None = None) -> Policy:
    """Every desk promises this, and is open as said."""
    desks = {
        name: replace(desk, promises=promises, hours=hours or desk.hours, silence_after=100 * HOUR)
        for name, desk in POLICY.desks.items()
    }
    return replace(POLICY, desks=desks, topic_rules={topic.id: topic} if topic else {})


def talk_under(policy: Policy, at: int = 1_000_000, topic: Topic = ACCOUNT) -> Talk:
    """A customer has just written to the desk for English."""
    talk = Talk(policy, now=at - 1_000)
    talk.accepts(i.CustomerWrote(M("c:1"), opening(topic=topic)))
    return talk


def due(talk: Talk, kind: Promised) -> int | None:
    session, desk = at_desk(talk)
    return sla.due(kind, session, desk, talk.policy)


def at_desk(talk: Talk) -> tuple[Session, Desk]:
    assert talk.session is not None
    return talk.session, talk.policy.desk_of(talk.session.desk, talk.session.language, talk.session.topic)


def kinds(talk: Talk, *types: type[f.Fact]) -> list[str]:
    return [type(fact).__name__ for fact in talk.facts if isinstance(fact, types)]


# ------------------------------------------------------------------ the first and the next response


def test_the_first_response_counts_from_the_opening_and_ends_with_it() -> None:
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE)))
    assert due(talk, FIRST) == talk.now + 5 * MINUTE
    talk.accepts(i.OperatorReplied(M("o:1"), AIKO))
    assert due(talk, FIRST) is None


def test_a_claim_is_no_response() -> None:
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE)))
    opened_at = talk.now
    talk.accepts(i.OperatorClaimed(AIKO))
    assert due(talk, FIRST) == opened_at + 5 * MINUTE


def test_the_next_response_counts_from_the_first_message_that_waits_for_it() -> None:
    talk = talk_under(promising(Promise(NEXT, 10 * MINUTE)))
    talk.accepts(i.OperatorReplied(M("o:1"), AIKO))
    assert due(talk, NEXT) is None
    talk.accepts(i.CustomerWrote(M("c:2")), after=HOUR)
    asked_at = talk.now
    talk.accepts(i.CustomerWrote(M("c:3")), after=MINUTE)
    assert due(talk, NEXT) == asked_at + 10 * MINUTE


def test_each_wait_for_an_answer_has_a_promise_of_its_own() -> None:
    talk = talk_under(promising(Promise(NEXT, 10 * MINUTE)))
    for round_number in range(2, 5):
        talk.accepts(i.OperatorReplied(M(f"o:{round_number}"), AIKO))
        talk.accepts(i.CustomerWrote(M(f"c:{round_number}")))
        talk.accepts(i.DeadlineFell(), after=10 * MINUTE)
    assert kinds(talk, f.PromiseMissed) == ["PromiseMissed"] * 3


def test_the_customers_turn_never_counts() -> None:
    talk = talk_under(promising(Promise(FIRST, MINUTE), Promise(NEXT, MINUTE), Promise(RESOLUTION, HOUR)))
    talk.accepts(i.OperatorReplied(M("o:1"), AIKO))
    assert {due(talk, kind) for kind in Promised} == {None}
    talk.ignores(i.DeadlineFell())


def test_nothing_is_promised_once_it_is_resolved_and_anew_when_it_reopens() -> None:
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE), Promise(NEXT, 5 * MINUTE)))
    talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    talk.accepts(i.OperatorResolved(AIKO))
    assert {due(talk, kind) for kind in Promised} == {None}
    talk.accepts(i.CustomerWrote(M("c:2")), after=HOUR)
    assert due(talk, FIRST) == talk.now + 5 * MINUTE
    talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    assert kinds(talk, f.PromiseMissed) == ["PromiseMissed"] * 2


# ------------------------------------------------------------------ clocks

NINE, FIVE, DAY = 9 * HOUR, 17 * HOUR, 24 * HOUR
OFFICE = Hours(tuple((day * DAY + NINE, day * DAY + FIVE) for day in range(5)))
"""Nine to five, five days from 1970-01-01."""


def test_business_time_stands_still_while_the_desk_is_closed() -> None:
    talk = talk_under(promising(Promise(FIRST, HOUR, clock=Clock.BUSINESS), hours=OFFICE), at=FIVE - 20 * MINUTE)
    assert due(talk, FIRST) == DAY + NINE + 40 * MINUTE


def test_wall_time_runs_through_the_night() -> None:
    talk = talk_under(promising(Promise(FIRST, HOUR, clock=Clock.WALL), hours=OFFICE), at=FIVE - 20 * MINUTE)
    assert due(talk, FIRST) == FIVE + 40 * MINUTE


@pytest.mark.parametrize("clock", list(Clock))
def test_what_is_written_at_night_begins_to_count_when_the_desk_opens(clock: Clock) -> None:
    talk = talk_under(promising(Promise(FIRST, HOUR, clock=clock), hours=OFFICE), at=FIVE + HOUR)
    assert due(talk, FIRST) is None
    talk.accepts(i.DeadlineFell(), after=DAY + NINE - talk.now)
    assert due(talk, FIRST) == DAY + NINE + HOUR


def test_a_process_that_was_down_at_the_opening_still_counts_from_it() -> None:
    talk = talk_under(promising(Promise(FIRST, HOUR, clock=Clock.WALL), hours=OFFICE), at=FIVE + HOUR)
    session = talk.accepts(i.DeadlineFell(), after=DAY + NINE + 2 * HOUR - talk.now)
    assert session.started_at == DAY + NINE
    assert session.missed == (FIRST,)


def test_who_is_moved_at_night_to_a_desk_that_is_open_is_counted_from_then() -> None:
    policy = promising(Promise(FIRST, HOUR, clock=Clock.WALL), hours=OFFICE)
    always = replace(policy.desks[WITHDRAWALS], hours=Hours())
    talk = talk_under(replace(policy, desks={**policy.desks, WITHDRAWALS: always}), at=FIVE + HOUR)
    talk.accepts(i.OperatorTransferred(AIKO, WITHDRAWALS), after=5 * HOUR)
    assert due(talk, FIRST) == talk.now + HOUR


def test_a_calendar_that_has_run_out_promises_nothing() -> None:
    talk = talk_under(promising(Promise(FIRST, HOUR), hours=OFFICE), at=4 * DAY + FIVE - MINUTE)
    assert due(talk, FIRST) is None


# ------------------------------------------------------------------ priority


@pytest.mark.parametrize(
    ("rules", "minutes"),
    [
        (TopicRules(ACCOUNT), 30),
        (TopicRules(ACCOUNT, priority=Priority.HIGH), 10),
        (TopicRules(ACCOUNT, emergency=True), 2),
    ],
    ids=["normal", "high", "urgent"],
)
def test_the_promise_for_the_sessions_own_priority_holds(rules: TopicRules, minutes: int) -> None:
    promises = (
        Promise(FIRST, 10 * MINUTE, priority=Priority.HIGH),
        Promise(FIRST, 30 * MINUTE),
        Promise(FIRST, 2 * MINUTE, priority=Priority.URGENT),
    )
    talk = talk_under(promising(*promises, topic=rules))
    assert due(talk, FIRST) == talk.now + minutes * MINUTE


def test_a_desk_that_promises_only_for_another_priority_promises_nothing() -> None:
    talk = talk_under(promising(Promise(FIRST, MINUTE, priority=Priority.HIGH)))
    assert due(talk, FIRST) is None


# ------------------------------------------------------------------ the resolution, and holds


def test_a_resolution_adds_up_our_turns() -> None:
    talk = talk_under(promising(Promise(RESOLUTION, HOUR)))
    talk.accepts(i.OperatorReplied(M("o:1"), AIKO), after=20 * MINUTE)
    talk.accepts(i.CustomerWrote(M("c:2")), after=10 * HOUR)
    assert due(talk, RESOLUTION) == talk.now + 40 * MINUTE
    session = talk.accepts(i.DeadlineFell(), after=40 * MINUTE)
    assert session.missed == (RESOLUTION,)


def test_a_resolution_is_missed_once() -> None:
    talk = talk_under(promising(Promise(RESOLUTION, HOUR)))
    talk.accepts(i.DeadlineFell(), after=HOUR)
    talk.accepts(i.OperatorReplied(M("o:1"), AIKO))
    talk.accepts(i.CustomerWrote(M("c:2")))
    assert due(talk, RESOLUTION) is not None
    assert TimerName.PROMISE not in timers(at_desk(talk)[0], talk.policy)


@pytest.mark.parametrize(("held_counts", "left"), [(False, 40), (True, 10)])
def test_time_on_hold_counts_towards_a_resolution_as_the_policy_says(held_counts: bool, left: int) -> None:
    talk = talk_under(promising(Promise(RESOLUTION, HOUR, held_counts=held_counts)))
    talk.accepts(i.OperatorHeld(AIKO, talk.now + 50 * MINUTE), after=20 * MINUTE)
    talk.accepts(i.CustomerWrote(M("c:2")), after=30 * MINUTE)
    assert due(talk, RESOLUTION) == talk.now + left * MINUTE


def test_on_hold_a_resolution_that_counts_holds_is_missed_all_the_same() -> None:
    talk = talk_under(promising(Promise(RESOLUTION, HOUR, held_counts=True)))
    talk.accepts(i.OperatorHeld(AIKO, talk.now + 10 * HOUR), after=20 * MINUTE)
    session = talk.accepts(i.DeadlineFell(), after=40 * MINUTE)
    assert session.missed == (RESOLUTION,)


def test_a_hold_answers_until_its_time_and_a_response_is_owed_anew_from_there() -> None:
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE)))
    talk.accepts(i.OperatorHeld(AIKO, talk.now + HOUR), after=MINUTE)
    assert due(talk, FIRST) is None
    talk.accepts(i.DeadlineFell(), after=HOUR)
    assert due(talk, FIRST) == talk.now + 5 * MINUTE


def test_where_holds_count_a_response_is_owed_from_when_the_customer_began_to_wait() -> None:
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE, held_counts=True)))
    asked_at = talk.now
    talk.accepts(i.OperatorHeld(AIKO, talk.now + HOUR), after=MINUTE)
    assert due(talk, FIRST) == asked_at + 5 * MINUTE


def test_a_hold_that_lapses_after_a_miss_is_missed_again_when_nobody_answers() -> None:
    """Else the hold would have ended the ladder, and nobody would ever be called for this customer again."""
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE)))
    talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    session = talk.accepts(i.OperatorHeld(AIKO, talk.now + HOUR))
    assert session.escalation is None
    talk.accepts(i.DeadlineFell(), after=HOUR)
    session = talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    assert session.escalation is not None
    assert kinds(talk, f.PromiseMissed) == ["PromiseMissed"] * 2


def test_a_reply_at_night_spends_none_of_the_resolutions_time() -> None:
    talk = talk_under(promising(Promise(RESOLUTION, HOUR, clock=Clock.WALL), hours=OFFICE), at=FIVE + HOUR)
    session = talk.accepts(i.OperatorReplied(M("o:1"), AIKO), after=2 * HOUR)
    assert session.worked == 0


# ------------------------------------------------------------------ warnings


def test_a_warning_goes_to_the_assignee_before_the_miss_and_once() -> None:
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE, 2 * MINUTE)))
    opened_at = talk.now
    talk.accepts(i.OperatorClaimed(AIKO))
    talk.accepts(i.DeadlineFell(), after=opened_at + 3 * MINUTE - talk.now)
    called = [effect for effect in talk.effects if isinstance(effect, e.CallOperators)]
    (call,) = [effect for effect in called if effect.key != "assigned"]
    assert (call.key, call.operator, call.words["promise"]) == ("promise_warned", AIKO, "first_response")
    assert call.words["due"] == str(opened_at + 5 * MINUTE)
    talk.ignores(i.DeadlineFell())


def test_a_warning_is_counted_on_the_promises_own_clock() -> None:
    talk = talk_under(promising(Promise(FIRST, HOUR, 50 * MINUTE), hours=OFFICE), at=FIVE - 5 * MINUTE)
    session, desk = at_desk(talk)
    assert sla.next_warning(session, desk, talk.policy) == DAY + NINE + 5 * MINUTE


def test_who_slept_past_the_promise_is_told_of_the_miss_and_not_warned_of_it() -> None:
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE, 2 * MINUTE)))
    talk.accepts(i.DeadlineFell(), after=3 * HOUR)
    assert kinds(talk, f.PromiseWarned, f.PromiseMissed) == ["PromiseMissed"]


def test_a_warning_that_is_longer_than_the_promise_is_due_at_once() -> None:
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE, HOUR)))
    talk.accepts(i.DeadlineFell(), after=0)
    assert kinds(talk, f.PromiseWarned) == ["PromiseWarned"]


def test_promises_of_several_kinds_run_side_by_side() -> None:
    talk = talk_under(promising(Promise(FIRST, 5 * MINUTE), Promise(RESOLUTION, 5 * MINUTE)))
    session = talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    assert session.missed == (FIRST, RESOLUTION)
    assert kinds(talk, f.EscalationStarted) == ["EscalationStarted"]


def test_a_transfer_keeps_the_wait_and_takes_the_new_desks_promise() -> None:
    policy = promising(Promise(FIRST, 5 * MINUTE))
    patient = replace(policy.desks[WITHDRAWALS], promises=(Promise(FIRST, HOUR),))
    talk = talk_under(replace(policy, desks={**policy.desks, WITHDRAWALS: patient}))
    asked_at = talk.now
    talk.accepts(i.OperatorTransferred(KENJI, WITHDRAWALS), after=2 * MINUTE)
    assert due(talk, FIRST) == asked_at + HOUR


def test_a_promise_of_a_reloaded_policy_holds_from_then_on() -> None:
    talk = talk_under(promising(Promise(FIRST, HOUR)))
    asked_at = talk.now
    talk.policy = promising(Promise(FIRST, 5 * MINUTE))
    assert due(talk, FIRST) == asked_at + 5 * MINUTE
    session = talk.accepts(i.DeadlineFell(), after=10 * MINUTE)
    assert session.missed == (FIRST,)
    assert session.desk == EN
