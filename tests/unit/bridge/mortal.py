"""A process that can be killed between any two calls, on a store that survives it. Time is a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.ids import SessionId
from routing.session import Session


class Killed(BaseException):
    """The process is gone: nothing of it goes on."""


@dataclass
class Lives:
    left: int = 10**9

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


@dataclass
class Memory:
    """As much of a store as pages need. What it answers the real one does: see tests/contract."""

    clock: int = 1_000_000_000
    kept: dict[str, str] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)

    async def now(self) -> int:
        return self.clock

    async def shelf(self, space: str) -> Mapping[str, str]:
        return {name: one for name, one in self.kept.items() if name.startswith(f"{space}/")}

    async def get(self, name: str) -> str | None:
        return self.kept.get(name)

    async def put(self, name: str, value: str) -> None:
        self.kept[name] = value

    async def swap(self, name: str, before: str | None, after: str | None) -> bool:
        now = self.kept.get(name)
        if now != before:
            return now == after
        self.kept.pop(name, None)
        if after is not None:
            self.kept[name] = after
        return True

    async def forget(self, name: str) -> None:
        self.kept.pop(name, None)

    async def load(self, session: SessionId) -> Any:
        found = self.sessions.get(session)
        return None if found is None else type("Stored", (), {"session": found})()


class Mortal:
    """Anything, until its `lives` have run out: then the process that called it is killed, before or after the call."""

    def __init__(self, inner: object, lives: Lives) -> None:
        self._inner, self._lives = inner, lives

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        async def call(*args: Any, **named: Any) -> Any:
            self._lives.spend()
            answer = await found(*args, **named)
            self._lives.spend()
            return answer

        return call
