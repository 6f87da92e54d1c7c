"""What the desk page shows for a network: that it is silent, and what a thread there does not hold itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from routing.ids import DeskId, InputKey, NetworkName, Place
from routing.inputs import NetworkCaughtUp, NetworkFellSilent
from tests.browser.conftest import NewContext, Shot
from tests.browser.desk_page import LOCALES, WIDE, Desk
from tests.integration.console_house import House, console_house, policy

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLACK = NetworkName("slack")


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Its English desk sits on a network that takes nothing: nobody here serves it."""
    written = policy()
    english = replace(written.desks[DeskId("en")], network=SLACK, place=Place("C1"))
    async with console_house(tmp_path, replace(written, desks={**written.desks, english.id: english})) as house:
        yield house


async def opened(house: House, new_context: NewContext, language: str = "en") -> Desk:
    context = await new_context(locale=LOCALES[language], viewport=WIDE)
    return Desk(house, await context.new_page(), language)


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
async def test_a_network_that_is_silent_is_said_above_everything_until_it_has_caught_up(
    house: House, new_context: NewContext, shot: Shot, language: str
) -> None:
    await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"})
    session = (await house.customer().writes()).session
    desk = await opened(house, new_context, language)
    await desk.signs_in()
    await expect(desk.page.locator(".row .code")).to_have_text(session.code)
    bar = desk.page.locator(".bar")
    await expect(bar).to_be_hidden()
    silence = NetworkFellSilent(SLACK, await house.store.now() - 300_000)
    await house.relay.from_bridge(session.id, silence, InputKey("silent"))
    name = desk.words("network.slack")
    await expect(bar).to_contain_text(desk.words("connection.outage", network=name, time="|").split("|")[1])
    await expect(bar).to_contain_text(name)
    await shot(desk.page, f"desk-outage-{language}")
    await desk.page.reload()
    await expect(bar).to_contain_text(name)
    await house.relay.from_bridge(session.id, NetworkCaughtUp(SLACK), InputKey("caught-up"))
    await expect(bar).to_be_hidden()
    assert desk.complaints == []


async def test_a_link_to_a_held_file_leads_to_it_also_for_who_signs_in_by_a_one_time_link_first(
    house: House, new_context: NewContext
) -> None:
    mia = house.customer()
    picture = await house.picture("mia")
    for number in range(12):  # so that the file is not what a thread shows by itself
        await mia.writes("Look at this", *((picture,) if number == 2 else ()))
    code = (await mia.session()).session.code
    desk = await opened(house, new_context)
    await desk.page.goto(f"{house.console}/#{code}/{picture.file}")
    await expect(desk.page.locator("h1")).to_have_text(desk.words("sign_in.title"))
    await desk.page.goto(await house.link())
    await expect(desk.page.locator("h1")).to_have_text(desk.words("names.title"))
    await desk.page.get_by_label(desk.words("language.en"), exact=True).fill("Sato")
    await desk.presses("Enter")
    pointed = desk.page.locator(".attached.pointed")
    await expect(pointed).to_be_focused()
    await expect(pointed).to_be_in_viewport()
    assert desk.page.url == f"{house.console}/#{code}/{picture.file}"
    assert await desk.page.evaluate("sessionStorage.length") == 0
    assert desk.complaints == []
