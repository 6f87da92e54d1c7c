"""Hearing: since when everything that a network says has been heard by somebody, and what was missed.

While any process has an ear open, the store's mark moves on. Whoever opens an ear again after all were shut finds the
mark behind, and notes a *gap* for each partition before the mark moves: what was said since then may have been missed.
A gap is kept until the threads of its partition have been read back; see the adapters' `backfill`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bridge.errors import KakehashiError
from bridge.ports import Store
from routing.ids import NetworkName, SessionId, partition_in

BEAT = 2.0
"""Seconds between two moves of the mark."""

SILENCE = 5_000
"""ms without an open ear, anywhere, after which something may have been missed, where the network repeats what it could
not hand over at once: shorter ones it heals itself."""

MARGIN = 30_000
"""ms that are read again from before the mark: the mark is younger than what was last heard."""

FARTHEST = 7 * 24 * 3_600_000
"""ms. What is older is history: a thread without a word for a week is answered by no retry either."""


def heard(network: NetworkName) -> str:
    """Under which name the mark is kept."""
    return f"{network}-heard/mark"


_log = structlog.get_logger(__name__)


class Hearing:
    """`is_open`: whether this process has an ear open now. `alone`: no other process is on this store; one that is has
    certainly heard nothing between its end and its start. `behind`: ms for which something that was heard has waited
    to be taken. `repeats`: the network says again what nobody could take for a moment; `resumes`: what is said while
    the ear is shut comes when it is opened, unless the network says that it does not (`lost`)."""

    def __init__(
        self,
        store: Store,
        network: NetworkName,
        is_open: Callable[[], bool],
        alone: Callable[[], bool],
        beat: float = BEAT,
        *,
        behind: Callable[[], int] = lambda: 0,
        repeats: bool = True,
        resumes: bool = False,
    ) -> None:
        self._store = store
        self._network = network
        self._is_open = is_open
        self._alone = alone
        self._beat = beat
        self._behind = behind
        self._silence = int(SILENCE * beat / BEAT) if repeats else -1
        self._repeats = repeats
        self._resumes = resumes
        self._beginning = asyncio.Lock()
        self._deaf = True
        self._times_lost = 0
        self._begun = False
        self.gaps: dict[int, int] = {}

    def lost(self) -> None:
        """The network will not say again what was said since the mark."""
        self._deaf = True
        self._times_lost += 1

    async def begin(self) -> None:
        """Look for a gap, before an ear is opened, or what it hears is acted on. Raises StoreUnavailableError."""
        times, mark = self._times_lost, await self._store.get(heard(self._network))
        now = await self._store.now()
        # A clock that was put back leaves the mark ahead; how long that was is not known, so as much again is read.
        silent = abs(now - int(mark)) if mark is not None else 0
        if mark is not None and (silent > self._silence or (self._alone() and not self._begun)):
            await self._note_up_to(now, max(now - silent - MARGIN, now - FARTHEST))
        elif mark is None and not self._repeats:
            await self._note_up_to(now, now - FARTHEST)  # threads may be older than the first ear
        await self._read_gaps()
        self._deaf, self._begun = self._times_lost != times, True

    async def _note_up_to(self, now: int, since: int) -> None:
        """The mark moves with the gap: what is missed before the next beat is another one, and not one of the same
        beginning, which would count as read back already."""
        await self.note_gap(since)
        await self._store.put(heard(self._network), str(now))

    @property
    def _gaps(self) -> str:
        return f"{self._network}-gap"

    async def note_gap(self, since: int) -> None:
        """Everything since then is to be read back. An older gap that is open covers this one; where nothing is said
        twice it is another gap from now on: what has been read back in it is to be read again."""
        _log.warning("not_heard", network=self._network, since=since)
        for partition in range(self._store.partitions):
            name = f"{self._gaps}/{partition}"
            if not await self._store.swap(name, None, str(since)):
                known = await self._store.get(name)
                if known is not None and (int(known) > since or not self._repeats):
                    await self._store.swap(name, known, str(min(since, int(known) - (not self._repeats))))

    @property
    def is_complete(self) -> bool:
        """Nothing was missed, as far as this process knows."""
        return not self._deaf and not self.gaps

    async def run(self) -> None:
        """Move the mark while this process hears, until cancelled."""
        while True:
            try:
                await self._tick()
            except KakehashiError as error:
                _log.warning("hearing_not_kept", network=self._network, reason=error.what)
            await asyncio.sleep(self._beat)

    async def _tick(self) -> None:
        if not self._is_open():
            self._deaf = self._deaf or not self._resumes
            return
        await self.sure()
        await self._store.put(heard(self._network), str(await self._store.now() - self._behind()))
        await self._read_gaps()

    async def sure(self) -> None:
        """Called before an event is acted on: it may be the first that is heard after a silence."""
        async with self._beginning:
            if self._deaf:
                await self.begin()

    async def _read_gaps(self) -> None:
        kept = await self._store.shelf(self._gaps)
        self.gaps = {int(name.rpartition("/")[2]): int(at) for name, at in kept.items()}

    def gap_of(self, session: SessionId) -> int | None:
        """Since when something of the session's may have been missed (ms); None: everything was heard."""
        return self.gaps.get(partition_in(session)) if self.gaps else None

    async def closed(self, partition: int, since: int) -> None:
        """All threads of the partition have been read back from there."""
        await self._store.swap(f"{self._gaps}/{partition}", str(since), None)
        await self._read_gaps()
