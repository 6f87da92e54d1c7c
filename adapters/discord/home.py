"""`/chat home`: an operator's own desk in Discord, shown to them alone, and drawn anew with each press."""

from __future__ import annotations

from adapters.discord import sheet
from adapters.discord.callers import Callers
from adapters.discord.happenings import AtHome
from adapters.discord.replies import Reply
from adapters.discord.sheet import AWAY, BACK, LOOK, NEXT
from bridge.claims import claim_next
from bridge.face import Face
from bridge.relay import Door, Receipt
from bridge.roster import Roster
from routing.availability import Choice
from routing.ids import OperatorId

ROWS = 8
"""Sessions in each list: an embed's description takes 4,096 characters."""

CHOICES = {AWAY: Choice.AWAY, BACK: Choice.ON}


class Home:
    def __init__(self, roster: Roster, door: Door, callers: Callers) -> None:
        self._roster = roster
        self._door = door
        self._callers = callers

    async def show(self, operator: OperatorId, reply: Reply) -> None:
        drawn = await self._roster.sheet(operator, ROWS)
        await reply.say(sheet.home(drawn, self._callers.face(drawn.language)))

    async def pressed(self, pressed: AtHome, reply: Reply) -> None:
        """What was chosen is durable before the home is drawn again."""
        operator = await self._callers.operator(pressed.author, reply)
        if operator is None or pressed.action not in (AWAY, BACK, NEXT, LOOK):
            return None
        face = self._callers.face(self._roster.language(operator))
        if pressed.action in CHOICES:
            await self._roster.availability.choose(operator, CHOICES[pressed.action])
        notice = await self._next(operator, pressed.key, face) if pressed.action == NEXT else ""
        drawn = await self._roster.sheet(operator, ROWS)
        return await reply.change(sheet.home(drawn, face, notice))

    async def _next(self, operator: OperatorId, key: str, face: Face) -> str:
        """What is said of claiming whoever is to be served next."""
        taken = await claim_next(self._roster, self._door, operator, key)
        if isinstance(taken, Receipt):
            return face.say("home.claimed", code=taken.stored.session.code)
        return face.say("home.queue.none" if taken is None else f"refused.{taken}")
