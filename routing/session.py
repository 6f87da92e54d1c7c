"""The session: its states, and all that is known of it.

Six small machines run side by side:

* **State**: queued → assigned → resolved → closed. `NEW` stands for "no session yet". Writing after *resolved*
  reopens; *closed* is for ever, and the customer's next message opens a new session.
* **Presence** of the customer: here → away → gone. Away keeps place and assignee. No state depends on it.
* **Turn**: whose move it is. Ours after the customer wrote, the customer's after a reply, held while we owe an update
  by a promised time. An operator's silence never ends a session; a customer's silence counts only from the moment
  our last message reached them.
* **Offer**: at most one operator is being offered a queued session.
* **Escalation**: the ladder, from its start until somebody answers; an acknowledgement stops it for a while.
* **Check** of the customer's identity: requested, passed, failed or expired.

What every input means in every state, `TABLE` in routing/table.py says; routing/fold.py makes a session of its facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.facts import Cause, Inside, Mirror, Side
from routing.ids import (
    CustomerKey,
    DeskId,
    EffectId,
    IncidentId,
    MessageId,
    OperatorId,
    SessionId,
    ShortCode,
    Topic,
)
from routing.inputs import Outcome
from routing.policy import Promised


class State(StrEnum):
    NEW = "new"
    QUEUED = "queued"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Presence(StrEnum):
    HERE = "here"
    AWAY = "away"
    GONE = "gone"


class TurnOf(StrEnum):
    OURS = "ours"
    CUSTOMERS = "customers"
    HELD = "held"


class CheckState(StrEnum):
    REQUESTED = "requested"
    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why an input was refused. Each has a sentence, with the way out, in the locale files."""

    NO_SESSION = "no_session"
    SESSION_CLOSED = "session_closed"
    SESSION_ERASED = "session_erased"
    ALREADY_CLAIMED = "already_claimed"
    NOT_YOURS = "not_yours"
    NOT_HELD_BY_YOU = "not_held_by_you"
    SAME_DESK = "same_desk"
    UNKNOWN_DESK = "unknown_desk"
    HOLD_IN_PAST = "hold_in_past"
    HOLD_TOO_LONG = "hold_too_long"
    NOT_RESOLVED = "not_resolved"
    TOO_LATE = "too_late"
    NOT_AUTHOR = "not_author"
    UNKNOWN_MESSAGE = "unknown_message"
    MOVED = "moved"
    NOT_AVAILABLE = "not_available"
    AT_CAPACITY = "at_capacity"
    NOT_OFFERED_TO_YOU = "not_offered_to_you"
    ESCALATED_ALREADY = "escalated_already"
    NOT_ESCALATED = "not_escalated"
    CHECK_NEEDED = "check_needed"
    CHECK_PASSED_ALREADY = "check_passed_already"
    NO_SUCH_CHECK = "no_such_check"
    NOT_IN_INCIDENT = "not_in_incident"
    BLOCK_IN_PAST = "block_in_past"
    NOT_BLOCKED = "not_blocked"
    NOT_TAKEN_HERE = "not_taken_here"  # of a blocked customer, who is not told so
    NOTHING_TO_SEND = "nothing_to_send"
    SENT_ALREADY = "sent_already"
    TOO_MANY_HELD = "too_many_held"


@dataclass(frozen=True, slots=True)
class Turn:
    of: TurnOf
    since: int
    until: int | None = None  # of a hold: when the promised update is due


@dataclass(frozen=True, slots=True)
class Offer:
    operator: OperatorId
    until: int


@dataclass(frozen=True, slots=True)
class Escalation:
    """A ladder under way. `rung` is the last one that fired (-1: none yet), `times` how often it has, last `at`."""

    id: EffectId
    why: Cause
    since: int
    rung: int = -1
    times: int = 0
    at: int = 0
    called: bool = False  # a pager took it
    acknowledged_by: OperatorId | None = None
    acknowledged_at: int = 0
    reminded: bool = False
    pagers: tuple[str, ...] = ()  # those asked


@dataclass(frozen=True, slots=True)
class Called:
    """The latest mention of an operator in the thread: from then on they follow it."""

    operator: OperatorId
    mirror: int
    at: int


