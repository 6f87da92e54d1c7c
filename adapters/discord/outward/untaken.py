"""Files that Discord did not take: written down, since whoever words their message anew has to say so again.

Neither the message nor its posts show afterwards which of its files were refused, or why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from adapters.discord.outward.parts import KEPT
from adapters.discord.refs import NAME
from bridge.messages import FilePart
from bridge.ports import Delivery, Store
from routing.ids import MessageId


class Untaken:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, delivery: Delivery, message: MessageId, files: Iterable[FilePart], *, too_large: bool) -> None:
        """Before it is said in the thread. Raises StoreUnavailableError."""
        known = await self._read(delivery, message) | {file.file: too_large for file in files}
        await self._store.put(_name(delivery, message), json.dumps(known), KEPT)

    async def of(self, delivery: Delivery, message: MessageId) -> tuple[Sequence[FilePart], Sequence[FilePart]]:
        """Of the files that the message still has: those that were too large, and those that were refused otherwise."""
        files = delivery.body.files if delivery.body is not None else ()
        known = await self._read(delivery, message) if files else {}
        there = [file for file in files if file.file in known]
        return [one for one in there if known[one.file]], [one for one in there if not known[one.file]]

    async def _read(self, delivery: Delivery, message: MessageId) -> dict[str, bool]:
        kept = await self._store.get(_name(delivery, message))
        return dict(json.loads(kept)) if kept else {}


def _name(delivery: Delivery, message: MessageId) -> str:
    return f"{NAME}/untaken/{delivery.session.id}/{delivery.effect.mirror}/{message}"
