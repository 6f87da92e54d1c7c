"""The pager port: what rings outside of where operators work, and what a page may say.

A page is read on a lock screen, at night, late: one line that decides, absolute times, no customer's words and no name.
Its link leads to the desk's page, where acknowledging is a button after sign-in. A link that is merely fetched, as mail
and chat scanners do, changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from bridge.errors import DeliveryError, Fault

Severity = Literal["critical", "error", "warning", "info"]

CALL_WITHIN = 10.0
"""Seconds for one call to a pager, connecting included."""


@dataclass(frozen=True, slots=True)
class PageCall:
    """One page. `key` names it for ever: the same key again is the same page, with newer words.

    `line` decides whether somebody gets up; `link` is where they look; `at` is since when (ms since 1970, UTC).
    `details` are ids and figures for whoever looks closer.
    """

    key: str
    line: str
    link: str = ""
    severity: Severity = "error"
    at: int = 0
    details: Mapping[str, str] = field(default_factory=dict)


class Pager(Protocol):
    """A pager target: one name in the policy's ladders.

    Every call is bounded by `CALL_WITHIN`, from outside too, and is made again with the same `key` when its answer was
    lost. A target that cannot recognise the key is called twice then: better twice than not at all.
    """

    name: str
    language: str
    """The language tag in which whoever is called reads."""

    async def page(self, call: PageCall) -> None:
        """Returns once the target has accepted it. Raises `DeliveryError`."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class KeepsPages(Protocol):
    """A pager with books of its own, in which a page can be acknowledged and resolved. One without is told, one way."""

    async def acknowledge(self, key: str) -> None:
        """Somebody has it. Of a key that is not open this does nothing. Raises `DeliveryError`."""
        ...

    async def resolve(self, key: str) -> None:
        """It is over. Of a key that is not open this does nothing. Raises `DeliveryError`."""
        ...


async def in_time(call: Awaitable[None]) -> None:
    """Await a call to a pager. Raises DeliveryError, whatever went wrong: the outcome of what broke is unknown."""
    try:
        async with asyncio.timeout(CALL_WITHIN):
            await call
    except DeliveryError:
        raise
    except TimeoutError as error:
        raise DeliveryError(Fault.AMBIGUOUS, "deadline") from error
    except Exception as error:
        raise DeliveryError(Fault.AMBIGUOUS, type(error).__name__) from error
