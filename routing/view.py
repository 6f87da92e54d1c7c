"""The only way to the customer: a fact becomes a customer's event here, or stays with us.

Notes have no case below; there is nothing to switch off. A customer's event names an operator by account, so that the
web side can look their public name up; it never sends the account itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

from routing import facts as f
from routing.facts import Actor, Fact, Side, Why
from routing.ids import DeskId, IncidentId, MessageId, OperatorId, Topic
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
    purged: bool = False  # an attachment of it is gone: the same revision is to be shown anew
    requoted: bool = False  # what it quotes has changed or is gone: likewise
    edited: bool = False  # the customer had other words before; a first revision may be any


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
    language: str | None = None
    incident: IncidentId | None = None
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerTranslation:
    """A machine's translation of a reply, shown beside it."""

    at: int
    message: MessageId
    revision: int
    language: str


@dataclass(frozen=True, slots=True)
class CustomerReaction:
    """The customer's own reaction to one of our messages, so that all their pages show it."""

    at: int
    message: MessageId
    reaction: str
    on: bool


CustomerEvent = CustomerMessage | CustomerNotice | CustomerTranslation | CustomerReaction

NOTICES = (
    "queued",
    "joined",
    "left",
    "held",
    "hold_lapsed",
    "looking_into_it",
    "moved",
    "moved_language",
    "resolved",
    "no_answer",
    "reopened",
    "closed",
    "linked",
    "outside_hours",
    "opened",
    "overflowed",
    "escalated",
    "escalation_taken",
    "contact_offered",
    "language_offered",
    "language_changed",
    "incident",
    "check_requested",
    "check_passed",
    "check_failed",
    "check_expired",
)
"""Every notice that the customer may be told; a test holds the locale files against it."""


@singledispatch
def customer_view(fact: Fact) -> CustomerEvent | None:
    """What the customer sees of a fact; None for everything that is not meant for them."""
    del fact
    return None


@customer_view.register
def _(fact: f.SessionOpened) -> CustomerEvent:
    key = "queued" if fact.opens_at is None else "outside_hours"
    return CustomerNotice(fact.at, key, topic=fact.topic, desk=fact.desk, until=fact.opens_at)


@customer_view.register
def _(fact: f.DeskOpened) -> CustomerEvent:
    return CustomerNotice(fact.at, "opened", topic=fact.topic, desk=fact.desk)


@customer_view.register
def _(fact: f.CustomerMessageAdded) -> CustomerEvent:
    return CustomerMessage(fact.at, Side.CUSTOMER, fact.message)


@customer_view.register
def _(fact: f.ReplyAdded) -> CustomerEvent:
    return CustomerMessage(fact.at, Side.REPLY, fact.message, fact.revision, operator=fact.operator)


@customer_view.register
def _(fact: f.MessageRevised) -> CustomerEvent | None:
    if fact.side is Side.NOTE:
        return None
    return CustomerMessage(fact.at, fact.side, fact.message, fact.revision, edited=True)


@customer_view.register
def _(fact: f.MessageWithdrawn) -> CustomerEvent | None:
    if fact.side is Side.NOTE:
        return None
    return CustomerMessage(fact.at, fact.side, fact.message, withdrawn=True)


@customer_view.register
def _(fact: f.QuoteChanged) -> CustomerEvent | None:
    if fact.side is Side.NOTE:
        return None
    return CustomerMessage(fact.at, fact.side, fact.message, fact.revision, requoted=True)


@customer_view.register
def _(fact: f.ReactionAdded) -> CustomerEvent | None:
    if not fact.by:
        return CustomerReaction(fact.at, fact.message, fact.reaction, on=True)
    return CustomerNotice(fact.at, "looking_into_it") if fact.told else None


@customer_view.register
def _(fact: f.ReactionRemoved) -> CustomerEvent | None:
    return None if fact.by else CustomerReaction(fact.at, fact.message, fact.reaction, on=False)


@customer_view.register
def _(fact: f.FilePurged) -> CustomerEvent | None:
    """The message as it was last said, whose body has the file no more."""
    if fact.side is Side.NOTE or fact.withdrawn:
        return None
    return CustomerMessage(fact.at, fact.side, fact.message, fact.revision, purged=True)


@customer_view.register
def _(fact: f.OperatorAssigned) -> CustomerEvent | None:
    if fact.why is Why.RESOLVED:
        return None  # the one who closes the books did not join the talk
    return CustomerNotice(fact.at, "joined", operator=fact.operator)


@customer_view.register
def _(fact: f.OperatorUnassigned) -> CustomerEvent | None:
    if fact.why not in (Why.RELEASED, Why.WENT_OFF):
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
    key = {Why.OVERFLOW: "overflowed", Why.LANGUAGE: "moved_language"}.get(fact.why, "moved")
    return CustomerNotice(fact.at, key, topic=fact.topic, desk=fact.desk)


@customer_view.register
def _(fact: f.DeskFoundClosed) -> CustomerEvent:
    return CustomerNotice(fact.at, "outside_hours", topic=fact.topic, desk=fact.desk, until=fact.opens_at)


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


@customer_view.register
def _(fact: f.SpecialistCalled) -> CustomerEvent:
    return CustomerNotice(fact.at, "escalated")


@customer_view.register
def _(fact: f.EscalationAcknowledged) -> CustomerEvent | None:
    # "Taken" answers "a specialist was called"; who was not told of a call is not told of its answer.
    return CustomerNotice(fact.at, "escalation_taken", operator=fact.operator, until=fact.at) if fact.called else None


@customer_view.register
def _(fact: f.ContactOffered) -> CustomerEvent:
    return CustomerNotice(fact.at, "contact_offered", desk=fact.desk)


@customer_view.register
def _(fact: f.LanguageOffered) -> CustomerEvent:
    return CustomerNotice(fact.at, "language_offered", language=fact.language)


@customer_view.register
def _(fact: f.LanguageChanged) -> CustomerEvent:
    return CustomerNotice(fact.at, "language_changed", language=fact.language)


@customer_view.register
def _(fact: f.TranslationAdded) -> CustomerEvent | None:
    if fact.side is not Side.REPLY:
        return None
    return CustomerTranslation(fact.at, fact.message, fact.revision, fact.language)


@customer_view.register
def _(fact: f.IncidentLinked) -> CustomerEvent:
    return CustomerNotice(fact.at, "incident", incident=fact.incident)


@customer_view.register
def _(fact: f.UpdateAdded) -> CustomerEvent:
    return CustomerMessage(fact.at, Side.REPLY, fact.message, operator=fact.operator)


@customer_view.register
def _(fact: f.CheckRequested) -> CustomerEvent:
    return CustomerNotice(fact.at, "check_requested", until=fact.until, nonce=fact.nonce)


@customer_view.register
def _(fact: f.CheckPassed) -> CustomerEvent:
    return CustomerNotice(fact.at, "check_passed", until=fact.until)


@customer_view.register
def _(fact: f.CheckFailed) -> CustomerEvent:
    return CustomerNotice(fact.at, "check_failed")


@customer_view.register
def _(fact: f.CheckExpired) -> CustomerEvent | None:
    # That a pass has run out concerns who would act on it, and not the customer.
    return None if fact.passed else CustomerNotice(fact.at, "check_expired")
