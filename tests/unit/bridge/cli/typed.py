"""A command as it is typed, against an engine on paper, and what was answered."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bridge import directory
from bridge.cli import parser, perform
from bridge.directory import Operator
from bridge.doctor import Finding
from bridge.errors import KakehashiError
from bridge.inspection import Engine
from bridge.terminal import Terminal
from routing.ids import DeskId, NetworkName, OperatorId
from routing.policy import OperatorProfile
from tests.unit.bridge.book import Book


class Directory(directory.Directory):
    """The real one, on paper."""

    def __init__(self) -> None:
        super().__init__(Book().store)

    @property
    def kept(self) -> list[Operator]:
        return list(self._operators.values())


class NothingKept:
    """As much of a store as `doctor` asks."""

    async def destinations(self) -> list[NetworkName]:
        return []

    async def stuck_lanes(self, to: NetworkName) -> list[Any]:
        return []

    async def shelf(self, space: str) -> Mapping[str, str]:
        return {}

    async def desks(self) -> list[DeskId]:
        return []


@dataclass
class FakeEngine:
    networks: Mapping[NetworkName, Any] = field(default_factory=dict)
    directory: Directory = field(default_factory=Directory)
    checks: Sequence[Finding] = (Finding("ok", "Redis 7.0.15"),)
    store: Any = field(default_factory=NothingKept)

    def policy(self) -> Any:
        mei = OperatorProfile(OperatorId("mei"), {"ja": "美衣", "en": "Mei"}, (DeskId("ja"),), 7, {}, None, True)
        return SimpleNamespace(desks={DeskId("ja"): None, DeskId("en"): None}, operators={mei.id: mei})

    async def hash_password(self, password: str, account: str) -> str:
        if len(password) < 8:
            raise KakehashiError("a password has 8 to 256 characters", mend="take several words")
        return f"hash of {len(password)} for {account}"


@dataclass
class FakeWiring:
    engine: FakeEngine = field(default_factory=FakeEngine)
    found: list[Finding] = field(default_factory=lambda: [Finding("ok", "settings: defaults")])
    trouble: BaseException | None = None
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def run(self, config: Path | None) -> int:
        self.asked.append(("run", config))
        if self.trouble is not None:
            raise self.trouble
        return 0

    @asynccontextmanager
    async def inspect(self, config: Path | None) -> AsyncIterator[Engine]:
        self.asked.append(("inspect", config))
        if self.trouble is not None:
            raise self.trouble
        yield cast(Engine, self.engine)

    def check(self, config: Path | None, *, machine: bool) -> list[Finding]:
        self.asked.append(("check", machine))
        return self.found

    def route(self, config: Path | None, *, language: str, topic: str, at: str | None) -> dict[str, Any]:
        self.asked.append(("route", (language, topic, at)))
        return {}

    def slack_manifest(self, config: Path | None) -> str:
        return "display_information: {}\n\n"

    async def discord_invite(self, config: Path | None, application: str) -> str:
        return f"https://discord.com/oauth2/authorize?client_id={application or 'asked'}"

    def rotate_secret(self, config: Path | None, name: str) -> None:
        self.asked.append(("rotate", name))

    async def call_pager(self, config: Path | None, name: str, *, end: bool) -> bool:
        self.asked.append(("page", (name, end)))
        if name == "unknown":
            raise KakehashiError("there is no pager unknown", where="pagers", mend="configured: night")
        return name == "night"


@dataclass
class Answer:
    status: int
    out: str
    err: str


def kakehashi(command: str, wiring: FakeWiring | None = None) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    chosen = parser().parse_args(command.split())
    status = perform(chosen, wiring or FakeWiring(), Terminal(out, err))
    return Answer(status, out.getvalue(), err.getvalue())
