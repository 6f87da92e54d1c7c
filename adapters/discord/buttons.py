"""Buttons and menus of a card, and what is done for them."""

from __future__ import annotations

from adapters.discord.parse import Pressed
from adapters.discord.people import People
from adapters.discord.presses import SETTLED, deed
from adapters.discord.whispers import Whispers
from bridge.ports import Placed, Stored
from bridge.relay import Door, Relay
from routing.decide import Refusal


class Buttons:
    def __init__(self, relay: Relay, door: Door, people: People, whispers: Whispers) -> None:
        self._relay = relay
        self._door = door
        self._people = people
        self._whispers = whispers

    async def pressed(self, pressed: Pressed) -> None:
        """The button names its session, so its thread is placed by it. Committed first, answered then."""
        stored, done = await self._relay.session(pressed.placed.session), deed(pressed)
        if stored is None or done is None:
            return await self._whispers.answer(pressed.interaction, "told.no_session_here", "")
        language, place = stored.session.language, place_of(stored, pressed.placed)
        operator = self._people.operator(pressed.author.user, place)
        if operator is None:
            await self._people.note_unknown(pressed.author.user, place)
            author = pressed.author.user
            return await self._whispers.answer(pressed.interaction, "told.not_enrolled", language, author=author)
        event = done(operator, pressed)
        if event is None:
            return await self._whispers.answer(pressed.interaction, "refused.nothing_to_send", language)
        answer = await self._door.from_operator(stored.session.id, event, pressed.key)
        if isinstance(answer, Refusal):
            return await self._whispers.answer(pressed.interaction, f"refused.{answer.reason}", language)
        if pressed.action in SETTLED:
            return await self._whispers.settle(pressed.interaction, SETTLED[pressed.action], language)
        return await self._whispers.done(pressed.interaction)


def place_of(stored: Stored, placed: Placed) -> str:
    """The channel of the thread that was pressed in."""
    return next((one.place for one in stored.session.mirrors if one.number == placed.mirror), "")
