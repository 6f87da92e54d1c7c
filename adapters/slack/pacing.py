"""Slack's limits, kept by us before Slack has to: beyond them it answers 429, and may drop a post.

Buckets are shared by all processes through the store. A process draws tokens in batches and uses them within a moment,
so a busy channel costs one call to the store for many posts, and an idle one none. What is not used is lost, never
returned: a returned token could be spent twice after a lost answer.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from time import monotonic

from adapters.slack.refs import NAME
from bridge.errors import DeliveryError, Fault, OverloadedError, StoreUnavailableError
from bridge.ports import Store
from config.settings import SlackRates

VALID = 0.25
"""Seconds for which drawn tokens may be used. Longer, and two processes together overshoot after a pause."""

BATCH = 500
"""The most tokens drawn ahead of need."""

PATIENCE = 2.0
"""Seconds that a delivery waits for its token before the lane is told to come back. Well within the send deadline."""

TIERS = {
    "conversations.join": 50,
    "conversations.info": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "chat.update": 50,
    "chat.delete": 50,
    "reactions.add": 50,
    "reactions.remove": 20,
    "files.delete": 50,
    "chat.postEphemeral": 100,
    "assistant.threads.setStatus": 100,
    "files.getUploadURLExternal": 100,
    "files.completeUploadExternal": 100,
    "files.info": 100,
    "conversations.open": 50,
    "users.getPresence": 50,
    "views.publish": 100,
}
"""Calls a minute, per workspace (tiers 2, 3 and 4). What is not listed is called when the service starts only."""

MARGIN = 0.8
"""How much of a tier we use at once: its minute need not begin with ours."""


class Urgency(IntEnum):
    """Who goes first where tokens are short. The lower, the sooner."""

    WORDS = 0
    LINE = 1
    CARD = 2


@dataclass(frozen=True, slots=True)
class Rate:
    per_second: float
    burst: int


Turn = asyncio.Future[None]
"""A place in a bucket's line."""


