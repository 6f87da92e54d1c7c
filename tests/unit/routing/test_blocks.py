"""Blocking a customer: what runs ends, and nothing new begins before the time is over."""

from __future__ import annotations

import pytest

from routing import facts as f
from routing import inputs as i
from routing.decide import Decision, decide
from routing.ids import InputKey, MessageId
from routing.policy import HOUR
from routing.session import State
from tests.unit.routing.builders import AIKO, KENJI, POLICY, Talk, answered, opened, opening, resolved


@pytest.mark.parametrize("make", [opened, answered, resolved])
def test_a_block_ends_what_runs_as_spam_and_the_customer_hears_only_that_it_is_over(make: type[Talk]) -> None:
    talk = make()
    before = talk.notices()
    session = talk.accepts(i.OperatorBlocked(AIKO, i.FOR_GOOD))
    assert (session.state, session.outcome, session.blocked_until) == (State.CLOSED, i.Outcome.SPAM, i.FOR_GOOD)
    assert talk.notices()[len(before) :] == ["closed"]
    assert talk.retold() == session


def test_who_is_blocked_opens_no_session_before_the_time_is_over() -> None:
    talk = Talk()
    wrote = i.CustomerWrote(MessageId("c:1"), opening(blocked_until=talk.now + HOUR))
    assert talk.refuses(wrote) == "not_taken_here"
    verdict = decide(None, wrote, key=InputKey("later"), now=talk.now + 2 * HOUR, policy=POLICY)
    assert isinstance(verdict, Decision)


def test_a_closed_session_can_still_block_and_unblock_and_says_who_did() -> None:
    talk = answered()
    talk.accepts(i.CustomerEnded())
    assert talk.refuses(i.OperatorUnblocked(KENJI)) == "not_blocked"
    assert talk.accepts(i.OperatorBlocked(AIKO, talk.now + HOUR)).blocked_by == AIKO
    assert talk.accepts(i.OperatorUnblocked(KENJI)).blocked_until is None
    said = [(type(fact).__name__, fact.operator) for fact in talk.facts[-2:]]  # type: ignore[attr-defined]  # both have one
    assert said == [("CustomerBlocked", AIKO), ("CustomerUnblocked", KENJI)]


def test_a_block_that_is_over_already_is_refused_and_changes_nothing() -> None:
    talk = answered()
    assert talk.refuses(i.OperatorBlocked(AIKO, talk.now)) == "block_in_past"
    assert talk.session is not None
    assert talk.session.state is State.ASSIGNED


def test_tags_are_recorded_with_the_resolution_and_go_when_it_is_opened_again() -> None:
    talk = answered()
    session = talk.accepts(i.OperatorResolved(AIKO, tags=("fees", "kyc")))
    assert session.tags == ("fees", "kyc")
    assert [fact.tags for fact in talk.facts if isinstance(fact, f.SessionResolved)] == [("fees", "kyc")]
    assert talk.accepts(i.CustomerAnswered(False)).tags == ()
