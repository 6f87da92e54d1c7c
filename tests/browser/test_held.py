"""Words that nobody has said yet, on the desk page: everybody there sees them, and who may sends or keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from config.locales import LANGUAGES
from routing import inputs as i
from routing.ids import MessageId, OperatorId
from tests.browser.conftest import NewContext, Shot
from tests.browser.desk_page import LOCALES, PHONE, WIDE, Desk, faint
from tests.browser.test_console import told
from tests.integration.console_house import Customer, House, console_house, policy

pytestmark = pytest.mark.asyncio(loop_scope="session")

NewDesk = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    known = policy()
    desks = {name: replace(desk, undo=60_000) for name, desk in known.desks.items()}
    async with console_house(tmp_path, replace(known, desks=desks)) as house:
        await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"})
        await house.operator("mary", names={"en": "Mary"})
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def new_desk(house: House, new_context: NewContext) -> AsyncIterator[NewDesk]:
    made: list[Desk] = []

    async def make(account: str = "kenji", language: str = "en", **options: Any) -> Desk:
        context = await new_context(**{"locale": LOCALES[language], "viewport": WIDE, **options})
        made.append(Desk(house, await context.new_page(), language))
        return await made[-1].signs_in(account)

    yield make
    assert [complaint for desk in made for complaint in desk.complaints] == []


def account(house: House, name: str) -> OperatorId:
    return next(one.id for one in house.directory.all() if one.account == name)


async def writes_in_slack(mia: Customer, words: str, operator: OperatorId | None = None) -> None:
    """In the session's thread; None: somebody who is not enrolled."""
    name = f"s:C1:{words}"
    event = i.OperatorWrote(MessageId(name), operator, "T024BE7LD:U061F7AUR", i.Origin(1))
    await mia.house.operator_does((await mia.session()).session.id, event, name, words)


async def test_words_of_who_is_not_enrolled_are_sent_or_kept_by_the_keyboard(house: House, new_desk: NewDesk) -> None:
    desk, mia = await new_desk(), house.customer()
    await mia.writes("Where is it?")
    await desk.opens(mia)
    await writes_in_slack(mia, "I know this one")
    await writes_in_slack(mia, "He is a fool")
    held = desk.page.locator(".held-item")
    await expect(held).to_have_count(2)
    await expect(held.first).to_contain_text("T024BE7LD:U061F7AUR")
    line = desk.words("line.words_held", author="T024BE7LD:U061F7AUR")
    await expect(desk.page.locator(".event", has_text=line)).to_have_count(2)
    assert await told(mia) == ["Where is it?"]
    await desk.presses("w")
    await expect(desk.page.get_by_role("button", name=desk.words("action.send_as")).first).to_be_focused()
    await desk.presses("Enter")
    await expect(desk.message("reply", "I know this one")).to_be_visible()
    await expect(held).to_have_count(1)
    await desk.presses("w", "Tab")
    await expect(desk.page.get_by_role("button", name=desk.words("action.keep"))).to_be_focused()
    await desk.presses("Enter")
    await expect(desk.message("note", "He is a fool")).to_be_visible()
    await expect(desk.page.locator(".held")).to_be_hidden()
    assert await told(mia) == ["Where is it?", "I know this one"]
    assert (await mia.session()).session.assignee == account(house, "kenji")


async def test_what_can_be_undone_is_its_authors_to_undo_and_everybodys_to_see(house: House, new_desk: NewDesk) -> None:
    kenji, mary, mia = await new_desk(), await new_desk("mary"), house.customer()
    await mia.writes("Where is it?")
    await kenji.opens(mia)
    await mary.opens(mia)
    await writes_in_slack(mia, "Oh no", account(house, "kenji"))
    await expect(mary.page.locator(".held-item")).to_contain_text("Oh no")
    await expect(mary.page.locator(".held-item button")).to_have_count(0)
    await kenji.page.get_by_role("button", name=kenji.words("action.undo")).click()
    await expect(kenji.message("note", "Oh no")).to_be_visible()
    await expect(mary.page.locator(".held")).to_be_hidden()
    await writes_in_slack(mia, "Oh yes", account(house, "kenji"))
    await kenji.page.get_by_role("button", name=kenji.words("action.send_now")).click()
    await expect(kenji.message("reply", "Oh yes")).to_be_visible()
    assert await told(mia) == ["Where is it?", "Oh yes"]


