"""One Chromium for each test process; a fresh context (cookies, storage, cache) for each customer in a test.

Tests that use these fixtures run on the session's event loop: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.needs import chromium_path

pytest.register_assert_rewrite("tests.browser.widget_page", "tests.browser.fake_desk")
from tests.browser.fake_desk import FakeDesk, Site, desk_and_site  # noqa: E402 - after the line above
from tests.browser.widget_page import Customer  # noqa: E402 - likewise

PATIENCE = 60_000
"""Milliseconds: what is waited for comes, also on a machine that is busy with other tests."""

expect.set_options(timeout=PATIENCE)
SCREENSHOTS = Path("build/screenshots")
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NewContext = Callable[..., Awaitable[BrowserContext]]
Shot = Callable[[Page, str], Awaitable[None]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser of this test process."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium_path(), args=_QUIET)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def new_context(browser: Browser) -> AsyncIterator[NewContext]:
    """Makes contexts, with `Browser.new_context`'s options; all are closed after the test."""
    async with AsyncExitStack() as contexts:

        async def make(**options: Any) -> BrowserContext:
            context = await browser.new_context(**{"locale": "en-GB", "timezone_id": "Asia/Tokyo", **options})
            contexts.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE)
            return context

        yield make


@pytest.fixture
def shot() -> Shot:
    """Saves what a page looks like as `build/screenshots/<name>.png`."""

    async def save(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return save


# ------------------------------------------------------------------ the widget on a site, before a scripted desk


@pytest_asyncio.fixture(loop_scope="session")
async def places() -> AsyncIterator[tuple[FakeDesk, Site]]:
    async with desk_and_site() as both:
        yield both


@pytest.fixture
def desk(places: tuple[FakeDesk, Site]) -> FakeDesk:
    return places[0]


@pytest.fixture
def site(places: tuple[FakeDesk, Site]) -> Site:
    return places[1]


class Door:
    """Lets customers in; afterwards none of them may have had anything to complain about."""

    def __init__(self, new_context: NewContext, site: Site) -> None:
        self._new_context = new_context
        self._site = site
        self.customers: list[Customer] = []

    async def context(self, **options: Any) -> BrowserContext:
        return await self._new_context(**options)

    async def __call__(
        self, path: str = "/", *, context: BrowserContext | None = None, lines_may_break: bool = False, **options: Any
    ) -> Customer:
        context = context or await self.context(**options)
        url = path if path.startswith("http") else self._site.url + path
        customer = await Customer.at(await context.new_page(), url, lines_may_break=lines_may_break)
        self.customers.append(customer)
        return customer


@pytest_asyncio.fixture(loop_scope="session")
async def visit(new_context: NewContext, site: Site) -> AsyncIterator[Door]:
    door = Door(new_context, site)
    yield door
    for customer in door.customers:
        await customer.has_no_complaints()
