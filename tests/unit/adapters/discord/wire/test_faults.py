"""Each code of Discord's means one thing for a delivery."""

from __future__ import annotations

import pytest

from adapters.discord.wire import faults
from bridge.errors import Fault


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (401, 0, Fault.BLOCKED),
        (403, 50001, Fault.BLOCKED),
        (403, 50013, Fault.BLOCKED),
        (404, 10003, Fault.BLOCKED),
        (400, 160006, Fault.BLOCKED),
        (400, 160005, Fault.BLOCKED),
        (403, 999_999, Fault.BLOCKED),
        (404, 0, Fault.BLOCKED),
        (404, 10008, Fault.POISON),
        (400, 50035, Fault.POISON),
        (400, 50006, Fault.POISON),
        (400, 999_999, Fault.POISON),
        (413, 40005, Fault.POISON),
        (413, 0, Fault.POISON),
        (400, 50045, Fault.POISON),
        (401, 50027, Fault.POISON),
        (400, 200001, Fault.POISON),
        (400, 160002, Fault.BLOCKED),
        (403, 40333, Fault.BLOCKED),
        (403, 40004, Fault.TRANSIENT),
        (403, 40058, Fault.TRANSIENT),  # a forum's post whose first message is not there yet
        (403, 130000, Fault.TRANSIENT),
        (429, 0, Fault.TRANSIENT),
        (429, 30046, Fault.TRANSIENT),
        (400, 50083, Fault.TRANSIENT),
    ],
)
def test_each_code_means_one_thing(status: int, code: int, meaning: Fault) -> None:
    assert faults.refused(status, code).fault is meaning


@pytest.mark.parametrize("code", [50001, 50013, 10003, 160006])
def test_a_place_where_nothing_can_stand_is_told_from_a_bad_message(code: int) -> None:
    error = faults.refused(403, code)
    assert error.of_place
    assert error.mend


def test_a_token_that_is_refused_says_where_the_right_one_is() -> None:
    assert "discord.bot_token" in faults.refused(401, 0).mend


def test_a_limit_says_how_long() -> None:
    assert faults.refused(429, 0, 3.5).retry_after == 3.5
