"""Blocked customers. That somebody is blocked is a fact of their latest session, where the relay looks before it opens
another one; so blocking, which ends a session, and keeping them out are one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.ports import Store, Stored
from bridge.relay import Relay
from routing.ids import SessionId


async def subject(relay: Relay, stored: Stored) -> Stored:
    """The session in which a block of this customer is said: their latest one, whichever was looked at."""
    return await relay.current(stored.session.customer) or stored


@dataclass(frozen=True, slots=True)
class Blocked:
    """`until` in ms since 1970 (UTC)."""

    customer: str
    code: str
    by: str
    until: int


TOGETHER = 250
"""Sessions that are looked at together: the store's calls travel in one go."""


async def everyone(store: Store) -> list[Blocked]:
    """Who is blocked now, those for longest last.

    Looks through every session that is kept: 10,000 take one to three seconds. A person asks that seldom, and a list
    beside the facts could be wrong about somebody.
    """
    now, found = await store.now(), list[Blocked]()
    page: list[SessionId] = []
    async for session in store.sessions():
        page.append(session)
        if len(page) == TOGETHER:
            found += await _blocked_in(store, page, now)
            page = []
    found += await _blocked_in(store, page, now)
    return sorted(found, key=lambda blocked: blocked.until)


async def _blocked_in(store: Store, sessions: Sequence[SessionId], now: int) -> list[Blocked]:
    stored = await asyncio.gather(*map(store.load, sessions))
    sought = [one.session for one in stored if one is not None and (one.session.blocked_until or 0) > now]
    latest = await asyncio.gather(*(store.open_session(one.customer) for one in sought))
    return [
        Blocked(str(one.customer), one.code, one.blocked_by or "", one.blocked_until or 0)
        for one, newest in zip(sought, latest, strict=True)
        if newest == one.id
    ]
