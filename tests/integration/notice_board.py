"""A network on which everything can go wrong, in memory: what is posted hangs there for all to see, by effect.

The board is the platform, shared by all "processes" of a test; a `BoardNetwork` is one process's way to it. A `Mood`
says what becomes of one call. What the tests ask: is anything lost, is anything visibly doubled, is it in order?
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
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
    ReviseMessage,
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
    """The platform. `mood(delivery, attempt)` is asked on every call; `latency` is in seconds, and so is
    `line(delivery)`: how long one waits in line. Notices of one post bear one reference."""

    mood: Moods = lambda _delivery, _attempt: Mood.FINE
    latency: float = 0.0
    line: Callable[[Delivery], float] = lambda _delivery: 0.0
    notices: list[Notice] = field(default_factory=list)
    attempts: dict[EffectId, int] = field(default_factory=lambda: defaultdict(int))
    late: dict[EffectId, Sequence[Delivery]] = field(default_factory=dict)
    bursts: list[int] = field(default_factory=list)
    removals: int = 0
    looks: int = 0
    _refs: itertools.count[int] = field(default_factory=itertools.count)

    def post(self, delivery: Delivery) -> Delivered:
        effect, session = delivery.effect, delivery.session.id
        if isinstance(effect, WithdrawMessage | WithdrawTranslation | DeleteMirror):
            self._take_down(delivery)
            return Delivered()
        if isinstance(effect, PostTranslation | ReviseMessage) and delivery.posts:
            return Delivered(posts=delivery.posts)  # a newer revision: the post is there, and says it now
        notice = Notice(f"n{next(self._refs)}", session, effect.id, _what(effect))
        self.notices.append(notice)
        self._bring_out(effect.id)
        return _delivered(effect, notice)

    def post_all(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        """One post, whatever it shows."""
        begun = len(self.notices)
        done = [self.post(one) for one in deliveries]
        if len(deliveries) == 1:
            return done
        self.bursts.append(len(deliveries))
        posted = self.notices[begun:]
        for notice in posted:
            notice.ref = posted[0].ref
        return [Delivered(posts=(PostRef(posted[0].ref),)) for _ in deliveries]

    def hide(self, deliveries: Sequence[Delivery]) -> None:
        begun = len(self.notices)
        self.post_all(deliveries)
        for notice in self.notices[begun:]:
            notice.hidden = True
            asyncio.get_running_loop().call_later(HIDDEN_FOR, setattr, notice, "hidden", False)

    def keep_late(self, deliveries: Sequence[Delivery]) -> None:
        for one in deliveries:
            self.late[one.effect.id] = deliveries

    def _bring_out(self, effect: EffectId) -> None:
        """Somebody has sent it again: now the one that was late turns up."""
        late = self.late.pop(effect, ())
        for one in late:
            self.late.pop(one.effect.id, None)
        if late:
            asyncio.get_running_loop().call_soon(self.post_all, late)

    def _take_down(self, delivery: Delivery) -> None:
        for notice in self.notices:
            if notice.ref in delivery.posts:
                notice.removed = True

    def of(self, effect: EffectId) -> list[Notice]:
        return [one for one in self.notices if one.effect == effect and not (one.removed or one.hidden)]

    def remove(self, ref: str, effect: EffectId) -> None:
        """Of a post that shows others too, only this one goes."""
        self.removals += 1
        next(one for one in self.notices if (one.ref, one.effect) == (ref, effect)).removed = True

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

    def turn_now(self, delivery: Delivery) -> bool:
        return False

    async def turn(self, delivery: Delivery) -> bool:
        wait = self.board.line(delivery)
        if wait:
            await asyncio.sleep(wait)
        return wait > 0

    def together(self, deliveries: Sequence[Delivery]) -> int:
        return min(len(deliveries), 3)

    async def deliver(self, delivery: Delivery) -> Delivered:
        return (await self.deliver_together((delivery,)))[0]

    async def deliver_together(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        board, effect = self.board, deliveries[0].effect.id
        attempt = board.attempts[effect]
        for one in deliveries:
            board.attempts[one.effect.id] += 1
        self.under_way += 1
        try:
            await asyncio.sleep(board.latency)
            return await self._as_it_goes(board.mood(deliveries[0], attempt), deliveries)
        finally:
            self.under_way -= 1

    async def _as_it_goes(self, mood: Mood, deliveries: Sequence[Delivery]) -> list[Delivered]:
        if mood in REFUSALS:
            raise DeliveryError(REFUSALS[mood], mood.name.lower())
        if mood is Mood.LOST_BEFORE:
            raise DeliveryError(Fault.AMBIGUOUS, "lost_before")
        if mood is Mood.HANG:
            await asyncio.Event().wait()
        if mood is Mood.LATE:
            self.board.keep_late(deliveries)
            await asyncio.Event().wait()
        if mood is Mood.HIDDEN:
            self.board.hide(deliveries)
            raise DeliveryError(Fault.AMBIGUOUS, "hidden")
        done = self.board.post_all(deliveries)
        if mood is Mood.LOST_AFTER:
            raise DeliveryError(Fault.AMBIGUOUS, "lost_after")
        if mood is Mood.BREAK:
            raise KeyError("an adapter's own mistake")
        return done

    async def find(self, delivery: Delivery) -> list[Delivered]:
        self.board.looks += 1
        await asyncio.sleep(self.board.latency)
        return [_delivered(delivery.effect, one) for one in self.board.of(delivery.effect.id)]

    async def find_together(self, deliveries: Sequence[Delivery]) -> list[list[Delivered]]:
        return [await self.find(one) for one in deliveries]

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        for ref in (*double.posts, *([double.thread] if double.thread else [])):
            self.board.remove(ref, delivery.effect.id)

    async def refresh(self, delivery: Delivery) -> None:
        """The board has no cards."""

    def ready(self) -> str | None:
        return None


HIDDEN_FOR = 0.2
"""Seconds: over the pause before a lost answer is looked for, and under the one before a sweep."""

REFUSALS = {Mood.BUSY: Fault.TRANSIENT, Mood.BLOCKED: Fault.BLOCKED, Mood.POISON: Fault.POISON}