@dataclass(frozen=True, slots=True)
class Check:
    """The customer's identity check. `until`: of a request, when it lapses; of a pass, how long it holds."""

    state: CheckState
    at: int
    nonce: str
    until: int = 0
    passed_at: int = 0  # stays when the pass has run out


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is needed to judge an edit: whose message, when, and how often it was revised."""

    message: MessageId
    side: Side
    by: str  # an operator's id, or empty for the customer
    at: int
    mirror: int | None = None  # the mirror in whose thread it was written
    revision: int = 0
    withdrawn: bool = False
    translation: str = ""  # the language of the translation that is shown beside it
    inside: Inside | None = None  # of a note that might have been a reply
    held: bool = False  # its files stay with us


@dataclass(frozen=True, slots=True)
class Pending:
    """Words that may become a reply. `operator` None: a person must say, and under whose name; see `WordsHeld`."""

    message: MessageId
    operator: OperatorId | None
    author: str
    by: str  # as whose words they can be edited and taken back
    at: int
    mirror: int | None = None
    until: int | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Early:
    """An edit that overtook its message."""

    message: MessageId
    by: str
    revision: int | None  # None: it was withdrawn


@dataclass(frozen=True, slots=True)
class Reaction:
    """The customer's, to one of our messages."""

    message: MessageId
    reaction: str


@dataclass(frozen=True, slots=True)
class Session:
    """The aggregate. Never built by hand but from its first fact; see `fold`."""

    id: SessionId
    code: ShortCode
    customer: CustomerKey
    verified: bool
    language: str
    topic: Topic
    desk: DeskId
    state: State
    opened_at: int
    last_at: int
    turn: Turn
    mirrors: tuple[Mirror, ...]
    presence: Presence = Presence.HERE
    presence_since: int = 0
    assignee: OperatorId | None = None
    offer: Offer | None = None
    waiting_since: int | None = None  # since when the customer has been owed an answer
    first_response_at: int | None = None
    last_reply: MessageId | None = None
    reached: MessageId | None = None
    reached_at: int | None = None
    seen: MessageId | None = None
    resolved_at: int | None = None
    outcome: Outcome | None = None
    closed_at: int | None = None
    reopenings: int = 0
    transfers: int = 0
    messages: int = 0
    recent: tuple[Spoken, ...] = ()
    pending: tuple[Pending, ...] = ()
    early: tuple[Early, ...] = ()
    previous: SessionId | None = None
    erased: bool = False
    opens_at: int | None = None  # the desk is closed, and opens then
    started_at: int = 0  # when the promises began to count: at opening, or when the desk opened
    declined: tuple[OperatorId, ...] = ()  # who let an offer pass since it was last taken
    declined_at: int = 0  # when the latest of them did
    last_operator: OperatorId | None = None
    assigned_at: int | None = None
    worked: int = 0  # ms of our finished turns, by the clock of the resolution promise
    warned: tuple[Promised, ...] = ()
    missed: tuple[Promised, ...] = ()
    escalation: Escalation | None = None
    contact_offered: bool = False
    offered_languages: tuple[str, ...] = ()  # each is offered once
    untranslated: bool = False  # the latest translation came to nothing, and the desk was told so
    incident: IncidentId | None = None
    check: Check | None = None
    tags: tuple[str, ...] = ()
    blocked_until: int | None = None  # of the customer: nothing more from them before then
    blocked_by: OperatorId | None = None
    called: Called | None = None
    attended_at: int = 0  # the assignee's latest word or act
    reminded: bool = False  # of the customer's words, since then
    alerted_at: int = 0  # when the desk was last told that it waits
    unreached: MessageId | None = None  # the reply that was said not to have reached the customer
    reactions: tuple[Reaction, ...] = ()
    looked_into: int | None = None  # since when the turn is ours in which the customer was told that somebody looks
    doubted_at: int | None = None  # when operators were last told that a deletion is not passed on
    taken_over: int | None = None  # since when its network has not answered: the built-in desk does
    taken_over_at: int = 0

    @property
    def waiting(self) -> bool:
        """In the queue, and it is our turn: somebody should take it."""
        return self.state is State.QUEUED and self.turn.of is TurnOf.OURS

    @property
    def mirror(self) -> Mirror:
        """Where the session lives now."""
        return self.mirrors[-1]

    @property
    def reply_reached(self) -> bool:
        """Whether our last message is on the customer's device; before that their silence means nothing."""
        return self.last_reply is not None and self.reached == self.last_reply

    def spoken(self, message: MessageId) -> Spoken | None:
        return next((one for one in self.recent if one.message == message), None)

    def reaction_to(self, message: MessageId) -> str | None:
        """The customer's reaction to a message of ours."""
        return next((one.reaction for one in self.reactions if one.message == message), None)

    def held(self, message: MessageId) -> Pending | None:
        return next((one for one in self.pending if one.message == message), None)


def stranger(session: Session, mirror: int | None, author: str) -> OperatorId:
    """What whoever is not enrolled is called in the record: the network, and who it says they are."""
    network = next((one.network for one in session.mirrors if one.number == mirror), session.mirror.network)
    return OperatorId(f"{network}:{author}")
