"""The session: its states, the table that says what every input means in every state, and the fold of its facts.

Everything about a session's life lives here. Four small machines run side by side:

* **State**: queued → assigned → resolved → closed. `NEW` stands for "no session yet". Writing after *resolved*
  reopens; *closed* is for ever, and the customer's next message opens a new session.
* **Presence** of the customer: here → away → gone. Away keeps place and assignee. No state depends on it.
* **Turn**: whose move it is. Ours after the customer wrote, the customer's after a reply, held while we owe an update
  by a promised time. An operator's silence never ends a session; a customer's silence counts only from the moment
  our last message reached them.
* **Offer**: at most one operator is being offered a queued session.

`TABLE` below is the one place where "input X in state Y" is decided; `decide` carries it out, a test walks every
pair, and docs/session-states.md is printed from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce, singledispatch

from routing import facts as f
from routing import inputs as i
from routing.facts import Fact, Mirror, Side
from routing.ids import CustomerKey, DeskId, MessageId, OperatorId, SessionId, ShortCode, Topic
from routing.inputs import Outcome
from routing.policy import Policy


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
    i.OperatorRevised: _stays("revise", _NONE, _OVER),
    i.OperatorWithdrew: _stays("withdraw", _NONE, _OVER),
    i.OperatorClaimed: _row(
        _NONE, Accept("claim", (_A,)), Refuse(Reason.ALREADY_CLAIMED), Accept("claim_resolved", (_A,)), _OVER
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
    i.DeadlineFell: _row(
        _NOTHING,
        Accept("deadline", (_Q,)),
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
class Spoken:
    """What is needed to judge an edit: whose message, when, and how often it was revised."""

    message: MessageId
    side: Side
    by: str  # an operator's id, or empty for the customer
    at: int
    mirror: int | None = None  # the mirror in whose thread it was written
    revision: int = 0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Early:
    """An edit that overtook its message."""

    message: MessageId
    by: str
    revision: int | None  # None: it was withdrawn


RECENT = 16
"""How many messages can still be edited or withdrawn. It bounds the snapshot, which is written on every commit."""

EARLY = 8
"""How many edits may wait for their messages: a delivery that is later than that is not coming."""


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
    early: tuple[Early, ...] = ()
    previous: SessionId | None = None
    erased: bool = False

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


class TimerName(StrEnum):
    """A session's named timers. They are derived from it, so a timer can never disagree with its session."""

    GONE = "gone"
    HOLD = "hold"
    SILENCE = "silence"
    CLOSE = "close"
    OFFER = "offer"


def timers(session: Session, policy: Policy) -> dict[TimerName, int]:
    """What falls due when (ms since 1970, UTC), if nothing happens before."""
    if session.state is State.CLOSED:
        return {}
    desk = policy.desks.get(session.desk) or policy.desk_for(session.language, session.topic)
    due: dict[TimerName, int] = {}
    if session.presence is Presence.AWAY:
        due[TimerName.GONE] = session.presence_since + desk.gone_after
    if session.turn.until is not None:
        due[TimerName.HOLD] = session.turn.until
    if session.state is State.ASSIGNED and session.turn.of is TurnOf.CUSTOMERS and session.reply_reached:
        due[TimerName.SILENCE] = (session.reached_at or session.last_at) + desk.silence_after
    if session.state is State.RESOLVED and session.resolved_at is not None:
        due[TimerName.CLOSE] = session.resolved_at + desk.close_after
    if session.offer is not None:
        due[TimerName.OFFER] = session.offer.until
    return due


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
        return replace(session, last_at=fact.at)
    # Fresh, and nobody else's yet. A second `replace` of all its fields cost a tenth of a whole commit.
    object.__setattr__(after, "last_at", fact.at)
    return after


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
    )


@singledispatch
def apply(fact: Fact, session: Session) -> Session:
    """The session after one more fact. A fact that this release does not know changes nothing."""
    del fact
    return session


