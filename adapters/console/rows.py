"""Rows: a session as it stands in a list. Made from the session itself, or at the start from its line in the index.

When somebody has waited long is said by the desk's own promises (`routing.sla`): amber from the warning on, red from
when the promise is missed. A desk that promises nothing has the two times of the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.directory import Operator
from bridge.ports import Line, Stored
from routing import queue, sla
from routing.ids import DeskId, OperatorId, SessionId
from routing.outage import is_out_of_reach
from routing.policy import Desk, Policy, Promised
from routing.session import Check, Escalation, Session, State

OPEN = (State.QUEUED, State.ASSIGNED)

RESPONSES = (Promised.FIRST_RESPONSE, Promised.NEXT_RESPONSE)

_LAST = (2, 0)
"""The place of who waits for nothing: behind all who do."""


@dataclass(frozen=True, slots=True)
class Promise:
    """When a waiting time turns amber and red where a desk promises nothing itself, in ms."""

    amber: int = 3 * 60_000
    red: int = 5 * 60_000

    @property
    def ahead(self) -> int:
        """How long before a promise that has no warning of its own it turns amber."""
        return self.red - self.amber


@dataclass(frozen=True, slots=True)
class Row:
    """A session in a list. Times are ms since 1970 (UTC).

    `near_at` and `past_at`: when the wait turns amber and red; None where nothing is owed or counted now. `place`
    orders who waits: emergencies, then by the queue's own rank. `offer`: to whom it is offered, until when.
    """

    session: SessionId
    code: str
    desk: DeskId
    head: int
    state: State
    language: str
    topic: str
    assignee: OperatorId | None
    waiting_since: int | None
    turn: str
    until: int | None
    presence: str
    last_at: int
    messages: int
    verified: bool
    near_at: int | None = None
    past_at: int | None = None
    place: tuple[int, int] = _LAST
    emergency: bool = False
    escalation: Mapping[str, object] | None = None
    check: Mapping[str, object] | None = None
    offer: tuple[OperatorId, int] | None = None
    incident: str | None = None
    opens_at: int | None = None
    taken_over: int | None = None  # since when its network has not answered
    network: str = ""
    unattended: bool = False  # taken over, owed an answer, and whoever holds it sits before the silent network

    def in_list(self, name: str, operator: OperatorId) -> bool:
        if name == "mine":
            return self.state in OPEN and self.assignee == operator
        return self.state in OPEN and (name == "all" or self.assignee is None or self.unattended)

    @property
    def rank(self) -> tuple[int, int]:
        """Emergencies first, then as the queue has them; those who do not wait follow, the latest first."""
        return (_LAST[0], -self.last_at) if self.place == _LAST else self.place

    def offered_to(self, operator: OperatorId) -> bool:
        return self.offer is not None and self.offer[0] == operator

    def level(self, now: int) -> str:
        """How the wait stands to the promise: "", "near" or "past"."""
        if self.past_at is not None and self.past_at <= now:
            return "past"
        return "near" if self.near_at is not None and self.near_at <= now else ""


def may_see(operator: Operator, row: Row) -> bool:
    """Operators see their desks' sessions, whatever they hold themselves, and what they are being offered."""
    return operator.serves(row.desk) or row.assignee == operator.id or row.offered_to(operator.id)


# ------------------------------------------------------------------ from the session


def row_of(stored: Stored, policy: Policy, promise: Promise | None = None) -> Row:
    session = stored.session
    desk = policy.desk_of(session.desk, session.language, session.topic)
    emergency = policy.topic(session.topic).emergency
    near, past = _colours(session, desk, policy, promise or Promise())
    return Row(
        session=session.id,
        code=session.code,
        desk=session.desk,
        head=stored.head,
        state=session.state,
        language=session.language,
        topic=session.topic,
        assignee=session.assignee,
        waiting_since=session.waiting_since,
        turn=session.turn.of,
        until=session.turn.until,
        presence=session.presence,
        last_at=session.last_at,
        messages=session.messages,
        verified=session.verified,
        near_at=near,
        past_at=past,
        place=_place(session, policy, emergency),
        emergency=emergency,
        escalation=_escalation(session.escalation),
        check=_check(session.check),
        offer=(session.offer.operator, session.offer.until) if session.offer else None,
        incident=session.incident,
        opens_at=session.opens_at,
        taken_over=session.taken_over,
        network=desk.network,
        unattended=session.assignee is not None and session.waiting_since is not None and is_out_of_reach(session),
    )


