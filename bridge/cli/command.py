"""One command: how it reaches the engine, how it answers, and with which exit status."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

from bridge.doctor import Finding, worst
from bridge.inspection import Engine
from bridge.terminal import Terminal


class Status(IntEnum):
    """Exit statuses. 2 is argparse's, for a command that cannot be understood."""

    DONE = 0
    FAILED = 1  # it could not be done, or `check` or `doctor` found something that must be mended
    USAGE = 2
    SETTINGS = 3  # a setting is wrong; nothing was started
    UNAVAILABLE = 4  # the store does not answer; the same command may be tried again
    UNFINISHED = 5  # an erasure is ordered and not yet done everywhere; the same command continues it
    INTERRUPTED = 130


STATUSES = {
    Status.DONE: "done",
    Status.FAILED: "it could not be done, or something must be mended",
    Status.USAGE: "the command cannot be understood",
    Status.SETTINGS: "a setting is wrong; nothing was started",
    Status.UNAVAILABLE: "the store does not answer; try again",
    Status.UNFINISHED: "an erasure is not yet done everywhere; the same command continues it",
    Status.INTERRUPTED: "interrupted",
}


class Wiring(Protocol):
    """What `bridge.main` gives. `config` is the path of a settings file, or None for the usual place."""

    def run(self, config: Path | None) -> int:
        """The service, until it is told to stop; its exit status."""
        ...

    def inspect(self, config: Path | None) -> AbstractAsyncContextManager[Engine]:
        """The engine for one command: connected, starting no lanes and no listeners."""
        ...

    def check(self, config: Path | None, *, machine: bool) -> Sequence[Finding]:
        """What there is to say of the settings and the policy; with `machine`, of this machine too. Opens nothing."""
        ...

    def route(self, config: Path | None, *, language: str, topic: str, at: str | None) -> Mapping[str, Any]:
        """Where a session would go, and why, by the policy as it is written. Opens nothing."""
        ...

    def slack_manifest(self, config: Path | None) -> str: ...
    async def discord_invite(self, config: Path | None, application: str) -> str:
        """The address that invites the bot; asks Discord whose it is where `application` is empty. Opens no store."""
        ...

    def rotate_secret(self, config: Path | None, name: str) -> None: ...
    async def call_pager(self, config: Path | None, name: str, *, end: bool) -> bool:
        """Call a pager for a test, or end that page. True when it is one that can be ended. Opens no store."""
        ...


class Command:
    """One command on its way: what was asked, how to reach the engine, where to answer."""

    def __init__(self, chosen: argparse.Namespace, wiring: Wiring, terminal: Terminal) -> None:
        self.chosen = chosen
        self.wiring = wiring
        self.terminal = terminal
        self.config: Path | None = chosen.config

    def with_engine(self, work: Callable[[Engine], Awaitable[Status]]) -> Status:
        async def connected() -> Status:
            async with self.wiring.inspect(self.config) as engine:
                return await work(engine)

        return asyncio.run(connected())

    def table(self, rows: Sequence[dict[str, Any]], columns: Sequence[str], empty: str) -> None:
        """Rows for people, or all that is known for programs."""
        if self.chosen.json:
            self.terminal.json(rows)
        elif not rows:
            self.terminal.line(empty)
        else:
            self.terminal.table(columns, [[cell(row[column]) for column in columns] for row in rows])

    def report(self, findings: Sequence[Finding]) -> Status:
        if self.chosen.json:
            self.terminal.json([{"level": one.level, "what": one.what, "mend": one.mend} for one in findings])
        else:
            self.terminal.findings(findings)
        return Status.FAILED if worst(findings) == "fail" else Status.DONE


def cell(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {one}" for key, one in value.items()) or "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
