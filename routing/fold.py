"""The fold: a session is what its facts, one after another, have made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce, singledispatch
from typing import Any

from routing import facts as f
from routing.facts import Actor, Fact, Side
from routing.ids import MessageId, OperatorId
from routing.policy import Promised, RungKind
from routing.session import (
    Called,
    Check,
    CheckState,
    Early,
    Escalation,
    Offer,
    Pending,
    Presence,
    Reaction,
    Session,
    Spoken,
    State,
    Turn,
    TurnOf,
    stranger,
)

RECENT = 16
"""How many messages can still be edited or withdrawn. It bounds the snapshot, which is written on every commit."""

EARLY = 8
"""How many edits may wait for their messages: a delivery that is later than that is not coming."""

REACTIONS = 32
"""How many of the customer's reactions are known to stand. An older one can be put again, which does no harm."""


def fold(facts: Iterable[Fact], session: Session | None = None) -> Session | None:
    """The session that these facts tell, from nothing or from a session that they continue."""
    return reduce(_step, facts, session)


def _step(session: Session | None, fact: Fact) -> Session | None:
    if isinstance(fact, f.SessionOpened):
        return _opened(fact)
    if session is None:
        raise AssertionError("a journal begins with SessionOpened: the commit refuses anything else first")
    after = apply(fact, session)
    if after is session:
        after = replace(session)
    # Fresh, and nobody else's yet. A second `replace` of all its fields cost a tenth of a whole commit.
    object.__setattr__(after, "last_at", fact.at)
    if fact.actor is Actor.OPERATOR and after.assignee is not None and _doer(fact, after) == after.assignee:
        object.__setattr__(after, "attended_at", fact.at)
        object.__setattr__(after, "reminded", False)
    return after


def _doer(fact: Fact, session: Session) -> str | None:
    """Whose act it was: the fact says so, or it is about words of theirs."""
    named: str | None = getattr(fact, "operator", None) or getattr(fact, "by", None)
    if named is None and isinstance(fact, f.MessageRevised | f.MessageWithdrawn):
        spoken = session.spoken(fact.message)
        return spoken.by if spoken else None
    return named


def _opened(fact: f.SessionOpened) -> Session:
    return Session(
        id=fact.session,
        code=fact.code,
        customer=fact.customer,
        verified=fact.verified,
        language=fact.language,
        topic=fact.topic,
        desk=fact.desk,
        state=State.QUEUED,
        opened_at=fact.at,
        last_at=fact.at,
        turn=Turn(TurnOf.OURS, fact.at),
        mirrors=(fact.mirror,),
        presence_since=fact.at,
        previous=fact.previous,
        last_operator=fact.last_operator,
        opens_at=fact.opens_at,
        started_at=fact.at,
    )


@singledispatch
def apply(fact: Fact, session: Session) -> Session:
    """The session after one more fact. A fact that this release does not know changes nothing."""
    del fact
    return session


@apply.register
def _(fact: f.DeskOpened, session: Session) -> Session:
    # From the opening itself, even if we were down then and noticed it later: the customer waited all the same.
    return replace(session, opens_at=None, started_at=min(session.opens_at or fact.at, fact.at))


@apply.register
def _(fact: f.CustomerMessageAdded, session: Session) -> Session:
    spoken = Spoken(fact.message, Side.CUSTOMER, "", fact.at, held=fact.held)
    return replace(
        session,
        turn=Turn(TurnOf.OURS, session.turn.since if session.turn.of is TurnOf.OURS else fact.at),
        waiting_since=fact.at if session.waiting_since is None else session.waiting_since,
        messages=session.messages + 1,
        recent=_remember(session, spoken),
    )


@apply.register
def _(fact: f.ReplyAdded, session: Session) -> Session:
    return replace(
        session,
        turn=Turn(TurnOf.CUSTOMERS, fact.at),
        waiting_since=None,
        first_response_at=fact.at if session.first_response_at is None else session.first_response_at,
        last_reply=fact.message,
        messages=session.messages + 1,
        pending=_without(session, fact.message),
        recent=_remember(
            session,
            Spoken(fact.message, Side.REPLY, fact.operator, fact.at, fact.mirror, fact.revision, held=fact.held),
        ),
        worked=session.worked + fact.worked,
        warned=_still(session.warned),
        missed=_still(session.missed),
        # A word after "resolved" starts the wait for its answer anew.
        resolved_at=fact.at if session.state is State.RESOLVED else session.resolved_at,
    )


