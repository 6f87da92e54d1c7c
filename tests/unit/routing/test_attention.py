"""Nobody misses anything, and nobody is told twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.attention import DeliveryState, delivery
from routing.facts import Waits
from routing.hours import Hours
from routing.ids import DeskId, MessageId, OperatorId, Topic
from routing.policy import (
    MINUTE,
    Alert,
    AlertBy,
    Clock,
    Ladder,
    Policy,
    Promise,
    Promised,
    Rung,
    RungKind,
    TopicRules,
)
from routing.session import Presence, State
from routing.timers import TimerName, timers
from tests.unit.routing.builders import AIKO, EN, JA, KENJI, POLICY, THEFT, WITHDRAWALS, Talk, opening

AVAILABLE = Alert(AlertBy.AVAILABLE)
HERE_IN_THREAD = i.Origin(1)


def policy(**changed: Any) -> Policy:
    """Every desk alerts whoever is available."""
    fields = {"alert": AVAILABLE, **changed}
    return replace(POLICY, desks={name: replace(desk, **fields) for name, desk in POLICY.desks.items()})


def talk(rules: Policy | None = None, **changed: Any) -> Talk:
    one = Talk(rules or policy())
    one.accepts(i.CustomerWrote(MessageId("c:first"), opening(**changed)))
    return one


def writes(one: Talk, number: int = 0, *, after: int = 1_000) -> None:
    one.accepts(i.CustomerWrote(MessageId(f"c:{number or len(one.facts)}")), after=after)


def mentions(one: Talk) -> list[tuple[str, str, int]]:
    """(key, whom, mirror) of each call in a thread."""
    return [(call.key, call.operator or "", call.mirror) for call in one.effects if isinstance(call, e.CallOperators)]


def alerts(one: Talk) -> list[str]:
    return [effect.why for effect in one.effects if isinstance(effect, e.AlertDesk)]


# ------------------------------------------------------------------ the assignee


def test_who_presses_claim_is_mentioned_once() -> None:
    one = talk()
    one.accepts(i.OperatorClaimed(KENJI))
    writes(one)
    one.accepts(i.OperatorReplied(MessageId("o:1"), KENJI, HERE_IN_THREAD))
    assert mentions(one) == [("assigned", KENJI, 1)]


def test_who_claims_by_writing_in_the_thread_follows_it_already() -> None:
    one = talk()
    one.accepts(i.OperatorReplied(MessageId("o:1"), KENJI, HERE_IN_THREAD))
    assert mentions(one) == []


def test_who_claims_by_writing_on_the_desk_page_is_mentioned_after_their_words() -> None:
    one = talk()
    one.accepts(i.OperatorReplied(MessageId("o:1"), KENJI))
    assert [type(effect) for effect in one.effects[-2:]] == [e.PostMessage, e.CallOperators]
    assert mentions(one) == [("assigned", KENJI, 1)]


def test_who_was_mentioned_by_the_offer_is_not_mentioned_again_for_taking_it() -> None:
    one = talk()
    one.accepts(i.OfferProposed(KENJI, one.now + MINUTE))
    one.accepts(i.OperatorClaimed(KENJI))
    assert mentions(one) == [("offered", KENJI, 1)]


def test_who_takes_what_was_offered_to_another_is_mentioned() -> None:
    one = talk()
    one.accepts(i.OfferProposed(AIKO, one.now + MINUTE))
    one.accepts(i.OperatorClaimed(KENJI))
    assert mentions(one)[-1] == ("assigned", KENJI, 1)


def test_who_is_given_a_session_is_mentioned_though_they_wrote_there_before() -> None:
    one = talk()
    one.accepts(i.OperatorNoted(MessageId("o:note"), AIKO, HERE_IN_THREAD))
    one.accepts(i.OperatorClaimed(KENJI))
    one.accepts(i.OperatorTransferred(KENJI, EN, AIKO))
    assert mentions(one) == [("assigned", KENJI, 1), ("assigned", AIKO, 1)]


def test_who_lost_it_and_gets_it_back_is_mentioned_again() -> None:
    one = talk()
    one.accepts(i.OperatorClaimed(KENJI))
    one.accepts(i.OperatorReleased(KENJI))
    one.accepts(i.OperatorClaimed(KENJI))
    assert mentions(one) == [("assigned", KENJI, 1), ("assigned", KENJI, 1)]


def test_a_new_thread_is_not_followed_by_who_followed_the_old_one() -> None:
    one = talk()
    one.accepts(i.OperatorReplied(MessageId("o:1"), KENJI, HERE_IN_THREAD))
    one.accepts(i.OperatorTransferred(KENJI, JA, KENJI))
    assert mentions(one) == [("assigned", KENJI, 2)]
    assert isinstance(one.effects[-1], e.CallOperators)  # beneath the history, where it is read


def test_who_only_closed_the_books_is_mentioned_when_the_customer_comes_back() -> None:
    one = talk()
    one.accepts(i.OperatorResolved(KENJI))
    assert mentions(one) == []
    writes(one)
    assert mentions(one) == [("assigned", KENJI, 1)]


# ------------------------------------------------------------------ quiet spells


def held_by_kenji(rules: Policy | None = None) -> Talk:
    one = talk(rules)
    one.accepts(i.OperatorReplied(MessageId("o:1"), KENJI, HERE_IN_THREAD))
    return one


def test_after_a_quiet_spell_the_customers_words_mention_the_assignee_once() -> None:
    one = held_by_kenji()
    writes(one, after=10 * MINUTE)
    for _ in range(3):
        writes(one)
    writes(one, after=30 * MINUTE)
    assert mentions(one) == [("reminded", KENJI, 1)]
    posted = [effect for effect in one.effects if isinstance(effect, e.PostMessage | e.CallOperators)]
    assert isinstance(posted[1], e.PostMessage)  # beneath the words that it is about
    assert isinstance(posted[2], e.CallOperators)


def test_words_that_open_it_again_after_a_quiet_spell_mention_who_follows_the_thread_already() -> None:
    one = talk()
    one.accepts(i.OperatorClaimed(KENJI))
    one.accepts(i.OperatorResolved(KENJI))
    writes(one, after=11 * MINUTE)
    assert mentions(one) == [("assigned", KENJI, 1), ("reminded", KENJI, 1)]


def test_in_a_talk_that_goes_on_nobody_is_mentioned() -> None:
    one = held_by_kenji()
    for number in range(20):
        writes(one, after=MINUTE)
        one.accepts(i.OperatorReplied(MessageId(f"o:more{number}"), KENJI, HERE_IN_THREAD), after=8 * MINUTE)
    assert mentions(one) == []


@pytest.mark.parametrize(
    "act",
    [
        i.OperatorReplied(MessageId("o:2"), KENJI, HERE_IN_THREAD),
        i.OperatorNoted(MessageId("o:2"), KENJI, HERE_IN_THREAD),
        i.OperatorHeld(KENJI, 10_000_000),
        i.OperatorRevised(MessageId("o:1"), KENJI, 1),
    ],
    ids=lambda act: type(act).__name__,
)
def test_a_word_or_an_act_of_the_assignee_ends_the_spell(act: i.OperatorInput) -> None:
    one = held_by_kenji()
    one.accepts(act, after=9 * MINUTE)
    writes(one, after=9 * MINUTE)
    assert mentions(one) == []
    writes(one, after=2 * MINUTE)
    assert mentions(one) == [("reminded", KENJI, 1)]


def test_a_colleagues_note_is_no_word_of_the_assignee() -> None:
    one = held_by_kenji()
    one.accepts(i.OperatorNoted(MessageId("o:2"), AIKO, HERE_IN_THREAD), after=9 * MINUTE)
    writes(one, after=2 * MINUTE)
    assert mentions(one) == [("reminded", KENJI, 1)]


def test_a_warning_of_a_moment_ago_is_nudge_enough() -> None:
    promise = Promise(Promised.NEXT_RESPONSE, 12 * MINUTE, MINUTE, Clock.WALL)
    one = held_by_kenji(policy(promises=(promise,)))
    writes(one)
    one.accepts(i.DeadlineFell(), after=11 * MINUTE)
    writes(one)
    assert mentions(one) == [("promise_warned", KENJI, 1)]
    writes(one, after=MINUTE)
    assert mentions(one)[1:] == [("reminded", KENJI, 1)]


def test_a_desk_may_want_no_reminders() -> None:
    one = held_by_kenji(policy(remind_after=0))
    writes(one, after=60 * MINUTE)
    assert mentions(one) == []


# ------------------------------------------------------------------ the desk


def test_a_new_session_alerts_the_desk_once() -> None:
    one = talk()
    writes(one)
    assert alerts(one) == [Waits.NEW]


def test_a_desk_may_want_no_alerts() -> None:
    assert alerts(talk(policy(alert=Alert()))) == []


def test_a_group_is_named_as_the_policy_names_it() -> None:
    one = talk(policy(alert=Alert(AlertBy.GROUP, "S0NIGHT01")))
    (alert,) = [effect for effect in one.effects if isinstance(effect, e.AlertDesk)]
    assert (alert.by, alert.group) == (AlertBy.GROUP, "S0NIGHT01")


def test_who_is_put_back_moved_or_back_alerts_again() -> None:
    one = talk()
    one.accepts(i.OperatorClaimed(KENJI))
    one.accepts(i.OperatorReleased(KENJI))
    one.accepts(i.OperatorTransferred(KENJI, WITHDRAWALS))
    one.accepts(i.OperatorClaimed(KENJI))
    one.accepts(i.OperatorWentOff(KENJI))
    one.accepts(i.OperatorClaimed(KENJI))
    one.accepts(i.OperatorResolved(KENJI))
    one.accepts(i.OperatorWentOff(KENJI))
    writes(one)
    assert alerts(one) == [Waits.NEW, Waits.PUT_BACK, Waits.MOVED, Waits.PUT_BACK, Waits.RETURNED]
    last = [effect for effect in one.effects if isinstance(effect, e.AlertDesk)][2]
    assert last.mirror == 2


def test_who_was_given_to_somebody_alerts_nobody_else() -> None:
    one = talk()
    one.accepts(i.OperatorTransferred(KENJI, JA, AIKO))
    assert alerts(one) == [Waits.NEW]


def test_who_writes_again_after_long_and_is_in_nobodys_hands_alerts_again() -> None:
    one = talk()
    writes(one, after=9 * MINUTE)
    writes(one, after=2 * MINUTE)
    writes(one, after=2 * MINUTE)
    assert alerts(one) == [Waits.NEW, Waits.STILL]


def test_while_a_ladder_calls_the_customers_words_do_not() -> None:
    one = talk()
    one.accepts(i.OperatorEscalated(KENJI))
    writes(one, after=20 * MINUTE)
    assert alerts(one) == [Waits.NEW]


@pytest.mark.parametrize(("first", "expected"), [(RungKind.CHANNEL, []), (RungKind.THREAD, [Waits.NEW])])
def test_an_emergencys_first_rung_is_not_doubled_unless_it_names_nobody(first: RungKind, expected: list[str]) -> None:
    rules = replace(policy(ladder=Ladder((Rung(first),))), topic_rules={THEFT: TopicRules(THEFT, emergency=True)})
    assert alerts(talk(rules, topic=THEFT)) == expected


def test_who_writes_at_night_is_told_of_in_the_morning() -> None:
    one = talk(policy(hours=Hours(((10 * MINUTE + 1_000_000, 10**12),))))
    assert alerts(one) == []
    one.accepts(i.DeadlineFell(), after=10 * MINUTE)
    (alert,) = [effect for effect in one.effects if isinstance(effect, e.AlertDesk)]
    assert (alert.why, alert.opened) == (Waits.OPENED, 10 * MINUTE + 1_000_000)


# ------------------------------------------------------------------ delivery


def replied_to_nobody() -> Talk:
    one = held_by_kenji()
    one.accepts(i.CustomerLeft())
    return one


def lines(one: Talk) -> list[str]:
    return [effect.key for effect in one.effects if isinstance(effect, e.PostLine)]


def test_a_reply_to_a_customer_who_left_is_said_not_to_be_delivered_and_then_that_it_is() -> None:
    one = replied_to_nobody()
    left = one.now
    session = one.session
    assert session is not None
    assert delivery(session) is DeliveryState.SENT
    due = timers(session, one.policy)[TimerName.UNREACHED]
    session = one.accepts(i.DeadlineFell(), after=due - one.now)
    (told,) = [effect for effect in one.effects if isinstance(effect, e.PostLine)]
    assert (told.key, told.words) == ("unreached", {"since": str(left)})
    assert delivery(session) is DeliveryState.UNREACHED
    one.accepts(i.OperatorReplied(MessageId("o:2"), KENJI, HERE_IN_THREAD))
    assert TimerName.UNREACHED not in timers(one.session or session, one.policy)  # once, not for each
    one.accepts(i.CustomerArrived())
    session = one.accepts(i.CustomerReceived(MessageId("o:2"), seen=True))
    assert lines(one) == ["unreached", "reached_late"]
    assert delivery(session) is DeliveryState.SEEN


def test_a_customer_who_is_there_and_slow_is_no_alarm() -> None:
    one = held_by_kenji()
    assert one.session is not None
    assert TimerName.UNREACHED not in timers(one.session, one.policy)


def test_what_reached_them_before_they_left_is_no_alarm() -> None:
    one = held_by_kenji()
    one.accepts(i.CustomerReceived(MessageId("o:1")))
    session = one.accepts(i.CustomerLeft())
    assert TimerName.UNREACHED not in timers(session, one.policy)


def test_of_who_is_gone_it_is_said_since_when_they_left() -> None:
    one = held_by_kenji()
    one.accepts(i.CustomerReceived(MessageId("o:1")))
    one.accepts(i.CustomerLeft())
    left = one.now
    assert one.accepts(i.DeadlineFell(), after=10 * MINUTE).presence is Presence.GONE
    one.accepts(i.OperatorReplied(MessageId("o:2"), KENJI, HERE_IN_THREAD))
    one.accepts(i.DeadlineFell(), after=30_000)
    (fact,) = [one for one in one.facts if isinstance(one, f.ReplyUnreached)]
    assert (fact.message, fact.since, fact.gone) == ("o:2", left, True)


# ------------------------------------------------------------------ whatever happens


class Watched(RuleBasedStateMachine):
    """Customers and operators do as they please; who should have heard is kept beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.talk = talk()
        self.number = 0
        self.quiet_since: dict[OperatorId, int] = {}

    def do(self, event: i.Input, after: int = 1_000) -> None:
        before = len(self.talk.effects)
        self.talk.hears(event, after=after)
        self.fresh = self.talk.effects[before:]

    @rule(after=st.sampled_from([1_000, MINUTE, 11 * MINUTE]))
    def customer_writes(self, after: int) -> None:
        self.number += 1
        held = self.talk.session
        self.do(i.CustomerWrote(MessageId(f"c:{self.number}")), after)
        if held is None or held.state is State.CLOSED:
            return
        self.somebody_hears()

    @rule(who=st.sampled_from([AIKO, KENJI]), origin=st.sampled_from([None, 1, 2]))
    def replies(self, who: OperatorId, origin: int | None) -> None:
        self.number += 1
        self.do(i.OperatorReplied(MessageId(f"o:{self.number}"), who, i.Origin(origin)))

    @rule(who=st.sampled_from([AIKO, KENJI]))
    def claims(self, who: OperatorId) -> None:
        self.do(i.OperatorClaimed(who))

    @rule(who=st.sampled_from([AIKO, KENJI]))
    def releases(self, who: OperatorId) -> None:
        self.do(i.OperatorReleased(who))

    @rule(who=st.sampled_from([AIKO, KENJI]))
    def goes_off(self, who: OperatorId) -> None:
        self.do(i.OperatorWentOff(who))

    @rule(desk=st.sampled_from([EN, JA]), to=st.sampled_from([None, AIKO, KENJI]))
    def is_moved(self, desk: DeskId, to: OperatorId | None) -> None:
        self.do(i.OperatorTransferred(AIKO, desk, to))

    @rule(who=st.sampled_from([AIKO, KENJI]))
    def resolves(self, who: OperatorId) -> None:
        self.do(i.OperatorResolved(who))

    @rule()
    def time_passes(self) -> None:
        self.do(i.DeadlineFell(), 5 * MINUTE)

    def somebody_hears(self) -> None:
        """The customer's words reach somebody who can act: an assignee who follows the thread, or a desk that knows."""
        session = self.talk.session
        assert session is not None
        if session.state is State.ASSIGNED:
            here = session.mirror.number
            wrote = any(one.by == session.assignee and one.mirror == here for one in session.recent)
            called = session.called is not None and (session.called.operator, session.called.mirror) == (
                session.assignee,
                here,
            )
            assert wrote or called
            lately = max(session.attended_at, session.called.at if session.called else 0)
            assert session.reminded or self.talk.now - lately < 10 * MINUTE
        if session.waiting:
            assert self.talk.now - session.alerted_at < 10 * MINUTE

    @invariant()
    def nobody_is_reminded_twice_in_one_spell(self) -> None:
        reminded: OperatorId | None = None
        for fact in self.talk.facts:
            if isinstance(fact, f.AssigneeCalled) and fact.again:
                assert reminded != fact.operator
                reminded = fact.operator
            elif getattr(fact, "operator", None) == reminded and not isinstance(fact, f.AssigneeCalled):
                reminded = None

    @invariant()
    def nobody_is_told_twice_in_one_decision(self) -> None:
        told = [one for one in self.fresh_effects() if isinstance(one, e.AlertDesk | e.CallOperators)]
        assert len(told) <= 1

    def fresh_effects(self) -> list[e.Effect]:
        return getattr(self, "fresh", [])


