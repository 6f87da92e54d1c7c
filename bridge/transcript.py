"""A session as a document: what the customer saw, or, when asked for explicitly, what operators wrote among themselves.

The customer's transcript goes through `customer_view`, the only way to the customer: a note's body is not even read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from bridge.attachments import unnamed
from bridge.marks import as_text
from bridge.messages import Body, FilePart
from bridge.ports import Entry, Store, Stored
from routing import facts as f
from routing.facts import Side
from routing.ids import MessageId, OperatorId, SessionId
from routing.view import CustomerMessage, CustomerNotice, CustomerReaction, CustomerTranslation, customer_view

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class _Said:
    """A message or one of its revisions, on its way into the document."""

    at: int
    side: Side
    message: MessageId
    revision: int
    operator: OperatorId | None
    withdrawn: bool = False
    purged: bool = False  # no wording of it: an attachment was removed then


_Line = _Said | CustomerNotice | CustomerReaction


async def transcript(store: Store, stored: Stored, *, with_notes: bool = False) -> dict[str, Any]:
    """The session as JSON. Customer-visible only, unless `with_notes`. Operators stand there by account id.

    Words that were erased are null; so are those that were taken back, unless `with_notes`.
    Raises StoreUnavailableError.
    """
    entries = await store.journal(stored.session.id)
    lines = [line for entry in entries if (line := _line(entry, with_notes)) is not None]
    said = [line for line in lines if isinstance(line, _Said) and not line.withdrawn and not line.purged]
    gone = set() if with_notes else {line.message for line in lines if isinstance(line, _Said) and line.withdrawn}
    wanted = [(line.message, line.revision) for line in said if line.message not in gone]
    bodies = dict(zip(wanted, await store.bodies(stored.session.id, wanted), strict=True)) if wanted else {}
    return _head(stored, with_notes) | {"events": [_written(line, bodies) for line in lines]}


def _line(entry: Entry, with_notes: bool) -> _Line | None:
    event = customer_view(entry.fact)
    if isinstance(event, CustomerMessage) and event.requoted:
        return None  # no words of its own; those that quote say by now what is left
    if isinstance(event, CustomerMessage):
        said = _Said(event.at, event.side, event.message, event.revision, event.operator, event.withdrawn)
        return replace(said, purged=event.purged)
    if isinstance(event, CustomerTranslation):
        return None  # a machine's words; the originals are the evidence
    return event if event is not None else _note(entry.fact) if with_notes else None


def _note(fact: f.Fact) -> _Said | None:
    """A note in any of its three stages; every other fact has nothing to say."""
    if isinstance(fact, f.NoteAdded):
        return _Said(fact.at, Side.NOTE, fact.message, fact.revision, fact.operator)
    if isinstance(fact, f.MessageRevised) and fact.side is Side.NOTE:
        return _Said(fact.at, Side.NOTE, fact.message, fact.revision, None)
    if isinstance(fact, f.MessageWithdrawn) and fact.side is Side.NOTE:
        return _Said(fact.at, Side.NOTE, fact.message, 0, None, withdrawn=True)
    if isinstance(fact, f.FilePurged):
        return _Said(fact.at, fact.side, fact.message, fact.revision, fact.by, purged=True)
    return None


def _head(stored: Stored, with_notes: bool) -> dict[str, Any]:
    session = stored.session
    return {
        "schema": SCHEMA,
        "contains": "everything, notes included" if with_notes else "what the customer saw",
        "session": session.id,
        "code": session.code,
        "customer": str(session.customer),
        "language": session.language,
        "topic": session.topic,
        "opened": moment(session.opened_at),
        "closed": moment(session.closed_at),
        "outcome": session.outcome if with_notes else None,
        "erased": session.erased,
    }


def _written(line: _Line, bodies: dict[tuple[MessageId, int], Body | None]) -> dict[str, Any]:
    if isinstance(line, CustomerNotice):
        return _notice(line)
    if isinstance(line, CustomerReaction):
        return _reaction(line)
    said: dict[str, Any] = {"at": moment(line.at), "kind": "note" if line.side is Side.NOTE else "message"}
    said |= {"id": line.message, "revision": line.revision, "from": line.side}
    if line.operator is not None:
        said["operator"] = line.operator
    if line.purged:
        return said | {"kind": "file_removed"}
    if line.withdrawn:
        return said | {"withdrawn": True, "parts": None}
    body = bodies.get((line.message, line.revision))
    return said | {"parts": None if body is None else _parts(body)}


def _notice(notice: CustomerNotice) -> dict[str, Any]:
    told: dict[str, Any] = {"at": moment(notice.at), "kind": "notice", "key": notice.key}
    more = {"operator": notice.operator, "until": moment(notice.until), "topic": notice.topic}
    return told | {key: value for key, value in more.items() if value is not None}


def _reaction(reaction: CustomerReaction) -> dict[str, Any]:
    told: dict[str, Any] = {"at": moment(reaction.at), "kind": "reaction", "id": reaction.message}
    return told | {"reaction": reaction.reaction, "on": reaction.on}


def _parts(body: Body) -> Sequence[dict[str, Any]]:
    return [_file(part) if isinstance(part, FilePart) else as_text(part) for part in body.parts]


def _file(part: FilePart) -> dict[str, Any]:
    if part.purged:
        return {"type": "file", "removed": True, "media_type": part.media_type}
    return {"type": "file", "file": part.file, "name": part.name, "media_type": part.media_type, "size": part.size}


def moment(at: int | None) -> str | None:
    """A time in ms since 1970 as ISO 8601, UTC."""
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Uttered:
    """A message as it stands now, for operators' eyes: notes are among them. `operator` None: the customer's."""

    at: int
    side: Side
    operator: OperatorId | None
    body: Body
    message: MessageId
    revision: int = 0


async def said_so_far(store: Store, session: SessionId, *, before: int | None = None) -> list[Uttered]:
    """What was said, oldest first, in its latest wording; without what was taken back or erased, and without the names
    of files that are held back. `before`: only what was said before this mirror began.

    Raises StoreUnavailableError.
    """
    said: dict[MessageId, _Said] = {}
    held: set[MessageId] = set()
    goes_on = False
    for entry in await store.journal(session):
        goes_on = goes_on or (isinstance(entry.fact, f.SessionTransferred) and entry.fact.mirror.number == before)
        if getattr(entry.fact, "held", False):
            held.add(cast(f.CustomerMessageAdded, entry.fact).message)
        line = _line(entry, with_notes=True)
        if isinstance(line, _Said) and not line.purged and (line.message in said or not goes_on):
            first = said.get(line.message, line)
            said[line.message] = replace(line, at=first.at, operator=first.operator)
    kept = [line for line in said.values() if not line.withdrawn]
    bodies = await store.bodies(session, [(line.message, line.revision) for line in kept]) if kept else []
    return [
        Uttered(
            line.at,
            line.side,
            line.operator,
            unnamed(body) if line.message in held else body,
            line.message,
            line.revision,
        )
        for line, body in zip(kept, bodies, strict=True)
        if body is not None
    ]
