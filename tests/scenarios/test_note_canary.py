"""Promise 6: a note never reaches the customer, by any exit that a real service has.

A word that stands nowhere but in notes is looked for in everything that the customer's side ever received.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from tests.scenarios.customer import Customer
from tests.scenarios.operator import Operator
from tests.scenarios.slack_desk import slack_desk
from tests.scenarios.stage import UNHURRIED, stage
from tests.service import Installation, until
from tests.unit.adapters.files import samples

CANARY = "kanarienvogel-7f3a"


async def test_a_note_of_the_desk_reaches_no_exit_of_the_customers(tmp_path: Path) -> None:
    async with stage(tmp_path) as on, on.customer().online() as one:
        await one.write("hello")
        await one.is_heard()
        session = await on.operator.session_of(one.code)
        await on.operator.does(session, "claim")
        await on.operator.note(session, f"{CANARY}: before anything was said")
        await on.operator.reply(session, "one moment")
        await _notes_with_a_picture(on.operator, session)
        await on.operator.does(session, "typing", kind="note")
        await on.operator.reply(session, "and another")
        await one.reads("and another")
        await every_way_back(one)
        await on.house.running.kill()
        await on.house.up()
        await one.write("and after the kill")
        await one.is_heard()
        await on.operator.note(session, f"{CANARY}: after the kill")
        await on.operator.does(session, "resolve")
        await one.is_told("resolved")
        polled = await by_polling(on.house.url, one)
        export = await on.house.answer("sessions", "export", one.code)
        whole = await on.house.answer("sessions", "export", one.code, "--with-notes")
        logs = "".join(process.errors() for process in on.house.processes)
    assert whole.count(CANARY) == 4, "three notes and a file's name are there, for those who may read them"
    for exit_name, content in {"socket": "\n".join(one.raw), "poll": polled, "export": export, "log": logs}.items():
        assert CANARY not in content, exit_name
    assert [text for side, text in one.transcript() if side == "operator"] == ["one moment", "and another"]
    assert _files_in(one) == [], "nor does its picture"


async def test_a_note_in_slack_reaches_no_exit_of_the_customers(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(slack_desk())
        house = await stack.enter_async_context(Installation(tmp_path, {**UNHURRIED, **desk.settings("socket")}))
        up = await house.up()
        http = await stack.enter_async_context(aiohttp.ClientSession())
        one = await stack.enter_async_context(Customer(http, [up.url]).online())
        await one.write("hello")
        await one.is_heard()
        for prefix in ("note: ", "メモ：", "// "):
            await desk.say(one.code, f"{prefix}{CANARY}")
        said = await desk.say(one.code, "he is a fool")
        await one.reads("he is a fool")
        await desk.edit(said, f"note: {CANARY} and a fool")
        await desk.say(one.code, "one moment")
        await one.reads("one moment")
        await until(lambda: any(is_withdrawn(event) for event in one.events.values()), "the slip was taken back")
        await every_way_back(one)
        polled = await by_polling(house.url, one)
        export = await house.answer("sessions", "export", one.code)
        whole = await house.answer("sessions", "export", one.code, "--with-notes")
        logs = "".join(process.errors() for process in house.processes)
    assert whole.count(CANARY) == 3
    for exit_name, content in {"socket": "\n".join(one.raw), "poll": polled, "export": export, "log": logs}.items():
        assert CANARY not in content, exit_name
    assert "he is a fool" not in polled, "what was taken back is in no later history"
    assert "he is a fool" not in export


async def _notes_with_a_picture(operator: Operator, session: str) -> None:
    """The desk's uploads are the operator's own."""
    file = await operator.upload(f"{CANARY}.png", samples.png())
    words = {"type": "text", "text": f"{CANARY}: see the picture"}
    await operator.does(session, "note", parts=[words, {"type": "file", "file": file}])


async def every_way_back(one: Customer) -> None:
    """A resume from where it was, and one from the beginning."""
    before = one.connections
    await one.drop()
    await until(lambda: one.connections > before, "it came back")
    one.position = None
    await one.drop()
    await until(lambda: one.connections > before + 1, "it came back and asked for everything")


async def by_polling(url: str, one: Customer) -> str:
    """The whole history over HTTP, and whatever follows it."""
    hello = {"t": "hello", "v": 1, "token": one.token}
    async with aiohttp.ClientSession(headers={"Origin": url}) as http:
        async with http.post(f"{url}/v1/poll", json=hello) as response:
            welcome = await response.text()
        line = {"X-Kakehashi-Connection": json.loads(welcome)["connection"]}
        async with http.post(f"{url}/v1/poll/send", json=[{"t": "ping", "n": 1}], headers=line) as response:
            return welcome + await response.text()


def _files_in(one: Customer) -> list[dict[str, Any]]:
    parts = [part for event in one.events.values() for part in event.get("parts") or ()]
    return [part for part in parts if part["type"] == "file"]


def is_withdrawn(event: dict[str, Any]) -> bool:
    return bool(event.get("withdrawn"))
