"""Shows operators on their networks that the customer is writing. A signal: best effort, and never recorded.

Of several processes the one that works the session's lanes shows it, so that nobody's limits are used twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from bridge.errors import KakehashiError
from bridge.feed import Feed, Signal
from bridge.leases import Leases
from bridge.ports import Store, SupportsTyping
from bridge.relay import Relay
from routing.ids import NetworkName, SessionId, partition_in

AT_ONCE = 32
"""Signals under way in one process. What is beyond is left out: another follows within seconds."""

_log = structlog.get_logger(__name__)


class Writing:
    """A `bridge.feed.Watcher`."""

    def __init__(
        self, store: Store, relay: Relay, feed: Feed, leases: Leases, networks: Mapping[NetworkName, object]
    ) -> None:
        self._store = store
        self._relay = relay
        self._feed = feed
        self._leases = leases
        self._networks = networks
        self._under_way: dict[SessionId, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Watch until cancelled."""
        unwatch = self._feed.watch(self)
        try:
            await asyncio.Event().wait()
        finally:
            unwatch()
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def changed(self, session: SessionId, head: int) -> None:
        """A commit is no signal."""

    def signalled(self, signal: Signal) -> None:
        session = signal.session
        if signal.kind != "typing" or signal.operator or session in self._under_way or len(self._under_way) >= AT_ONCE:
            return
        task = self._under_way[session] = asyncio.get_running_loop().create_task(self._show(session))
        task.add_done_callback(lambda _: self._under_way.pop(session, None))

    async def _show(self, session: SessionId) -> None:
        try:
            stored = await self._relay.session(session)
            mirror = stored.session.mirror if stored is not None else None
            network = self._networks.get(mirror.network) if mirror is not None else None
            if mirror is None or not isinstance(network, SupportsTyping):
                return
            if self._leases.term(mirror.network, partition_in(session)) is None:
                return
            thread = (await self._store.threads(session)).get(mirror.number)
            if thread is not None:
                await network.show_typing(thread)
        except KakehashiError as error:
            _log.debug("typing_not_shown", session=session, reason=error.what)
