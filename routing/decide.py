"""What an input means: facts to record, effects to deliver, timers to set. Pure, and total over `table.TABLE`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from routing import (
    answering,
    attachments,
    attention,
    checks,
    escalation,
    held,
    incidents,
    intent,
    language,
    outage,
    reactions,
    sla,
    transfer,
    translation,
    words,
)
from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.case import Case, RefusedError
from routing.effects import Effect
from routing.facts import Actor, Cause, Fact, Mirror, Side, Why
from routing.hours import opens_together
from routing.ids import DeskId, InputKey, Place
from routing.policy import Policy, Promised, RungKind
from routing.session import Presence, Reason, Session, State, TurnOf
from routing.table import TABLE, Accept, Ignore, Refuse
from routing.timers import TimerName, timers


@dataclass(frozen=True, slots=True)
class Decision:
    """What is committed in one step. `session` is the fold of everything up to and with `facts`."""

    session: Session
    facts: tuple[Fact, ...]
    effects: tuple[Effect, ...]
    timers: dict[TimerName, int]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing is recorded; whoever asked is told why."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is recorded and nobody is told; `because` is for `kakehashi why` and the logs."""

    because: str


Verdict = Decision | Refusal | Nothing

NO_BERTHS: Mapping[DeskId, Place] = {}


def decide(
    session: Session | None,
    event: i.Input,
    *,
    key: InputKey,
    now: int,
    policy: Policy,
    berths: Mapping[DeskId, Place] = NO_BERTHS,
) -> Verdict:
    """Judge one input.

    `key` is the input's idempotency key, `now` the store's clock in ms since 1970 (UTC). `berths`: of a desk with a
    pool, the place that takes its next session; how full they are is known outside. Never raises on any input in any
    state: what cannot be done is a Refusal with its reason, or Nothing with its explanation.
    """
    state = State.NEW if session is None else session.state
    verdict = TABLE[type(event)][state]
    if isinstance(verdict, Refuse):
        return Refusal(verdict.reason)
    if isinstance(verdict, Ignore):
        return Nothing(verdict.because)
    return _carry_out(verdict, Case(session, key, now, policy, berths), event)


def _carry_out(verdict: Accept, case: Case, event: i.Input) -> Verdict:
    if isinstance(event, i.OperatorInput) and case.session and case.session.erased:
        return Refusal(Reason.SESSION_ERASED)
    before = case.session
    try:
        RULES[verdict.rule](case, event)
    except RefusedError as refused:
        return Refusal(refused.reason)
    attention.attend(case, before)
    return _decision(case)


def _decision(case: Case) -> Verdict:
    if not case.facts:
        return Nothing("it changes nothing")
    return Decision(case.open, tuple(case.facts), tuple(case.effects), timers(case.open, case.policy))


# ------------------------------------------------------------------ the customer


def _open(case: Case, event: i.CustomerWrote) -> None:
    opening = event.opening
    if opening is None:
        raise RefusedError(Reason.NO_SESSION)
    if opening.blocked_until is not None and case.now < opening.blocked_until:
        raise RefusedError(Reason.NOT_TAKEN_HERE)
    desk = case.policy.desk_for(opening.language, opening.topic)
    rules = case.policy.topic(opening.topic)
    opens = case.now if rules.emergency else opens_together(desk.hours, rules.hours, case.now)
    case.record(
        f.SessionOpened,
        Actor.CUSTOMER,
        desk=desk.id,
        topic=opening.topic,
        session=opening.session,
        code=opening.code,
        customer=opening.customer,
        verified=opening.verified,
        language=opening.language,
        mirror=Mirror(1, desk.network, case.berth(desk)),
        previous=opening.previous,
        last_operator=opening.last_operator,
        opens_at=opens if opens != case.now else None,
    )
    case.ask(e.OpenThread)
    _customer_message(case, event)
    if rules.emergency:
        escalation.start(case, Cause.EMERGENCY, Actor.BRIDGE)


def _customer_message(case: Case, event: i.CustomerWrote) -> None:
    if case.open.state is State.RESOLVED:
        case.record(f.SessionReopened, Actor.CUSTOMER, why=Why.WROTE)
        case.say("reopened")
    if case.open.turn.of is TurnOf.HELD:
        case.record(f.HoldEnded, Actor.CUSTOMER, why=Why.WROTE, worked=case.worked())
    case.record(f.CustomerMessageAdded, Actor.CUSTOMER, message=event.message, held=case.holds_back)
    words.apply_kept(case, event.message, "")
    words.ask_to_post(case, event.message, Side.CUSTOMER, None)
    translation.ask_for(case, event.message)


def _arrive(case: Case, event: i.CustomerArrived) -> None:
    if case.open.presence is not Presence.HERE:
        case.record(f.CustomerCameBack, Actor.CUSTOMER)


