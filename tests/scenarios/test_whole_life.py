"""A session's whole life, as the customer and Kenji see it: the same on every network."""

from __future__ import annotations

import pytest

from tests.scenarios.customer import Customer
from tests.scenarios.desks import Desk
from tests.scenarios.stage import Stage
from tests.service import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("desks")]


async def test_a_session_is_claimed_answered_corrected_resolved_reopened_and_closed(shared: Stage) -> None:
    desk = shared.desk
    async with shared.visit("Hanako", "my transfer is missing") as one:
        code = one.code
        await desk.shows(code, "my transfer is missing")
        assert code in await desk.card(code)
        await _it_is_claimed(desk, one)
        await _words_are_changed_on_both_sides(desk, one)
        await desk.resolve(code)
        await one.is_told("resolved")
        await one.act("answer", solved=False)
        await one.is_told("reopened")
        await desk.say(code, "Then I look again")
        await one.reads("Then I look again")
        await desk.resolve(code)
        await until(lambda: one.notices().count("resolved") == 2, "it is resolved again")
        await one.act("answer", solved=True)
        await one.is_told("closed")
        await one.write("something else")
        await one.is_heard()
        assert one.code != code, "what is closed stays closed"
        await desk.shows(one.code, "something else")
        assert not any("something else" in line for line in await desk.thread(code))


async def _it_is_claimed(desk: Desk, one: Customer) -> None:
    await desk.claim(one.code)
    await one.is_told("joined")

    async def says_whose_it_is() -> bool:
        return "Kenji" in await desk.card(one.code)

    await until(says_whose_it_is, "the card says whose it is")


async def _words_are_changed_on_both_sides(desk: Desk, one: Customer) -> None:
    said = await desk.say(one.code, "It comes on Monday")
    await desk.say(one.code, "Or never")
    slip = await desk.say(one.code, "for somebody else")
    await one.reads("for somebody else")
    await desk.edit(one.code, said, "It comes on Tuesday")
    await desk.withdraw(one.code, slip)
    await until(lambda: one.now_reads() == ["It comes on Tuesday", "Or never", "(withdrawn)"], "the page follows")
    wrong = await one.write("order 17")
    await one.is_heard()
    await one.act("revise", message=wrong, parts=[{"type": "text", "text": "order 18"}])
    await desk.shows(one.code, "order 17", "order 18")
    await one.act("withdraw", message=wrong)

    async def is_gone() -> bool:
        return not any("order 1" in line for line in await desk.thread(one.code))

    await until(is_gone, "what the customer took back is gone")
