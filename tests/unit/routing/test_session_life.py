"""A session's life, told in the domain's words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.hours import Hours
from routing.ids import CustomerKey, DeskId, MessageId, Topic
from routing.policy import HOUR, MINUTE
from routing.session import Presence, State, TurnOf
from routing.timers import TimerName, timers
from routing.view import CustomerMessage, CustomerNotice
from tests.unit.routing.builders import AIKO, EN, JA, KENJI, POLICY, WITHDRAWALS, Talk, answered, opened, resolved

M = MessageId


def test_a_first_message_opens_a_session_at_the_desk_of_its_language() -> None:
    talk = opened(language="ja")
    assert talk.session is not None
    assert (talk.session.state, talk.session.desk, talk.session.turn.of) == (State.QUEUED, JA, TurnOf.OURS)
    assert [type(effect) for effect in talk.effects] == [e.OpenThread, e.PostMessage]


def test_a_desk_of_the_topic_takes_what_no_desk_of_the_language_takes() -> None:
    assert POLICY.desk_for("fr", Topic("withdrawals")).id == WITHDRAWALS
    assert POLICY.desk_for("ja", Topic("account")).id == JA


def test_the_first_reply_claims_and_counts_as_first_response() -> None:
    talk = answered()
    assert talk.session is not None
    assert (talk.session.state, talk.session.assignee) == (State.ASSIGNED, AIKO)
    assert talk.session.first_response_at == talk.now
    assert talk.notices() == ["queued", "joined"]
    assert talk.session.waiting_since is None


def test_a_second_claim_is_refused_and_names_the_reason() -> None:
    assert answered().refuses(i.OperatorClaimed(KENJI)) == "already_claimed"


def test_waiting_counts_from_the_first_unanswered_message() -> None:
    talk = answered()
    first = talk.accepts(i.CustomerWrote(M("c:2"))).last_at
    session = talk.accepts(i.CustomerWrote(M("c:3")))
    assert session.waiting_since == first


def test_a_note_is_never_in_the_customers_view() -> None:
    talk = answered()
    before = len(talk.customer_saw())
    talk.accepts(i.OperatorNoted(M("o:note"), AIKO))
    talk.accepts(i.OperatorRevised(M("o:note"), AIKO, 1))
    talk.accepts(i.OperatorWithdrew(M("o:note"), AIKO))
    assert len(talk.customer_saw()) == before


def test_a_hold_is_promised_to_the_customer_and_falls_due() -> None:
    talk = answered()
    talk.accepts(i.OperatorHeld(AIKO, until=talk.now + HOUR))
    assert talk.session is not None
    assert talk.session.turn.of is TurnOf.HELD
    talk.ignores(i.DeadlineFell())
    session = talk.accepts(i.DeadlineFell(), after=HOUR)
    assert session.turn.of is TurnOf.OURS
    assert talk.notices()[-2:] == ["held", "hold_lapsed"]


def test_what_a_hold_promises_is_said_first_and_a_refused_one_promises_nothing() -> None:
    talk = answered()
    assert talk.refuses(i.OperatorHeld(AIKO, 0, M("o:promise"))) == "hold_in_past"
    talk.accepts(i.OperatorHeld(AIKO, talk.now + HOUR, M("o:promise")))
    said, promised = talk.customer_saw()[-2:]
    assert isinstance(said, CustomerMessage)
    assert isinstance(promised, CustomerNotice)
    assert (said.message, promised.key) == ("o:promise", "held")
    assert talk.session is not None
    assert talk.session.turn.of is TurnOf.HELD


@pytest.mark.parametrize(("until", "reason"), [(0, "hold_in_past"), (10**15, "hold_too_long")])
def test_a_hold_must_be_in_reach(until: int, reason: str) -> None:
    assert answered().refuses(i.OperatorHeld(AIKO, until)) == reason


def test_a_customer_who_writes_ends_the_hold() -> None:
    talk = answered()
    talk.accepts(i.OperatorHeld(AIKO, until=talk.now + HOUR))
    session = talk.accepts(i.CustomerWrote(M("c:2")))
    assert session.turn.of is TurnOf.OURS
    assert TimerName.HOLD not in timers(session, POLICY)


def test_an_operators_silence_never_ends_a_session() -> None:
    talk = opened()
    assert talk.session is not None
    assert timers(talk.session, POLICY) == {}
    talk.accepts(i.OperatorClaimed(AIKO))
    assert timers(talk.session, POLICY) == {}


def test_a_customers_silence_counts_only_once_our_last_message_reached_them() -> None:
    talk = answered()
    assert talk.session is not None
    assert TimerName.SILENCE not in timers(talk.session, POLICY)
    session = talk.accepts(i.CustomerReceived(M("o:first")))
    assert timers(session, POLICY)[TimerName.SILENCE] == talk.now + 24 * HOUR
    session = talk.accepts(i.DeadlineFell(), after=24 * HOUR)
    assert (session.state, session.outcome) == (State.RESOLVED, i.Outcome.NO_ANSWER)
    assert talk.notices()[-1] == "no_answer"


def test_an_older_receipt_does_not_start_the_silence() -> None:
    talk = answered()
    talk.accepts(i.OperatorReplied(M("o:second"), AIKO))
    talk.ignores(i.CustomerReceived(M("o:first")))


def test_away_keeps_place_and_assignee_and_turns_into_gone() -> None:
    talk = answered()
    session = talk.accepts(i.CustomerLeft())
    assert (session.presence, session.assignee, session.state) == (Presence.AWAY, AIKO, State.ASSIGNED)
    session = talk.accepts(i.DeadlineFell(), after=10 * MINUTE)
    assert (session.presence, session.assignee) == (Presence.GONE, AIKO)
    assert talk.accepts(i.CustomerArrived()).presence is Presence.HERE


def test_confirming_closes_and_denying_reopens_to_the_same_operator() -> None:
    talk = resolved()
    assert talk.accepts(i.CustomerAnswered(solved=True)).state is State.CLOSED
    talk = resolved()
    session = talk.accepts(i.CustomerAnswered(solved=False))
    assert (session.state, session.assignee, session.reopenings) == (State.ASSIGNED, AIKO, 1)


def test_writing_after_resolved_reopens() -> None:
    talk = resolved()
    session = talk.accepts(i.CustomerWrote(M("c:again")))
    assert (session.state, session.outcome) == (State.ASSIGNED, None)


def test_nobody_answering_closes_in_the_end() -> None:
    talk = resolved()
    session = talk.accepts(i.DeadlineFell(), after=24 * HOUR)
    assert (session.state, session.outcome) == (State.CLOSED, i.Outcome.SOLVED)


def test_ending_before_an_answer_is_an_abandonment() -> None:
    assert opened().accepts(i.CustomerEnded()).outcome is i.Outcome.ABANDONED
    assert answered().accepts(i.CustomerEnded()).outcome is i.Outcome.ENDED


def test_how_we_count_an_ending_is_not_told_to_the_customer() -> None:
    talk = opened()
    talk.accepts(i.OperatorResolved(AIKO, i.Outcome.SPAM))
    assert talk.notices() == ["queued", "closed"]


def test_a_transfer_to_another_channel_opens_a_second_mirror() -> None:
    talk = answered()
    session = talk.accepts(i.OperatorTransferred(AIKO, WITHDRAWALS))
    assert (session.state, session.assignee, session.desk) == (State.QUEUED, None, WITHDRAWALS)
    assert [mirror.number for mirror in session.mirrors] == [1, 2]
    moved, opened_thread, history = talk.effects[-3:]
    assert isinstance(moved, e.PostLine)
    assert (moved.to, moved.mirror) == ("slack", 1)
    assert isinstance(opened_thread, e.OpenThread)
    assert (opened_thread.to, opened_thread.mirror) == ("console", 2)
    assert isinstance(history, e.PostHistory)
    assert (history.to, history.mirror) == ("console", 2)


def test_who_moves_a_session_on_owes_the_customer_somebody() -> None:
    """They had our last word, and are told that another team takes over: it is our turn again."""
    session = answered().accepts(i.OperatorTransferred(AIKO, JA))
    assert session.turn.of is TurnOf.OURS
    assert session.waiting
    assert session.waiting_since == session.last_at


def test_a_move_to_a_closed_desk_says_when_it_opens() -> None:
    opens = 10 * HOUR
    closed = {**POLICY.desks, JA: replace(POLICY.desks[JA], hours=Hours(((opens, 2 * opens),)))}
    talk = answered()
    talk.policy = replace(POLICY, desks=closed)
    session = talk.accepts(i.OperatorTransferred(AIKO, JA))
    assert session.opens_at == opens
    assert talk.notices()[-2:] == ["moved", "outside_hours"]
    assert timers(session, talk.policy)[TimerName.OPENING] == opens
    given = answered()
    given.policy = talk.policy
    assert given.accepts(i.OperatorTransferred(AIKO, JA, to=KENJI)).opens_at is None, "somebody has it"


def test_who_is_told_that_all_is_solved_hears_of_no_closed_desk() -> None:
    talk = resolved()
    shut = replace(POLICY.desks[JA], languages=(), hours=Hours(((10 * HOUR, 20 * HOUR),)))
    elsewhere = {AIKO: replace(POLICY.operators[AIKO], desks=(EN,))}
    talk.policy = replace(POLICY, desks={JA: shut}, operators=elsewhere)
    session = talk.accepts(i.DeskRemoved())
    assert (session.desk, session.state, session.assignee) == (JA, State.RESOLVED, None)
    assert session.opens_at is None
    assert "outside_hours" not in talk.notices()


def test_a_late_reply_in_the_old_thread_is_refused() -> None:
    talk = answered()
    talk.accepts(i.OperatorTransferred(AIKO, JA))
    assert talk.refuses(i.OperatorReplied(M("s:late"), AIKO, i.Origin(1))) == "moved"


def test_a_transfers_reason_is_a_note_where_it_is_left_and_in_the_history_that_comes_along() -> None:
    talk = answered()
    talk.accepts(i.OperatorTransferred(AIKO, JA, reason=M("o:why")))
    assert [type(fact).__name__ for fact in talk.facts[-3:-1]] == ["NoteAdded", "OperatorUnassigned"]
    notes = [one for one in talk.effects if isinstance(one, e.PostMessage) and one.message == "o:why"]
    assert [(one.mirror, one.side) for one in notes] == [(1, "note")]
    history = next(one for one in talk.effects if isinstance(one, e.PostHistory))
    assert talk.effects.index(history) > talk.effects.index(notes[0])
    assert all(getattr(event, "message", "") != "o:why" for event in talk.customer_saw())


def test_a_transfer_to_a_colleague_stays_in_the_thread() -> None:
    talk = answered()
    session = talk.accepts(i.OperatorTransferred(AIKO, EN, to=KENJI))
    assert (session.assignee, len(session.mirrors)) == (KENJI, 1)
    assert talk.refuses(i.OperatorTransferred(KENJI, DeskId("nowhere"))) == "unknown_desk"
    assert talk.refuses(i.OperatorTransferred(KENJI, EN)) == "same_desk"


def test_words_written_in_the_thread_are_not_posted_there_again() -> None:
    talk = opened()
    before = len(talk.effects)
    talk.accepts(i.OperatorReplied(M("s:1"), AIKO, i.Origin(1)))
    assert len(talk.effects) == before
    talk.accepts(i.OperatorReplied(M("o:1"), AIKO))
    assert isinstance(talk.effects[-1], e.PostMessage)


def test_only_the_author_edits_and_only_in_time() -> None:
    talk = answered()
    assert talk.refuses(i.OperatorRevised(M("o:first"), KENJI, 1)) == "not_author"
    assert talk.refuses(i.CustomerWithdrew(M("o:first"))) == "not_author"
    talk.now += 16 * MINUTE
    assert talk.refuses(i.OperatorRevised(M("o:first"), AIKO, 1)) == "too_late"


def test_an_edit_that_overtook_its_message_is_kept_and_applied() -> None:
    talk = opened()
    talk.accepts(i.OperatorRevised(M("s:2"), AIKO, 7))
    session = talk.accepts(i.OperatorReplied(M("s:2"), AIKO, i.Origin(1)))
    spoken = session.spoken(M("s:2"))
    assert spoken is not None
    assert spoken.revision == 7
    assert session.early == ()


def test_a_withdrawal_that_overtook_its_message_keeps_it_from_the_mirror() -> None:
    talk = opened()
    talk.accepts(i.CustomerWithdrew(M("c:2")))
    before = len(talk.effects)
    talk.accepts(i.CustomerWrote(M("c:2")))
    assert len(talk.effects) == before


def test_of_several_edits_that_overtook_their_message_the_newest_counts_and_a_withdrawal_above_all() -> None:
    talk = opened()
    talk.accepts(i.OperatorRevised(M("s:2"), AIKO, 9))
    talk.accepts(i.OperatorRevised(M("s:2"), AIKO, 7))
    session = talk.accepts(i.OperatorReplied(M("s:2"), AIKO, i.Origin(1)))
    spoken = session.spoken(M("s:2"))
    assert spoken is not None
    assert spoken.revision == 9
    talk.accepts(i.OperatorWithdrew(M("s:3"), AIKO))
    talk.accepts(i.OperatorRevised(M("s:3"), AIKO, 4))
    session = talk.accepts(i.OperatorReplied(M("s:3"), AIKO, i.Origin(1)))
    spoken = session.spoken(M("s:3"))
    assert spoken is not None
    assert spoken.withdrawn
    last = [fact for fact in talk.facts if getattr(fact, "message", "") == "s:3"][-1]
    assert isinstance(last, f.MessageWithdrawn), "nothing brings the words up again"


def test_an_edit_of_a_message_too_old_to_know_says_so() -> None:
    assert opened().refuses(i.OperatorRevised(M("s:old"), AIKO, 1, committed=True)) == "too_late"


def test_an_older_revision_changes_nothing() -> None:
    talk = answered()
    talk.accepts(i.OperatorRevised(M("o:first"), AIKO, 3))
    talk.ignores(i.OperatorRevised(M("o:first"), AIKO, 2))


def test_a_visitors_session_is_linked_and_an_accounts_never_changes_hands() -> None:
    talk = opened()
    account = CustomerKey("main", "u-1")
    session = talk.accepts(i.CustomerLinked(account))
    assert (session.customer, session.verified) == (account, True)
    assert talk.refuses(i.CustomerLinked(CustomerKey("main", "u-2"))) == "not_yours"


def test_erasing_closes_and_deletes_every_mirror() -> None:
    talk = answered()
    talk.accepts(i.OperatorTransferred(AIKO, JA))
    session = talk.accepts(i.ErasureOrdered())
    assert (session.state, session.erased) == (State.CLOSED, True)
    deletions = [effect for effect in talk.effects if isinstance(effect, e.DeleteMirror)]
    assert [effect.mirror for effect in deletions] == [1, 2]
    talk.ignores(i.ErasureOrdered())


def test_an_offer_lapses_and_goes_to_nobody_twice() -> None:
    talk = opened()
    talk.accepts(i.OfferProposed(AIKO, until=talk.now + MINUTE))
    talk.ignores(i.OfferProposed(KENJI, until=talk.now + MINUTE))
    session = talk.accepts(i.DeadlineFell(), after=MINUTE)
    assert session.offer is None


def test_fact_times_never_decrease_when_the_clock_steps_back() -> None:
    talk = opened()
    talk.now -= 500_000
    talk.accepts(i.CustomerWrote(M("c:2")))
    times = [fact.at for fact in talk.facts]
    assert times == sorted(times)


def test_the_same_input_names_the_same_effects_whatever_the_version() -> None:
    one, other = opened(), opened()
    other.accepts(i.OperatorClaimed(AIKO))
    first = one.hears(i.CustomerWrote(M("c:2")), key="web/2")
    second = other.hears(i.CustomerWrote(M("c:2")), key="web/2")
    assert [effect.id for effect in first.effects] == [effect.id for effect in second.effects]  # type: ignore[union-attr]  # both are decisions


def test_first_response_abandonment_holds_transfers_and_outcome_can_be_told_from_the_facts_alone() -> None:
    talk = answered()
    talk.accepts(i.OperatorHeld(AIKO, until=talk.now + HOUR))
    talk.accepts(i.OperatorReplied(M("o:2"), AIKO))
    talk.accepts(i.OperatorTransferred(AIKO, JA, to=KENJI))
    talk.accepts(i.OperatorResolved(KENJI))
    talk.accepts(i.CustomerWrote(M("c:2")))
    kinds = [type(fact) for fact in talk.facts]
    assert kinds.count(f.HoldStarted) == kinds.count(f.SessionTransferred) == kinds.count(f.SessionReopened) == 1
    first = next(fact for fact in talk.facts if isinstance(fact, f.ReplyAdded))
    assert (first.operator, first.desk, first.actor) == (AIKO, EN, f.Actor.OPERATOR)


def test_a_talk_retold_from_its_facts_is_the_same() -> None:
    talk = resolved()
    assert isinstance(talk, Talk)
    assert talk.retold() == talk.session
