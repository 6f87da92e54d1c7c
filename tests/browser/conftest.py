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
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.browser.needs import chromium_path

pytest.register_assert_rewrite("tests.browser.widget_page", "tests.browser.fake_desk")
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
            return context

        yield make


@pytest.fixture
def shot() -> Shot:
    """Saves what a page looks like as `build/screenshots/<name>.png`."""

    async def save(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return save
