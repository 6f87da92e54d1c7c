"""Carriers: every message of a session with its bodies, in every wording; for what has to reach all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.messages import Body
from bridge.ports import Store
from routing import facts as f
from routing.facts import Fact, Side
from routing.ids import MessageId, SessionId


@dataclass(slots=True)
class Carrier:
    """A message, and all its wordings."""

    message: MessageId
    side: Side
    at: int
    revisions: list[int] = field(default_factory=lambda: [0])  # a network's are not one after the other
    withdrawn: bool = False
    bodies: dict[int, Body] = field(default_factory=dict)


async def carriers_of(store: Store, session: SessionId) -> list[Carrier]:
    """Oldest first. Raises StoreUnavailableError."""
    said: dict[MessageId, Carrier] = {}
    for entry in await store.journal(session):
        _read(entry.fact, said)
    wanted = [(one.message, revision) for one in said.values() for revision in one.revisions]
    found = await store.bodies(session, wanted) if wanted else []
    for (message, revision), body in zip(wanted, found, strict=True):
        if body is not None:
            said[message].bodies[revision] = body
    return list(said.values())


_SIDES: dict[type[Fact], Side] = {
    f.CustomerMessageAdded: Side.CUSTOMER,
    f.ReplyAdded: Side.REPLY,
    f.UpdateAdded: Side.REPLY,
    f.NoteAdded: Side.NOTE,
    f.WordsHeld: Side.NOTE,
}


def _read(fact: Fact, said: dict[MessageId, Carrier]) -> None:
    message: MessageId | None = getattr(fact, "message", None)
    side = _SIDES.get(type(fact))
    if message is not None and side is not None:
        first = {0, getattr(fact, "revision", 0), getattr(fact, "wording", 0)}  # it may have been a note before
        first |= set(said[message].revisions) if message in said else set()
        said[message] = Carrier(message, side, fact.at, sorted(first))
    elif message in said and isinstance(fact, f.MessageRevised | f.HeldWordsRevised):
        said[message].revisions.append(fact.revision)
    elif message in said and isinstance(fact, f.MessageWithdrawn):
        said[message].withdrawn = True
