"""Inputs: everything that can happen to a session. All of them enter by the one door, the relay.

An input carries ids and choices, never a customer's or an operator's words: those are bodies, kept beside the
journal by message id and revision.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.ids import (
    CustomerKey,
    DeskId,
    EffectId,
    IncidentId,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    Topic,
)


class Outcome(StrEnum):
    """How a session ended, as reports count it."""

    SOLVED = "solved"
    UNSOLVED = "unsolved"
    NO_ANSWER = "no_answer"  # the customer read our last message and did not come back
    ENDED = "ended"  # the customer ended the conversation
    ABANDONED = "abandoned"  # the customer ended it, or left, before a person had answered
    SPAM = "spam"


FOR_GOOD = 253_402_300_799_000
"""A time that does not come: the last second of the year 9999, which every calendar still knows."""


class Manner(StrEnum):
    """What an operator's words themselves told the network: whom they are for."""

    PLAIN = "plain"
    NOTE = "note"  # they begin as notes do
    ADDRESSED = "addressed"  # they begin with a colleague's mention
    FORWARDED = "forwarded"  # they were said elsewhere, to others, and handed on
    REPLY = "reply"  # "to the customer", said outright


INSIDE = (Manner.NOTE, Manner.ADDRESSED, Manner.FORWARDED)
"""What is never a reply by its own words, when it is written and when it is edited."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an operator acted: the mirror (by number) whose thread already shows it, or none for the desk page."""

    mirror: int | None = None


class PurgeReason(StrEnum):
    """Why an attachment has to go. A code, so that the record of it holds no words."""

    CUSTOMER_ASKED = "customer_asked"
    PERSONAL_DATA = "personal_data"
    CREDENTIALS = "credentials"  # a password, a key, a recovery phrase
    WRONG_CUSTOMER = "wrong_customer"  # it was sent to somebody whom it is not about
    HARMFUL = "harmful"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new session starts with. `nonce` and `code` are minted outside, since rules draw no random numbers."""

    session: SessionId
    code: ShortCode
    customer: CustomerKey
    verified: bool
    language: str
    topic: Topic
    previous: SessionId | None = None
    last_operator: OperatorId | None = None  # who answered them last time
    blocked_until: int | None = None  # an operator wants nothing more from them before then


@dataclass(frozen=True, slots=True)
class CustomerWrote:
    """A message from the customer. `opening` is used when there is no open session to put it in."""

    message: MessageId
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class CustomerRevised:
    """`committed`: the message itself is in the journal, so an unknown one is too old and not too early.
    `revision` 0 is the next one, whichever that is: the relay numbers it. `quoted_in` are the messages of ours that
    quote it."""

    message: MessageId
    revision: int = 0
    committed: bool = False
    quoted_in: tuple[MessageId, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomerWithdrew:
    message: MessageId
    committed: bool = False
    quoted_in: tuple[MessageId, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomerReacted:
    """`on`: put to one of our messages, or taken off again. `committed` as above."""

    message: MessageId
    reaction: str
    on: bool
    committed: bool = False


@dataclass(frozen=True, slots=True)
class CustomerArrived:
    """A page of the customer's is connected again."""


@dataclass(frozen=True, slots=True)
class CustomerLeft:
    """No page of the customer's has been connected for a while (reloads and dead zones do not count)."""


@dataclass(frozen=True, slots=True)
class CustomerReceived:
    """Our messages up to this one are on the customer's device; `seen` when they were on the screen."""

    message: MessageId
    seen: bool = False


@dataclass(frozen=True, slots=True)
class CustomerAnswered:
    """The answer to "did this solve it?"."""

    solved: bool


@dataclass(frozen=True, slots=True)
class CustomerEnded:
    """The customer ended the conversation."""


@dataclass(frozen=True, slots=True)
class CustomerLinked:
    """A visitor logged in: the session belongs to this account from now on."""

    account: CustomerKey


@dataclass(frozen=True, slots=True)
class CustomerChoseLanguage:
    """The customer goes on in another language: they took our offer, or chose it themselves."""

    language: str


@dataclass(frozen=True, slots=True)
class CustomerChecked:
    """The site has checked who they are, or could not: its signed answer, verified. `nonce` is our request's."""

    nonce: str
    passed: bool


