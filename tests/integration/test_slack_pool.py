"""A desk with several channels, on Slack as it is: sessions are spread, and none goes where nothing can be posted."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.ids import CustomerKey, DeskId, InputKey, OperatorId, Place
from routing.inputs import OperatorTransferred
from tests.integration.slack_house import house
from tests.simulators.slack import Channel, Fault, SlackSimulator
from tests.simulators.slack.shapes import seen
from tests.simulators.slack.workspace import Message


def customer(number: int) -> CustomerKey:
    return CustomerKey("main", f"~{number}")


def cards(slack: SlackSimulator, channel: Channel) -> list[Message]:
    """The sessions' roots, without what is said beside them."""
    return [one for one in slack.roots(channel) if one.blocks and one.blocks[0]["type"] == "header"]


@pytest.fixture
def pool(slack: SlackSimulator) -> dict[str, tuple[Place, ...]]:
    """What a desk in the channel `support` has besides."""
    slack.channel("support")
    return {"further": tuple(Place(slack.channel(name).id) for name in ("support-2", "support-3"))}


async def test_sessions_are_spread_over_the_channels_and_over_processes(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, pool: dict[str, tuple[Place, ...]]
) -> None:
    async with house(engine_url, tmp_path, slack, prefix="pool", rules=pool) as here:
        for number in range(6):
            await here.writes("hello", customer=customer(number))
        channels = [here.desk, *(slack.workspace.channels[one] for one in pool["further"])]
        await slack.until(lambda: all(len(slack.roots(one)) == 2 for one in channels))
        stored = await here.session(customer(0))

        async def listed() -> bool:
            return len(await here.store.lines(stored.session.desk)) == 6

        await here.until(listed)
        async with house(engine_url, tmp_path, slack, prefix="pool", rules=pool) as other:
            for number in range(6, 9):
                await other.writes("hello", customer=customer(number))
            await slack.until(lambda: all(len(slack.roots(one)) == 3 for one in channels))


async def test_an_archived_channel_takes_no_new_sessions_while_another_works(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, pool: dict[str, tuple[Place, ...]]
) -> None:
    kenji = slack.person("kenji")
    async with house(engine_url, tmp_path, slack, rules=pool) as here:
        await here.writes("first", customer=customer(0))
        await here.thread(1)  # people know it, so it stays where it is
        kenji.archive(here.desk)
        await here.writes("second", customer=customer(0))

        async def is_known() -> bool:
            return await here.store.get(f"shut-place/{here.desk.id}") == "is_archived"

        await here.until(is_known)
        for number in range(1, 5):
            await here.writes("hello", customer=customer(number))
        channels = [slack.workspace.channels[one] for one in pool["further"]]
        await slack.until(lambda: all(len(cards(slack, one)) == 2 for one in channels))
        kenji.unarchive(here.desk)
        assert await here.thread(2) == ["Hanako\nfirst", "Hanako\nsecond"]


def told(slack: SlackSimulator, channel: Channel) -> list[str]:
    return [seen(slack.workspace, one) for one in slack.roots(channel)]


@pytest.mark.parametrize("answer_is_lost", [False, True])
async def test_a_session_whose_first_post_finds_the_channel_archived_opens_in_another_one(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, pool: dict[str, tuple[Place, ...]], answer_is_lost: bool
) -> None:
    async with house(engine_url, tmp_path, slack, rules=pool) as here:
        slack.person("kenji").archive(here.desk)
        if answer_is_lost:  # the first try, and then the one in the next channel
            slack.mischief.add(Fault.LOSE_ANSWER, "chat.postMessage", skip=1)
        await here.writes("hello")
        await here.writes("anybody?")
        await here.lanes_are_empty()
        session = (await here.session()).session
        places = [slack.workspace.channels[one] for one in pool["further"]]
        roots = [(place, one) for place in places for one in slack.roots(place)]
        ((place, root),) = [one for one in roots if str(session.code) in seen(slack.workspace, one[1])]
        assert slack.thread(place, root.ts)[:2] == ["Hanako\nhello", "Hanako\nanybody?"]
        assert slack.roots(here.desk) == []
        assert (await here.session()).session.mirror.place == place.id
        said = slack.person("kenji").say(place, "I am here", thread_ts=root.ts)
        await here.settled()
        assert said.ts
        assert await here.replies_seen() == ["I am here"]


