"""What happens is told to each session that asked for it and may see it, under the session's own sequence."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import permissions
from .guild import Channel, Json
from .intents import ALWAYS, Intent
from .mischief import Fault

if TYPE_CHECKING:
    from .simulator import DiscordSimulator


@dataclass
class Dispatch:
    """One event. `reduced`: the form for sessions without MESSAGE_CONTENT, where it differs."""

    kind: str
    data: Json
    intent: Intent = ALWAYS
    reduced: Json | None = None
    number: int = 0
    at: float = field(default_factory=time.perf_counter)


class Events:
    """Hands events to the sessions, through whatever mischief lies in wait."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._discord = discord
        self.dispatches: deque[Dispatch] = deque(maxlen=100_000)
        self._held: list[Dispatch] = []
        self._delayed = 0

    def emit(
        self,
        kind: str,
        data: Json,
        intent: Intent = ALWAYS,
        *,
        place: Channel | None = None,
        reduced: Json | None = None,
    ) -> None:
        """Tell of something. `place`: where it happened, if only those may know of it who can see that channel."""
        guild = self._discord.guild
        if guild.bot is None and kind != "GUILD_DELETE":
            return
        if place is not None and not permissions.within(guild, guild.bot, place) & permissions.P.VIEW_CHANNEL:
            return
        number = self.dispatches[-1].number + 1 if self.dispatches else 1
        dispatch = Dispatch(kind, data, intent, reduced, number)
        self.dispatches.append(dispatch)
        self._befall(dispatch)

    def _befall(self, dispatch: Dispatch) -> None:
        rule = self._discord.mischief.for_event(dispatch.kind, dispatch.data)
        fault = rule.fault if rule else None
        if fault is Fault.LOSE_EVENT:
            return
        if rule and fault is Fault.REORDER:
            self._held.append(dispatch)
            return
        if rule and fault is Fault.DELAY:
            self._delayed += 1
            self._discord.spawn(self._later(dispatch, rule.seconds))
            return
        if rule and fault is Fault.MALFORM:
            dispatch.data = {k: v for k, v in dispatch.data.items() if k not in rule.missing}
            dispatch.reduced = None
        for _ in range(1 + (rule.copies if rule and fault is Fault.DUPLICATE else 0)):
            self._discord.gateway.dispatch(dispatch)
        self.release_held()

    async def _later(self, dispatch: Dispatch, seconds: float) -> None:
        try:
            await self._discord.clock.sleep(seconds)
            self._discord.gateway.dispatch(dispatch)
        finally:
            self._delayed -= 1
            self._discord.wake()

    def release_held(self) -> None:
        """Let go what waited to be overtaken."""
        held, self._held = self._held, []
        for dispatch in reversed(held):
            self._discord.gateway.dispatch(dispatch)

    @property
    def pending(self) -> int:
        """Events that no socket has taken yet, though one is there that listens."""
        return self._delayed + self._discord.gateway.unsent

    async def settled(self, *, timeout: float = 60.0) -> None:
        """Return when no event is on its way any more. Discord has no acknowledgement: what a client then does with
        it is for the test to wait for."""
        await self._discord.until(lambda: not self.pending, timeout=timeout)
