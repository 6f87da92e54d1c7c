"""The small part of a store that keeps single values, in memory. test_console runs one contract on it and on Redis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from bridge.ports import Store


@dataclass
class Book:
    """Values, values that expire, and buckets; `clock` is ms and only moves when a test moves it."""

    clock: int = 1_000_000
    lasting: dict[str, str] = field(default_factory=dict)
    passing: dict[str, tuple[str, int]] = field(default_factory=dict)
    buckets: dict[str, tuple[float, int]] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """For what takes a store and uses no more of it."""
        return cast(Store, self)

    async def now(self) -> int:
        return self.clock

    async def put(self, name: str, value: str, ttl: int | None = None) -> None:
        if ttl is None:
            self.lasting[name] = value
        else:
            self.passing[name] = (value, self.clock + ttl)

    async def get(self, name: str) -> str | None:
        value, until = self.passing.get(name, ("", 0))
        return self.lasting.get(name, value if until > self.clock else None)

    async def take_once(self, name: str) -> str | None:
        value, until = self.passing.pop(name, ("", 0))
        return value if until > self.clock else None

    async def shelf(self, space: str) -> dict[str, str]:
        return {name: value for name, value in self.lasting.items() if name.startswith(f"{space}/")}

    async def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.lasting if name.startswith(prefix))

    async def forget(self, name: str) -> None:
        self.lasting.pop(name, None)
        self.passing.pop(name, None)

    async def draw(
        self,
        bucket: str,
        wanted: int,
        rate: float,
        burst: int,
        rank: int | None = None,
        most: tuple[int, int] | None = None,
    ) -> tuple[int, int]:
        tokens, at = self.buckets.get(bucket, (float(burst), self.clock))
        tokens = min(burst, tokens + (self.clock - at) * rate / 1000)
        given = max(0, min(wanted, int(tokens)))
        tokens -= given
        self.buckets[bucket] = (tokens, self.clock)
        return given, 0 if tokens >= 1 else int((1 - tokens) * 1000 / rate) + 1
