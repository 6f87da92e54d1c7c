"""Whereabouts: where a talk goes on, for whoever wrote where it no longer is, whatever network the new place is on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from bridge.ports import Delivery, Store, Stored
from bridge.relay import Relay
from routing.ids import NetworkName, ShortCode, ThreadRef
from routing.session import Reason, Session, State

OPENED_WITHIN = 3.0
"""Seconds that a pointer waits for the thread to which it points: well within the time that one delivery has."""

LOOK_AGAIN = 0.1
"""Seconds between looks whether it is there."""

KEPT = 24 * 3600 * 1000
"""ms for which it is remembered where a pointer leads: longer than its outcome stays unknown."""


@runtime_checkable
class SupportsLinks(Protocol):
    """A network whose threads have addresses that people can open."""

    def link(self, thread: ThreadRef) -> str: ...


def no_desk(code: ShortCode) -> str:
    """Where no desk page is reachable."""
    del code
    return ""


class Whereabouts:
    """`networks` may still grow: it is asked at each look. `desk` is a session's address on the desk page, or empty."""

    def __init__(
        self,
        store: Store,
        relay: Relay,
        networks: Mapping[NetworkName, object],
        desk: Callable[[ShortCode], str] = no_desk,
    ) -> None:
        self._store = store
        self._relay = relay
        self._networks = networks
        self._desk = desk

    async def way(self, stored: Stored, reason: Reason, here: ThreadRef) -> str:
        """The address where the talk goes on after this refusal; empty where it goes on nowhere, or right here."""
        session = await self._goes_on(stored, reason)
        if session is None:
            return ""
        thread = (await self._store.threads(session.id)).get(session.mirror.number)
        if thread == here:
            return ""
        network = self._networks.get(session.mirror.network)
        if thread is not None and isinstance(network, SupportsLinks):
            return network.link(thread)
        return self._desk(session.code)

    async def onward(self, delivery: Delivery) -> str:
        """The address to which a line in a thread of another network points; empty where nobody can open one.

        The new thread is opened by a lane of its own, so it is waited for, a moment only. What was found first is what
        every repeat finds: a network that knows its lines by their words must not take the second for another."""
        session, kept = delivery.session, f"onward/{delivery.effect.id}"
        if session.mirror.network == delivery.effect.to:
            return ""
        known = await self._store.get(kept)
        if known is None:
            known = await self._opened(session)
            await self._store.put(kept, known, KEPT)
        return known

    async def _opened(self, session: Session) -> str:
        network = self._networks.get(session.mirror.network)
        if not isinstance(network, SupportsLinks):
            return self._desk(session.code)
        until = asyncio.get_running_loop().time() + OPENED_WITHIN
        while asyncio.get_running_loop().time() < until:
            thread = (await self._store.threads(session.id)).get(session.mirror.number)
            if thread is not None:
                return network.link(thread)
            await asyncio.sleep(LOOK_AGAIN)
        return self._desk(session.code)

    async def _goes_on(self, stored: Stored, reason: Reason) -> Session | None:
        if reason is Reason.MOVED:
            return stored.session
        if reason is not Reason.SESSION_CLOSED:
            return None
        current = await self._relay.current(stored.session.customer)
        return None if current is None or current.session.state is State.CLOSED else current.session
