"""The ladder on Slack: who is called, where, in which words, and what an acknowledgement does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.directory import Operator
from routing.ids import InputKey, OperatorId
from routing.inputs import OperatorEscalated
from routing.policy import Ladder, Rung, RungKind
from tests.integration.slack_house import ON_CALL, SLACK, House, house
from tests.simulators.slack import Fault, Person, SlackSimulator
from tests.simulators.slack.workspace import Ping

RUNGS = (
    Rung(RungKind.THREAD),
    Rung(RungKind.CHANNEL),
    Rung(RungKind.ON_CALL),
    Rung(RungKind.GROUP, "S0NIGHT01", every=3_600_000),
)
AIKO = OperatorId("aiko")


@pytest.fixture
async def here(engine_url: str, tmp_path: Path, slack: SlackSimulator) -> AsyncIterator[House]:
    """Every rung fires as soon as the ladder starts."""
    async with house(engine_url, tmp_path, slack, rules={"ladder": Ladder(RUNGS), "rota": "night"}) as one:
        yield one


async def is_on_call(here: House, person: Person) -> None:
    user = f"{here.slack.workspace.team_id}:{person.id}"
    known = Operator(ON_CALL, "night", {"en": "Ken"}, network_users={SLACK: (user,)})
    await here.directory.add(known)


async def escalate(here: House) -> None:
    session = (await here.session()).session.id
    await here.relay.from_operator(session, OperatorEscalated(AIKO), InputKey(f"escalated/{session}"))
    await here.lanes_are_empty()


async def test_each_rung_calls_where_it_should(here: House, kenji: Person) -> None:
    await is_on_call(here, kenji)
    await here.writes("my secret words")
    root = await here.root()
    await escalate(here)
    lines = here.slack.replies(here.desk, root.ts)
    assert any("Escalated: called by hand. Please take this." in here.slack.seen(one) for one in lines)
    assert Ping("usergroup", "S0NIGHT01") in [ping for one in lines for ping in one.pings]
    (called,) = here.slack.workspace.direct_channel(kenji.user).messages.values()
    code = (await here.session()).session.code
    assert code in called.text
    (in_channel,) = [one for one in here.slack.roots(here.desk) if one.ts != root.ts]
    for one in (called, in_channel):
        assert code in here.slack.seen(one)
        assert "my secret words" not in here.slack.seen(one)
        assert "Open the thread" in here.slack.seen(one)


async def test_without_a_known_user_who_is_on_call_is_called_in_the_channel(here: House) -> None:
    await here.writes("hello")
    root = await here.root()
    await escalate(here)
    assert len([one for one in here.slack.roots(here.desk) if one.ts != root.ts]) == 2


async def test_what_colleagues_say_beneath_a_call_in_the_channel_stays_among_them(here: House, kenji: Person) -> None:
    """The line is ours and names the session, and is no thread of it."""
    await here.writes("hello")
    root = await here.root()
    await escalate(here)
    (called, *_) = [one for one in here.slack.roots(here.desk) if one.ts != root.ts]
    kenji.say(here.desk, "He is a nuisance. Who takes him?", thread_ts=called.ts)
    await here.settled()
    kenji.say(here.desk, "Good evening", thread_ts=root.ts)
    await here.settled()
    assert await here.replies_seen() == ["Good evening"]


async def test_the_card_offers_to_acknowledge_and_says_who_has_it(here: House, kenji: Person) -> None:
    await is_on_call(here, kenji)
    await here.writes("hello")
    root = await here.root()
    await escalate(here)
    await here.slack.until(lambda: "acknowledge" in [b["action_id"] for b in root.blocks[-1]["elements"]])
    assert "called by hand" in here.slack.seen(root)
    await kenji.click(here.desk, root, "acknowledge")
    ladder = (await here.session()).session.escalation
    assert ladder is not None
    assert ladder.acknowledged_by == ON_CALL
    await here.lanes_are_empty()
    assert any("has taken this on" in here.slack.seen(one) for one in here.slack.replies(here.desk, root.ts))
    await here.slack.until(lambda: "acknowledge" not in [b["action_id"] for b in root.blocks[-1]["elements"]])


async def test_a_call_whose_answer_is_lost_is_made_once(here: House, kenji: Person) -> None:
    await is_on_call(here, kenji)
    await here.writes("hello")
    root = await here.root()
    await here.lanes_are_empty()
    struck = here.slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage", times=4)
    await escalate(here)
    assert struck.fired == 4
    direct = here.slack.workspace.direct_channel(kenji.user).messages.values()
    assert len(list(direct)) == 1
    assert len([one for one in here.slack.roots(here.desk) if one.ts != root.ts]) == 1
