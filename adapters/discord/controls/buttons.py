"""Buttons and menus of cards and of lines in a thread, and what is done for them."""

from __future__ import annotations

from adapters.discord.controls.acting import Act, Acting
from adapters.discord.controls.presses import DEEDS, MAY_EXPLAIN, SETTLED, action_of, is_taken_back
from adapters.discord.controls.replies import Reply
from adapters.discord.controls.windows import Windows
from adapters.discord.heard.happenings import Pressed
from adapters.discord.render import Rendered
from adapters.discord.shown import held
from adapters.discord.shown.views import TEMPLATE
from bridge.networks import blocks
from bridge.networks.card import Action, Wording
from bridge.networks.deeds import OF_THE_CUSTOMER
from bridge.networks.explanations import Explanations
from bridge.networks.windows import WINDOWS
from bridge.relay import Answer, Door, Relay
from routing.decide import Refusal


class Buttons:
    def __init__(
        self,
        *,
        relay: Relay,
        door: Door,
        acting: Acting,
        windows: Windows,
        explanations: Explanations,
        wording: Wording,
    ) -> None:
        self._relay = relay
        self._door = door
        self._acting = acting
        self._windows = windows
        self._explanations = explanations
        self._wording = wording

    async def pressed(self, pressed: Pressed, reply: Reply) -> None:
        """The button names its session, so its thread is placed by it. Committed first, answered then."""
        action = action_of(pressed)
        if is_taken_back(pressed):
            return await reply.taken()
        act = await self._acting.of(pressed.placed, pressed.author, reply)
        if act is None:
            return None
        if action in WINDOWS:
            return await self._windows.open(Action(action), act)
        if action == TEMPLATE:
            return await self._windows.fill(pressed.aim.choice, act)
        return await self.done(action, pressed, act)

    async def done(self, action: str, pressed: Pressed, act: Act) -> None:
        """What a button does that needs no window."""
        deed = DEEDS.get(action)
        event = deed(act.operator, pressed) if deed else None
        if event is None:
            return await act.reply.tell("refused.nothing_to_send", act.language)
        subject = await blocks.subject(self._relay, act.stored) if action in OF_THE_CUSTOMER else act.stored
        answer = await self._door.from_operator(subject.session.id, event, pressed.key)
        if isinstance(answer, Refusal):
            return await act.reply.say(Rendered(await self._acting.why(act, answer.reason)))
        return await self._answer(action, answer, pressed, act)

    async def _answer(self, action: str, answer: Answer, pressed: Pressed, act: Act) -> None:
        """A line of the thread is the lane's to end; one that nobody else keeps says what was done."""
        told = self._explanations.of_words(answer, pressed.aim.message) if pressed.aim.message else None
        if action in SETTLED:
            return await act.reply.change(Rendered(self._wording(act.language, SETTLED[action])))
        if told is not None and told.offer is not None and action in MAY_EXPLAIN:
            buttons = held.offer(told.session, told.offer, self._wording)
            return await act.reply.say(Rendered(told.text, components=buttons))
        return await act.reply.taken()
