"""Token buckets: how often somebody may do something. Time is an argument, in seconds of any steady clock."""

from __future__ import annotations

from collections import OrderedDict


class Bucket:
    """Holds up to `burst` tokens and refills at `rate` a second. The owner passes both, so an idle one is small."""

    __slots__ = ("_at", "_level")

    def __init__(self) -> None:
        self._level = -1.0  # full, whatever full is
        self._at = 0.0

    def draw(self, now: float, rate: float, burst: float) -> float:
        """0.0 when a token was drawn, else seconds until there is one."""
        level = burst if self._level < 0 else min(burst, self._level + (now - self._at) * rate)
        if level >= 1.0:
            self._level, self._at = level - 1.0, now
            return 0.0
        self._level, self._at = level, now
        return (1.0 - level) / rate


class Addresses:
    """New and open connections per address. Remembers the last ones only, so a scan cannot fill the memory."""

    def __init__(self, most: int, remembered: int = 10_000) -> None:
        """`most` connections of one address at once, and as many new ones a minute."""
        self._most = most
        self._remembered = remembered
        self._open: dict[str, int] = {}
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def enter(self, address: str, now: float) -> float:
        """0.0 and the connection counts until `leave`; else seconds after which it may be tried again."""
        if self._open.get(address, 0) >= self._most:
            return 10.0
        bucket = self._buckets.setdefault(address, Bucket())
        self._buckets.move_to_end(address)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        wait = bucket.draw(now, self._most / 60, self._most)
        if not wait:
            self._open[address] = self._open.get(address, 0) + 1
        return wait

    def leave(self, address: str) -> None:
        left = self._open.get(address, 0) - 1
        if left > 0:
            self._open[address] = left
        else:
            self._open.pop(address, None)