@dataclass(frozen=True, slots=True)
class OperatorReplied:
    message: MessageId
    operator: OperatorId
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class OperatorNoted:
    """Operator text that the customer must never see. Another type than a reply, not a flag on one."""

    message: MessageId
    operator: OperatorId
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class OperatorWrote:
    """Somebody wrote in a thread, where a reply and a note look alike: `routing.intent` says which it is. Or they chose
    words that were ready, which no thread shows yet: those have no mirror.

    `author` is who the network says it was, `operator` whose user that is; None: nobody's who is enrolled.
    """

    message: MessageId
    operator: OperatorId | None
    author: str
    origin: Origin = Origin()
    manner: Manner = Manner.PLAIN


@dataclass(frozen=True, slots=True)
class OperatorSent:
    """A held message, or a note, is to go to the customer after all, under this operator's name."""

    message: MessageId
    operator: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorUndid:
    """A held message is not to go to the customer: it becomes a note."""

    message: MessageId
    operator: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorRevised:
    """`revision` as the customer's. `manner`: with one of `INSIDE` they must not be a reply any more."""

    message: MessageId
    operator: OperatorId
    revision: int = 0
    committed: bool = False
    manner: Manner = Manner.PLAIN


@dataclass(frozen=True, slots=True)
class OperatorWithdrew:
    message: MessageId
    operator: OperatorId
    committed: bool = False


@dataclass(frozen=True, slots=True)
class OperatorReacted:
    """A reaction to any message, theirs or the customer's."""

    message: MessageId
    operator: OperatorId
    reaction: str
    on: bool
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class OperatorClaimed:
    operator: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorReleased:
    operator: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorHeld:
    """The operator needs time and promises an update by `until` (ms since 1970, UTC); the customer is told. `promise`:
    their own words about it, which go to the customer first."""

    operator: OperatorId
    until: int
    promise: MessageId | None = None


@dataclass(frozen=True, slots=True)
class OperatorTransferred:
    """`reason` is a note that goes along: whoever has the session now reads it, and the customer never does."""

    operator: OperatorId
    desk: DeskId
    to: OperatorId | None = None
    reason: MessageId | None = None


@dataclass(frozen=True, slots=True)
class OperatorResolved:
    operator: OperatorId
    outcome: Outcome = Outcome.SOLVED
    tags: tuple[str, ...] = ()  # the policy's words for what it was about


@dataclass(frozen=True, slots=True)
class OperatorBlocked:
    """The customer is not to write again before `until` (`FOR_GOOD`: ever); what runs ends as spam."""

    operator: OperatorId
    until: int


@dataclass(frozen=True, slots=True)
class OperatorUnblocked:
    operator: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorDeclined:
    """The operator passes the session that they are being offered on to the next one."""

    operator: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorEscalated:
    """The ladder is started by hand."""

    operator: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorAcknowledged:
    """ "I have it": a promise to answer soon. From the thread, the desk page, or a pager."""

    operator: OperatorId
    via: str = ""  # a pager's name; empty: from where they work


@dataclass(frozen=True, slots=True)
class OperatorAskedCheck:
    """The customer is to prove to the site who they are. `nonce` is minted outside, and comes back with the answer."""

    operator: OperatorId
    nonce: str


@dataclass(frozen=True, slots=True)
class OperatorInformed:
    """An update to everybody in an incident. It answers nobody, so it changes neither turn nor assignee."""

    message: MessageId
    operator: OperatorId
    incident: IncidentId


@dataclass(frozen=True, slots=True)
class OfferProposed:
    """`allocate` proposes the session to an operator; `decide` verifies it."""

    operator: OperatorId
    until: int


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """`allocate` takes an offer back: it lapsed, or its operator left."""

    operator: OperatorId


@dataclass(frozen=True, slots=True)
class OperatorWentOff:
    """An operator is not on any more: they hand back what they hold."""

    operator: OperatorId


@dataclass(frozen=True, slots=True)
class PageAccepted:
    """A pager took the page: somebody's telephone rings."""

    escalation: EffectId
    pager: str


@dataclass(frozen=True, slots=True)
class EffectSetAside:
    """Something will never be shown in a mirror: a person has to look. `about` is the message that it was of, `change`
    says that it was an edit of it or its withdrawal; `code` is the network's word for why."""

    mirror: int
    code: str
    about: MessageId | None = None
    change: bool = False


