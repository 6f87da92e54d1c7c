"""A whole conversation between two real browsers, through the whole service as a real process.

The customer is on the demo page, the operator at the sign-in link that the terminal printed. Nothing is faked between
them. Screenshots of both are in build/screenshots; with KAKEHASHI_DOCS_IMAGES=1 those of the README are made anew.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image, ImageDraw, ImageFont
from playwright.async_api import ConsoleMessage, FilePayload, Locator, Page, expect

from config import locales
from routing.facts import Side
from tests.browser.conftest import NewContext, Shot
from tests.browser.widget_page import Customer
from tests.scenarios.customer import Customer as Visitor
from tests.scenarios.ledger import Ledger, ledger
from tests.service import DEADLINE, Installation, until
from tests.unit.adapters.files import samples

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("conversation")]

DOCS_IMAGES = Path("docs/images")
PATIENCE = DEADLINE * 1_000  # ms
TXID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
BROWSER = {"ja": {"locale": "ja-JP"}, "en": {"locale": "en-GB"}}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
    "reduced_motion": "reduce",
}
SAID = {
    "ja": (
        "出金が届いていません",
        f"トランザクションIDはこちらです\n{TXID}",
        "佐藤と申します。お調べしますので少々お待ちください。",
        "ブロックチェーン上では承認済みです。反映まで最大で30分ほどかかります。",
        "まだ反映されていません 🙏",
        "ただいま反映されました。ご確認ください。",
    ),
    "en": (
        "My withdrawal has not arrived",
        f"This is the transaction\n{TXID}",
        "Good morning, this is Sato. One moment please, I am looking it up.",
        "The network has confirmed it. It can take up to 30 minutes until you see it.",
        "It is still not there 🙏",
        "It has just been credited. Please have a look.",
    ),
}
NOTE = {"ja": "社内メモ：オンチェーンは承認済み、反映待ち", "en": "confirmed on chain, waiting for the credit job"}


class Desk:
    """The operator's page, and everything it complains about."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.language = language
        self.complaints: list[str] = []
        self.lines_may_break = False
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        broken = ("WebSocket connection to", "Failed to load resource", "net::ERR_")
        if message.type not in ("error", "warning"):
            return
        if self.lines_may_break and any(known in message.text for known in broken):
            return
        self.complaints.append(message.text)

    def words(self, key: str, **gaps: str) -> str:
        return locales.text("desk", self.language, key, **gaps)

    def button(self, key: str) -> Locator:
        return self.page.get_by_role("button", name=self.words(key), exact=True)

    async def sign_in(self, link: str) -> None:
        """By the link that the terminal printed; the first time one is asked for one's public names."""
        await self.page.goto(link)
        names = self.page.locator(".gate-form input")
        await expect(names).to_have_count(4, timeout=PATIENCE)
        await names.nth(0).fill("佐藤")
        await names.nth(1).fill("Sato")
        await self.button("names.save").click()
        await expect(self.page.locator(".sessions")).to_be_visible(timeout=PATIENCE)
        assert "sign-in" not in self.page.url, "the token has left the address"

    async def open(self) -> str:
        """The one conversation that waits; its code."""
        row = self.page.locator("a.row")
        await row.click(timeout=PATIENCE)
        code = await row.locator(".code").inner_text()
        await expect(self.page.locator(".thread-head")).to_contain_text(code, timeout=PATIENCE)
        return code

    async def shows(self, text: str, side: str = "customer") -> None:
        bubble = self.page.locator(f".message.{side}:not(.pending) .bubble", has_text=text)
        await expect(bubble).to_be_in_viewport(timeout=PATIENCE)

    async def write(self, kind: str, text: str) -> None:
        await self.page.locator(f"#tab-{kind}").click()
        field = self.page.locator(f"#panel-{kind} textarea")
        await field.fill(text)
        await field.press("Enter")

    async def has_no_complaints(self) -> None:
        assert self.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[Installation]:
    async with Installation(tmp_path) as installation:
        await installation.up()
        yield installation


async def seen(locator: Locator, text: str | re.Pattern[str] | None = None) -> None:
    """It is on the screen, with that text."""
    await expect(locator).to_be_visible(timeout=PATIENCE)
    if text is not None:
        await expect(locator).to_contain_text(text, timeout=PATIENCE)


