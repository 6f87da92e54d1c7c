"""What people may type, however long or strange: the other side gets it whole, and the talk goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.scenarios.customer import Customer
from tests.scenarios.desks import PLATFORMS
from tests.scenarios.stage import Stage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("desks")]

WORDS = {
    "right to left": "رقم الطلب 0x52908400098527886E0F7030069857D2E4169EE7 من فضلك \u202e txt.exe \u202c",
    "emoji": "🙏🏽👩‍👩‍👧‍👦🏳️‍🌈 e\u0301",
    "lines": "one\n\n\ttwo\n   three",
    "markup of others": "<script>alert(1)</script> 5 * 3 * 2 <b>x</b> & &amp; {{x}}",
}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def reader(shared: Stage) -> AsyncIterator[Customer]:
    async with shared.visit("reader") as one:
        yield one


@pytest.mark.parametrize("text", list(WORDS.values()), ids=list(WORDS))
async def test_an_operators_words_arrive_whole(shared: Stage, reader: Customer, text: str) -> None:
    await shared.desk.say(reader.code, text)
    await reader.reads(text)


@pytest.mark.parametrize("unit", ["0123456789", "界" * 9 + "。", "<&> &lt; "])
async def test_as_much_as_an_operator_can_type_arrives_whole(shared: Stage, reader: Customer, unit: str) -> None:
    text = (unit * shared.desk.most)[: shared.desk.most - 1] + "!"
    await shared.desk.say(reader.code, text)
    await reader.reads(text)


async def test_as_much_as_a_customer_can_type_stands_at_the_desk_whole_and_in_order(shared: Stage) -> None:
    words = [f"{number:04}" for number in range(799)]
    async with shared.visit("writer") as one:
        await one.write(" ".join(words))
        await one.write("the end")
        await shared.desk.shows(one.code, words[0], words[-1], "the end")
        thread = " ".join(await shared.desk.thread(one.code))
    assert [word for word in thread.split() if word in set(words)] == words
    assert thread.index(words[-1]) < thread.index("the end")


@pytest.mark.parametrize("shared", PLATFORMS, indirect=True)
@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[31mred", "a\x7fb"])
async def test_control_characters_stop_nothing(shared: Stage, reader: Customer, text: str) -> None:
    """The built-in desk's forms refuse them, see `test_bad_requests`."""
    before = len(reader.replies())
    await shared.desk.say(reader.code, text)
    await shared.desk.say(reader.code, "and on")
    await reader.has_read([""] * (before + 2))
    assert reader.replies()[before:] == [text, "and on"]
