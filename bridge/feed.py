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
from dataclasses import dataclass
from typing import Protocol

from bridge.errors import KakehashiError
from bridge.messages import Body
from bridge.ports import Entry, Hint, Store, Stored
from routing.facts import Side
from routing.ids import CustomerKey, MessageId, SessionId
from routing.session import Session
from routing.view import CustomerEvent, CustomerMessage, customer_view


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


class Follower(Protocol):
    """A customer's page. Called on the event loop; must not block and must not raise."""

    def shown(self, session: Session, events: tuple[Shown, ...]) -> None:
        """The next events, in order. The first may repeat or skip some: compare positions, and catch up on a gap."""
        ...

    def behind(self, session: SessionId | None) -> None:
        """Something was, or may have been, committed elsewhere (None: in whatever session is current): catch up."""
        ...

    def signalled(self, signal: Signal) -> None: ...


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
        self.others = False

    def follow(self, customer: CustomerKey, follower: Follower) -> Callable[[], None]:
        """Follow a customer's sessions until the returned function is called."""
        self._followers[customer].append(follower)
        self._by_name[str(customer)] = customer

        def unfollow() -> None:
            self._followers[customer].remove(follower)
            if not self._followers[customer]:
                del self._followers[customer]
                del self._by_name[str(customer)]

        return unfollow

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hear of every session until the returned function is called."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def following(self, customer: CustomerKey) -> bool:
        return customer in self._followers

    def tell(self, stored: Stored, entries: Sequence[Entry], bodies: Mapping[tuple[MessageId, int], Body]) -> None:
        """This process has just committed these entries."""
        followers = self._followers.get(stored.session.customer)
        if followers:
            events = tuple(shown for entry in entries if (shown := _shown(stored.epoch, entry, bodies)) is not None)
            # An edit that had overtaken its message was committed with it; its words have to be read.
            whole = all(one.body is not None for one in events if _body_key(one.event) is not None)
            for follower in tuple(followers) if events else ():
                follower.shown(stored.session, events) if whole else follower.behind(stored.session.id)
        for watcher in tuple(self._watchers):
            watcher.changed(stored.session.id, stored.head)

    def moved(self, stored: Stored) -> None:
        """The session is found further on than this process knew: what was committed was told to nobody here."""
        for follower in tuple(self._followers.get(stored.session.customer, ())):
            follower.behind(stored.session.id)
        for watcher in tuple(self._watchers):
            watcher.changed(stored.session.id, stored.head)

    def hint(self, hint: Hint) -> None:
        """Another process has committed, or signals."""
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
        wanted = [
            key for entry in entries if (key := _body_key(customer_view(entry.fact))) is not None and key[0] not in gone
        ]
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
    if not isinstance(event, CustomerMessage) or event.withdrawn:
        return None
    return event.message, event.revision