class Bucket:
    """One shared limit, as this process sees it."""

    def __init__(self, store: Store, name: str, rate: Rate) -> None:
        self._store = store
        self._name = name
        self._rate = rate
        self._tokens = 0
        self._fresh_until = 0.0
        self._shut_until = 0.0
        self._horizon = 0.0
        self._order = itertools.count()
        self._waiting: list[tuple[Urgency, int, Turn]] = []
        self._filling: asyncio.Task[None] | None = None

    def take_now(self) -> bool:
        """A token without waiting, if there is one."""
        if self._waiting or not self._tokens or monotonic() >= self._fresh_until:
            return False
        self._tokens -= 1
        return True

    async def take(self, urgency: Urgency, patience: float) -> None:
        """A token, within `patience` seconds; else raises DeliveryError with the time to come back."""
        if not self.take_now():
            await self.wait(self.queue(urgency, patience), patience)

    def queue(self, urgency: Urgency, patience: float) -> Turn:
        """A place in the line, whose tokens are being fetched. Raises DeliveryError when it would take too long."""
        if self._expected() > patience:
            raise self._busy()
        turn: Turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._order), turn))
        self._fill()
        return turn

    async def wait(self, turn: Turn, patience: float) -> None:
        """Until the turn comes; raises DeliveryError with the time to come back when it does not."""
        try:
            async with asyncio.timeout(patience):
                await turn
        except TimeoutError:
            self._give_back(turn)
            raise self._busy() from None
        except asyncio.CancelledError:
            self._give_back(turn)
            raise

    def _expected(self) -> float:
        """Seconds until somebody who came now would have a token."""
        behind = len(self._waiting)
        return max(self._shut_until - monotonic(), (behind - self._rate.burst) / self._rate.per_second)

    def _busy(self) -> DeliveryError:
        """Each who is sent away gets a time of its own, so that they do not all come back at once."""
        now = monotonic()
        slot = max(now + max(self._expected(), 1 / self._rate.per_second), self._horizon)
        self._horizon = slot + 1 / self._rate.per_second
        return DeliveryError(Fault.TRANSIENT, "paced", retry_after=slot - now)

    def _give_back(self, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._tokens += 1  # it came in the very moment in which the wait ended

    def shut(self, seconds: float) -> None:
        """Slack said to wait."""
        self._tokens = 0
        self._shut_until = monotonic() + seconds

    def _fill(self) -> None:
        if self._filling is None or self._filling.done():
            self._filling = asyncio.get_running_loop().create_task(self._fill_while_waited_for())

    async def _fill_while_waited_for(self) -> None:
        while waiting := self._prune():
            ahead = math.ceil(self._rate.per_second * VALID)
            wanted = max(waiting, min(ahead, self._rate.burst, BATCH))
            try:
                given, wait = await self._store.draw(self._name, wanted, self._rate.per_second, self._rate.burst)
            except (StoreUnavailableError, OverloadedError):
                return self._fail_all()
            self._hand_out(given)
            if self._waiting and (wait or not given):
                await asyncio.sleep(max(wait, 5) / 1000)
        return None

    def _prune(self) -> int:
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        return len(self._waiting)

    def _hand_out(self, given: int) -> None:
        self._tokens, self._fresh_until = given, monotonic() + VALID
        while self._tokens and self._prune():
            *_, turn = heapq.heappop(self._waiting)
            turn.set_result(None)
            self._tokens -= 1

    def _fail_all(self) -> None:
        for *_, turn in self._waiting:
            if not turn.done():
                turn.set_exception(DeliveryError(Fault.TRANSIENT, "store_unavailable", retry_after=1.0))
        self._waiting.clear()

    def close(self) -> None:
        if self._filling is not None:
            self._filling.cancel()


class Pacing:
    """All of the app's limits. `team` is known after the first auth.test; before it nothing that is paced is called."""

    def __init__(self, store: Store, rates: SlackRates) -> None:
        self._store = store
        self._rates = rates
        self._buckets: dict[str, Bucket] = {}
        self.team = ""

    async def admit(self, method: str, channel: str, urgency: Urgency, patience: float = PATIENCE) -> None:
        """Return when the call may be made. Raises DeliveryError (transient, with the time to come back)."""
        late = [bucket for bucket in self._limits(method, channel) if not bucket.take_now()]
        turns = [(bucket, bucket.queue(urgency, patience)) for bucket in late]  # all are being fetched at once
        for bucket, turn in turns:
            await bucket.wait(turn, patience)

    async def pause(self, method: str, channel: str, seconds: float) -> None:
        """Slack answered 429 to this call: nobody makes another before then. Other methods stay usable."""
        name = self._name(method, channel)
        if name in self._buckets:
            self._buckets[name].shut(seconds)
            await self._store.pause(name, await self._store.now() + math.ceil(seconds * 1000))

    def close(self) -> None:
        for bucket in self._buckets.values():
            bucket.close()

    def _limits(self, method: str, channel: str) -> Iterator[Bucket]:
        if method == "chat.postMessage":
            yield self._bucket(self._name(method, channel), self._in_channel())
            yield self._bucket(f"{NAME}/{self.team}/{method}", self._in_workspace())
        elif method in TIERS:
            yield self._bucket(self._name(method, channel), self._of_tier(TIERS[method]))

    def _name(self, method: str, channel: str) -> str:
        return f"{NAME}/{self.team}/{channel if method == 'chat.postMessage' else method}"

    def _bucket(self, name: str, rate: Rate) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(self._store, name, rate)
        return bucket

    def _in_channel(self) -> Rate:
        return Rate(self._rates.posts_per_second, self._rates.burst)

    def _in_workspace(self) -> Rate:
        per_minute = self._rates.posts_per_minute
        return Rate(per_minute / 60, max(1, int(per_minute * MARGIN)))

    def _of_tier(self, per_minute: int) -> Rate:
        calls = per_minute * self._rates.tier_multiplier
        return Rate(calls / 60, max(1, int(calls * MARGIN)))
