"""The ladder: who is called, when, how often, and what ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.decide import Decision
from routing.ids import EffectId, MessageId, NetworkName, OperatorId, Topic
from routing.policy import (
    HOUR,
    MINUTE,
    Contact,
    Ladder,
    Policy,
    Promise,
    Promised,
    Rota,
    Rung,
    RungKind,
    Shift,
    TopicRules,
)
from routing.session import Escalation, State
from routing.timers import TimerName, timers
from tests.unit.routing.builders import ACCOUNT, AIKO, EN, JA, KENJI, POLICY, THEFT, WITHDRAWALS, Talk, opening

M = MessageId
MENTION = Rung(RungKind.THREAD)
DIRECT = Rung(RungKind.ON_CALL, after=2 * MINUTE, every=MINUTE, times=2)
PAGE = Rung(RungKind.PAGER, "night", after=3 * MINUTE, every=5 * MINUTE)
NIGHTS = {"night": Rota((Shift(0, 10**15, KENJI),))}
FIVE_MINUTES = (Promise(Promised.FIRST_RESPONSE, 5 * MINUTE), Promise(Promised.NEXT_RESPONSE, 5 * MINUTE))


def climbing(
    *rungs: Rung, rotas: dict[str, Rota] | None = None, contact: Contact | None = None, promises: bool = True
) -> Policy:
    """Every desk has this ladder, and starts it after five minutes without an answer."""
    desks = {
        name: replace(
            desk,
            ladder=Ladder(rungs),
            rota="night",
            promises=FIVE_MINUTES if promises else (),
            contact=contact or Contact(),
        )
        for name, desk in POLICY.desks.items()
    }
    rules = {THEFT: TopicRules(THEFT, emergency=True)}
    return replace(POLICY, desks=desks, rotas=NIGHTS if rotas is None else rotas, topic_rules=rules)


def waiting(policy: Policy, topic: Topic = ACCOUNT) -> Talk:
    talk = Talk(policy)
    talk.accepts(i.CustomerWrote(M("c:1"), opening(topic=topic)))
    return talk


def late(policy: Policy) -> Talk:
    """A customer who has waited for the five minutes that were promised, and whose ladder has just begun."""
    talk = waiting(policy)
    talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    return talk


def ladder(talk: Talk) -> Escalation:
    assert talk.session is not None
    assert talk.session.escalation is not None
    return talk.session.escalation


def calls(talk: Talk) -> list[str]:
    """Whom the ladder has called so far."""
    called = []
    for effect in talk.effects:
        if isinstance(effect, e.CallOperators) and effect.key != "assigned":
            called.append(f"{effect.kind} {effect.to_whom or effect.operator or ''}".strip())
        elif isinstance(effect, e.Page):
            called.append(f"pager {effect.pager}")
    return called


def next_in(talk: Talk) -> int:
    """ms until the ladder's next step."""
    assert talk.session is not None
    return timers(talk.session, talk.policy)[TimerName.RUNG] - talk.now


def climb(talk: Talk, steps: int) -> None:
    """The next steps fall, each on time."""
    for _ in range(steps):
        talk.accepts(i.DeadlineFell(), after=next_in(talk))


# ------------------------------------------------------------------ what starts it


def test_a_missed_promise_starts_the_ladder_and_says_why() -> None:
    talk = late(climbing(MENTION))
    assert (ladder(talk).why, ladder(talk).rung) == ("first_response", 0)
    assert calls(talk) == ["thread"]


@pytest.mark.parametrize("rungs", [(MENTION,), (Rung(RungKind.PAGER, "night"),)], ids=["thread", "pager"])
def test_an_emergency_starts_it_with_the_very_first_message(rungs: Sequence[Rung]) -> None:
    talk = waiting(climbing(*rungs), THEFT)
    assert ladder(talk).why == "emergency"
    assert len(calls(talk)) == 1


