"""From the customer's frame to the platform's request; and what a message costs in CPU, which is `cpu_per_message`."""

from __future__ import annotations

import asyncio

import uvloop

from benchmarks.figures import p50, p99, tell
from benchmarks.stage import Stage, speak, stage

ALONE = 300
CROWD = 200
ROUNDS = 12


async def measure() -> None:
    async with stage(CROWD) as set_up:
        await _alone(set_up)
        await _crowd(set_up)


async def _alone(set_up: Stage) -> None:
    """One message at a time, ours and the floor's in turn."""
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(ALONE):
        ours += await speak(set_up, set_up.our_customers[:1])
        await asyncio.sleep(0.002)  # the books after a delivery are not part of the next one's latency
        floor += await speak(set_up, set_up.floor_customers[:1])
        await asyncio.sleep(0.002)
    tell("relay_latency_p50_alone", p50(ours) * 1000, "ms", p50(floor) * 1000)
    tell("relay_latency_p99_alone", p99(ours) * 1000, "ms", p99(floor) * 1000)


async def _crowd(set_up: Stage) -> None:
    """Two hundred at once, round by round in turn."""
    ours: list[float] = []
    floor: list[float] = []
    cpu = [0.0, 0.0]
    for _ in range(ROUNDS):
        before = set_up.ours.cpu()
        ours += await speak(set_up, set_up.our_customers)
        await asyncio.sleep(0.3)  # until the books are done, whose CPU counts
        between = set_up.ours.cpu()
        cpu[0] += between - before
        before = set_up.floor.cpu()
        floor += await speak(set_up, set_up.floor_customers)
        await asyncio.sleep(0.3)
        cpu[1] += set_up.floor.cpu() - before
    tell("relay_latency_p50_crowd", p50(ours) * 1000, "ms", p50(floor) * 1000)
    tell("relay_latency_p99_crowd", p99(ours) * 1000, "ms", p99(floor) * 1000)
    messages = CROWD * ROUNDS
    tell("relay_cpu_per_message", cpu[0] / messages * 1e6, "us", cpu[1] / messages * 1e6)


if __name__ == "__main__":
    uvloop.run(measure())
