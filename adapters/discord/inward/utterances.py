"""What operators write in a session's thread, change there and take back becomes input of that session."""

from __future__ import annotations

import structlog

from adapters.discord.controls.acting import place_of
from adapters.discord.heard.happenings import InThread, Revised, Said, Withdrawn
from adapters.discord.heard.quotes import Quotes
from adapters.discord.heard.reading import Reading
from adapters.discord.inward.contents import Contents
from adapters.discord.inward.explanations import Explanations
from adapters.discord.inward.fetching import Fetching
from adapters.discord.inward.typed import Typed
from adapters.discord.inward.whispers import Whispers
from adapters.discord.people import People
from bridge.marks import cut
from bridge.messages import Body, FilePart
from bridge.ports import Placed, Store, Stored
from bridge.relay import Door, Relay
from routing.facts import Side
from routing.ids import OperatorId
from routing.inputs import INSIDE, Manner, OperatorRevised, OperatorWithdrew, OperatorWrote, Origin
from routing.session import Session, Spoken

_log = structlog.get_logger(__name__)


class Utterances:
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
        quotes: Quotes,
        explanations: Explanations,
        contents: Contents,
        typed: Typed,
    ) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._people = people
        self._reading = reading
        self._fetching = fetching
        self._whispers = whispers
        self._quotes = quotes
        self._explanations = explanations
        self._contents = contents
        self._typed = typed

    async def act(self, happening: InThread, placed: Placed, files: tuple[FilePart, ...]) -> None:
        stored = await self._relay.session(placed.session)
        if stored is None:
            _log.warning("discord_session_unknown", session=placed.session, input=happening.key)
        elif isinstance(happening, Withdrawn):
            await self._withdrawn(happening, stored)
        elif happening.blank:
            await self._missed(happening, stored)
        elif isinstance(happening, Revised):
            await self._revised(happening, placed, stored)
        else:
            await self._said(happening, placed, stored, files)

    async def _missed(self, said: Said, stored: Stored) -> None:
        """It holds nothing at all. Neither is a message sent by it, nor one that was sent emptied."""
        if self._people.operator(said.author.user, stored.session.mirror.place) is not None:
            await self._contents.missed(said, stored)

    async def _said(self, said: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]) -> None:
        self._contents.read()
        if await self._typed.take(said, placed, stored, files):
            return
        operator = self._people.operator(said.author.user, stored.session.mirror.place)
        meant, body = await self._meant(said, placed, stored, files)
        if not body.parts:
            await self._nothing_to_send(said, operator, stored)
            return
        event = OperatorWrote(said.message, operator, said.author.user, Origin(placed.mirror), meant)
        answer = await self._door.from_operator(placed.session, event, said.original, body=body)
        if operator is None and meant not in INSIDE:
            await self._people.note_unknown(said.author.user, place_of(stored, placed))
        await self._explanations.explain(answer, said)
        await self._typed.explain(said, placed, answer)
        await self._explanations.tell_withheld(said, answer)
        await self._explanations.late(answer, said, stored)

    async def _nothing_to_send(self, said: Said, operator: OperatorId | None, stored: Stored) -> None:
        """An empty message; or nothing but files that were refused, of which the operator was told."""
        if operator is not None and said.other:
            text = self._whispers.wording(stored.session.language, "told.kind")
            await self._whispers.reply(said, text, "kind")

    async def _meant(
        self, said: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]
    ) -> tuple[Manner, Body]:
        """Whom it is for, and what it says then: under what it answers, if that is the customer's."""
        session = stored.session
        text = self._reading.words(said, session.language, await self._zone(said, session))
        meant, begins = self._typed.manner(said, text.text, session)
        if said.forwarded:
            meant, begins = Manner.FORWARDED, 0
        answered = await self._quotes.answered(said, placed, session)
        if meant is Manner.PLAIN and _is_a_colleagues(said, answered):
            meant = Manner.ADDRESSED
        words = cut(text, begins)
        if (said.voice and not files) or not (words.text.strip() or files):
            return meant, Body(())
        above = await self._quotes.of(answered, stored)
        return meant, Body((*((above,) if above else ()), *((words,) if words.text.strip() else ()), *files))

    async def _zone(self, said: Said, session: Session) -> str:
        """The customer's, where there is a date to be told in it."""
        texts = (said.text, *(one.text for one in said.forwarded))
        return (await self._store.about(session.id)).time_zone if any("<t:" in text for text in texts) else ""

    async def _revised(self, revised: Revised, placed: Placed, stored: Stored) -> None:
        """A note stays a note, and a reply that is edited into one is taken back from the customer."""
        session = stored.session
        if await self._typed.takes_edit(revised, placed, stored):
            return
        files = await self._fetching.files_of(revised, stored, placed)
        meant, body = await self._meant(revised, placed, stored, files)
        known = session.spoken(revised.message) or session.held(revised.message)
        if meant in INSIDE and not (known or await self._store.has_body(session.id, revised.message)):
            # The edit overtook its message, which is still to come: it then finds its key used.
            await self._said(revised, placed, stored, ())
            return
        who = self._people.known_as(revised.author.user, place_of(stored, placed), session, revised.message)
        event = OperatorRevised(revised.message, who, revised.revision, manner=meant)
        answer = await self._door.from_operator(session.id, event, revised.key, body=body)
        await self._explanations.refused(answer, revised, stored)
        await self._explanations.tell_withheld(revised, answer)
        await self._explanations.explain_edit(revised, session, answer, meant)

    async def _withdrawn(self, withdrawn: Withdrawn, stored: Stored) -> None:
        """Discord says neither whose it was nor who did it; it counts as its author's doing."""
        session, spoken = stored.session, stored.session.spoken(withdrawn.message)
        pending = session.held(withdrawn.message)
        by = pending.by if pending else spoken.by if spoken else ""
        if by:
            event = OperatorWithdrew(withdrawn.message, OperatorId(by))
            await self._door.from_operator(session.id, event, withdrawn.key)


def _is_a_colleagues(said: Said, answered: Spoken | None) -> bool:
    """Who answers a colleague's message speaks to them: when in doubt it stays inside."""
    return bool(said.answered) or (answered is not None and answered.side is Side.NOTE)