def test_an_operator_starts_it_by_hand_and_only_once() -> None:
    talk = waiting(climbing(MENTION, promises=False))
    talk.accepts(i.OperatorEscalated(AIKO))
    assert ladder(talk).why == "by_hand"
    assert talk.refuses(i.OperatorEscalated(KENJI)) == "escalated_already"


def test_a_second_miss_does_not_start_it_anew() -> None:
    policy = climbing(MENTION, DIRECT)
    both = (*FIVE_MINUTES, Promise(Promised.RESOLUTION, 6 * MINUTE))
    policy = replace(policy, desks={name: replace(one, promises=both) for name, one in policy.desks.items()})
    talk = late(policy)
    begun = ladder(talk).id
    talk.accepts(i.DeadlineFell(), after=MINUTE)
    assert ladder(talk).id == begun
    assert calls(talk) == ["thread"]


def test_it_has_one_name_however_often_its_start_is_tried() -> None:
    """The pager's page is known by it, so a retry must not open a second one."""
    one, other = waiting(climbing(PAGE)), waiting(climbing(PAGE))
    for talk in (one, other):
        talk.hears(i.DeadlineFell(), after=5 * MINUTE, key="deadline/1")
    assert ladder(one).id == ladder(other).id


def test_an_escalation_by_hand_where_no_ladder_is_calls_in_the_thread_all_the_same() -> None:
    talk = waiting(climbing(promises=False))
    talk.accepts(i.OperatorEscalated(AIKO))
    assert calls(talk) == ["thread"]
    assert talk.session is not None
    assert TimerName.RUNG not in timers(talk.session, talk.policy)


# ------------------------------------------------------------------ its steps


def test_each_rung_has_its_delay_and_its_repeats_and_the_last_one_goes_on_for_ever() -> None:
    talk = late(climbing(MENTION, DIRECT, PAGE))
    waits = []
    for _ in range(6):
        waits.append(next_in(talk))
        climb(talk, 1)
    assert waits == [2 * MINUTE, MINUTE, 3 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE]
    assert calls(talk) == ["thread", "on_call kenji", "on_call kenji", *["pager night"] * 4]


def test_rungs_without_a_delay_fire_together() -> None:
    talk = late(climbing(MENTION, Rung(RungKind.CHANNEL, "C-DESK"), Rung(RungKind.GROUP, "S-LEADS", after=MINUTE)))
    assert calls(talk) == ["thread", "channel C-DESK"]


def test_the_thread_mentions_who_holds_the_session() -> None:
    talk = waiting(climbing(MENTION))
    talk.accepts(i.OperatorClaimed(AIKO))
    talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    assert calls(talk) == ["thread aiko"]


def test_where_the_rota_has_a_gap_the_desks_channel_is_called() -> None:
    talk = late(climbing(replace(DIRECT, after=0), rotas={}))
    assert calls(talk) == ["channel"]


def test_who_is_on_call_is_looked_up_when_the_rung_fires() -> None:
    talk = waiting(climbing(MENTION, DIRECT))
    handover = talk.now + 6 * MINUTE
    talk.policy = replace(
        talk.policy, rotas={"night": Rota((Shift(0, handover, AIKO), Shift(handover, 10**15, KENJI)))}
    )
    talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    climb(talk, 1)
    assert calls(talk)[-1] == "on_call kenji"


def test_a_page_goes_to_the_pagers_lane_and_names_the_escalation() -> None:
    talk = late(climbing(replace(PAGE, after=0)))
    climb(talk, 1)
    first, again = (effect for effect in talk.effects if isinstance(effect, e.Page))
    assert (first.to, first.mirror, first.cause, first.operator) == (NetworkName("oncall"), 0, "first_response", KENJI)
    assert first.escalation == again.escalation == ladder(talk).id
    assert first.id != again.id


def test_a_rung_that_is_repeated_without_a_pause_still_leaves_one() -> None:
    talk = late(climbing(Rung(RungKind.PAGER, "night", every=0)))
    assert next_in(talk) >= 1_000
    assert calls(talk) == ["pager night"]


