"""What was said in the threads while nobody heard is read back, from each thread's mark on.

The gateway tells of every active thread when it is opened, with the id of its last message. Where that is behind the
mark, the thread's history is read and taken as if it had been heard; what was taken before is known by its key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from adapters.discord.history import History
from adapters.discord.parse import App, InThread, Said, ThreadSeen, message
from adapters.discord.refs import NAME, Root
from adapters.discord.threads import Threads
from bridge.ports import Placed, Store

KEPT = 90 * 24 * 3600 * 1000
"""ms for which a mark is kept: longer than Discord keeps an idle thread active."""

Recover = Callable[[InThread, Placed], Awaitable[None]]

_log = structlog.get_logger(__name__)


class Backfill:
    def __init__(self, store: Store, threads: Threads, history: History) -> None:
        self._store = store
        self._threads = threads
        self._history = history

    async def mark(self, said: Said) -> None:
        """It was taken: what is older need not be read back. Within a thread inputs are taken in order."""
        if int(said.id) > int(await self._mark(said.root)):
            await self._store.put(_name(said.root), said.id, KEPT)

    async def seen(self, thread: ThreadSeen, app: App, recover: Recover) -> None:
        """An active thread, as it is now. Raises KakehashiError to have it tried again."""
        placed = await self._threads.placed(thread.root) if thread.last else None
        mark = await self._mark(thread.root)
        if placed is None or int(thread.last) <= int(mark):
            return
        found = await self._history.after(thread.root.thread, mark) or ()
        said = [one for told in found if isinstance(one := message(told, thread.root.guild, app), Said)]
        for one in said:
            await recover(one, placed)
        await self._store.put(_name(thread.root), thread.last, KEPT)
        _log.info("discord_thread_read_back", session=placed.session, messages=len(said))

    async def _mark(self, root: Root) -> str:
        return await self._store.get(_name(root)) or root.thread


def _name(root: Root) -> str:
    return f"{NAME}/mark/{root.thread}"