async def the_customer(new_context: NewContext, house: Installation, **options: Any) -> Customer:
    page = await (await new_context(**options)).new_page()
    return await Customer.at(page, f"{house.url}/")


async def the_operator(new_context: NewContext, house: Installation, language: str, **options: Any) -> Desk:
    desk = Desk(await (await new_context(**{**BROWSER[language], **options})).new_page(), language)
    await desk.sign_in(house.running.sign_in_link)
    return desk


async def books_of(house: Installation) -> Ledger:
    """Of the one conversation; it was opened first."""
    async with house.books() as store:
        opened = sorted([await ledger(store, one) async for one in store.sessions()], key=lambda book: book.opened)
        return opened[0]


def screenshot_of_the_exchange() -> bytes:
    """What a customer would photograph: a form that says that something went wrong."""
    image = Image.new("RGB", (720, 400), "#ffffff")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    draw.rectangle((0, 0, 720, 64), fill="#16324f")
    draw.text((24, 18), "Withdraw BTC", fill="#ffffff", font=font)
    for row, (name, value) in enumerate((("Amount", "0.0500 BTC"), ("Network", "Bitcoin"), ("Status", "Confirmed"))):
        draw.text((24, 96 + 56 * row), name, fill="#5a6b7b", font=font)
        draw.text((240, 96 + 56 * row), value, fill="#16324f", font=font)
    draw.rounded_rectangle((24, 296, 696, 368), 8, fill="#fdecea")
    draw.text((44, 318), "Not credited yet", fill="#a3271b", font=font)
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


async def compose(customer: Customer, reading: str, text: str) -> None:
    """As an input method does: letters under composition, then the words that were chosen; that Enter never sends."""
    keyboard = await customer.page.context.new_cdp_session(customer.page)
    place = {"selectionStart": len(reading), "selectionEnd": len(reading)}
    await keyboard.send("Input.imeSetComposition", {"text": reading, **place})
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    await keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    await keyboard.send("Input.insertText", {"text": text})
    await expect(customer.input).to_have_value(text)


# ------------------------------------------------------------------ the whole story


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_a_whole_conversation(new_context: NewContext, shot: Shot, house: Installation, language: str) -> None:
    says = SAID[language]
    customer = await the_customer(new_context, house, **DESKTOP, **BROWSER[language])
    desk = await the_operator(new_context, house, language, **DESKTOP)

    def words(key: str, **gaps: str) -> str:
        return locales.text("widget", language, key, **gaps)

    # the customer asks, with an input method and a picture
    await customer.open()
    await customer.choose(words("topic.transfers"))
    if language == "ja":
        await compose(customer, "しゅっきんがとどいていません", says[0])
    else:
        await customer.input.press_sequentially(says[0])
    await customer.input.press("Enter")
    await customer.was_shown(says[0])
    picture = FilePayload(name="screen.png", mimeType="image/png", buffer=screenshot_of_the_exchange())
    await customer.panel.locator("input[type=file]").set_input_files(picture)
    await customer.input.fill(says[1])
    await customer.send.click()
    await seen(customer.state.last, words("state.reached"))

    # the operator takes it
    code = await desk.open()
    await desk.shows(TXID)
    await seen(desk.page.locator(".message.customer .picture img"))
    await shot(desk.page, f"conversation-{language}-desk-waiting")
    await desk.button("action.claim").click()
    await seen(customer.notices.filter(has_text="佐藤" if language == "ja" else "Sato"))
    await desk.write("reply", says[2])
    await seen(customer.theirs.filter(has_text=says[2]))
    await desk.shows(says[2], "reply")

    # a note stays where it is; a promise is seen
    await desk.write("note", NOTE[language])
    await desk.shows(NOTE[language], "note")
    await desk.write("reply", says[3])
    await seen(customer.theirs.filter(has_text=says[3]))
    await desk.button("action.hold").click()
    await desk.page.locator("dialog button[type=submit]").click()
    promise = re.escape(locales.text("notice", language, "notice.held", until="UNTIL", name="NAME"))
    await seen(customer.notices.filter(has_text=re.compile(promise.replace("UNTIL", ".+").replace("NAME", ".+"))))
    await shot(customer.page, f"conversation-{language}-widget-held")
    await shot(desk.page, f"conversation-{language}-desk-held")
    await _docs_images(customer.page, desk, house, language)

    # solved? not yet; and then it is
    await desk.button("action.resolve").click()
    await desk.page.locator("dialog button[type=submit]").click()
    await seen(customer.panel.get_by_role("group", name=words("solved.question")))
    await shot(customer.page, f"conversation-{language}-widget-solved")
    await customer.button(words("solved.no")).click()
    await seen(desk.page.locator(".event", has_text=desk.words("line.denied")))
    await customer.write(says[4])
    await desk.shows(says[4])
    await desk.write("reply", says[5])
    await seen(customer.theirs.filter(has_text=says[5]))
    await desk.button("action.resolve").click()
    await desk.page.locator("dialog button[type=submit]").click()
    await customer.button(words("solved.yes")).click(timeout=PATIENCE)
    await seen(desk.page.locator(".event", has_text=desk.words("line.confirmed")))
    await seen(customer.panel.locator(".card.quiet"), code)
    await shot(customer.page, f"conversation-{language}-widget-closed")
    await shot(desk.page, f"conversation-{language}-desk-closed")

    assert NOTE[language] not in await customer.panel.inner_text()
    book = await books_of(house)
    assert book.said_by(Side.CUSTOMER) == [says[0], f"{says[1]} <file>", says[4]]
    assert book.said_by(Side.REPLY) == [says[2], says[3], says[5]]
    assert book.said_by(Side.NOTE) == [NOTE[language]]
    await customer.has_no_complaints()
    await desk.has_no_complaints()