TestWatched = Watched.TestCase
TestWatched.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)


def test_a_topic_of_another_desk_is_no_reason_to_alert_this_one() -> None:
    one = talk(topic=Topic("withdrawals"), language="fr")
    (alert,) = [effect for effect in one.effects if isinstance(effect, e.AlertDesk)]
    assert alert.to == "console"


# ------------------------------------------------------------------ setbacks


def test_a_message_that_will_not_be_shown_is_said_in_its_thread() -> None:
    one = talk()
    one.accepts(i.EffectSetAside(1, "msg_too_long", MessageId("c:first")))
    (line,) = [effect for effect in one.effects if isinstance(effect, e.PostLine)]
    assert (line.key, line.mirror, line.words) == ("not_shown", 1, {"code": "msg_too_long", "session": "K7Q2"})
    one.accepts(i.EffectSetAside(1, "msg_too_long", MessageId("c:first"), change=True))
    assert lines(one) == ["not_shown", "change_not_shown"]


def test_what_is_about_no_message_is_recorded_only() -> None:
    one = talk()
    one.accepts(i.EffectSetAside(1, "no_text"))
    assert lines(one) == []
    assert isinstance(one.facts[-1], f.EffectWasSetAside)


def test_of_an_erased_session_nothing_is_said() -> None:
    one = talk()
    one.accepts(i.ErasureOrdered())
    one.ignores(i.EffectSetAside(1, "msg_too_long", MessageId("c:first")))
