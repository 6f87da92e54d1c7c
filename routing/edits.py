"""Edits: what one did that its author may not have meant, so that they are told and nobody believes what is not so."""

from __future__ import annotations

from enum import StrEnum

from routing.facts import Side
from routing.ids import MessageId, sent_id
from routing.inputs import INSIDE, Manner
from routing.session import Session, Spoken


class Became(StrEnum):
    REPLY_BECAME_NOTE = "reply_became_note"  # it was taken back from the customer
    REPLY_STAYS_WITHDRAWN = "reply_stays_withdrawn"  # it was, before; the new words reach nobody
    NOTE_STAYS_NOTE = "note_stays_note"  # it can be sent on purpose
    NOTE_STAYS_WITHDRAWN = "note_stays_withdrawn"  # a note that was sent and taken back is not sent again


def became(before: Session, after: Session, message: MessageId, manner: Manner) -> Became | None:
    """What an operator's edit of their message did, by the session before and after it; None where it did just what it
    says: a reply or a note has other words now."""
    spoken = before.spoken(message)
    if spoken is None or spoken.side is Side.CUSTOMER:
        return None
    reply = spoken if spoken.side is Side.REPLY else before.spoken(sent_id(message))
    if reply is not None and not reply.withdrawn:
        return Became.REPLY_BECAME_NOTE if _is_withdrawn(after, reply) else None
    if manner in INSIDE:
        return None
    if spoken is reply:
        return Became.REPLY_STAYS_WITHDRAWN
    return Became.NOTE_STAYS_NOTE if reply is None else Became.NOTE_STAYS_WITHDRAWN


def _is_withdrawn(session: Session, reply: Spoken) -> bool:
    now = session.spoken(reply.message)
    return now is not None and now.withdrawn
