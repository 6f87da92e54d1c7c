"""A change of shift in a house with a desk: aiko's ends, kenji's begins, on the real store and with the real lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from bridge.handover import Handovers
from config.locales import text
from routing.ids import DeskId, NetworkName, OperatorId
from routing.policy import HOUR, Policy, Rota, Shift
from tests.integration.console_house import House

AIKO, KENJI = OperatorId("aiko"), OperatorId("kenji")
SOON = 250
"""ms until the shift changes."""


def with_rota(rules: Policy, rota: Rota) -> Policy:
    desks = {name: replace(desk, rota="day") for name, desk in rules.desks.items()}
    return replace(rules, desks=desks, rotas={"day": rota})


async def shift_changes(house: House, rules: Policy, desk: DeskId, until: Callable[[], object]) -> None:
    """The desk's shift changes in a moment; returns once `until` holds."""
    now = await house.store.now()
    rota = Rota((Shift(now - HOUR, now + SOON, AIKO), Shift(now + SOON, now + HOUR, KENJI)))
    only = with_rota(replace(rules, desks={desk: rules.desks[desk]}), rota)
    handovers = Handovers(
        house.store,
        lambda: only,
        {NetworkName("console"): object()},  # type: ignore[dict-item]  # a network that announces nothing
        partial(text, "page"),
        "house",
        name=lambda one: one.title(),
        zone=lambda _desk: ZoneInfo("Asia/Tokyo"),
    )
    while not await _is(until):
        await handovers.tick()
        await asyncio.sleep(0.05)


async def _is(condition: Callable[[], object]) -> bool:
    answer = condition()
    return bool(await answer if asyncio.iscoroutine(answer) else answer)
