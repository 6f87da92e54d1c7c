"""Rate limits: tiers by method, and the special rule of chat.postMessage.

A method that answered 429 stays shut until its `Retry-After` has passed, even if there would be room sooner; other
methods stay usable. Slack publishes no algorithm: token buckets of a minute's size are the usual reading.
"""

import math
from dataclasses import dataclass, field

from .clock import Clock

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute."""
BURSTS = {1: 10}
"""Tier 1 tolerates bursts: an app may open its ten connections at once, and then one a minute."""

POSTS_PER_SECOND = 1.0
POST_BURST = 4
"""One post a second in a channel; so many at once are tolerated."""
POSTS_PER_MINUTE = 300
"""In the whole workspace."""


@dataclass
class Bucket:
    """`rate` tokens a second up to `size`."""

    rate: float
    size: float
    tokens: float
    filled_at: float
    shut_until: float = 0.0

    def take(self, now: float) -> int | None:
        """None when the call may pass, else whole seconds to wait; asking while shut does not help."""
        if now < self.shut_until:
            return math.ceil(self.shut_until - now)
        self.tokens = min(self.size, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return None
        wait = max(1, math.ceil((1 - self.tokens) / self.rate))
        self.shut_until = now + wait
        return wait


@dataclass
class Limits:
    """`factor` multiplies every rate (1 is Slack's); `enabled=False` lets everything pass."""

    clock: Clock
    enabled: bool = True
    factor: float = 1.0
    drop_floods: bool = False
    """Over a channel's rate, answer ok and lose the post, as Slack says it may, instead of 429."""
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def refuse(self, method: str, tier: int, channel: str) -> int | None:
        """Seconds to wait, or None: the call may pass. `tier` 0 is chat.postMessage's own rule."""
        if not self.enabled:
            return None
        if tier:
            per_minute = TIERS[tier]
            return self._take(method, per_minute / 60, BURSTS.get(tier, per_minute))
        wait = self._take(f"{method} {channel}", POSTS_PER_SECOND, POST_BURST)
        return wait or self._take(method, POSTS_PER_MINUTE / 60, POSTS_PER_MINUTE)

    def reset(self) -> None:
        """Forget what was used up."""
        self._buckets.clear()

    def _take(self, key: str, rate: float, size: float) -> int | None:
        now = self.clock.now()
        if key not in self._buckets:
            tokens = max(1.0, size * self.factor)
            self._buckets[key] = Bucket(rate * self.factor, tokens, tokens, now)
        return self._buckets[key].take(now)
