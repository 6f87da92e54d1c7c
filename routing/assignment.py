"""Who is asked to take a session, when a desk offers its sessions rather than have them claimed by hand.

Of those who are on, work at the desk and have room left:

1. whoever answered this customer last time, where the desk says so (`last_operator_first`);
2. those who have not let this session pass before those who have; these only after a pause (`AGAIN_AFTER`);
3. those who speak the customer's language best: 3 before 2 before 1, and who does not speak it at the very last,
   since an answer through a translation is better than none;
4. among equals the desk's method: *round robin* takes who was given a session longest ago, *least busy* who has most
   room left.

Nobody is asked beyond their capacity, which is what `load` counts against: sessions that they hold, and those that
they are being offered, at whatever desk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from routing.ids import OperatorId
from routing.policy import MINUTE, Assignment, Desk, Policy
from routing.queue import Waiting
from routing.session import Session, State

AGAIN_AFTER = 2 * MINUTE
"""Until who let a session pass is asked again, if it still waits: nobody waits for ever, and nobody is nagged."""


@dataclass(frozen=True, slots=True)
class Available:
    """An operator who takes sessions now. `last_given_at`: when they were last given one, ms since 1970 (UTC)."""

    operator: OperatorId
    load: int
    last_given_at: int = 0


def occupied(session: Session) -> OperatorId | None:
    """Whose capacity the session takes: its assignee's while it is under way, else who it is being offered to."""
    if session.state is State.ASSIGNED:
        return session.assignee
    return session.offer.operator if session.offer is not None else None


class Hands:
    """Who has room left while the offers of one pass are made up. Deterministic."""

    def __init__(self, desk: Desk, operators: Iterable[Available], policy: Policy) -> None:
        self._desk = desk
        self._policy = policy
        self._room: dict[OperatorId, int] = {}
        self._given: dict[OperatorId, int] = {}
        for one in operators:
            profile = policy.operators.get(one.operator)
            if profile is not None and profile.works_at(desk.id) and profile.capacity > one.load:
                self._room[one.operator] = profile.capacity - one.load
                self._given[one.operator] = one.last_given_at

    @property
    def empty(self) -> bool:
        """Whether nobody has room left."""
        return not self._room

    def take(self, session: Waiting, now: int) -> OperatorId | None:
        """Who is asked to take this session; their room is one less. None: nobody can be asked now."""
        able = [one for one in self._room if self._may_be_asked(one, session, now)]
        if not able:
            return None
        chosen = min(able, key=lambda one: self._preference(one, session))
        self._give(chosen, now)
        return chosen

    def _may_be_asked(self, operator: OperatorId, session: Waiting, now: int) -> bool:
        return operator not in session.declined or now - session.declined_at >= AGAIN_AFTER

    def _preference(self, operator: OperatorId, session: Waiting) -> tuple[object, ...]:
        """Smaller is asked first."""
        passed = operator in session.declined
        known = self._desk.last_operator_first and operator == session.last_operator and not passed
        skill = self._policy.operators[operator].skill(session.language)
        return (not known, passed, -skill, *self._turn(operator), operator)

    def _turn(self, operator: OperatorId) -> tuple[int, int]:
        busy = -self._room[operator] if self._desk.assignment is Assignment.LEAST_BUSY else 0
        return busy, self._given[operator]

    def _give(self, operator: OperatorId, now: int) -> None:
        latest = max(self._given.values())
        self._given[operator] = max(now, latest + 1)  # behind all others, whatever this pass has given before
        self._room[operator] -= 1
        if not self._room[operator]:
            del self._room[operator]
            del self._given[operator]
