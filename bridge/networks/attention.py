"""Whom an alert calls. Asked when it is delivered: who is on, and has room, changes by the minute.

Rules about *when* a desk is alerted are `routing.attention`'s. Here is asked what only the moment knows: whether the
session still waits, who is there, and whether the line about all who waited for the opening was posted already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.availability import Availability
from bridge.ports import Store
from routing.attention import offers, waits
from routing.effects import AlertDesk
from routing.facts import Waits
from routing.ids import OperatorId
from routing.policy import MINUTE, AlertBy, Desk, Policy
from routing.session import Session, State, TurnOf

AT_MOST = 10
"""Operators that one alert names: a longer list is read by nobody."""

OPENED = "attention/opened"
"""Prefix of the names under which the store keeps which effect tells a desk of all who waited for its opening."""


WHOEVER = "attention/whoever"
"""Prefix of the names under which the store keeps when a desk with nobody on called whoever is there, and for what."""

WHOEVER_EVERY = 5 * MINUTE
"""ms between two such calls of a desk, but for emergencies and its opening."""


@dataclass(frozen=True, slots=True)
class Called:
    """`by` HERE and CHANNEL call whoever is in the desk's channel, GROUP the `group`, AVAILABLE the `operators`.

    `waiting`: how many waited for the desk to open, where it is told of all of them at once.
    """

    by: AlertBy
    operators: tuple[OperatorId, ...] = ()
    group: str = ""
    waiting: int = 0


class Attention:
    """Answers for alerts of every network."""

    def __init__(self, store: Store, policy: Callable[[], Policy], availability: Availability) -> None:
        self._store = store
        self._policy = policy
        self._availability = availability

    async def whom(self, session: Session, effect: AlertDesk) -> Called | None:
        """Whom to call; None for nobody: it was taken, or told already, or those who are on have their hands full.

        The same effect asks again and is answered again. Raises StoreUnavailableError.
        """
        if not waits(session) or session.mirror.number != effect.mirror:
            return None
        if effect.why is Waits.OPENED and not await self._tells_of_all(session, effect):
            return None
        waiting = await self._waiting(session) if effect.why is Waits.OPENED else 0
        if effect.by is not AlertBy.AVAILABLE:
            return Called(effect.by, group=effect.group, waiting=waiting)
        return await self._available(session, effect, waiting)

    async def _available(self, session: Session, effect: AlertDesk, waiting: int) -> Called | None:
        desk = self._policy().desk_of(session.desk, session.language, session.topic)
        here = await self._on(desk)
        if not here:
            urgent = effect.why is Waits.OPENED or self._policy().topic(session.topic).emergency
            return Called(AlertBy.HERE, waiting=waiting) if urgent or await self._is_quiet(session, effect) else None
        if offers(desk):
            return None
        free = await self._with_room(here, session)
        return Called(AlertBy.AVAILABLE, tuple(free[:AT_MOST]), waiting=waiting) if free else None

    async def _is_quiet(self, session: Session, effect: AlertDesk) -> bool:
        """Whether the desk was not called just now. Who comes right after another one stands in the same channel, which
        whoever is there looks at anyway; promises and ladders run for each of them."""
        name, now = f"{WHOEVER}/{session.desk}", await self._store.now()
        before = await self._store.get(name)
        at, _, by = (before or "0 ").partition(" ")
        if by == effect.id:
            return True  # its answer was lost, and it is asked for again
        return now - int(at) >= WHOEVER_EVERY and await self._store.swap(name, before, f"{now} {effect.id}")

    async def _on(self, desk: Desk) -> list[OperatorId]:
        people, team = await self._availability.everyone(), self._policy().operators.values()
        return [one.id for one in team if one.works_at(desk.id) and one.id in people and people[one.id].on]

    async def _with_room(self, here: Sequence[OperatorId], session: Session) -> list[OperatorId]:
        """Who speaks the language best first, then who has most room; who has just passed it on comes last."""
        taken = await asyncio.gather(*map(self._store.reservations, here))
        profiles = self._policy().operators
        room = {one: profiles[one].capacity - len(places.sessions) for one, places in zip(here, taken, strict=True)}
        free = [one for one in here if room[one] > 0]
        passed = session.declined
        return sorted(free, key=lambda one: (one in passed, -profiles[one].skill(session.language), -room[one], one))

    # ------------------------------------------------------------------ the morning

    async def _tells_of_all(self, session: Session, effect: AlertDesk) -> bool:
        """One of the desk's sessions speaks for all that waited for this opening."""
        name, mine = f"{OPENED}/{session.desk}", f"{effect.opened}/{effect.id}"
        before = await self._store.get(name)
        if before is not None and before.startswith(f"{effect.opened}/"):
            return before == mine
        return await self._store.swap(name, before, mine)

    async def _waiting(self, session: Session) -> int:
        lines = await self._store.lines(session.desk)
        shown = [(line.summary.get("state"), line.summary.get("turn")) for line in lines]
        return max(1, sum(one == (State.QUEUED, TurnOf.OURS) for one in shown))
