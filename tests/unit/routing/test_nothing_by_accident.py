"""Nothing goes out by accident: whatever happens in whatever order, the customer sees what somebody sent, once.

The machine keeps an account of its own of what each person meant, by the plainest reading of the promise, and holds the
rules to it after every step.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from routing import inputs as i
from routing.decide import Decision
from routing.facts import Side
from routing.ids import MessageId, OperatorId, sent_id
from routing.inputs import INSIDE, Manner, Origin
from routing.policy import OperatorProfile, PlainWords
from routing.session import State
from routing.view import CustomerMessage
from tests.unit.routing.builders import AIKO, EN, JA, KENJI, POLICY, Talk, opening

MARY = OperatorId("mary")
PEOPLE = {AIKO: "T1:UA", KENJI: "T1:UK", MARY: "T1:UM", None: "T1:UX"}
"""Operators, of whom Mary works at another desk, and somebody who is not enrolled."""

WHO = st.sampled_from(list(PEOPLE))
OPERATOR = st.sampled_from([AIKO, KENJI, MARY])
NUMBER = st.integers(0, 200)
PAUSE = st.sampled_from([0, 1_000, 6_000, 20 * 60_000])


class Threads(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.talk = Talk()
        self.authors: dict[MessageId, OperatorId | None] = {}
        self.asked: set[MessageId] = set()  # somebody pressed "send"
        self.said_outright: set[MessageId] = set()
        self.kept: set[MessageId] = set()  # undone, kept, marked as notes, or deleted before they left
        self.edits = 0

    @initialize(undo=st.sampled_from([0, 5_000]), plain=st.sampled_from(list(PlainWords)))
    def begins(self, undo: int, plain: PlainWords) -> None:
        desks = {name: replace(desk, undo=undo, plain_words=plain) for name, desk in POLICY.desks.items()}
        mary = OperatorProfile(MARY, {"en": "Mary"}, desks=(JA,))
        self.talk.policy = replace(POLICY, desks=desks, operators={**POLICY.operators, MARY: mary})
        self.talk.accepts(i.CustomerWrote(MessageId("c:first"), opening()))

    # ------------------------------------------------------------------ what people do

    @rule(who=WHO, manner=st.sampled_from(list(Manner)), where=st.sampled_from(["here", "old", "ready"]), after=PAUSE)
    def writes(self, who: OperatorId | None, manner: Manner, where: str, after: int) -> None:
        """`ready`: a template's words, which stand in no thread yet."""
        message = MessageId(f"s:{len(self.authors)}")
        session = self.talk.session
        assert session is not None
        self.authors[message] = who
        may = self._means_a_reply(who, manner)
        mirror = {"here": session.mirror.number, "old": 1}.get(where)
        self.talk.hears(i.OperatorWrote(message, who, PEOPLE[who], Origin(mirror), manner), after=after)
        if may:
            self.said_outright.add(message)

    def _means_a_reply(self, who: OperatorId | None, manner: Manner) -> bool:
        session = self.talk.session
        assert session is not None
        if who is None or manner in INSIDE:
            return False
        if manner is Manner.REPLY:
            return True
        if self.talk.policy.desks[session.desk].plain_words is PlainWords.NOTE:
            return False
        works_here = who is not MARY or session.desk == JA
        return session.assignee == who or (session.assignee is None and works_here)

    @rule(number=NUMBER, operator=OPERATOR, after=PAUSE)
    def sends(self, number: int, operator: OperatorId, after: int) -> None:
        message = self._message(number)
        if isinstance(self.talk.hears(i.OperatorSent(message, operator), after=after), Decision):
            self.asked.add(message)

    @rule(number=NUMBER, operator=OPERATOR, after=PAUSE)
    def undoes(self, number: int, operator: OperatorId, after: int) -> None:
        message = self._message(number)
        if isinstance(self.talk.hears(i.OperatorUndid(message, operator), after=after), Decision):
            self.kept.add(message)

    @rule(number=NUMBER, note=st.booleans(), after=PAUSE)
    def edits_own(self, number: int, note: bool, after: int) -> None:
        message = self._message(number)
        self.edits += 1
        manner = Manner.NOTE if note else Manner.PLAIN
        event = i.OperatorRevised(message, self._by(message), self.edits, committed=True, manner=manner)
        held = self._held(message)
        if isinstance(self.talk.hears(event, after=after), Decision) and note and held:
            self.kept.add(message)

    @rule(number=NUMBER, after=PAUSE)
    def deletes_own(self, number: int, after: int) -> None:
        message = self._message(number)
        held = self._held(message)
        event = i.OperatorWithdrew(message, self._by(message), committed=True)
        if isinstance(self.talk.hears(event, after=after), Decision) and held:
            self.kept.add(message)

    @rule(operator=OPERATOR, desk=st.sampled_from([EN, JA]), what=st.integers(0, 4), after=PAUSE)
    def works(self, operator: OperatorId, desk: object, what: int, after: int) -> None:
        events: list[i.Input] = [
            i.OperatorClaimed(operator),
            i.OperatorReleased(operator),
            i.OperatorTransferred(operator, EN if desk == EN else JA),
            i.OperatorResolved(operator),
            i.OperatorWentOff(operator),
        ]
        self.talk.hears(events[what], after=after)

    @rule(what=st.integers(0, 12), after=PAUSE)
    def customer(self, what: int, after: int) -> None:
        if what == 0:
            self.talk.hears(i.CustomerEnded(), after=after)
        else:
            self.talk.hears(i.CustomerWrote(MessageId(f"c:{self.talk.now}"), opening()), after=after)

    @rule(after=PAUSE)
    def time_passes(self, after: int) -> None:
        self.talk.hears(i.DeadlineFell(), after=after)

    # ------------------------------------------------------------------ what must hold

    @invariant()
    def what_the_customer_sees_somebody_sent_and_sees_it_once(self) -> None:
        shown = [
            one.message
            for one in self.talk.customer_saw()
            if isinstance(one, CustomerMessage) and one.side is Side.REPLY and not one.withdrawn
        ]
        first = list(dict.fromkeys(shown))
        added = [one.message for one in self.talk.facts if type(one).__name__ == "ReplyAdded"]  # type: ignore[attr-defined]  # every such fact has one
        assert added == first, "each is added once, before any other wording of it"
        for message in first:
            of = self._original(message)
            if message == of:
                assert of in self.said_outright or of in self.asked, "nobody said that it should go"
                assert of not in self.kept, "somebody said that it should not"
            else:
                assert of in self.asked, "a note goes out by a person's word only"

    @invariant()
    def what_was_sent_is_there(self) -> None:
        replies = {one.message for one in self.talk.facts if type(one).__name__ == "ReplyAdded"}  # type: ignore[attr-defined]  # every such fact has one
        for message in self.asked:
            assert message in replies or sent_id(message) in replies

    @invariant()
    def no_wording_after_sending_is_another_persons(self) -> None:
        """Whoever sent somebody else's words answers for those, and for none that came later."""
        sender = {one.message: one.operator for one in self.talk.facts if type(one).__name__ == "ReplyAdded"}  # type: ignore[attr-defined]  # every such fact has both
        for fact in self.talk.facts:
            if type(fact).__name__ == "MessageRevised" and fact.side is Side.REPLY:  # type: ignore[attr-defined]  # as its type says
                message = fact.message  # type: ignore[attr-defined]  # as its type says
                assert sender[message] == self.authors[self._original(message)]

    @invariant()
    def nothing_waits_in_a_session_that_is_over(self) -> None:
        session = self.talk.session
        if session is not None and session.state is State.CLOSED:
            assert session.pending == ()

    @invariant()
    def the_facts_retell_it(self) -> None:
        assert self.talk.retold() == self.talk.session

    # ------------------------------------------------------------------ the account

    def _message(self, number: int) -> MessageId:
        return MessageId(f"s:{number % max(1, len(self.authors))}")

    def _original(self, message: MessageId) -> MessageId:
        return MessageId(message.removeprefix("r:"))

    def _by(self, message: MessageId) -> OperatorId:
        return self.authors.get(message) or OperatorId("slack:T1:UX")

    def _held(self, message: MessageId) -> bool:
        return self.talk.session is not None and self.talk.session.held(message) is not None


Threads.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestThreads = Threads.TestCase
