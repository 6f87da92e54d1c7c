"""Attention: who is told of what, so that nobody misses anything and nobody is told twice.

Three rules look at every decision when it is made, and add to it:

1. *The assignee follows the thread.* Whoever becomes it is mentioned there once, unless they follow it already: they
   wrote in it, or were mentioned. A press of a button makes nobody a follower.
2. *After a quiet spell* (`remind_after` without a word or an act of theirs) the customer's words mention them again,
   once until they do something.
3. *Whoever could take it hears that it waits*: a session that begins to wait alerts its desk by the means that the desk
   chose, unless the same decision has called somebody. Who waits on and writes again after `remind_after` alerts it
   again; while a ladder or an offer is under way, that calls.

And a reply that did not reach a customer who left is said once, as is its arrival: see `unreached_at`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.case import Case
from routing.effects import Effect
from routing.facts import Actor, Fact, Waits, Why
from routing.ids import OperatorId
from routing.policy import MINUTE, AlertBy, Assignment, Desk, RungKind
from routing.session import Presence, Session, State

JUST_NOW = MINUTE
"""ms for which a mention counts as just made: a warning and a reminder within it would be one nudge too many."""


class DeliveryState(StrEnum):
    """How far our latest reply has come."""

    NONE = "none"  # there is none yet
    SENT = "sent"  # on its way; the customer is connected, or left a moment ago
    UNREACHED = "unreached"  # the customer left; it is kept for them
    REACHED = "reached"
    SEEN = "seen"


def delivery(session: Session) -> DeliveryState:
    """How far our latest reply has come."""
    if session.last_reply is None:
        return DeliveryState.NONE
    if session.seen == session.last_reply:
        return DeliveryState.SEEN
    if session.reply_reached:
        return DeliveryState.REACHED
    return DeliveryState.SENT if session.unreached is None else DeliveryState.UNREACHED


def attend(case: Case, before: Session | None) -> None:
    """See what was decided with the eyes of those who should hear of it. `before`: the session as it was."""
    if not case.facts:
        return
    _call_assignee(case)
    _alert_desk(case, before)
    if before is not None and before.unreached is not None and case.open.unreached is None:
        case.say("reached_late")


# ------------------------------------------------------------------ the assignee


def _call_assignee(case: Case) -> None:
    session = case.open
    if session.state is not State.ASSIGNED or session.assignee is None:
        return
    if _is_anew(case.facts) and not _follows(session, session.assignee, case.facts):
        _call(case, session.assignee, "assigned", again=False)
    elif _has(case.facts, f.CustomerMessageAdded) and is_quiet(session, case.desk, case.now):
        _call(case, session.assignee, "reminded", again=True)


def _is_anew(facts: Iterable[Fact]) -> bool:
    """It became theirs, or theirs again, or goes on in another thread."""
    return any(isinstance(one, f.OperatorAssigned | f.SessionReopened | f.SessionTransferred) for one in facts)


def _follows(session: Session, operator: OperatorId, facts: Iterable[Fact]) -> bool:
    here = session.mirror.number
    called = session.called
    if called is not None and (called.operator, called.mirror) == (operator, here):
        return True
    wrote = any(one.by == operator and one.mirror == here for one in session.recent)
    wrote = wrote or any(one.by == operator and one.mirror == here for one in session.pending)
    return wrote and not any(isinstance(one, f.OperatorAssigned) and one.why is Why.TRANSFERRED for one in facts)


def is_quiet(session: Session, desk: Desk, now: int) -> bool:
    """The assignee has been silent for so long that the customer's words should call them again."""
    if not desk.remind_after or session.reminded or now - session.attended_at < desk.remind_after:
        return False
    return session.called is None or now - session.called.at >= JUST_NOW


def _call(case: Case, operator: OperatorId, key: str, *, again: bool) -> None:
    case.record(f.AssigneeCalled, Actor.BRIDGE, operator=operator, mirror=case.open.mirror.number, again=again)
    case.ask(e.CallOperators, kind=RungKind.THREAD, operator=operator, key=key)


