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
    EffectId,
    IncidentId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    Topic,
)
from routing.inputs import Outcome, PurgeReason, Untranslated
from routing.policy import Promised, RungKind


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
    DECLINED = "declined"
    WENT_OFF = "went_off"  # the operator is not on any more
    OVERFLOW = "overflow"  # nobody at the desk had time for it
    PLACE_LOST = "place_lost"  # nothing can be posted where the desk is
    LANGUAGE = "language"
    TAKEN_OVER = "taken_over"  # who held it cannot be reached: their network does not answer
    DESK_REMOVED = "desk_removed"
    ANSWERED = "answered"


class Waits(StrEnum):
    """Why a desk is told that a session waits."""

    NEW = "new"
    RETURNED = "returned"  # it was resolved, and is open again
    PUT_BACK = "put_back"  # nobody has it any more
    MOVED = "moved"  # from another desk
    OPENED = "opened"  # it was written while the desk was closed
    STILL = "still"  # the customer writes again, and nobody has taken it


class Cause(StrEnum):
    """What started a ladder."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"
    EMERGENCY = "emergency"
    BY_HAND = "by_hand"


class Inside(StrEnum):
    """Why words that might have been a reply stayed inside."""

    ANOTHERS = "anothers"  # somebody else answers
    ELSEWHERE = "elsewhere"  # nobody answers yet, and whoever wrote does not work at the desk
    ADDRESSED = "addressed"  # they begin with a colleague's mention
    FORWARDED = "forwarded"  # they were said elsewhere, perhaps among colleagues or to another customer
    DESK = "desk"  # at this desk what is not sent expressly stays inside
    UNDONE = "undone"
    KEPT = "kept"  # a person said so
    MOVED = "moved"  # the session went on elsewhere before anybody had said
    ENDED = "ended"


class Held(StrEnum):
    """Why words are held back."""

    UNKNOWN = "unknown"  # nobody knows who wrote them: a person must say
    UNDO = "undo"  # they may be taken back for a moment, then they leave by themselves


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
    last_operator: OperatorId | None = None
    opens_at: int | None = None  # the desk was closed: when it opens next


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOpened(Fact):
    """The desk to which the customer wrote at night has opened; from here its promises count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMessageAdded(Fact):
    message: MessageId
    held: bool = False  # its files are not given to the network, whatever the policy says later


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyAdded(Fact):
    message: MessageId
    operator: OperatorId
    mirror: int | None  # the mirror that shows it already
    worked: int = 0  # ms of our turn that this ends, by the clock of the desk's resolution promise
    revision: int = 0  # the wording that leaves: what was held may have been edited meanwhile
    note: MessageId | None = None  # the note whose words these are, in wording `wording`
    wording: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded(Fact):
    """`inside`: it might have been a reply, and why it is none."""

    message: MessageId
    operator: OperatorId
    mirror: int | None
    revision: int = 0
    inside: Inside | None = None
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsHeld(Fact):
    """Words that may become a reply: they leave at `until`, or, where that is None, when a person says so.

    `operator` None: `author`, as the network names them, is not enrolled.
    """

    message: MessageId
    operator: OperatorId | None
    author: str
    mirror: int | None
    why: Held
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldWordsRevised(Fact):
    message: MessageId
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldWordsWithdrawn(Fact):
    """Their author took them back before anybody had sent them."""

    message: MessageId


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
class QuoteChanged(Fact):
    """What this message quotes was changed or taken back, and its body says so, under the same revision."""

    message: MessageId
    revision: int
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class EditKept(Fact):
    """An edit (`revision`) or a withdrawal (None) that arrived before its message, and waits for it."""

    message: MessageId
    by: str  # an operator's id, or empty for the customer
    revision: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionAdded(Fact):
    """`by`: an operator's id, or empty for the customer. `told`: the customer hears that somebody looks into it."""

    message: MessageId
    reaction: str
    by: str
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionRemoved(Fact):
    message: MessageId
    reaction: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionIgnored(Fact):
    """The words are gone from the network, and the customer keeps them: it was not their author who deleted them."""

    message: MessageId


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
    worked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(Fact):
    why: Why
    worked: int = 0  # where time on hold counts


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTransferred(Fact):
    """`desk` and `topic` of the fact are those of the new desk; `from_desk` is where it came from."""

    from_desk: DeskId
    operator: OperatorId | None
    mirror: Mirror
    why: Why = Why.TRANSFERRED


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskFoundClosed(Fact):
    """The session was moved to a desk that is closed, and opens at `opens_at`."""

    opens_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResolved(Fact):
    outcome: Outcome
    operator: OperatorId | None
    worked: int = 0
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerBlocked(Fact):
    """Their next session is refused until then. It is said of a customer in their latest session."""

    operator: OperatorId
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUnblocked(Fact):
    operator: OperatorId


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
class ReplyUnreached(Fact):
    """Our reply has not reached the customer, who left at `since` and has not come back."""

    message: MessageId
    since: int
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssigneeCalled(Fact):
    """The assignee was mentioned in the mirror's thread, and follows it from there on. `again`: after a quiet spell."""

    operator: OperatorId
    mirror: int
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskAlerted(Fact):
    """The desk was told that the session waits."""

    why: Waits


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectWasSetAside(Fact):
    """Something will never be shown in a mirror, as it is: an administrator has to look."""

    mirror: int
    code: str
    message: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorLinked(Fact):
    account: CustomerKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseWarned(Fact):
    """The promise is about to be missed. `due`: when it is."""

    promise: Promised
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseMissed(Fact):
    promise: Promised
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStarted(Fact):
    """`escalation` names it for ever, also to pagers, so that one page is one page."""

    escalation: EffectId
    why: Cause
    operator: OperatorId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RungFired(Fact):
    """`rung` counts from 0, `times` from 1. `operator` is who was on call."""

    rung: int
    times: int
    kind: RungKind
    to: str
    operator: OperatorId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialistCalled(Fact):
    """A pager took the page."""

    pager: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationAcknowledged(Fact):
    """`called`: the customer was told that a specialist was called, so they are told that it was taken, too."""

    operator: OperatorId
    via: str
    called: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgerReminded(Fact):
    operator: OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationResumed(Fact):
    """Who had acknowledged did not answer: the ladder goes on."""

    operator: OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationEnded(Fact):
    escalation: EffectId
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactOffered(Fact):
    """The customer has waited long, or the ladder's end is reached: mail and telephone are offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageOffered(Fact):
    """They write in another language than the session is in."""

    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageChanged(Fact):
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationAdded(Fact):
    """Made by a machine, and kept beside the original."""

    message: MessageId
    revision: int
    language: str
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationMissed(Fact):
    """The original stands alone: whoever reads it is told so."""

    message: MessageId
    revision: int
    language: str
    side: Side
    why: Untranslated


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLinked(Fact):
    incident: IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentUnlinked(Fact):
    incident: IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAdded(Fact):
    """A word to everybody in an incident."""

    message: MessageId
    operator: OperatorId
    incident: IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequested(Fact):
    """`operator` None: the topic demands it. It is asked for until `until`."""

    nonce: str
    until: int
    operator: OperatorId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPassed(Fact):
    """The site says that it is them; that holds until `until`."""

    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFailed(Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckExpired(Fact):
    """Nobody answered in time, or (`passed`) what was passed holds no longer."""

    passed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionErased(Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePurged(Fact):
    """One attachment is gone everywhere that we reach. `by` None: by an administrator's command."""

    message: MessageId
    file: str
    side: Side
    revision: int
    withdrawn: bool
    why: PurgeReason
    by: OperatorId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskTookOver(Fact):
    """The network has delivered nothing since `since`: the built-in desk answers until it has caught up."""

    network: NetworkName
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskHandedBack(Fact):
    network: NetworkName


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorMoved(Fact):
    """Its thread is opened in another place of the desk's, or of a fallback's: nothing could be posted in the first
    one."""

    mirror: Mirror
    from_place: Place
    code: str


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
    WordsHeld,
    HeldWordsRevised,
    HeldWordsWithdrawn,
    MessageRevised,
    MessageWithdrawn,
    QuoteChanged,
    EditKept,
    ReactionAdded,
    ReactionRemoved,
    DeletionIgnored,
    OperatorAssigned,
    OperatorUnassigned,
    OfferMade,
    OfferWithdrawn,
    HoldStarted,
    HoldEnded,
    SessionTransferred,
    SessionResolved,
    CustomerBlocked,
    CustomerUnblocked,
    SessionReopened,
    SolutionConfirmed,
    SolutionDenied,
    SessionClosed,
    CustomerWentAway,
    CustomerCameBack,
    CustomerGone,
    ReplyReached,
    ReplySeen,
    ReplyUnreached,
    AssigneeCalled,
    DeskAlerted,
    EffectWasSetAside,
    VisitorLinked,
    DeskOpened,
    PromiseWarned,
    PromiseMissed,
    EscalationStarted,
    RungFired,
    SpecialistCalled,
    EscalationAcknowledged,
    AcknowledgerReminded,
    EscalationResumed,
    EscalationEnded,
    ContactOffered,
    LanguageOffered,
    LanguageChanged,
    TranslationAdded,
    TranslationMissed,
    IncidentLinked,
    IncidentUnlinked,
    UpdateAdded,
    CheckRequested,
    CheckPassed,
    CheckFailed,
    CheckExpired,
    SessionErased,
    FilePurged,
    DeskTookOver,
    DeskHandedBack,
    MirrorMoved,
)
"""Every fact that this release writes."""
