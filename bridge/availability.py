"""Availability: what is known of each operator, kept in the store, and how they stand by `routing.availability`.

One record for each operator who ever gave a sign. Whoever changes it swaps it for what they have read, so two
processes never undo one another. Readers take all of them in one call, and at most once a second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

import structlog

from bridge.errors import KakehashiError, OverloadedError
from bridge.ports import Store
from routing.availability import LAPSE_AFTER, Choice, Signs, Standing, standing
from routing.ids import OperatorId
from routing.policy import Policy

SPACE = "available"

READ_EVERY = 1.0
"""Seconds for which what was read counts as what is."""

ACTS_EVERY = 30.0
"""Seconds between two notes of one operator's acts: what follows from them is minutes away."""

ATTEMPTS = 8
"""How often a record is read and swapped again; each time somebody else has succeeded."""

log = structlog.get_logger(__name__)


class Availability:
    """`lapse_after` ms without an act, "on" that was said counts no more."""

    def __init__(self, store: Store, policy: Callable[[], Policy], lapse_after: int = LAPSE_AFTER) -> None:
        self._store = store
        self._policy = policy
        self._lapse_after = lapse_after
        self._signs: Mapping[OperatorId, Signs] = {}
        self._read_at = -READ_EVERY
        self._acted: dict[OperatorId, float] = {}

    # ------------------------------------------------------------------ what happens

    async def choose(self, operator: OperatorId, choice: Choice) -> Standing:
        """The operator says that they are on, away or off. Raises StoreUnavailableError, OverloadedError."""
        now = await self._store.now()
        signs = await self._change(operator, lambda signs: replace(signs, choice=choice, chosen_at=now, acted_at=now))
        log.info("availability_chosen", operator=operator, choice=choice)
        return self._standing(operator, signs, now)

    async def acted(self, operator: OperatorId) -> None:
        """The operator did something that only a person does. Cheap: most calls write nothing. Best effort."""
        if time.monotonic() - self._acted.get(operator, -ACTS_EVERY) < ACTS_EVERY:
            return
        self._acted[operator] = time.monotonic()
        try:
            now = await self._store.now()
            await self._change(operator, lambda signs: replace(signs, acted_at=max(now, signs.acted_at)))
        except KakehashiError as error:
            self._acted.pop(operator, None)
            log.warning("act_not_noted", operator=operator, reason=error.what)

    async def note_presence(self, operator: OperatorId, active: bool) -> None:
        """The operator's network shows them as active, or not. Called at each look, by whoever polls."""
        now = await self._store.now()

        def seen(signs: Signs) -> Signs:
            since = signs.active_since if signs.active is active else now
            return replace(signs, active=active, looked_at=now, active_since=since)

        await self._change(operator, seen)

    # ------------------------------------------------------------------ what is so

    async def of(self, operator: OperatorId) -> Standing:
        """How one operator stands now."""
        await self._read()
        return self._standing(operator, self._signs.get(operator, Signs()), await self._store.now())

    async def everyone(self) -> dict[OperatorId, Standing]:
        """How everybody stands whom the policy knows, or who ever gave a sign."""
        await self._read()
        now = await self._store.now()
        known = dict.fromkeys([*self._policy().operators, *self._signs])
        return {one: self._standing(one, self._signs.get(one, Signs()), now) for one in known}

    async def _read(self) -> None:
        if time.monotonic() - self._read_at < READ_EVERY:
            return
        records = await self._store.shelf(SPACE)
        self._signs = {OperatorId(name.partition("/")[2]): _decode(record) for name, record in records.items()}
        self._read_at = time.monotonic()

    def _standing(self, operator: OperatorId, signs: Signs, now: int) -> Standing:
        profile = self._policy().operators.get(operator)
        return standing(signs, profile.hours if profile else None, now, self._lapse_after)

    async def _change(self, operator: OperatorId, change: Callable[[Signs], Signs]) -> Signs:
        name = f"{SPACE}/{operator}"
        for _ in range(ATTEMPTS):
            before = await self._store.get(name)
            after = change(_decode(before) if before else Signs())
            if await self._store.swap(name, before, _encode(after)):
                self._signs = {**self._signs, operator: after}
                return after
        raise OverloadedError("an operator's record kept changing", mend="try again in a moment")


def _encode(signs: Signs) -> str:
    return json.dumps(asdict(signs))


def _decode(record: str) -> Signs:
    """A record of this release or of an older one; what a newer one added is left out."""
    fields = {name: value for name, value in json.loads(record).items() if name in Signs.__slots__}
    fields["choice"] = Choice(fields["choice"]) if fields.get("choice") else None
    return Signs(**fields)