@dataclass(frozen=True, slots=True)
class LanguageDetected:
    """What language the customer's message is in, as far as can be told."""

    message: MessageId
    language: str


@dataclass(frozen=True, slots=True)
class MessageTranslated:
    """A machine's translation of a message's revision is kept beside it, as a body of its own."""

    message: MessageId
    revision: int
    language: str


class Untranslated(StrEnum):
    """Why there is no translation of a message."""

    ALTERED = "altered"  # the machine changed an id, an address or an amount: its words are not to be trusted
    UNAVAILABLE = "unavailable"  # nobody translated it in time
    REFUSED = "refused"  # the translator cannot, or will not: too long, not a language of its


@dataclass(frozen=True, slots=True)
class MessageNotTranslated:
    """There will be no translation of a message's revision: the original stands alone."""

    message: MessageId
    revision: int
    language: str
    why: Untranslated


@dataclass(frozen=True, slots=True)
class DeletionDoubted:
    """An operator's words were deleted on a network, and it does not look as if their author did it. `unheard`: they
    were found to be gone after a time in which nobody heard, so nobody knows who did it, or when."""

    message: MessageId
    unheard: bool = False


@dataclass(frozen=True, slots=True)
class IncidentNamed:
    """The session is about this incident; None: it is not, after all."""

    incident: IncidentId | None


@dataclass(frozen=True, slots=True)
class DeskRemoved:
    """The policy has the session's desk no more: the session moves to the one that takes its place."""


@dataclass(frozen=True, slots=True)
class DeadlineFell:
    """The earliest of the session's timers is due. Which ones fell is read from the session, not from here."""


@dataclass(frozen=True, slots=True)
class ErasureOrdered:
    """The bodies are to be erased, and every mirror deleted."""


@dataclass(frozen=True, slots=True)
class FilePurgeOrdered:
    """One attachment is to be gone everywhere. What its message is was read from the journal: the snapshot knows the
    latest only. `by` None: an administrator's command."""

    message: MessageId
    file: str
    side: str  # a `routing.facts.Side`: that module reads this one
    why: PurgeReason
    revision: int = 0
    withdrawn: bool = False
    by: OperatorId | None = None


@dataclass(frozen=True, slots=True)
class NetworkFellSilent:
    """The session's lane to this network has delivered nothing since `since`, and had something to deliver."""

    network: NetworkName
    since: int


@dataclass(frozen=True, slots=True)
class PlaceLost:
    """Nothing can be posted in the place where this mirror's root was to stand, and none does; `to` is free instead:
    of the same pool, or of `desk`, a fallback."""

    mirror: int
    place: Place
    to: Place
    code: str
    desk: DeskId | None = None


@dataclass(frozen=True, slots=True)
class NetworkCaughtUp:
    """The lane is empty again: the thread shows all that happened."""

    network: NetworkName


CustomerInput = (
    CustomerWrote
    | CustomerRevised
    | CustomerWithdrew
    | CustomerReacted
    | CustomerArrived
    | CustomerLeft
    | CustomerReceived
    | CustomerAnswered
    | CustomerEnded
    | CustomerLinked
    | CustomerChoseLanguage
    | CustomerChecked
)
OperatorInput = (
    OperatorReplied
    | OperatorNoted
    | OperatorWrote
    | OperatorSent
    | OperatorUndid
    | OperatorRevised
    | OperatorWithdrew
    | OperatorReacted
    | OperatorClaimed
    | OperatorReleased
    | OperatorHeld
    | OperatorTransferred
    | OperatorResolved
    | OperatorBlocked
    | OperatorUnblocked
    | OperatorDeclined
    | OperatorEscalated
    | OperatorAcknowledged
    | OperatorAskedCheck
    | OperatorInformed
)
BridgeInput = (
    OfferProposed
    | OfferEnded
    | OperatorWentOff
    | PageAccepted
    | EffectSetAside
    | LanguageDetected
    | MessageTranslated
    | MessageNotTranslated
    | DeletionDoubted
    | IncidentNamed
    | DeskRemoved
    | DeadlineFell
    | ErasureOrdered
    | FilePurgeOrdered
    | NetworkFellSilent
    | NetworkCaughtUp
    | PlaceLost
)
Input = CustomerInput | OperatorInput | BridgeInput
