"""Moving a session: to another desk, operator or network. The history goes along, and the old thread gets a pointer."""

from __future__ import annotations

from routing import effects as e
from routing import facts as f
from routing import held, translation, words
from routing import inputs as i
from routing.case import Case, RefusedError
from routing.facts import Actor, Mirror, Side, Why
from routing.hours import opens_together
from routing.ids import OperatorId
from routing.policy import Desk
from routing.session import Reason, State


def move(case: Case, target: Desk, actor: Actor, why: Why, operator: OperatorId | None = None) -> None:
    """To another desk, with a new mirror where that lives elsewhere; an assignee who does not work there lets go."""
    before = case.open
    profile = case.policy.operators.get(before.assignee) if before.assignee else None
    if before.assignee is not None and (profile is None or not profile.works_at(target.id)):
        case.record(f.OperatorUnassigned, actor, operator=before.assignee, why=Why.TRANSFERRED)
    relocate(case, target, actor, why, operator)
    say_closed(case)
    follow_mirror(case, before.mirror)
    translation.catch_up(case)


def say_closed(case: Case) -> None:
    """It waits, and nobody is there: the customer is told from when on somebody is. An emergency waits for no hours,
    and who is told that all is solved for nobody."""
    rules = case.policy.topic(case.open.topic)
    if case.open.state is not State.QUEUED or rules.emergency:
        return
    opens = opens_together(case.desk.hours, rules.hours, case.now)
    if opens is not None and opens != case.now:
        case.record(f.DeskFoundClosed, Actor.BRIDGE, opens_at=opens)


def relocate(case: Case, target: Desk, actor: Actor, why: Why, operator: OperatorId | None) -> None:
    now = case.open.mirror
    same = now.network == target.network and now.place in target.places
    mirror = now if same else Mirror(now.number + 1, target.network, case.berth(target))
    held.move_on(case, mirror)
    case.record(
        f.SessionTransferred,
        actor,
        desk=target.id,
        from_desk=case.open.desk,
        operator=operator,
        mirror=mirror,
        why=why,
    )


def follow_mirror(case: Case, old: Mirror) -> None:
    """The old thread gets a pointer, the new one its root and what was said before."""
    if case.open.mirror != old:
        case.say(e.MOVED, old, desk=case.open.desk)
        case.ask(e.OpenThread)
        case.ask(e.PostHistory)


# ------------------------------------------------------------------ rules


def transfer(case: Case, event: i.OperatorTransferred) -> None:
    target = _target(case, event)
    before = case.open
    _note_reason(case, event)
    if before.assignee is not None and before.assignee != event.to:
        case.record(f.OperatorUnassigned, Actor.OPERATOR, operator=before.assignee, why=Why.TRANSFERRED)
    if target.id != before.desk:
        relocate(case, target, Actor.OPERATOR, Why.TRANSFERRED, event.operator)
    if event.to is not None and event.to != case.open.assignee:
        case.record(f.OperatorAssigned, Actor.OPERATOR, operator=event.to, why=Why.TRANSFERRED)
    if target.id != before.desk:
        say_closed(case)
    follow_mirror(case, before.mirror)
    translation.catch_up(case)


def _note_reason(case: Case, event: i.OperatorTransferred) -> None:
    """Said where it is left; where it goes on, it is the last thing in the history that comes along."""
    if event.reason is not None:
        said = {"message": event.reason, "operator": event.operator}
        case.record(f.NoteAdded, Actor.OPERATOR, mirror=None, **said)
        words.ask_to_post(case, event.reason, Side.NOTE, event.operator)


def transfer_resolved(case: Case, event: i.OperatorTransferred) -> None:
    _target(case, event)
    case.record(f.SessionReopened, Actor.OPERATOR, why=Why.TRANSFERRED)
    transfer(case, event)


def _target(case: Case, event: i.OperatorTransferred) -> Desk:
    target = case.policy.desks.get(event.desk)
    if target is None:
        raise RefusedError(Reason.UNKNOWN_DESK)
    if target.id == case.open.desk and event.to in (None, case.open.assignee):
        raise RefusedError(Reason.SAME_DESK)
    return target


def overflow(case: Case) -> None:
    """Nobody at the desk had time for it: the first fallback that is open takes it, else the first of all.

    Both desks are told, and the customer: the old thread gets its pointer, the new one says where this came from.
    """
    before = case.desk
    known = [case.policy.desks[one] for one in case.desk.fallbacks if one in case.policy.desks]
    target = next((one for one in known if one.hours.open_at(case.now)), known[0])
    move(case, target, Actor.BRIDGE, Why.OVERFLOW)
    case.say("overflowed", from_desk=before.id, language=case.open.language)


def desk_removed(case: Case, event: i.DeskRemoved) -> None:
    session = case.open
    if session.desk not in case.policy.desks:
        target = case.policy.desk_for(session.language, session.topic)
        move(case, target, Actor.BRIDGE, Why.DESK_REMOVED)