@apply.register
def _(fact: f.NoteAdded, session: Session) -> Session:
    spoken = Spoken(fact.message, Side.NOTE, fact.operator, fact.at, fact.mirror, fact.revision, inside=fact.inside)
    spoken = replace(spoken, held=fact.held)
    return replace(session, recent=_remember(session, spoken), pending=_without(session, fact.message))


@apply.register
def _(fact: f.WordsHeld, session: Session) -> Session:
    by = fact.operator or stranger(session, fact.mirror, fact.author)
    held = Pending(fact.message, fact.operator, fact.author, by, fact.at, fact.mirror, fact.until)
    return replace(session, pending=(*session.pending, held))


@apply.register
def _(fact: f.HeldWordsRevised, session: Session) -> Session:
    pending = tuple(
        replace(one, revision=fact.revision) if one.message == fact.message else one for one in session.pending
    )
    return replace(session, pending=pending, early=_not_about(session, fact.message))


@apply.register
def _(fact: f.HeldWordsWithdrawn, session: Session) -> Session:
    return replace(session, pending=_without(session, fact.message), early=_not_about(session, fact.message))


@apply.register
def _(fact: f.MessageRevised, session: Session) -> Session:
    return _respoken(session, fact.message, revision=fact.revision)


@apply.register
def _(fact: f.MessageWithdrawn, session: Session) -> Session:
    return _respoken(session, fact.message, withdrawn=True)


@apply.register
def _(fact: f.EditKept, session: Session) -> Session:
    return replace(session, early=(*session.early, Early(fact.message, fact.by, fact.revision))[-EARLY:])


@apply.register
def _(fact: f.ReactionAdded, session: Session) -> Session:
    if fact.by:
        return replace(session, looked_into=session.turn.since) if fact.told else session
    others = tuple(one for one in session.reactions if one.message != fact.message)
    return replace(session, reactions=(*others, Reaction(fact.message, fact.reaction))[-REACTIONS:])


@apply.register
def _(fact: f.ReactionRemoved, session: Session) -> Session:
    if fact.by:
        return session
    return replace(session, reactions=tuple(one for one in session.reactions if one.message != fact.message))


@apply.register
def _(fact: f.DeletionIgnored, session: Session) -> Session:
    return replace(session, doubted_at=fact.at)


@apply.register
def _(fact: f.OperatorAssigned, session: Session) -> Session:
    return replace(
        session,
        state=State.ASSIGNED,
        assignee=fact.operator,
        last_operator=fact.operator,
        assigned_at=fact.at,
        offer=None,
        declined=(),
    )


@apply.register
def _(fact: f.OperatorUnassigned, session: Session) -> Session:
    """Who puts a session back has passed it on; and it is our turn again, as the customer is told."""
    session = replace(session, called=None)
    if session.state is not State.ASSIGNED:
        return replace(session, assignee=None)
    declined = (*(one for one in session.declined if one != fact.operator), fact.operator)
    return _owed(replace(session, state=State.QUEUED, assignee=None, declined=declined, declined_at=fact.at), fact.at)


def _owed(session: Session, at: int) -> Session:
    """Nobody has it any more. The customer may have had our last word, and yet is told that somebody else comes."""
    if session.state is not State.QUEUED or session.turn.of is not TurnOf.CUSTOMERS:
        return session
    return replace(
        session,
        turn=Turn(TurnOf.OURS, at),
        waiting_since=at if session.waiting_since is None else session.waiting_since,
        warned=_still(session.warned),
        missed=_still(session.missed),
    )


@apply.register
def _(fact: f.OfferMade, session: Session) -> Session:
    called = Called(fact.operator, session.mirror.number, fact.at)
    return replace(session, offer=Offer(fact.operator, fact.until), called=called)


@apply.register
def _(fact: f.OfferWithdrawn, session: Session) -> Session:
    passed_on = session.declined if fact.operator in session.declined else (*session.declined, fact.operator)
    return replace(session, offer=None, declined=passed_on, declined_at=fact.at)


@apply.register
def _(fact: f.HoldStarted, session: Session) -> Session:
    return replace(session, turn=Turn(TurnOf.HELD, fact.at, fact.until), worked=session.worked + fact.worked)


@apply.register
def _(fact: f.HoldEnded, session: Session) -> Session:
    return replace(
        session,
        turn=Turn(TurnOf.OURS, fact.at),
        waiting_since=fact.at if session.waiting_since is None else session.waiting_since,  # the update is owed
        worked=session.worked + fact.worked,
        warned=_still(session.warned),
        missed=_still(session.missed),
    )


