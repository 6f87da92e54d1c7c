"""Turns: how urgent a delivery is, and since when it waits.

A customer's first message and its root come first, and calls of operators; then words, then lines. What needs no post
(a change, a deletion) has no turn: it is paced when the call is made.
"""

from __future__ import annotations

from collections.abc import Container

from bridge.networks.pacing import Urgency
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
from routing.policy import RungKind
from routing.session import Session


def urgency_of(delivery: Delivery, in_thread: Container[RungKind] = frozenset(RungKind)) -> Urgency | None:
    """None: it posts nothing in the session's thread, or channel. `in_thread`: kinds of calls that are made there."""
    effect = delivery.effect
    if isinstance(effect, OpenThread):
        return Urgency.FIRST
    if isinstance(effect, CallOperators):
        return Urgency.FIRST if effect.kind in in_thread else None
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
