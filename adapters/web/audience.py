"""A customer's open pages in this process, together: what concerns one of them concerns all.

The feed tells the audience, not each page, so an event is rendered once; and when something was missed, the journal is
read once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from adapters.web import render
from adapters.web.buckets import Bucket
from bridge.feed import Position, Queue, Resumed, Shown, Signal
from routing.ids import CustomerKey, MessageId, OperatorId, SessionId
from routing.session import Session, State

if TYPE_CHECKING:
    from adapters.web.connection import Connection
    from adapters.web.lobby import Lobby


class Audience:
    """Follows one customer in the feed for as long as a page is open.

    `session` is the customer's current session as far as its pages were told, `open` whether it is not closed;
    `due` is when its next heartbeat is, in seconds of the loop's clock.
    """

    __slots__ = (
        "_lobby",
        "_unfollow",
        "code",
        "connections",
        "customer",
        "due",
        "messages",
        "open",
        "session",
        "stale",
    )

    def __init__(self, lobby: Lobby, customer: CustomerKey, due: float) -> None:
        self.customer = customer
        self.connections: list[Connection] = []
        self.messages = Bucket()
        self.session: SessionId | None = None
        self.code = ""
        self.open = False
        self.stale = False
        self.due = due
        self._lobby = lobby
        self._unfollow: Callable[[], None] | None = lobby.feed.follow(customer, self)

    @property
    def owner(self) -> str:
        return render.owner_of(self.customer)

    def end(self) -> None:
        """Nobody is here any more."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    @property
    def ended(self) -> bool:
        return self._unfollow is None

    def follow_session(self, session: Session) -> None:
        """This is the customer's session now."""
        was_open = self.open and self.session == session.id
        self.session, self.code, self.open = session.id, session.code, session.state is not State.CLOSED
        if self.open and not was_open:
            self._lobby.present.append(session.id)

    # ------------------------------------------------------------------ the feed's follower

    def shown(self, session: Session, events: tuple[Shown, ...]) -> None:
        """The next events of a session, which may repeat or skip some."""
        self.follow_session(session)
        batch = render.Batch(self._lobby.renderer, self.owner, session, events)
        for connection in tuple(self.connections):
            connection.take(batch)

    def behind(self, session: SessionId | None) -> None:
        """Something was committed by another process."""
        del session  # whichever it is, `catch_up` looks at all that matter
        self.catch_up()

    def signalled(self, signal: Signal) -> None:
        """Typing, or a message's arrival on the desk. Nobody is told of their own typing, nor of anyone's note."""
        if signal.session != self.session:
            return
        if signal.kind == "typing" and signal.operator:
            self._say_typing(OperatorId(signal.operator))
        elif signal.kind == "reached" and render.is_own(signal.message):
            self._write(render.reached(MessageId(signal.message)))

    def queued(self, session: SessionId, queue: Queue | None) -> None:
        """The customer's place in the line, or what we think of their wait, is another now."""
        if session == self.session:
            self._write(render.queue(self.code, queue))

    def _write(self, frame: bytes) -> None:
        for connection in tuple(self._live()):
            connection.write(frame)

    def _say_typing(self, operator: OperatorId) -> None:
        for connection in tuple(self._live()):
            connection.write(self._lobby.renderer.typing(operator, connection.language))

    # ------------------------------------------------------------------ catching up

    def catch_up(self) -> None:
        """Read what is missing, soon. Asked for twice, it is done once."""
        if not self.stale:
            self.stale = True
            self._lobby.behind(self)

    def sessions_shown(self) -> set[SessionId]:
        """The sessions that the live pages stand in: one, but for a moment after a new one has opened elsewhere."""
        return {one.session for one in self._live() if one.session is not None}

    def lowest(self, session: SessionId) -> Position | None:
        """The position of the page that is furthest behind in a session; None for "from the start"."""
        places = [one.position for one in self._live() if one.session == session]
        if not places or any(place is None for place in places):
            return None
        return min((place for place in places if place is not None), key=lambda place: place.offset)

    def resumed(self, session: Session, resumed: Resumed, asked: Position | None) -> None:
        """What the journal had after `asked`. A log that was cut or replaced starts every page anew."""
        if asked is not None and not resumed.complete:
            for connection in tuple(self._live()):
                connection.cut("restarting", "the history has changed", 0.0)
        elif resumed.shown:
            self.shown(session, render.as_it_stands_now(resumed.shown))
            for frame in map(render.reached, resumed.reached):
                self._write(frame)

    def _live(self) -> Iterable[Connection]:
        return (one for one in self.connections if one.live and not one.leaving)