def _leave(case: Case, event: i.CustomerLeft) -> None:
    if case.open.presence is Presence.HERE:
        case.record(f.CustomerWentAway, Actor.CUSTOMER)


def _receive(case: Case, event: i.CustomerReceived) -> None:
    session = case.open
    if event.message != session.last_reply:
        return  # an older one: the newest will be acknowledged too, and it is the one that counts
    if session.reached != event.message:
        case.record(f.ReplyReached, Actor.CUSTOMER, message=event.message)
    if event.seen and session.seen != event.message:
        case.record(f.ReplySeen, Actor.CUSTOMER, message=event.message)


def _answer(case: Case, event: i.CustomerAnswered) -> None:
    if event.solved:
        case.record(f.SolutionConfirmed, Actor.CUSTOMER)
        _close(case, Actor.CUSTOMER, i.Outcome.SOLVED, Why.CONFIRMED)
        case.say("confirmed")
        return
    case.record(f.SolutionDenied, Actor.CUSTOMER)
    case.record(f.SessionReopened, Actor.CUSTOMER, why=Why.DENIED)
    case.say("denied")


def _end(case: Case, event: i.CustomerEnded) -> None:
    session = case.open
    answered = session.first_response_at is not None
    outcome = session.outcome or (i.Outcome.ENDED if answered else i.Outcome.ABANDONED)
    _close(case, Actor.CUSTOMER, outcome, Why.ENDED)
    case.say("ended")


def _close(case: Case, actor: Actor, outcome: i.Outcome, why: Why) -> None:
    escalation.end(case, actor, why)
    held.end(case)
    case.record(f.SessionClosed, actor, outcome=outcome, why=why)


def _link(case: Case, event: i.CustomerLinked) -> None:
    if case.open.customer == event.account:
        return
    if not case.open.customer.anonymous:
        raise RefusedError(Reason.NOT_YOURS)  # only a visitor's session may be attached, never another account's
    case.record(f.VisitorLinked, Actor.CUSTOMER, account=event.account)


# ------------------------------------------------------------------ the operator


def _reply(case: Case, event: i.OperatorReplied) -> None:
    intent.refuse_stale(case, event.origin)
    answering.claim_unless_taken(case, event.operator)
    held.leave_undoable(case, event.operator)
    answering.reply(case, event)


def _note(case: Case, event: i.OperatorNoted) -> None:
    answering.note(case, event)


def _claim(case: Case, event: i.OperatorClaimed) -> None:
    answering.assign(case, event.operator, Why.CLAIMED)


def _claim_resolved(case: Case, event: i.OperatorClaimed) -> None:
    case.record(f.SessionReopened, Actor.OPERATOR, why=Why.CLAIMED)
    if case.open.assignee not in (None, event.operator):
        case.record(f.OperatorUnassigned, Actor.OPERATOR, operator=case.open.assignee, why=Why.CLAIMED)
    answering.assign(case, event.operator, Why.CLAIMED)


def _release(case: Case, event: i.OperatorReleased) -> None:
    if case.open.assignee != event.operator:
        raise RefusedError(Reason.NOT_HELD_BY_YOU)
    held.leave_undoable(case)
    case.record(f.OperatorUnassigned, Actor.OPERATOR, operator=event.operator, why=Why.RELEASED)


def _hold(case: Case, event: i.OperatorHeld) -> None:
    if event.until <= case.now:
        raise RefusedError(Reason.HOLD_IN_PAST)
    if event.until > case.now + case.policy.hold_at_most:
        raise RefusedError(Reason.HOLD_TOO_LONG)
    if case.open.assignee is None:
        answering.assign(case, event.operator, Why.CLAIMED)
    if event.promise is not None:
        held.leave_undoable(case, event.operator)
        answering.reply(case, i.OperatorReplied(event.promise, event.operator))
    case.record(f.HoldStarted, Actor.OPERATOR, operator=event.operator, until=event.until, worked=case.worked())
    escalation.end(case, Actor.OPERATOR, Why.ANSWERED)


def _hold_resolved(case: Case, event: i.OperatorHeld) -> None:
    if event.until > case.now:
        case.record(f.SessionReopened, Actor.OPERATOR, why=Why.CLAIMED)
    _hold(case, event)


def _resolve(case: Case, event: i.OperatorResolved) -> None:
    if event.outcome is i.Outcome.SOLVED:
        checks.refuse_unchecked(case)
    if event.outcome is not i.Outcome.SPAM:
        held.leave_undoable(case)
    escalation.end(case, Actor.OPERATOR, Why.RESOLVED)
    if case.open.assignee is None:
        case.record(f.OperatorAssigned, Actor.OPERATOR, operator=event.operator, why=Why.RESOLVED)
    resolved = {"outcome": event.outcome, "operator": event.operator, "worked": case.worked()}
    resolved["tags"] = event.tags
    case.record(f.SessionResolved, Actor.OPERATOR, **resolved)
    if event.outcome is i.Outcome.SPAM:
        _close(case, Actor.OPERATOR, event.outcome, Why.RESOLVED)


