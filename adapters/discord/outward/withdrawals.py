"""What an operator wrote on Discord and took back at the desk page.

An app cannot delete a person's message without managing everybody's, so that goes on standing there as if the customer
had it. It bears a mark, where we may react; the line beneath, which says what the mark means, is `outbound`'s.
"""

from __future__ import annotations

from adapters.discord.inward.reactions import put
from adapters.discord.places.history import History
from adapters.discord.places.waking import Waking
from adapters.discord.refs import Post, Root, written_at
from adapters.discord.wire.client import RestApi
from bridge.ports import Delivery
from routing.effects import WithdrawMessage
from routing.ids import MessageId, sent_id

TAKEN_BACK = "🗑️"
"""The reaction on a post whose words the customer does not have any more."""


def written_here(delivery: Delivery, effect: WithdrawMessage) -> Post | None:
    """The operator's own post in this mirror; None for what we have posted, and for what was written elsewhere. A note
    that was sent stands there as the note."""
    spoken = delivery.session.spoken(effect.message)
    if delivery.posts or delivery.thread is None or spoken is None or spoken.mirror != effect.mirror:
        return None
    written = written_at(MessageId(effect.message.removeprefix(sent_id(MessageId("")))))
    return Post(Root.of(delivery.thread).guild, *written) if written is not None else None


class Withdrawals:
    def __init__(self, api: RestApi) -> None:
        self._api = api
        self._history = History(api)

    async def mark(self, post: Post, waking: Waking) -> bool:
        """Whether the post is still there. Marking it again changes nothing. Raises DeliveryError."""
        if await self._history.message(post.channel, post.message) is None:
            return False
        await put(self._api, waking, post, TAKEN_BACK)
        return True
