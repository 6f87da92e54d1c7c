"""A network on which everything can go wrong, in memory: what is posted hangs there for all to see, by effect.

The board is the platform, shared by all "processes" of a test; a `BoardNetwork` is one process's way to it. A `Mood`
says what becomes of one call. What the tests ask: is anything lost, is anything visibly doubled, is it in order?
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from bridge.errors import DeliveryError, Fault
from bridge.ports import Delivered, Delivery
from routing.effects import (
    DeleteMirror,
    Effect,
    OpenThread,
    PostMessage,
    PostTranslation,
    WithdrawMessage,
    WithdrawTranslation,
)
from routing.ids import EffectId, MessageId, NetworkName, PostRef, SessionId, ThreadRef

BOARD = NetworkName("board")


class Mood(Enum):
    """What becomes of one call."""

    FINE = auto()
    LOST_BEFORE = auto()  # the connection breaks before the platform has done anything
    LOST_AFTER = auto()  # it breaks after: the post hangs there, and nobody was told
    LATE = auto()  # no answer within the deadline; the post appears only after somebody has sent it again
    HIDDEN = auto()  # it hangs there, nobody was told, and reading shows it only a while later
    HANG = auto()  # no answer within the deadline, and nothing ever comes of it
    BUSY = auto()  # 429
    BLOCKED = auto()
    POISON = auto()
    BREAK = auto()  # the adapter itself raises something that it should not


@dataclass(slots=True)
class Notice:
    """One post. `removed` once somebody took it back."""

    ref: str
    session: SessionId
    effect: EffectId
    what: str
    removed: bool = False
    hidden: bool = False


Moods = Callable[[Delivery, int], Mood]


@dataclass(slots=True)
class Board:
    """The platform. `mood(delivery, attempt)` is asked on every call; `latency` is in seconds."""

    mood: Moods = lambda _delivery, _attempt: Mood.FINE
    latency: float = 0.0
    notices: list[Notice] = field(default_factory=list)
    attempts: dict[EffectId, int] = field(default_factory=lambda: defaultdict(int))
    late: dict[EffectId, Delivery] = field(default_factory=dict)
    removals: int = 0
    looks: int = 0
    _refs: itertools.count[int] = field(default_factory=itertools.count)

    def post(self, delivery: Delivery) -> Delivered:
        effect, session = delivery.effect, delivery.session.id
        if isinstance(effect, WithdrawMessage | WithdrawTranslation | DeleteMirror):
            self._take_down(delivery)
            return Delivered()
        if isinstance(effect, PostTranslation) and delivery.posts:
            return Delivered(posts=delivery.posts)  # of a newer revision: the line is there, and says it now
        notice = Notice(f"n{next(self._refs)}", session, effect.id, _what(effect))
        self.notices.append(notice)
        self._bring_out(effect.id)
        return _delivered(effect, notice)

    def hide(self, delivery: Delivery) -> None:
        self.post(delivery)
        notice = self.notices[-1]
        notice.hidden = True
        asyncio.get_running_loop().call_later(HIDDEN_FOR, setattr, notice, "hidden", False)

    def _bring_out(self, effect: EffectId) -> None:
        """Somebody has sent it again: now the one that was late turns up."""
        late = self.late.pop(effect, None)
        if late is not None:
            asyncio.get_running_loop().call_soon(self.post, late)

    def _take_down(self, delivery: Delivery) -> None:
        for notice in self.notices:
            if notice.ref in delivery.posts:
                notice.removed = True

    def of(self, effect: EffectId) -> list[Notice]:
        return [one for one in self.notices if one.effect == effect and not (one.removed or one.hidden)]

    def remove(self, ref: str) -> None:
        self.removals += 1
        next(one for one in self.notices if one.ref == ref).removed = True

    def shows(self, session: SessionId) -> list[str]:
        """What hangs there of a session, from top to bottom."""
        return [one.what for one in self.notices if one.session == session and not one.removed]

    def doubled(self) -> list[str]:
        """Every effect that hangs there twice."""
        counts = Counter(one.effect for one in self.notices if not one.removed)
        return [one.what for one in self.notices if not one.removed and counts[one.effect] > 1]


def _what(effect: Effect) -> str:
    return str(effect.message) if isinstance(effect, PostMessage) else type(effect).__name__


def _delivered(effect: Effect, notice: Notice) -> Delivered:
    if isinstance(effect, OpenThread):
        return Delivered(ThreadRef(notice.ref))
    return Delivered(posts=(PostRef(notice.ref),))


@dataclass(slots=True)
class BoardNetwork:
    """One process's way to the board."""

    board: Board
    name: NetworkName = BOARD
    under_way: int = 0
    sent: list[MessageId] = field(default_factory=list)

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def deliver(self, delivery: Delivery) -> Delivered:
        board, effect = self.board, delivery.effect.id
        attempt = board.attempts[effect]
        board.attempts[effect] += 1
        self.under_way += 1
        try:
            await asyncio.sleep(board.latency)
            return await self._as_it_goes(board.mood(delivery, attempt), delivery)
        finally:
            self.under_way -= 1

    async def _as_it_goes(self, mood: Mood, delivery: Delivery) -> Delivered:
        if mood in REFUSALS:
            raise DeliveryError(REFUSALS[mood], mood.name.lower())
        if mood is Mood.LOST_BEFORE:
            raise DeliveryError(Fault.AMBIGUOUS, "lost_before")
        if mood is Mood.HANG:
            await asyncio.Event().wait()
        if mood is Mood.LATE:
            self.board.late[delivery.effect.id] = delivery
            await asyncio.Event().wait()
        if mood is Mood.HIDDEN:
            self.board.hide(delivery)
            raise DeliveryError(Fault.AMBIGUOUS, "hidden")
        done = self.board.post(delivery)
        if mood is Mood.LOST_AFTER:
            raise DeliveryError(Fault.AMBIGUOUS, "lost_after")
        if mood is Mood.BREAK:
            raise KeyError("an adapter's own mistake")
        return done

    async def find(self, delivery: Delivery) -> list[Delivered]:
        self.board.looks += 1
        await asyncio.sleep(self.board.latency)
        return [_delivered(delivery.effect, one) for one in self.board.of(delivery.effect.id)]

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        for ref in (*double.posts, *([double.thread] if double.thread else [])):
            self.board.remove(ref)

    async def refresh(self, delivery: Delivery) -> None:
        """The board has no cards."""

    def ready(self) -> str | None:
        return None


HIDDEN_FOR = 0.2
"""Seconds: over the pause before a lost answer is looked for, and under the one before a sweep."""

REFUSALS = {Mood.BUSY: Fault.TRANSIENT, Mood.BLOCKED: Fault.BLOCKED, Mood.POISON: Fault.POISON}
