"""Every input in every state is decided on purpose."""

from __future__ import annotations

import typing

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from routing import inputs as i
from routing.decide import RULES, Decision, Nothing, Refusal
from routing.facts import Side
from routing.fold import fold
from routing.ids import CustomerKey, EffectId, IncidentId, MessageId, OperatorId, Place
from routing.policy import HOUR
from routing.session import Session, State, TurnOf
from routing.table import TABLE, Accept, Ignore, Refuse
from routing.timers import timers
from routing.view import NOTICES, CustomerMessage, CustomerNotice, customer_view
from tests.unit.routing.builders import ACCOUNT, AIKO, BUSY, EN, JA, KENJI, SECURITY, THEFT, WITHDRAWALS, Talk, opening

INPUTS = typing.get_args(i.Input)


def test_every_input_has_a_verdict_in_every_state() -> None:
    assert set(TABLE) == set(INPUTS)
    for row in TABLE.values():
        assert set(row) == set(State)


def test_every_rule_of_the_table_exists_and_every_rule_is_used() -> None:
    named = {verdict.rule for row in TABLE.values() for verdict in row.values() if isinstance(verdict, Accept)}
    assert named == set(RULES)


@pytest.mark.parametrize("state", list(State))
def test_closed_is_for_ever(state: State) -> None:
    for event, row in TABLE.items():
        verdict = row[State.CLOSED]
        if isinstance(verdict, Accept):
            assert verdict.leads_to == (State.CLOSED,), event
    assert state in State


