"""The benchmark of Slack's ceiling, in small: its figures are not judged, and nothing is lost, doubled or turned."""

from __future__ import annotations

import pytest

from benchmarks.slack_goodput import Outcome, Size, measure


async def test_over_the_ceiling_nothing_is_lost_and_the_order_is_kept() -> None:
    figures = {one.name: one for one in await measure(Size(sessions=9, speed=10.0, loads=(1.5,)))}
    assert {"saturated_goodput", "goodput_150_first_p99", "goodput_150_later_p99", "goodput_150_merged"} <= set(figures)
    assert 0 < figures["saturated_goodput"].ratio <= 1, "more than Slack accepts cannot be"


@pytest.mark.parametrize(
    "order",
    [["bench-1-0"], ["bench-1-0", "bench-1-1", "bench-1-1"], ["bench-1-1", "bench-1-0"]],
    ids=["lost", "doubled", "turned"],
)
def test_the_check_finds_what_went_wrong(order: list[str]) -> None:
    outcome = Outcome(said={"bench-1-0": 0.0, "bench-1-1": 1.0}, order={"1.1": order})
    with pytest.raises(AssertionError, match="lost, doubled or out of order"):
        outcome.check()
