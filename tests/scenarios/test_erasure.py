"""Promise 9: what is erased is gone everywhere we can reach, and we say where not. From the command to the disk."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest_asyncio

from bridge.cli.command import Status
from bridge.erasure import ELSEWHERE
from tests.scenarios.customer import Customer
from tests.scenarios.slack_desk import CHANNEL, SlackDesk, slack_desk
from tests.scenarios.stage import UNHURRIED
from tests.service import Installation, until
from tests.unit.adapters.files import samples

SECRET, KEPT = "geheimnis-41c9", "somebody-elses-words-8d02"


@dataclass
class House:
    """A service with Slack, and two customers: one who will be forgotten, and another one."""

    installation: Installation
    desk: SlackDesk
    http: aiohttp.ClientSession
    one: Customer
    other: Customer

    async def erase(self, *more: str) -> tuple[int, str]:
        ended = await self.installation.command("sessions", "erase", self.one.code, "--yes", *more)
        return ended.status, ended.out + ended.err

    def lies_on_the_disk(self, words: str) -> list[Path]:
        """The files of the data folder that hold these words."""
        return [path for path in self.installation.data.rglob("*") if words.encode() in content_of(path)]

    def attachments(self) -> list[Path]:
        """The bytes that are kept; the same picture of two customers is kept once."""
        return list((self.installation.data / "files").rglob("bytes/*/*/bytes"))

    async def fetch(self, url: str) -> int:
        async with self.http.get(url) as response:
            return response.status

    async def operators_answer(self) -> None:
        """In both threads: a reply, and a note."""
        for person, words in ((self.one, SECRET), (self.other, KEPT)):
            await self.desk.say(person.code, f"note: {words} again")
            await self.desk.say(person.code, f"hello {words}")
            await person.reads(f"hello {words}")


def content_of(path: Path) -> bytes:
    """Files come and go while the service works."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(slack_desk())
        installation = Installation(tmp_path, {**UNHURRIED, **desk.settings("socket")})
        await stack.enter_async_context(installation)
        url = (await installation.up()).url
        http = await stack.enter_async_context(aiohttp.ClientSession())
        one, other = Customer(http, [url], "one"), Customer(http, [url], "other")
        for person, words, width in ((one, SECRET, 48), (other, KEPT, 64)):
            await stack.enter_async_context(person.online())
            await person.write(f"my name is {words}")
            await person.is_heard()
            await person.show("screen.png", samples.png(width), f"look, {words}")
            await person.is_heard()
        yield House(installation, desk, http, one, other)


async def test_erased_words_leave_redis_the_disk_slack_and_the_page(house: House) -> None:
    await _everything_is_in_slack(house)
    picture = await _picture_of(house.one)
    pictures = house.attachments()
    assert await house.fetch(picture) == 200
    assert house.lies_on_the_disk(SECRET), "before, they are there"
    status, said = await house.erase()
    assert status == Status.DONE, said
    assert await house.fetch(picture) == 404
    assert len(house.attachments()) == len(pictures) - 1, "the other customer's picture stays"
    assert all(place in said for place in ELSEWHERE), "it says where it does not reach"
    assert house.lies_on_the_disk(SECRET) == []
    assert len(house.lies_on_the_disk(KEPT)) > 0, "and nobody else's are touched"
    everything = json.dumps(await house.desk.slack.do("roots", channel=CHANNEL))
    assert house.one.code not in everything
    assert house.other.code in everything
    export = await house.installation.command("sessions", "export", house.one.code)
    assert SECRET not in export.out
    assert json.loads(export.out)["erased"] is True
    await _the_page_forgets(house)


async def test_operators_own_posts_which_slack_keeps_from_us_are_named(house: House) -> None:
    await house.operators_answer()
    await _everything_is_in_slack(house)
    assert house.lies_on_the_disk(f"hello {SECRET}")
    _, said = await house.erase()
    assert "2 posts of operators" in said
    assert house.lies_on_the_disk(SECRET) == []
    assert house.lies_on_the_disk(f"hello {KEPT}")
    assert all(one["user"] != house.desk.bot_user for one in await house.desk.messages(house.one.code))
    await _the_page_forgets(house)


async def test_an_erasure_is_finished_when_slack_lets_us(house: House) -> None:
    """Slack refuses to delete: the command says what is left; said again, it finishes."""
    await _everything_is_in_slack(house)
    await house.desk.mischief("internal_error", "chat.delete")
    status, said = await house.erase("--wait", "2")
    assert status == Status.UNFINISHED, said
    assert "slack still shows" in said
    assert house.lies_on_the_disk(SECRET) == [], "our own words are gone at once"
    await house.desk.behave()
    status, said = await house.erase()
    assert status == Status.DONE, said
    assert house.one.code not in json.dumps(await house.desk.slack.do("roots", channel=CHANNEL))


async def test_an_erasure_that_is_killed_is_finished_by_the_same_command(house: House) -> None:
    await _everything_is_in_slack(house)
    await house.desk.mischief("hang", "chat.delete", seconds=60)
    erasing = asyncio.create_task(house.erase())
    await until(lambda: house.desk.was_asked("chat.delete"), "the mirror is being deleted")
    await house.installation.running.kill()
    await house.desk.behave()
    await house.installation.up()
    status, said = await erasing
    assert status == Status.DONE, said
    assert house.lies_on_the_disk(SECRET) == []
    assert house.one.code not in json.dumps(await house.desk.slack.do("roots", channel=CHANNEL))


async def _everything_is_in_slack(house: House) -> None:
    for person in (house.one, house.other):
        await until(functools.partial(_is_in_slack, house, person), "words and picture are in Slack")


async def _is_in_slack(house: House, person: Customer) -> bool:
    messages = await house.desk.messages(person.code)
    return any(message["files"] and message["bot_id"] for message in messages)


async def _picture_of(one: Customer) -> str:
    """Where the page may fetch its own picture; the welcome says it."""
    await _come_back(one)
    parts = [part for event in one.events.values() for part in event.get("parts") or ()]
    return next(str(part["url"]) for part in parts if part["type"] == "file")


async def _the_page_forgets(house: House) -> None:
    """A page that comes back is shown no word and no picture any more."""
    heard = len(house.one.raw)
    await _come_back(house.one)
    assert SECRET not in "".join(house.one.raw[heard:])
    assert "/files/" not in "".join(house.one.raw[heard:])


async def _come_back(one: Customer) -> None:
    """Connect again, and ask for everything."""
    before, one.position = one.connections, None
    await one.drop()
    await until(lambda: one.connections > before, "the page came back")
