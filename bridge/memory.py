"""Sessions as this process last saw them: a cache, and nothing that anybody relies on.

A commit is checked against the store's version, so an old memory costs a second attempt and never a wrong write. What
writes nothing, a refusal or an answer to a page, would not notice; whoever gives one looks again first.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

from bridge.feed import Feed
from bridge.ports import Store, Stored
from routing.ids import SessionId

REMEMBERED = 20_000
"""Sessions kept decoded, and heads of sessions that were dropped; the store has the rest."""


V = TypeVar("V")


class Memory:
    """`look` reads from the store, and tells the pages when the session is further on than they were told."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self._store = store
        self._feed = feed
        self._sessions: OrderedDict[SessionId, Stored] = OrderedDict()
        self._heads: OrderedDict[SessionId, int] = OrderedDict()

    def known(self, session: SessionId) -> Stored | None:
        """What is remembered, without asking."""
        stored = self._sessions.get(session)
        if stored is not None:
            self._sessions.move_to_end(session)
        return stored

    def keep(self, stored: Stored) -> None:
        """This is the session now."""
        _put(self._sessions, stored.session.id, stored)

    def drop(self, session: SessionId) -> None:
        """It may have moved on; how far it was known is remembered, so that pages are told when it has."""
        stored = self._sessions.pop(session, None)
        if stored is not None:
            _put(self._heads, session, stored.head)

    def drop_all(self) -> None:
        """Others may have committed anything meanwhile."""
        for session in tuple(self._sessions):
            self.drop(session)

    async def look(self, session: SessionId) -> Stored | None:
        """The session as the store has it. Raises StoreUnavailableError."""
        self.drop(session)
        stored = await self._store.load(session)
        known = self._heads.pop(session, None)
        if stored is None:
            return None
        self.keep(stored)
        if known is not None and stored.head > known:
            self._feed.moved(stored)
        return stored


def _put(shelf: OrderedDict[SessionId, V], session: SessionId, value: V) -> None:
    shelf[session] = value
    shelf.move_to_end(session)
    if len(shelf) > REMEMBERED:
        shelf.popitem(last=False)
