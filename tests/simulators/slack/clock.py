"""Slack's clock: rate limits, retries and expiries go by it, so that a test can leap instead of wait.

Message timestamps do not: they follow the real wall clock, because clients compare them with their own
(`oldest=` when they reconcile), and so do request signatures, which are refused five minutes out.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_ROUNDING = 1e-6
"""Seconds by which sums of fractions may miss each other."""


class Clock:
    """Seconds since the simulator started, `speed` of them in each real second; speed 0 moves by `advance` only."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._leapt = 0.0
        self._started = time.monotonic()
        self._deadlines: dict[asyncio.Timeout, float] = {}

    def now(self) -> float:
        """Seconds on this clock; never goes back."""
        return self._leapt + (time.monotonic() - self._started) * self._speed

    def advance(self, seconds: float) -> None:
        """Leap ahead by so many seconds; whatever falls due meanwhile happens now."""
        self._leapt += seconds
        for timeout, due in list(self._deadlines.items()):
            if not timeout.expired():  # it is over already, and whoever waits has not run yet
                timeout.reschedule(self._loop_time(due))

    @asynccontextmanager
    async def deadline(self, seconds: float) -> AsyncIterator[None]:
        """Raise TimeoutError in the block when it has lasted so many seconds of this clock."""
        due = self.now() + seconds
        async with asyncio.timeout_at(self._loop_time(due)) as timeout:
            self._deadlines[timeout] = due
            try:
                yield
            finally:
                del self._deadlines[timeout]

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of this clock."""
        if seconds <= 0:
            return
        try:
            async with self.deadline(seconds):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return

    def _loop_time(self, due: float) -> float | None:
        left = due - self.now()
        loop_now = asyncio.get_running_loop().time()
        if left <= _ROUNDING:
            return loop_now
        return loop_now + left / self._speed if self._speed else None