def _block(case: Case, event: i.OperatorBlocked) -> None:
    _block_closed(case, event)
    if case.open.state is not State.RESOLVED:
        _resolve(case, i.OperatorResolved(event.operator, i.Outcome.SPAM))
    else:
        _close(case, Actor.OPERATOR, i.Outcome.SPAM, Why.RESOLVED)


def _block_closed(case: Case, event: i.OperatorBlocked) -> None:
    if event.until <= case.now:
        raise RefusedError(Reason.BLOCK_IN_PAST)
    if event.until != case.open.blocked_until:
        case.record(f.CustomerBlocked, Actor.OPERATOR, operator=event.operator, until=event.until)


def _unblock(case: Case, event: i.OperatorUnblocked) -> None:
    if case.open.blocked_until is None or case.open.blocked_until <= case.now:
        raise RefusedError(Reason.NOT_BLOCKED)
    case.record(f.CustomerUnblocked, Actor.OPERATOR, operator=event.operator)


def _decline(case: Case, event: i.OperatorDeclined) -> None:
    offer = case.open.offer
    if offer is None or offer.operator != event.operator:
        raise RefusedError(Reason.NOT_OFFERED_TO_YOU)
    case.record(f.OfferWithdrawn, Actor.OPERATOR, operator=event.operator, why=Why.DECLINED)


def _escalate_resolved(case: Case, event: i.OperatorEscalated) -> None:
    case.record(f.SessionReopened, Actor.OPERATOR, why=Why.CLAIMED)
    escalation.escalate(case, event)


def _inform(case: Case, event: i.OperatorInformed) -> None:
    if case.open.incident != event.incident:
        raise RefusedError(Reason.NOT_IN_INCIDENT)
    said = {"message": event.message, "operator": event.operator}
    case.record(f.UpdateAdded, Actor.OPERATOR, incident=event.incident, **said)
    words.ask_to_post(case, event.message, Side.REPLY, event.operator)
    translation.ask_for(case, event.message)


# ------------------------------------------------------------------ the bridge


def _offer(case: Case, event: i.OfferProposed) -> None:
    session = case.open
    if session.offer is not None or event.until <= case.now or not session.waiting:
        return
    profile = case.policy.operators.get(event.operator)
    if profile is None or not profile.works_at(session.desk):
        raise RefusedError(Reason.NOT_AVAILABLE)
    case.record(f.OfferMade, Actor.BRIDGE, operator=event.operator, until=event.until)
    case.ask(e.CallOperators, kind=RungKind.THREAD, operator=event.operator, key="offered")


def _end_offer(case: Case, event: i.OfferEnded) -> None:
    offer = case.open.offer
    if offer is not None and offer.operator == event.operator:
        case.record(f.OfferWithdrawn, Actor.BRIDGE, operator=event.operator, why=Why.LEFT)


def _went_off(case: Case, event: i.OperatorWentOff) -> None:
    """Who leaves hands back what they hold, and what they are being offered goes to the next one."""
    session = case.open
    if session.offer is not None and session.offer.operator == event.operator:
        case.record(f.OfferWithdrawn, Actor.BRIDGE, operator=event.operator, why=Why.WENT_OFF)
    if session.assignee == event.operator:
        held.leave_undoable(case)
        # Of a resolved session the customer hears nothing: nobody is being waited for.
        why = Why.LEFT if session.state is State.RESOLVED else Why.WENT_OFF
        case.record(f.OperatorUnassigned, Actor.BRIDGE, operator=event.operator, why=why)
        case.say("went_off", operator=event.operator)


def _deadline(case: Case, event: i.DeadlineFell) -> None:
    due = timers(case.open, case.policy)
    for name in TimerName:
        if due.get(name, case.now + 1) <= case.now:
            _FALLEN[name](case)
            due = timers(case.open, case.policy)  # it may have taken others away


def _fell_opening(case: Case) -> None:
    case.record(f.DeskOpened, Actor.BRIDGE)


def _fell_gone(case: Case) -> None:
    case.record(f.CustomerGone, Actor.BRIDGE)


def _fell_hold(case: Case) -> None:
    case.record(f.HoldEnded, Actor.BRIDGE, why=Why.LAPSED, worked=case.worked())
    case.say("hold_lapsed")


def _fell_offer(case: Case) -> None:
    offer = case.open.offer
    if offer is not None:
        case.record(f.OfferWithdrawn, Actor.BRIDGE, operator=offer.operator, why=Why.LAPSED)


