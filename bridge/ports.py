"""The ports: what an adapter must do, may rely on, and must not do.

There are three. `Store` keeps everything (Redis). `Network` is where operators work (Slack, Discord, the desk page).
`Files`, in `bridge.files`, keeps attachments. The customer's side needs no port: it calls the relay and follows the
feed, see `bridge.relay` and `bridge.feed`.

Times are ms since 1970 (UTC) by the store's clock unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bridge.messages import About, Body
from routing.effects import Effect
from routing.facts import Fact
from routing.figures import Milestone
from routing.ids import (
    CustomerKey,
    DeskId,
    EffectId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    PostRef,
    SessionId,
    ShortCode,
    ThreadRef,
)
from routing.session import Session

# ---------------------------------------------------------------------------------------------- the store: commit


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal. `visible` numbers the customer-visible entries from 1; None for all others."""

    index: int
    tag: str
    visible: int | None
    fact: Fact


@dataclass(frozen=True, slots=True)
class Stored:
    """A session as the store has it. `head` is the journal's length, and serves as the session's version."""

    session: Session
    head: int
    visible: int
    tag: str  # of the last visible entry
    epoch: str


@dataclass(frozen=True, slots=True)
class Written:
    """A body to be kept with the facts that speak of it. `early` ones belong to a message yet to come."""

    message: MessageId
    revision: int
    body: Body


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that one decision changes, in one step or not at all."""

    key: InputKey
    before: Stored | None
    after: Stored
    entries: tuple[Entry, ...]
    bodies: tuple[Written, ...] = ()
    about: About | None = None
    effects: tuple[Effect, ...] = ()
    deadline: int | None = None  # the earliest of the session's timers
    terms: Mapping[NetworkName, int] = field(default_factory=dict)  # this process's leases, for the direct rule
    fence: tuple[str, int] | None = None  # (lease name, term): refuse when it is not the current one
    refresh: bool = True  # the card and the desk's list show something else now
    refresh_card_at: int = 0  # when the card may be redrawn: changes until then are drawn together


@dataclass(frozen=True, slots=True)
class Committed:
    """It is durable. `direct` names the destinations whose first effect this process may send at once."""

    stored: Stored
    direct: frozenset[NetworkName] = frozenset()


@dataclass(frozen=True, slots=True)
class Duplicate:
    """This key was committed before, with this head after it. Nothing was written now."""

    session: SessionId
    head: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """The session has moved on, or the customer has an open session already: load again and decide again."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """The lease named in `fence` is another's now."""


CommitResult = Committed | Duplicate | Conflict | Fenced


# ---------------------------------------------------------------------------------------------- the store: lanes


@dataclass(frozen=True, slots=True)
class Stamp:
    """Says that a send of this effect began under this term, at this time. It may have happened or not."""

    term: int
    at: int


