"""What all tests share: the `soak` marker and its option, and which of them run in one worker."""

from __future__ import annotations

import gc
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]  # it brings no types

# A machine that is busy with other tests is slow, and no promise of ours is about a test's milliseconds.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

SAMPLE, THOUSANDS = 8, 2_000
"""Histories of a randomized test in an ordinary run, and with `--soak`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="walk thousands of random histories, not a small sample")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: walks random histories; `--soak` walks thousands")

    gc.disable()


def pytest_collection_finish() -> None:
    """The thousands of collected tests stay to the end, so the collector need not walk through them again and again.
    Nor while they are collected: that is a sixth of the collection."""
    gc.freeze()
    gc.enable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A soak test takes `history`: the seed of the history that it walks."""
    if metafunc.definition.get_closest_marker("soak") is not None:
        count = THOUSANDS if metafunc.config.getoption("--soak") else SAMPLE
        metafunc.parametrize("history", range(count))


# ------------------------------------------------------------------ tests that share a service share a worker

_ROOT = Path(__file__).resolve().parent.parent
_GROUP = re.compile(r'xdist_group\("([^"]+)"\)')


class Grouped(LoadGroupScheduling):  # type: ignore[misc]  # likewise
    """By the `xdist_group` that a file names. xdist itself writes it behind a test's id, which pytest 9 takes no notice
    of: a service was started in every worker."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid.partition("::")[0]) or nodeid


@cache
def _group(file: str) -> str:
    path = _ROOT / file
    found = _GROUP.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found[1] if found else ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return Grouped(config, log) if config.getoption("dist") == "loadgroup" else None