async def test_a_reply_from_here_can_be_undone_too_by_the_keyboard_or_the_button(
    house: House, new_desk: NewDesk, shot: Shot
) -> None:
    desk, mia = await new_desk(), house.customer()
    await mia.writes("Where is it?")
    await desk.opens(mia)
    held = desk.page.locator(".held-item")

    async def sends(words: str) -> None:
        await desk.page.locator("#panel-reply textarea").fill(words)
        await desk.presses("Enter")
        await expect(held).to_contain_text(words)

    await sends("Oh no")
    assert await told(mia) == ["Where is it?"]
    assert (await mia.session()).session.assignee == account(house, "kenji")
    await shot(desk.page, "desk-undo")
    await desk.presses("Control+z")
    await expect(desk.message("note", "Oh no")).to_be_visible()
    await expect(desk.page.locator(".held")).to_be_hidden()
    await expect(desk.page.locator("#panel-reply textarea")).to_be_focused()
    await sends("Not that either")
    await desk.presses("Escape", "z")
    await expect(desk.message("note", "Not that either")).to_be_visible()
    await desk.page.locator("#panel-reply textarea").focus()
    await sends("Nor that")
    await desk.page.get_by_role("button", name=desk.words("action.undo")).click()
    await expect(desk.message("note", "Nor that")).to_be_visible()
    await desk.page.locator("#panel-reply textarea").focus()
    await sends("Oh yes")
    await desk.page.get_by_role("button", name=desk.words("action.send_now")).click()
    await expect(desk.message("reply", "Oh yes")).to_be_visible()
    assert await told(mia) == ["Where is it?", "Oh yes"]


async def test_a_note_is_sent_on_purpose_once_and_stays_one(house: House, new_desk: NewDesk) -> None:
    desk, mia = await new_desk(), house.customer()
    session = (await mia.writes("Where is it?")).session.id
    await desk.opens(mia)
    event = i.OperatorNoted(MessageId("o:note-0001"), account(house, "mary"))
    await house.operator_does(session, event, "desk/note-0001", "It is the fee")
    send = desk.page.get_by_role("button", name=desk.words("action.send_note"))
    await send.click()
    await expect(desk.page.locator("dialog")).to_contain_text("It is the fee")
    assert await told(mia) == ["Where is it?"]
    await desk.presses("Tab", "Enter")
    await desk.dialog_closed()
    await expect(desk.message("reply", "It is the fee")).to_be_visible()
    await expect(desk.message("note", "It is the fee")).to_be_visible()
    await send.click()
    await desk.page.locator("dialog [type=submit]").click()
    await expect(desk.page.locator("dialog .problem")).to_have_text(desk.words("error.sent_already"))
    assert await told(mia) == ["Where is it?", "It is the fee"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_held_words_are_legible_in_every_language_wide_and_narrow_by_day_and_by_night(
    house: House, new_desk: NewDesk, shot: Shot, language: str
) -> None:
    narrow, scheme = language in ("ja", "zh-Hant"), "dark" if language in ("ja", "zh-Hans") else "light"
    desk = await new_desk(language=language, viewport=PHONE if narrow else WIDE, color_scheme=scheme)
    mia = house.customer()
    await mia.writes("Where is my withdrawal? I asked for it three hours ago.")
    await desk.opens(mia)
    await writes_in_slack(mia, "It is on its way: 0x9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0")
    await writes_in_slack(mia, "A moment, please.", account(house, "kenji"))
    await expect(desk.page.locator(".held-item")).to_have_count(2)
    assert await faint(desk) == []
    sideways = await desk.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert sideways <= 0
    await shot(desk.page, f"desk-held-{language}")
