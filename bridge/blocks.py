"""Blocked customers. That somebody is blocked is a fact of their latest session, where the relay looks before it opens
another one; so blocking, which ends a session, and keeping them out are one commit."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.ports import Store, Stored
from bridge.relay import Relay


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


async def everyone(store: Store) -> list[Blocked]:
    """Who is blocked now, those for longest last. Looks through every session that is kept."""
    now, found = await store.now(), []
    async for session in store.sessions():
        stored = await store.load(session)
        if stored is None or stored.session.blocked_until is None or stored.session.blocked_until <= now:
            continue
        one = stored.session
        if await store.open_session(one.customer) == session:
            found.append(Blocked(str(one.customer), one.code, one.blocked_by or "", one.blocked_until or 0))
    return sorted(found, key=lambda blocked: blocked.until)
