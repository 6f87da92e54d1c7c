"""The running service: in which order things start, what watches over them, and how they stop.

Start: store (by the caller) → leases → lanes, timers, views, hints → networks → listeners. A listener opens last, so
that nobody is let in before their messages can be kept. Drain is the reverse: stop accepting, let what is under way
finish, release the leases.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import web

from bridge.errors import KakehashiError
from bridge.feed import Feed
from bridge.lanes import Lanes
from bridge.leases import Leases
from bridge.ports import Network, Store
from bridge.relay import Relay
from bridge.timers import Timers
from bridge.views import Views
from routing.ids import NetworkName

DRAIN_WITHIN = 25.0
"""Seconds. Under the thirty that init systems and container runtimes give before they kill."""

RESTART_AFTER = 1.0
"""Seconds until a background task that broke is started again."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Listener:
    """An application and where it listens. `port` 0 takes a free one; see `url` once it is open."""

    name: str
    app: web.Application
    host: str
    port: int
    url: str = ""
    setting: str = ""
    """Where people choose its port."""


@dataclass(slots=True)
class Service:
    """One process of Kakehashi. Several may run on one store."""

    store: Store
    relay: Relay
    feed: Feed
    leases: Leases
    lanes: Lanes
    timers: Timers
    views: Views
    networks: Mapping[NetworkName, Network]
    listeners: Sequence[Listener] = ()
    background: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = ()
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _runners: list[web.AppRunner] = field(default_factory=list)

    async def start(self) -> None:
        """Everything up. Raises KakehashiError when something cannot; then nothing of it is left running."""
        try:
            await self.leases.renew()
            self._supervise("leases", self.leases.run)
            self._supervise("lanes", self.lanes.run)
            self._supervise("timers", self.timers.run)
            self._supervise("views", self.views.run)
            self._supervise("hints", self._hear)
            for name, work in self.background:
                self._supervise(name, work)
            for network in self.networks.values():
                await network.start()
            for listener in self.listeners:
                await self._open(listener)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Drain: accept nothing new, finish what is under way, give the leases back."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_WITHIN):
                await self._wind_down()
        await end(self._tasks)
        with suppress(KakehashiError):
            await self.leases.release_all()

    async def _wind_down(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        await self.lanes.drain()
        for network in self.networks.values():
            await network.stop()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Service]:
        """Up inside the block, drained after it."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    def troubles(self) -> dict[str, str]:
        """Why the service is not ready, by network; empty when it is."""
        return {name: why for name, network in self.networks.items() if (why := network.ready()) is not None}

    async def _open(self, listener: Listener) -> None:
        runner = web.AppRunner(listener.app, access_log=None, shutdown_timeout=5.0)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, listener.host, listener.port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            raise KakehashiError(
                f"cannot listen on {listener.host}:{listener.port} ({error.strerror})",
                where=listener.setting or f"listener {listener.name}",
                mend="is another process there? choose another port",
            ) from error
        port = runner.addresses[0][1]
        listener.url = f"http://{listener.host}:{port}"

    # ------------------------------------------------------------------ background work

    def _supervise(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(self._again(name, work), name=name))

    async def _again(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """A bug in one round must not stop the lanes for ever: it is logged, and the work goes on."""
        while True:
            try:
                await work()
            except Exception:
                log.exception("background_work_broke", work=name)
            await asyncio.sleep(RESTART_AFTER)

    async def _hear(self) -> None:
        """Listen to the other processes' hints, while there are any. Alone, our own commits tell us everything."""
        await self.leases.others.wait()
        self.feed.others = True
        work = [asyncio.ensure_future(self._listen()), asyncio.ensure_future(self.leases.alone.wait())]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.feed.others = False
            for one in work:
                one.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _listen(self) -> None:
        async for hint in self.store.hints():
            if hint is None:  # it has just begun, or begun anew: whatever was said before was not heard
                self.relay.forget()
                self.feed.all_behind()
                continue
            if hint.signal is None:
                self.relay.outdated(hint.session, hint.head)
                self.lanes.wake(hint.session, hint.lanes)
            self.feed.hint(hint)


CANCELLED_AGAIN = 1.0
"""Seconds that a task has to end before it is told once more."""

TOLD_AT_MOST = 5


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel, and return when they have ended; what does not is named in the log, and left.

    Once is not always enough: libraries write under `asyncio.wait_for`, which in Python 3.11 swallows a cancellation
    that comes in the tick in which the write is done. A process that is told to stop must stop all the same.
    """
    left = set(tasks)
    for _ in range(TOLD_AT_MOST):
        for task in left:
            task.cancel()
        if left:
            ended, left = await asyncio.wait(left, timeout=CANCELLED_AGAIN)
            await asyncio.gather(*ended, return_exceptions=True)
    if left:
        log.error("work_does_not_end", work=sorted(task.get_name() for task in left))
