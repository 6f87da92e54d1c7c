"""A session's named timers, derived from it and the policy, so that a timer can never disagree with its session."""

from __future__ import annotations

from enum import StrEnum

from routing import attention, escalation, sla
from routing.policy import Desk, Policy
from routing.session import CheckState, Presence, Session, State, TurnOf


class TimerName(StrEnum):
    """Each has a rule in `decide` that carries out what follows when it falls."""

    UNDO = "undo"  # words that could be taken back until now leave
    OPENING = "opening"  # the desk opens, and what was written at night begins to count
    GONE = "gone"
    HOLD = "hold"
    OFFER = "offer"
    WARNING = "warning"  # a promise is about to be missed
    PROMISE = "promise"  # a promise is missed
    RUNG = "rung"  # the ladder's next step, or what an acknowledgement promised
    OVERFLOW = "overflow"
    CONTACT = "contact"  # time to name other ways to reach us
    CHECK = "check"
    UNREACHED = "unreached"  # a reply has not reached a customer who left
    SILENCE = "silence"
    CLOSE = "close"


def timers(session: Session, policy: Policy) -> dict[TimerName, int]:
    """What falls due when (ms since 1970, UTC), if nothing happens before; in the order in which it is carried out."""
    if session.state is State.CLOSED:
        return {}
    desk = policy.desk_of(session.desk, session.language, session.topic)
    due = {
        TimerName.UNDO: min((one.until for one in session.pending if one.until is not None), default=None),
        TimerName.OPENING: session.opens_at,
        TimerName.GONE: session.presence_since + desk.gone_after if session.presence is Presence.AWAY else None,
        TimerName.HOLD: session.turn.until,
        TimerName.OFFER: session.offer.until if session.offer else None,
        TimerName.WARNING: sla.next_warning(session, desk, policy),
        TimerName.PROMISE: sla.next_miss(session, desk, policy),
        TimerName.RUNG: escalation.next_step(session, desk),
        TimerName.OVERFLOW: _overflow(session, desk),
        TimerName.CONTACT: _contact(session, desk),
        TimerName.CHECK: _check(session),
        TimerName.UNREACHED: attention.unreached_at(session, desk),
        TimerName.SILENCE: _silence(session, desk),
        TimerName.CLOSE: _close(session, desk),
    }
    return {name: at for name, at in due.items() if at is not None}


def _overflow(session: Session, desk: Desk) -> int | None:
    """Waiting counts while the desk is open; at night nobody else is on either."""
    if not session.waiting or desk.overflow_after is None or not desk.fallbacks or session.opens_at is not None:
        return None
    if session.transfers:
        return None  # once moved, it stays: a session must not wander between desks that are both busy
    since = max(session.waiting_since or session.opened_at, session.started_at)
    return desk.hours.after(since, desk.overflow_after)


def _contact(session: Session, desk: Desk) -> int | None:
    offers = desk.contact_after is not None and (desk.contact.mail or desk.contact.phone)
    if not offers or not session.waiting or session.contact_offered or desk.contact_after is None:
        return None
    return (session.waiting_since or session.opened_at) + desk.contact_after


def _check(session: Session) -> int | None:
    check = session.check
    return check.until if check and check.state in (CheckState.REQUESTED, CheckState.PASSED) else None


def _silence(session: Session, desk: Desk) -> int | None:
    """A customer's silence counts only from when our last message was on their device."""
    if session.state is State.RESOLVED or session.turn.of is not TurnOf.CUSTOMERS or not session.reply_reached:
        return None
    return (session.reached_at or session.last_at) + desk.silence_after


def _close(session: Session, desk: Desk) -> int | None:
    if session.state is not State.RESOLVED or session.resolved_at is None:
        return None
    return session.resolved_at + desk.close_after