OPERATORS = st.sampled_from([AIKO, KENJI])
MESSAGES = st.integers(0, 12).map(lambda number: MessageId(f"m{number}"))
PLACES = st.sampled_from([Place("C-EN"), Place("C-EN2")])
ORIGINS = st.builds(i.Origin, st.sampled_from([None, 1, 2]))
ACCOUNTS = st.sampled_from([CustomerKey("main", "u1"), CustomerKey("main", "u2")])
OPENINGS = [opening(topic=topic) for topic in (ACCOUNT, SECURITY, THEFT)]
NONCES = st.sampled_from(["n1", "n2"])
REACTIONS = st.sampled_from(["👍", "👀"])
LANGUAGES = st.sampled_from(["en", "ja", "zh-Hans", "zh-Hant"])
ANY: dict[type, st.SearchStrategy[i.Input]] = {
    i.CustomerWrote: st.builds(i.CustomerWrote, MESSAGES, st.sampled_from(OPENINGS)),
    i.CustomerRevised: st.builds(i.CustomerRevised, MESSAGES, st.integers(1, 4), st.booleans()),
    i.CustomerWithdrew: st.builds(i.CustomerWithdrew, MESSAGES, st.booleans()),
    i.CustomerReacted: st.builds(i.CustomerReacted, MESSAGES, REACTIONS, st.booleans(), st.booleans()),
    i.OperatorReacted: st.builds(i.OperatorReacted, MESSAGES, OPERATORS, REACTIONS, st.booleans(), ORIGINS),
    i.DeletionDoubted: st.builds(i.DeletionDoubted, MESSAGES),
    i.CustomerArrived: st.just(i.CustomerArrived()),
    i.CustomerLeft: st.just(i.CustomerLeft()),
    i.CustomerReceived: st.builds(i.CustomerReceived, MESSAGES, st.booleans()),
    i.CustomerAnswered: st.builds(i.CustomerAnswered, st.booleans()),
    i.CustomerEnded: st.just(i.CustomerEnded()),
    i.CustomerLinked: st.builds(
        i.CustomerLinked, st.sampled_from([CustomerKey("main", "u1"), CustomerKey("main", "u2")])
    ),
    i.OperatorReplied: st.builds(
        i.OperatorReplied, MESSAGES, OPERATORS, st.builds(i.Origin, st.sampled_from([None, 1, 2]))
    ),
    i.OperatorNoted: st.builds(
        i.OperatorNoted, MESSAGES, OPERATORS, st.builds(i.Origin, st.sampled_from([None, 1, 2]))
    ),
    i.OperatorWrote: st.builds(
        i.OperatorWrote, MESSAGES, st.none() | OPERATORS, st.just("T1:U1"), ORIGINS, st.sampled_from(list(i.Manner))
    ),
    i.OperatorSent: st.builds(i.OperatorSent, MESSAGES, OPERATORS),
    i.OperatorUndid: st.builds(i.OperatorUndid, MESSAGES, OPERATORS),
    i.OperatorRevised: st.builds(
        i.OperatorRevised, MESSAGES, OPERATORS, st.integers(1, 4), st.booleans(), st.sampled_from(list(i.Manner))
    ),
    i.OperatorWithdrew: st.builds(i.OperatorWithdrew, MESSAGES, OPERATORS, st.booleans()),
    i.OperatorClaimed: st.builds(i.OperatorClaimed, OPERATORS),
    i.OperatorReleased: st.builds(i.OperatorReleased, OPERATORS),
    i.OperatorHeld: st.builds(
        i.OperatorHeld, OPERATORS, st.integers(0, 2_000_000 + 9 * 24 * HOUR), st.none() | MESSAGES
    ),
    i.OperatorTransferred: st.builds(
        i.OperatorTransferred,
        OPERATORS,
        st.sampled_from([EN, JA, WITHDRAWALS]),
        st.none() | OPERATORS,
        st.none() | MESSAGES,
    ),
    i.OperatorResolved: st.builds(
        i.OperatorResolved, OPERATORS, st.sampled_from(list(i.Outcome)), st.sampled_from([(), ("fees", "kyc")])
    ),
    i.OperatorBlocked: st.builds(i.OperatorBlocked, OPERATORS, st.sampled_from([0, i.FOR_GOOD])),
    i.OperatorUnblocked: st.builds(i.OperatorUnblocked, OPERATORS),
    i.OfferProposed: st.builds(i.OfferProposed, OPERATORS | st.just(OperatorId("stranger")), st.integers(0, 5_000_000)),
    i.OfferEnded: st.builds(i.OfferEnded, OPERATORS),
    i.CustomerChoseLanguage: st.builds(i.CustomerChoseLanguage, LANGUAGES),
    i.CustomerChecked: st.builds(i.CustomerChecked, NONCES, st.booleans()),
    i.OperatorDeclined: st.builds(i.OperatorDeclined, OPERATORS),
    i.OperatorEscalated: st.builds(i.OperatorEscalated, OPERATORS),
    i.OperatorAcknowledged: st.builds(i.OperatorAcknowledged, OPERATORS, st.sampled_from(["", "night"])),
    i.OperatorAskedCheck: st.builds(i.OperatorAskedCheck, OPERATORS, NONCES),
    i.OperatorInformed: st.builds(i.OperatorInformed, MESSAGES, OPERATORS, st.just(IncidentId("outage"))),
    i.OperatorWentOff: st.builds(i.OperatorWentOff, OPERATORS),
    i.EffectSetAside: st.builds(
        i.EffectSetAside, st.integers(1, 2), st.just("no_text"), st.none() | MESSAGES, st.booleans()
    ),
    i.PageAccepted: st.builds(i.PageAccepted, st.sampled_from([EffectId("e1"), EffectId("e2")]), st.just("night")),
    i.LanguageDetected: st.builds(i.LanguageDetected, MESSAGES, LANGUAGES),
    i.MessageTranslated: st.builds(i.MessageTranslated, MESSAGES, st.integers(0, 2), LANGUAGES),
    i.MessageNotTranslated: st.builds(
        i.MessageNotTranslated, MESSAGES, st.integers(0, 2), LANGUAGES, st.sampled_from(list(i.Untranslated))
    ),
    i.IncidentNamed: st.builds(i.IncidentNamed, st.none() | st.just(IncidentId("outage"))),
    i.DeskRemoved: st.just(i.DeskRemoved()),
    i.DeadlineFell: st.just(i.DeadlineFell()),
    i.ErasureOrdered: st.just(i.ErasureOrdered()),
    i.FilePurgeOrdered: st.builds(
        i.FilePurgeOrdered,
        MESSAGES,
        st.just("f1"),
        st.sampled_from(list(Side)),
        st.sampled_from(list(i.PurgeReason)),
        by=st.none() | OPERATORS,
    ),
    i.NetworkFellSilent: st.builds(i.NetworkFellSilent, st.sampled_from(["slack", "console"]), st.integers(0, 9)),
    i.NetworkCaughtUp: st.builds(i.NetworkCaughtUp, st.sampled_from(["slack", "console"])),
    i.PlaceLost: st.builds(i.PlaceLost, st.integers(1, 3), PLACES, PLACES, st.just("is_archived")),
}


