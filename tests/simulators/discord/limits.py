"""Rate limits: a bucket for each kind of route and major parameter, the global one, and those that no header shows."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from dataclasses import dataclass, field

from tests.simulators.slack.clock import Clock

GLOBAL = (50, 1.0)
"""Requests of a bot in a second, over all routes but those of interactions and webhooks."""
_AMPLE = 1_000


@dataclass(frozen=True)
class Quota:
    """How a bucket stands after a request; `wait` is set when the request was one too many."""

    bucket: str
    limit: int
    remaining: int
    reset_after: float
    wait: float | None = None


@dataclass
class _Window:
    """Opens with its first request and is whole again when it has passed."""

    ends: float
    used: int = 0


@dataclass
class Limits:
    """`enabled=False` lets everything pass, and still shows headers."""

    clock: Clock
    enabled: bool = True
    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)
    _recent: defaultdict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def take(self, bucket: str, major: str, limit: int, seconds: float) -> Quota:
        """Spend one request of a bucket."""
        name = hashlib.sha256(bucket.encode()).hexdigest()[:32]
        if not self.enabled:
            return Quota(name, _AMPLE, _AMPLE - 1, 1.0)
        now = self.clock.now()
        window = self._windows.get((bucket, major))
        if window is None or window.ends <= now:
            window = self._windows[bucket, major] = _Window(now + seconds)
        left = window.ends - now
        if window.used >= limit:
            return Quota(name, limit, 0, left, wait=left)
        window.used += 1
        return Quota(name, limit, limit - window.used, left)

    def spend(self, key: str, limit: int, seconds: float) -> float | None:
        """Spend one of a limit over the last so many seconds: None, or how long to wait. It counts what it lets by."""
        if not self.enabled:
            return None
        now, recent = self.clock.now(), self._recent[key]
        while recent and recent[0] <= now - seconds:
            recent.popleft()
        if len(recent) >= limit:
            return recent[0] + seconds - now
        recent.append(now)
        return None

    def reset(self) -> None:
        """Forget what was used up."""
        self._windows.clear()
        self._recent.clear()


class Tally:
    """Counts what happened in the last so many seconds, and never refuses: for the ban of an address."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times: deque[float] = deque()

    def add(self) -> None:
        self._times.append(self._clock.now())

    def count(self, seconds: float) -> int:
        start = self._clock.now() - seconds
        while self._times and self._times[0] <= start:
            self._times.popleft()
        return len(self._times)
