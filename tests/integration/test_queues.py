"""What waiting customers are told of their line: the truth, when it changes, once, in whatever process they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.feed import Queue
from bridge.leases import DESKS
from bridge.ports import Hint
from bridge.queues import LOOK_EVERY, PAUSE
from routing import inputs as i
from routing.ids import DeskId, InputKey, MessageId, SessionId
from routing.policy import HOUR, MINUTE, Assignment, HeadStarts
from tests.integration.desk_room import AIKO, EN, JA, POLICY, Page, Process, desks_are, process
from tests.integration.engine_room import until
from tests.redis_servers import private_redis

BY_HAND = desks_are(POLICY, assignment=Assignment.CLAIM)


@pytest.fixture
async def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr("bridge.availability.READ_EVERY", 0.0)
    monkeypatch.setattr("bridge.queues.SETTLED", -1_000)
    async with private_redis(tmp_path / "redis") as one:
        yield one


@pytest.fixture
async def one(url: str) -> AsyncIterator[Process]:
    here = await process(url, BY_HAND)
    yield here
    await here.dies()


def positions(page: Page) -> list[int | None]:
    return [queue.position if queue else None for queue in page.told]


async def test_a_place_is_told_when_it_changes_and_never_twice(one: Process) -> None:
    pages = {name: one.opens_page(name) for name in "abc"}
    first, *_ = [await one.writes(name) for name in "abc"]
    await one.settled()
    await one.settled()
    assert [positions(page) for page in pages.values()] == [[1], [2], [3]]
    await one.does(first.id, i.OperatorClaimed(AIKO))
    await one.settled()
    assert [positions(page) for page in pages.values()] == [[1, None], [2, 1], [3, 2]]
    assert not any(queue.risen for page in pages.values() for queue in page.told if queue)


async def test_who_is_overtaken_is_told_that_they_were(one: Process) -> None:
    one.policy[0] = replace(BY_HAND, head_starts=HeadStarts(verified=HOUR))
    page = one.opens_page("a")
    await one.writes("a")
    await one.settled()
    await one.writes("b", verified=True)
    await one.settled()
    assert page.told == [Queue(1), Queue(2, risen=True)]


async def test_who_has_just_come_is_told_once_everybody_before_them_is_listed(
    one: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are drawn apart from one another: the later of two may be listed first."""
    page = one.opens_page("a")
    await one.writes("a")
    monkeypatch.setattr("bridge.queues.SETTLED", HOUR)
    await one.settled()
    assert page.told == []
    monkeypatch.setattr("bridge.queues.SETTLED", -1_000)
    await one.queues.tick(one.clock + PAUSE)
    assert page.told == [Queue(1)], "without anything that moves"


async def test_away_customers_keep_their_place(one: Process) -> None:
    page = one.opens_page("b")
    first, _ = await one.writes("a"), await one.writes("b")
    await one.settled()
    await one.relay.from_bridge(first.id, i.CustomerLeft(), InputKey("left"))
    await one.settled()
    assert positions(page) == [2]


async def test_a_page_that_joins_is_answered_from_memory_and_not_told_the_same_again(one: Process) -> None:
    one.opens_page("b")
    first = await one.writes("a")
    await one.settled()
    assert one.feed.queue(first) == Queue(1)
    page = one.opens_page("a")
    assert one.feed.queue(first) == Queue(1)
    await one.settled()
    assert page.told == []
    await one.does(first.id, i.OperatorClaimed(AIKO))
    (taken,) = await one.settled()
    assert one.feed.queue(taken) is None
    assert positions(page) == [None]


async def test_the_first_page_of_a_process_is_told_soon_though_nothing_moves(one: Process, url: str) -> None:
    await one.writes("a")
    await one.settled()
    other = await process(url, BY_HAND)
    page = other.opens_page("a")
    await other.queues.tick(1_000.0)
    assert positions(page) == [1]
    await other.dies()


async def test_a_session_that_moves_stands_in_the_other_line(one: Process) -> None:
    page = one.opens_page("a")
    await one.writes("b", language="ja")
    session = await one.writes("a")
    await one.settled()
    await one.does(session.id, i.OperatorTransferred(AIKO, JA))
    await one.settled()
    assert [queue for queue in page.told if queue] == [Queue(1), Queue(2)], (
        "further back in another line is not overtaken"
    )


# ------------------------------------------------------------------ the wait


async def test_the_wait_is_told_once_there_are_samples_and_somebody_is_there(one: Process) -> None:
    one.policy[0] = desks_are(POLICY, offer_for=HOUR)
    page = one.opens_page("c")
    now = await one.store.now()
    for number in range(5):
        took = (10 + number) * MINUTE
        await one.store.note_handled(EN, SessionId(f"main.0.{number}"), now - MINUTE, took)
    for name in "abc":
        await one.writes(name)
    await one.settled()
    assert page.told[-1] == Queue(3), "nobody is on: we cannot tell"
    await one.is_on(AIKO)
    await one.settled()
    assert page.told[-1] == Queue(3, 10, 15), "two are offered to Aiko, and the third waits until one is done"
    assert one.queues.usual(EN) is not None
    assert one.queues.usual(JA) is None


