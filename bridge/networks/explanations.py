"""What people are told of what became of their words in a thread: why not, and which way it goes. On every network.

How it is shown to them alone, each network knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.directory import Directory
from bridge.networks.card import Wording
from bridge.networks.whereabouts import Whereabouts
from bridge.ports import Placed, Stored
from bridge.relay import Answer, Receipt
from routing import edits
from routing.decide import Refusal
from routing.facts import Inside, Side
from routing.ids import MessageId, ThreadRef
from routing.inputs import Manner
from routing.session import Reason, Session, State

OFFERED = (Inside.ANOTHERS, Inside.ELSEWHERE, Inside.ADDRESSED, Inside.FORWARDED, Inside.DESK, Inside.UNDONE)
"""Why words stayed inside that their author may have meant for the customer."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A note that can be sent after all: the message, and where it stands."""

    message: MessageId
    placed: Placed


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody reads, in the session's language, and what they are offered with it."""

    text: str
    session: Session
    offer: Offer | None = None


def offered(session: Session, message: MessageId) -> Offer:
    """A note of the session's, where it was written."""
    spoken = session.spoken(message)
    mirror = spoken.mirror if spoken and spoken.mirror else session.mirror.number
    return Offer(message, Placed(session.id, mirror))


class Explanations:
    def __init__(self, wording: Wording, directory: Directory, whereabouts: Whereabouts) -> None:
        self._wording = wording
        self._directory = directory
        self._whereabouts = whereabouts

    def of_words(self, answer: Answer, message: MessageId) -> Told | None:
        """A note that its author may have meant for the customer: why it is one, and the offer to send it."""
        session = answer.stored.session if isinstance(answer, Receipt) else None
        spoken = session.spoken(message) if session else None
        if session is None or spoken is None or spoken.inside not in OFFERED or session.state is State.CLOSED:
            return None
        return self._offer(session, message, f"inside.{spoken.inside}")

    def of_edit(self, message: MessageId, before: Session, answer: Answer, meant: Manner) -> Told | None:
        """What an edit did that its author may not have meant."""
        after = answer.stored.session if isinstance(answer, Receipt) else before
        became = None if isinstance(answer, Refusal) else edits.became(before, after, message, meant)
        if became is edits.Became.NOTE_STAYS_NOTE:
            return self._offer(after, message, "told.note_stays_note")
        return Told(self._wording(after.language, f"told.{became}"), after) if became is not None else None

    def _offer(self, session: Session, message: MessageId, why: str) -> Told:
        language = session.language
        assignee = self._directory.public_name(session.assignee, language) if session.assignee else ""
        return Told(self._wording(language, why, operator=assignee), session, offered(session, message))

    def of_names(self, message: MessageId, answer: Answer, withheld: Callable[[str], Sequence[str]]) -> Told | None:
        """The customer reads neutral words where the author named a channel or a group: nothing is lost unnoticed.
        `withheld`: those words, in a language."""
        session = answer.stored.session if isinstance(answer, Receipt) else None
        spoken = session.spoken(message) if session else None
        is_theirs = session is not None and (session.held(message) or (spoken and spoken.side is Side.REPLY))
        words = withheld(session.language) if session is not None and is_theirs else ()
        if session is None or not words:
            return None
        return Told(self._wording(session.language, "told.withheld", words=", ".join(words)), session)

    async def why(self, reason: Reason, here: ThreadRef, stored: Stored) -> str:
        """A refusal in words, with the way to where the talk goes on, if that is somewhere else."""
        language = stored.session.language
        text = self._wording(language, f"refused.{reason}")
        way = await self._whereabouts.way(stored, reason, here)
        return f"{text} {self._wording(language, 'refused.way', link=way)}" if way else text
