"""What people in Slack are told of what became of their words: why not, and which way it goes."""

from __future__ import annotations

from adapters.slack import held
from adapters.slack.ephemerals import Tell
from adapters.slack.parse import Pressed, Revised, Said
from adapters.slack.people import People
from adapters.slack.reading import Reading
from adapters.slack.refs import Root
from adapters.slack.render import Wording
from bridge.directory import Directory
from bridge.ports import Stored
from bridge.relay import Answer, Receipt
from bridge.whereabouts import Whereabouts
from routing import edits
from routing.decide import Refusal
from routing.facts import Side
from routing.ids import InputKey, MessageId
from routing.inputs import Manner
from routing.session import Reason, Session, State


class Explanations:
    def __init__(
        self,
        *,
        wording: Wording,
        directory: Directory,
        people: People,
        tell: Tell,
        whereabouts: Whereabouts,
        reading: Reading,
    ) -> None:
        self._wording = wording
        self._directory = directory
        self._people = people
        self._tell = tell
        self._whereabouts = whereabouts
        self._reading = reading

    def is_stranger(self, happening: Said | Pressed, stored: Stored, root: Root) -> bool:
        """Guests from another workspace (Slack Connect) read along; they do not answer customers."""
        if not self._people.is_guest(happening.author):
            return False
        text = self._wording(stored.session.language, "told.stranger")
        self._tell.later(happening.key, root, happening.author.user, text)
        return True

    async def refuse_unknown(self, key: InputKey, user: str, root: Root, stored: Stored) -> None:
        text = self._wording(stored.session.language, "told.not_enrolled", author=self._people.named(user))
        self._tell.later(key, root, user, text)
        await self._people.note_unknown(user, root.channel)

    def explain(self, answer: Answer, message: MessageId, key: InputKey, root: Root, user: str) -> None:
        """A note that its author may have meant for the customer: why it is one, and the button that sends it."""
        session = answer.stored.session if isinstance(answer, Receipt) else None
        spoken = session.spoken(message) if session else None
        if session is None or spoken is None or spoken.inside not in held.OFFERED or session.state is State.CLOSED:
            return
        self._offer(session, message, f"inside.{spoken.inside}", key, root, user)

    def explain_edit(self, revised: Revised, before: Session, answer: Answer, meant: Manner) -> None:
        after = answer.stored.session if isinstance(answer, Receipt) else before
        became = None if isinstance(answer, Refusal) else edits.became(before, after, revised.message, meant)
        if became is edits.Became.NOTE_STAYS_NOTE:
            self._offer(after, revised.message, "told.note_stays_note", revised.key, revised.root, revised.author.user)
        elif became is not None:
            text = self._wording(after.language, f"told.{became}")
            self._tell.later(revised.key, revised.root, revised.author.user, text)

    def _offer(self, session: Session, message: MessageId, why: str, key: InputKey, root: Root, user: str) -> None:
        language, spoken = session.language, session.spoken(message)
        assignee = self._directory.public_name(session.assignee, language) if session.assignee else ""
        text = self._wording(language, why, operator=assignee)
        mirror = spoken.mirror if spoken and spoken.mirror else session.mirror.number
        blocks = held.offer(session, message, mirror, text, self._wording)
        self._tell.later(key, root, user, text, blocks)

    async def answer(self, answer: Answer, key: InputKey, root: Root, user: str, stored: Stored) -> None:
        """A refusal says why, and offers the way."""
        if not isinstance(answer, Refusal):
            return
        self._tell.later(key, root, user, await self.why(answer.reason, root, stored))

    async def why(self, reason: Reason, root: Root, stored: Stored) -> str:
        """A refusal in words, with the way to where the talk goes on, if that is somewhere else."""
        language = stored.session.language
        text = self._wording(language, f"refused.{reason}")
        way = await self._whereabouts.way(stored, reason, root.ref)
        return f"{text} {self._wording(language, 'refused.way', link=way)}" if way else text

    def tell_withheld(self, said: Said, answer: Answer) -> None:
        """The customer reads a neutral word where the author named a channel or a group: nothing is lost unnoticed."""
        session = answer.stored.session if isinstance(answer, Receipt) else None
        spoken = session.spoken(said.message) if session else None
        is_theirs = session is not None and (session.held(said.message) or (spoken and spoken.side is Side.REPLY))
        withheld = self._reading.names(said, session.language).withheld(said.text) if session and is_theirs else ()
        if session is not None and withheld:
            text = self._wording(session.language, "told.withheld", words=", ".join(withheld))
            self._tell.later(InputKey(f"{said.key}/names"), said.root, said.author.user, text)
