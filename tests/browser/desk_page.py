"""An operator's page in the browser, for the tests of the desk: what people press, and what the browser objects to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import ConsoleMessage, Locator, Page, expect

from config.locales import text
from routing.ids import SessionId
from tests.integration.console_house import PASSWORD, Customer, House

WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
LOCALES = {"en": "en-GB", "ja": "ja-JP", "zh-Hans": "zh-CN", "zh-Hant": "zh-TW"}
CONTRAST = 4.5  # WCAG 2.2, 1.4.3
PATIENCE = 60_000  # ms, on a machine that is busy with other tests
expect.set_options(timeout=PATIENCE)


@dataclass
class Desk:
    """An operator's page. `complaints` is what the browser had to say: a broken policy, an error in a script."""

    house: House
    page: Page
    language: str = "en"
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        expected = ("Failed to load resource", "WebSocket connection", "net::ERR")  # refusals and cut lines
        if message.type in ("error", "warning") and not any(one in message.text for one in expected):
            self.complaints.append(message.text)

    def words(self, key: str, **gaps: object) -> str:
        return text("desk", self.language, key, **gaps)

    async def signs_in(self, account: str = "kenji", *, at: str = "") -> Desk:
        await self.page.goto(f"{self.house.console}/{at}")
        await self.page.locator("[name=account]").fill(account)
        await self.page.locator("[name=password]").fill(PASSWORD)
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator(".sessions")).to_be_attached()
        return self

    async def opens(self, customer: Customer) -> SessionId:
        stored = await customer.session()
        await self.page.goto(f"{self.house.console}/#{stored.session.code}")
        await expect(self.page.locator(".thread-head .code")).to_have_text(stored.session.code)
        return stored.session.id

    async def presses(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def types(self, words: str) -> None:
        await self.page.keyboard.type(words)

    async def dialog_closed(self) -> None:
        await expect(self.page.locator("dialog")).to_have_count(0)

    def field(self, kind: str) -> Locator:
        return self.page.locator(f"#panel-{kind} textarea")

    def message(self, kind: str, words: str) -> Locator:
        return self.page.locator(f".message.{kind}:not(.pending) .bubble", has_text=words)

    async def codes(self) -> list[str]:
        return await self.page.locator(".row .code").all_inner_texts()


async def faint(desk: Desk) -> list[Any]:
    """Every visible text whose contrast to what is behind it is too small, with both colours and the ratio."""
    found: list[Any] = await desk.page.evaluate(FAINT, CONTRAST)
    return found


FAINT = """(least) => {
    const channels = (color) => {
        const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
        const scale = color.startsWith("color(") ? 1 : 255;
        return {rgb: [r / scale, g / scale, b / scale], a};
    };
    const light = ({rgb}) => {
        const [r, g, b] = rgb.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const over = (top, below, a) => ({rgb: top.rgb.map((c, at) => c * a + below.rgb[at] * (1 - a)), a: 1});
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = channels(getComputedStyle(at).backgroundColor);
            if (color.a === 1) return color;
        }
        return channels(getComputedStyle(document.body).backgroundColor);
    };
    const faint = [];
    const walker = document.createTreeWalker(document.querySelector("dialog") ?? document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const shown = element.checkVisibility({opacityProperty: true, visibilityProperty: true});
        if (!walker.currentNode.textContent.trim() || !shown || element.closest(".sr, noscript, .skip")) continue;
        let text = channels(getComputedStyle(element).color);
        const behind = ground(element);
        for (let at = element; at; at = at.parentElement) {
            text = over(text, behind, Number(getComputedStyle(at).opacity));
        }
        const [high, low] = [light(text), light(behind)].sort((one, other) => other - one);
        const ratio = (high + 0.05) / (low + 0.05);
        if (ratio < least) faint.push([walker.currentNode.textContent.trim(), element.className, ratio.toFixed(2)]);
    }
    return faint;
}"""
