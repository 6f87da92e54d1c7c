"""One page of a customer's: what it has been told, and how the next thing reaches it.

The same for socket and poll. A connection waits for `hello`, then for its welcome, then is *live*: it takes each event
once and in order. What it is not told in time it notices by the positions, and asks its audience to catch up.
Thousands of these are idle at once, so there is no task, timer or queue here: the socket's own buffer is the queue,
and it is bounded by cutting whoever does not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from adapters.web import render
from adapters.web.buckets import Bucket
from adapters.web.identity import Identity
from adapters.web.protocol import ProblemError
from bridge.feed import Position, Shown
from routing.ids import MessageId, SessionId
from routing.view import CustomerMessage

if TYPE_CHECKING:
    from adapters.web.audience import Audience
    from adapters.web.lobby import Lobby

CLOSE_CODES = {
    "restarting": 1001,
    "fault": 1011,
    "unavailable": 1013,
    "hello_refused": 4400,
    "expired": 4401,
    "token_refused": 4401,
    "hello_late": 4408,
    "silent": 4408,
    "logged_out": 4410,
    "unsupported_version": 4426,
    "slow": 4428,
    "too_many": 4429,
}
"""How the socket is closed after each `bye`; 4000 to 4999 are an application's own (RFC 6455, 7.4.2)."""


class Outlet(Protocol):
    """Where a connection's frames leave. Nothing here blocks or raises, `send` apart, which waits."""

    kind: str
    """`socket` or `poll`."""

    patience: float
    """Seconds without a word from the other side after which it is given up."""

    def write(self, frame: bytes) -> None:
        """Send a frame now, or keep it for as long as the other side is slow."""
        ...

    async def send(self, frame: bytes) -> None:
        """The same, and wait until the other side has taken most of what was sent before."""
        ...

    def backlog(self) -> int:
        """Bytes that the other side has not taken yet."""
        ...

    def close(self, code: int) -> None:
        """Say goodbye, after what was written."""
        ...

    def abort(self) -> None:
        """End at once, whatever is still unsent."""
        ...


class Connection:
    """`heard` is when the page last said something, in seconds of the loop's clock; `opened` when it connected."""

    __slots__ = (
        "_lobby",
        "audience",
        "frames",
        "heard",
        "identity",
        "language",
        "leaving",
        "live",
        "missed",
        "opened",
        "outlet",
        "position",
        "refusals",
        "sending",
        "session",
        "typed",
    )

    def __init__(self, lobby: Lobby, outlet: Outlet, now: float) -> None:
        self._lobby = lobby
        self.outlet = outlet
        self.opened = now
        self.heard = now
        self.frames = Bucket()
        self.refusals = 0
        self.typed = 0.0
        self.language = ""
        self.identity: Identity | None = None
        self.audience: Audience | None = None
        self.session: SessionId | None = None
        self.position: Position | None = None
        self.sending: MessageId | None = None
        self.live = False
        self.missed = False
        self.leaving = False

    # ------------------------------------------------------------------ what it is told

    def write(self, frame: bytes) -> None:
        """One frame, unless the page is leaving or does not read."""
        if self.leaving:
            return
        if self.outlet.backlog() > self._lobby.settings.limits.backlog:
            self.cut("slow", "the connection does not take what it is sent")
        else:
            self.outlet.write(frame)

    def cut(self, code: str, what: str, retry_after: float | None = None) -> None:
        """Say why, and hang up; the lobby ends the line of a page that does not."""
        if self.leaving:
            return
        self.leaving = True
        if code != "slow":  # nobody reads it
            self.outlet.write(render.bye(code, what, retry_after))
        self.outlet.close(CLOSE_CODES[code])
        self._lobby.see_off(self)

    def cut_for(self, problem: ProblemError) -> None:
        self.cut(problem.code, problem.what, problem.after)

    # ------------------------------------------------------------------ events, in order

    def go_live(self, session: SessionId | None, position: Position | None) -> None:
        """The welcome is written; events follow from `position`."""
        self.session, self.position = session, position
        self.live = True
        missed, self.missed = self.missed, False
        if missed and self.audience is not None:
            self.audience.catch_up()

    def pause(self) -> None:
        """Another welcome comes: nothing in between."""
        self.live = False

    def take(self, batch: render.Batch) -> None:
        """The events of a commit, as far as this page does not have them."""
        if not self.live:
            self.missed = True
        elif batch.session.id != self.session and not self._move_to(batch):
            self._ask_for_more()
        else:
            self._take_in_order(batch)

    def _move_to(self, batch: render.Batch) -> bool:
        """A new session begins with its first event; one that comes later has a beginning that we missed."""
        if batch.events[0].position.offset != 1:
            return False
        self.session, self.position = batch.session.id, None
        self.write(batch.opening(self.language))
        return True

    def _take_in_order(self, batch: render.Batch) -> None:
        for number, shown in enumerate(batch.events):
            place = self.position
            offset = place.offset if place is not None else 0
            if place is not None and place.epoch != shown.position.epoch:
                return self._ask_for_more()
            if shown.position.offset > offset + 1:
                return self._ask_for_more()
            if shown.position.offset == offset + 1:
                self.position = shown.position
                self._tell(batch, number, shown)
        return None

    def _tell(self, batch: render.Batch, number: int, shown: Shown) -> None:
        """The sender's own message comes back to it as `ack`: it shows the words already."""
        event = shown.event
        if self.sending is not None and isinstance(event, CustomerMessage) and event.message == self.sending:
            self.sending = None
            self.write(batch.ack(number, render.own_client_id(event.message), self.language))
        else:
            self.write(batch.event(number, self.language))

    def _ask_for_more(self) -> None:
        if self.audience is not None:
            self.audience.catch_up()
