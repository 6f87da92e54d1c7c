"""Promise 6: a note never reaches the customer, by any exit that a real service has.

A word that stands nowhere but in notes is looked for in everything that the customer's side ever received.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.scenarios.customer import Customer
from tests.scenarios.desks import PLATFORMS
from tests.scenarios.operator import Operator
from tests.scenarios.stage import Stage, stage
from tests.service import until
from tests.unit.adapters.files import samples

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("desks")]

CANARY = "kanarienvogel-7f3a"
ALOUD = ("note: ", "メモ：", "// ", "!note ")
"""How a note is written where there is no other place for one."""


async def test_a_note_reaches_no_exit_of_the_customers(shared: Stage) -> None:
    desk = shared.desk
    async with shared.visit("canary") as one:
        code = one.code
        await desk.note(code, f"{CANARY}: before anything was said")
        await desk.say(code, "one moment")
        await one.reads("one moment")
        slip = await desk.note(code, CANARY)
        await desk.edit(code, slip, f"{CANARY} as it was meant")
        await desk.say(code, "and another")
        await one.reads("and another")
        await every_way_back(one)
        await _restarted(shared)
        await one.write("and after the kill")
        await one.is_heard()
        await desk.note(code, f"{CANARY}: after the kill")
        await desk.say(code, "goodbye")
        await one.reads("goodbye")
        await no_exit_tells(shared, one, times=4)  # three notes, of which one has two wordings
        assert one.replies() == ["one moment", "and another", "goodbye"]


async def _restarted(shared: Stage) -> None:
    await shared.house.running.kill()
    await shared.house.up()


@pytest.mark.parametrize("shared", PLATFORMS, indirect=True)
async def test_a_note_that_is_written_aloud_or_made_of_a_reply_reaches_no_exit(shared: Stage) -> None:
    """The built-in desk has a composer of its own for notes, and makes none of a reply."""
    desk = shared.desk
    async with shared.visit("slip") as one:
        for prefix in ALOUD:
            await desk.say(one.code, f"{prefix}{CANARY}")
        said = await desk.say(one.code, "he is a fool")
        await one.reads("he is a fool")
        await desk.edit(one.code, said, f"note: {CANARY} and a fool")
        await desk.say(one.code, "one moment")
        await one.reads("one moment")
        await until(lambda: any(is_withdrawn(event) for event in one.events.values()), "the slip was taken back")
        await every_way_back(one)
        polled, export = await no_exit_tells(shared, one, times=len(ALOUD))
    assert "he is a fool" not in polled, "what was taken back is in no later history"
    assert "he is a fool" not in export


async def test_a_notes_picture_reaches_no_exit(tmp_path: Path) -> None:
    """Told at the built-in desk, whose uploads are the operator's own until they are part of something."""
    async with stage(tmp_path) as on, on.visit("picture") as one:
        session = await on.operator.session_of(one.code)
        await _notes_with_a_picture(on.operator, session)
        await on.operator.does(session, "typing", kind="note")
        await on.operator.reply(session, "and another")
        await one.reads("and another")
        await every_way_back(one)
        await no_exit_tells(on, one, times=2)
    assert _files_in(one) == []


async def no_exit_tells(on: Stage, one: Customer, *, times: int) -> tuple[str, str]:
    """The word is there for those who may read it, so often, and nowhere else; what was polled, and the export."""
    polled = await by_polling(on.house.url, one)
    export = await on.house.answer("sessions", "export", one.code)
    whole = await on.house.answer("sessions", "export", one.code, "--with-notes")
    assert whole.count(CANARY) == times
    exits = {"socket": "\n".join(one.raw), "poll": polled, "export": export, "log": on.logs()}
    for exit_name, content in exits.items():
        assert CANARY not in content, exit_name
    return polled, export


async def _notes_with_a_picture(operator: Operator, session: str) -> None:
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