@apply.register
def _(fact: f.SessionTransferred, session: Session) -> Session:
    mirrors = session.mirrors if fact.mirror == session.mirror else (*session.mirrors, fact.mirror)
    moved = replace(
        session,
        desk=fact.desk,
        mirrors=mirrors,
        offer=None,
        declined=(),
        opens_at=None,
        # What was written at night begins to count now, and not when it was written.
        started_at=session.started_at if session.opens_at is None else fact.at,
        transfers=session.transfers + 1,
    )
    return _owed(moved, fact.at)


@apply.register
def _(fact: f.DeskFoundClosed, session: Session) -> Session:
    return replace(session, opens_at=fact.opens_at)


@apply.register
def _(fact: f.SessionResolved, session: Session) -> Session:
    return replace(
        session,
        state=State.RESOLVED,
        outcome=fact.outcome,
        tags=fact.tags,
        resolved_at=fact.at,
        waiting_since=None,
        offer=None,
        turn=Turn(TurnOf.CUSTOMERS, fact.at),
        worked=session.worked + fact.worked,
        warned=_still(session.warned),
        missed=_still(session.missed),
    )


@apply.register
def _(fact: f.SessionReopened, session: Session) -> Session:
    return replace(
        session,
        state=State.ASSIGNED if session.assignee else State.QUEUED,
        outcome=None,
        tags=(),
        resolved_at=None,
        reopenings=session.reopenings + 1,
        waiting_since=fact.at,
        turn=Turn(TurnOf.OURS, fact.at),
        declined=(),
        contact_offered=False,
    )


@apply.register
def _(fact: f.SessionClosed, session: Session) -> Session:
    return replace(session, state=State.CLOSED, outcome=fact.outcome, closed_at=fact.at, waiting_since=None, offer=None)


@apply.register
def _(fact: f.CustomerBlocked, session: Session) -> Session:
    return replace(session, blocked_until=fact.until, blocked_by=fact.operator)


@apply.register
def _(fact: f.CustomerUnblocked, session: Session) -> Session:
    return replace(session, blocked_until=None, blocked_by=None)


@apply.register
def _(fact: f.PromiseWarned, session: Session) -> Session:
    warned = replace(session, warned=(*session.warned, fact.promise))
    return _called(warned, session.assignee, fact.at)


def _called(session: Session, operator: OperatorId | None, at: int) -> Session:
    return replace(session, called=Called(operator, session.mirror.number, at)) if operator else session


@apply.register
def _(fact: f.PromiseMissed, session: Session) -> Session:
    return replace(session, missed=(*session.missed, fact.promise))


@apply.register
def _(fact: f.EscalationStarted, session: Session) -> Session:
    return replace(session, escalation=Escalation(fact.escalation, fact.why, fact.at, at=fact.at))


@apply.register
def _(fact: f.RungFired, session: Session) -> Session:
    if session.escalation is None:
        return session
    asked = session.escalation.pagers
    if fact.kind is RungKind.PAGER and fact.to not in asked:
        asked = (*asked, fact.to)
    ladder = replace(session.escalation, rung=fact.rung, times=fact.times, at=fact.at, pagers=asked)
    fired = replace(session, escalation=ladder)
    return _called(fired, session.assignee, fact.at) if fact.kind is RungKind.THREAD else fired


@apply.register
def _(fact: f.SpecialistCalled, session: Session) -> Session:
    return _escalated(session, called=True)


@apply.register
def _(fact: f.EscalationAcknowledged, session: Session) -> Session:
    return _escalated(session, acknowledged_by=fact.operator, acknowledged_at=fact.at, reminded=False)


@apply.register
def _(fact: f.AcknowledgerReminded, session: Session) -> Session:
    return _escalated(session, reminded=True, acknowledged_at=fact.at)


@apply.register
def _(fact: f.EscalationResumed, session: Session) -> Session:
    return _escalated(session, acknowledged_by=None, acknowledged_at=0, reminded=False, at=fact.at)


@apply.register
def _(fact: f.EscalationEnded, session: Session) -> Session:
    return replace(session, escalation=None)


def _escalated(session: Session, **changed: object) -> Session:
    if session.escalation is None:
        return session
    return replace(session, escalation=replace(session.escalation, **changed))  # type: ignore[arg-type]  # its fields


@apply.register
def _(fact: f.ContactOffered, session: Session) -> Session:
    return replace(session, contact_offered=True)


@apply.register
def _(fact: f.LanguageOffered, session: Session) -> Session:
    return replace(session, offered_languages=(*session.offered_languages, fact.language))


@apply.register
def _(fact: f.LanguageChanged, session: Session) -> Session:
    return replace(session, language=fact.language)


@apply.register
def _(fact: f.TranslationAdded, session: Session) -> Session:
    return replace(_respoken(session, fact.message, translation=fact.language), untranslated=False)


