"""What an input means: facts to record, effects to deliver, timers to set. Pure, and total over `session.TABLE`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.effects import Effect
from routing.facts import Actor, Fact, Mirror, Side, Why
from routing.ids import EffectId, InputKey, MessageId, OperatorId, SessionId, effect_id
from routing.policy import Desk, Policy
from routing.session import (
    TABLE,
    Accept,
    Ignore,
    Presence,
    Reason,
    Refuse,
    Session,
    Spoken,
    State,
    TimerName,
    TurnOf,
    fold,
    timers,
)


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


class _RefusedError(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def decide(session: Session | None, event: i.Input, *, key: InputKey, now: int, policy: Policy) -> Verdict:
    """Judge one input.

    `key` is the input's idempotency key, `now` the store's clock in ms since 1970 (UTC). Never raises on any input
    in any state: what cannot be done is a Refusal with its reason, or Nothing with its explanation.
    """
    state = State.NEW if session is None else session.state
    verdict = TABLE[type(event)][state]
    if isinstance(verdict, Refuse):
        return Refusal(verdict.reason)
    if isinstance(verdict, Ignore):
        return Nothing(verdict.because)
    return _carry_out(verdict, _Case(session, key, now, policy), event)


def _carry_out(verdict: Accept, case: _Case, event: i.Input) -> Verdict:
    if isinstance(event, i.OperatorInput) and case.session and case.session.erased:
        return Refusal(Reason.SESSION_ERASED)
    try:
        RULES[verdict.rule](case, event)
    except _RefusedError as refused:
        return Refusal(refused.reason)
    return case.decision()


@dataclass(slots=True)
class _Case:
    """One decision in the making: facts are folded as they are found, so a rule sees what it has just decided."""

    session: Session | None
    key: InputKey
    now: int
    policy: Policy
    facts: list[Fact] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.session is not None:
            self.now = max(self.now, self.session.last_at)  # fact times never decrease

    @property
    def open(self) -> Session:
        if self.session is None:
            raise AssertionError("the table gives only `open` to the state NEW")
        return self.session

    def record(self, kind: type[Fact], actor: Actor, **fields: Any) -> None:
        session = self.session
        about: dict[str, Any] = {} if session is None else {"desk": session.desk, "topic": session.topic}
        about.update(fields)
        fact = kind(at=self.now, actor=actor, cause=self.key, **about)
        self.facts.append(fact)
        self.session = fold((fact,), self.session)

    def ask(self, kind: type[Effect], mirror: Mirror | None = None, **fields: Any) -> None:
        """Ask for an effect on a mirror, by default on the one where the session lives now."""
        session = self.open
        mirror = mirror or session.mirror
        name = self._name(session.id, kind, mirror)
        self.effects.append(kind(id=name, to=mirror.network, mirror=mirror.number, **fields))

    def say(self, key: str, mirror: Mirror | None = None, **words: str) -> None:
        """One of the bridge's own lines in the thread."""
        self.ask(e.PostLine, mirror, key=key, words=words)

    def _name(self, session: SessionId, kind: type[Effect], mirror: Mirror) -> EffectId:
        return effect_id(session, self.key, f"{kind.__name__}/{mirror.number}", len(self.effects))

    def decision(self) -> Verdict:
        if not self.facts:
            return Nothing("it changes nothing")
        session = self.open
        return Decision(session, tuple(self.facts), tuple(self.effects), timers(session, self.policy))


# ------------------------------------------------------------------ the customer


def _open(case: _Case, event: i.CustomerWrote) -> None:
    opening = event.opening
    if opening is None:
        raise _RefusedError(Reason.NO_SESSION)
    desk = case.policy.desk_for(opening.language, opening.topic)
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
        mirror=Mirror(1, desk.network, desk.place),
        previous=opening.previous,
    )
    case.ask(e.OpenThread)
    _customer_message(case, event)


def _customer_message(case: _Case, event: i.CustomerWrote) -> None:
    if case.open.state is State.RESOLVED:
        case.record(f.SessionReopened, Actor.CUSTOMER, why=Why.WROTE)
        case.say("reopened")
    if case.open.turn.of is TurnOf.HELD:
        case.record(f.HoldEnded, Actor.CUSTOMER, why=Why.WROTE)
    case.record(f.CustomerMessageAdded, Actor.CUSTOMER, message=event.message)
    _apply_kept(case, event.message, "")
    _ask_to_post(case, event.message, Side.CUSTOMER, None)


def _arrive(case: _Case, event: i.CustomerArrived) -> None:
    if case.open.presence is not Presence.HERE:
        case.record(f.CustomerCameBack, Actor.CUSTOMER)


