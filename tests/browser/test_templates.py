"""Replies that are ready, on the desk page: found, read and sent by the keyboard alone, and never with a gap."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bridge.templates import Template
from config.locales import LANGUAGES
from routing.ids import Topic
from tests.browser.conftest import NewContext, Shot
from tests.browser.desk_page import LOCALES, PHONE, WIDE, Desk, faint
from tests.browser.test_console import told
from tests.integration.console_house import House, console_house

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRADING = (Topic("trading"),)
READY = (
    Template("hello", {"en": "Hello {customer}, {operator} here."}, title="A greeting"),
    Template("refund", {"en": "{customer}, {amount} will be with you in {days} days."}, "Money back", TRADING),
    Template("fees", {"en": "Our fees are on https://example.com/fees."}, "What it costs"),
    Template("konnichiwa", {"ja": "こんにちは"}),
)

NewDesk = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with console_house(tmp_path, templates=READY) as house:
        await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"})
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def new_desk(house: House, new_context: NewContext) -> AsyncIterator[NewDesk]:
    made: list[Desk] = []

    async def make(language: str = "en", **options: Any) -> Desk:
        context = await new_context(**{"locale": LOCALES[language], "viewport": WIDE, **options})
        made.append(Desk(house, await context.new_page(), language))
        return await made[-1].signs_in()

    yield make
    assert [complaint for desk in made for complaint in desk.complaints] == []


async def test_a_template_is_found_filled_in_and_sent_without_a_mouse(house: House, new_desk: NewDesk) -> None:
    desk, mia = await new_desk(), house.customer()
    await mia.writes("My money?")
    await desk.opens(mia)
    await desk.presses(";", "h", "Backspace")  # behind the key that opens it nothing is taken for another key
    offered = desk.page.locator(".template .code")
    await expect(offered).to_have_text([";refund", ";fees", ";hello"])  # this topic's first, none in other languages
    await desk.types("ＭＯＮＥＹ")
    await expect(desk.page.locator(".template:visible .code")).to_have_text([";refund"])
    await desk.presses("Enter")
    preview = desk.page.locator(".template-preview")
    await expect(preview).to_have_text("Mia Brown, {amount} will be with you in {days} days.")
    await desk.types("5.00 USDT")
    await desk.presses("Enter")
    problem = desk.page.locator("dialog .problem")
    await expect(problem).to_have_text(desk.words("error.template_lacks", names="days"))
    assert await told(mia) == ["My money?"]
    await desk.presses("Tab")
    await desk.types("3")
    await expect(preview).to_have_text("Mia Brown, 5.00 USDT will be with you in 3 days.")
    await desk.presses("Enter")
    await desk.dialog_closed()
    assert await told(mia) == ["My money?", "Mia Brown, 5.00 USDT will be with you in 3 days."]


async def test_what_is_used_comes_sooner_and_what_is_complete_is_sent_as_it_reads(
    house: House, new_desk: NewDesk
) -> None:
    desk, mia = await new_desk(), house.customer()
    await mia.writes("Hello?")
    await desk.opens(mia)
    await desk.page.get_by_role("button", name=desk.words("composer.templates")).click()
    await desk.types(";hel")
    await expect(desk.page.locator(".template:visible .code")).to_have_text([";hello"])
    await desk.presses("Enter")
    await expect(desk.page.locator(".template-preview")).to_have_text("Hello Mia Brown, Sato here.")
    await desk.presses("Enter")
    await desk.dialog_closed()
    await expect(desk.message("reply", "Hello Mia Brown, Sato here.")).to_be_visible()
    assert await told(mia) == ["Hello?", "Hello Mia Brown, Sato here."]
    await desk.page.get_by_role("button", name=desk.words("composer.templates")).click()
    await expect(desk.page.locator(".template .code")).to_have_text([";refund", ";hello", ";fees"])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_templates_are_legible_in_every_language_wide_and_narrow_by_day_and_by_night(
    house: House, new_desk: NewDesk, shot: Shot, language: str
) -> None:
    narrow, scheme = language in ("ja", "zh-Hant"), "dark" if language in ("ja", "zh-Hans") else "light"
    desk = await new_desk(language, viewport=PHONE if narrow else WIDE, color_scheme=scheme)
    mia = house.customer()
    await mia.writes("My money?")
    await desk.opens(mia)
    await desk.presses(";")
    await expect(desk.page.locator(".template")).to_have_count(3)
    assert await faint(desk) == []
    await shot(desk.page, f"desk-templates-{language}")
    await desk.presses("Enter")
    await expect(desk.page.locator(".template-preview")).to_be_visible()
    assert await faint(desk) == []
    await shot(desk.page, f"desk-template-{language}")
