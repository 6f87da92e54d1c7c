"""What the scenarios share."""

from __future__ import annotations

import pytest

from tests.browser.conftest import browser, new_context

__all__ = ["browser", "new_context"]  # the fixtures of the scenarios that a person sees


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that kills takes `seed`, of its dice, and `kills`: how many more than its sample, 0 without `--soak`."""
    if {"kills", "seed"} <= set(metafunc.fixturenames):
        soak = metafunc.config.getoption("--soak")
        metafunc.parametrize(("seed", "kills"), [(seed, 30) for seed in range(10)] if soak else [(2_026, 0)])