def test_the_last_rung_offers_other_contact_once() -> None:
    talk = late(climbing(MENTION, PAGE, contact=Contact(mail="help@example.com")))
    assert "contact_offered" not in talk.notices()
    climb(talk, 3)
    assert talk.notices().count("contact_offered") == 1


def test_a_desk_without_other_contact_offers_none() -> None:
    assert "contact_offered" not in late(climbing(MENTION)).notices()


# ------------------------------------------------------------------ a long sleep


@pytest.mark.parametrize("hours", [1, 9, 200])
def test_a_process_that_was_down_for_hours_calls_one_rung_and_not_all_at_once(hours: int) -> None:
    talk = waiting(climbing(MENTION, DIRECT, PAGE))
    talk.accepts(i.DeadlineFell(), after=hours * HOUR)
    assert calls(talk) == ["thread"]
    assert next_in(talk) == 2 * MINUTE
    talk.accepts(i.DeadlineFell(), after=hours * HOUR)
    assert calls(talk) == ["thread", "on_call kenji"]


def test_a_process_that_slept_through_many_repeats_pages_once() -> None:
    talk = late(climbing(replace(PAGE, after=0)))
    talk.accepts(i.DeadlineFell(), after=9 * HOUR)
    assert calls(talk) == ["pager night"] * 2
    assert next_in(talk) == 5 * MINUTE


def test_who_acknowledged_before_a_long_sleep_is_reminded_first() -> None:
    talk = late(climbing(MENTION, replace(PAGE, after=0)))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    talk.accepts(i.DeadlineFell(), after=9 * HOUR)
    assert ladder(talk).reminded
    assert calls(talk)[-1] == "thread kenji"


# ------------------------------------------------------------------ an acknowledgement is a promise


def test_an_acknowledgement_stops_the_ladder_then_reminds_then_goes_on() -> None:
    talk = late(climbing(MENTION, DIRECT, PAGE))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    assert next_in(talk) == 10 * MINUTE
    climb(talk, 1)
    assert calls(talk) == ["thread", "thread kenji"]
    assert next_in(talk) == 10 * MINUTE
    climb(talk, 1)
    assert ladder(talk).acknowledged_by is None
    assert calls(talk)[-1] == "on_call kenji"
    assert "escalation_resumed" in [effect.key for effect in talk.effects if isinstance(effect, e.PostLine)]


def test_an_acknowledgement_kept_by_an_answer_ends_it_all() -> None:
    talk = late(climbing(MENTION, DIRECT))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    session = talk.accepts(i.OperatorReplied(M("o:1"), KENJI), after=9 * MINUTE)
    assert session.escalation is None
    assert TimerName.RUNG not in timers(session, talk.policy)


def test_the_same_acknowledgement_again_gains_no_time() -> None:
    talk = late(climbing(MENTION, DIRECT))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    talk.ignores(i.OperatorAcknowledged(KENJI))


def test_another_operator_may_take_it_over_with_a_time_of_their_own() -> None:
    talk = late(climbing(MENTION, DIRECT))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    climb(talk, 1)
    talk.accepts(i.OperatorAcknowledged(AIKO), after=MINUTE)
    assert (ladder(talk).acknowledged_by, ladder(talk).reminded) == (AIKO, False)
    assert next_in(talk) == 10 * MINUTE


def test_after_it_went_on_the_same_operator_may_acknowledge_again() -> None:
    talk = late(climbing(MENTION, DIRECT))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    climb(talk, 2)
    talk.accepts(i.OperatorAcknowledged(KENJI))
    assert ladder(talk).acknowledged_by == KENJI


def test_an_acknowledgement_before_any_rung_fired_delays_the_first_one() -> None:
    talk = late(climbing(replace(DIRECT, after=2 * MINUTE)))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    climb(talk, 2)
    assert calls(talk) == ["thread kenji", "on_call kenji"]


