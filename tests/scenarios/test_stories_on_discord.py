"""The stories of words, notes and erasure as they are told of Slack, with the operators on Discord."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from bridge.cli.command import Status
from tests.scenarios.customer import Customer
from tests.scenarios.discord_desk import DiscordDesk, discord_desk
from tests.scenarios.stage import UNHURRIED
from tests.scenarios.test_erasure import content_of
from tests.scenarios.test_note_canary import by_polling, every_way_back, is_withdrawn
from tests.service import Installation, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("stories-on-discord")]

CANARY, SECRET, KEPT = "kanarienvogel-7f3a", "geheimnis-41c9", "somebody-elses-words-8d02"

WORDS = {
    "as much as somebody may type": "0123456789" * 400,
    "as much in Japanese": "界" * 1_999 + "。",
    "right to left": "رقم الطلب 0x52908400098527886E0F7030069857D2E4169EE7 من فضلك \u202e txt.exe \u202c",
    "emoji": "🙏🏽👩‍👩‍👧‍👦🏳️‍🌈 e\u0301",
    "lines": "one\n\n\ttwo\n   three",
    "markup of others": "<script>alert(1)</script> 5 * 3 * 2 <b>x</b> & &amp; {{x}}",
}


@dataclass
class House:
    installation: Installation
    desk: DiscordDesk
    http: aiohttp.ClientSession
    url: str

    async def customer(self, stack: AsyncExitStack, name: str) -> Customer:
        """One who has been heard."""
        one = await stack.enter_async_context(Customer(self.http, [self.url], name).online())
        await one.write(f"good morning from {name}")
        await one.is_heard()
        return one

    def lies_on_the_disk(self, words: str) -> bool:
        return any(words.encode() in content_of(path) for path in self.installation.data.rglob("*"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(discord_desk())
        installation = Installation(tmp_path_factory.mktemp("discord"), {**UNHURRIED, **desk.settings()})
        await stack.enter_async_context(installation)
        url = (await installation.up()).url
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield House(installation, desk, http, url)
        assert "Traceback" not in installation.running.errors()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(house: House) -> AsyncIterator[Customer]:
    async with AsyncExitStack() as stack:
        yield await house.customer(stack, "reader")


@pytest.mark.parametrize("text", list(WORDS.values()), ids=list(WORDS))
async def test_words_arrive_whole(house: House, reader: Customer, text: str) -> None:
    await house.desk.say(reader.code, text)
    await reader.reads(text)


async def test_a_note_reaches_no_exit_of_the_customers(house: House) -> None:
    async with AsyncExitStack() as stack:
        one, desk = await house.customer(stack, "canary"), house.desk
        for prefix in ("note: ", "メモ：", "// ", "!note "):
            await desk.say(one.code, f"{prefix}{CANARY}")
        said = await desk.say(one.code, "he is a fool")
        await one.reads("he is a fool")
        await desk.edit(one.code, said, f"note: {CANARY} and a fool")
        await desk.say(one.code, "one moment")
        await one.reads("one moment")
        await until(lambda: any(is_withdrawn(event) for event in one.events.values()), "the slip was taken back")
        await every_way_back(one)
        polled = await by_polling(house.url, one)
        export = await house.installation.answer("sessions", "export", one.code)
        whole = await house.installation.answer("sessions", "export", one.code, "--with-notes")
        logs = "".join(process.errors() for process in house.installation.processes)
    assert whole.count(CANARY) == 4
    for exit_name, content in {"socket": "\n".join(one.raw), "poll": polled, "export": export, "log": logs}.items():
        assert CANARY not in content, exit_name
    assert "he is a fool" not in polled, "what was taken back is in no later history"


async def test_erased_words_leave_redis_the_disk_discord_and_the_page(house: House) -> None:
    async with AsyncExitStack() as stack:
        one, other, desk = await house.customer(stack, "one"), await house.customer(stack, "other"), house.desk
        for person, words in ((one, SECRET), (other, KEPT)):
            await person.write(f"my name is {words}")
            await desk.shows(person.code, words)
            await desk.say(person.code, f"note: {words} again")
            await desk.say(person.code, f"hello {words}")
            await person.reads(f"hello {words}")
        assert house.lies_on_the_disk(SECRET)
        ended = await house.installation.command("sessions", "erase", one.code, "--yes")
        assert ended.status == Status.DONE, ended.out + ended.err
        assert not house.lies_on_the_disk(SECRET)
        assert house.lies_on_the_disk(KEPT), "and nobody else's are touched"
        assert (one.code in desk.everything(), SECRET in desk.everything()) == (False, False)
        assert (other.code in desk.everything(), KEPT in desk.everything()) == (True, True)
