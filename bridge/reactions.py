"""What reactions mean, whichever network shows them: which are outdated, and which of operators' still stand."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.ports import Delivery, Entry
from routing.effects import ReactToMessage
from routing.facts import ReactionAdded, ReactionRemoved, Side
from routing.ids import MessageId, OperatorId


def is_outdated(delivery: Delivery, effect: ReactToMessage) -> bool:
    """The customer has thought again: a later effect of this lane shows what holds now. Many changes are two calls."""
    session = delivery.session
    spoken = session.spoken(effect.message)
    if spoken is not None and spoken.side is Side.CUSTOMER:
        return False  # on the customer's own words it is an operator's, from the desk page
    return (session.reaction_to(effect.message) == effect.reaction) != effect.on


def standing(journal: Iterable[Entry], message: MessageId) -> list[tuple[OperatorId, str]]:
    """Operators' reactions to a message that nobody has taken off yet, the oldest first."""
    found: dict[tuple[OperatorId, str], None] = {}
    for fact in (entry.fact for entry in journal):
        if not isinstance(fact, ReactionAdded | ReactionRemoved) or fact.message != message or not fact.by:
            continue
        one = (OperatorId(fact.by), fact.reaction)
        if isinstance(fact, ReactionAdded):
            found[one] = None
        else:
            found.pop(one, None)
    return list(found)
