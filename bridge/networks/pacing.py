"""Pacing: a network's limits, kept by us before it has to.

Buckets are shared by all processes through the store. A process draws tokens in batches and uses them within a moment,
so a busy channel costs one call to the store for many posts, and an idle one none. What is not used is lost, never
returned: a returned token could be spent twice after a lost answer.

Who waits stands in one line, by *rank*: when it came, less the head start of its urgency. So a customer's first message
overtakes everything that is there, and yet nothing waits for ever. The line is in each process; the store knows the
rank of whoever waited in vain, and gives nothing to a process whose own first is behind that.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from dataclasses import dataclass
from enum import IntEnum
from time import monotonic

import structlog

from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.ports import Store

_log = structlog.get_logger(__name__)

VALID = 0.25
"""Seconds for which drawn tokens may be used. Longer, and two processes together overshoot after a pause."""

BATCH = 500
"""The most tokens drawn ahead of need."""

PATIENCE = 2.0
"""Seconds that a delivery waits for its token before the lane is told to come back. Well within the send deadline."""

UNNAMED = 1.0
UNNAMED_AT_MOST = 30.0
"""Seconds for which a 429 without a readable Retry-After is taken, the first and the last in a row: the first may be a
proxy's, and the last is what Slack's own SDK assumes."""

FORGIVEN = 60.0
"""Seconds after such a pause until a refusal counts as the first again: every limit of Slack's is one of a minute."""


class Urgency(IntEnum):
    """Who goes first where tokens are short. The lower, the sooner."""

    FIRST = 0  # a customer's first message with its root; a call of operators
    WORDS = 1
    LINE = 2
    CARD = 3


HEAD_START = {Urgency.FIRST: 600_000, Urgency.WORDS: 10_000, Urgency.LINE: 5_000, Urgency.CARD: 0}
"""ms that each counts as having waited longer than it has. A line waits five seconds more than words at most: words of
its own session may stand behind it."""


def rank_of(urgency: Urgency, since: int) -> int:
    """The place in line of what has waited since then (ms since 1970, by the store's clock)."""
    return since - HEAD_START[urgency]


@dataclass(frozen=True, slots=True)
class Rate:
    """`ahead`: seconds for which tokens are drawn before they are needed. Where the platform counts by the second, none
    are: what was drawn before would come on top of a whole second's. `most`: never more than so many in whichever
    so many ms, where `burst` and what fills meanwhile would be."""

    per_second: float
    burst: int
    ahead: float = VALID
    most: tuple[int, int] | None = None


@dataclass(slots=True)
class Turn:
    """A place in a bucket's line. `behind`: a token was asked for, and there was none."""

    rank: int
    urgency: Urgency
    came: asyncio.Future[None]
    behind: bool = False

    def __lt__(self, other: Turn) -> bool:
        return self.rank < other.rank

    @property
    def open(self) -> bool:
        return not self.came.done()