async def test_handling_times_are_collected_when_sessions_are_done(one: Process) -> None:
    session = await one.writes("a")
    await one.does(session.id, i.OperatorClaimed(AIKO))
    await one.does(session.id, i.OperatorResolved(AIKO))
    (done,) = await one.settled()
    await one.settled()
    assert done.resolved_at is not None
    assert done.assigned_at is not None
    assert await one.store.handled(EN, 0) == [done.resolved_at - done.assigned_at]


# ------------------------------------------------------------------ how often


async def test_many_changes_in_a_moment_are_one_signal_and_one_telling(
    one: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Hint] = []

    async def signal(hint: Hint) -> None:
        said.append(hint)

    monkeypatch.setattr(one.store, "signal", signal)
    one.feed.others = True
    page = one.opens_page("u9")
    sessions = [await one.writes(f"u{number}") for number in range(10)]
    await one.settled()
    said.clear()
    begun = one.clock + PAUSE
    for number, session in enumerate(sessions[:8]):
        await one.does(session.id, i.OperatorClaimed(AIKO) if number < 2 else i.OperatorReplied(m(number), AIKO))
        await one.leases.renew()
        await one.views.tick()
        await one.desks.tick(begun + number * PAUSE / 16)
        await one.queues.tick(begun + number * PAUSE / 16)
    assert len(said) == 1
    assert positions(page) == [10, 9], "the first change is told at once"
    await one.leases.renew()
    await one.desks.tick(begun + PAUSE)
    await one.queues.tick(begun + PAUSE)
    assert len(said) == 2
    assert positions(page) == [10, 9, 2], "and all the others together"


def m(number: int) -> MessageId:
    return MessageId(f"o:{number}")


async def test_without_anybody_connected_nothing_is_read(one: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    read = one.index.read

    async def counted(desk: DeskId) -> object:
        reads.append(desk)
        return await read(desk)

    monkeypatch.setattr(one.index, "read", counted)
    await one.queues.tick(1_000.0)
    assert reads == []
    one.opens_page("a")
    await one.queues.tick(2_000.0)
    assert reads == [EN, JA]
    await one.queues.tick(2_000.0 + LOOK_EVERY - 0.1)
    assert reads == [EN, JA]


# ------------------------------------------------------------------ several processes


async def test_customers_of_another_process_hear_of_their_line_by_one_signal(one: Process, url: str) -> None:
    other = await process(url, BY_HAND)
    page = other.opens_page("b")

    async def listen() -> None:
        async for hint in other.store.hints():
            if hint is not None:
                other.feed.hint(hint)
            else:
                listening.set()

    listening = asyncio.Event()
    hearing = asyncio.create_task(listen())
    try:
        await listening.wait()
        one.feed.others = True
        first = await one.writes("a")
        await one.writes("b")
        await one.settled()
        await other.queues.tick(1_000.0)
        assert positions(page) == [2]
        await one.does(first.id, i.OperatorClaimed(AIKO))
        await one.settled()
        await until(lambda: other.queues._lines[EN].moved, "the signal is heard")
        await other.queues.tick(1_000.0 + PAUSE)
        assert positions(page) == [2, 1]
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        await other.dies()


@pytest.mark.parametrize(
    "signal", [{}, {"desk": "en", "pace": "fast"}, {"desk": "en", "pace": "1 2"}, {"desk": "nowhere", "pace": ""}]
)
async def test_a_signal_that_cannot_be_read_changes_nothing(one: Process, signal: dict[str, str]) -> None:
    one.feed.hint(Hint(SessionId(""), "", 0, signal={"kind": "queue", **signal}))
    assert one.queues._lines == {}


async def test_the_worker_moves_with_its_lease(one: Process, url: str) -> None:
    """Whoever takes a desk over knows nothing, and comes to the same."""
    other = await process(url, POLICY)
    one.policy[0] = POLICY
    await one.is_on(AIKO)
    sessions = [await one.writes(f"u{number}") for number in range(3)]
    await one.settled()
    await one.leases.release_all()
    assert one.leases.partitions(DESKS) == []
    await one.does(sessions[0].id, i.OperatorClaimed(AIKO))
    await one.does(sessions[0].id, i.OperatorResolved(AIKO))
    await other.leases.renew()
    found = await other.settled()
    assert [session.offer is not None for session in found] == [False, True, True]
    assert await other.places(AIKO) == {sessions[1].id, sessions[2].id}
    await other.dies()
