"""Turns: what a delivery waits for before it counts as begun, and how urgent it is.

A customer's first message and its root come first, and calls of operators; then words, then lines. What needs no post
(a change, a deletion) has no turn here: it is paced when the call is made.
"""

from __future__ import annotations

from adapters.slack.outward.calls import IN_THREAD
from adapters.slack.refs import Root
from adapters.slack.wire.pacing import Pacing
from bridge.networks import turns
from bridge.networks.pacing import Urgency
from bridge.networks.turns import since
from bridge.ports import Delivery

POST = "chat.postMessage"


class Turns:
    def __init__(self, pacing: Pacing) -> None:
        self._pacing = pacing

    def hold_now(self, delivery: Delivery, channel: str) -> bool:
        if urgency_of(delivery) is None:
            return True
        return self._pacing.hold_now(delivery.effect.id, POST, channel)

    async def hold(self, delivery: Delivery, channel: str) -> bool:
        """See `bridge.ports.SupportsTurns`. The turn is held for the post whose metadata names the effect."""
        urgency = urgency_of(delivery)
        if urgency is None:
            return False
        return await self._pacing.hold(delivery.effect.id, POST, channel, urgency, since(delivery))

    def drop(self, delivery: Delivery) -> None:
        """It was delivered, or was not: either way it has no turn any more."""
        self._pacing.drop(delivery.effect.id)


def urgency_of(delivery: Delivery) -> Urgency | None:
    """None: it posts nothing in the session's channel."""
    return turns.urgency_of(delivery, IN_THREAD)


def channel_of(delivery: Delivery) -> str:
    """Where it is posted."""
    if delivery.thread is not None:
        return Root.of(delivery.thread).channel
    return next(one.place for one in delivery.session.mirrors if one.number == delivery.effect.mirror)
