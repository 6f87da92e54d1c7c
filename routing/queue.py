"""The queue of a desk: who comes first, and where everybody stands.

The rule, whole:

    1. Emergencies (topics that are marked as one) come before everything else.
    2. Then whoever has waited longest, where some count as having waited longer than they have:

           key = waiting since − head starts

       A head start is a span of time: of a customer whom the site vouches for (`rules`: verified), of one who has
       been here before (returning), and of the topic. They add up. The smaller key comes first.
    3. Then the session's id, so that two who came in the same millisecond have an order, too.

*Waiting since* is when the customer began to be owed an answer: their first unanswered message. Releasing, overflow
and transfer do not change it, so nobody starts again at the end; neither does leaving the page.

Since a head start is time and not a class, the key never changes while a session waits: no sorting anew, and ageing is
in it. Whoever comes later than the sum of all head starts can never overtake, so nobody is overtaken for ever.

Examples, with the head starts verified 2 min and returning 1 min, and 5 min for the topic *security*:

    | customer | since | head starts       | key   | place |
    | E        | 10:09 | (an emergency)    |       | 1     |
    | A        | 10:00 | none              | 10:00 | 2     |
    | D        | 10:06 | security 5        | 10:01 | 3     |
    | B        | 10:04 | verified 2        | 10:02 | 4     |
    | C        | 10:03 | none              | 10:03 | 5     |
    | F        | 10:12 | all of them: 8    | 10:04 | 6     |

C has waited one minute more than B, whose head start puts B before C all the same. F came when C had waited for nine
minutes, so with every head start that there is F does not pass C.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from routing.ids import OperatorId, SessionId, Topic
from routing.policy import Policy, Priority
from routing.session import Session


class Rank(NamedTuple):
    """Smaller comes first. `ordinary` is 0 for an emergency, else 1; `key` is ms since 1970 (UTC), less head starts."""

    ordinary: int
    key: int
    session: SessionId


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued session whose turn is ours, as the rules over a whole desk see it. `since` is ms since 1970 (UTC).

    `declined` let an offer of it pass, the latest of them at `declined_at`. `closed`: its desk is closed and opens
    later; it keeps its place, and nobody is asked to take it before then.
    """

    session: SessionId
    since: int
    topic: Topic
    language: str = ""
    verified: bool = False
    returning: bool = False
    closed: bool = False
    offered_to: OperatorId | None = None
    declined: tuple[OperatorId, ...] = ()
    declined_at: int = 0
    last_operator: OperatorId | None = None


def waiting(session: Session) -> Waiting | None:
    """The session as it stands in its desk's queue; None when it does not."""
    if not session.waiting:
        return None
    return Waiting(
        session=session.id,
        since=session.opened_at if session.waiting_since is None else session.waiting_since,
        topic=session.topic,
        language=session.language,
        verified=session.verified,
        returning=session.previous is not None or session.reopenings > 0,
        closed=session.opens_at is not None,
        offered_to=session.offer.operator if session.offer else None,
        declined=session.declined,
        declined_at=session.declined_at,
        last_operator=session.last_operator,
    )


def rank(one: Waiting, policy: Policy) -> Rank:
    """Where it belongs in its desk's queue. The same for as long as it waits, the policy apart."""
    topic, starts = policy.topic(one.topic), policy.head_starts
    urgent = topic.effective_priority is Priority.URGENT
    head_start = topic.head_start
    head_start += starts.verified if one.verified else 0
    head_start += starts.returning if one.returning else 0
    return Rank(0 if urgent else 1, one.since - head_start, one.session)


def order(sessions: Iterable[Waiting], policy: Policy) -> list[Waiting]:
    """All of them, the first to be served first."""
    return sorted(sessions, key=lambda one: rank(one, policy))


def positions(sessions: Iterable[Waiting], policy: Policy) -> dict[SessionId, int]:
    """Where everybody stands, from 1."""
    return {one.session: place for place, one in enumerate(order(sessions, policy), 1)}
