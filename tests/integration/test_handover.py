"""The digest at a change of shift, from the real lists to the desk's API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

from bridge.handover import latest
from routing import inputs as i
from routing.ids import DeskId
from tests.integration.console_house import House, console_house
from tests.integration.engine_room import until
from tests.integration.handovers import shift_changes
from tests.integration.routed_house import EN, WITHDRAWALS, routed
from tests.integration.test_console import Browser


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with console_house(tmp_path, routed()) as house:
        yield house


async def test_what_is_open_is_handed_over_and_read_by_the_desks_operators_only(house: House) -> None:
    kenji = await house.operator("kenji")
    mia, yuki = house.customer("~mia"), house.customer("~yuki", topic=WITHDRAWALS)
    held = (await mia.writes()).session
    late = (await yuki.writes()).session
    await house.operator_does(held.id, i.OperatorClaimed(kenji.id), "claim")
    await house.operator_does(late.id, i.OperatorEscalated(kenji.id), "escalate")

    async def listed() -> bool:
        lines = {line.session: line.summary for line in await house.store.lines(late.desk)}
        return late.id in lines and lines[late.id]["escalation"] is not None

    await until(listed, "the lists know of it")
    assert held.desk == EN
    await shift_changes(house, routed(), EN, lambda: latest(house.store, EN))

    await house.operator("jun", desks=(DeskId("ja"),))
    async with (
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as one,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as other,
    ):
        (digest,) = (await (await Browser(house, one).signs_in()).gets("handovers"))["handovers"]
        assert (digest["desk"], digest["leaves"], digest["comes"]) == (EN, "Aiko", "Kenji")
        assert digest["under_way"] == 1
        if late.desk == EN:
            assert [row["code"] for row in digest["escalated"]] == [late.code]
        assert (await (await Browser(house, other).signs_in("jun")).gets("handovers"))["handovers"] == []
