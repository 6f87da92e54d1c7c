"""The stage of a scenario: an installation, its customers, and an operator at a desk of one of the networks."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.redis_servers import private_redis
from tests.scenarios.console_desk import ConsoleDesk, console_desk
from tests.scenarios.customer import Customer
from tests.scenarios.desks import QUICK, Desk
from tests.scenarios.operator import Operator
from tests.service import Installation, free_port

UNHURRIED = {"WEB__LIMITS__MESSAGES_PER_MINUTE": 1_000_000, "WEB__LIMITS__FRAMES_PER_SECOND": 10_000}
"""Nobody types as fast as these customers do."""

ONE_DESK = {"support": ""}


@dataclass
class Stage:
    house: Installation
    http: aiohttp.ClientSession
    desk: Desk
    addresses: Sequence[str]
    _customers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def operator(self) -> Operator:
        """At the built-in desk, for what only its page can do."""
        assert isinstance(self.desk, ConsoleDesk)
        return self.desk.client

    def customer(self, name: str = "customer", **options: Any) -> Customer:
        """Somebody who has not opened the page yet."""
        first = next(self._customers) % len(self.addresses)  # they are spread over the processes
        return Customer(self.http, [*self.addresses[first:], *self.addresses[:first]], name, **options)

    @asynccontextmanager
    async def visit(
        self, name: str, words: str = "hello", *, locale: str = "en", **fields: Any
    ) -> AsyncIterator[Customer]:
        """A customer's page that is open, and whose first words are stored."""
        async with self.customer(name, locale=locale).online() as one:
            await one.write(words, **fields)
            await one.is_heard()
            yield one

    def logs(self) -> str:
        return "".join(process.errors() for process in self.house.processes)


@asynccontextmanager
async def stage(
    folder: Path,
    desk: Desk | None = None,
    *,
    desks: Mapping[str, str] = ONE_DESK,
    rest: str = "",
    processes: int = 1,
    **settings: str | int,
) -> AsyncIterator[Stage]:
    """The service, and Kenji at his desk: the built-in one of an installation without a policy, if no other is given.
    `desks`: what the policy says of each; `rest`: what else it says. Several processes share a Redis of their own."""
    async with AsyncExitStack() as stack:
        if desk is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "kakehashi.toml").write_text(written(desk, desks, rest), encoding="utf-8")
            settings = {**QUICK, **desk.settings(), **settings}
        if processes > 1:
            settings["REDIS__URL"] = await stack.enter_async_context(private_redis(folder / "redis", durable=True))
        house = await stack.enter_async_context(Installation(folder, {**UNHURRIED, **settings}))
        ports = [house.port, *(free_port() for _ in range(processes - 1))]
        up = [await house.up(WEB__PORT=port) for port in ports]
        http = await stack.enter_async_context(aiohttp.ClientSession())
        manned: Desk = await stack.enter_async_context(console_desk()) if desk is None else desk
        await manned.opens(up)
        yield Stage(house, http, manned, [one.url for one in up])


def written(desk: Desk, desks: Mapping[str, str], rest: str = "") -> str:
    """A policy's file."""
    tables = [f"[desks.{name}]\n{desk.place(name)}\n{rules}\n" for name, rules in desks.items()]
    return "\n".join([*tables, desk.people(), rest])
