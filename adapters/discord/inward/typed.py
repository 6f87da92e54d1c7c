"""What is typed in a thread for us: a template's code, or a command. See `bridge.networks.typed_commands`.

What came of it stands in an answer to the message, which rings its author; whoever reads the thread reads it, too. So
what somebody asks about their own work is not answered there: `/chat` shows it to them alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from adapters.discord.controls.acting import place_of
from adapters.discord.heard.happenings import Revised, Said
from adapters.discord.heard.reading import Reading
from adapters.discord.inward.explanations import Explanations
from adapters.discord.inward.whispers import Whispers
from adapters.discord.people import People
from adapters.discord.render import clock
from adapters.discord.shown import held
from adapters.discord.text.manners import manner
from adapters.discord.text.markup import escape
from bridge import templates
from bridge.messages import FilePart
from bridge.networks.canned import Canned
from bridge.networks.commands import Command, Mistyped
from bridge.networks.orders import Orders
from bridge.networks.typed_commands import Shown, TypedCommands
from bridge.networks.typed_templates import TypedTemplates
from bridge.ports import Placed, Store, Stored
from bridge.relay import Answer, Door, Receipt
from bridge.templates import Typed as Code
from routing.ids import OperatorId
from routing.inputs import Manner
from routing.session import Session

_MENTION = re.compile(r"<@!?(\d{15,20})>")

Language = Callable[[OperatorId], str]
"""The language that an operator reads."""


class Typed:
    """`orders`: what commands are called; without them there are none. `language`: None for the session's."""

    def __init__(
        self,
        *,
        store: Store,
        door: Door,
        people: People,
        reading: Reading,
        whispers: Whispers,
        explanations: Explanations,
        canned: Canned,
        orders: Orders | None,
        language: Language | None,
    ) -> None:
        self._people = people
        self._reading = reading
        self._whispers = whispers
        self._explanations = explanations
        self._language = language
        self._templates: TypedTemplates[Said] = TypedTemplates(canned, door, whispers.wording, self._tell)
        self._commands = self._of(orders, door, store) if orders is not None else None

    def _of(self, orders: Orders, door: Door, store: Store) -> TypedCommands[Said]:
        return TypedCommands(
            orders=orders,
            door=door,
            store=store,
            wording=self._whispers.wording,
            show=self._show,
            answer=self._elsewhere,
            mentioned=self._mentioned,
            language=self._reads,
        )

    # ------------------------------------------------------------------ what it is

    def _asked(self, said: Said, session: Session) -> Command | Mistyped | None:
        if self._commands is None or said.forwarded:
            return None
        return self._commands.read(self._reading.words(said, session.language).text)

    def manner(self, said: Said, text: str, session: Session) -> tuple[Manner, int]:
        """How its words are meant, and where they begin."""
        asked = self._asked(said, session)
        return self._commands.manner(asked) if self._commands and asked else manner(said.text, text)

    # ------------------------------------------------------------------ when it is written

    async def take(self, said: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]) -> bool:
        """Whether it was typed for us, and that is done. Raises as the door does."""
        asked = self._asked(said, stored.session)
        if self._commands and isinstance(asked, Command) and self._commands.acts(asked):
            await self._command(said, placed, stored, asked, self._commands)
            return True
        code, operator = self._code(said, stored, files), self._operator(said, placed, stored)
        if code is None or operator is None:
            return False
        answer = await self._templates.said(said, placed, stored, code, operator, said.author.user)
        await self._explanations.explain(answer, said)
        await self._explanations.late(answer, said, stored)
        return True

    async def _command(
        self, said: Said, placed: Placed, stored: Stored, asked: Command, commands: TypedCommands[Said]
    ) -> None:
        """What was typed is for us. It is no message of the session's."""
        operator = self._operator(said, placed, stored)
        if operator is None:
            text = self._whispers.wording(stored.session.language, "told.not_enrolled", author=said.author.user)
            await self._whispers.reply(said, text, "command")
            await self._people.note_unknown(said.author.user, place_of(stored, placed))
            return
        answer = await commands.take(said, stored, asked, operator)
        if answer is not None:
            await self._explanations.refused(answer, said, stored)

    async def explain(self, said: Said, placed: Placed, answer: Answer) -> None:
        """What looks like a command, is none, and so stayed inside."""
        session = answer.stored.session if isinstance(answer, Receipt) else None
        asked = self._asked(said, session) if session is not None else None
        if session is not None and self._commands and isinstance(asked, Mistyped) and isinstance(answer, Receipt):
            await self._commands.explain(said, session, asked, self._operator(said, placed, answer.stored))

    # ------------------------------------------------------------------ when it is edited

    async def takes_edit(self, revised: Revised, placed: Placed, stored: Stored) -> bool:
        """Whether it was a command, or is a template's code now, and that is done."""
        session = stored.session
        if self._commands and await self._commands.takes_edit(revised, session, self._asked(revised, session)):
            return True
        code, operator = self._code(revised, stored, ()), self._operator(revised, placed, stored)
        if code is None or operator is None:
            return False
        answer = await self._templates.revised(revised, revised.revision, stored, code, operator)
        await self._explanations.explain_edit(revised, session, answer, Manner.PLAIN)
        await self._explanations.refused(answer, revised, stored)
        return True

    # ------------------------------------------------------------------ who, and what they are told

    def _code(self, said: Said, stored: Stored, files: tuple[FilePart, ...]) -> Code | None:
        if files or said.forwarded:
            return None
        return templates.typed(self._reading.words(said, stored.session.language).text)

    def _operator(self, said: Said, placed: Placed, stored: Stored) -> OperatorId | None:
        return self._people.operator(said.author.user, place_of(stored, placed))

    def _mentioned(self, said: Said) -> OperatorId | None:
        """The first colleague whom it names in Discord's own way."""
        found = _MENTION.search(said.text)
        return self._people.operator(found[1]) if found else None

    def _reads(self, operator: OperatorId | None, session: Session) -> str:
        return self._language(operator) if operator and self._language else session.language

    async def _show(self, said: Said, shown: Shown) -> None:
        words = {name: escape(value) for name, value in shown.words.items()}
        if shown.at is not None:
            words["time"] = clock(shown.at)
        text = f"{self._whispers.wording(shown.language, shown.key, **words)} {shown.more}".strip()
        buttons = held.offer(shown.session, shown.offer, self._whispers.wording) if shown.offer else ()
        await self._whispers.reply(said, text, "command", buttons)

    async def _elsewhere(self, said: Said, asked: Command, operator: OperatorId) -> None:
        language = self._language(operator) if self._language else "en"
        word = self._commands.word(asked.verb, language) if self._commands else asked.verb
        await self._whispers.reply(said, self._whispers.wording(language, "command.ask_alone", word=word), "command")

    async def _tell(self, said: Said, text: str) -> None:
        await self._whispers.reply(said, escape(text), "template")