OTHERS = (
    ("ja", "transfers", "出金の反映にどのくらいかかりますか"),
    ("zh-Hans", "account", "身份认证一直显示审核中"),
    ("en", "security", "I lost the phone with my authenticator"),
    ("zh-Hant", "trading", "限價單沒有成交"),
)


async def _docs_images(customer: Page, desk: Desk, house: Installation, language: str) -> None:
    """The pictures of the README, when they are asked for: with a few others who wait."""
    if language != "en" or os.environ.get("KAKEHASHI_DOCS_IMAGES") != "1":
        return
    DOCS_IMAGES.mkdir(parents=True, exist_ok=True)
    await customer.screenshot(path=DOCS_IMAGES / "widget.png")
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        for number, (spoken, topic, words) in enumerate(OTHERS):
            one = Visitor(http, [house.url], f"other-{number}", locale=spoken)
            await stack.enter_async_context(one.online())
            await one.write(words, topic=topic, language=spoken)
            await one.is_heard()
        await desk.page.get_by_role("button", name=desk.words("list.all")).click()
        await expect(desk.page.locator("a.row")).to_have_count(len(OTHERS) + 1, timeout=PATIENCE)
        await desk.page.screenshot(path=DOCS_IMAGES / "desk.png")


# ------------------------------------------------------------------ killed in the middle of a sentence


async def test_a_kill_in_the_middle_of_a_sentence_loses_nothing(
    new_context: NewContext, shot: Shot, house: Installation
) -> None:
    customer = await the_customer(new_context, house, **DESKTOP)
    desk = await the_operator(new_context, house, "en", **DESKTOP)
    customer.lines_may_break = desk.lines_may_break = True
    await customer.begin("before the kill")
    await desk.open()
    await desk.write("reply", "good morning")
    await seen(customer.theirs.filter(has_text="good morning"))

    await customer.input.press_sequentially("I was just ab")
    await desk.page.locator("#panel-reply textarea").press_sequentially("let me ")
    await house.running.kill()
    await customer.input.press_sequentially("out to say")
    await customer.input.press("Enter")
    await customer.write("and one more while it is dead")
    await desk.page.locator("#panel-reply textarea").press_sequentially("have a look")
    await desk.page.locator("#panel-reply textarea").press("Enter")
    await seen(customer.bar)
    await shot(customer.page, "conversation-killed-widget")
    await shot(desk.page, "conversation-killed-desk")
    await customer.input.press_sequentially("a draft that is not")

    await house.up()
    await desk.shows("and one more while it is dead")
    await seen(customer.theirs.filter(has_text="let me have a look"))
    await expect(customer.input).to_have_value("a draft that is not")
    said = ["before the kill", "I was just about to say", "and one more while it is dead"]
    await expect(customer.mine).to_have_count(len(said), timeout=PATIENCE)
    await customer.reload()
    await expect(customer.input).to_have_value("a draft that is not", timeout=PATIENCE)
    await expect(customer.mine).to_have_count(len(said), timeout=PATIENCE)

    book = await books_of(house)
    assert book.said_by(Side.CUSTOMER) == said
    assert book.said_by(Side.REPLY) == ["good morning", "let me have a look"]
    assert (await customer.mine.locator(".bubble").all_text_contents()) == said
    await customer.has_no_complaints()
    await desk.has_no_complaints()


