"""The session: its states, the table that says what every input means in every state, and the fold of its facts.

Everything about a session's life lives here. Six small machines run side by side:

* **State**: queued → assigned → resolved → closed. `NEW` stands for "no session yet". Writing after *resolved*
  reopens; *closed* is for ever, and the customer's next message opens a new session.
* **Presence** of the customer: here → away → gone. Away keeps place and assignee. No state depends on it.
* **Turn**: whose move it is. Ours after the customer wrote, the customer's after a reply, held while we owe an update
  by a promised time. An operator's silence never ends a session; a customer's silence counts only from the moment
  our last message reached them.
* **Offer**: at most one operator is being offered a queued session.
* **Escalation**: the ladder, from its start until somebody answers; an acknowledgement stops it for a while.
* **Check** of the customer's identity: requested, passed, failed or expired.

`TABLE` below is the one place where "input X in state Y" is decided; `decide` carries it out, a test walks every
pair, and docs/session-states.md is printed from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce, singledispatch
from typing import Any

from routing import facts as f
from routing import inputs as i
from routing.facts import Actor, Cause, Fact, Inside, Mirror, Side
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
from routing.policy import Promised, RungKind


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
class Accept:
    """The rule that carries the input out, and every state it may lead to."""

    rule: str
    leads_to: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Told to whoever asked, with the reason."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing to do, and nobody to tell."""

    because: str


Verdict = Accept | Refuse | Ignore

_N, _Q, _A, _R, _C = State.NEW, State.QUEUED, State.ASSIGNED, State.RESOLVED, State.CLOSED
_NONE = Refuse(Reason.NO_SESSION)
_OVER = Refuse(Reason.SESSION_CLOSED)
_NOTHING = Ignore("there is no session")
_ENDED = Ignore("the session is over")


def _row(
    new: Verdict, queued: Verdict, assigned: Verdict, resolved: Verdict, closed: Verdict
) -> Mapping[State, Verdict]:
    return {_N: new, _Q: queued, _A: assigned, _R: resolved, _C: closed}


def _stays(rule: str, new: Verdict, closed: Verdict) -> Mapping[State, Verdict]:
    """A row whose rule holds in every living state and changes none."""
    return _row(new, Accept(rule, (_Q,)), Accept(rule, (_A,)), Accept(rule, (_R,)), closed)


