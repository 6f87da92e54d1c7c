"""The pulse of a platform: whether it answers, and who is let through to find out while it does not.

Every session has a lane of its own, and each would try by itself. Once a few calls in a row had no answer, all others
are sent away at once and only one goes through, later and later, until one is answered: an outage costs a few calls a
minute however many sessions wait. What a person must mend (a token, a scope, a channel) is kept from being asked for
again in the same way, for the part that it concerns: a *gate* is the platform, one of its channels, or one method.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic, time

from bridge.errors import DeliveryError, Fault

IN_A_ROW = 3
"""Calls without an answer until a gate is shut: one alone happens every day."""

PROBE_WITHIN = 10.0
"""Seconds for the one call that is let through."""

PLATFORM = ""
"""The gate that everything passes."""


@dataclass(slots=True)
class _Gate:
    since: float  # when it was well last, in seconds since 1970
    error: DeliveryError
    failures: int = 0
    shut_until: float = 0.0  # by the monotonic clock


class Pulse:
    """`unit` scales every time here: tests live faster. `first` and `most` are seconds between two attempts."""

    def __init__(
        self, unit: float = 1.0, clock: Callable[[], float] = monotonic, wall: Callable[[], float] = time
    ) -> None:
        self._first, self._most, self._blocked = 1.0 * unit, 30.0 * unit, 20.0 * unit
        self._probe = PROBE_WITHIN * unit
        self._clock = clock
        self._wall = wall
        self._gates: dict[str, _Gate] = {}

    def admit(self, gates: Iterable[str]) -> None:
        """Return where the call may be made; raises DeliveryError (certainly not done) while a gate of it is shut."""
        now = self._clock()
        shut = [gate for name in gates if (gate := self._gates.get(name)) is not None and gate.shut_until]
        for gate in shut:
            if now < gate.shut_until:
                raise self._sent_away(gate, gate.shut_until - now)
        for gate in shut:
            gate.shut_until = now + self._probe  # this one finds out for all

    def _sent_away(self, gate: _Gate, seconds: float) -> DeliveryError:
        """Not all at once: who waits comes back within a while after the next attempt."""
        fault = Fault.BLOCKED if gate.error.fault is Fault.BLOCKED else Fault.TRANSIENT
        again = seconds + random.uniform(0.1, 1.0) * self._first  # noqa: S311 - spreads load, and is no secret
        error = gate.error
        return DeliveryError(fault, error.code, retry_after=again, mend=error.mend, of_place=error.of_place)

    def answered(self, gates: Iterable[str]) -> None:
        """The call was carried out: all its gates are open."""
        for name in gates:
            self._gates.pop(name, None)

    def understood(self) -> None:
        """Whatever else was wrong with the call, the platform answered it."""
        gate = self._gates.get(PLATFORM)
        if gate is not None and gate.error.fault is not Fault.BLOCKED:
            del self._gates[PLATFORM]

    def failed(self, name: str, error: DeliveryError) -> None:
        """This gate did not let the call through, as far as that can be told."""
        gate = self._gates.get(name) or _Gate(self._wall(), error)
        gate.error, gate.failures = error, gate.failures + 1
        self._gates[name] = gate
        if error.fault is Fault.BLOCKED:
            gate.shut_until = self._clock() + self._blocked
        elif gate.failures >= IN_A_ROW:
            pause = min(self._first * 2 ** min(gate.failures - IN_A_ROW, 10), self._most)
            gate.shut_until = self._clock() + pause

    @property
    def silent_since(self) -> float | None:
        """Since when the platform as a whole has not let anything through, in seconds since 1970."""
        gate = self._gates.get(PLATFORM)
        return gate.since if gate is not None and gate.shut_until else None

    @property
    def trouble(self) -> DeliveryError | None:
        """What is wrong with the platform as a whole."""
        gate = self._gates.get(PLATFORM)
        return gate.error if gate is not None and gate.shut_until else None

    def mended(self, code: str) -> None:
        """What the platform refused with this word may be tried again at once."""
        self._gates = {name: gate for name, gate in self._gates.items() if gate.error.code != code}

    def refused(self, name: str) -> tuple[float, DeliveryError] | None:
        """Since when this gate is kept shut until a person mends something, and the platform's word for it."""
        gate = self._gates.get(name)
        return (gate.since, gate.error) if gate is not None and gate.error.fault is Fault.BLOCKED else None
