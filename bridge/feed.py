"""The feed: from the journal to the pages that are open now, and to those that come back.

Customers' pages follow their customer and get `Shown` events only: what `customer_view` lets through, with the body
beside it. The desk's pages watch sessions, and read the rest from the store themselves.

A commit of this process is told directly. A commit of another process comes as a hint, which may be lost: whoever
follows compares heads (see `Follower.behind`) and asks `catch_up` for what is missing. Nothing here is the truth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol, cast, runtime_checkable

from bridge.errors import KakehashiError
from bridge.messages import Body
from bridge.ports import Entry, Hint, Store, Stored
from routing.facts import Side
from routing.ids import CustomerKey, DeskId, MessageId, SessionId, translation_id
from routing.session import Session
from routing.view import CustomerEvent, CustomerMessage, CustomerNotice, CustomerTranslation, customer_view


@dataclass(frozen=True, slots=True)
class Position:
    """Where a client is in a session: how many visible events it has, and the random tag of the last one.

    The tag notices a log that was cut and grew again; the epoch one that was replaced.
    """

    epoch: str
    offset: int
    tag: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One customer-visible event, where it stands, and its words (None for notices and for erased words)."""

    position: Position
    event: CustomerEvent
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """`complete`: `shown` continues from the position that was asked for. Otherwise it is everything from the start,
    and the client must forget what it had. `reached` are the customer's messages that the desk has."""

    complete: bool
    shown: tuple[Shown, ...]
    reached: frozenset[MessageId]
    position: Position


@dataclass(frozen=True, slots=True)
class Signal:
    """True only now, never journaled: `typing` (who = an operator) or `reached` (message = the customer's)."""

    kind: str
    session: SessionId
    operator: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """Where a waiting session stands in its desk's line, from 1.

    `low` and `high` are whole minutes until somebody takes it; None: we cannot tell. `risen`: the position is higher
    than the one that was told before, because an emergency, or somebody with a head start, went ahead.
    """

    position: int
    low: int | None = None
    high: int | None = None
    risen: bool = False


class Follower(Protocol):
    """A customer's page. Called on the event loop; must not block and must not raise."""

    def shown(self, session: Session, events: tuple[Shown, ...]) -> None:
        """The next events, in order. The first may repeat or skip some: compare positions, and catch up on a gap."""
        ...

    def behind(self, session: SessionId | None) -> None:
        """Something was, or may have been, committed elsewhere (None: in whatever session is current): catch up."""
        ...

    def signalled(self, signal: Signal) -> None: ...


@runtime_checkable
class SupportsQueue(Protocol):
    """A follower that wants to know how the customer's line goes on."""

    def queued(self, session: SessionId, queue: Queue | None) -> None:
        """The customer's place, or what we think of their wait, is another now; None: they stand in no line any more.

        Called only for what differs from the last call, and from what `Feed.queue` answered before. Best effort, as
        signals are: after a reload the page asks `Feed.queue` again. Must not block and must not raise.
        """
        ...


class Queues(Protocol):
    """Who knows the lines of all desks; see `bridge.queues`."""

    def place(self, session: Session) -> Queue | None: ...
    def hear(self, signal: Mapping[str, str]) -> None: ...


class Listener(Protocol):
    """Who hears what this process has committed, once, with the words. Called on the event loop; must not block."""

    def heard(self, stored: Stored, entries: Sequence[Entry], bodies: Mapping[tuple[MessageId, int], Body]) -> None: ...


class Watcher(Protocol):
    """A desk page, or whatever wants to hear of every session."""

    def changed(self, session: SessionId, head: int) -> None: ...
    def signalled(self, signal: Signal) -> None: ...


