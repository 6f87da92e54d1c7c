"""What is kept, and by whom it is changed: a store that commits by version, and processes that may die at any line.

The engine's rules stand here without its wire: decide, commit if nobody was faster, else decide again on what is there.
A process remembers sessions as they were when it last looked, so it often judges on what is no longer so; only the
commit's version keeps it right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from routing import inputs as i
from routing.assignment import occupied
from routing.decide import Decision, Verdict, decide
from routing.facts import Fact
from routing.ids import CustomerKey, InputKey, OperatorId, SessionId
from routing.policy import Policy
from routing.session import Session, State

RECLAIM_AFTER = 30_000
"""ms after which a place that no session shows counts as left by somebody who died."""


class DiedError(Exception):
    """The process was killed here."""


@dataclass(slots=True)
class Kept:
    """A session's books: its snapshot, its journal, and the keys of the inputs that made it."""

    session: Session
    journal: list[Fact]
    due: int | None = None  # the earliest of its timers
    keys: set[InputKey] = field(default_factory=set)

    @property
    def version(self) -> int:
        return len(self.journal)


Judge = Callable[[Session | None, Decision], None]


@dataclass(slots=True)
class Books:
    """`judge` sees every decision before it is written, with the session that it changes."""

    policy: Policy
    judge: Judge
    sessions: dict[SessionId, Kept] = field(default_factory=dict)
    open: dict[CustomerKey, SessionId] = field(default_factory=dict)
    places: dict[OperatorId, dict[SessionId, int]] = field(default_factory=dict)
    inputs: int = 0

    def commit(self, version: int, key: InputKey, decision: Decision) -> bool:
        """False: somebody was faster. An input that was committed before is answered as the first time."""
        session = decision.session
        kept = self.sessions.get(session.id)
        if kept is not None and key in kept.keys:
            return True
        if (kept.version if kept else 0) != version:
            return False
        if kept is None and session.customer in self.open:
            return False
        self.judge(kept.session if kept else None, decision)
        if kept is None:
            kept = self.sessions[session.id] = Kept(session, [])
            self.open[session.customer] = session.id
        kept.session = session
        kept.due = min(decision.timers.values(), default=None)
        kept.journal += decision.facts
        kept.keys.add(key)
        if session.state is State.CLOSED:
            self.open.pop(session.customer, None)
        return True

    def of(self, operator: OperatorId) -> dict[SessionId, int]:
        return self.places.setdefault(operator, {})

    def living(self) -> Iterator[Session]:
        return (kept.session for kept in self.sessions.values() if kept.session.state is not State.CLOSED)


@dataclass(slots=True)
class Process:
    """One of several on the same books. `dies` is asked at each line at which a kill would hurt."""

    books: Books
    chance: Random
    now: Callable[[], int]
    dies: Callable[[], bool]
    memory: dict[SessionId, tuple[Session, int]] = field(default_factory=dict)

    def relay(self, name: SessionId | None, event: i.Input, key: InputKey) -> Verdict:
        """The one door."""
        self.books.inputs += 1
        while True:
            session, version = self._known(name) if name else (None, 0)
            verdict = decide(session, event, key=key, now=self.now(), policy=self.books.policy)
            if not isinstance(verdict, Decision) and name and self._is_old(name, version):
                self.memory.pop(name)
                continue
            if not isinstance(verdict, Decision):
                return verdict
            self._may_die()
            committed = self.books.commit(version, key, verdict)
            self._may_die()
            if committed:
                kept = self.books.sessions[verdict.session.id]
                self.memory[verdict.session.id] = kept.session, kept.version
                return verdict
            if name is None:
                return verdict  # another process has opened this customer's session: the message goes there
            self.memory.pop(name, None)

    def offer(self, name: SessionId, proposal: i.OfferProposed, key: InputKey) -> None:
        """A place is reserved, then the session is offered, then the place is given back if it came to nothing."""
        self._in_place(name, proposal.operator, lambda: self.relay(name, proposal, key), limited=True)

    def take(self, name: SessionId, operator: OperatorId, event: i.Input, key: InputKey, *, limited: bool) -> None:
        """An operator's input that makes the session theirs. Words (`limited` False) are never refused."""
        self._in_place(name, operator, lambda: self.relay(name, event, key), limited=limited)

    def _in_place(
        self, name: SessionId, operator: OperatorId, carry_out: Callable[[], Verdict], *, limited: bool
    ) -> None:
        places = self.books.of(operator)
        new = name not in places
        if new and limited and len(places) >= self.books.policy.operators[operator].capacity:
            return
        places.setdefault(name, self.now())
        self._may_die()
        carry_out()
        if new and occupied(self.books.sessions[name].session) != operator:
            places.pop(name, None)

    def _known(self, name: SessionId) -> tuple[Session, int]:
        if name not in self.memory:
            kept = self.books.sessions[name]
            self.memory[name] = kept.session, kept.version
        return self.memory[name]

    def _is_old(self, name: SessionId, version: int) -> bool:
        return self.books.sessions[name].version != version

    def _may_die(self) -> None:
        if self.dies():
            self.memory.clear()
            raise DiedError


def tidy_places(books: Books, process: Process, now: int) -> None:
    """What the desk's worker does. A session that is somebody's without a place takes one: a customer who came back.
    A place that its session does not show any more is free; one that nobody ever filled is taken from whoever died:
    first the session says that nothing is offered, then the place is given back."""
    for session in books.living():
        operator = occupied(session)
        if operator is not None:
            books.of(operator).setdefault(session.id, now)
    for operator, places in books.places.items():
        for name, since in list(places.items()):
            session = books.sessions[name].session
            if occupied(session) == operator:
                continue
            if now - since < RECLAIM_AFTER and session.state is State.QUEUED:
                continue
            process.relay(name, i.OfferEnded(operator), InputKey(f"reclaimed/{operator}/{now}"))
            if occupied(books.sessions[name].session) != operator:
                places.pop(name, None)
