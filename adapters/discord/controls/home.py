"""`/chat home`: an operator's own desk in Discord, shown to them alone, and kept up to date for a while.

What only one person sees can be changed by the interaction that led to it, for a quarter of an hour. So it is looked at
every few seconds for as long, and changed only if something on it is another now; then it says that it stays as it is.
Each press is an interaction of its own, and begins that time anew. Of several homes of one person the latest is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from time import monotonic

import structlog

from adapters.discord.controls.callers import Callers
from adapters.discord.controls.replies import Reply
from adapters.discord.heard.happenings import AtHome, Author
from adapters.discord.render import Rendered, clock
from adapters.discord.shown import sheet
from adapters.discord.shown.sheet import AWAY, BACK, LOOK, NEXT
from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.networks.claims import claim_next
from bridge.networks.face import Face
from bridge.networks.roster import Roster, Sheet
from bridge.relay import Door, Receipt
from routing.availability import Choice
from routing.ids import OperatorId

ROWS = 8
"""Sessions in each list: an embed's description takes 4,096 characters."""

LOOK_EVERY = 5.0
"""Seconds between two looks at the homes that are kept: many changes cost one call."""

KEPT_FOR = 14 * 60.0
"""Seconds. Discord takes changes for fifteen minutes; the last one says that there will be no more."""

KEPT = 1_000
"""Homes kept up to date by one process."""

LAST_WORDS = 2.0
"""Seconds for saying so when the process ends."""

CHOICES = {AWAY: Choice.AWAY, BACK: Choice.ON}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Kept:
    """A home that somebody has before them, perhaps. `ends` is its end in ms since 1970 (UTC), `until` by our clock;
    `shown` is what it shows, but for the time of drawing."""

    author: Author
    reply: Reply
    until: float
    ends: int
    notice: str
    shown: Rendered
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Home:
    def __init__(self, roster: Roster, door: Door, callers: Callers) -> None:
        self._roster = roster
        self._door = door
        self._callers = callers
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def show(self, operator: OperatorId, author: Author, reply: Reply) -> None:
        drawn = await self._roster.sheet(operator, ROWS)
        former = self._kept.pop(author.user, None)
        await reply.say(self._keep(drawn, author, reply))
        if former is not None:
            await self._end(former)

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
        former = self._kept.pop(pressed.author.user, None)
        if former is not None:
            async with former.turn:  # what was drawn before the press must not come after it
                pass
        return await reply.change(self._keep(drawn, pressed.author, reply, notice))

    async def _next(self, operator: OperatorId, key: str, face: Face) -> str:
        """What is said of claiming whoever is to be served next."""
        taken = await claim_next(self._roster, self._door, operator, key)
        if isinstance(taken, Receipt):
            return face.say("home.claimed", code=taken.stored.session.code)
        return face.say("home.queue.none" if taken is None else f"refused.{taken}")

    # ------------------------------------------------------------------ keeping it up to date

    def _keep(self, drawn: Sheet, author: Author, reply: Reply, notice: str = "") -> Rendered:
        """How it looks; from here on it is looked after."""
        ends = drawn.now + round(KEPT_FOR * 1000)
        kept = _Kept(author, reply, monotonic() + KEPT_FOR, ends, notice, Rendered(""))
        kept.shown = self._drawn(replace(drawn, now=0), kept)
        self._kept[author.user] = kept
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._drawn(drawn, kept)

    def _drawn(self, drawn: Sheet, kept: _Kept, *, last: bool = False) -> Rendered:
        face = self._callers.face(drawn.language)
        goes_on = face.say("home.ended") if last else face.say("home.refreshes", time=clock(kept.ends, "t"))
        return sheet.home(drawn, face, kept.notice, goes_on)

    async def run(self) -> None:
        """Keep the homes up to date until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()

    async def look(self) -> None:
        """One look at every home that is kept."""
        for user, kept in list(self._kept.items()):
            if kept.until < monotonic():
                self._drop(user, kept)
                await self._end(kept)
            else:
                await self._follow(user, kept)

    async def _follow(self, user: str, kept: _Kept) -> None:
        """Change it, if it is another one now. Nobody waits for it, so nothing is raised."""
        operator = self._callers.known(kept.author)
        if operator is None:
            self._drop(user, kept)  # whoever is no operator any more sees nothing new
            return
        async with kept.turn:
            try:
                drawn = await self._roster.sheet(operator, ROWS)
                shown = self._drawn(replace(drawn, now=0), kept)
                if shown != kept.shown and self._kept.get(user) is kept:
                    await kept.reply.anew(self._drawn(drawn, kept))
                    kept.shown = shown
            except DeliveryError as error:
                if error.fault not in (Fault.TRANSIENT, Fault.AMBIGUOUS):
                    self._drop(user, kept)  # they have put it away, or Discord takes no more of it
                _log.info("discord_home_not_drawn", code=error.code)
            except KakehashiError as error:
                _log.warning("discord_home_not_drawn", reason=error.what)

    def _drop(self, user: str, kept: _Kept) -> None:
        if self._kept.get(user) is kept:
            del self._kept[user]

    async def _end(self, kept: _Kept) -> None:
        """It stays as it is from here on, and says so. One that cannot be told says until when it was to go on."""
        operator = self._callers.known(kept.author)
        try:
            if operator is not None:
                await kept.reply.anew(self._drawn(await self._roster.sheet(operator, ROWS), kept, last=True))
        except KakehashiError as error:
            _log.info("discord_home_not_ended", reason=error.what)

    async def stop(self) -> None:
        kept = list(self._kept.values())
        self._kept.clear()
        if kept:
            tasks = [asyncio.get_running_loop().create_task(self._end(one)) for one in kept]
            await asyncio.wait(tasks, timeout=LAST_WORDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
