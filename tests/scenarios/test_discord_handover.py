"""The benchmark of the gateway's hand-over, in small: no figure is judged, and nothing is lost or doubled."""

from __future__ import annotations

from benchmarks import discord_handover


async def test_a_killed_listener_loses_and_doubles_nothing() -> None:
    outcome = await discord_handover.run(discord_handover.Size(kills=1, customers=2, pause=1.0))
    assert len(outcome.handovers) == 1
    assert outcome.said
    assert (outcome.lost, outcome.doubled) == (0, 0)
