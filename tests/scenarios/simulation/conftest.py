"""How many days are played: a test that plays takes `first`, the first of `TOGETHER` seeds."""

from __future__ import annotations

import pytest

SEEDS, MANY = 100, 20_000
"""Days in an ordinary run, and with `--soak`."""

TOGETHER = 20


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "first" in metafunc.fixturenames:
        seeds = MANY if metafunc.config.getoption("--soak") else SEEDS
        metafunc.parametrize("first", range(0, seeds, TOGETHER))