def _leave(case: _Case, event: i.CustomerLeft) -> None:
    if case.open.presence is Presence.HERE:
        case.record(f.CustomerWentAway, Actor.CUSTOMER)


def _receive(case: _Case, event: i.CustomerReceived) -> None:
    session = case.open
    if event.message != session.last_reply:
        return  # an older one: the newest will be acknowledged too, and it is the one that counts
    if session.reached != event.message:
        case.record(f.ReplyReached, Actor.CUSTOMER, message=event.message)
    if event.seen and session.seen != event.message:
        case.record(f.ReplySeen, Actor.CUSTOMER, message=event.message)


def _answer(case: _Case, event: i.CustomerAnswered) -> None:
    if event.solved:
        case.record(f.SolutionConfirmed, Actor.CUSTOMER)
        case.record(f.SessionClosed, Actor.CUSTOMER, outcome=i.Outcome.SOLVED, why=Why.CONFIRMED)
        case.say("confirmed")
        return
    case.record(f.SolutionDenied, Actor.CUSTOMER)
    case.record(f.SessionReopened, Actor.CUSTOMER, why=Why.DENIED)
    case.say("denied")


def _end(case: _Case, event: i.CustomerEnded) -> None:
    session = case.open
    answered = session.first_response_at is not None
    outcome = session.outcome or (i.Outcome.ENDED if answered else i.Outcome.ABANDONED)
    case.record(f.SessionClosed, Actor.CUSTOMER, outcome=outcome, why=Why.ENDED)
    case.say("ended")


def _link(case: _Case, event: i.CustomerLinked) -> None:
    if case.open.customer == event.account:
        return
    if not case.open.customer.anonymous:
        raise _RefusedError(Reason.NOT_YOURS)  # only a visitor's session may be attached, never another account's
    case.record(f.VisitorLinked, Actor.CUSTOMER, account=event.account)


# ------------------------------------------------------------------ the operator


def _reply(case: _Case, event: i.OperatorReplied) -> None:
    _refuse_stale(case, event.origin)
    if case.open.assignee is None and case.open.state is not State.RESOLVED:
        case.record(f.OperatorAssigned, Actor.OPERATOR, operator=event.operator, why=Why.REPLIED)
    case.record(
        f.ReplyAdded,
        Actor.OPERATOR,
        message=event.message,
        operator=event.operator,
        mirror=event.origin.mirror,
    )
    _mirror_words(case, event, Side.REPLY)


def _note(case: _Case, event: i.OperatorNoted) -> None:
    case.record(
        f.NoteAdded,
        Actor.OPERATOR,
        message=event.message,
        operator=event.operator,
        mirror=event.origin.mirror,
    )
    _mirror_words(case, event, Side.NOTE)


def _mirror_words(case: _Case, event: i.OperatorReplied | i.OperatorNoted, side: Side) -> None:
    _apply_kept(case, event.message, event.operator)
    if event.origin.mirror == case.open.mirror.number:
        return  # it was written in that thread
    _ask_to_post(case, event.message, side, event.operator)


def _ask_to_post(case: _Case, message: MessageId, side: Side, operator: OperatorId | None) -> None:
    spoken = case.open.spoken(message)
    if spoken is not None and not spoken.withdrawn:
        case.ask(e.PostMessage, message=message, revision=spoken.revision, side=side, operator=operator)


def _refuse_stale(case: _Case, origin: i.Origin) -> None:
    if origin.mirror is not None and origin.mirror != case.open.mirror.number:
        raise _RefusedError(Reason.MOVED)


def _claim(case: _Case, event: i.OperatorClaimed) -> None:
    case.record(f.OperatorAssigned, Actor.OPERATOR, operator=event.operator, why=Why.CLAIMED)


def _claim_resolved(case: _Case, event: i.OperatorClaimed) -> None:
    case.record(f.SessionReopened, Actor.OPERATOR, why=Why.CLAIMED)
    if case.open.assignee not in (None, event.operator):
        case.record(f.OperatorUnassigned, Actor.OPERATOR, operator=case.open.assignee, why=Why.CLAIMED)
    case.record(f.OperatorAssigned, Actor.OPERATOR, operator=event.operator, why=Why.CLAIMED)


def _release(case: _Case, event: i.OperatorReleased) -> None:
    if case.open.assignee != event.operator:
        raise _RefusedError(Reason.NOT_HELD_BY_YOU)
    case.record(f.OperatorUnassigned, Actor.OPERATOR, operator=event.operator, why=Why.RELEASED)


