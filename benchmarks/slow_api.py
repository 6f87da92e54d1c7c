"""Messages a second over a thousand sessions when the chat API takes 50 ms for a post."""

from __future__ import annotations

import time
from collections.abc import Sequence

import uvloop

from benchmarks.customers import Customer
from benchmarks.figures import p50, tell
from benchmarks.stage import Stage, speak, stage

SESSIONS = 1_000
ROUNDS = 4
DELAY = 0.05


async def measure() -> None:
    async with stage(SESSIONS) as set_up:
        set_up.platform.delay = DELAY
        ours: list[float] = []
        floor: list[float] = []
        for _ in range(ROUNDS):
            ours.append(await _rate(set_up, set_up.our_customers))
            floor.append(await _rate(set_up, set_up.floor_customers))
        tell("slow_api", p50(ours), "messages/s", p50(floor))


async def _rate(set_up: Stage, crowd: Sequence[Customer]) -> float:
    """A burst from everybody: messages a second until the last has arrived at the platform."""
    begun = time.perf_counter()
    await speak(set_up, crowd)
    return len(crowd) / (time.perf_counter() - begun)


if __name__ == "__main__":
    uvloop.run(measure())