async def test_where_there_is_no_other_channel_the_neighbours_are_told_and_the_desk_takes_over(
    engine_url: str, tmp_path: Path, slack: SlackSimulator
) -> None:
    desks = [slack.channel("support"), slack.channel("refunds")]
    kenji = slack.person("kenji")
    async with house(engine_url, tmp_path, slack, desks=desks, takeover_after=1_000) as here:
        kenji.archive(desks[0])
        await here.writes("secret words", customer=customer(0))
        await here.writes("hello", customer=customer(1))
        await slack.until(lambda: bool(told(slack, desks[1])))

        async def is_taken_over() -> bool:
            return (await here.session(customer(0))).session.taken_over is not None

        await here.until(is_taken_over)
        line, *more = told(slack, desks[1])
        assert more == []
        assert desks[0].id in line
        assert "is_archived" in line
        assert "secret" not in line
        kenji.unarchive(desks[0])
        await here.lanes_are_empty(customer(0))
        await here.lanes_are_empty(customer(1))
        assert len(slack.roots(desks[0])) == 2
        assert len(told(slack, desks[1])) == 1


async def test_a_locked_thread_is_said_in_the_channel_above_it(
    engine_url: str, tmp_path: Path, slack: SlackSimulator
) -> None:
    async with house(engine_url, tmp_path, slack) as here:
        code = (await here.writes("hello")).stored.session.code
        root = await here.root()
        await here.lanes_are_empty()
        slack.mischief.add(
            Fault.ERROR,
            "chat.postMessage",
            times=None,
            error="restricted_action_thread_locked",
            match={"thread_ts": root.ts},
        )
        await here.writes("still there?")
        await slack.until(lambda: len(slack.roots(here.desk)) == 2)
        line = told(slack, here.desk)[1]
        assert str(code) in line
        assert "restricted_action_thread_locked" in line
        slack.mischief.clear()
        await here.lanes_are_empty()
        assert (await here.thread(2))[1] == "Hanako\nstill there?"
        assert len(slack.roots(here.desk)) == 2


@pytest.mark.parametrize("fault", [None, Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
async def test_whoever_goes_on_after_a_transfer_has_all_that_was_said_before(
    engine_url: str, tmp_path: Path, slack: SlackSimulator, fault: Fault | None
) -> None:
    desks = [slack.channel("support"), slack.channel("refunds")]
    async with house(engine_url, tmp_path, slack, desks=desks) as here:
        for sign in "abcde":
            await here.writes(sign * 3_000)
        await here.lanes_are_empty()
        if fault is not None:  # the root goes through, and the first page
            slack.mischief.add(fault, "chat.postMessage", skip=2, match={"channel": desks[1].id})
        session = (await here.session()).session.id
        event = OperatorTransferred(OperatorId("aiko"), DeskId("refunds"))
        await here.relay.from_operator(session, event, InputKey("desk/transfer"))
        await here.lanes_are_empty()
        told_before = [line for line in await here.thread(3, desks[1]) if "Before this" in line]
        assert [line.partition("\n")[0][-5:] for line in told_before] == ["(1/3)", "(2/3)", "(3/3)"]
        text = "".join(told_before)
        assert [text.count(sign * 3_000) for sign in "abcde"] == [1] * 5


async def test_who_waits_for_a_desk_whose_only_channel_is_lost_goes_to_its_fallback_and_a_person_is_told(
    engine_url: str, tmp_path: Path, slack: SlackSimulator
) -> None:
    desks = [slack.channel("support"), slack.channel("refunds")]
    async with house(engine_url, tmp_path, slack, desks=desks, rules={"fallbacks": (DeskId("refunds"),)}) as here:
        slack.person("kenji").archive(desks[0])
        await here.writes("is anybody there?")
        await here.lanes_are_empty()
        await slack.until(lambda: len(slack.roots(desks[1])) == 2)
        session = (await here.session()).session
        assert (session.desk, session.mirror.place) == ("refunds", desks[1].id)
        (root,) = [one for one in slack.roots(desks[1]) if str(session.code) in seen(slack.workspace, one)]
        thread = slack.thread(desks[1], root.ts)
        assert "Hanako\nis anybody there?" in thread
        assert any("This session comes from" in line for line in thread)
        assert any("is_archived" in line for line in told(slack, desks[1]))
        assert "moved" in " ".join(await here.customer_sees())