def _colours(session: Session, desk: Desk, policy: Policy, promise: Promise) -> tuple[int | None, int | None]:
    if session.waiting_since is None or session.opens_at is not None:
        return None, None
    due = {kind: at for kind in RESPONSES if (at := sla.due(kind, session, desk, policy)) is not None}
    if not due:
        promised = any(sla.promise_of(kind, session, desk, policy) for kind in RESPONSES)
        since = session.waiting_since
        return (None, None) if promised else (since + promise.amber, since + promise.red)
    kind = min(due, key=lambda one: due[one])
    return sla.warning(kind, session, desk, policy) or due[kind] - promise.ahead, due[kind]


def _place(session: Session, policy: Policy, emergency: bool) -> tuple[int, int]:
    one = queue.waiting(session)
    if one is not None:
        ordinary, key, _ = queue.rank(one, policy)
        return ordinary, key
    return _LAST if session.waiting_since is None else (0 if emergency else 1, session.waiting_since)


def _escalation(ladder: Escalation | None) -> dict[str, object] | None:
    if ladder is None:
        return None
    return {
        "why": ladder.why,
        "since": ladder.since,
        "called": ladder.called,
        "acknowledged_by": ladder.acknowledged_by,
        "acknowledged_at": ladder.acknowledged_at or None,
    }


def _check(check: Check | None) -> dict[str, object] | None:
    return None if check is None else {"state": check.state, "at": check.at, "until": check.until or None}


# ------------------------------------------------------------------ from the index


def row_of_line(line: Line, policy: Policy, promise: Promise | None = None) -> Row:
    """The same from the index. A key that a release did not write yet counts as unknown."""
    known: dict[str, Any] = dict(line.summary)
    topic = str(known.get("topic") or "")
    emergency = any(one == topic and rules.emergency for one, rules in policy.topic_rules.items())
    near, past = _listed_colours(known, promise or Promise())
    offer = known.get("offer")
    return Row(
        session=line.session,
        code=line.code,
        desk=line.desk,
        head=line.head,
        state=State(known["state"]),
        language=str(known.get("language") or ""),
        topic=topic,
        assignee=known.get("assignee"),
        waiting_since=known.get("waiting_since"),
        turn=str(known.get("turn") or "ours"),
        until=known.get("until"),
        presence=str(known.get("presence") or "here"),
        last_at=int(known.get("last_at") or 0),
        messages=int(known.get("messages") or 0),
        verified=bool(known.get("verified")),
        near_at=near,
        past_at=past,
        place=_listed_place(known, emergency),
        emergency=emergency,
        escalation=known.get("escalation"),
        offer=(OperatorId(offer["operator"]), int(offer["until"])) if offer else None,
        incident=known.get("incident"),
        opens_at=known.get("opens_at"),
        taken_over=known.get("taken_over"),
        network=next((desk.network for desk in policy.desks.values() if desk.id == line.desk), ""),
        unattended=_listed_unattended(known),
    )


def _listed_colours(known: Mapping[str, Any], promise: Promise) -> tuple[int | None, int | None]:
    """The index names what is still to be kept, and what was said to be missed; that one is red since whenever."""
    since = known.get("waiting_since")
    if since is None or known.get("opens_at") is not None:
        return None, None
    due = known.get("due") or {}
    if any(kind in (known.get("missed") or ()) for kind in RESPONSES):
        return since, since
    times = [due[kind] for kind in RESPONSES if kind in due]
    if not times:
        return (since + promise.amber, since + promise.red) if not due else (None, None)
    warned = any(kind in (known.get("warned") or ()) for kind in RESPONSES)
    return since if warned else min(times) - promise.ahead, min(times)


def _listed_unattended(known: Mapping[str, Any]) -> bool:
    """The index does not say who has spoken since; the session does, as soon as anything happens to it."""
    since, assigned = known.get("taken_over"), known.get("assigned_at") or 0
    return bool(since and known.get("assignee") and known.get("waiting_since") and assigned < since)


def _listed_place(known: Mapping[str, Any], emergency: bool) -> tuple[int, int]:
    rank, since = known.get("rank"), known.get("waiting_since")
    if rank:
        return int(rank[0]), int(rank[1])
    return _LAST if since is None else (0 if emergency else 1, int(since))