def _hold(case: _Case, event: i.OperatorHeld) -> None:
    if event.until <= case.now:
        raise _RefusedError(Reason.HOLD_IN_PAST)
    if event.until > case.now + case.policy.hold_at_most:
        raise _RefusedError(Reason.HOLD_TOO_LONG)
    if case.open.assignee is None:
        case.record(f.OperatorAssigned, Actor.OPERATOR, operator=event.operator, why=Why.CLAIMED)
    case.record(f.HoldStarted, Actor.OPERATOR, operator=event.operator, until=event.until)


def _hold_resolved(case: _Case, event: i.OperatorHeld) -> None:
    if event.until > case.now:
        case.record(f.SessionReopened, Actor.OPERATOR, why=Why.CLAIMED)
    _hold(case, event)


def _transfer(case: _Case, event: i.OperatorTransferred) -> None:
    target = _target_desk(case, event)
    before, old = case.open, case.open.mirror
    if before.assignee is not None and before.assignee != event.to:
        case.record(f.OperatorUnassigned, Actor.OPERATOR, operator=before.assignee, why=Why.TRANSFERRED)
    if target.id != before.desk:
        _move(case, event, target)
    if event.to is not None and event.to != case.open.assignee:
        case.record(f.OperatorAssigned, Actor.OPERATOR, operator=event.to, why=Why.TRANSFERRED)
    if case.open.mirror != old:
        case.say("moved", old, desk=target.id)
        case.ask(e.OpenThread)


def _target_desk(case: _Case, event: i.OperatorTransferred) -> Desk:
    target = case.policy.desks.get(event.desk)
    if target is None:
        raise _RefusedError(Reason.UNKNOWN_DESK)
    if target.id == case.open.desk and event.to in (None, case.open.assignee):
        raise _RefusedError(Reason.SAME_DESK)
    return target


def _move(case: _Case, event: i.OperatorTransferred, target: Desk) -> None:
    now = case.open.mirror
    same = (now.network, now.place) == (target.network, target.place)
    mirror = now if same else Mirror(now.number + 1, target.network, target.place)
    case.record(
        f.SessionTransferred,
        Actor.OPERATOR,
        desk=target.id,
        from_desk=case.open.desk,
        operator=event.operator,
        mirror=mirror,
    )


def _transfer_resolved(case: _Case, event: i.OperatorTransferred) -> None:
    _target_desk(case, event)
    case.record(f.SessionReopened, Actor.OPERATOR, why=Why.TRANSFERRED)
    _transfer(case, event)


def _resolve(case: _Case, event: i.OperatorResolved) -> None:
    if case.open.assignee is None:
        case.record(f.OperatorAssigned, Actor.OPERATOR, operator=event.operator, why=Why.RESOLVED)
    case.record(f.SessionResolved, Actor.OPERATOR, outcome=event.outcome, operator=event.operator)
    if event.outcome is i.Outcome.SPAM:
        case.record(f.SessionClosed, Actor.OPERATOR, outcome=event.outcome, why=Why.RESOLVED)


# ------------------------------------------------------------------ edits, by the author only


def _revise(case: _Case, event: i.CustomerRevised | i.OperatorRevised) -> None:
    spoken = _own_words(case, event)
    if spoken is None:
        _keep(case, event, event.revision)
        return
    if event.revision <= spoken.revision or spoken.withdrawn:
        return  # a newer revision, or the withdrawal, came first
    case.record(f.MessageRevised, _author(event), message=event.message, revision=event.revision, side=spoken.side)
    if spoken.mirror != case.open.mirror.number:  # else the thread where it was written shows it already
        case.ask(e.ReviseMessage, message=event.message, revision=event.revision, side=spoken.side)


def _withdraw(case: _Case, event: i.CustomerWithdrew | i.OperatorWithdrew) -> None:
    spoken = _own_words(case, event)
    if spoken is None:
        _keep(case, event, None)
        return
    if spoken.withdrawn:
        return
    case.record(f.MessageWithdrawn, _author(event), message=event.message, side=spoken.side)
    if spoken.mirror != case.open.mirror.number:
        case.ask(e.WithdrawMessage, message=event.message, side=spoken.side)


_Edit = i.CustomerRevised | i.CustomerWithdrew | i.OperatorRevised | i.OperatorWithdrew


def _own_words(case: _Case, event: _Edit) -> Spoken | None:
    """The message, or None when it has not arrived yet. Raises for somebody else's words, or old ones."""
    spoken = case.open.spoken(event.message)
    if spoken is None and event.committed:
        raise _RefusedError(Reason.TOO_LATE)
    if spoken is None:
        return None
    if spoken.by != _by(event):
        raise _RefusedError(Reason.NOT_AUTHOR)
    if case.now - spoken.at > case.policy.revise_within:
        raise _RefusedError(Reason.TOO_LATE)
    return spoken


