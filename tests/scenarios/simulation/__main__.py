"""Play one day: `python -m tests.scenarios.simulation SEED`."""

from __future__ import annotations

import sys

from tests.scenarios.simulation.world import World

if __name__ == "__main__":
    world = World(int(sys.argv[1]))
    world.run()
    print(f"{world.books.inputs} inputs, {len(world.books.sessions)} sessions, {world.deaths} kills: all promises kept")  # noqa: T201  # a command
