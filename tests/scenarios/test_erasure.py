"""Promise 9: what is erased is gone everywhere we can reach, and we say where not. From the command to the disk."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from bridge.cli.command import Status
from bridge.erasure import ELSEWHERE
from tests.scenarios.customer import Customer
from tests.scenarios.desks import PLATFORMS, Rude
from tests.scenarios.stage import Stage
from tests.service import until
from tests.unit.adapters.files import samples

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("desks")]

_numbers = itertools.count(1)


@dataclass
class House:
    """Two customers, whose words and pictures stand at the desk: one who will be forgotten, and another one."""

    stage: Stage
    one: Customer
    other: Customer
    secret: str
    kept: str
    """Words of theirs that stand nowhere else."""

    @property
    def platform(self) -> Rude:
        return cast(Rude, self.stage.desk)

    async def erase(self, *more: str) -> tuple[int, str]:
        ended = await self.stage.house.command("sessions", "erase", self.one.code, "--yes", *more)
        return ended.status, ended.out + ended.err

    def lies_on_the_disk(self, words: str) -> bool:
        """Whether a file of the data folder holds these words."""
        return any(words.encode() in content_of(path) for path in self.stage.house.data.rglob("*"))

    def attachments(self) -> list[Path]:
        """The bytes that are kept; the same picture of two customers is kept once."""
        return list((self.stage.house.data / "files").rglob("bytes/*/*/bytes"))

    async def fetch(self, url: str) -> int:
        async with self.stage.http.get(url) as response:
            return response.status

    async def shown(self, words: str) -> list[str]:
        """The lines that people read at the desk and that hold these words."""
        return [line for line in (await self.stage.desk.everything()).split("\n") if words in line]


def content_of(path: Path) -> bytes:
    """Files come and go while the service works."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""


@pytest_asyncio.fixture(loop_scope="session")
async def house(shared: Stage) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        number = next(_numbers)
        secret, kept = f"geheimnis-{number:04}", f"somebody-elses-words-{number:04}"
        one = await stack.enter_async_context(shared.visit("one", f"my name is {secret}"))
        other = await stack.enter_async_context(shared.visit("other", f"my name is {kept}"))
        for person, words, width in ((one, secret, 48 + number), (other, kept, 64 + number)):
            await person.show("screen.png", samples.png(width), f"look, {words}")
            await person.is_heard()
            await shared.desk.shows(person.code, f"look, {words}")
            await until(lambda code=person.code: shared.desk.files(code), "the picture is there")  # type: ignore[misc]
        yield House(shared, one, other, secret, kept)


async def test_erased_words_leave_the_store_the_disk_the_desk_and_the_page(house: House) -> None:
    desk = house.stage.desk
    for person, words in ((house.one, house.secret), (house.other, house.kept)):
        await desk.note(person.code, f"{words} again")
        await desk.say(person.code, f"hello {words}")
        await person.reads(f"hello {words}")
    picture, pictures = await _picture_of(house.one), house.attachments()
    assert await house.fetch(picture) == 200
    assert house.lies_on_the_disk(f"hello {house.secret}"), "before, they are there"
    assert await house.shown(house.secret)
    status, said = await house.erase()
    left = 2 if desk.keeps_operators_words else 0
    assert status == (Status.UNFINISHED if left else Status.DONE), said
    assert ("2 posts of operators" in said) == bool(left), "what is left is named"
    assert len(await house.shown(house.secret)) == left
    assert await house.fetch(picture) == 404
    assert len(house.attachments()) == len(pictures) - 1, "the other customer's picture stays"
    assert all(place in said for place in ELSEWHERE), "it says where it does not reach"
    assert not house.lies_on_the_disk(house.secret)
    assert house.lies_on_the_disk(f"hello {house.kept}"), "and nobody else's are touched"
    assert await house.shown(house.kept)
    export = await house.stage.house.answer("sessions", "export", house.one.code)
    assert house.secret not in export
    assert json.loads(export)["erased"] is True
    await _the_page_forgets(house)


@pytest.mark.parametrize("shared", PLATFORMS, indirect=True)
async def test_an_erasure_is_finished_when_the_platform_lets_us(house: House) -> None:
    """It refuses to delete: the command says what is left; said again, it finishes."""
    house.platform.refuse_deletions()
    status, said = await house.erase("--wait", "2")
    assert status == Status.UNFINISHED, said
    assert f"{house.platform.network} still shows" in said
    assert not house.lies_on_the_disk(house.secret), "our own words are gone at once"
    house.platform.behave()
    status, said = await house.erase()
    assert status == Status.DONE, said
    assert await house.shown(house.secret) == []


@pytest.mark.parametrize("shared", PLATFORMS, indirect=True)
async def test_an_erasure_that_is_killed_is_finished_by_the_same_command(house: House) -> None:
    is_asked_for = house.platform.hold_deletions()
    erasing = asyncio.create_task(house.erase())
    await until(is_asked_for, "the mirror is being deleted")
    await house.stage.house.running.kill()
    house.platform.behave()
    await house.stage.house.up()
    status, said = await erasing
    assert status == Status.DONE, said
    assert not house.lies_on_the_disk(house.secret)
    assert await house.shown(house.secret) == []


async def _picture_of(one: Customer) -> str:
    """Where the page may fetch its own picture; the welcome says it."""
    await _come_back(one)
    parts = [part for event in one.events.values() for part in event.get("parts") or ()]
    return next(str(part["url"]) for part in parts if part["type"] == "file")


async def _the_page_forgets(house: House) -> None:
    """A page that comes back is shown no word and no picture any more."""
    heard = len(house.one.raw)
    await _come_back(house.one)
    assert house.secret not in "".join(house.one.raw[heard:])
    assert "/files/" not in "".join(house.one.raw[heard:])


async def _come_back(one: Customer) -> None:
    """Connect again, and ask for everything."""
    before, one.position = one.connections, None
    await one.drop()
    await until(lambda: one.connections > before, "the page came back")
