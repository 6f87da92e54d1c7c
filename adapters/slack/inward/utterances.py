"""What operators write in a session's thread, change there and take back becomes input of that session."""

from __future__ import annotations

import structlog

from adapters.slack.inward.explanations import Explanations
from adapters.slack.inward.fetching import Fetching
from adapters.slack.inward.reading import Reading
from adapters.slack.parse import InThread, Revised, Said, Withdrawn
from adapters.slack.people import People
from adapters.slack.text.manners import manner
from bridge import templates
from bridge.marks import cut
from bridge.messages import Body, FilePart, TextPart
from bridge.networks.commands import Command, Mistyped
from bridge.networks.late import Late
from bridge.networks.typed_commands import TypedCommands
from bridge.networks.typed_templates import TypedTemplates
from bridge.ports import Placed, Store, Stored
from bridge.relay import Answer, Door, Receipt, Relay
from routing.decide import Refusal
from routing.ids import InputKey, OperatorId
from routing.inputs import INSIDE, Manner, OperatorRevised, OperatorWithdrew, OperatorWrote, Origin

_log = structlog.get_logger(__name__)


class Utterances:
    """`late` tells of what was not sent, and marks it."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        door: Door,
        people: People,
        typed: TypedTemplates[Said],
        late: Late,
        reading: Reading,
        fetching: Fetching,
        explanations: Explanations,
    ) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._people = people
        self._typed = typed
        self._late = late
        self._reading = reading
        self._fetching = fetching
        self._explanations = explanations
        self.orders: TypedCommands[Said] | None = None

    async def act(self, happening: InThread, placed: Placed, files: tuple[FilePart, ...]) -> None:
        stored = await self._relay.session(placed.session)
        if stored is None:
            _log.warning("slack_session_unknown", session=placed.session, input=happening.key)
            return
        if isinstance(happening, Withdrawn):
            await self._withdrawn(happening, stored)
        elif self._explanations.is_stranger(happening, stored, happening.root):
            return
        elif not await self._typed_template(happening, placed, stored, files):
            await self._spoke(happening, placed, stored, files)

    async def _spoke(self, happening: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]) -> None:
        if isinstance(happening, Revised):
            await self._revised(happening, placed, stored)
        else:
            await self._said(happening, placed, stored, files)

    async def _said(self, said: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]) -> None:
        text = self._reading.words(said, stored)
        orders, asked = self.orders, self.orders.read(text.text) if self.orders and not said.shared else None
        if orders and isinstance(asked, Command) and orders.acts(asked):
            await self._command(said, stored, asked, orders)
            return
        meant, begins = self._manner(said, text.text, asked)
        body = _body(cut(text, begins), files)
        if not body.parts:
            return  # an empty message, or nothing but files that were refused; the operator was told
        answer = await self._wrote(said, placed, stored, meant, body, said.key)
        if orders and isinstance(asked, Mistyped) and isinstance(answer, Receipt):
            await orders.explain(said, answer.stored.session, asked, self._people.operator(said.author))

    def _manner(self, said: Said, text: str, asked: Command | Mistyped | None) -> tuple[Manner, int]:
        if said.shared:
            return Manner.FORWARDED, 0
        return self.orders.manner(asked) if self.orders and asked else manner(said.text, text)

    async def _command(self, said: Said, stored: Stored, asked: Command, orders: TypedCommands[Said]) -> None:
        """What was typed is for us. It is no message of the session's."""
        operator = self._people.operator(said.author, said.root.channel)
        if operator is None:
            await self._explanations.refuse_unknown(said.key, said.author.user, said.root, stored)
            return
        answer = await orders.take(said, stored, asked, operator)
        if answer is not None:
            await self._explanations.answer(answer, said.key, said.root, said.author.user, stored)

    async def _wrote(
        self, said: Said, placed: Placed, stored: Stored, meant: Manner, body: Body, key: InputKey
    ) -> Answer:
        """Whether it is a reply, routing says. Whoever wrote hears what became of it, unless they meant it so."""
        channel, user = said.root.channel, said.author.user
        operator, author = self._people.operator(said.author, channel), self._people.named(user)
        event = OperatorWrote(said.message, operator, author, Origin(placed.mirror), meant)
        answer = await self._door.from_operator(placed.session, event, key, body=body)
        self._explanations.explain(answer, said.message, said.key, said.root, user)
        self._explanations.tell_withheld(said, answer)
        if operator is None and meant in (Manner.PLAIN, Manner.REPLY):
            await self._people.note_unknown(user, channel)
        if isinstance(answer, Refusal):
            await self._refused(said, answer, stored)
        return answer

    async def _refused(self, said: Said, refusal: Refusal, stored: Stored) -> None:
        why = await self._explanations.why(refusal.reason, said.root, stored)
        await self._late.keep(said.key, said.root.ref, said.ts, said.author.user, why)

    async def _revised(self, revised: Revised, placed: Placed, stored: Stored) -> None:
        """A note stays a note, and a reply that is edited into one is taken back from the customer."""
        session, text = stored.session, self._reading.words(revised, stored)
        asked = self.orders.read(text.text) if self.orders and not revised.shared else None
        if self.orders and await self.orders.takes_edit(revised, session, asked):
            return
        meant, begins = self._manner(revised, text.text, asked)
        spoken = session.spoken(revised.message)
        known = spoken or session.held(revised.message) or await self._store.has_body(session.id, revised.message)
        if meant in INSIDE and not known:
            # The edit overtook its message, which is still to come: it then finds its key used.
            await self._wrote(revised, placed, stored, meant, _body(cut(text, begins), ()), revised.original)
            return
        who = self._people.known_as(revised.author.user, revised.root.channel, session, revised.message)
        event = OperatorRevised(revised.message, who, revised.revision, manner=meant)
        body = _body(cut(text, begins), await self._fetching.files_of(revised, stored))
        answer = await self._door.from_operator(session.id, event, revised.key, body=body)
        await self._explanations.answer(answer, revised.key, revised.root, revised.author.user, stored)
        self._explanations.tell_withheld(revised, answer)
        self._explanations.explain_edit(revised, session, answer, meant)

    async def _withdrawn(self, withdrawn: Withdrawn, stored: Stored) -> None:
        """It counts as its author's doing, see `deletions`."""
        session, spoken = stored.session, stored.session.spoken(withdrawn.message)
        pending = session.held(withdrawn.message)
        by = pending.by if pending else spoken.by if spoken else ""
        operator = OperatorId(by) or self._people.known_as(
            withdrawn.author, withdrawn.root.channel, session, withdrawn.message
        )
        event = OperatorWithdrew(withdrawn.message, operator)
        answer = await self._door.from_operator(session.id, event, withdrawn.key)
        if by or await self._store.has_body(session.id, withdrawn.message):  # else the customer never had it
            await self._explanations.answer(answer, withdrawn.key, withdrawn.root, withdrawn.author, stored)

    async def _typed_template(
        self, happening: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]
    ) -> bool:
        """`;code` stands for a template's words. Whether it was one, typed by somebody who may reply."""
        typed = None if files else templates.typed(self._reading.words(happening, stored).text)
        operator = self._people.operator(happening.author, happening.root.channel)
        if typed is None or operator is None:
            return False
        if isinstance(happening, Revised):
            answer = await self._typed.revised(happening, happening.revision, stored, typed, operator)
            self._explanations.explain_edit(happening, stored.session, answer, Manner.PLAIN)
        else:
            author = self._people.named(happening.author.user)
            answer = await self._typed.said(happening, placed, stored, typed, operator, author)
            self._explanations.explain(answer, happening.message, happening.key, happening.root, happening.author.user)
        self._explanations.tell_withheld(happening, answer)
        if isinstance(answer, Refusal):
            await self._refused(happening, answer, stored)
        return True


def _body(text: TextPart, files: tuple[FilePart, ...]) -> Body:
    return Body((*((text,) if text.text.strip() else ()), *files))
