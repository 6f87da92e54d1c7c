"""Quotations: the beginning of a customer's message above what answers it. They say what that message says now.

They are copies, so whatever changes or takes back the message has to reach them: in every wording of whatever quotes
it, notes and held words too, in the very commit that does so. Files are never quoted: a name may tell too much.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.carriers import Carrier
from bridge.messages import Body, Mark, MarkKind, Part, TextPart, one_line
from bridge.ports import Written
from routing.ids import MessageId

SHOWN = 80
"""Characters of a message that are enough to know it by."""


def quotation(message: MessageId, body: Body | None) -> TextPart | None:
    """What stands above an answer to this message; None where it has no words (any more)."""
    text = one_line(body.text, SHOWN) if body is not None else ""
    return TextPart(text, (Mark(MarkKind.QUOTE, 0, len(text)),), message) if text else None


def quoted_in(body: Body) -> MessageId | None:
    """Which message it quotes."""
    return next((part.quotes for part in body.parts if isinstance(part, TextPart) and part.quotes), None)


def requoted(body: Body, message: MessageId, now: Body | None) -> Body:
    """The same with what the message says now; without the quotation where that is taken back."""
    said = quotation(message, now)
    parts: list[Part] = []
    for part in body.parts:
        if not (isinstance(part, TextPart) and part.quotes == message):
            parts.append(part)
        elif said is not None:
            parts.append(said)
    return Body(tuple(parts))


def unquoted(body: Body) -> Body:
    """What whoever wrote it says themselves."""
    return Body(tuple(part for part in body.parts if not (isinstance(part, TextPart) and part.quotes)))


def all_requoted(carriers: Sequence[Carrier], message: MessageId, now: Body | None) -> list[Written]:
    """Every wording that quotes the message, as it reads from now on."""
    return [
        Written(one.message, revision, requoted(body, message, now))
        for one in carriers
        for revision, body in one.bodies.items()
        if quoted_in(body) == message
    ]
