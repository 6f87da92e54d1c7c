"""What all tests share: the `soak` marker and its option."""

from __future__ import annotations

import pytest
from hypothesis import settings

# A machine that is busy with other tests is slow, and no promise of ours is about a test's milliseconds.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

SAMPLE, THOUSANDS = 8, 2_000
"""Histories of a randomized test in an ordinary run, and with `--soak`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="walk thousands of random histories, not a small sample")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: walks random histories; `--soak` walks thousands")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A soak test takes `history`: the seed of the history that it walks."""
    if metafunc.definition.get_closest_marker("soak") is not None:
        count = THOUSANDS if metafunc.config.getoption("--soak") else SAMPLE
        metafunc.parametrize("history", range(count))