# ------------------------------------------------------------------ the desk


def _alert_desk(case: Case, before: Session | None) -> None:
    alert = case.desk.alert
    if alert.by is AlertBy.NONE or not waits(case.open) or any(map(_calls_somebody, case.effects)):
        return
    why = _why(case, before)
    if why is None:
        return
    opened = case.open.started_at if why is Waits.OPENED else 0
    case.record(f.DeskAlerted, Actor.BRIDGE, why=why)
    case.ask(e.AlertDesk, why=why, by=alert.by, group=alert.group, opened=opened)


def waits(session: Session) -> bool:
    """Somebody should take it now: at a closed desk it waits for the opening first."""
    return session.waiting and session.opens_at is None


def _calls_somebody(effect: Effect) -> bool:
    """A rung in the thread of a session that nobody has mentions nobody."""
    if not isinstance(effect, e.CallOperators):
        return False
    return effect.kind is not RungKind.THREAD or effect.operator is not None


def _why(case: Case, before: Session | None) -> Waits | None:
    """Why the desk should hear of it; None where it knows."""
    for kind, why in _BEGINS:
        if _has(case.facts, kind):
            return why
    if before is None or not waits(before):
        return Waits.PUT_BACK  # a hold has run out of which nobody is left to answer
    return Waits.STILL if _still(case) else None


_BEGINS: tuple[tuple[type[Fact], Waits], ...] = (
    (f.DeskOpened, Waits.OPENED),
    (f.SessionOpened, Waits.NEW),
    (f.SessionTransferred, Waits.MOVED),
    (f.SessionReopened, Waits.RETURNED),
    (f.OperatorUnassigned, Waits.PUT_BACK),
)


def _still(case: Case) -> bool:
    session, after = case.open, case.desk.remind_after
    if not after or session.escalation is not None or session.offer is not None:
        return False
    latest = max(session.alerted_at, session.called.at if session.called else 0)
    return _has(case.facts, f.CustomerMessageAdded) and case.now - latest >= after


def _has(facts: Iterable[Fact], kind: type[Fact]) -> bool:
    return any(isinstance(one, kind) for one in facts)


def offers(desk: Desk) -> bool:
    """Whether those who are available are asked one by one: an alert that names them would ask them twice."""
    return desk.assignment is not Assignment.CLAIM


# ------------------------------------------------------------------ delivery


def set_aside(case: Case, event: i.EffectSetAside) -> None:
    """Where a message, or a change of one, will not be shown, the thread says so, and where it can be read."""
    if case.open.erased:
        return
    told = {"mirror": event.mirror, "code": event.code, "message": event.about}
    case.record(f.EffectWasSetAside, Actor.BRIDGE, **told)
    mirror = next((one for one in case.open.mirrors if one.number == event.mirror), None)
    if event.about is not None and mirror is not None:
        key = "change_not_shown" if event.change else "not_shown"
        case.say(key, mirror, code=event.code, session=case.open.code)


def unreached_at(session: Session, desk: Desk) -> int | None:
    """When our latest reply is to be said not to have reached the customer (ms since 1970, UTC).

    Only of somebody who left: who is connected may be slow. Once while they are away, however many replies follow.
    """
    if session.last_reply is None or session.reply_reached or session.unreached is not None:
        return None
    spoken = session.spoken(session.last_reply)
    if session.presence is Presence.HERE or spoken is None or spoken.withdrawn:
        return None
    return max(spoken.at + desk.unreached_after, session.presence_since)


def tell_unreached(case: Case) -> None:
    session = case.open
    since, gone = left_at(session, case.desk), session.presence is Presence.GONE
    case.record(f.ReplyUnreached, Actor.BRIDGE, message=session.last_reply, since=since, gone=gone)
    case.say("unreached", since=str(since))


def left_at(session: Session, desk: Desk) -> int:
    """When a customer who is away, or gone, left."""
    return session.presence_since - (desk.gone_after if session.presence is Presence.GONE else 0)
