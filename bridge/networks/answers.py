"""Answers: what an operator is shown who asks for their own work by typing. The same for every network; each
draws it in its own form."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.networks.commands import IN_THREAD, Command, Mistyped, Verb
from bridge.networks.roster import Roster, Row, Sheet
from routing.availability import Choice, Standing
from routing.ids import OperatorId

CHOICES = {Verb.AWAY: Choice.AWAY, Verb.BACK: Choice.ON}


@dataclass(frozen=True, slots=True)
class Shown:
    """The sheet, or the part of it that was asked for: HOME, QUEUE or MINE."""

    part: Verb
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Stood:
    """They are away, or back."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class Found:
    """Sessions that were looked for; none, if `rows` is empty."""

    sought: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """All commands."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """Nothing is done, and why: `command.{key}` of the wording, about this command."""

    key: str
    verb: Verb


Answer = Shown | Stood | Found | Explained | Lacking | Mistyped


class Answers:
    """Whoever asks is an operator: that was looked up before."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster

    async def answer(self, asked: Command | Mistyped, operator: OperatorId, shown: int) -> Answer:
        """Carry it out. At most `shown` rows in each list. Raises StoreUnavailableError, OverloadedError."""
        if isinstance(asked, Mistyped) or asked.verb is Verb.HELP:
            return asked if isinstance(asked, Mistyped) else Explained()
        if asked.verb in IN_THREAD:
            return Lacking("no_session", asked.verb)
        if asked.verb is Verb.FIND:
            return await self._find(asked, operator)
        if asked.argument:
            return Lacking("bare", asked.verb)
        if asked.verb in CHOICES:
            return Stood(await self.roster.availability.choose(operator, CHOICES[asked.verb]))
        return Shown(asked.verb, await self.roster.sheet(operator, shown))

    async def _find(self, asked: Command, operator: OperatorId) -> Answer:
        if not asked.argument:
            return Lacking("empty", asked.verb)
        return Found(asked.argument, tuple(await self.roster.find(operator, asked.argument)))