@apply.register
def _(fact: f.TranslationMissed, session: Session) -> Session:
    return replace(session, untranslated=True)


@apply.register
def _(fact: f.IncidentLinked, session: Session) -> Session:
    return replace(session, incident=fact.incident)


@apply.register
def _(fact: f.IncidentUnlinked, session: Session) -> Session:
    return replace(session, incident=None)


@apply.register
def _(fact: f.UpdateAdded, session: Session) -> Session:
    spoken = Spoken(fact.message, Side.REPLY, fact.operator, fact.at)
    return replace(session, last_reply=fact.message, messages=session.messages + 1, recent=_remember(session, spoken))


@apply.register
def _(fact: f.CheckRequested, session: Session) -> Session:
    passed_at = session.check.passed_at if session.check else 0
    return replace(session, check=Check(CheckState.REQUESTED, fact.at, fact.nonce, fact.until, passed_at))


@apply.register
def _(fact: f.CheckPassed, session: Session) -> Session:
    return _checked(session, CheckState.PASSED, fact.at, fact.until)


@apply.register
def _(fact: f.CheckFailed, session: Session) -> Session:
    return _checked(session, CheckState.FAILED, fact.at)


@apply.register
def _(fact: f.CheckExpired, session: Session) -> Session:
    return _checked(session, CheckState.EXPIRED, fact.at)


def _checked(session: Session, state: CheckState, at: int, until: int = 0) -> Session:
    if session.check is None:
        return session
    passed_at = at if state is CheckState.PASSED else session.check.passed_at
    return replace(session, check=Check(state, at, session.check.nonce, until, passed_at))


@apply.register
def _(fact: f.CustomerWentAway, session: Session) -> Session:
    return replace(session, presence=Presence.AWAY, presence_since=fact.at)


@apply.register
def _(fact: f.CustomerCameBack, session: Session) -> Session:
    return replace(session, presence=Presence.HERE, presence_since=fact.at)


@apply.register
def _(fact: f.CustomerGone, session: Session) -> Session:
    return replace(session, presence=Presence.GONE, presence_since=fact.at)


@apply.register
def _(fact: f.ReplyReached, session: Session) -> Session:
    return replace(session, reached=fact.message, reached_at=fact.at, unreached=None)


@apply.register
def _(fact: f.ReplySeen, session: Session) -> Session:
    return replace(session, seen=fact.message)


@apply.register
def _(fact: f.ReplyUnreached, session: Session) -> Session:
    return replace(session, unreached=fact.message)


@apply.register
def _(fact: f.AssigneeCalled, session: Session) -> Session:
    called = Called(fact.operator, fact.mirror, fact.at)
    return replace(session, called=called, reminded=session.reminded or fact.again)


@apply.register
def _(fact: f.DeskAlerted, session: Session) -> Session:
    return replace(session, alerted_at=fact.at)


@apply.register
def _(fact: f.VisitorLinked, session: Session) -> Session:
    return replace(session, customer=fact.account, verified=True)


@apply.register
def _(fact: f.SessionErased, session: Session) -> Session:
    return replace(session, erased=True)


@apply.register
def _(fact: f.DeskTookOver, session: Session) -> Session:
    return replace(session, taken_over=fact.since, taken_over_at=fact.at)


@apply.register
def _(fact: f.DeskHandedBack, session: Session) -> Session:
    return replace(session, taken_over=None, taken_over_at=0)


@apply.register
def _(fact: f.MirrorMoved, session: Session) -> Session:
    mirrors = tuple(fact.mirror if one.number == fact.mirror.number else one for one in session.mirrors)
    return replace(session, mirrors=mirrors)


def _still(promises: tuple[Promised, ...]) -> tuple[Promised, ...]:
    """An answer, a hold and an end begin the responses' promises anew; the resolution's is said once."""
    return tuple(one for one in promises if one is Promised.RESOLUTION)


def _remember(session: Session, spoken: Spoken) -> tuple[Spoken, ...]:
    return (*session.recent, spoken)[-RECENT:]


def _without(session: Session, message: MessageId) -> tuple[Pending, ...]:
    return tuple(one for one in session.pending if one.message != message)


def _not_about(session: Session, message: MessageId) -> tuple[Early, ...]:
    return tuple(one for one in session.early if one.message != message)


def _respoken(session: Session, message: MessageId, **changed: Any) -> Session:
    early = _not_about(session, message)
    recent = tuple(replace(one, **changed) if one.message == message else one for one in session.recent)
    return replace(session, recent=recent, early=early)
