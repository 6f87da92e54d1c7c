"""Which message of a session's stands in a post. People point at posts: they react to them, answer them, or open their
menus."""

from __future__ import annotations

from collections.abc import Callable

from bridge.ports import Store
from routing.ids import MessageId, PostRef, held_id
from routing.session import Session


async def message_in(
    store: Store, session: Session, mirror: int, written: MessageId, stands_there: Callable[[PostRef], bool]
) -> MessageId | None:
    """An operator's own words bear the post's name (`written`); what we have posted is looked up in the books: what was
    said last and is not taken back, and the lines below what waits. Raises StoreUnavailableError."""
    if session.spoken(written) or session.held(written):
        return written
    latest_first = session.recent[::-1]
    said = [*(one for one in latest_first if not one.withdrawn), *(one for one in latest_first if one.withdrawn)]
    known = [(one.message, one.message) for one in said]
    known += [(held_id(one.message), one.message) for one in session.pending]
    for name, message in known:
        if any(map(stands_there, await store.posts(session.id, name, mirror))):
            return message
    return None
