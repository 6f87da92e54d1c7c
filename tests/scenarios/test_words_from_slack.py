"""What an operator may type in a thread, however long or strange: the customer gets it whole, and the talk goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from tests.scenarios.customer import Customer
from tests.scenarios.slack_desk import SlackDesk, slack_desk
from tests.scenarios.stage import UNHURRIED
from tests.service import Installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("words-from-slack")]

WORDS = {
    "ten thousand characters": "0123456789" * 1_000,
    "ten thousand in Japanese": "界" * 9_999 + "。",
    "Slack's most": "<&>" * 13_000,
    "right to left": "رقم الطلب 0x52908400098527886E0F7030069857D2E4169EE7 من فضلك \u202e txt.exe \u202c",
    "emoji": "🙏🏽👩‍👩‍👧‍👦🏳️‍🌈 :smile: e\u0301",
    "lines": "one\n\n\ttwo\n   three",
    "markup": "*bold* _x_ `code` <script>alert(1)</script> [x](http://a.example) @here",
}


@dataclass
class House:
    installation: Installation
    desk: SlackDesk
    customer: Customer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(slack_desk())
        installation = Installation(tmp_path_factory.mktemp("words"), {**UNHURRIED, **desk.settings("http")})
        await stack.enter_async_context(installation)
        url = (await installation.up()).url
        await desk.deliver_to(url)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        customer = await stack.enter_async_context(Customer(http, [url]).online())
        await customer.write("good morning")
        await customer.is_heard()
        yield House(installation, desk, customer)
        assert "Traceback" not in installation.running.errors()


@pytest.mark.parametrize("text", list(WORDS.values()), ids=list(WORDS))
async def test_words_arrive_whole(house: House, text: str) -> None:
    await house.desk.say(house.customer.code, text)
    await house.customer.reads(text)


@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[31mred", "a\x7fb"])
async def test_control_characters_stop_nothing(house: House, text: str) -> None:
    before = len(house.customer.replies())
    await house.desk.say(house.customer.code, text)
    await house.desk.say(house.customer.code, "and on")
    await house.customer.has_read([""] * (before + 2))
    assert house.customer.replies()[before:] == [text, "and on"]
