"""What an operator answers to, where they use Discord's own “Reply”.

The customer reads the beginning of their own message above the answer, and of nobody else's: a note that is answered
is not quoted, and who answers a colleague speaks to them, until they say otherwise.
"""

from __future__ import annotations

from adapters.discord.heard.happenings import Said
from adapters.discord.heard.posted import message_in
from bridge.messages import TextPart
from bridge.ports import Placed, Store, Stored
from bridge.quotations import quotation
from routing.facts import Side
from routing.session import Session, Spoken


class Quotes:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def answered(self, said: Said, placed: Placed, session: Session) -> Spoken | None:
        """What of the session's is answered; None for anything else. Raises StoreUnavailableError."""
        post = said.reply_to
        if post is None or post.channel != said.root.thread:
            return None
        message = await message_in(self._store, session, placed.mirror, post.channel, post.message)
        return session.spoken(message) if message is not None else None

    async def of(self, answered: Spoken | None, stored: Stored) -> TextPart | None:
        """The customer's own words that are answered, as far as they are shown."""
        if answered is None or answered.side is not Side.CUSTOMER or answered.withdrawn:
            return None
        (body,) = await self._store.bodies(stored.session.id, [(answered.message, answered.revision)])
        return quotation(answered.message, body)
