"""What a person sees while nothing can be stored: "Not sent yet", and that it is kept. Then it is sent, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from adapters.redis.binary import find_binary
from routing.facts import Side
from tests.browser.conftest import NewContext
from tests.browser.widget_page import Customer
from tests.scenarios.ledger import ledger
from tests.service import DEADLINE, Installation, until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("conversation")]

PATIENCE = DEADLINE * 1_000  # ms


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    """A redis-server that can be taken away, so that nobody starts another one."""
    link = tmp_path / "redis-server"
    link.symlink_to(find_binary().path)
    return link


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, binary: Path) -> AsyncIterator[Installation]:
    async with Installation(tmp_path / "house", {"REDIS__BINARY": str(binary)}) as installation:
        await installation.up()
        yield installation


async def test_while_redis_is_dead_the_widget_keeps_what_is_written_and_says_so(
    new_context: NewContext, house: Installation, binary: Path
) -> None:
    customer = await Customer.at(await (await new_context()).new_page(), f"{house.url}/")
    customer.lines_may_break = True
    await customer.begin("before")
    binary.unlink()
    house.kill_redis()
    await customer.write("while it is dead")
    await expect(customer.state.last).to_contain_text("Not sent yet", timeout=PATIENCE)
    await customer.reload()
    await expect(customer.bar).to_contain_text("your messages are kept", timeout=PATIENCE)
    await customer.was_shown("while it is dead")  # what was stored comes from the store; this is kept by the page
    await customer.write("and still")
    binary.symlink_to(find_binary().path)
    await until(lambda: _has_said(house, "and still"), "everything is stored")
    await expect(customer.panel.locator(".state:is(.sent, .reached, .seen)")).to_be_visible(timeout=PATIENCE)
    await customer.was_shown("before", "while it is dead", "and still")
    assert await _said(house) == ["before", "while it is dead", "and still"]
    assert house.running.lives
    await customer.has_no_complaints()


async def _said(house: Installation) -> list[str]:
    async with house.books() as store:
        (session,) = [one async for one in store.sessions()]
        return (await ledger(store, session)).said_by(Side.CUSTOMER)


async def _has_said(house: Installation, text: str) -> bool:
    return text in await _said(house)
