"""Hearing: since when everything that Slack says has been heard by somebody, and what was missed.

While any process has an ear open, the store's mark moves on. Whoever opens an ear again after all were shut finds the
mark behind, and notes a *gap* for each partition before the mark moves: what was said since then may have been missed.
A gap is kept until the threads of its partition have been read back; see `adapters.slack.backfill`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from adapters.slack.refs import NAME
from bridge.errors import KakehashiError
from bridge.ports import Store
from routing.ids import SessionId, partition_in

BEAT = 2.0
"""Seconds between two moves of the mark."""

SILENCE = 5_000
"""ms without an open ear, anywhere, after which something may have been missed. Slack repeats what it could not hand
over at once, so shorter ones are healed by Slack."""

MARGIN = 30_000
"""ms that are read again from before the mark: the mark is younger than what was last heard."""

FARTHEST = 7 * 24 * 3_600_000
"""ms. What is older is history: a thread without a word for a week is answered by no retry either."""

HEARD = f"{NAME}-heard/mark"
GAPS = f"{NAME}-gap"

_log = structlog.get_logger(__name__)


class Hearing:
    """`is_open`: whether this process has an ear open now. `alone`: no other process is on this store."""

    def __init__(
        self, store: Store, is_open: Callable[[], bool], alone: Callable[[], bool], beat: float = BEAT
    ) -> None:
        self._store = store
        self._is_open = is_open
        self._alone = alone
        self._beat = beat
        self._silence = int(SILENCE * beat / BEAT)
        self._deaf = True
        self._begun = False
        self.gaps: dict[int, int] = {}

    async def begin(self) -> None:
        """Look for a gap, before an ear is opened. Raises StoreUnavailableError."""
        mark = await self._store.get(HEARD)
        now = await self._store.now()
        # A process that is alone has certainly heard nothing between its end and its start.
        # A clock that was put back leaves the mark ahead; how long that was is not known, so as much again is read.
        silent = abs(now - int(mark)) if mark is not None else 0
        if mark is not None and (silent > self._silence or (self._alone() and not self._begun)):
            await self.note_gap(max(now - silent - MARGIN, now - FARTHEST))
        await self._read_gaps()
        self._deaf, self._begun = False, True

    async def note_gap(self, since: int) -> None:
        """Everything since then is to be read back. An older gap that is open stays as it is: it covers this one."""
        _log.warning("slack_not_heard", since=since)
        for partition in range(self._store.partitions):
            name = f"{GAPS}/{partition}"
            if not await self._store.swap(name, None, str(since)):
                known = await self._store.get(name)
                if known is not None and int(known) > since:
                    await self._store.swap(name, known, str(since))

    async def run(self) -> None:
        """Move the mark while this process hears, until cancelled."""
        while True:
            try:
                await self._tick()
            except KakehashiError as error:
                _log.warning("slack_hearing_not_kept", reason=error.what)
            await asyncio.sleep(self._beat)

    async def _tick(self) -> None:
        if not self._is_open():
            self._deaf = True
            return
        if self._deaf:
            await self.begin()
        await self._store.put(HEARD, str(await self._store.now()))
        await self._read_gaps()

    async def sure(self) -> None:
        """Called before an event is acted on: it may be the first that is heard after a silence."""
        if self._deaf:
            await self.begin()

    async def _read_gaps(self) -> None:
        self.gaps = {int(name.rpartition("/")[2]): int(at) for name, at in (await self._store.shelf(GAPS)).items()}

    def gap_of(self, session: SessionId) -> int | None:
        """Since when something of the session's may have been missed (ms); None: everything was heard."""
        return self.gaps.get(partition_in(session)) if self.gaps else None

    async def closed(self, partition: int, since: int) -> None:
        """All threads of the partition have been read back from there."""
        await self._store.swap(f"{GAPS}/{partition}", str(since), None)
        await self._read_gaps()
