"""Events that hold something else than Discord's documentation says: each costs itself, and is read back.

What a person wrote stands in the thread all the same. So the threads are read back as after a gap (`backfill`), at most
once in a while: Discord may well send a whole kind of event in a form that we do not know yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

APART = 60.0
"""Seconds between two times that threads are read back for it."""

OF_WORDS = frozenset(("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK"))
"""Events whose outcome a thread shows."""


class Unread:
    """`lost` notes that something was not heard; `unit` scales the pause."""

    def __init__(self, lost: Callable[[], None], unit: float = 1.0) -> None:
        self._lost = lost
        self._apart = APART * unit
        self._until = float("-inf")
        self._later: asyncio.TimerHandle | None = None

    def hear(self, kind: str) -> None:
        """An event of this kind could not be read."""
        loop = asyncio.get_running_loop()
        if kind not in OF_WORDS or self._later is not None:
            return
        if loop.time() >= self._until:
            self._tell()
        else:
            self._later = loop.call_at(self._until, self._tell)

    def _tell(self) -> None:
        self._later, self._until = None, asyncio.get_running_loop().time() + self._apart
        self._lost()

    def stop(self) -> None:
        if self._later is not None:
            self._later.cancel()
