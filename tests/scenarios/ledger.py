"""What the store has of a session, as a test compares it with what people saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.messages import Body, TextPart
from bridge.ports import Entry, Store
from routing import facts as f
from routing.facts import Side
from routing.fold import fold
from routing.ids import SessionId
from routing.view import customer_view

_SPEAKING = (f.CustomerMessageAdded, f.ReplyAdded, f.NoteAdded)
_SIDES = {f.CustomerMessageAdded: Side.CUSTOMER, f.ReplyAdded: Side.REPLY, f.NoteAdded: Side.NOTE}


@dataclass(frozen=True)
class Spoken:
    """A message in the journal. Files are shown as in `text_of`."""

    side: Side
    id: str
    text: str


@dataclass(frozen=True)
class Ledger:
    """The journal of one session, read and audited."""

    session: SessionId
    code: str
    opened: int
    entries: Sequence[Entry]
    spoken: Sequence[Spoken]

    def said_by(self, side: Side) -> list[str]:
        return [one.text for one in self.spoken if one.side is side]

    def seen_by_the_customer(self) -> list[tuple[str, str]]:
        """(from, text), as the customer's page shows it."""
        names = {Side.CUSTOMER: "you", Side.REPLY: "operator"}
        return [(names[one.side], one.text) for one in self.spoken if one.side in names]

    def seen_at_the_desk(self) -> list[tuple[str, str]]:
        return [(str(one.side), one.text) for one in self.spoken]


async def ledger(store: Store, session: SessionId) -> Ledger:
    """Read a session. AssertionError when its books contradict one another: the journal is the truth, so the
    snapshot is its fold, offsets have no gap, no input and no message stands there twice, and every word is there."""
    stored, entries = await store.load(session), await store.journal(session)
    assert stored is not None, f"there is no session {session}"
    assert fold(entry.fact for entry in entries) == stored.session, "the snapshot is the fold of the journal"
    assert [entry.index for entry in entries] == list(range(stored.head)), "entries are numbered without a gap"
    shown = [entry.visible for entry in entries if customer_view(entry.fact) is not None]
    assert shown == list(range(1, stored.visible + 1)), "the customer's offsets count what they may see"
    times = [entry.fact.at for entry in entries]
    assert times == sorted(times), "fact times never decrease"
    return Ledger(
        session, stored.session.code, stored.session.opened_at, entries, await _spoken(store, session, entries)
    )


async def _spoken(store: Store, session: SessionId, entries: Sequence[Entry]) -> list[Spoken]:
    facts = [entry.fact for entry in entries if isinstance(entry.fact, _SPEAKING)]
    names = [fact.message for fact in facts]
    assert len(set(names)) == len(names), "one message id is one journal entry"
    bodies = await store.bodies(session, [(name, 0) for name in names])
    assert None not in bodies, "the words of every message are there"
    texts = [_text(body) for body in bodies if body is not None]
    return [Spoken(_SIDES[type(fact)], fact.message, text) for fact, text in zip(facts, texts, strict=True)]


def _text(body: Body) -> str:
    return " ".join(part.text if isinstance(part, TextPart) else "<file>" for part in body.parts)
