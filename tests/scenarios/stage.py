"""The stage of a scenario: an installation, its customers, and an operator at its desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.scenarios.customer import Customer
from tests.scenarios.operator import Operator
from tests.service import Installation

UNHURRIED = {"WEB__LIMITS__MESSAGES_PER_MINUTE": 1_000_000, "WEB__LIMITS__FRAMES_PER_SECOND": 10_000}
"""Nobody types as fast as these customers do."""


@dataclass
class Stage:
    house: Installation
    http: aiohttp.ClientSession
    operator: Operator

    @property
    def addresses(self) -> Sequence[str]:
        return self.operator.addresses

    def customer(self, name: str = "customer", **options: Any) -> Customer:
        """Somebody who has not opened the page yet."""
        return Customer(self.http, self.addresses, name, **options)


@asynccontextmanager
async def stage(folder: Path, **settings: str | int) -> AsyncIterator[Stage]:
    """One process of the service, and an operator who has signed in."""
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(Installation(folder, {**UNHURRIED, **settings}))
        up = await house.up()
        http = await stack.enter_async_context(aiohttp.ClientSession())
        desk = await stack.enter_async_context(browser_like())
        operator = Operator(desk, [house.url])
        await operator.sign_in(up.sign_in_link)
        yield Stage(house, http, operator)


def browser_like() -> aiohttp.ClientSession:
    """A client that keeps the cookies of an IP address, too."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
