"""A customer changes, withdraws and reacts, over a socket and over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routing import inputs as i
from routing.ids import MessageId
from routing.reactions import CUSTOMERS
from tests.integration.customer_side import AIKO, POLICY, Page, Process, alone
from tests.integration.test_customer_poll import PollPage


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Process]:
    async with alone(tmp_path) as one:
        yield one


def text(words: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": words}]


def shown(frame: dict[str, Any]) -> tuple[int, str | None, bool]:
    """(revision, words, withdrawn)."""
    return frame["rev"], frame["parts"] and frame["parts"][0]["text"], frame["withdrawn"]


async def change(page: Page, t: str, number: int, message: str = "message-1", **fields: Any) -> list[dict[str, Any]]:
    """A change, and everything that is said until it is answered."""
    before = len(page.heard)
    await page.say(t, id=f"change-{number}", message=message, **fields)
    while page.heard[-1].get("id") != f"change-{number}" or len(page.heard) == before:
        await page.hear()
    return page.heard[before:]


async def test_an_edit_and_a_withdrawal_reach_every_page_and_the_next_welcome(house: Process) -> None:
    async with house.page() as page, house.page() as other:
        token = (await page.greet())["token"]
        await other.greet(token=token)
        await page.write("frist")
        event, ack = await change(page, "revise", 1, parts=text("first"))
        assert (event["kind"], shown(event)) == ("message", (1, "first", False))
        assert (ack["t"], ack["pos"]) == ("ack", None)
        event, _ = await change(page, "revise", 2, parts=text("First"))
        assert shown(event) == (2, "First", False)
        event, _ = await change(page, "withdraw", 3)
        assert shown(event)[1:] == (None, True)
        told = [frame for frame in await other.nothing_more() if frame.get("kind") == "message"]
        assert [shown(frame) for frame in told] == [
            (0, "frist", False),
            (1, "first", False),
            (2, "First", False),
            (0, None, True),
        ]
    async with house.page() as again:
        events = [one for one in (await again.greet(token=token))["events"] if one["kind"] == "message"]
        assert {shown(one)[1:] for one in events} == {(None, True)}


async def test_a_change_that_is_sent_again_is_one(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        code = (await page.write("one"))["session"]
        for _ in range(2):
            await change(page, "revise", 1, parts=text("two"))
            await change(page, "withdraw", 2)
        stored = await house.session(code)
        kinds = [type(one.fact).__name__ for one in await house.store.journal(stored.session.id)]
    assert kinds.count("MessageRevised") == kinds.count("MessageWithdrawn") == 1


async def test_what_is_too_late_is_said_and_changes_nothing(tmp_path: Path) -> None:
    strict = replace(POLICY, revise_within=-1)
    async with alone(tmp_path, policy=lambda: strict) as house, house.page() as page:
        assert (await page.greet())["limits"]["revise"] == -1
        await page.write("one")
        tries: list[tuple[str, dict[str, Any]]] = [("revise", {"parts": text("two")}), ("withdraw", {})]
        for number, (t, fields) in enumerate(tries):
            (refused,) = await change(page, t, number, **fields)
            assert (refused["t"], refused["of"], refused["code"], refused["retry"]) == ("refused", t, "too_late", False)
        assert await page.nothing_more() == []


async def test_nobody_changes_words_that_are_not_theirs(house: Process) -> None:
    """Another customer's message is not found among one's own; an operator's cannot even be named."""
    async with house.page() as page, house.page() as thief:
        await page.greet()
        code = (await page.write("one"))["session"]
        await thief.greet()
        await thief.write("mine", 2)
        await change(thief, "withdraw", 1)
        reply = await house.reply(code, "hello")
        await change(page, "withdraw", 2, message=str(reply).replace(":", "_"))
        events = [frame for frame in await page.nothing_more() if frame.get("withdrawn")]
    assert events == []


async def test_the_words_that_were_changed_are_kept_until_they_are_erased(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        code = (await page.write("one"))["session"]
        await change(page, "revise", 1, parts=text("two"))
        await change(page, "withdraw", 2)
    session = (await house.session(code)).session.id
    name = MessageId("c:message-1")
    assert [body and body.text for body in await house.store.bodies(session, [(name, 0), (name, 1)])] == ["one", "two"]
    await house.relay.from_bridge(session, i.ErasureOrdered(), "erase")  # type: ignore[arg-type]
    await house.store.erase(session)
    assert await house.store.bodies(session, [(name, 0), (name, 1)]) == [None, None]


async def test_a_reaction_is_the_customers_on_every_page_and_after_a_reload(house: Process) -> None:
    async with house.page() as page, house.page() as other:
        welcome = await page.greet()
        assert welcome["reactions"] == list(CUSTOMERS)
        await other.greet(token=welcome["token"])
        code = (await page.write("hello"))["session"]
        await house.reply(code, "good morning")
        joined, reply = await page.hear_of("event"), await page.hear_of("event")
        assert joined["key"] == "joined"
        event, ack = await change(page, "react", 1, message=reply["id"], reaction="👍", on=True)
        assert (event["kind"], event["id"], event["reaction"], event["on"]) == ("reaction", reply["id"], "👍", True)
        assert ack["t"] == "ack"
        assert [one["on"] for one in await other.nothing_more() if one.get("kind") == "reaction"] == [True]
        await change(page, "react", 2, message=reply["id"], reaction="🙏", on=True)
    async with house.page() as again:
        events = (await again.greet(token=welcome["token"]))["events"]
    assert [(one["reaction"], one["on"]) for one in events if one["kind"] == "reaction"] == [
        ("👍", True),
        ("👍", False),
        ("🙏", True),
    ]


async def test_a_reaction_to_a_note_or_to_nothing_is_refused_alike(house: Process) -> None:
    from adapters.web.render import opaque_id

    async with house.page() as page:
        await page.greet()
        code = (await page.write("hello"))["session"]
        await house.note(code, "canary")
        session = (await house.session(code)).session
        for number, name in enumerate([opaque_id(session.id, session.recent[-1].message), "message-1", "no-such-one"]):
            (refused,) = await change(page, "react", number, message=name, reaction="👍", on=True)
            assert (refused["code"], refused["field"]) == ("unknown_message", "message")
        (refused,) = await change(page, "react", 9, message="x", reaction="<!channel>", on=True)
        assert refused["code"] == "unknown_reaction"


async def test_the_customer_hears_that_somebody_looks_and_of_no_other_reaction(house: Process) -> None:
    async with house.page() as page:
        await page.greet()
        code = (await page.write("hello"))["session"]
        await house.act(code, i.OperatorClaimed(AIKO))
        mine = MessageId("c:message-1")
        for reaction in ("👍", "👀"):
            await house.act(code, i.OperatorReacted(mine, AIKO, reaction, True))
        told = [frame for frame in await page.nothing_more() if frame["t"] == "event"]
    assert [one.get("key") for one in told] == ["joined", "looking_into_it"]


async def test_the_same_over_http(house: Process) -> None:
    page = PollPage(house)
    await page.begin()
    await page.write("frist")
    change = {"message": "message-1"}
    told = await page.say({"t": "revise", "id": "change-1", "parts": text("first"), **change})
    assert [frame["t"] for frame in told] == ["event", "ack"]
    told = await page.say({"t": "withdraw", "id": "change-2", **change})
    assert shown(told[0])[1:] == (None, True)
