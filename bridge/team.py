"""The team: what leads ask. Who is on and why, what everybody holds, and which sessions are near their promise.

Read from the index and the operators' records at the moment of asking; nothing is kept here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.availability import Availability
from bridge.index import listed
from bridge.ports import Line, Store
from routing.availability import Standing
from routing.estimate import WINDOW
from routing.ids import DeskId, OperatorId, SessionId
from routing.policy import Policy, Promised
from routing.session import State


@dataclass(frozen=True, slots=True)
class Member:
    """An operator. `capacity` is None for somebody whom no policy and no account names."""

    operator: OperatorId
    standing: Standing
    capacity: int | None
    held: tuple[SessionId, ...] = ()
    offered: tuple[SessionId, ...] = ()


@dataclass(frozen=True, slots=True)
class DeskState:
    """A desk. `longest`: since when the one has waited who waits longest, ms since 1970 (UTC).

    `near` were warned of a promise that is about to be missed, `past` have missed one and are still owed. `handled`
    counts the sessions that were done in the last hour.
    """

    desk: DeskId
    waiting: int
    held: int
    on: int
    longest: int | None
    near: tuple[SessionId, ...]
    past: tuple[SessionId, ...]
    handled: int


async def members(store: Store, availability: Availability, policy: Policy) -> list[Member]:
    """Everybody whom the policy knows or who holds something: those who are on first, then the busiest."""
    people, lines = await asyncio.gather(availability.everyone(), _all_lines(store, policy))
    rows = [listed(line) for line in lines]
    known = dict.fromkeys([*people, *(row.occupies for row in rows if row.occupies is not None)])
    found = []
    for one in known:
        profile, mine = policy.operators.get(one), [row for row in rows if row.occupies == one]
        held = tuple(row.session for row in mine if row.state is State.ASSIGNED)
        offered = tuple(row.session for row in mine if row.state is not State.ASSIGNED)
        standing = people.get(one) or await availability.of(one)
        found.append(Member(one, standing, profile.capacity if profile else None, held, offered))
    return sorted(found, key=lambda one: (not one.standing.on, -len(one.held), one.operator))


async def desks(store: Store, availability: Availability, policy: Policy) -> list[DeskState]:
    """Every desk of the policy, in its order."""
    people, now = await availability.everyone(), await store.now()
    lines = await asyncio.gather(*map(store.lines, policy.desks))
    handled = await asyncio.gather(*(store.handled(desk, now - WINDOW) for desk in policy.desks))
    return [
        _desk(desk, some, _on(desk, people, policy), len(times), now)
        for desk, some, times in zip(policy.desks, lines, handled, strict=True)
    ]


def _desk(desk: DeskId, lines: Sequence[Line], on: int, handled: int, now: int) -> DeskState:
    rows = [listed(line) for line in lines]
    waiting = [row.waiting for row in rows if row.waiting is not None and not row.waiting.closed]
    owed = {line.session: urgency(line.summary, now) for line in lines}
    return DeskState(
        desk=desk,
        waiting=len(waiting),
        held=sum(row.state is State.ASSIGNED for row in rows),
        on=on,
        longest=min((one.since for one in waiting), default=None),
        near=tuple(session for session, how in owed.items() if how == "near"),
        past=tuple(session for session, how in owed.items() if how == "past"),
        handled=handled,
    )


def urgency(known: Mapping[str, Any], now: int) -> str:
    """`past` a promise, `near` one, or neither: a response that came late is owed no more."""
    if known.get("state") not in (State.QUEUED, State.ASSIGNED):
        return ""
    due, missed = known.get("due") or {}, set(known.get("missed") or ())
    owed = missed if known.get("waiting_since") is not None else missed & {Promised.RESOLUTION}
    if owed or any(at <= now for at in due.values()):
        return "past"
    return "near" if any(kind in due for kind in known.get("warned") or ()) else ""


def _on(desk: DeskId, people: Mapping[OperatorId, Standing], policy: Policy) -> int:
    team = (one.id for one in policy.operators.values() if one.works_at(desk))
    return sum(people[one].on for one in team if one in people)


async def _all_lines(store: Store, policy: Policy) -> Iterable[Line]:
    return [line for found in await asyncio.gather(*map(store.lines, policy.desks)) for line in found]
