"""What reactions mean, whichever network shows them: which are outdated, which of operators' still stand, and which
were put on or taken off while nobody heard.

What stands at a post tells neither when it was put there nor what stood there before; the journal does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.ports import Delivery, Entry, Store
from routing.effects import ReactToMessage
from routing.facts import ReactionAdded, ReactionRemoved, Side
from routing.ids import InputKey, MessageId, NetworkName, OperatorId, SessionId


def is_outdated(delivery: Delivery, effect: ReactToMessage) -> bool:
    """The customer has thought again: a later effect of this lane shows what holds now. Many changes are two calls."""
    session = delivery.session
    spoken = session.spoken(effect.message)
    if spoken is not None and spoken.side is Side.CUSTOMER:
        return False  # on the customer's own words it is an operator's, from the desk page
    return (session.reaction_to(effect.message) == effect.reaction) != effect.on


Theirs = tuple[OperatorId, str]
"""Whose reaction, and its sign."""


def standing(journal: Iterable[Entry], message: MessageId) -> list[Theirs]:
    """Operators' reactions to a message that nobody has taken off yet, the oldest first."""
    return list(_standing(journal, message))


def _standing(journal: Iterable[Entry], message: MessageId) -> dict[Theirs, InputKey]:
    """With the input that put each there."""
    found: dict[Theirs, InputKey] = {}
    for fact in _of_operators(journal, message):
        one = (OperatorId(fact.by), fact.reaction)
        if isinstance(fact, ReactionAdded):
            found[one] = fact.cause
        else:
            found.pop(one, None)
    return found


def _of_operators(journal: Iterable[Entry], message: MessageId) -> Iterable[ReactionAdded | ReactionRemoved]:
    for fact in (entry.fact for entry in journal):
        if isinstance(fact, ReactionAdded | ReactionRemoved) and fact.message == message and fact.by:
            yield fact


async def stands(store: Store, session: SessionId, message: MessageId, one: Theirs) -> bool:
    """Whether it is known to be there: a network may tell of it after it was read back, too. Raises
    StoreUnavailableError."""
    return one in _standing(await store.journal(session), message)


@dataclass(frozen=True, slots=True)
class Shown:
    """Which operators' reactions a network shows at a message, by their signs. Of `unsure` signs it may not show
    everybody's."""

    signs: Mapping[str, frozenset[OperatorId]] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()


def unheard(
    journal: Sequence[Entry], message: MessageId, network: NetworkName, shown: Shown, since: int
) -> list[tuple[OperatorId, str, bool]]:
    """What was put on (True) or taken off without our hearing of it. What changed from `since` on, when the network was
    asked, is left alone; so is what was put there elsewhere: the network shows that as ours."""
    stood = _standing(journal, message)
    newer = {(fact.by, fact.reaction) for fact in _of_operators(journal, message) if fact.at >= since}
    there = [(operator, sign) for sign, operators in shown.signs.items() for operator in sorted(operators)]
    gone = [one for one, cause in stood.items() if cause.startswith(f"{network}/") and one[1] not in shown.unsure]
    found = [(*one, True) for one in there if one not in stood]
    found += [(*one, False) for one in gone if one not in there]
    return [one for one in found if (one[0], one[1]) not in newer]
