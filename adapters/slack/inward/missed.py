"""What whoever acts on events asks of whoever reads threads back: what was missed comes before what is heard now."""

from __future__ import annotations

from typing import Protocol

from adapters.slack.refs import Root
from bridge.ports import Placed
from routing.ids import SessionId


class Missed(Protocol):
    """What may have been missed in a thread comes before what is heard in it now; see `backfill`."""

    async def owes(self, root: Root, session: SessionId) -> bool: ...
    async def catch_up(self, root: Root, placed: Placed) -> None: ...


class NothingMissed:
    """Until somebody knows better."""

    async def owes(self, root: Root, session: SessionId) -> bool:
        del root, session
        return False

    async def catch_up(self, root: Root, placed: Placed) -> None:
        """There is nothing to read back."""
