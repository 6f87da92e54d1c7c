"""Which message of a session's stands in a post of Slack's."""

from __future__ import annotations

from adapters.slack.parse import message_id
from adapters.slack.refs import Post
from bridge.networks import posted
from bridge.ports import Store
from routing.ids import MessageId
from routing.session import Session


async def message_in(store: Store, session: Session, mirror: int, channel: str, ts: str) -> MessageId | None:
    """See `bridge.networks.posted`."""
    written = message_id(channel, ts)
    return await posted.message_in(store, session, mirror, written, lambda ref: Post.of(ref).ts == ts)
