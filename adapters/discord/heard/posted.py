"""Which message of a session's stands in a post of Discord's."""

from __future__ import annotations

from adapters.discord.refs import Post, message_id
from bridge.networks import posted
from bridge.ports import Store
from routing.ids import MessageId
from routing.session import Session


async def message_in(store: Store, session: Session, mirror: int, channel: str, message: str) -> MessageId | None:
    """See `bridge.networks.posted`."""
    written = message_id(channel, message)
    return await posted.message_in(store, session, mirror, written, lambda ref: Post.of(ref).message == message)