def _keep(case: _Case, event: _Edit, revision: int | None) -> None:
    """An edit or a withdrawal that overtook its message waits for it."""
    case.record(f.EditKept, _author(event), message=event.message, by=_by(event), revision=revision)


def _apply_kept(case: _Case, message: MessageId, by: str) -> None:
    """The message is here now: what had overtaken it is applied."""
    actor = Actor.OPERATOR if by else Actor.CUSTOMER
    for kept in [one for one in case.open.early if one.message == message and one.by == by]:
        spoken = case.open.spoken(message)
        if spoken is None:
            raise AssertionError("called right after the message was recorded")
        if spoken.withdrawn:
            return  # what was taken back is not brought up again by an older edit
        if kept.revision is None:
            case.record(f.MessageWithdrawn, actor, message=message, side=spoken.side)
        elif kept.revision > spoken.revision:
            case.record(f.MessageRevised, actor, message=message, revision=kept.revision, side=spoken.side)


def _by(event: _Edit) -> str:
    return event.operator if isinstance(event, i.OperatorRevised | i.OperatorWithdrew) else ""


def _author(event: _Edit) -> Actor:
    return Actor.OPERATOR if isinstance(event, i.OperatorRevised | i.OperatorWithdrew) else Actor.CUSTOMER


# ------------------------------------------------------------------ the bridge


def _offer(case: _Case, event: i.OfferProposed) -> None:
    if case.open.offer is not None or event.until <= case.now:
        return
    if event.operator not in case.policy.operators:
        raise _RefusedError(Reason.NOT_AVAILABLE)
    case.record(f.OfferMade, Actor.BRIDGE, operator=event.operator, until=event.until)


def _end_offer(case: _Case, event: i.OfferEnded) -> None:
    offer = case.open.offer
    if offer is not None and offer.operator == event.operator:
        case.record(f.OfferWithdrawn, Actor.BRIDGE, operator=event.operator, why=Why.LEFT)


def _deadline(case: _Case, event: i.DeadlineFell) -> None:
    fallen = [name for name, due in timers(case.open, case.policy).items() if due <= case.now]
    for name in fallen:
        _FALLEN[name](case)


def _fell_gone(case: _Case) -> None:
    case.record(f.CustomerGone, Actor.BRIDGE)


def _fell_hold(case: _Case) -> None:
    case.record(f.HoldEnded, Actor.BRIDGE, why=Why.LAPSED)
    case.say("hold_lapsed")


def _fell_silence(case: _Case) -> None:
    case.record(f.SessionResolved, Actor.BRIDGE, outcome=i.Outcome.NO_ANSWER, operator=None)


def _fell_close(case: _Case) -> None:
    outcome = case.open.outcome or i.Outcome.UNSOLVED
    case.record(f.SessionClosed, Actor.BRIDGE, outcome=outcome, why=Why.LAPSED)


def _fell_offer(case: _Case) -> None:
    offer = case.open.offer
    if offer is not None:
        case.record(f.OfferWithdrawn, Actor.BRIDGE, operator=offer.operator, why=Why.LAPSED)


_FALLEN: dict[TimerName, Callable[[_Case], None]] = {
    TimerName.GONE: _fell_gone,
    TimerName.HOLD: _fell_hold,
    TimerName.SILENCE: _fell_silence,
    TimerName.CLOSE: _fell_close,
    TimerName.OFFER: _fell_offer,
}


def _erase(case: _Case, event: i.ErasureOrdered) -> None:
    if case.open.erased:
        return
    if case.open.state is not State.CLOSED:
        outcome = case.open.outcome or i.Outcome.ENDED
        case.record(f.SessionClosed, Actor.BRIDGE, outcome=outcome, why=Why.ENDED)
    case.record(f.SessionErased, Actor.BRIDGE)
    for mirror in case.open.mirrors:
        case.ask(e.DeleteMirror, mirror)


RULES: dict[str, Callable[[_Case, Any], None]] = {
    "open": _open,
    "customer_message": _customer_message,
    "revise": _revise,
    "withdraw": _withdraw,
    "arrive": _arrive,
    "leave": _leave,
    "receive": _receive,
    "answer": _answer,
    "end": _end,
    "link": _link,
    "reply": _reply,
    "note": _note,
    "claim": _claim,
    "claim_resolved": _claim_resolved,
    "release": _release,
    "hold": _hold,
    "hold_resolved": _hold_resolved,
    "transfer": _transfer,
    "transfer_resolved": _transfer_resolved,
    "resolve": _resolve,
    "offer": _offer,
    "end_offer": _end_offer,
    "deadline": _deadline,
    "erase": _erase,
}
"""Every rule that the table names."""

__all__ = ["RULES", "Decision", "Nothing", "Refusal", "Verdict", "decide"]
