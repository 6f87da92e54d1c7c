"""The digest at a change of shift, as the desk shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bridge.handover import latest
from routing import inputs as i
from tests.browser.conftest import NewContext, Shot
from tests.browser.desk_page import LOCALES, WIDE, Desk
from tests.integration.console_house import House, console_house
from tests.integration.engine_room import until
from tests.integration.handovers import shift_changes
from tests.integration.routed_house import EN, routed

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with console_house(tmp_path, routed()) as house:
        yield house


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_hand_over_stands_above_the_lists_until_it_is_closed(
    house: House, new_context: NewContext, shot: Shot, language: str
) -> None:
    kenji = await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"})
    session = (await house.customer().writes()).session
    await house.operator_does(session.id, i.OperatorEscalated(kenji.id), "escalate")

    async def listed() -> bool:
        return any(line.summary["escalation"] is not None for line in await house.store.lines(EN))

    await until(listed, "the lists know of it")
    await shift_changes(house, routed(), EN, lambda: latest(house.store, EN))

    context = await new_context(locale=LOCALES[language], viewport=WIDE)
    desk = await Desk(house, await context.new_page(), language).signs_in()
    card = desk.page.locator(".handover")
    await expect(card).to_contain_text("Aiko → Kenji")
    await expect(card.locator("a")).to_contain_text(session.code)
    await shot(desk.page, f"desk-handover-{language}")
    await card.locator("a").click()
    await expect(desk.page).to_have_url(f"{house.console}/#{session.code}")
    await card.get_by_role("button", name=desk.words("handover.close")).click()
    await expect(card).to_be_hidden()
    await desk.page.reload()
    await expect(desk.page.locator(".rows-scroll")).to_be_visible()
    await expect(card).to_be_hidden()
    assert desk.complaints == []