@dataclass(frozen=True, slots=True)
class Pending:
    """The head of a lane. `stamp` is set when somebody began to send it before and did not finish the books."""

    effect: Effect
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    session: SessionId
    to: NetworkName


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane as `outbox list` shows it. `error` is the platform's word for the last failure; `aside` says that the
    effect was set aside and the lane went on without it, `uncertain` that the head may have been sent, and is to be
    looked for."""

    lane: Lane
    effects: int
    head: Effect | None
    due: int
    attempts: int
    error: str
    aside: bool = False
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a network made of an effect: the thread it opened, the posts it wrote (several for a long message)."""

    thread: ThreadRef | None = None
    posts: tuple[PostRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """The books after an acknowledged effect. `next` is the lane's new head, already stamped, or None when empty."""

    next: Pending | None


@dataclass(frozen=True, slots=True)
class Sweep:
    """An effect whose outcome was once unknown, to be looked at again for a late double."""

    session: SessionId
    effect: Effect


# ---------------------------------------------------------------------------------------------- the store: the rest


@dataclass(frozen=True, slots=True)
class Lease:
    """`name` is `destination@partition`. `term` grows with every new holder."""

    name: str
    term: int


@dataclass(frozen=True, slots=True)
class Line:
    """A session in a desk's list, derived from its snapshot and guarded by `head`."""

    session: SessionId
    code: ShortCode
    desk: DeskId
    head: int
    summary: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LineNews:
    """What became of a desk's lines since a mark. `whole`: `lines` are all that there are; else those that changed,
    and `gone` those that were taken off. `mark` is what to ask with next time."""

    mark: int
    whole: bool
    lines: tuple[Line, ...] = ()
    gone: tuple[SessionId, ...] = ()


class Reserved(StrEnum):
    """What came of reserving a place with an operator."""

    NEW = "new"
    HAD = "had"  # the session had its place with them already
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Reservations:
    """The places that an operator's capacity has taken: session → since when. `given_at`: when the latest was new."""

    sessions: Mapping[SessionId, int] = field(default_factory=dict)
    given_at: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A thread and the session that it mirrors."""

    session: SessionId
    mirror: int


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Input from a thread that no session is known for yet, kept as the adapter gave it."""

    key: InputKey
    thread: ThreadRef
    payload: Mapping[str, object]
    at: int


@dataclass(frozen=True, slots=True)
class Hint:
    """Something changed: `head` of a session, or a lane that waits for its worker. Best effort, may be lost."""

    session: SessionId
    customer: str
    head: int
    lanes: tuple[NetworkName, ...] = ()
    signal: Mapping[str, str] | None = None


class Store(Protocol):
    """Keeps sessions, journals, bodies, lanes, timers, leases.

    Every call either did all of what it says or raises: `StoreUnavailableError` when the outcome is unknown (calls
    that write may then be repeated as they are: each is idempotent by key, term or value), `StoreCorruptError` when
    a key holds something foreign. A wake-up may be lost, repeated or late; everything else is exact.
    """

    partitions: int

    async def now(self) -> int:
        """The store's clock. Cheap: an offset from this process's monotonic clock, corrected in the background."""
        ...

    # --- sessions
    async def commit(self, commit: Commit) -> CommitResult:
        """Write one decision. Checks every key's type, then the duplicate, the fence, the version, then writes.

        Durable when it returns: fsynced, and on as many replicas as the settings ask for.
        """
        ...

    async def load(self, session: SessionId) -> Stored | None: ...
    async def open_session(self, customer: CustomerKey) -> SessionId | None:
        """The customer's open session if there is one, else their latest, else None."""
        ...

    async def wrote_before(self, customer: CustomerKey, key: InputKey) -> Duplicate | None:
        """Whether this key was committed in any session of the customer's that is kept."""
        ...

    async def attach(self, customer: CustomerKey, session: SessionId) -> bool:
        """Make this the account's open session, unless it has another open one. True when it is theirs now.

        The session itself says so only once `CustomerLinked` is committed to it: see `detach` for a crash between.
        """
        ...

    async def detach(self, customer: CustomerKey, session: SessionId) -> None:
        """Take a session that is not theirs after all off the customer's books, if it is what they name."""
        ...

    async def journal(self, session: SessionId, start: int = 0, stop: int | None = None) -> list[Entry]: ...
    async def visible_since(self, session: SessionId, position: int) -> list[Entry]:
        """The customer-visible entries from number `position` (that one included), in order."""
        ...

    async def bodies(self, session: SessionId, wanted: Sequence[tuple[MessageId, int]]) -> list[Body | None]: ...
    async def about(self, session: SessionId) -> About: ...
    async def has_body(self, session: SessionId, message: MessageId) -> bool: ...
    async def mint_code(self) -> ShortCode: ...
    async def session_by_code(self, code: ShortCode) -> SessionId | None: ...
    def sessions(self) -> AsyncIterator[SessionId]:
        """Every session that is kept, in no order."""
        ...

    async def erase(self, session: SessionId) -> None:
        """Delete the bodies. The facts stay; mirrors are the lanes' work."""
        ...

    async def rewrite(self) -> None:
        """Make what was erased leave the disk, too. Raises StoreUnavailableError where we are not allowed to."""
        ...

    # --- lanes (term: of the lease on (partition, destination); raises LostLeaseError when it is not current)
    async def take(self, lane: Lane, term: int) -> Pending | None:
        """The lane's head. Stamped `tried(term)` now, unless it bore a stamp: then that one is shown and stays.

        The stamp of a commit of this very process that raised counts as none: nobody was told to send, and a repeat
        of that commit is not answered `direct`. None when the lane is empty, and while it is put off.
        """
        ...

    async def stamp(self, lane: Lane, term: int, effect: EffectId) -> bool:
        """Stamp the head anew, right before it is sent. False when this effect is not the head any more."""
        ...

    async def following(self, lane: Lane, limit: int) -> list[Effect]:
        """What stands behind the head, up to the first one that cannot be read."""
        ...

    async def stamp_together(self, lane: Lane, term: int, effects: Sequence[EffectId], *, again: bool = False) -> bool:
        """Stamp these anew, all at once, right before they are sent as one. False, and nothing is stamped, when they
        are not the lane's first, in this order, or one behind the head bears a stamp; unless they are sent `again`."""
        ...

    async def unstamp(self, lane: Lane, term: int, effects: Sequence[EffectId]) -> None:
        """These were certainly not sent."""
        ...

    async def settle(self, lane: Lane, term: int, effect: Effect, done: Delivered, *, sweep_at: int | None) -> Settled:
        """Acknowledge the head: remember thread and posts, remove it, stamp and return the next.

        `sweep_at`: look once more at that time for a late double.
        """
        ...

    async def set_aside(self, lane: Lane, term: int, effect: Effect, error: str) -> Settled:
        """Park a poisoned head where `outbox list` shows it, and go on with the next."""
        ...

    async def put_off(self, lane: Lane, term: int, due: int, error: str, *, certain: bool) -> None:
        """The lane waits until `due`; `error` is for `outbox list`. `certain`: the head was certainly not sent, so
        it loses its stamp."""
        ...

    async def waiting_lanes(self, partition: int, to: NetworkName, now: int) -> list[Lane]:
        """Lanes with unacknowledged effects that are due."""
        ...

    async def lane_states(self, session: SessionId, to: NetworkName) -> LaneState | None:
        """One lane, stuck or not; None when it is empty."""
        ...

    async def destinations(self) -> list[NetworkName]:
        """Every network that a lane was ever made for, whether there is an adapter for it now or not."""
        ...

    async def stuck_lanes(self, to: NetworkName, *, waiting: bool = False) -> list[LaneState]:
        """Lanes whose head has failed, and effects set aside: what `outbox list` shows.

        `waiting`: lanes that have not been tried yet as well, so everything that there is.
        """
        ...

    async def retry(self, lane: Lane) -> None: ...
    async def discard(self, lane: Lane, effect: EffectId) -> bool: ...
    async def sweeps(self, partition: int, to: NetworkName, now: int) -> list[Sweep]: ...
    async def swept(self, to: NetworkName, sweep: Sweep) -> None: ...
    async def sweep_later(self, to: NetworkName, sweep: Sweep, due: int) -> None:
        """Look at it (again) at that time. Whoever asks need not hold the lane's lease: it may just have lost it."""
        ...

    async def threads(self, session: SessionId) -> Mapping[int, ThreadRef]:
        """The session's mirrors' threads, by mirror number."""
        ...

    async def posts(self, session: SessionId, message: MessageId, mirror: int) -> tuple[PostRef, ...]:
        """What we posted for a message; of a line of the bridge's own, which has no message, by the effect's id."""
        ...

    async def posted(self, session: SessionId, messages: Sequence[MessageId]) -> set[MessageId]:
        """Which of these messages have reached a network."""
        ...

    async def all_posts(self, session: SessionId, mirror: int) -> tuple[PostRef, ...]:
        """Everything that we posted in the mirror, in order; for deleting it."""
        ...

    async def place(self, network: NetworkName, thread: ThreadRef, placed: Placed) -> None:
        """Remember whose thread this is. Called before `settle`, and again for a second root."""
        ...

    async def placed(self, network: NetworkName, thread: ThreadRef) -> Placed | None: ...
    async def keep_unplaced(self, network: NetworkName, unplaced: Unplaced) -> None: ...
    async def unplaced(self, network: NetworkName) -> list[Unplaced]: ...
    async def unplaced_in(self, network: NetworkName, thread: ThreadRef) -> frozenset[InputKey]:
        """What of this thread was kept a moment ago, by any process, and is not dropped yet. A hint, no truth."""
        ...

    async def drop_unplaced(self, network: NetworkName, unplaced: Unplaced) -> None: ...

    # --- coalesced views: the card on a network, the line in the index
    async def stale_views(self, partition: int, to: NetworkName, now: int) -> list[SessionId]:
        """Sessions whose card (or, for `index`, whose line) is out of date."""
        ...

    async def view_refreshed(self, to: NetworkName, session: SessionId, head: int, again_at: int) -> None:
        """The view shows the session as of `head`. If it has moved on since, it is stale again at `again_at`."""
        ...

    async def put_line(self, line: Line) -> None:
        """Put or renew a line in its desk's list, unless a newer one is there. Closed sessions go to `closed`."""
        ...

    async def drop_line(self, desk: DeskId, session: SessionId, head: int) -> None:
        """Take a session off the list of a desk that it has left."""
        ...

    async def desks(self) -> list[DeskId]:
        """Every desk that a line was ever put into, whether the policy still has it or not."""
        ...

    async def lines(self, desk: DeskId) -> list[Line]: ...
    async def line_news(self, desk: DeskId, mark: int) -> LineNews:
        """What changed in a desk's list since `mark` (-1: since ever). Complete: a mark that is too old, or of other
        data than these, is answered with the whole list."""
        ...

    async def closed(self, desk: DeskId, limit: int) -> list[SessionId]:
        """The desk's closed sessions, latest first."""
        ...

    async def sessions_of(self, customer: CustomerKey) -> list[SessionId]:
        """All sessions of a customer that are kept, oldest first."""
        ...

    async def note_handled(self, desk: DeskId, session: SessionId, at: int, took: int) -> None:
        """A session was done at `at`, after `took` ms in somebody's hands. Kept for `HANDLED_KEPT`; repeating it
        changes nothing."""
        ...

    async def handled(self, desk: DeskId, since: int) -> list[int]:
        """How long sessions took that were done since then, in ms."""
        ...

    async def note_milestones(self, milestones: Sequence[Milestone]) -> None:
        """What sessions have passed, each to its desk. Kept for `MILESTONES_KEPT`; repeating it changes nothing."""
        ...

    async def milestones(self, desk: DeskId, since: int) -> list[Milestone]:
        """What the desk's sessions passed since then (ms since 1970, UTC), in no order."""
        ...

    # --- reservations: a place of an operator's capacity, taken before a session becomes theirs, and never expiring.
    # Whoever takes one and fails to make the session theirs gives it back; what is left by somebody who died is found
    # by comparing with the sessions (see `bridge.desks`).
    async def reserve(self, operator: OperatorId, session: SessionId, capacity: int | None) -> Reserved:
        """Take a place for the session, unless `capacity` (None: without limit) places are taken. Atomic over all
        processes. A place that the session has already counts as taken now, and is never refused."""
        ...

    async def confirm_reservation(self, operator: OperatorId, session: SessionId, at: int) -> None:
        """The session is theirs since `at`: its place is taken, whatever the capacity, if it was not."""
        ...

    async def give_back(self, operator: OperatorId, session: SessionId, before: int | None = None) -> bool:
        """The session's place is free again, unless it was taken after `before`. Whether there was one to free."""
        ...

    async def reservations(self, operator: OperatorId) -> Reservations: ...

    # --- timers, presence
    async def due_timers(self, partition: int, now: int) -> list[SessionId]: ...
    async def timed(self, partition: int) -> list[SessionId]:
        """Every session that has a deadline, due or not."""
        ...

    async def set_timer(self, session: SessionId, head: int, due: int | None) -> None:
        """Move the deadline, if the session is still at `head`: a later commit has set its own."""
        ...

    async def alive(self, sessions: Sequence[SessionId], now: int) -> None:
        """These sessions' customers have a page connected."""
        ...

    async def absent(self, partition: int, before: int) -> list[SessionId]:
        """Sessions whose customer was last connected before that time, and was not noted as absent yet."""
        ...

    async def absence_noted(self, session: SessionId, before: int) -> None: ...

    # --- leases
    async def hold(self, name: str, holder: str, ttl: int) -> Lease | None:
        """Take or renew a lease for `ttl` ms. None while another holds it."""
        ...

    async def hold_many(self, names: Sequence[str], holder: str, ttl: int) -> list[Lease | None]: ...
    async def release(self, lease: Lease, holder: str) -> None: ...
    async def holder(self, name: str) -> tuple[str, int, int]:
        """Who holds a lease: (holder or "", term, until)."""
        ...

    async def processes(self, holder: str, now: int) -> list[str]:
        """Say that this process lives, and hear who else does."""
        ...

    # --- shared limits and small secrets
    async def draw(
        self,
        bucket: str,
        wanted: int,
        rate: float,
        burst: int,
        rank: int | None = None,
        most: tuple[int, int] | None = None,
    ) -> tuple[int, int]:
        """Draw up to `wanted` tokens from a bucket shared by all processes: (granted, ms until there is one more).

        `rank`: the place in line of whoever asks, the lower the sooner. While one of a lower rank waits who asked a
        moment ago in vain, there is nothing for the others. `most`: never more than so many in whichever so many
        ms, however much the bucket holds.
        """
        ...

    async def pause(self, bucket: str, until: int) -> None:
        """The platform said to wait: nobody draws from this bucket before then, and then it fills anew from nothing."""
        ...

    async def leave(self, holder: str) -> None:
        """This process stops: the others need not wait until its word has expired."""
        ...

    async def put(self, name: str, value: str, ttl: int | None = None) -> None: ...
    async def get(self, name: str) -> str | None: ...
    async def take_once(self, name: str) -> str | None:
        """Read and delete in one step: what was put here works once."""
        ...

    async def swap(self, name: str, before: str | None, after: str | None) -> bool:
        """Change a lasting value, if it still is as it was read; None is no value. False when another was faster.

        True also when it is `after` already, for who asks again: where only one may win, the value names the winner.
        """
        ...

    async def names(self, prefix: str) -> list[str]: ...
    async def shelf(self, space: str) -> Mapping[str, str]:
        """Everything that `put` keeps without an expiry under `space/…`, by name, in one call."""
        ...

    async def forget(self, name: str) -> None: ...

    # --- wake-ups
    def hints(self) -> AsyncIterator[Hint | None]:
        """Hints from other processes (and our own). Never ends while the store is open. None says that listening
        begins, or begins anew: what was said before was not heard."""
        ...

    async def signal(self, hint: Hint) -> None:
        """Tell the other processes something that is true only now (typing). Never journaled."""
        ...


# ---------------------------------------------------------------------------------------------- networks


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file that is held back, as a network may tell of it. `file` is for a link to the desk, and good for nothing
    else without signing in there."""

    file: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """An effect with everything that is needed to carry it out. `body` is None where the words were erased; it is
    without the files that are `held` back.

    `thread` is the mirror's root, None before it is open. `posts` are those of the message that is revised, withdrawn
    or reacted to, or all of the mirror's for DeleteMirror. `former` are the customer's earlier wordings of what is
    revised, oldest first: operators go on seeing what they have read. `history` are the posts that say what was said
    before the mirror began, where the message that is revised or withdrawn stands in them.
    """

    effect: Effect
    session: Session
    about: About
    thread: ThreadRef | None = None
    body: Body | None = None
    posts: tuple[PostRef, ...] = ()
    former: tuple[Body, ...] = ()
    history: tuple[PostRef, ...] = ()
    held: tuple[HeldFile, ...] = ()


class Network(Protocol):
    """Where operators work.

    The engine calls `deliver` for one effect of a session at a time, and for different sessions concurrently; it
    wraps each call in the send deadline and cancels it then. An adapter never retries on its own, never sleeps
    through a rate limit longer than it was told to, and never waits for another session. Text from customers reaches
    the network with nothing in it that acts.
    """

    name: NetworkName

    async def start(self) -> None:
        """Connect. Returns when operators' input flows; raises `KakehashiError` with the mend when it cannot."""
        ...

    async def stop(self) -> None:
        """Stop taking input, finish what is being acknowledged. `deliver` may still be called until this returns."""
        ...

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Do it once. Raises `DeliveryError`; any other exception counts as ambiguous."""
        ...

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """Look for what an earlier, unfinished `deliver` of the same effect left: oldest first, empty when certainly
        nothing. Reads only. Raises `DeliveryError` when it cannot tell."""
        ...

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        """Take back the later of two results of one effect; a second root that people answered in gets a pointer."""
        ...

    async def refresh(self, delivery: Delivery) -> None:
        """Redraw the card from `delivery.session`. `delivery.effect` is the OpenThread of the current mirror."""
        ...

    def ready(self) -> str | None:
        """None when input and output flow, else why not, in one line for `/readyz`."""
        ...


@runtime_checkable
class SupportsTyping(Protocol):
    """A network that can show that the customer is typing."""

    async def show_typing(self, thread: ThreadRef) -> None: ...


@runtime_checkable
class SupportsTurns(Protocol):
    """A network whose platform limits how fast we may post: a delivery waits in line before it counts as begun."""

    def turn_now(self, delivery: Delivery) -> bool:
        """Whether `deliver` may be called at once, which is then done: most often nobody has to wait."""
        ...

    async def turn(self, delivery: Delivery) -> bool:
        """Return when `deliver` may be called, which is then done at once. True when the place is behind: there was
        less room than was asked for. Waits as long as it takes, and is cancelled when somebody else takes over.

        Raises DeliveryError: nothing was sent.
        """
        ...


@runtime_checkable
class SupportsBursts(Protocol):
    """A network that can show several messages of a customer's in one post, when the place is behind.

    That is presentation only: each is a delivery of its own, is found, revised and withdrawn by itself.
    """

    def together(self, deliveries: Sequence[Delivery]) -> int:
        """How many of these, from the first on, may stand in one post; at least 1."""
        ...

    async def deliver_together(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        """Do them all, once, or none; one result for each. Raises as `deliver` does, for all of them."""
        ...

    async def find_together(self, deliveries: Sequence[Delivery]) -> list[list[Delivered]]:
        """What `find` says of each, with one look."""
        ...
