"""Who should be offered what: the second pure function, over a whole desk at once.

Run by the holder of the desk's lease. It only proposes: `decide` verifies each input against the session itself, so
a stale snapshot can waste an offer but never give one session to two operators.

An offer that is not taken in time is ended by the session's own timer; the next pass offers it to the next one. An
offer to somebody who is not on any more is taken back here. Once nobody has room the rest of the line is not looked at,
so the cost follows from how many operators there are, and not from how many customers wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from routing.assignment import Available, Hands
from routing.ids import SessionId
from routing.inputs import Input, OfferEnded, OfferProposed
from routing.policy import Assignment, Desk, Policy
from routing.queue import Waiting

Proposal = tuple[SessionId, Input]


@dataclass(frozen=True, slots=True)
class DeskSnapshot:
    """A desk as its lease's holder sees it: `waiting` in the order of the queue, `operators` those who are on.

    `offered` are those of the waiting that are being offered to somebody, in any order.
    """

    desk: Desk
    waiting: Sequence[Waiting] = ()
    operators: Sequence[Available] = ()
    offered: Sequence[Waiting] = ()


def allocate(snapshot: DeskSnapshot, *, now: int, policy: Policy) -> list[Proposal]:
    """The inputs to hand to the relay, the first in the queue first. `now` is ms since 1970 (UTC).

    Deterministic; proposes nothing twice, and nobody beyond their capacity.
    """
    taken_back = list(_taken_back(snapshot))
    if snapshot.desk.assignment is Assignment.CLAIM:
        return taken_back
    return [*taken_back, *_offers(snapshot, now, policy)]


def _taken_back(snapshot: DeskSnapshot) -> Iterator[Proposal]:
    """Offers to operators who have left since: their sessions go to the next one."""
    here = {one.operator for one in snapshot.operators}
    for one in snapshot.offered:
        if one.offered_to is not None and one.offered_to not in here:
            yield one.session, OfferEnded(one.offered_to)


def _offers(snapshot: DeskSnapshot, now: int, policy: Policy) -> Iterator[Proposal]:
    hands, until = Hands(snapshot.desk, snapshot.operators, policy), now + snapshot.desk.offer_for
    for one in snapshot.waiting:
        if hands.empty:
            return
        operator = None if one.offered_to is not None or one.closed else hands.take(one, now)
        if operator is not None:
            yield one.session, OfferProposed(operator, until)
