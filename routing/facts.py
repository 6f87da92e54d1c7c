"""Facts: what we recorded, in the past tense. The journal is a list of them, and a session is their fold.

Facts carry ids, never text or names, so that erasing happens in one place. A reader a year from now must be able to
derive from them alone: the first human response, abandonment, holds, transfers, reopenings and the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.ids import (
    CustomerKey,
    DeskId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    Topic,
)
from routing.inputs import Outcome


class Side(StrEnum):
    """Whose words a message holds. A note is a side of its own: no exit to the customer accepts it."""

    CUSTOMER = "customer"
    REPLY = "reply"
    NOTE = "note"


class Actor(StrEnum):
    """Who made it so."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    BRIDGE = "bridge"  # a timer, an allocation, an administrator's command


class Why(StrEnum):
    """The reason beside a change of state."""

    CLAIMED = "claimed"
    REPLIED = "replied"  # the first reply to an unclaimed session claims it
    TRANSFERRED = "transferred"
    RELEASED = "released"
    TOPIC = "topic"
    WROTE = "wrote"
    DENIED = "denied"  # "not yet" to "did this solve it?"
    LAPSED = "lapsed"
    LEFT = "left"
    ENDED = "ended"
    CONFIRMED = "confirmed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A session's thread on a network, numbered from 1 in the order they were asked for."""

    number: int
    network: NetworkName
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every fact says. `at` is ms since 1970 (UTC) by the store's clock and never decreases in a session."""

    at: int
    actor: Actor
    cause: InputKey
    desk: DeskId
    topic: Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(Fact):
    session: SessionId
    code: ShortCode
    customer: CustomerKey
    verified: bool
    language: str
    mirror: Mirror
    previous: SessionId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMessageAdded(Fact):
    message: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyAdded(Fact):
    message: MessageId
    operator: OperatorId
    mirror: int | None  # the mirror that shows it already


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded(Fact):
    message: MessageId
    operator: OperatorId
    mirror: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRevised(Fact):
    message: MessageId
    revision: int
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageWithdrawn(Fact):
    message: MessageId
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class EditKept(Fact):
    """An edit (`revision`) or a withdrawal (None) that arrived before its message, and waits for it."""

    message: MessageId
    by: str  # an operator's id, or empty for the customer
    revision: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAssigned(Fact):
    operator: OperatorId
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorUnassigned(Fact):
    operator: OperatorId
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade(Fact):
    operator: OperatorId
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferWithdrawn(Fact):
    operator: OperatorId
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStarted(Fact):
    operator: OperatorId
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(Fact):
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTransferred(Fact):
    """`desk` and `topic` of the fact are those of the new desk; `from_desk` is where it came from."""

    from_desk: DeskId
    operator: OperatorId
    mirror: Mirror


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResolved(Fact):
    outcome: Outcome
    operator: OperatorId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReopened(Fact):
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionConfirmed(Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionDenied(Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed(Fact):
    outcome: Outcome
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerWentAway(Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCameBack(Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGone(Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReached(Fact):
    """Our messages up to this one are on the customer's device. Only from here may silence count."""

    message: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySeen(Fact):
    message: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorLinked(Fact):
    account: CustomerKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionErased(Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFact(Fact):
    """Written by a newer release. Kept as it was, folded as nothing."""

    kind: str
    raw: str


FACTS: tuple[type[Fact], ...] = (
    SessionOpened,
    CustomerMessageAdded,
    ReplyAdded,
    NoteAdded,
    MessageRevised,
    MessageWithdrawn,
    EditKept,
    OperatorAssigned,
    OperatorUnassigned,
    OfferMade,
    OfferWithdrawn,
    HoldStarted,
    HoldEnded,
    SessionTransferred,
    SessionResolved,
    SessionReopened,
    SolutionConfirmed,
    SolutionDenied,
    SessionClosed,
    CustomerWentAway,
    CustomerCameBack,
    CustomerGone,
    ReplyReached,
    ReplySeen,
    VisitorLinked,
    SessionErased,
)
"""Every fact that this release writes."""
