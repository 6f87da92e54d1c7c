"""The desk page: operators change and withdraw what they wrote, and see what customers have changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from bridge.messages import Body, TextPart
from routing import inputs as i
from routing.ids import InputKey, MessageId
from tests.integration.console_house import Customer, House, console_house
from tests.integration.test_console import Browser, error_of


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with console_house(tmp_path) as house:
        yield house


@pytest.fixture
async def kenji(house: House) -> AsyncIterator[Browser]:
    await house.operator("kenji", names={"en": "Sato"})
    browser = Browser(house, ClientSession(cookie_jar=CookieJar(unsafe=True)))
    yield await browser.signs_in()
    await browser.closes()


def text(words: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": words}]


async def said(browser: Browser, customer: Customer) -> list[dict[str, Any]]:
    thread = await browser.thread((await customer.session()).session.id)
    return [line for line in thread["lines"] if line.get("message")]


async def seen(house: House, customer: Customer) -> list[str | None]:
    resumed = await house.feed.catch_up(await customer.session(), None)
    return [one.body.text if one.body is not None else None for one in resumed.shown if hasattr(one.event, "side")]


async def test_an_operator_changes_and_withdraws_what_they_wrote(house: House, kenji: Browser) -> None:
    mia = house.customer()
    session = (await mia.writes()).session.id
    await kenji.says(session, "Helo")
    message = (await said(kenji, mia))[-1]["message"]
    await kenji.acts(session, "revise", message=message, parts=text("Hello"))
    line = (await said(kenji, mia))[-1]
    assert (line["revision"], line["parts"][0]["text"], line["former"]) == (1, "Hello", [])
    assert (await seen(house, mia))[-1] == "Hello"
    await kenji.acts(session, "withdraw", message=message)
    assert (await said(kenji, mia))[-1]["withdrawn"]
    assert "Hello" not in (await seen(house, mia))[1:]


async def test_nobody_changes_a_colleagues_or_a_customers_words(house: House, kenji: Browser) -> None:
    mia, aiko = house.customer(), await house.operator("aiko")
    session = (await mia.writes()).session.id
    await house.replies(session, aiko.id, "Hello")
    for line in await said(kenji, mia):
        fields = {"id": "client-none", "message": line["message"]}
        async with kenji.post(f"sessions/{session}/withdraw", fields) as answer:
            assert (answer.status, await error_of(answer)) == (409, "not_author")


async def test_the_customers_former_words_stand_beneath_the_new_ones(house: House, kenji: Browser) -> None:
    mia = house.customer()
    session = (await mia.writes("send it to A")).session
    name = session.recent[-1].message
    for number in (1, 2):
        body = Body((TextPart(f"send it to {'ABC'[number]}"),))
        await house.relay.from_customer(mia.key, i.CustomerRevised(name), InputKey(f"web/edit-{number}"), body=body)
    (line,) = await said(kenji, mia)
    assert (line["parts"][0]["text"], line["former"]) == ("send it to C", ["send it to A", "send it to B"])
    await mia.does(i.CustomerWithdrew(name))
    (line,) = await said(kenji, mia)
    assert (line["withdrawn"], line["parts"], line["former"]) == (True, None, [])


async def test_who_looks_into_it_says_so_once_and_everybody_at_the_desk_sees_it(house: House, kenji: Browser) -> None:
    mia = house.customer()
    session = (await mia.writes()).session.id
    await kenji.acts(session, "claim")
    (line,) = await said(kenji, mia)
    for on in (True, False, True):
        await kenji.acts(session, "react", message=line["message"], reaction="👀", on=on)
    thread = await kenji.thread(session)
    assert [one["key"] for one in thread["lines"] if "key" in one].count("looking_into_it") == 1
    me = (await kenji.gets("me"))["operator"]["id"]
    assert (await said(kenji, mia))[0]["reactions"] == [{"by": me, "reaction": "👀"}]
    async with kenji.post(
        f"sessions/{session}/react", {"id": "client-no", "message": "x", "reaction": "🔥", "on": True}
    ) as no:
        assert (no.status, await error_of(no)) == (400, "unknown_choice")


async def test_a_customers_reaction_is_on_the_desk(house: House, kenji: Browser) -> None:
    mia = house.customer()
    session = (await mia.writes()).session.id
    await kenji.says(session, "Done.")
    reply = MessageId((await said(kenji, mia))[-1]["message"])
    await mia.does(i.CustomerReacted(reply, "🙏", True))
    assert (await said(kenji, mia))[-1]["reactions"] == [{"by": "", "reaction": "🙏"}]
