"""The benchmarks of the platforms' ceilings, in small: no figure is judged, and nothing is lost, doubled or turned."""

from __future__ import annotations

from types import ModuleType

import pytest

from benchmarks import discord_goodput, slack_goodput
from benchmarks.figures import Figure
from benchmarks.goodput import Outcome

FIGURES = ("goodput_{}150_first_p99", "goodput_{}150_later_p99", "goodput_{}150_merged")


def check(told: list[Figure], platform: str) -> None:
    figures = {one.name: one for one in told}
    assert {one.format(platform) for one in FIGURES} <= set(figures)
    assert 0 < figures[f"saturated_{platform}goodput"].ratio <= 1, "more than is accepted cannot be"


async def test_over_slacks_ceiling_nothing_is_lost_and_the_order_is_kept() -> None:
    check(await slack_goodput.measure(slack_goodput.Size(sessions=9, speed=10.0, loads=(1.5,))), "")


async def test_over_discords_ceiling_nothing_is_lost_and_the_order_is_kept() -> None:
    check(await discord_goodput.measure(discord_goodput.Size(sessions=12, forums=2, loads=(1.5,))), "discord_")


@pytest.mark.parametrize(
    "order",
    [["bench-1-0"], ["bench-1-0", "bench-1-1", "bench-1-1"], ["bench-1-1", "bench-1-0"]],
    ids=["lost", "doubled", "turned"],
)
@pytest.mark.parametrize("platform", [slack_goodput, discord_goodput])
def test_the_check_finds_what_went_wrong(platform: ModuleType, order: list[str]) -> None:
    outcome: Outcome = platform.outcome()
    outcome.said |= {"bench-1-0": 0.0, "bench-1-1": 1.0}
    for token in order:
        outcome.note({"kind": outcome.kind, outcome.thread: "1", "text": f"hello {token}", "accepted": 0.0})
    with pytest.raises(AssertionError, match="lost, doubled or out of order"):
        outcome.check()