class Feed:
    """Who follows whom in this process. `others`: there are other processes, so signals must be published."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._followers: dict[CustomerKey, list[Follower]] = defaultdict(list)
        self._by_name: dict[str, CustomerKey] = {}
        self._watchers: list[Watcher] = []
        self._listeners: list[Listener] = []
        self._queued: dict[str, _Told] = {}
        self.queues: Queues | None = None
        self.others = False
        self.joined = 0

    def follow(self, customer: CustomerKey, follower: Follower) -> Callable[[], None]:
        """Follow a customer's sessions until the returned function is called."""
        self._followers[customer].append(follower)
        self._by_name[str(customer)] = customer
        self.joined += 1

        def unfollow() -> None:
            self._followers[customer].remove(follower)
            if not self._followers[customer]:
                del self._followers[customer]
                del self._by_name[str(customer)]
                self._queued.pop(str(customer), None)

        return unfollow

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hear of every session until the returned function is called."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def listen(self, listener: Listener) -> None:
        """Hear of every commit of this process, for as long as it runs."""
        self._listeners.append(listener)

    def following(self, customer: CustomerKey) -> bool:
        return customer in self._followers

    # ------------------------------------------------------------------ lines of waiting customers

    @property
    def crowd(self) -> int:
        """How many customers are followed here."""
        return len(self._followers)

    def queue(self, session: Session) -> Queue | None:
        """Where a customer's session stands in its line, for a page that joins; None when it does not, or when this
        process does not know yet: then the page is told soon."""
        told = self._queued.get(str(session.customer)) if session.waiting else None
        if told is not None and told.session == session.id:
            return replace(told.queue, risen=False)
        found = self.queues.place(session) if self.queues is not None else None
        if found is not None and self.following(session.customer):
            self._queued[str(session.customer)] = _Told(session.id, session.desk, found)
        return found

    def follows(self, customer: str) -> bool:
        """Whether somebody follows the customer of this name here."""
        return customer in self._by_name

    def queued(self, customer: str, session: SessionId, desk: DeskId, queue: Queue | None) -> None:
        """Tell a customer's pages where they stand in a desk's line, if that is not what they were told."""
        key, told = self._by_name.get(customer), self._queued.get(customer)
        before = told.queue if told is not None and told.session == session else None
        if key is None or _alike(before, queue):
            return
        if queue is None:
            del self._queued[customer]
        else:
            if told is not None and before is not None and told.desk == desk and queue.position > before.position:
                queue = replace(queue, risen=True)
            self._queued[customer] = _Told(session, desk, queue)
        for follower in tuple(self._followers[key]):
            if _stands_in_line(type(follower)):
                cast(SupportsQueue, follower).queued(session, queue)

    # ------------------------------------------------------------------ what is committed

    def tell(self, stored: Stored, entries: Sequence[Entry], bodies: Mapping[tuple[MessageId, int], Body]) -> None:
        """This process has just committed these entries."""
        followers = self._followers.get(stored.session.customer)
        if followers:
            events = tuple(shown for entry in entries if (shown := _shown(stored.epoch, entry, bodies)) is not None)
            # An edit that had overtaken its message was committed with it; its words have to be read. And of words that
            # were taken back before they came, nothing is to be shown.
            gone = withdrawn(entries)
            told = [one for one in events if _body_key(one.event) is not None]
            whole = all(one.body is not None and _message_of(one.event) not in gone for one in told)
            for follower in tuple(followers) if events else ():
                follower.shown(stored.session, events) if whole else follower.behind(stored.session.id)
        for watcher in tuple(self._watchers):
            watcher.changed(stored.session.id, stored.head)
        for listener in self._listeners:
            listener.heard(stored, entries, bodies)

    def moved(self, stored: Stored) -> None:
        """The session is found further on than this process knew: what was committed was told to nobody here."""
        for follower in tuple(self._followers.get(stored.session.customer, ())):
            follower.behind(stored.session.id)
        for watcher in tuple(self._watchers):
            watcher.changed(stored.session.id, stored.head)

    def hint(self, hint: Hint) -> None:
        """Another process has committed, or signals."""
        if hint.signal is not None and hint.signal.get("kind") == QUEUE:
            if self.queues is not None:
                self.queues.hear(hint.signal)
            return
        if hint.signal is not None:
            self.pass_on(hint.customer, Signal(session=hint.session, **hint.signal))
            return
        customer = self._by_name.get(hint.customer)
        for follower in tuple(self._followers.get(customer, ())) if customer else ():
            follower.behind(hint.session)
        for watcher in tuple(self._watchers):
            watcher.changed(hint.session, hint.head)

    def all_behind(self) -> None:
        """Hints may have been missed: every customer's page compares its head with the store's.

        Watchers have no head of their own to compare; the desk's lists look at every row, see `Relay.forgotten`.
        """
        for followers in tuple(self._followers.values()):
            for follower in tuple(followers):
                follower.behind(None)

    async def signal(self, session: Session, signal: Signal) -> None:
        """Show a signal to the customer's pages and the desk's, here and in the other processes. Best effort."""
        self.pass_on(str(session.customer), signal)
        if not self.others:
            return
        fields = {"kind": signal.kind, "operator": signal.operator, "message": signal.message}
        with suppress(KakehashiError):
            await self._store.signal(Hint(session.id, str(session.customer), 0, signal=fields))

    def pass_on(self, customer: str, signal: Signal) -> None:
        """Show a signal in this process only."""
        key = self._by_name.get(customer)
        for follower in tuple(self._followers.get(key, ())) if key else ():
            follower.signalled(signal)
        for watcher in tuple(self._watchers):
            watcher.signalled(signal)

    async def catch_up(self, stored: Stored, position: Position | None) -> Resumed:
        """What a client at `position` is missing; everything, as not complete, when the position is not of this log."""
        start = position.offset if position is not None and position.epoch == stored.epoch else 0
        entries = await self._store.visible_since(stored.session.id, max(start, 1))
        complete = bool(start) and _fits(entries, position)
        if start and not complete:
            entries = await self._store.visible_since(stored.session.id, 1)
        fresh = entries[1:] if complete else entries
        shown = await self._with_bodies(stored, fresh)
        return Resumed(complete or not stored.visible, shown, await self._reached(stored, fresh), _end(stored, entries))

    async def _with_bodies(self, stored: Stored, entries: Sequence[Entry]) -> tuple[Shown, ...]:
        gone = withdrawn(entries)
        events = [event for entry in entries if (event := customer_view(entry.fact)) is not None]
        wanted = [key for one in events if (key := _body_key(one)) is not None and _message_of(one) not in gone]
        found = await self._store.bodies(stored.session.id, wanted) if wanted else []
        bodies = {key: body for key, body in zip(wanted, found, strict=True) if body is not None}
        return tuple(shown for entry in entries if (shown := _shown(stored.epoch, entry, bodies)) is not None)

    async def _reached(self, stored: Stored, entries: Sequence[Entry]) -> frozenset[MessageId]:
        """Of the messages shown now and of the latest ones: a client that has those may have missed the signal."""
        mine = {one.message for one in stored.session.recent if one.side is Side.CUSTOMER}
        for entry in entries:
            event = customer_view(entry.fact)
            if isinstance(event, CustomerMessage) and event.side is Side.CUSTOMER:
                mine.add(event.message)
        return frozenset(await self._store.posted(stored.session.id, tuple(mine))) if mine else frozenset()


