"""Turns: what a delivery waits for before it counts as begun, and how urgent it is.

A customer's first message and its root come first, and calls of operators; then words, then lines. What needs no post
(a change, a deletion) has no turn here: it is paced when the call is made.
"""

from __future__ import annotations

from adapters.slack.calls import IN_THREAD
from adapters.slack.pacing import Pacing, Urgency
from adapters.slack.refs import Root
from bridge.ports import Delivery
from routing.effects import (
    AlertDesk,
    CallOperators,
    OpenThread,
    PostHistory,
    PostLine,
    PostMessage,
    PostTranslation,
)
from routing.facts import Side
from routing.session import Session

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
    effect = delivery.effect
    if isinstance(effect, OpenThread):
        return Urgency.FIRST
    if isinstance(effect, CallOperators):
        return Urgency.FIRST if effect.kind in IN_THREAD else None
    if isinstance(effect, PostMessage):
        return Urgency.FIRST if _is_first(delivery.session, effect) else Urgency.WORDS
    if isinstance(effect, PostTranslation):
        return None if delivery.posts else Urgency.LINE
    return Urgency.LINE if isinstance(effect, PostLine | PostHistory | AlertDesk) else None


def _is_first(session: Session, effect: PostMessage) -> bool:
    """What a session was opened with was recorded in the moment of its opening."""
    spoken = session.spoken(effect.message)
    return effect.side is Side.CUSTOMER and spoken is not None and spoken.at == session.opened_at


def since(delivery: Delivery) -> int:
    """When what is to be delivered happened, as far as that is known (ms since 1970)."""
    session, effect = delivery.session, delivery.effect
    if isinstance(effect, PostMessage) and (spoken := session.spoken(effect.message)) is not None:
        return spoken.at
    if isinstance(effect, OpenThread) and effect.mirror == session.mirrors[0].number:
        return session.opened_at
    return session.last_at


def channel_of(delivery: Delivery) -> str:
    """Where it is posted."""
    if delivery.thread is not None:
        return Root.of(delivery.thread).channel
    return next(one.place for one in delivery.session.mirrors if one.number == delivery.effect.mirror)
