"""Patience: what may take its time waits where a limit is used up, and asks again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bridge.errors import DeliveryError, Fault

TRIES = 8

LONGEST = 5.0
"""Seconds between two tries."""

T = TypeVar("T")


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Raises DeliveryError for whatever is no limit, and for a limit that does not end."""
    for _ in range(TRIES):
        try:
            return await call()
        except DeliveryError as error:
            if error.fault is not Fault.TRANSIENT or error.retry_after is None or error.retry_after > LONGEST:
                raise
            await asyncio.sleep(error.retry_after)
    return await call()