TABLE: Mapping[type[i.Input], Mapping[State, Verdict]] = {
    i.CustomerWrote: _row(
        Accept("open", (_Q,)),
        Accept("customer_message", (_Q,)),
        Accept("customer_message", (_A,)),
        Accept("customer_message", (_Q, _A)),
        _OVER,  # the relay then opens a new session with the same message
    ),
    i.CustomerRevised: _stays("revise", _NONE, _OVER),
    i.CustomerWithdrew: _stays("withdraw", _NONE, _OVER),
    i.CustomerReacted: _stays("customer_reacted", _NONE, _OVER),
    i.CustomerArrived: _stays("arrive", _NOTHING, _ENDED),
    i.CustomerLeft: _stays("leave", _NOTHING, _ENDED),
    i.CustomerReceived: _row(
        _NOTHING,
        Accept("receive", (_Q,)),
        Accept("receive", (_A,)),
        Accept("receive", (_R,)),
        Accept("receive", (_C,)),  # the last reply may be read after the end; the record should say so
    ),
    i.CustomerAnswered: _row(
        _NONE,
        Refuse(Reason.NOT_RESOLVED),
        Refuse(Reason.NOT_RESOLVED),
        Accept("answer", (_Q, _A, _C)),
        Ignore("the answer came after the session was closed"),
    ),
    i.CustomerEnded: _row(
        _NOTHING,
        Accept("end", (_C,)),
        Accept("end", (_C,)),
        Accept("end", (_C,)),
        Ignore("it has ended already"),
    ),
    i.CustomerLinked: _stays("link", _NOTHING, Ignore("a closed session stays with the visitor who had it")),
    i.OperatorReplied: _row(_NONE, Accept("reply", (_A,)), Accept("reply", (_A,)), Accept("reply", (_R,)), _OVER),
    i.OperatorNoted: _row(
        _NONE,
        Accept("note", (_Q,)),
        Accept("note", (_A,)),
        Accept("note", (_R,)),
        Accept("note", (_C,)),  # what was learnt afterwards belongs to the record
    ),
    i.OperatorWrote: _row(
        _NONE,
        Accept("wrote", (_Q, _A)),
        Accept("wrote", (_A,)),
        Accept("wrote", (_R,)),
        Accept("wrote_late", (_C,)),  # a note belongs to the record; anything else is refused
    ),
    i.OperatorSent: _row(_NONE, Accept("send", (_A,)), Accept("send", (_A,)), Accept("send", (_R,)), _OVER),
    i.OperatorUndid: _stays("undo", _NONE, _OVER),
    i.OperatorRevised: _stays("revise", _NONE, _OVER),
    i.OperatorWithdrew: _stays("withdraw", _NONE, _OVER),
    i.OperatorReacted: _stays("operator_reacted", _NOTHING, _ENDED),
    i.OperatorClaimed: _row(
        _NONE, Accept("claim", (_A,)), Accept("claim_assigned", (_A,)), Accept("claim_resolved", (_A,)), _OVER
    ),
    i.OperatorReleased: _row(
        _NONE, Refuse(Reason.NOT_HELD_BY_YOU), Accept("release", (_Q,)), Refuse(Reason.NOT_HELD_BY_YOU), _OVER
    ),
    i.OperatorHeld: _row(_NONE, Accept("hold", (_A,)), Accept("hold", (_A,)), Accept("hold_resolved", (_A,)), _OVER),
    i.OperatorTransferred: _row(
        _NONE,
        Accept("transfer", (_Q, _A)),
        Accept("transfer", (_Q, _A)),
        Accept("transfer_resolved", (_Q, _A)),
        _OVER,
    ),
    i.OperatorResolved: _row(
        _NONE, Accept("resolve", (_R, _C)), Accept("resolve", (_R, _C)), Ignore("it is resolved already"), _OVER
    ),
    i.OperatorBlocked: _row(
        _NONE,
        Accept("block", (_C,)),
        Accept("block", (_C,)),
        Accept("block", (_C,)),
        Accept("block_closed", (_C,)),  # what somebody is like may show afterwards
    ),
    i.OperatorUnblocked: _row(
        _NONE,
        Refuse(Reason.NOT_BLOCKED),
        Refuse(Reason.NOT_BLOCKED),
        Refuse(Reason.NOT_BLOCKED),
        Accept("unblock", (_C,)),
    ),
    i.CustomerChoseLanguage: _row(
        _NOTHING,
        Accept("choose_language", (_Q,)),
        Accept("choose_language", (_Q, _A)),
        Accept("choose_language", (_R,)),
        _ENDED,
    ),
    i.CustomerChecked: _stays("checked", _NOTHING, _ENDED),
    i.OperatorDeclined: _row(
        _NONE,
        Accept("decline", (_Q,)),
        Ignore("somebody has it already"),
        Ignore("nothing is offered"),
        _ENDED,
    ),
    i.OperatorEscalated: _row(
        _NONE,
        Accept("escalate", (_Q,)),
        Accept("escalate", (_A,)),
        Accept("escalate_resolved", (_Q, _A)),
        _OVER,
    ),
    i.OperatorAcknowledged: _row(
        _NONE,
        Accept("acknowledge", (_Q,)),
        Accept("acknowledge", (_A,)),
        Refuse(Reason.NOT_ESCALATED),
        _OVER,
    ),
    i.OperatorAskedCheck: _stays("ask_check", _NONE, _OVER),
    i.OperatorInformed: _stays("inform", _NONE, _OVER),
    i.OfferProposed: _row(
        _NOTHING,
        Accept("offer", (_Q,)),
        Ignore("somebody was faster"),
        Ignore("nothing is waiting"),
        _ENDED,
    ),
    i.OfferEnded: _row(
        _NOTHING,
        Accept("end_offer", (_Q,)),
        Ignore("somebody was faster"),
        Ignore("nothing is offered"),
        _ENDED,
    ),
    i.OperatorWentOff: _row(
        _NOTHING,
        Accept("went_off", (_Q,)),
        Accept("went_off", (_Q, _A)),
        Accept("went_off", (_R,)),
        _ENDED,
    ),
    i.PageAccepted: _row(
        _NOTHING,
        Accept("page_accepted", (_Q,)),
        Accept("page_accepted", (_A,)),
        Ignore("it was answered meanwhile"),
        _ENDED,
    ),
    i.EffectSetAside: _stays(
        "set_aside",
        _NOTHING,
        Accept("set_aside", (_C,)),  # its last words may not have been shown
    ),
    i.LanguageDetected: _stays("detect_language", _NOTHING, _ENDED),
    i.MessageTranslated: _stays("translated", _NOTHING, _ENDED),
    i.MessageNotTranslated: _stays("not_translated", _NOTHING, _ENDED),
    i.DeletionDoubted: _stays("ignore_deletion", _NOTHING, _ENDED),
    i.IncidentNamed: _stays("name_incident", _NOTHING, _ENDED),
    i.DeskRemoved: _stays("desk_removed", _NOTHING, _ENDED),
    i.DeadlineFell: _row(
        _NOTHING,
        Accept("deadline", (_Q, _R)),  # answered, handed back, and the customer is silent
        Accept("deadline", (_A, _R)),
        Accept("deadline", (_R, _C)),
        Ignore("a closed session has no timers"),
    ),
    i.ErasureOrdered: _row(
        _NOTHING,
        Accept("erase", (_C,)),
        Accept("erase", (_C,)),
        Accept("erase", (_C,)),
        Accept("erase", (_C,)),
    ),
    i.FilePurgeOrdered: _stays("purge_file", _NOTHING, Accept("purge_file", (_C,))),
    i.NetworkFellSilent: _stays("take_over", _NOTHING, _ENDED),
    i.NetworkCaughtUp: _stays("hand_back", _NOTHING, _ENDED),
    i.PlaceLost: _stays(
        "move_mirror",
        _NOTHING,
        Accept("move_mirror", (_C,)),  # its last words still wait for their thread
    ),
}


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


RECENT = 16
"""How many messages can still be edited or withdrawn. It bounds the snapshot, which is written on every commit."""

EARLY = 8
"""How many edits may wait for their messages: a delivery that is later than that is not coming."""


REACTIONS = 32
"""How many of the customer's reactions are known to stand. An older one can be put again, which does no harm."""


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


def stranger(session: Session, mirror: int | None, author: str) -> OperatorId:
    """What whoever is not enrolled is called in the record: the network, and who it says they are."""
    network = next((one.network for one in session.mirrors if one.number == mirror), session.mirror.network)
    return OperatorId(f"{network}:{author}")


def _respoken(session: Session, message: MessageId, **changed: Any) -> Session:
    early = _not_about(session, message)
    recent = tuple(replace(one, **changed) if one.message == message else one for one in session.recent)
    return replace(session, recent=recent, early=early)
