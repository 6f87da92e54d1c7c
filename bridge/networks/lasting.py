"""Work that is to go on until it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

BEGUN_AGAIN = 5.0
"""Seconds until what broke begins again."""

_log = structlog.get_logger(__name__)


async def lasting(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """It begins again when something that nobody foresaw has ended it."""
    while True:
        try:
            return await work()
        except Exception:
            _log.exception("lasting_work_broke", work=work.__qualname__)
        await asyncio.sleep(BEGUN_AGAIN)