QUEUE = "queue"
"""The kind of the signal that a desk's line has moved."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a customer's pages were told of their line last."""

    session: SessionId
    desk: DeskId
    queue: Queue


@lru_cache
def _stands_in_line(kind: type) -> bool:
    """Asked once for each kind of follower: asked of a protocol five thousand times it is what takes longest."""
    return issubclass(kind, SupportsQueue)


def _alike(one: Queue | None, other: Queue | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.position, one.low, one.high) == (other.position, other.low, other.high)


def withdrawn(entries: Sequence[Entry]) -> set[MessageId]:
    """Messages that were taken back within these entries: their words are not shown again."""
    events = (customer_view(entry.fact) for entry in entries)
    return {event.message for event in events if isinstance(event, CustomerMessage) and event.withdrawn}


def _fits(entries: Sequence[Entry], position: Position | None) -> bool:
    return (
        bool(entries)
        and position is not None
        and (entries[0].visible, entries[0].tag)
        == (
            position.offset,
            position.tag,
        )
    )


def _end(stored: Stored, entries: Sequence[Entry]) -> Position:
    if not entries:
        return Position(stored.epoch, stored.visible, stored.tag)
    return Position(stored.epoch, entries[-1].visible or 0, entries[-1].tag)


def _shown(epoch: str, entry: Entry, bodies: Mapping[tuple[MessageId, int], Body]) -> Shown | None:
    event = customer_view(entry.fact) if entry.visible is not None else None
    if event is None or entry.visible is None:
        return None
    key = _body_key(event)
    return Shown(Position(epoch, entry.visible, entry.tag), event, bodies.get(key) if key else None)


def _body_key(event: CustomerEvent | None) -> tuple[MessageId, int] | None:
    """Only words that the customer may read are ever asked for: a note's id never gets here."""
    if isinstance(event, CustomerTranslation):
        return translation_id(event.message, event.language), event.revision
    if not isinstance(event, CustomerMessage) or event.withdrawn:
        return None
    return event.message, event.revision


def _message_of(event: CustomerEvent) -> MessageId | None:
    return None if isinstance(event, CustomerNotice) else event.message
