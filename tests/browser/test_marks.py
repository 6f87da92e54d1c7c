"""What an operator formats is drawn as what it is, at the customer's and at the desk: by elements, never by markup."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from adapters.slack.text.mentions import Names
from adapters.slack.text.richtext import read
from bridge.marks import as_text
from bridge.messages import Body, TextPart
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import OperatorNoted, OperatorReplied
from tests.browser.conftest import Door, NewContext, Shot
from tests.browser.desk_page import LOCALES, WIDE, Desk
from tests.browser.desk_page import PHONE as DESK_PHONE
from tests.browser.fake_desk import FakeDesk, Site, desk_and_site
from tests.browser.test_widget import DESKTOP, PHONE, is_legible
from tests.browser.test_widget_faces import written
from tests.integration.console_house import House, console_house

pytestmark = pytest.mark.asyncio(loop_scope="session")

TXID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words} | ({"style": style} if style else {})


def section(*elements: dict[str, Any], kind: str = "section") -> dict[str, Any]:
    return {"type": f"rich_text_{kind}", "elements": list(elements)}


def listed(*items: dict[str, Any], style: str = "bullet", **more: Any) -> dict[str, Any]:
    return {"type": "rich_text_list", "style": style, "elements": [section(one) for one in items], **more}


def formatted() -> TextPart:
    """A reply with everything in it, as Slack sends it."""
    elements = [
        section(text("Your withdrawal is "), text("on its way", bold=True), text(" 🙏🏽\n")),
        section(text("pending for two hours\nsince 12:00"), kind="quote"),
        listed(text("Open Withdrawals", bold=True), text("Choose the transaction"), style="ordered"),
        listed(text("on a phone: hold it"), text("<img src=x onerror=alert(1)>", code=True), indent=1),
        listed(text("Compare the amount, not "), style="ordered", offset=2),
        section(text(f'txid = "{TXID}"\nfee  = 0.0001'), kind="preformatted"),
        section(
            text("It is "),
            text("0.0002", strike=True),
            text(" "),
            text("0.0001", italic=True),
            text(". See "),
            {"type": "link", "url": "https://help.example.com/a_(b)", "text": "our page"},
            text(" or "),
            {"type": "link", "url": "javascript:alert(1)", "text": "this"},
            text("."),
        ),
    ]
    part = read([{"type": "rich_text", "elements": elements}], Names())
    assert part is not None
    return part


async def is_drawn(box: Locator) -> None:
    await expect(box.locator("strong")).to_have_text(["on its way", "Open Withdrawals"])
    await expect(box.locator("blockquote")).to_have_text("pending for two hours\nsince 12:00")
    await expect(box.locator("xpath=./ol")).to_have_count(1)
    await expect(box.locator("ol > li")).to_have_count(3)
    await expect(box.locator("ol > li > ul > li")).to_have_count(2)
    await expect(box.locator("ol > li").last).to_have_attribute("value", "3")
    await expect(box.locator("code")).to_have_text("<img src=x onerror=alert(1)>")
    await expect(box.locator("pre")).to_contain_text("fee  = 0.0001")
    await expect(box.locator("s")).to_have_text("0.0002")
    await expect(box.locator("em")).to_have_text("0.0001")
    link = box.locator("a")
    await expect(link).to_have_text(["https://help.example.com/a_(b)"])
    await expect(link).to_have_attribute("href", "https://help.example.com/a_(b)")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(box).to_contain_text("this (javascript:alert(1))")
    assert await box.locator("img, script").count() == 0


# ------------------------------------------------------------------ the customer's chat


@pytest_asyncio.fixture(loop_scope="session")
async def places() -> AsyncIterator[tuple[FakeDesk, Site]]:
    async with desk_and_site() as both:
        yield both


@pytest.fixture
def scripted(places: tuple[FakeDesk, Site]) -> FakeDesk:
    return places[0]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(new_context: NewContext, places: tuple[FakeDesk, Site]) -> AsyncIterator[Door]:
    door = Door(new_context, places[1])
    yield door
    for customer in door.customers:
        await customer.has_no_complaints()


@pytest.mark.parametrize(("screen", "options"), [("desktop", DESKTOP), ("phone", PHONE)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_chat_draws_what_was_formatted(
    visit: Door, scripted: FakeDesk, shot: Shot, screen: str, options: dict[str, Any], scheme: str
) -> None:
    customer = await visit(f"{scripted.url}/?lang=en", locale="en", color_scheme=scheme, **options)
    await customer.open()
    await customer.choose("Trading")
    await customer.input.fill("Where is my withdrawal?")
    await customer.send.click()
    known = await written(scripted)
    scripted.notice(known, "joined", state="assigned", name="Aiko")
    part = formatted()
    scripted.say(known, part.text, parts=[as_text(part)])
    await is_drawn(customer.theirs.locator(".text"))
    await is_legible(customer)
    await shot(customer.page, f"marks-{screen}-{scheme}")


async def test_marks_that_make_no_sense_leave_the_words(visit: Door, scripted: FakeDesk) -> None:
    customer = await visit(f"{scripted.url}/?lang=en", locale="en", **DESKTOP)
    await customer.begin("Hello")
    known = await written(scripted)
    marks: list[dict[str, Any]] = [
        {"kind": "bold", "start": -1, "end": 3},
        {"kind": "bold", "start": 2, "end": 99},
        {"kind": "sparkle", "start": 0, "end": 2},
        {"kind": "link", "start": 0, "end": 2, "to": "javascript:alert(1)"},
        {"kind": "link", "start": 2, "end": 4},
        {"kind": "item", "start": 3, "end": 5},
    ]
    scripted.say(known, "👋🏽 hello", parts=[{"type": "text", "text": "👋🏽 hello", "marks": marks}])
    box = customer.theirs.locator(".text")
    await expect(box).to_contain_text("👋🏽")
    assert "".join((await box.inner_text()).split()) == "👋🏽hello"
    assert await box.locator("a, strong").count() == 0


# ------------------------------------------------------------------ the desk


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with console_house(tmp_path) as house:
        yield house


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", WIDE), ("light", DESK_PHONE)])
async def test_the_desk_draws_what_was_formatted_in_replies_and_notes(
    house: House, new_context: NewContext, shot: Shot, scheme: str, size: Any
) -> None:
    await house.operator("kenji", names={"en": "Sato", "ja": "佐藤"}, lead=True)
    context = await new_context(locale=LOCALES["en"], viewport=size, color_scheme=scheme)
    desk = Desk(house, await context.new_page(), "en")
    await desk.signs_in()
    mia = house.customer()
    await mia.writes()
    session = (await mia.session()).session.id
    for kind, name in ((OperatorReplied, "o:1"), (OperatorNoted, "o:2")):
        event = kind(MessageId(name), OperatorId("kenji"))
        await house.relay.from_operator(session, event, InputKey(secrets.token_hex(4)), body=Body((formatted(),)))
    await desk.opens(mia)
    await is_drawn(desk.page.locator(".message.reply .text"))
    await is_drawn(desk.page.locator(".message.note .text"))
    await shot(desk.page, f"marks-desk-{scheme}-{size['width']}")
    assert desk.complaints == []
