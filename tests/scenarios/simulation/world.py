"""A day at the desk, drawn from a seed: customers, operators, shifts, kills, a clock that steps, several processes.

Everything is decided by the real rules: `decide`, `allocate`, `positions`. What is played here is the world around
them, and the engine's few promises to them (see `books`). The same seed is the same day, to the last input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from routing import inputs as i
from routing.allocate import DeskSnapshot, allocate
from routing.assignment import Available
from routing.decide import Decision
from routing.ids import CustomerKey, EffectId, IncidentId, InputKey, MessageId, OperatorId, SessionId, ShortCode
from routing.policy import HOUR, MINUTE, Assignment, Desk
from routing.queue import Waiting, order, waiting
from routing.session import CheckState, Session, State, TurnOf
from tests.scenarios.simulation import house
from tests.scenarios.simulation.books import Books, DiedError, Process, tidy_places
from tests.scenarios.simulation.promises import Witness

INPUTS = 400
"""A day has at least so many inputs."""


@dataclass(slots=True)
class World:
    """One day. `run` plays it; a promise that is broken raises AssertionError with what was broken."""

    seed: int
    chance: Random = field(init=False)
    clock: int = house.START
    deaths: int = 0
    numbers: int = 0
    on: set[OperatorId] = field(default_factory=set)
    given: dict[OperatorId, int] = field(default_factory=dict)
    books: Books = field(init=False)
    witness: Witness = field(init=False)
    processes: list[Process] = field(init=False)
    quiet: bool = False  # the day is over: nobody new comes, and nothing breaks

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.witness = Witness(house.policy())
        self.books = Books(self.witness.policy, self.witness.decided)
        self.processes = [Process(self.books, self.chance, self.now, self._dies) for _ in range(3)]

    def run(self) -> None:
        """The day, and the evening after it, until the last session is closed."""
        while self.books.inputs < INPUTS or self.clock < house.START + house.DAY:
            self._step()
        self.quiet = True
        self.on = set(self.books.policy.operators)
        evening = 0
        while any(True for _ in self.books.living()):
            self._step()
            evening += 1
            assert evening < 5_000, f"somebody waits for ever: {[one.id for one in self.books.living()]}"
        self.witness.ended(kept.journal for kept in self.books.sessions.values())

    def now(self) -> int:
        """The store's clock as a process reads it: a few ms off, and corrected now and then."""
        return self.clock + self.chance.randint(-20, 20)

    # ------------------------------------------------------------------ one step

    def _step(self) -> None:
        self._time_passes()
        self._attempt(self._shifts)
        for happening in self.chance.choices(*zip(*self._happenings(), strict=True), k=4):
            self._attempt(happening)
        late = self._attempt(self._deadlines)
        self._attempt(lambda process: tidy_places(self.books, process, self.clock))
        for desk in self.books.policy.desks.values():
            self._attempt(lambda process, desk=desk: self._allocate(process, desk))  # type: ignore[misc]  # bound now
        self._look(on_time=late)

    def _time_passes(self) -> None:
        if self.quiet:
            self.clock += self.chance.randint(1, HOUR)
        elif self.chance.random() < 0.02:
            self.clock -= self.chance.randint(1, 3_000)  # somebody corrects the server's clock
        elif self.chance.random() < 0.7:
            self.clock += self.chance.randint(1, 4 * MINUTE)
        else:
            self.clock += self.chance.randint(1, 40 * MINUTE)

    def _dies(self) -> bool:
        return not self.quiet and self.chance.random() < 0.004

    def _attempt(self, work: Callable[[Process], None]) -> bool:
        """Some process does it; False when it was killed on the way. What it left is another's to find."""
        try:
            work(self.chance.choice(self.processes))
        except DiedError:
            self.deaths += 1
            return False
        return True

    def _happenings(self) -> list[tuple[Callable[[Process], None], float]]:
        if self.quiet:
            return [(self._operator_acts, 8), (self._customer_goes_on, 2), (self._pager_answers, 1)]
        return [
            (self._customer_comes, 0.3),
            (self._rush, 0.002),
            (self._customer_goes_on, 1.0),
            (self._operator_acts, 5.0),
            (self._pager_answers, 0.3),
            (self._incident, 0.02),
        ]

    def _key(self, about: str) -> InputKey:
        self.numbers += 1
        return InputKey(f"{about}/{self.numbers}")

    # ------------------------------------------------------------------ customers

    def _customer_comes(self, process: Process) -> None:
        self._writes(process, CustomerKey("main", f"u{self.chance.randint(1, 25)}"))

    def _rush(self, process: Process) -> None:
        for number in range(self.chance.randint(5, 15)):
            self._writes(process, CustomerKey("main", f"rush{number}"))

    def _writes(self, process: Process, customer: CustomerKey) -> None:
        key = self._key("wrote")
        message = MessageId(f"c:{key}")
        name = self.books.open.get(customer)
        if name is not None:
            process.relay(name, i.CustomerWrote(message), key)
            return
        before = [kept.session for kept in self.books.sessions.values() if kept.session.customer == customer]
        opening = i.Opening(
            session=SessionId(f"main.0.{self.numbers:05}"),
            code=ShortCode(f"K{self.numbers}"),
            customer=customer,
            verified=self.chance.random() < 0.7,
            language=self.chance.choice(house.LANGUAGES),
            topic=self.chance.choices((house.TRADING, house.SECURITY, house.THEFT), (12, 5, 1))[0],
            previous=before[-1].id if before else None,
            last_operator=before[-1].last_operator if before else None,
        )
        process.relay(None, i.CustomerWrote(message, opening), key)
        if opening.session in self.books.sessions and self.chance.random() < 0.1:
            process.relay(opening.session, i.LanguageDetected(message, "en"), self._key("detected"))

    def _customer_goes_on(self, process: Process) -> None:
        session = self._some(lambda one: True)
        if session is None:
            return
        event = self.chance.choices(*zip(*self._moves_of_customer(session), strict=True))[0]
        process.relay(session.id, event, self._key("customer"))

    def _moves_of_customer(self, session: Session) -> list[tuple[i.Input, float]]:
        received = i.CustomerReceived(session.last_reply or MessageId("none"), self.chance.random() < 0.5)
        moves: list[tuple[i.Input, float]] = [(received, 4)]
        if session.state is State.RESOLVED:
            moves.append((i.CustomerAnswered(self.chance.random() < 0.8), 3))
        if session.check is not None and session.check.state is CheckState.REQUESTED:
            moves.append((i.CustomerChecked(session.check.nonce, self.chance.random() < 0.8), 3))
        if self.quiet:
            return moves
        self.numbers += 1
        return [
            *moves,
            (i.CustomerWrote(MessageId(f"c:more/{self.numbers}")), 3),
            (i.CustomerLeft(), 1),
            (i.CustomerArrived(), 1),
            (i.CustomerEnded(), 0.3),
            (i.CustomerChoseLanguage(self.chance.choice(house.LANGUAGES)), 0.3),
        ]

    # ------------------------------------------------------------------ operators

    def _shifts(self, process: Process) -> None:
        """People come and go; who goes hands back what they hold."""
        if self.quiet or self.chance.random() > 0.05:
            return
        operator = self.chance.choice(list(self.books.policy.operators))
        if operator not in self.on:
            self.on.add(operator)
            return
        self.on.discard(operator)

    def _hand_back(self, process: Process, operator: OperatorId) -> None:
        for session in list(self.books.living()):
            offered = session.offer is not None and session.offer.operator == operator
            if session.assignee == operator or offered:
                process.relay(session.id, i.OperatorWentOff(operator), self._key("off"))

    def _operator_acts(self, process: Process) -> None:
        if not self.on:
            return
        operator = self.chance.choice(sorted(self.on))
        mine = self._some(lambda one: one.assignee == operator or (one.offer and one.offer.operator == operator))
        if mine is None:
            self._claims(process, operator)
            return
        if mine.offer is not None:
            self._answers_offer(process, operator, mine)
            return
        event = self.chance.choices(*zip(*self._moves_of_operator(operator, mine), strict=True))[0]
        process.relay(mine.id, event, self._key("operator"))

    def _claims(self, process: Process, operator: OperatorId) -> None:
        """By hand: what calls for help, else the head of the line; sometimes by simply answering."""
        profile = self.books.policy.operators[operator]
        called = [one.id for one in self.books.living() if one.escalation and one.state is State.QUEUED]
        line = [*called, *(one.session for one in self._in_line())]
        open_to = [one for one in line if profile.works_at(self.books.sessions[one].session.desk)]
        if not open_to:
            return
        name, key = open_to[0], self._key("claim")
        if self.chance.random() < 0.8:
            process.take(name, operator, i.OperatorClaimed(operator), key, limited=True)
        else:
            words = i.OperatorReplied(MessageId(f"o:{key}"), operator)
            process.take(name, operator, words, key, limited=False)

    def _answers_offer(self, process: Process, operator: OperatorId, session: Session) -> None:
        """Most are taken, some are passed on, some are not noticed at all."""
        answer = self.chance.random()
        if answer < 0.7 or self.quiet:
            process.take(session.id, operator, i.OperatorClaimed(operator), self._key("claim"), limited=True)
        elif answer < 0.85:
            process.relay(session.id, i.OperatorDeclined(operator), self._key("decline"))

    def _moves_of_operator(self, operator: OperatorId, session: Session) -> list[tuple[i.Input, float]]:
        self.numbers += 1
        reply = i.OperatorReplied(MessageId(f"o:{self.numbers}"), operator)
        outcome = i.Outcome.SOLVED if session.check is None or session.check.passed_at else i.Outcome.UNSOLVED
        moves: list[tuple[i.Input, float]] = [
            (reply, 5 if session.turn.of is not TurnOf.CUSTOMERS else 0.5),
            (i.OperatorResolved(operator, outcome), 3),
        ]
        if self.quiet:
            return moves
        desk = self.chance.choice(list(self.books.policy.desks))
        return [
            *moves,
            (i.OperatorNoted(MessageId(f"n:{self.numbers}"), operator), 1),
            (i.OperatorHeld(operator, self.clock + self.chance.randint(1, 60) * MINUTE), 0.5),
            (i.OperatorTransferred(operator, desk), 0.4),
            (i.OperatorReleased(operator), 0.3),
            (i.OperatorEscalated(operator), 0.1),
            (i.OperatorAcknowledged(operator), 1 if session.escalation else 0),
            (i.OperatorAskedCheck(operator, f"nonce{self.numbers}"), 0.2),
        ]

    # ------------------------------------------------------------------ the bridge

    def _pager_answers(self, process: Process) -> None:
        """A page is taken, or somebody says that they have it."""
        session = self._some(lambda one: one.escalation is not None)
        if session is None or session.escalation is None:
            return
        if session.escalation.pagers and not session.escalation.called:
            accepted = i.PageAccepted(EffectId(session.escalation.id), "night")
            process.relay(session.id, accepted, self._key("page"))
        else:
            process.relay(session.id, i.OperatorAcknowledged(OperatorId("sam"), "night"), self._key("ack"))

    def _incident(self, process: Process) -> None:
        incident, key = IncidentId("outage"), self._key("incident")
        for session in list(self.books.living()):
            if session.topic == house.TRADING:
                process.relay(session.id, i.IncidentNamed(incident), InputKey(f"{key}/{session.id}"))
                update = i.OperatorInformed(MessageId(f"u:{key}"), OperatorId("sam"), incident)
                process.relay(session.id, update, InputKey(f"{key}/update/{session.id}"))

    def _deadlines(self, process: Process) -> None:
        """What fell due, the earliest first; a deadline that two processes fire is one input."""
        policy = self.books.policy
        for operator in policy.operators:
            if operator not in self.on:
                self._hand_back(process, operator)
        for _ in range(50):
            due = ((kept.due, name) for name, kept in self.books.sessions.items() if kept.due is not None)
            fallen = sorted(one for one in due if one[0] <= self.clock - 40)
            if not fallen:
                return
            for at, name in fallen:
                process.relay(name, i.DeadlineFell(), InputKey(f"deadline/{at}"))
        raise AssertionError("a deadline falls again and again")

    def _allocate(self, process: Process, desk: Desk) -> None:
        if desk.assignment is Assignment.CLAIM:
            return
        operators = tuple(
            Available(one, len(self.books.of(one)), self.given.get(one, 0))
            for one in sorted(self.on)
            if self.books.policy.operators[one].works_at(desk.id)
        )
        line = tuple(one for one in self._in_line(offered=True) if self._desk_of(one) == desk.id)
        offered = tuple(one for one in line if one.offered_to is not None)
        snapshot = DeskSnapshot(desk, line, operators, offered)
        for name, proposal in allocate(snapshot, now=self.clock, policy=self.books.policy):
            if isinstance(proposal, i.OfferProposed):
                self.given[proposal.operator] = self.clock
                process.offer(name, proposal, self._key("offer"))
            else:
                process.relay(name, proposal, self._key("taken back"))

    # ------------------------------------------------------------------ looking

    def _look(self, *, on_time: bool) -> None:
        lines = {
            desk: [one.session for one in self._in_line(offered=True) if self._desk_of(one) == desk]
            for desk in self.books.policy.desks
        }
        self.witness.saw_lines(lines)
        self.witness.saw(self.books, self.clock - 60, on_time=on_time)

    def _in_line(self, *, offered: bool = False) -> list[Waiting]:
        found = [one for session in self.books.living() if (one := waiting(session)) is not None and not one.closed]
        return order([one for one in found if offered or one.offered_to is None], self.books.policy)

    def _desk_of(self, one: Waiting) -> str:
        return self.books.sessions[one.session].session.desk

    def _some(self, which: Callable[[Session], object]) -> Session | None:
        found = [one for one in self.books.living() if which(one)]
        return self.chance.choice(found) if found else None


__all__ = ["HOUR", "INPUTS", "Decision", "World"]
