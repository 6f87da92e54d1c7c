"""Input that was acknowledged before it could be carried out: from a thread not known yet, or with files to fetch.

It is in the store before the network is told that we have it, or forgets it. One worker per thread carries it out, in
order; what comes from the same thread meanwhile waits behind it. After a crash whoever starts next goes on from the
store.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from bridge.errors import DeliveryError, KakehashiError
from bridge.ports import Store, Unplaced
from routing.ids import InputKey, NetworkName, ThreadRef

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds between tries; the last one repeats."""

ADOPT_AFTER = 60_000
"""ms after which another process's input counts as left behind. Doing it twice would do no harm, only work."""

LOOK_EVERY = 20.0
"""Seconds between looks for such input."""

BROKEN_AT_MOST = 5
"""Tries in a row that may end in what nobody foresaw, until what waits behind goes first."""

GIVE_UP_AFTER = 24 * 3600 * 1000
"""ms. Slack's own retries ("Delayed Events") last as long, and no other network's do longer."""

Work = Callable[[Unplaced], Awaitable[None]]

_log = structlog.get_logger(__name__)


class Deferred:
    """Of one network. `work` carries one input out, and raises KakehashiError when it should be tried again."""

    def __init__(self, store: Store, network: NetworkName, work: Work) -> None:
        self._store = store
        self._network = network
        self._work = work
        self._queues: dict[ThreadRef, deque[Unplaced]] = {}
        self._keys: set[InputKey] = set()
        self._workers: dict[ThreadRef, asyncio.Task[None]] = {}

    def holds(self, thread: ThreadRef) -> bool:
        """Whether earlier input from this thread is still waiting here."""
        return thread in self._queues

    async def keep(self, unplaced: Unplaced) -> None:
        """Durable when it returns. Raises StoreUnavailableError; TypeError for what nothing can store."""
        await self._store.keep_unplaced(self._network, unplaced)
        self._enqueue(unplaced)

    async def run(self) -> None:
        """Take up what was left behind, now and from time to time, until cancelled."""
        await self._adopt(0)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self._adopt(ADOPT_AFTER)

    async def _adopt(self, age: int) -> None:
        try:
            now = await self._store.now()
            for unplaced in sorted(await self._store.unplaced(self._network), key=lambda one: (one.at, one.key)):
                if unplaced.at <= now - age:
                    self._enqueue(unplaced)
        except KakehashiError as error:
            _log.warning("unplaced_not_read", network=self._network, reason=error.what)

    async def stop(self) -> None:
        """What waits stays in the store."""
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _enqueue(self, unplaced: Unplaced) -> None:
        if unplaced.key in self._keys:
            return
        self._keys.add(unplaced.key)
        self._queues.setdefault(unplaced.thread, deque()).append(unplaced)
        if unplaced.thread not in self._workers:
            self._workers[unplaced.thread] = asyncio.get_running_loop().create_task(self._empty(unplaced.thread))

    async def _empty(self, thread: ThreadRef) -> None:
        queue = self._queues[thread]
        try:
            while queue:
                await self._until_done(queue[0])
                self._keys.discard(queue.popleft().key)
        finally:
            self._keys.difference_update(one.key for one in queue)
            del self._queues[thread]
            del self._workers[thread]

    async def _until_done(self, unplaced: Unplaced) -> None:
        """Done, or given up. What breaks again and again stays in the store, to be taken up once more behind the rest:
        no words wait for a day because of others."""
        broken = 0
        for tries in itertools.count():
            pause = PAUSES[min(tries, len(PAUSES) - 1)]
            try:
                await self._work(unplaced)
                return await self._store.drop_unplaced(self._network, unplaced)
            except DeliveryError as error:
                pause = error.retry_after or pause
                _log.warning("input_put_off", network=self._network, input=unplaced.key, reason=error.code)
            except KakehashiError as error:
                _log.warning("input_put_off", network=self._network, input=unplaced.key, reason=error.what)
            except Exception:
                _log.exception("input_broke", network=self._network, input=unplaced.key)
                broken += 1
            if await self._is_too_old(unplaced):
                return await self._give_up(unplaced)
            if broken >= BROKEN_AT_MOST:
                return None
            await asyncio.sleep(pause)
        return None

    async def _is_too_old(self, unplaced: Unplaced) -> bool:
        try:
            return unplaced.at < await self._store.now() - GIVE_UP_AFTER
        except KakehashiError:
            return False

    async def _give_up(self, unplaced: Unplaced) -> None:
        _log.error("input_given_up", network=self._network, input=unplaced.key, thread=unplaced.thread)
        await self._store.drop_unplaced(self._network, unplaced)
