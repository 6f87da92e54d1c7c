"""The benchmarks of Discord's ceiling and of the gateway's hand-over, in small: no figure is judged, and nothing is
lost, doubled or turned."""

from __future__ import annotations

import pytest

from benchmarks import discord_goodput, discord_handover
from benchmarks.discord_goodput import Accepted


async def test_over_the_ceiling_nothing_is_lost_and_the_order_is_kept() -> None:
    size = discord_goodput.Size(sessions=12, forums=2, loads=(1.5,))
    figures = {one.name: one for one in await discord_goodput.measure(size)}
    named = {"saturated_discord_goodput", "goodput_discord_150_first_p99", "goodput_discord_150_later_p99"}
    assert named <= set(figures)
    assert 0 < figures["saturated_discord_goodput"].ratio <= 1, "more than Discord accepts cannot be"


async def test_a_killed_listener_loses_and_doubles_nothing() -> None:
    outcome = await discord_handover.run(discord_handover.Size(kills=1, customers=2, pause=1.0))
    assert len(outcome.handovers) == 1
    assert outcome.said
    assert (outcome.lost, outcome.doubled) == (0, 0)


@pytest.mark.parametrize(
    "order",
    [["bench-1-0"], ["bench-1-0", "bench-1-1", "bench-1-1"], ["bench-1-1", "bench-1-0"]],
    ids=["lost", "doubled", "turned"],
)
def test_the_check_finds_what_went_wrong(order: list[str]) -> None:
    outcome = Accepted(said={"bench-1-0": 0.0, "bench-1-1": 1.0})
    for token in order:
        outcome.note({"kind": "message", "channel": "1", "text": f"hello {token}", "accepted": 0.0})
    with pytest.raises(AssertionError, match="lost, doubled or out of order"):
        outcome.check()