class Bucket:
    """One shared limit, as this process sees it."""

    def __init__(self, store: Store, name: str, rate: Rate) -> None:
        self._store = store
        self._name = name
        self._rate = rate
        self._tokens = 0
        self._fresh_until = 0.0
        self._shut_until = 0.0
        self._refused = 0
        self._horizon = 0.0
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, Turn]] = []
        self._filling: asyncio.Task[None] | None = None

    def take_now(self) -> bool:
        """A token without waiting, if there is one."""
        if not self.has_token:
            return False
        self._tokens -= 1
        return True

    @property
    def has_token(self) -> bool:
        """Whether there is one at hand that nobody waits for."""
        return bool(self._tokens) and not self._waiting and monotonic() < self._fresh_until

    async def take(self, urgency: Urgency, patience: float, since: int | None = None) -> None:
        """A token, within `patience` seconds; else raises DeliveryError with the time to come back."""
        if not self.take_now():
            now = await self._store.now() if since is None else since
            await self.wait(self.queue(urgency, now, patience), patience)

    def queue(self, urgency: Urgency, since: int, patience: float | None) -> Turn:
        """A place in the line, whose tokens are being fetched. Raises DeliveryError when it would take too long."""
        turn = Turn(rank_of(urgency, since), urgency, asyncio.get_running_loop().create_future())
        if patience is not None and self._expected(turn) > patience:
            raise self._busy()
        heapq.heappush(self._waiting, (turn.rank, next(self._order), turn))
        self._fill()
        return turn

    async def wait(self, turn: Turn, patience: float | None) -> None:
        """Until the turn comes; raises DeliveryError with the time to come back when it does not."""
        try:
            async with asyncio.timeout(patience):
                await turn.came
        except TimeoutError:
            self._give_back(turn)
            raise self._busy() from None
        except asyncio.CancelledError:
            self._give_back(turn)
            raise

    def _expected(self, turn: Turn | None = None) -> float:
        """Seconds until somebody of this place in line, or the last, would have a token."""
        ahead = sum(one.open and (turn is None or not turn < one) for *_, one in self._waiting)
        return max(self._shut_until - monotonic(), (ahead - self._rate.burst) / self._rate.per_second)

    def _busy(self) -> DeliveryError:
        """Each who is sent away gets a time of its own, so that they do not all come back at once."""
        now = monotonic()
        slot = max(now + max(self._expected(), 1 / self._rate.per_second), self._horizon)
        self._horizon = slot + 1 / self._rate.per_second
        return DeliveryError(Fault.TRANSIENT, "paced", retry_after=slot - now)

    def _give_back(self, turn: Turn) -> None:
        came = turn.came
        if came.done() and not came.cancelled() and came.exception() is None:
            self._tokens += 1  # it came in the very moment in which the wait ended
        came.cancel()

    def shut(self, seconds: float | None) -> float:
        """Slack said to wait, perhaps without saying for how long; the seconds that are waited now.

        What was under way when it was shut is refused along with the call that shut it, and is not counted again.
        """
        now = monotonic()
        if now >= self._shut_until:
            self._refused = self._refused + 1 if now < self._shut_until + FORGIVEN else 1
        unnamed = min(UNNAMED * 2.0 ** min(self._refused - 1, 10), UNNAMED_AT_MOST)
        if seconds is not None or now >= self._shut_until:
            self._shut_until = max(self._shut_until, now + (unnamed if seconds is None else seconds))
        self._tokens = 0
        return self._shut_until - now

    def _fill(self) -> None:
        if self._filling is None or self._filling.done():
            self._filling = asyncio.get_running_loop().create_task(self._fill_while_waited_for())

    async def _fill_while_waited_for(self) -> None:
        while (first := self._first()) is not None:
            given, wait = 0, 0
            try:
                given, wait = await self._draw(self._wanted(first), first.rank)
            except KakehashiError:
                return self._fail_all()
            except Exception:
                _log.exception("pacing_broke", bucket=self._name)
                return self._fail_all()
            if (shut := self._shut_until - monotonic()) > 0:
                given, wait = 0, math.ceil(shut * 1000)  # Slack has said so since they were asked for
            self._hand_out(given, short=given < self._alike(first))
            if self._first() is not None and (wait or not given):
                await asyncio.sleep(max(wait, 5) / 1000)
        return None

    async def _draw(self, wanted: int, rank: int) -> tuple[int, int]:
        rate = self._rate
        return await self._store.draw(self._name, wanted, rate.per_second, rate.burst, rank, rate.most)

    def _first(self) -> Turn | None:
        """Whose turn is next, once those who have left the line are out of it."""
        while self._waiting and not self._waiting[0][2].open:
            heapq.heappop(self._waiting)
        return self._waiting[0][2] if self._waiting else None

    def _wanted(self, first: Turn) -> int:
        """As many as may go with the first one: the less urgent ask for themselves, since others may be before them."""
        return max(
            self._alike(first), min(math.ceil(self._rate.per_second * self._rate.ahead), self._rate.burst, BATCH)
        )

    def _alike(self, first: Turn) -> int:
        return sum(one.open and one.urgency <= first.urgency for *_, one in self._waiting)

    def _hand_out(self, given: int, *, short: bool) -> None:
        self._tokens, self._fresh_until = given, monotonic() + VALID
        while self._tokens and self._first() is not None:
            *_, turn = heapq.heappop(self._waiting)
            turn.came.set_result(None)
            self._tokens -= 1
        for *_, turn in self._waiting if short else ():
            turn.behind = True

    def _fail_all(self) -> None:
        for *_, turn in self._waiting:
            if turn.open:
                turn.came.set_exception(DeliveryError(Fault.TRANSIENT, "store_unavailable", retry_after=1.0))
        self._waiting.clear()

    def close(self) -> None:
        if self._filling is not None:
            self._filling.cancel()
