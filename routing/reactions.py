"""Reactions: what a customer may answer with instead of words, and which of an operator's is news to the customer.

A reaction is a sign as it is written in Unicode, without skin tone; a sign that only a network has stands as `:name:`.
Operators' reactions stay among themselves. The one exception: the assignee's own, on the customer's words, where the
desk's policy lists it, is told to the customer once in each of our turns ("we are looking into it").

In a mirror the bridge has one pair of hands: what it puts on an operator's message is the customer's, what it puts on
the customer's was done on the desk page.
"""

from __future__ import annotations

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.case import Case, RefusedError
from routing.facts import Actor, Side
from routing.ids import MessageId
from routing.session import Reason, Session, Spoken, State, TurnOf

CUSTOMERS = ("👍", "🙏", "❤️", "😊")
"""What a customer may react with: enough to thank and to agree, nothing that an operator could take amiss."""

LOOKING = "👀"

_TONES = frozenset("🏻🏼🏽🏾🏿")
_AS_PICTURE = "\ufe0f"


def plain(reaction: str) -> str:
    """The same sign in one form: without skin tone, and without the mark that asks for a picture."""
    return "".join(sign for sign in reaction if sign not in _TONES and sign != _AS_PICTURE)


# ------------------------------------------------------------------ rules


def customer_reacted(case: Case, event: i.CustomerReacted) -> None:
    """One reaction to a message at a time: another takes its place."""
    spoken = _reply(case, event)
    if spoken is not None and spoken.withdrawn:
        return
    here = case.open.reaction_to(event.message)
    if event.on == (here == event.reaction):
        return
    if here is not None:
        _take_off(case, Actor.CUSTOMER, event.message, here, "")
    if event.on:
        case.record(f.ReactionAdded, Actor.CUSTOMER, message=event.message, reaction=event.reaction, by="")
        case.ask(e.ReactToMessage, message=event.message, reaction=event.reaction, on=True)


def _reply(case: Case, event: i.CustomerReacted) -> Spoken | None:
    """The message, or None for one that is older than the session remembers."""
    spoken = case.open.spoken(event.message)
    if not (event.committed if spoken is None else spoken.side is Side.REPLY):
        raise RefusedError(Reason.UNKNOWN_MESSAGE)
    return spoken


def operator_reacted(case: Case, event: i.OperatorReacted) -> None:
    """On what is older than the session remembers, and on our own lines, it is nobody's business."""
    spoken = case.open.spoken(event.message)
    if spoken is None or spoken.withdrawn:
        return
    elsewhere = event.origin.mirror != case.open.mirror.number
    if not event.on:
        _take_off(case, Actor.OPERATOR, event.message, event.reaction, event.operator, mirrored=elsewhere)
        return
    about = {"message": event.message, "reaction": event.reaction}
    case.record(f.ReactionAdded, Actor.OPERATOR, by=event.operator, told=_is_news(case, event, spoken), **about)
    if elsewhere:
        case.ask(e.ReactToMessage, on=True, **about)


def _take_off(case: Case, actor: Actor, message: MessageId, reaction: str, by: str, *, mirrored: bool = True) -> None:
    case.record(f.ReactionRemoved, actor, message=message, reaction=reaction, by=by)
    if mirrored:
        case.ask(e.ReactToMessage, message=message, reaction=reaction, on=False)


def may_be_told(session: Session) -> bool:
    """Whether a sign of the assignee's would be news to the customer: they wait, and were not told in this turn."""
    if session.state is not State.ASSIGNED or session.turn.of is not TurnOf.OURS:
        return False
    return session.looked_into != session.turn.since


def _is_news(case: Case, event: i.OperatorReacted, spoken: Spoken) -> bool:
    session = case.open
    if spoken.side is not Side.CUSTOMER or session.assignee != event.operator or not may_be_told(session):
        return False
    return plain(event.reaction) in map(plain, case.desk.told_reactions)