def test_where_nothing_is_escalated_there_is_nothing_to_acknowledge() -> None:
    assert waiting(climbing(MENTION)).refuses(i.OperatorAcknowledged(KENJI)) == "not_escalated"


def test_where_no_ladder_is_an_acknowledger_is_reminded_once_and_let_off() -> None:
    talk = waiting(climbing(promises=False))
    talk.accepts(i.OperatorEscalated(AIKO))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    climb(talk, 2)
    assert calls(talk) == ["thread", "thread kenji"]
    assert talk.session is not None
    assert TimerName.RUNG not in timers(talk.session, talk.policy)


# ------------------------------------------------------------------ what the customer is told


def test_the_customer_hears_of_a_specialist_only_once_a_page_was_accepted() -> None:
    talk = late(climbing(replace(PAGE, after=0)))
    assert "escalated" not in talk.notices()
    talk.accepts(i.PageAccepted(ladder(talk).id, "night"))
    talk.ignores(i.PageAccepted(ladder(talk).id, "day"))
    assert talk.notices().count("escalated") == 1


def test_a_page_that_was_accepted_after_the_answer_tells_the_customer_nothing() -> None:
    talk = late(climbing(replace(PAGE, after=0)))
    escalation = ladder(talk).id
    talk.accepts(i.OperatorReplied(M("o:1"), AIKO))
    talk.ignores(i.PageAccepted(escalation, "night"))


def test_a_page_of_an_earlier_escalation_says_nothing_of_this_one() -> None:
    talk = late(climbing(replace(PAGE, after=0)))
    talk.ignores(i.PageAccepted(EffectId("an earlier one"), "night"))


def test_taken_is_told_with_its_time_to_who_was_told_of_a_specialist() -> None:
    talk = late(climbing(replace(PAGE, after=0)))
    talk.accepts(i.PageAccepted(ladder(talk).id, "night"))
    talk.accepts(i.OperatorAcknowledged(KENJI, via="night"))
    taken = talk.customer_saw()[-1]
    assert getattr(taken, "key", None) == "escalation_taken"
    assert getattr(taken, "until", None) == talk.now


def test_taken_is_not_told_to_who_was_not() -> None:
    talk = late(climbing(MENTION))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    assert "escalation_taken" not in talk.notices()


# ------------------------------------------------------------------ what ends it

ENDS = {
    "a reply": i.OperatorReplied(M("o:1"), AIKO),
    "a hold": i.OperatorHeld(AIKO, until=10_000_000),
    "resolving": i.OperatorResolved(AIKO),
    "the customer's end": i.CustomerEnded(),
    "an erasure": i.ErasureOrdered(),
}


@pytest.mark.parametrize("event", ENDS.values(), ids=ENDS)
def test_it_ends_and_its_page_with_it(event: i.Input) -> None:
    talk = late(climbing(replace(PAGE, after=0)))
    escalation = ladder(talk).id
    session = talk.accepts(event)
    assert session.escalation is None
    assert [one.escalation for one in talk.effects if isinstance(one, e.EndPage)] == [escalation]


def test_the_page_is_acknowledged_and_ended_in_its_own_lane_only_where_one_was_sent() -> None:
    talk = late(climbing(MENTION))
    talk.accepts(i.OperatorAcknowledged(KENJI))
    talk.accepts(i.OperatorReplied(M("o:1"), KENJI))
    assert not [one for one in talk.effects if isinstance(one, e.AcknowledgePage | e.EndPage)]


def test_a_note_a_claim_and_a_transfer_do_not_end_it() -> None:
    talk = late(climbing(MENTION, DIRECT))
    talk.accepts(i.OperatorNoted(M("o:note"), AIKO))
    talk.accepts(i.OperatorClaimed(AIKO))
    talk.accepts(i.OperatorTransferred(AIKO, JA))
    assert ladder(talk).rung == 0


