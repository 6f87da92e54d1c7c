"""The ladder: whom to call when an answer is late, in which order, and until when.

A ladder starts when a promise is missed, at once for an emergency, or by hand. Each rung fires after its delay and is
repeated as the policy says; the last one is repeated until it ends. It ends with an answer. An acknowledgement is a
promise: it stops the ladder for `answer_within`, then its giver is reminded, and as long again after that the ladder
goes on.

Delays count from when the step before was *taken*, not from when it was due: a process that slept through the night
calls the first rung in the morning, and not all of them at once.
"""

from __future__ import annotations

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.case import Case, RefusedError
from routing.effects import ONCALL
from routing.facts import Actor, Cause, Why
from routing.ids import OperatorId
from routing.policy import Desk, Rung, RungKind
from routing.session import Escalation, Reason, Session

LEAST_EVERY = 1_000
"""ms between two repeats of a rung, whatever a policy says: without a pause the last one would call without end."""


def next_step(session: Session, desk: Desk) -> int | None:
    """When the ladder's next step is due (ms since 1970, UTC); None when none is."""
    ladder = session.escalation
    if ladder is None:
        return None
    if ladder.acknowledged_by is not None:
        return ladder.acknowledged_at + desk.ladder.answer_within
    if not desk.ladder.rungs:
        return None
    number, times = _next_rung(ladder, desk)
    rung = desk.ladder.rungs[number]
    return ladder.at + (rung.after if times == 1 else max(rung.every, LEAST_EVERY))


def _next_rung(ladder: Escalation, desk: Desk) -> tuple[int, int]:
    """(rung, how often it will have fired then).

    The desk's ladder may be another one than when the last rung fired: the session moved, or the policy was reloaded.
    It goes on from the rung of that number; where the ladder is shorter now, with its last one.
    """
    rungs = desk.ladder.rungs
    if ladder.rung < 0:
        return 0, 1
    last = ladder.rung >= len(rungs) - 1
    if last or ladder.times < rungs[ladder.rung].times:
        return min(ladder.rung, len(rungs) - 1), ladder.times + 1
    return ladder.rung + 1, 1


def start(case: Case, why: Cause, actor: Actor, operator: str | None = None) -> None:
    """Start the ladder, unless one is under way; rungs without a delay fire with it."""
    if case.open.escalation is not None:
        return
    case.record(f.EscalationStarted, actor, escalation=case.name("Escalation"), why=why, operator=operator)
    if not case.desk.ladder.rungs:
        _call(case, _THREAD, "escalated", case.open.assignee)
    step(case)


def step(case: Case) -> None:
    """Carry out what of the ladder is due."""
    for _ in range(max(1, len(case.desk.ladder.rungs))):  # at most once round, however long we slept
        due = next_step(case.open, case.desk)
        if due is None or due > case.now:
            return
        _take_step(case)


def _take_step(case: Case) -> None:
    ladder = case.open.escalation
    if ladder is None:
        return
    if ladder.acknowledged_by is None:
        _fire(case, ladder)
    elif not ladder.reminded:
        case.record(f.AcknowledgerReminded, Actor.BRIDGE, operator=ladder.acknowledged_by)
        _call(case, _THREAD, "acknowledger_reminded", ladder.acknowledged_by)
    else:
        _resume(case, ladder.acknowledged_by)


def _resume(case: Case, acknowledger: OperatorId) -> None:
    """They were reminded, and did not answer: the next rung is called at once."""
    case.record(f.EscalationResumed, Actor.BRIDGE, operator=acknowledger)
    case.say("escalation_resumed", operator=acknowledger)
    if case.open.escalation is not None and case.desk.ladder.rungs:
        _fire(case, case.open.escalation)


def _fire(case: Case, ladder: Escalation) -> None:
    number, times = _next_rung(ladder, case.desk)
    rung = case.desk.ladder.rungs[number]
    on_call = case.policy.on_call(case.desk, case.now)
    case.record(f.RungFired, Actor.BRIDGE, rung=number, times=times, kind=rung.kind, to=rung.to, operator=on_call)
    if rung.kind is RungKind.PAGER:
        page = {"escalation": ladder.id, "pager": rung.to, "cause": ladder.why, "operator": on_call}
        case.ask_beyond(e.Page, ONCALL, **page)
    elif rung.kind is RungKind.ON_CALL and on_call is None:
        _call(case, _CHANNEL, "escalated", None)  # a gap in the rota: better all of the desk than nobody
    else:
        _call(case, rung, "escalated", case.open.assignee if rung.kind is RungKind.THREAD else on_call)
    if number == len(case.desk.ladder.rungs) - 1:
        offer_contact(case)


_THREAD, _CHANNEL = Rung(RungKind.THREAD), Rung(RungKind.CHANNEL)


def _call(case: Case, rung: Rung, key: str, operator: str | None) -> None:
    ladder = case.open.escalation
    words = {"why": ladder.why} if ladder else {}
    case.ask(e.CallOperators, kind=rung.kind, to_whom=rung.to, operator=operator, key=key, words=words)


def offer_contact(case: Case) -> None:
    """Name the desk's other ways to the customer, once, and only where there are any."""
    contact = case.desk.contact
    if not case.open.contact_offered and (contact.mail or contact.phone):
        case.record(f.ContactOffered, Actor.BRIDGE)


def end(case: Case, actor: Actor, why: Why) -> None:
    """It is answered, or nothing is left to answer."""
    ladder = case.open.escalation
    if ladder is None:
        return
    case.record(f.EscalationEnded, actor, escalation=ladder.id, why=why)
    if ladder.pagers:
        case.ask_beyond(e.EndPage, ONCALL, escalation=ladder.id)


# ------------------------------------------------------------------ rules


def escalate(case: Case, event: i.OperatorEscalated) -> None:
    if case.open.escalation is not None:
        raise RefusedError(Reason.ESCALATED_ALREADY)
    start(case, Cause.BY_HAND, Actor.OPERATOR, event.operator)


def acknowledge(case: Case, event: i.OperatorAcknowledged) -> None:
    ladder = case.open.escalation
    if ladder is None:
        raise RefusedError(Reason.NOT_ESCALATED)
    if ladder.acknowledged_by == event.operator:
        return
    case.record(f.EscalationAcknowledged, Actor.OPERATOR, operator=event.operator, via=event.via, called=ladder.called)
    case.say("acknowledged", operator=event.operator)
    if ladder.pagers:
        case.ask_beyond(e.AcknowledgePage, ONCALL, escalation=ladder.id)


def page_accepted(case: Case, event: i.PageAccepted) -> None:
    ladder = case.open.escalation
    if ladder is not None and ladder.id == event.escalation and not ladder.called:
        case.record(f.SpecialistCalled, Actor.BRIDGE, pager=event.pager)