def test_the_walk_knows_every_input() -> None:
    assert set(ANY) == set(INPUTS)


# Erasure ends everything, so it is drawn seldom; else walks would be short.
STEPS = st.one_of(*(strategy for kind, strategy in ANY.items() if kind is not i.ErasureOrdered))


class Walk(RuleBasedStateMachine):
    """Any inputs in any order, with any time between: what must hold after each."""

    def __init__(self) -> None:
        super().__init__()
        self.talk = Talk(BUSY)

    @rule(event=STEPS, after=st.sampled_from([0, 1_000, 60_000, HOUR, 25 * HOUR]))
    def hears(self, event: i.Input, after: int) -> None:
        state = self.talk.session.state if self.talk.session else State.NEW
        verdict = TABLE[type(event)][state]
        result = self.talk.hears(event, after=after)
        if isinstance(verdict, Refuse):
            assert result == Refusal(verdict.reason)
        elif isinstance(verdict, Ignore):
            assert isinstance(result, Nothing)
        elif isinstance(result, Decision):
            assert result.session.state in verdict.leads_to, (event, state, result.session.state)

    @rule(give_up=st.integers(0, 20))
    def is_erased(self, give_up: int) -> None:
        if give_up == 0:
            self.hears(i.ErasureOrdered(), 0)

    @invariant()
    def the_facts_retell_the_session(self) -> None:
        assert fold(self.talk.facts) == self.talk.session

    @invariant()
    def a_deadline_that_fell_is_over(self) -> None:
        """Else it would fall again at once, for ever."""
        verdict = self.talk.hears(i.DeadlineFell(), after=0)
        if isinstance(verdict, Decision):
            assert all(due > self.talk.now for due in verdict.timers.values()), verdict.timers

    @invariant()
    def times_never_decrease(self) -> None:
        times = [fact.at for fact in self.talk.facts]
        assert times == sorted(times)

    @invariant()
    def effects_have_names_of_their_own(self) -> None:
        names = [effect.id for effect in self.talk.effects]
        assert len(set(names)) == len(names)

    @invariant()
    def the_session_is_in_order(self) -> None:
        if self.talk.session is not None:
            in_order(self.talk.session)

    @invariant()
    def the_customer_is_told_in_known_words_and_never_a_note(self) -> None:
        for fact in self.talk.facts:
            event = customer_view(fact)
            if isinstance(event, CustomerNotice):
                assert event.key in NOTICES
            if isinstance(event, CustomerMessage):
                assert event.side != "note"


def in_order(session: Session) -> None:
    """What is true of every session at every moment."""
    assert (session.state is State.ASSIGNED) <= (session.assignee is not None)
    assert (session.state is State.QUEUED) <= (session.assignee is None)
    assert (session.offer is not None) <= (session.state is State.QUEUED)
    assert (session.state is State.CLOSED) == (session.closed_at is not None)
    assert (session.state in (State.RESOLVED, State.CLOSED)) == (session.outcome is not None)
    assert (session.turn.of is TurnOf.HELD) == (session.turn.until is not None)
    assert [mirror.number for mirror in session.mirrors] == list(range(1, len(session.mirrors) + 1))
    policy = BUSY
    assert (session.escalation is not None) <= (session.state in (State.QUEUED, State.ASSIGNED))
    assert all(due >= session.opened_at for due in timers(session, policy).values())
    assert bool(timers(session, policy)) <= (session.state is not State.CLOSED)


Walk.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestWalk = Walk.TestCase
