"""What people in Slack are told of what became of their words: why not, and which way it goes."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.slack.inward.reading import Reading
from adapters.slack.parse import Pressed, Revised, Said
from adapters.slack.people import People
from adapters.slack.refs import Root
from adapters.slack.render import Wording
from adapters.slack.shown import held
from adapters.slack.shown.ephemerals import Tell
from bridge.directory import Directory
from bridge.networks import explanations
from bridge.networks.explanations import Told
from bridge.networks.whereabouts import Whereabouts
from bridge.ports import Stored
from bridge.relay import Answer
from routing.decide import Refusal
from routing.ids import InputKey, MessageId
from routing.inputs import Manner
from routing.session import Reason, Session


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
        self._people = people
        self._tell = tell
        self._neutral = explanations.Explanations(wording, directory, whereabouts)
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
        self._tell_of(self._neutral.of_words(answer, message), key, root, user)

    def explain_edit(self, revised: Revised, before: Session, answer: Answer, meant: Manner) -> None:
        told = self._neutral.of_edit(revised.message, before, answer, meant)
        self._tell_of(told, revised.key, revised.root, revised.author.user)

    def _tell_of(self, told: Told | None, key: InputKey, root: Root, user: str) -> None:
        if told is not None:
            blocks = held.offer(told.session, told.offer, told.text, self._wording) if told.offer else ()
            self._tell.later(key, root, user, told.text, blocks)

    async def answer(self, answer: Answer, key: InputKey, root: Root, user: str, stored: Stored) -> None:
        """A refusal says why, and offers the way."""
        if not isinstance(answer, Refusal):
            return
        self._tell.later(key, root, user, await self.why(answer.reason, root, stored))

    async def why(self, reason: Reason, root: Root, stored: Stored) -> str:
        """A refusal in words, with the way to where the talk goes on, if that is somewhere else."""
        return await self._neutral.why(reason, root.ref, stored)

    def tell_withheld(self, said: Said, answer: Answer) -> None:
        """The customer reads a neutral word where the author named a channel or a group."""

        def withheld(language: str) -> Sequence[str]:
            return self._reading.names(said, language).withheld(said.text)

        told = self._neutral.of_names(said.message, answer, withheld)
        self._tell_of(told, InputKey(f"{said.key}/names"), said.root, said.author.user)
