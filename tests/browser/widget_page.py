"""The widget as a customer meets it: what they do, and what they are shown."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Callable
from typing import Any

from playwright.async_api import ConsoleMessage, FilePayload, Locator, Page, expect

# The browser itself reports every line that breaks; a test that breaks lines says so.
_BROKEN_LINE = ("WebSocket connection to", "Failed to load resource", "net::ERR_")

_PATIENCE = 60.0  # seconds

STOPPED_CLOCK = """(() => { const [now, later] = [Date.now(), setTimeout]; Date.now = () => now;
  window.setTimeout = (act, ms, ...more) => later(act, ms >= 2000 ? 2 ** 30 : ms, ...more); })()"""

_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.violations.push(`${event.effectiveDirective}: ${event.blockedURI}`));
"""


class Customer:
    """A page with the widget on it, and everything it complains about."""

    def __init__(self, page: Page, *, lines_may_break: bool = False) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.lines_may_break = lines_may_break
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @classmethod
    async def at(cls, page: Page, url: str, *, lines_may_break: bool = False) -> Customer:
        customer = cls(page, lines_may_break=lines_may_break)
        await page.add_init_script(_WATCH)
        await page.goto(url)
        await customer.host.wait_for(state="attached")
        return customer

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if self.lines_may_break and any(known in message.text for known in _BROKEN_LINE):
            return
        self.complaints.append(message.text)

    async def has_no_complaints(self) -> None:
        assert self.complaints == []
        if not self.page.is_closed():
            assert await self.page.evaluate("window.violations") == []

    # ---- where things are

    @property
    def host(self) -> Locator:
        return self.page.locator("kakehashi-chat")

    @property
    def launcher(self) -> Locator:
        return self.host.locator(".launcher")

    @property
    def panel(self) -> Locator:
        return self.host.locator(".panel")

    @property
    def input(self) -> Locator:
        return self.panel.locator("textarea")

    @property
    def send(self) -> Locator:
        return self.panel.locator(".send")

    @property
    def mine(self) -> Locator:
        return self.panel.locator(".message.mine")

    @property
    def theirs(self) -> Locator:
        return self.panel.locator(".message.theirs:not(.typing)")

    @property
    def notices(self) -> Locator:
        return self.panel.locator(".notice span")

    @property
    def state(self) -> Locator:
        return self.panel.locator(".state")

    @property
    def attached(self) -> Locator:
        """Files that wait in the composer."""
        return self.panel.locator(".upload")

    @property
    def bar(self) -> Locator:
        return self.panel.locator(".bar-line.up")

    def button(self, name: str) -> Locator:
        return self.panel.get_by_role("button", name=name, exact=True)

    # ---- what they do

    async def open(self) -> None:
        await self.launcher.click()
        await expect(self.panel).to_be_visible()

    async def choose(self, topic: str) -> None:
        await self.panel.get_by_role("button", name=topic).click()
        await expect(self.input).to_be_visible()

    async def begin(self, text: str, topic: str = "Trading") -> None:
        """Open the chat, choose a topic, and send the first message; it is stored when this returns."""
        await self.open()
        await self.choose(topic)
        await self.write(text)
        await expect(self.panel.locator(".state:is(.sent, .reached, .seen)")).to_be_visible()

    async def write(self, text: str) -> None:
        await self.input.fill(text)
        await self.input.press("Enter")

    async def choose_from_menu(self, name: str) -> None:
        await self.button("Options").click()
        await self.panel.get_by_role("menuitem", name=name).click()

    async def attach(self, name: str, content: bytes, media: str = "image/png") -> None:
        file = FilePayload(name=name, mimeType=media, buffer=content)
        await self.panel.locator("input[type=file]").set_input_files(file)

    async def identify(self, token: str | None) -> None:
        """What the site says of who is logged in."""
        await self.page.evaluate("(token) => Kakehashi.identify(token)", token)

    async def log_out(self) -> None:
        await self.page.evaluate("void Kakehashi.logout()")

    async def awaits(self, promise: str) -> None:
        """Until this promise of the page's is kept."""
        async with asyncio.timeout(_PATIENCE):
            await self.page.evaluate(promise)

    async def stop_the_clock(self) -> None:
        """What is shown for some seconds only stays, on a machine that is too busy to look in time."""
        await self.page.evaluate(STOPPED_CLOCK)

    async def reload(self) -> None:
        await self.page.reload()
        await self.host.wait_for(state="attached")

    async def focused(self) -> str:
        """What has the focus, inside the widget or outside: its class, else its id, else its tag."""
        return str(await self.page.evaluate(_FOCUSED))

    # ---- what they are shown

    async def was_shown(self, *texts: str) -> None:
        """The messages of both sides, exactly these, in this order."""
        bubbles = self.panel.locator(".message:not(.typing) .bubble")
        shown: list[str] = []
        try:
            async with asyncio.timeout(_PATIENCE):
                while (shown := await bubbles.all_text_contents()) != list(texts):  # noqa: ASYNC110 - a page has none
                    await asyncio.sleep(0.05)
        except TimeoutError:
            assert shown == list(texts)

    async def was_told_state(self, text: str) -> None:
        await expect(self.state.last).to_contain_text(text)

    async def stored(self) -> dict[str, Any]:
        """What of ours is on the device."""
        keys: dict[str, Any] = await self.page.evaluate(_STORED)
        return keys


def png(width: int = 320, height: int = 180) -> bytes:
    """A small picture, made by hand."""
    rows = b"".join(
        b"\0" + b"".join(bytes((x * 255 // width, y * 255 // height, 120)) for x in range(width)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


_FOCUSED = """() => {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active.className || active.id || active.tagName;
}"""

_STORED = """async () => {
  const found = {};
  for (const area of [localStorage, sessionStorage]) {
    for (const key of Object.keys(area)) if (key.startsWith("kakehashi/")) found[key] = area.getItem(key);
  }
  for (const { name } of await indexedDB.databases()) {
    if (!name.startsWith("kakehashi/")) continue;
    const files = await new Promise((resolve) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => {
        const database = opening.result;
        if (!database.objectStoreNames.contains("files")) return database.close(), resolve(0);
        const counting = database.transaction("files").objectStore("files").count();
        counting.onsuccess = () => { database.close(); resolve(counting.result); };
      };
    });
    if (files > 0) found[`files of ${name}`] = files;
  }
  return found;
}"""

Condition = Callable[[], object]
