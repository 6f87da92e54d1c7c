"""Whom a line calls, within what Discord takes."""

from __future__ import annotations

from typing import Any, cast

from adapters.discord.outward.calls import Calls
from adapters.discord.refs import NAME
from bridge.directory import Directory
from bridge.networks.attention import Called
from routing.effects import AlertDesk
from routing.facts import Waits
from routing.ids import EffectId, OperatorId
from routing.policy import AlertBy
from tests.unit.adapters.discord.judging import taken
from tests.unit.adapters.discord.test_render import wording
from tests.unit.adapters.slack.shown.test_card import SESSION


class Everybody:
    """A directory in which each operator has a Discord user of the longest id that there is."""

    def network_user(self, network: object, operator: OperatorId) -> str:
        del network
        return f"{18_000_000_000_000_000_000 + int(operator)}"


async def everybody(session: Any, effect: Any) -> Called:
    del session, effect
    return Called(AlertBy.AVAILABLE, operators=tuple(OperatorId(str(number)) for number in range(500)))


async def test_an_alert_to_very_many_is_still_one_that_discord_takes() -> None:
    calls = Calls(cast(Directory, Everybody()), wording, everybody, lambda desk, language: desk)
    effect = AlertDesk(id=EffectId("e"), to=NAME, mirror=1, why=Waits.NEW, by=AlertBy.AVAILABLE)
    called = await calls.called(SESSION, effect)
    assert called is not None
    body = taken(calls.alert(SESSION, effect, called))
    rung = body["allowed_mentions"]["users"]
    assert 0 < len(rung) <= 100
    assert all(f"<@{one}>" in body["content"] for one in rung)
