"""What an operator wrote in Slack and took back at the desk page.

A bot cannot delete a person's message, so that goes on standing there as if the customer had it. It bears a mark, where
we may react; the line beneath, which says what the mark means, is `outbound`'s.
"""

from __future__ import annotations

import structlog

from adapters.slack.places.history import History
from adapters.slack.refs import NAME, Post
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError, Fault
from bridge.networks.pacing import Urgency
from bridge.ports import Delivery
from routing.effects import WithdrawMessage
from routing.ids import MessageId, sent_id

TAKEN_BACK = "wastebasket"
"""The reaction on a post whose words the customer does not have any more."""

_log = structlog.get_logger(__name__)


def written_here(delivery: Delivery, effect: WithdrawMessage) -> Post | None:
    """The operator's own post in this mirror; None for what we have posted, and for what was written elsewhere. A note
    that was sent stands there as the note."""
    spoken = delivery.session.spoken(effect.message)
    if delivery.posts or spoken is None or spoken.mirror != effect.mirror:
        return None
    written = effect.message.removeprefix(sent_id(MessageId("")))
    kind, channel, ts = (*written.split(":"), "", "")[:3]
    team = delivery.thread.partition(":")[0] if delivery.thread else ""
    return Post(team, channel, ts) if kind == "s" and ts else None


class Withdrawals:
    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._history = History(api, Urgency.LINE)

    async def mark(self, post: Post) -> bool:
        """Whether the post is still there. Marking it again changes nothing. Raises DeliveryError."""
        if not await self._is_there(post):
            return False
        try:
            await self._api.call(
                "reactions.add", urgency=Urgency.LINE, channel=post.channel, timestamp=post.ts, name=TAKEN_BACK
            )
        except DeliveryError as error:
            if error.code in ALREADY_GONE:
                return False
            if error.fault in (Fault.TRANSIENT, Fault.AMBIGUOUS):
                raise
            _log.info("slack_withdrawn_not_marked", network=NAME, code=error.code)
        return True

    async def _is_there(self, post: Post) -> bool:
        try:
            return await self._history.thread_of(post.channel, post.ts) is not None
        except DeliveryError as error:
            if error.code in ALREADY_GONE:
                return False
            raise
