"""Who should be offered what: the second pure function, over a whole desk at once.

Run by the holder of the desk's lease. It only proposes: `decide` verifies each input against the session itself, so
a stale snapshot can waste an offer but never give one session to two operators.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.ids import OperatorId, SessionId
from routing.inputs import Input, OfferEnded, OfferProposed
from routing.policy import Assignment, Desk, Policy


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued session as the desk's index shows it. `since` is ms since 1970 (UTC)."""

    session: SessionId
    since: int
    offered_to: OperatorId | None = None
    declined: frozenset[OperatorId] = frozenset()


@dataclass(frozen=True, slots=True)
class Available:
    """An operator who takes sessions now. `load` counts what they hold and what they are being offered."""

    operator: OperatorId
    load: int
    last_given_at: int = 0


@dataclass(frozen=True, slots=True)
class DeskSnapshot:
    desk: Desk
    waiting: tuple[Waiting, ...] = ()
    operators: tuple[Available, ...] = ()


@dataclass(slots=True)
class _Hands:
    """Who has room left while the proposals of one pass are being made."""

    room: dict[OperatorId, int] = field(default_factory=dict)
    order: list[OperatorId] = field(default_factory=list)

    def take(self, unless: frozenset[OperatorId]) -> OperatorId | None:
        for place, operator in enumerate(self.order):
            if self.room[operator] > 0 and operator not in unless:
                self.room[operator] -= 1
                self.order.append(self.order.pop(place))
                return operator
        return None


def allocate(snapshot: DeskSnapshot, *, now: int, policy: Policy) -> list[tuple[SessionId, Input]]:
    """The inputs to hand to the relay, longest waiting first. Deterministic; proposes nothing twice."""
    proposals: list[tuple[SessionId, Input]] = list(_taken_back(snapshot))
    if snapshot.desk.assignment is Assignment.CLAIM:
        return proposals
    hands = _hands(snapshot, policy)
    until = now + snapshot.desk.offer_for
    for waiting in sorted(snapshot.waiting, key=lambda one: (one.since, one.session)):
        operator = None if waiting.offered_to else hands.take(waiting.declined)
        proposals += [(waiting.session, OfferProposed(operator, until))] if operator else []
    return proposals


def _taken_back(snapshot: DeskSnapshot) -> list[tuple[SessionId, Input]]:
    """Offers to operators who have left since: their sessions go to the next one."""
    here = {one.operator for one in snapshot.operators}
    return [
        (waiting.session, OfferEnded(waiting.offered_to))
        for waiting in snapshot.waiting
        if waiting.offered_to is not None and waiting.offered_to not in here
    ]


def _hands(snapshot: DeskSnapshot, policy: Policy) -> _Hands:
    known = [one for one in snapshot.operators if one.operator in policy.operators]
    known.sort(key=lambda one: (one.last_given_at, one.operator))
    room = {one.operator: policy.operators[one.operator].capacity - one.load for one in known}
    return _Hands(room, [one.operator for one in known])