@apply.register
def _(fact: f.CustomerMessageAdded, session: Session) -> Session:
    spoken = Spoken(fact.message, Side.CUSTOMER, "", fact.at)
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
        recent=_remember(session, Spoken(fact.message, Side.REPLY, fact.operator, fact.at, fact.mirror)),
        # A word after "resolved" starts the wait for its answer anew.
        resolved_at=fact.at if session.state is State.RESOLVED else session.resolved_at,
    )


@apply.register
def _(fact: f.NoteAdded, session: Session) -> Session:
    return replace(
        session, recent=_remember(session, Spoken(fact.message, Side.NOTE, fact.operator, fact.at, fact.mirror))
    )


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
def _(fact: f.OperatorAssigned, session: Session) -> Session:
    return replace(session, state=State.ASSIGNED, assignee=fact.operator, offer=None)


@apply.register
def _(fact: f.OperatorUnassigned, session: Session) -> Session:
    state = State.QUEUED if session.state is State.ASSIGNED else session.state
    return replace(session, state=state, assignee=None)


@apply.register
def _(fact: f.OfferMade, session: Session) -> Session:
    return replace(session, offer=Offer(fact.operator, fact.until))


@apply.register
def _(fact: f.OfferWithdrawn, session: Session) -> Session:
    return replace(session, offer=None)


@apply.register
def _(fact: f.HoldStarted, session: Session) -> Session:
    return replace(session, turn=Turn(TurnOf.HELD, fact.at, fact.until))


@apply.register
def _(fact: f.HoldEnded, session: Session) -> Session:
    return replace(session, turn=Turn(TurnOf.OURS, fact.at))


@apply.register
def _(fact: f.SessionTransferred, session: Session) -> Session:
    mirrors = session.mirrors if fact.mirror == session.mirror else (*session.mirrors, fact.mirror)
    return replace(session, desk=fact.desk, mirrors=mirrors, offer=None, transfers=session.transfers + 1)


@apply.register
def _(fact: f.SessionResolved, session: Session) -> Session:
    return replace(
        session,
        state=State.RESOLVED,
        outcome=fact.outcome,
        resolved_at=fact.at,
        waiting_since=None,
        offer=None,
        turn=Turn(TurnOf.CUSTOMERS, fact.at),
    )


@apply.register
def _(fact: f.SessionReopened, session: Session) -> Session:
    return replace(
        session,
        state=State.ASSIGNED if session.assignee else State.QUEUED,
        outcome=None,
        resolved_at=None,
        reopenings=session.reopenings + 1,
        waiting_since=fact.at,
        turn=Turn(TurnOf.OURS, fact.at),
    )


@apply.register
def _(fact: f.SessionClosed, session: Session) -> Session:
    return replace(session, state=State.CLOSED, outcome=fact.outcome, closed_at=fact.at, waiting_since=None, offer=None)


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
    return replace(session, reached=fact.message, reached_at=fact.at)


@apply.register
def _(fact: f.ReplySeen, session: Session) -> Session:
    return replace(session, seen=fact.message)


@apply.register
def _(fact: f.VisitorLinked, session: Session) -> Session:
    return replace(session, customer=fact.account, verified=True)


@apply.register
def _(fact: f.SessionErased, session: Session) -> Session:
    return replace(session, erased=True)


def _remember(session: Session, spoken: Spoken) -> tuple[Spoken, ...]:
    return (*session.recent, spoken)[-RECENT:]


def _respoken(session: Session, message: MessageId, *, revision: int | None = None, withdrawn: bool = False) -> Session:
    def changed(one: Spoken) -> Spoken:
        if one.message != message:
            return one
        return replace(
            one, revision=one.revision if revision is None else revision, withdrawn=one.withdrawn or withdrawn
        )

    early = tuple(one for one in session.early if one.message != message)
    return replace(session, recent=tuple(changed(one) for one in session.recent), early=early)
