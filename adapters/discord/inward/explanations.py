"""What people on Discord are told of what became of their words: why not, and which way it goes.

It stands in the thread, as a reply to their message, with the button that sends after all what stayed inside.
"""

from __future__ import annotations

from adapters.discord.heard.happenings import Revised, Said
from adapters.discord.heard.reading import Reading
from adapters.discord.inward.whispers import Whispers
from adapters.discord.shown import held
from bridge.networks import explanations
from bridge.networks.explanations import Told
from bridge.networks.late import Late
from bridge.ports import Stored
from bridge.relay import Answer
from routing.decide import Refusal
from routing.inputs import Manner
from routing.session import Session


class Explanations:
    def __init__(self, neutral: explanations.Explanations, reading: Reading, whispers: Whispers, late: Late) -> None:
        self._neutral = neutral
        self._late = late
        self._reading = reading
        self._whispers = whispers

    async def explain(self, answer: Answer, said: Said) -> None:
        """Words that stayed inside, and that their author may have meant for the customer."""
        await self._tell(self._neutral.of_words(answer, said.message), said, "inside")

    async def explain_edit(self, revised: Revised, before: Session, answer: Answer, meant: Manner) -> None:
        await self._tell(self._neutral.of_edit(revised.message, before, answer, meant), revised, "edit")

    async def tell_withheld(self, said: Said, answer: Answer) -> None:
        """The customer reads a neutral word where the author named a channel or a role."""
        told = self._neutral.of_names(
            said.message, answer, lambda language: self._reading.names(language).withheld(said.text)
        )
        await self._tell(told, said, "names")

    async def refused(self, answer: Answer, said: Said, stored: Stored) -> None:
        """A refusal says why, and offers the way."""
        if isinstance(answer, Refusal):
            why = await self._neutral.why(answer.reason, said.root.ref, stored)
            await self._whispers.reply(said, why, "refused")

    async def late(self, answer: Answer, said: Said, stored: Stored) -> None:
        """What was written for the customer, and is not sent: said also if we end before we could, and marked."""
        if isinstance(answer, Refusal):
            why = await self._neutral.why(answer.reason, said.root.ref, stored)
            await self._late.keep(said.key, said.root.ref, said.id, said.author.user, why)

    async def _tell(self, told: Told | None, said: Said, name: str) -> None:
        if told is not None:
            buttons = held.offer(told.session, told.offer, self._whispers.wording) if told.offer else ()
            await self._whispers.reply(said, told.text, name, buttons)
