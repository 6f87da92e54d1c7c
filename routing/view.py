"""The only way to the customer: a fact becomes a customer's event here, or stays with us.

Notes have no case below; there is nothing to switch off. A customer's event names an operator by account, so that the
web side can look their public name up; it never sends the account itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

from routing import facts as f
from routing.facts import Actor, Fact, Side, Why
from routing.ids import DeskId, MessageId, OperatorId, Topic
from routing.inputs import Outcome


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """A message, its new revision, or its withdrawal. The body is read by (message, revision)."""

    at: int
    side: Side
    message: MessageId
    revision: int = 0
    operator: OperatorId | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class CustomerNotice:
    """What the customer is told about the session's state, by key; wording lives in the locale files."""

    at: int
    key: str
    operator: OperatorId | None = None
    until: int | None = None
    topic: Topic | None = None
    desk: DeskId | None = None
    outcome: Outcome | None = None


CustomerEvent = CustomerMessage | CustomerNotice

NOTICES = (
    "queued",
    "joined",
    "left",
    "held",
    "hold_lapsed",
    "moved",
    "resolved",
    "no_answer",
    "reopened",
    "closed",
    "linked",
)
"""Every notice that the customer may be told; a test holds the locale files against it."""


@singledispatch
def customer_view(fact: Fact) -> CustomerEvent | None:
    """What the customer sees of a fact; None for everything that is not meant for them."""
    del fact
    return None


@customer_view.register
def _(fact: f.SessionOpened) -> CustomerEvent:
    return CustomerNotice(fact.at, "queued", topic=fact.topic, desk=fact.desk)


@customer_view.register
def _(fact: f.CustomerMessageAdded) -> CustomerEvent:
    return CustomerMessage(fact.at, Side.CUSTOMER, fact.message)


@customer_view.register
def _(fact: f.ReplyAdded) -> CustomerEvent:
    return CustomerMessage(fact.at, Side.REPLY, fact.message, operator=fact.operator)


@customer_view.register
def _(fact: f.MessageRevised) -> CustomerEvent | None:
    if fact.side is Side.NOTE:
        return None
    return CustomerMessage(fact.at, fact.side, fact.message, fact.revision)


@customer_view.register
def _(fact: f.MessageWithdrawn) -> CustomerEvent | None:
    if fact.side is Side.NOTE:
        return None
    return CustomerMessage(fact.at, fact.side, fact.message, withdrawn=True)


@customer_view.register
def _(fact: f.OperatorAssigned) -> CustomerEvent | None:
    if fact.why is Why.RESOLVED:
        return None  # the one who closes the books did not join the talk
    return CustomerNotice(fact.at, "joined", operator=fact.operator)


@customer_view.register
def _(fact: f.OperatorUnassigned) -> CustomerEvent | None:
    if fact.why is not Why.RELEASED:
        return None  # the next one is announced in the same breath
    return CustomerNotice(fact.at, "left", operator=fact.operator)


@customer_view.register
def _(fact: f.HoldStarted) -> CustomerEvent:
    return CustomerNotice(fact.at, "held", operator=fact.operator, until=fact.until)


@customer_view.register
def _(fact: f.HoldEnded) -> CustomerEvent | None:
    if fact.why is not Why.LAPSED:
        return None
    return CustomerNotice(fact.at, "hold_lapsed")


@customer_view.register
def _(fact: f.SessionTransferred) -> CustomerEvent:
    return CustomerNotice(fact.at, "moved", topic=fact.topic, desk=fact.desk)


@customer_view.register
def _(fact: f.SessionResolved) -> CustomerEvent | None:
    if fact.outcome is Outcome.SPAM:
        return None
    key = "resolved" if fact.actor is Actor.OPERATOR else "no_answer"
    return CustomerNotice(fact.at, key, operator=fact.operator, outcome=fact.outcome)


@customer_view.register
def _(fact: f.SessionReopened) -> CustomerEvent:
    return CustomerNotice(fact.at, "reopened")


@customer_view.register
def _(fact: f.SessionClosed) -> CustomerEvent:
    # How we count the ending (spam, abandoned) is ours; the customer is told that it is over.
    return CustomerNotice(fact.at, "closed")


@customer_view.register
def _(fact: f.VisitorLinked) -> CustomerEvent:
    return CustomerNotice(fact.at, "linked")
