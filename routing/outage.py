"""Outages: where a network does not take what is said, the built-in desk answers until it has caught up.

The customer notices nothing, and neither do promises, ladders and the assignment. What happens meanwhile waits in the
session's lane, so that the thread, when it is back, shows it in order between these two lines.
"""

from __future__ import annotations

from dataclasses import replace

from routing import checks
from routing import facts as f
from routing import inputs as i
from routing.case import Case, RefusedError
from routing.facts import Actor, Mirror, Why
from routing.ids import DeskId, NetworkName
from routing.session import Reason, Session, State
from routing.transfer import move

MOVES = 3
"""How often a session is moved at most because a place is lost: a fallback's place may be lost, too."""


def take_over(case: Case, event: i.NetworkFellSilent) -> None:
    mirror = _mirror_on(case.open, event.network)
    if mirror is None or case.open.taken_over is not None or case.open.erased:
        return
    case.record(f.DeskTookOver, Actor.BRIDGE, network=event.network, since=event.since)
    case.say("taken_over", mirror, due=str(event.since))


def hand_back(case: Case, event: i.NetworkCaughtUp) -> None:
    mirror = _mirror_on(case.open, event.network)
    if mirror is None or case.open.taken_over is None:
        return
    case.record(f.DeskHandedBack, Actor.BRIDGE, network=event.network)
    case.say("handed_back", mirror)


def move_mirror(case: Case, event: i.PlaceLost) -> None:
    """Within a pool, or with its session to a fallback: any other desk's people would see what is none of theirs. What
    waits for the root in its lane goes along, since a mirror is known by its number."""
    mirror = next((one for one in case.open.mirrors if one.number == event.mirror), None)
    if mirror is None or mirror.place != event.place or case.open.erased:
        return None
    if event.desk is not None:
        return _fall_back(case, event, event.desk)
    pools = [desk.places for desk in case.policy.desks.values() if desk.network == mirror.network]
    if any({event.place, event.to} <= {*places} for places in pools):
        _move_root(case, event, mirror)
    return None


def may_fall_back(session: Session) -> bool:
    """Whoever waits, and has not been moved often: a session must not wander between places that are all lost, and who
    answers it somewhere else goes on."""
    return session.state is State.QUEUED and session.transfers < MOVES


def _fall_back(case: Case, event: i.PlaceLost, desk: DeskId) -> None:
    """Nobody at the desk would see it. On the same network its root goes along, since it stands nowhere."""
    before, mirror = case.desk, case.open.mirror
    target = case.policy.desks.get(desk)
    if target is None or desk not in before.fallbacks or not may_fall_back(case.open) or mirror.number != event.mirror:
        return
    if target.network == mirror.network and event.to in target.places:
        _move_root(case, event, mirror)
    move(case, target, Actor.BRIDGE, Why.PLACE_LOST)
    case.say("place_lost", from_desk=before.id, language=case.open.language)


def _move_root(case: Case, event: i.PlaceLost, mirror: Mirror) -> None:
    moved = replace(mirror, place=event.to)
    case.record(f.MirrorMoved, Actor.BRIDGE, mirror=moved, from_place=event.place, code=event.code)


def _mirror_on(session: Session, network: NetworkName) -> Mirror | None:
    return next((one for one in reversed(session.mirrors) if one.network == network), None)


def claim_assigned(case: Case, event: i.OperatorClaimed) -> None:
    """Whose session it is may sit before a network that is silent. They keep it from nobody who is here, unless they
    have taken it, or spoken in it, since the desk took over."""
    session = case.open
    holder = session.assignee
    if holder is None or holder == event.operator or not is_out_of_reach(session):
        raise RefusedError(Reason.ALREADY_CLAIMED)
    case.record(f.OperatorUnassigned, Actor.OPERATOR, operator=holder, why=Why.TAKEN_OVER)
    case.record(f.OperatorAssigned, Actor.OPERATOR, operator=event.operator, why=Why.CLAIMED)
    checks.require(case)


def is_out_of_reach(session: Session) -> bool:
    """Whether nobody says that whoever holds it has noticed the takeover."""
    since = session.taken_over_at
    spoke = any(one.by == session.assignee and one.at >= since for one in session.recent)
    return session.taken_over is not None and (session.assigned_at or 0) < since and not spoke