def test_who_writes_again_after_an_answer_gets_a_ladder_of_their_own() -> None:
    talk = late(climbing(MENTION))
    first = ladder(talk).id
    talk.accepts(i.OperatorReplied(M("o:1"), AIKO))
    talk.accepts(i.CustomerWrote(M("c:2")))
    talk.accepts(i.DeadlineFell(), after=5 * MINUTE)
    assert ladder(talk).id != first
    assert ladder(talk).why == "next_response"


# ------------------------------------------------------------------ another ladder meanwhile


def with_ladder(policy: Policy, desk: str, *rungs: Rung) -> Policy:
    desks = {name: replace(one, ladder=Ladder(rungs)) if name == desk else one for name, one in policy.desks.items()}
    return replace(policy, desks=desks)


def test_a_session_that_moves_goes_on_where_the_new_desks_ladder_is() -> None:
    policy = with_ladder(climbing(MENTION, DIRECT, PAGE), WITHDRAWALS, MENTION, Rung(RungKind.GROUP, "S-LEADS"), PAGE)
    talk = late(policy)
    climb(talk, 2)
    talk.accepts(i.OperatorTransferred(AIKO, WITHDRAWALS))
    climb(talk, 1)
    assert calls(talk)[-1] == "pager night"


def test_a_session_that_moves_to_a_desk_without_a_ladder_waits_there_and_is_still_escalated() -> None:
    talk = late(with_ladder(climbing(MENTION, DIRECT), WITHDRAWALS))
    session = talk.accepts(i.OperatorTransferred(AIKO, WITHDRAWALS))
    assert session.escalation is not None
    assert TimerName.RUNG not in timers(session, talk.policy)


def test_a_ladder_that_a_reload_made_shorter_goes_on_with_its_last_rung() -> None:
    talk = late(climbing(MENTION, DIRECT, PAGE))
    climb(talk, 2)
    talk.policy = climbing(MENTION, Rung(RungKind.GROUP, "S-LEADS", every=7 * MINUTE))
    assert next_in(talk) == 7 * MINUTE
    climb(talk, 2)
    assert calls(talk)[-2:] == ["group S-LEADS"] * 2


def test_a_ladder_that_a_reload_made_longer_goes_on_with_the_new_rung() -> None:
    talk = late(climbing(MENTION))
    climb(talk, 2)
    talk.policy = climbing(MENTION, PAGE)
    climb(talk, 1)
    assert calls(talk) == ["thread"] * 3 + ["pager night"]


def test_a_ladder_that_a_reload_took_away_stops_and_starts_again_with_a_new_one() -> None:
    talk = late(climbing(MENTION, DIRECT))
    ladder_before, talk.policy = talk.policy, climbing()
    talk.ignores(i.DeadlineFell())
    talk.policy = ladder_before
    talk.accepts(i.DeadlineFell(), after=2 * MINUTE)
    assert calls(talk)[-1] == "on_call kenji"


def test_it_is_the_same_told_from_the_journal() -> None:
    talk = late(climbing(MENTION, DIRECT, replace(PAGE, after=MINUTE)))
    climb(talk, 4)
    talk.accepts(i.PageAccepted(ladder(talk).id, "night"))
    talk.accepts(i.OperatorAcknowledged(OperatorId("pager"), via="night"))
    climb(talk, 3)
    assert talk.retold() == talk.session


def test_an_escalation_of_a_resolved_session_reopens_it() -> None:
    talk = waiting(climbing(MENTION, promises=False))
    talk.accepts(i.OperatorReplied(M("o:1"), AIKO))
    talk.accepts(i.OperatorResolved(AIKO))
    verdict = talk.hears(i.OperatorEscalated(AIKO))
    assert isinstance(verdict, Decision)
    assert verdict.session.state is State.ASSIGNED
    assert [type(fact) for fact in verdict.facts[-2:]] == [f.EscalationStarted, f.RungFired]
    assert verdict.session.desk == EN
