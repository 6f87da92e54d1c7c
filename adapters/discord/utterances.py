"""What operators write in a session's thread, change there and take back becomes input of that session."""

from __future__ import annotations

import structlog

from adapters.discord.buttons import place_of
from adapters.discord.fetching import Fetching
from adapters.discord.manners import manner
from adapters.discord.parse import InThread, Revised, Said, Withdrawn
from adapters.discord.people import People
from adapters.discord.reading import Reading
from adapters.discord.whispers import Whispers
from bridge.marks import cut
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Placed, Store, Stored
from bridge.relay import Door, Relay
from routing.decide import Refusal
from routing.ids import OperatorId
from routing.inputs import INSIDE, OperatorRevised, OperatorWithdrew, OperatorWrote, Origin

_log = structlog.get_logger(__name__)


class Utterances:
    """`content_missing`: whether the last message held nothing at all, as every one does without the intent."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        door: Door,
        people: People,
        reading: Reading,
        fetching: Fetching,
        whispers: Whispers,
    ) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._people = people
        self._reading = reading
        self._fetching = fetching
        self._whispers = whispers
        self.content_missing = False

    async def act(self, happening: InThread, placed: Placed, files: tuple[FilePart, ...]) -> None:
        stored = await self._relay.session(placed.session)
        if stored is None:
            _log.warning("discord_session_unknown", session=placed.session, input=happening.key)
        elif isinstance(happening, Withdrawn):
            await self._withdrawn(happening, stored)
        elif isinstance(happening, Revised):
            await self._revised(happening, placed, stored)
        else:
            await self._said(happening, placed, stored, files)

    async def _said(self, said: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]) -> None:
        self.content_missing = said.blank
        text = self._words(said, stored)
        meant, begins = manner(said.text, text.text)
        body = _body(cut(text, begins), files)
        if not body.parts:
            return
        place = place_of(stored, placed)
        operator = self._people.operator(said.author.user, stored.session.mirror.place)
        event = OperatorWrote(said.message, operator, said.author.user, Origin(placed.mirror), meant)
        answer = await self._door.from_operator(placed.session, event, said.original, body=body)
        if operator is None and meant not in INSIDE:
            await self._people.note_unknown(said.author.user, place)
        if isinstance(answer, Refusal):
            await self._whispers.refused(said, answer.reason, stored)

    async def _revised(self, revised: Revised, placed: Placed, stored: Stored) -> None:
        """A note stays a note, and a reply that is edited into one is taken back from the customer."""
        session, text = stored.session, self._words(revised, stored)
        meant, begins = manner(revised.text, text.text)
        known = session.spoken(revised.message) or session.held(revised.message)
        if meant in INSIDE and not (known or await self._store.has_body(session.id, revised.message)):
            # The edit overtook its message, which is still to come: it then finds its key used.
            await self._said(revised, placed, stored, ())
            return
        who = self._people.known_as(revised.author.user, place_of(stored, placed), session, revised.message)
        event = OperatorRevised(revised.message, who, revised.revision, manner=meant)
        body = _body(cut(text, begins), await self._fetching.files_of(revised, stored))
        answer = await self._door.from_operator(session.id, event, revised.key, body=body)
        if isinstance(answer, Refusal):
            await self._whispers.refused(revised, answer.reason, stored)

    async def _withdrawn(self, withdrawn: Withdrawn, stored: Stored) -> None:
        """Discord says neither whose it was nor who did it; it counts as its author's doing."""
        session, spoken = stored.session, stored.session.spoken(withdrawn.message)
        pending = session.held(withdrawn.message)
        by = pending.by if pending else spoken.by if spoken else ""
        if by:
            event = OperatorWithdrew(withdrawn.message, OperatorId(by))
            await self._door.from_operator(session.id, event, withdrawn.key)

    def _words(self, said: Said, stored: Stored) -> TextPart:
        return self._reading.words(said, stored.session.language)


def _body(text: TextPart, files: tuple[FilePart, ...]) -> Body:
    return Body((*((text,) if text.text.strip() else ()), *files))