async def test_what_was_said_to_a_dead_service_survives_the_page_as_well(
    new_context: NewContext, house: Installation
) -> None:
    """The page is closed before the service is back: what was not sent goes out when it is opened again."""
    customer = await the_customer(new_context, house, **DESKTOP)
    customer.lines_may_break = True
    await customer.begin("before the kill")
    await house.running.kill()
    await customer.write("said into the dark")
    await expect(customer.mine).to_have_count(2, timeout=PATIENCE)
    await customer.page.close()
    await house.up()
    again = await Customer.at(await customer.page.context.new_page(), f"{house.url}/")
    await again.open()
    await seen(again.panel.get_by_text("said into the dark").locator("visible=true").first)
    await until(lambda: _has_said(house, "said into the dark"), "it is stored")
    assert (await books_of(house)).said_by(Side.CUSTOMER) == ["before the kill", "said into the dark"]
    await again.has_no_complaints()


async def _has_said(house: Installation, text: str) -> bool:
    return text in (await books_of(house)).said_by(Side.CUSTOMER)


# ------------------------------------------------------------------ one's own files


async def test_ones_own_files_can_be_opened_as_soon_as_they_are_sent(
    new_context: NewContext, house: Installation
) -> None:
    customer = await the_customer(new_context, house, **DESKTOP)
    await customer.begin("I have filled in the form")
    form = samples.pdf()
    await customer.attach("form.pdf", form, "application/pdf")
    await customer.send.click()
    document = customer.mine.locator("a.document")
    await seen(document, "form.pdf")
    async with customer.page.expect_download(timeout=PATIENCE) as downloading:
        await document.click()
    downloaded = await downloading.value
    assert downloaded.suggested_filename == "form.pdf"
    assert (await downloaded.path()).read_bytes() == form

    await customer.attach("screen.png", screenshot_of_the_exchange())
    await customer.send.click()
    await customer.mine.locator(".picture").click(timeout=PATIENCE)
    shown = customer.panel.get_by_role("dialog", name="screen.png").locator("img")
    await expect(shown).to_have_js_property("naturalWidth", 720, timeout=PATIENCE)
    await customer.has_no_complaints()


# ------------------------------------------------------------------ on a phone


async def test_on_a_phone_the_chat_is_the_whole_screen(
    new_context: NewContext, shot: Shot, house: Installation
) -> None:
    customer = await the_customer(new_context, house, **PHONE, **BROWSER["ja"])
    desk = await the_operator(new_context, house, "ja", **PHONE)
    await customer.open()
    await customer.choose(locales.text("widget", "ja", "topic.transfers"))
    await customer.input.fill(SAID["ja"][0])
    await customer.send.click()
    await customer.input.fill(SAID["ja"][1])
    await customer.send.click()
    await desk.open()
    await desk.shows(TXID)
    await shot(desk.page, "conversation-phone-desk")
    await desk.page.locator("#panel-reply textarea").fill(SAID["ja"][2])
    await desk.page.locator("#panel-reply .button").click()
    await seen(customer.theirs.filter(has_text=SAID["ja"][2]))
    await shot(customer.page, "conversation-phone-widget")
    box = await customer.panel.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    for page in (customer.page, desk.page):
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    await customer.has_no_complaints()
    await desk.has_no_complaints()
