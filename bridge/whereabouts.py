"""Whereabouts: where a talk goes on, for whoever wrote where it no longer is, whatever network the new place is on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from bridge.ports import Store, Stored
from bridge.relay import Relay
from routing.ids import NetworkName, ShortCode, ThreadRef
from routing.session import Reason, Session, State


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

    async def _goes_on(self, stored: Stored, reason: Reason) -> Session | None:
        if reason is Reason.MOVED:
            return stored.session
        if reason is not Reason.SESSION_CLOSED:
            return None
        current = await self._relay.current(stored.session.customer)
        return None if current is None or current.session.state is State.CLOSED else current.session
