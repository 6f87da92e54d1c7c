"""CPU of the service for one customer message, books included, over a steady stream; the floor is relay_latency's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import uvloop

from benchmarks.customers import Customer
from benchmarks.figures import p50, tell
from benchmarks.stage import Stage, speak, stage
from benchmarks.subjects import Subject

CUSTOMERS = 50
ROUNDS = 20
TURNS = 5


async def measure() -> None:
    async with stage(CUSTOMERS) as set_up:
        ours: list[float] = []
        floor: list[float] = []
        for _ in range(TURNS):
            ours.append(await _cost(set_up, set_up.ours, set_up.our_customers))
            floor.append(await _cost(set_up, set_up.floor, set_up.floor_customers))
        tell("cpu_per_message", p50(ours) * 1e6, "us", p50(floor) * 1e6)


async def _cost(set_up: Stage, subject: Subject, crowd: Sequence[Customer]) -> float:
    before = subject.cpu()
    for _ in range(ROUNDS):
        await speak(set_up, crowd)
    await asyncio.sleep(0.5)  # until the books are done
    return (subject.cpu() - before) / (ROUNDS * len(crowd))


if __name__ == "__main__":
    uvloop.run(measure())
