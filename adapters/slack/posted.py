"""Which message of a session's stands in a post. People point at posts: they react to them, or open their menus."""

from __future__ import annotations

from adapters.slack.parse import message_id
from adapters.slack.refs import Post
from bridge.ports import Store
from routing.ids import MessageId, held_id
from routing.session import Session


async def message_in(store: Store, session: Session, mirror: int, channel: str, ts: str) -> MessageId | None:
    """An operator's own words bear the post's name; what we have posted is looked up in the books: what was said last,
    and the lines below what waits. Raises StoreUnavailableError."""
    written = message_id(channel, ts)
    if session.spoken(written) or session.held(written):
        return written
    known = [(one.message, one.message) for one in reversed(session.recent)]
    known += [(held_id(one.message), one.message) for one in session.pending]
    for name, message in known:
        if any(Post.of(ref).ts == ts for ref in await store.posts(session.id, name, mirror)):
            return message
    return None