def _fell_warning(case: Case) -> None:
    for promise in sla.warnings_fallen(case.open, case.desk, case.policy, case.now):
        due = sla.due(promise, case.open, case.desk, case.policy)
        case.record(f.PromiseWarned, Actor.BRIDGE, promise=promise, due=due)
        told = {"promise": promise, "due": str(due)}
        case.ask(e.CallOperators, kind=RungKind.THREAD, operator=case.open.assignee, key="promise_warned", words=told)


def _fell_promise(case: Case) -> None:
    for promise in sla.misses_fallen(case.open, case.desk, case.policy, case.now):
        due = sla.due(promise, case.open, case.desk, case.policy)
        case.record(f.PromiseMissed, Actor.BRIDGE, promise=promise, due=due)
        case.say("promise_missed", promise=promise)
        escalation.start(case, _MISSED[promise], Actor.BRIDGE)


_MISSED = {
    Promised.FIRST_RESPONSE: Cause.FIRST_RESPONSE,
    Promised.NEXT_RESPONSE: Cause.NEXT_RESPONSE,
    Promised.RESOLUTION: Cause.RESOLUTION,
}


def _fell_silence(case: Case) -> None:
    escalation.end(case, Actor.BRIDGE, Why.LAPSED)
    case.record(f.SessionResolved, Actor.BRIDGE, outcome=i.Outcome.NO_ANSWER, operator=None, worked=case.worked())


def _fell_close(case: Case) -> None:
    outcome = case.open.outcome or i.Outcome.UNSOLVED
    _close(case, Actor.BRIDGE, outcome, Why.LAPSED)


_FALLEN: dict[TimerName, Callable[[Case], None]] = {
    TimerName.UNDO: held.fall,
    TimerName.OPENING: _fell_opening,
    TimerName.GONE: _fell_gone,
    TimerName.HOLD: _fell_hold,
    TimerName.OFFER: _fell_offer,
    TimerName.WARNING: _fell_warning,
    TimerName.PROMISE: _fell_promise,
    TimerName.RUNG: escalation.step,
    TimerName.OVERFLOW: transfer.overflow,
    TimerName.CONTACT: escalation.offer_contact,
    TimerName.CHECK: checks.expire,
    TimerName.UNREACHED: attention.tell_unreached,
    TimerName.SILENCE: _fell_silence,
    TimerName.CLOSE: _fell_close,
}


def _erase(case: Case, event: i.ErasureOrdered) -> None:
    if case.open.erased:
        return
    if case.open.state is not State.CLOSED:
        _close(case, Actor.BRIDGE, case.open.outcome or i.Outcome.ENDED, Why.ENDED)
    case.record(f.SessionErased, Actor.BRIDGE)
    for mirror in case.open.mirrors:
        case.ask(e.DeleteMirror, mirror)


RULES: dict[str, Callable[[Case, Any], None]] = {
    "open": _open,
    "customer_message": _customer_message,
    "ignore_deletion": words.ignore_deletion,
    "customer_reacted": reactions.customer_reacted,
    "operator_reacted": reactions.operator_reacted,
    "revise": intent.revise,
    "withdraw": intent.withdraw,
    "arrive": _arrive,
    "leave": _leave,
    "receive": _receive,
    "answer": _answer,
    "end": _end,
    "link": _link,
    "reply": _reply,
    "note": _note,
    "wrote": intent.wrote,
    "wrote_late": intent.wrote_late,
    "send": held.send,
    "undo": held.undo,
    "claim": _claim,
    "claim_assigned": outage.claim_assigned,
    "claim_resolved": _claim_resolved,
    "release": _release,
    "hold": _hold,
    "hold_resolved": _hold_resolved,
    "transfer": transfer.transfer,
    "transfer_resolved": transfer.transfer_resolved,
    "resolve": _resolve,
    "block": _block,
    "block_closed": _block_closed,
    "unblock": _unblock,
    "choose_language": language.choose_language,
    "checked": checks.checked,
    "decline": _decline,
    "escalate": escalation.escalate,
    "escalate_resolved": _escalate_resolved,
    "acknowledge": escalation.acknowledge,
    "ask_check": checks.ask_check,
    "inform": _inform,
    "went_off": _went_off,
    "page_accepted": escalation.page_accepted,
    "set_aside": attention.set_aside,
    "detect_language": language.detect_language,
    "translated": translation.translated,
    "not_translated": translation.not_translated,
    "name_incident": incidents.name_incident,
    "desk_removed": transfer.desk_removed,
    "offer": _offer,
    "end_offer": _end_offer,
    "deadline": _deadline,
    "erase": _erase,
    "purge_file": attachments.purge,
    "take_over": outage.take_over,
    "hand_back": outage.hand_back,
    "move_mirror": outage.move_mirror,
}
"""Every rule that the table names."""

__all__ = ["RULES", "Decision", "Nothing", "Refusal", "Verdict", "decide"]
