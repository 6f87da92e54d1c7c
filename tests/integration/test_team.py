"""What leads ask of a team: who is on, what they hold, what is near its promise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge import team
from routing import inputs as i
from routing.availability import Because, Choice
from routing.ids import MessageId, OperatorId
from routing.policy import HOUR, Clock, Promise, Promised
from tests.integration.desk_room import AIKO, EN, JA, KENJI, MEI, POLICY, Process, desks_are, process
from tests.integration.engine_room import until
from tests.redis_servers import private_redis

STRANGER = OperatorId("slack:T1:U9")


@pytest.fixture
async def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Process]:
    monkeypatch.setattr("bridge.availability.READ_EVERY", 0.0)
    async with private_redis(tmp_path / "redis") as url:
        here = await process(url)
        yield here
        await here.dies()


async def test_everybody_is_shown_with_what_they_hold_and_why_they_are_on(one: Process) -> None:
    sessions = [await one.writes(f"u{number}") for number in range(3)]
    await one.does(sessions[0].id, i.OperatorReplied(MessageId("o:1"), STRANGER))
    await one.does(sessions[1].id, i.OperatorClaimed(KENJI))
    await one.is_on(AIKO)
    await one.availability.choose(MEI, Choice.AWAY)
    await one.settled()
    found = {member.operator: member for member in await team.members(one.store, one.availability, POLICY)}
    assert next(iter(found)) == AIKO, "who is on comes first"
    assert found[AIKO].standing.on
    assert found[AIKO].offered == (sessions[2].id,)
    assert (found[KENJI].held, found[KENJI].standing.because) == ((sessions[1].id,), Because.NOTHING)
    assert (found[MEI].standing.because, found[MEI].capacity) == (Because.SAID, 2)
    assert (found[STRANGER].held, found[STRANGER].capacity) == ((sessions[0].id,), None)


async def test_a_desk_shows_who_waits_and_what_is_near_its_promise_and_past_it(one: Process) -> None:
    promises = (Promise(Promised.FIRST_RESPONSE, 2 * HOUR, 2 * HOUR - 1, Clock.WALL),)
    one.policy[0] = desks_are(POLICY, promises=promises)
    near = await one.writes("a")

    async def warned() -> bool:
        await one.round()
        return bool((await one.sessions())[0].warned)

    await until(warned, "the warning has fallen")
    one.policy[0] = desks_are(POLICY, promises=(replace(promises[0], within=1, warn_before=0),))
    past = await one.writes("b")
    await one.is_on(AIKO)

    async def missed() -> bool:
        await one.round()
        return bool((await one.sessions())[1].missed)

    await until(missed, "the promise was missed")
    one.policy[0] = desks_are(POLICY, promises=promises)
    await one.settled()
    english, japanese = await team.desks(one.store, one.availability, one.policy[0])
    assert (english.desk, english.waiting, english.held, english.on) == (EN, 2, 0, 1)
    assert english.longest == near.waiting_since
    assert past.id in english.past
    assert set(english.near) | set(english.past) == {near.id, past.id}
    assert (japanese.desk, japanese.waiting, japanese.longest) == (JA, 0, None)
    for session in (near, past):
        await one.does(session.id, i.OperatorReplied(MessageId("o:1"), AIKO))
    await one.settled()
    english, _ = await team.desks(one.store, one.availability, one.policy[0])
    assert (english.near, english.past, english.held) == ((), (), 2)
