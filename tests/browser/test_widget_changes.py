"""Changing, withdrawing and reacting: by pointer and by keyboard, on a line that comes and goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import Door, NewContext, Shot
from tests.browser.fake_desk import Customer as Known
from tests.browser.fake_desk import FakeDesk, Site, desk_and_site
from tests.browser.test_widget import DESKTOP, PHONE
from tests.browser.widget_page import Customer

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def places() -> AsyncIterator[tuple[FakeDesk, Site]]:
    async with desk_and_site() as both:
        yield both


@pytest.fixture
def desk(places: tuple[FakeDesk, Site]) -> FakeDesk:
    return places[0]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(new_context: NewContext, places: tuple[FakeDesk, Site]) -> AsyncIterator[Door]:
    door = Door(new_context, places[1])
    yield door
    for customer in door.customers:
        await customer.has_no_complaints()


def control(message: Locator, name: str) -> Locator:
    return message.get_by_role("button", name=name, exact=True)


async def press(message: Locator, name: str) -> None:
    await message.hover()
    await control(message, name).click()


async def answered(visit: Door, desk: FakeDesk, **options: Any) -> tuple[Customer, Known]:
    customer = await visit(**options)
    await customer.begin("Hello")
    known = await desk.next_customer()
    desk.say(known, "Good morning")
    await customer.was_shown("Hello", "Good morning")
    return customer, known


async def test_an_edit_takes_the_words_into_the_composer_and_shows_the_new_ones_as_edited(
    visit: Door, desk: FakeDesk
) -> None:
    customer = await visit()
    await customer.begin("Helo")
    await customer.input.fill("a draft")
    await press(customer.mine, "Edit message")
    await expect(customer.panel.locator(".revising")).to_have_text("Editing your messageCancel")
    await expect(customer.input).to_be_focused()
    await expect(customer.input).to_have_value("Helo")
    await customer.write("Hello")
    await customer.was_shown("Hello")
    await expect(customer.mine.locator(".edited")).to_have_text("edited")
    await expect(customer.input).to_have_value("a draft")
    await expect(customer.panel.locator(".revising")).to_be_hidden()
    assert desk.heard_of("revise")[0]["parts"] == [{"type": "text", "text": "Hello"}]


async def test_a_quote_goes_when_its_message_is_taken_back_and_the_reply_is_not_called_edited(
    visit: Door, desk: FakeDesk
) -> None:
    customer, known = await answered(visit, desk)
    quote = {"type": "text", "text": "Hello", "marks": [{"kind": "quote", "start": 0, "end": 5}]}
    words = {"type": "text", "text": "And to you"}
    reply = desk.say(known, "", parts=[quote, words])
    await expect(customer.panel.locator("blockquote")).to_have_text("Hello")
    desk.event(known, {**reply, "parts": [words], "anew": True})
    await expect(customer.panel.locator("blockquote")).to_have_count(0)
    await customer.was_shown("Hello", "Good morning", "And to you")
    await expect(customer.panel.locator(".edited")).to_have_count(0)


@pytest.mark.parametrize("way", ["Escape", "Cancel", "unchanged"])
async def test_an_edit_that_is_given_up_changes_nothing_and_leaves_the_panel_open(
    visit: Door, desk: FakeDesk, way: str
) -> None:
    customer = await visit()
    await customer.begin("Hello")
    await press(customer.mine, "Edit message")
    if way == "Escape":
        await customer.input.fill("something else")
        await customer.input.press("Escape")
    elif way == "Cancel":
        await customer.button("Cancel").click()
    else:
        await customer.input.press("Enter")
    await expect(customer.panel.locator(".revising")).to_be_hidden()
    await expect(customer.input).to_have_value("")
    await expect(customer.panel).to_be_visible()
    await customer.was_shown("Hello")
    assert desk.heard_of("revise") == []


async def test_a_withdrawal_is_asked_for_once(visit: Door, desk: FakeDesk) -> None:
    customer = await visit()
    await customer.begin("Hello")
    await press(customer.mine, "Withdraw message")
    dialog = customer.panel.get_by_role("alertdialog", name="Withdraw this message?")
    await dialog.get_by_role("button", name="Keep it").click()
    assert desk.heard_of("withdraw") == []
    await press(customer.mine, "Withdraw message")
    await dialog.get_by_role("button", name="Withdraw", exact=True).click()
    await customer.was_shown("This message was withdrawn")
    await expect(customer.mine.locator(".actions")).to_have_count(0)
    await customer.reload()
    await customer.was_shown("This message was withdrawn")


async def test_by_keyboard_alone(visit: Door, desk: FakeDesk) -> None:
    customer, _ = await answered(visit, desk)
    await customer.theirs.focus()
    await customer.page.keyboard.press("Tab")
    await expect(control(customer.theirs, "React: thumbs up")).to_be_focused()
    await customer.page.keyboard.press("Enter")
    await expect(customer.theirs.locator(".reaction")).to_have_text("👍")
    await expect(control(customer.theirs, "React: thumbs up")).to_be_focused()
    await expect(control(customer.theirs, "React: thumbs up")).to_have_attribute("aria-pressed", "true")
    await customer.theirs.focus()
    await customer.page.keyboard.press("ArrowUp")
    await expect(customer.mine).to_be_focused()
    await control(customer.mine, "Edit message").focus()
    await customer.page.keyboard.press("Enter")
    await customer.page.keyboard.type("!")
    await customer.page.keyboard.press("Enter")
    await customer.was_shown("Hello!", "Good morning")


async def test_offline_changes_wait_in_order_behind_their_message_and_survive_a_reload(
    visit: Door, desk: FakeDesk
) -> None:
    customer = await visit(lines_may_break=True)
    await customer.begin("one")
    desk.down = True
    desk.drop()
    await customer.write("two")
    await press(customer.mine.last, "Edit message")
    await customer.write("two, changed")
    await press(customer.mine.first, "Edit message")
    await customer.write("one, changed")
    await customer.was_shown("one, changed", "two, changed")
    await customer.reload()
    await customer.was_shown("two, changed")  # what the desk has is not on the device
    desk.heard.clear()
    desk.down = False
    await desk.until(lambda: len(desk.heard_of("revise")) == 2)
    said = [frame for frame in desk.heard if frame["t"] in ("message", "revise")]
    assert [(one["t"], one["parts"][0]["text"]) for one in said] == [
        ("message", "two"),
        ("revise", "two, changed"),
        ("revise", "one, changed"),
    ]
    await customer.was_shown("one, changed", "two, changed")
    await expect(customer.mine.first.locator(".edited")).to_have_text("edited")


@pytest.mark.parametrize(("name", "said"), [("Edit message", "Not changed."), ("Withdraw message", "Not withdrawn.")])
async def test_what_is_too_late_is_said_in_place(visit: Door, desk: FakeDesk, name: str, said: str) -> None:
    customer = await visit()
    await customer.begin("Hello")
    desk.refusals.append({"code": "too_late", "retry": False})
    await press(customer.mine, name)
    if name == "Edit message":
        await customer.write("Hello!")
    else:
        await customer.button("Withdraw").click()
    await expect(customer.mine.get_by_role("alert")).to_contain_text(f"{said} It is too late to change this message.")
    await customer.was_shown("Hello")
    await customer.mine.get_by_role("button", name="OK").click()
    await customer.was_told_state("Reached our desk")


async def test_when_the_time_is_over_nothing_is_offered(visit: Door, desk: FakeDesk) -> None:
    desk.revise = 0
    customer = await visit()
    await customer.begin("Hello")
    await customer.reload()
    await customer.mine.hover()
    await expect(control(customer.mine, "Copy message")).to_be_visible()
    await expect(control(customer.mine, "Edit message")).to_have_count(0)
    await expect(control(customer.mine, "Withdraw message")).to_have_count(0)


async def test_a_reaction_stands_after_a_reload_and_another_takes_its_place(visit: Door, desk: FakeDesk) -> None:
    customer, _ = await answered(visit, desk)
    await press(customer.theirs, "React: heart")
    await customer.reload()
    await expect(customer.theirs.locator(".reaction")).to_have_text("❤️")
    await press(customer.theirs, "React: thank you")
    await expect(customer.theirs.locator(".reaction")).to_have_text("🙏")
    await customer.theirs.get_by_role("button", name="Your reaction: thank you. Press to take it off.").click()
    await expect(customer.theirs.locator(".reaction")).to_have_count(0)
    assert [(one["reaction"], one["on"]) for one in desk.heard_of("react")] == [
        ("❤️", True),
        ("🙏", True),
        ("🙏", False),
    ]


async def test_an_operators_edit_and_withdrawal_are_shown_quietly(visit: Door, desk: FakeDesk) -> None:
    customer, known = await answered(visit, desk)
    reply = desk.messages(known)[-1]
    said = {key: reply[key] for key in ("kind", "id", "from", "withdrawn")} | {"name": None, "initials": None}
    desk.event(known, {**said, "rev": 1, "parts": [{"type": "text", "text": "Good evening"}]})
    await customer.was_shown("Hello", "Good evening")
    await expect(customer.theirs.locator(".edited")).to_have_text("edited")
    desk.event(known, {**said, "rev": 1, "parts": None, "withdrawn": True})
    await customer.was_shown("Hello", "This message was withdrawn")


async def test_what_was_corrected_before_it_came_is_not_called_edited(visit: Door, desk: FakeDesk) -> None:
    customer, known = await answered(visit, desk)
    reply = desk.say(known, "as it was meant", rev=4_000, edited=False)
    await customer.was_shown("Hello", "Good morning", "as it was meant")
    await expect(customer.theirs.locator(".edited")).to_have_count(0)
    desk.say(known, "thought better of", id=reply["id"], rev=5_000, edited=True)
    await expect(customer.theirs.locator(".edited")).to_have_text("edited")


async def test_who_is_told_that_somebody_looks_has_been_seen(visit: Door, desk: FakeDesk) -> None:
    desk.seen = True
    customer = await visit()
    await customer.begin("Hello")
    await customer.was_told_state("Reached our desk")
    desk.notice(await desk.next_customer(), "looking_into_it")
    await expect(customer.notices.last).to_have_text("We are looking into it")
    await customer.was_told_state("Seen")


@pytest.mark.parametrize(
    ("name", "device", "scheme", "language"),
    [
        ("phone", PHONE, "light", "en"),
        ("phone", PHONE, "dark", "ja"),
        ("desktop", DESKTOP, "light", "ja"),
        ("desktop", DESKTOP, "dark", "en"),
    ],
)
async def test_it_looks_right(
    visit: Door, desk: FakeDesk, shot: Shot, name: str, device: dict[str, Any], scheme: str, language: str
) -> None:
    customer, known = await talked(visit, desk, language, **device, color_scheme=scheme, locale=language)
    mark = f"changes-{name}-{scheme}-{language}"
    await customer.theirs.focus()
    await customer.theirs.locator(".emoji").first.click()
    await expect(customer.theirs.locator(".reaction")).to_be_visible()
    await shot(customer.page, f"{mark}-1-reacted")
    await customer.mine.focus()
    await shot(customer.page, f"{mark}-2-own")
    await customer.mine.locator("[data-act=edit]").click()
    await shot(customer.page, f"{mark}-3-editing")
    await customer.input.fill(WORDS[language][0] + "!")
    await customer.send.click()
    await expect(customer.mine.locator(".edited")).to_be_visible()
    desk.notice(known, "looking_into_it")
    await customer.mine.focus()
    await customer.mine.locator("[data-act=withdraw]").click()
    await shot(customer.page, f"{mark}-4-asked")


WORDS = {
    "en": ("Hello, my withdrawal has not arrived", "Thank you for waiting. I am looking at it now.", "Sato"),
    "ja": ("昨日の出金がまだ届いていません", "お待たせいたしました。ただいま確認いたします。", "佐藤"),
}


async def talked(visit: Door, desk: FakeDesk, language: str, **options: Any) -> tuple[Customer, Known]:
    customer, (asked, told, name) = await visit(**options), WORDS[language]
    await customer.open()
    await customer.panel.locator(".row").nth(1).click()
    await customer.input.fill(asked)
    await customer.send.click()
    known = await desk.next_customer()
    await desk.until(lambda: known.session)
    desk.say(known, told, name=name)
    await expect(customer.theirs).to_be_visible()
    return customer, known
