"""What must hold all day long, whoever dies and whatever the clock does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from routing import facts as f
from routing.assignment import occupied
from routing.decide import Decision
from routing.escalation import next_step
from routing.facts import Fact, Why
from routing.fold import fold
from routing.ids import DeskId, OperatorId, SessionId
from routing.inputs import Outcome
from routing.policy import Policy
from routing.session import Session, State
from routing.timers import timers
from routing.view import customer_view
from tests.scenarios.simulation.books import Books


@dataclass(slots=True)
class Witness:
    """Sees every decision and every line, and remembers what customers were told."""

    policy: Policy
    told: dict[SessionId, tuple[DeskId, int]] = field(default_factory=dict)  # position by session
    lines: dict[DeskId, list[SessionId]] = field(default_factory=dict)
    unasked: set[tuple[OperatorId, SessionId]] = field(default_factory=set)
    seen: dict[SessionId, tuple[Session, int | None]] = field(default_factory=dict)
    """When each session is due, worked out anew when it has changed: most have not since the step before."""

    # ------------------------------------------------------------------ each decision

    def decided(self, before: Session | None, decision: Decision) -> None:
        """Looked at before it is written."""
        self._nobody_is_assigned_twice(before, decision.facts)
        self._the_customer_is_told(before, decision)
        for fact in decision.facts:
            if isinstance(fact, f.ReplyAdded | f.HoldStarted):
                self.told.pop(decision.session.id, None)  # answered: who comes back into the line begins anew
            replied = isinstance(fact, f.OperatorAssigned) and fact.why is Why.REPLIED
            came_back = isinstance(fact, f.SessionReopened)
            if (replied or came_back) and decision.session.assignee is not None:
                self.unasked.add((decision.session.assignee, decision.session.id))

    def _nobody_is_assigned_twice(self, before: Session | None, facts: Sequence[Fact]) -> None:
        holder = before.assignee if before else None
        for fact in facts:
            if isinstance(fact, f.OperatorUnassigned):
                assert fact.operator == holder, "somebody was relieved of what they did not hold"
                holder = None
            if isinstance(fact, f.OperatorAssigned):
                assert holder in (None, fact.operator), f"{fact.operator} got what {holder} holds"
                holder = fact.operator

    def _the_customer_is_told(self, before: Session | None, decision: Decision) -> None:
        """Whenever a session's state changes, the customer hears something. Spam is told nothing but its end."""
        after = decision.session
        changed = before is None or (before.state, before.desk) != (after.state, after.desk)
        if changed and after.outcome is not Outcome.SPAM:
            assert any(customer_view(fact) for fact in decision.facts), [type(one).__name__ for one in decision.facts]

    # ------------------------------------------------------------------ each step

    def saw_lines(self, lines: Mapping[DeskId, Sequence[SessionId]]) -> None:
        """Positions only fall, unless somebody who was not in the line before stands in front now."""
        for desk, line in lines.items():
            before = set(self.lines.get(desk, ()))
            newcomers = 0
            for place, session in enumerate(line, 1):
                known_desk, known = self.told.get(session, (desk, place))
                if known_desk == desk and session in before and place > known:
                    assert newcomers > 0, f"{session} fell back from {known} to {place} for no reason"
                newcomers += session not in before
                self.told[session] = desk, place
            self.lines[desk] = list(line)

    def saw(self, books: Books, now: int, *, on_time: bool) -> None:
        """`on_time`: the deadlines up to `now` were worked off in this step, with nobody killed on the way."""
        self._capacity_holds(books)
        for session in books.living() if on_time else ():
            desk = self.policy.desk_of(session.desk, session.language, session.topic)
            step = next_step(session, desk)
            assert step is None or step > now, f"{session.id}: a rung is late by {now - step} ms"
            due = self._due(session)
            assert due is None or due > now, f"{session.id}: a deadline is late by {now - due} ms"

    def _due(self, session: Session) -> int | None:
        known, due = self.seen.get(session.id, (None, None))
        if known is not session:
            due = min(timers(session, self.policy).values(), default=None)
            self.seen[session.id] = session, due
        return due

    def _capacity_holds(self, books: Books) -> None:
        for operator, profile in self.policy.operators.items():
            held = [one.id for one in books.living() if occupied(one) == operator]
            limited = [one for one in held if (operator, one) not in self.unasked]
            # Words are never refused, so a reply may take somebody over their capacity, and so may a session that
            # comes back to who had it. Nobody is *given* more than they can hold.
            assert len(limited) <= profile.capacity, f"{operator} was given {len(limited)} of {profile.capacity}"

    # ------------------------------------------------------------------ the end

    def ended(self, journals: Iterable[Sequence[Fact]]) -> None:
        for journal in journals:
            session = fold(journal)
            assert session is not None
            assert session.state is State.CLOSED
            times = [fact.at for fact in journal]
            assert times == sorted(times), "time went backwards in a journal"
            assert (session.escalation is None) == (
                sum(isinstance(one, f.EscalationStarted) for one in journal)
                == sum(isinstance(one, f.EscalationEnded) for one in journal)
            )
            assert session.escalation is None, "a closed session still calls for help"
