"""Lanes on a real Redis and a network on which everything goes wrong: order, doubles, hand-overs."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.redis.wire import Script
from bridge import deliveries
from bridge.errors import StoreUnavailableError
from bridge.lanes import Lanes, Timing
from bridge.ports import Delivered, Delivery, Lane
from bridge.relay import Receipt
from routing import inputs as i
from routing.effects import OpenThread, PostMessage
from routing.ids import EffectId, InputKey, MessageId, SessionId, partition_in
from tests.integration.engine_room import QUICK, Room, hurry, idle, room, running, sound, until
from tests.integration.notice_board import BOARD, Board, BoardNetwork, Mood
from tests.redis_servers import private_redis

_PREFIXES = itertools.count()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    yield loop.run_until_complete(
        stack.enter_async_context(private_redis(tmp_path_factory.mktemp("redis"), durable=True))
    )
    loop.run_until_complete(stack.aclose())
    loop.close()


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    hurry(monkeypatch)
    return f"t{next(_PREFIXES)}"


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
async def one(url: str, prefix: str, board: Board) -> AsyncIterator[Room]:
    async with running(url, board, prefix=prefix) as process:
        yield process


@pytest.fixture
async def other(url: str, prefix: str, board: Board, one: Room) -> AsyncIterator[Room]:
    async with running(url, board, prefix=prefix) as process:
        await until(
            lambda: process.leases.partitions(BOARD) and len(one.leases.partitions(BOARD)) < 4, "both hold some"
        )
        yield process


CALM = Timing(send_deadline=60.0, quarantine=120.0, settle_down=0.03, back_off=0.02, poll=0.05)
"""No send is given up, and nothing is ever in doubt, however busy the machine is."""


@pytest.fixture
async def calm(url: str, prefix: str, board: Board, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    """A process that never loses a lease, for what is to be certain without a look."""
    hurry(monkeypatch, ttl=60_000)
    async with running(url, board, prefix=prefix, timing=CALM) as process:
        yield process


def on_first(mood: Mood, of: type = PostMessage) -> Callable[[Delivery, int], Mood]:
    """The first attempt at every effect of this kind goes so, all others well."""
    return lambda delivery, attempt: mood if attempt == 0 and isinstance(delivery.effect, of) else Mood.FINE


def wanted(count: int) -> list[str]:
    return ["OpenThread", *(f"c:{number}" for number in range(count))]


async def talk(process: Room, name: str, count: int) -> SessionId:
    receipts = [await process.writes(name, number) for number in range(count)]
    return receipts[0].stored.session.id


# ------------------------------------------------------------------ direct or lane


@pytest.mark.parametrize("deaf", [False, True], ids=["heard", "hints lost"])
async def test_two_processes_never_invert_a_session_whoever_commits(
    one: Room, other: Room, board: Board, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, deaf: bool
) -> None:
    """Sending at once without the direct-or-lane rule inverted 821 of 4,000."""
    if deaf:
        monkeypatch.setattr(Lanes, "wake", lambda *_: None)
        one.lanes._timing = other.lanes._timing = replace(QUICK, poll=0.3)
    hurry(monkeypatch, ttl=6_000)  # nothing is to be in doubt here, however busy the machine is
    board.latency = 0.001
    customers, each = (160 if pytestconfig.getoption("--soak") else 30), 20

    async def customer(number: int) -> None:
        for message in range(each):
            await (one, other)[(number + message) % 2].writes(f"u{number}", message)

    await asyncio.gather(*map(customer, range(customers)))
    await until(lambda: idle(one.store), "all is delivered")
    sessions = await sound(one.store)
    assert len(sessions) == customers
    for stored in sessions:
        assert board.shows(stored.session.id) == wanted(each)


async def test_a_message_at_rest_goes_out_at_once_and_not_by_the_poll(one: Room, board: Board) -> None:
    session = await talk(one, "a", 1)
    await until(lambda: idle(one.store))
    stop = asyncio.Event()
    one.lanes._poll = lambda _to: stop.wait()  # type: ignore[method-assign,assignment,return-value]  # no poll from here on
    await one.writes("a", 1)
    await until(lambda: board.shows(session) == wanted(2))
    stop.set()


async def test_a_commit_on_a_lane_that_is_not_empty_waits_its_turn(one: Room, board: Board) -> None:
    board.latency = 0.1
    session = await talk(one, "a", 4)
    await until(lambda: idle(one.store))
    assert board.shows(session) == wanted(4)


async def test_an_effect_met_in_the_lane_before_the_commit_answers_is_sent_once_and_at_once(
    calm: Room, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was woken for nothing takes the very head that our own commit has just stamped for us."""
    session = await talk(calm, "a", 1)
    await until(lambda: idle(calm.store))
    commit = calm.store.commit

    async def answered_late(*arguments: object) -> object:
        answer = await commit(*arguments)  # type: ignore[arg-type]  # passed on as it is
        calm.lanes.wake(session, [BOARD])
        await asyncio.sleep(0.1)
        return answer

    monkeypatch.setattr(calm.store, "commit", answered_late)
    await calm.writes("a", 1)
    await until(lambda: idle(calm.store))
    assert board.shows(session) == wanted(2)
    assert board.looks == 0
    assert not board.doubled()


LONG = replace(QUICK, quarantine=3_600.0)
"""Whoever waits this out waits longer than the test."""


@pytest.mark.parametrize("late", [0.0, 0.2], ids=["at once", "while the lane's worker waits for it"])
async def test_a_commit_whose_answer_was_lost_is_sent_by_the_process_that_made_it(
    url: str, prefix: str, board: Board, monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    """Its stamp is our own, and nobody here was told to send: there is nothing to wait out, nor to look for."""
    hurry(monkeypatch, ttl=60_000)
    async with running(url, board, prefix=prefix, timing=LONG) as one:
        session = await talk(one, "a", 1)
        await until(lambda: idle(one.store))
        run = one.store._wire.run

        async def lost(script: Script, *arguments: Any, **options: Any) -> Any:
            answer = await run(script, *arguments, **options)
            if script.name != "commit":
                return answer
            monkeypatch.setattr(one.store._wire, "run", run)
            await asyncio.sleep(late)
            raise StoreUnavailableError("the connection broke")

        monkeypatch.setattr(one.store._wire, "run", lost)
        assert not (await one.writes("a", 1)).fresh
        await until(lambda: idle(one.store), "it is delivered")
        assert board.shows(session) == wanted(2)
        assert board.looks == 0


async def test_what_another_process_stamped_is_waited_out_though_it_be_never_sent(
    url: str, prefix: str, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other half of the rule: the next holder cannot know what the former one was told."""
    dying = await room(url, board, prefix=prefix)
    await dying.start()
    session = await talk(dying, "a", 1)
    await until(lambda: idle(dying.store))
    monkeypatch.setattr(dying.lanes, "send_direct", lambda *_: None)
    await dying.writes("a", 1)
    await dying.die()
    async with running(url, board, prefix=prefix) as survivor:
        await until(lambda: idle(survivor.store))
    assert board.shows(session) == wanted(2)
    assert board.looks >= 1


# ------------------------------------------------------------------ death in the middle of a send


class Dying(BoardNetwork):
    """A process that is killed at a chosen point of its first message's delivery."""

    def __init__(self, board: Board, *, after_posting: bool) -> None:
        super().__init__(board)
        self.after_posting = after_posting
        self.at_the_point = asyncio.Event()

    async def _as_it_goes(self, mood: Mood, deliveries: Sequence[Delivery]) -> list[Delivered]:
        if isinstance(deliveries[0].effect, OpenThread):
            return await super()._as_it_goes(mood, deliveries)
        if self.after_posting:
            self.board.post_all(deliveries)
        self.at_the_point.set()
        await asyncio.Event().wait()
        raise AssertionError("it never comes here")


@pytest.mark.parametrize("after_posting", [True, False])
async def test_whoever_takes_over_looks_before_it_sends(
    url: str, prefix: str, board: Board, after_posting: bool
) -> None:
    dying = await room(url, board, prefix=prefix)
    network = Dying(board, after_posting=after_posting)
    dying.lanes._networks = {BOARD: network}
    await dying.start()
    session = await talk(dying, "a", 3)
    await network.at_the_point.wait()
    await dying.die()
    async with running(url, board, prefix=prefix) as survivor:
        await until(lambda: idle(survivor.store), "the survivor has delivered all, and swept")
        assert board.shows(session) == wanted(3)
        assert not board.doubled()
        assert board.attempts[_effect(board, "c:0")] == (1 if after_posting else 2)


def _effect(board: Board, what: str) -> EffectId:
    return next(one.effect for one in board.notices if one.what == what)


async def test_the_next_holder_waits_out_the_former_ones_send(url: str, prefix: str, board: Board) -> None:
    """A fence cannot guard somebody else's API: only waiting longer than any send lasts can."""
    loop, times = asyncio.get_running_loop(), dict[str, float]()
    slow = replace(QUICK, quarantine=1.5)

    def mood(delivery: Delivery, attempt: int) -> Mood:
        if isinstance(delivery.effect, PostMessage):
            times[f"attempt {attempt}"] = loop.time()
            return Mood.HANG if attempt == 0 else Mood.FINE
        return Mood.FINE

    board.mood = mood
    dying = await room(url, board, prefix=prefix, timing=slow)
    await dying.start()
    session = await talk(dying, "a", 1)
    await until(lambda: times, "the send has begun")
    await dying.die()
    async with running(url, board, prefix=prefix, timing=slow) as survivor:
        await until(lambda: idle(survivor.store))
    assert board.shows(session) == wanted(1)
    assert times["attempt 1"] - times["attempt 0"] >= slow.quarantine - 0.2, "stamped a moment before it was sent"


async def test_a_lease_lost_in_the_middle_of_a_send_loses_and_doubles_nothing(
    url: str, prefix: str, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former holder's books are refused; the next one finds its post."""
    board.latency = 0.2
    async with running(url, board, prefix=prefix) as former:
        receipt = await former.writes("a", 0)
        session = receipt.stored.session.id
        await until(lambda: former.network.under_way, "a send is under way")
        held = former.leases._held[f"{BOARD}@{partition_in(session)}"].lease
        await former.store.release(held, former.leases.holder)
        thief = await former.store.hold(held.name, "thief", 300)
        assert thief is not None
        assert thief.term > held.term
        await former.writes("a", 1)
        await until(lambda: idle(former.store), "the lease came back, and all was delivered")
        assert board.shows(session) == wanted(2)
        assert board.looks > 0


class Paused(BoardNetwork):
    """A process that stands still between deciding to post and posting, longer than anybody waits for it."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self.about_to_post = asyncio.Event()
        self.awake = asyncio.Event()

    async def deliver(self, delivery: Delivery) -> Delivered:
        self.about_to_post.set()
        await self.awake.wait()
        return await super().deliver(delivery)


async def test_a_process_that_slept_through_quarantine_and_sweep_has_its_double_taken_back(
    url: str, prefix: str, board: Board
) -> None:
    """A laptop's lid, a frozen machine: its post comes out when all others have long looked, sent and swept."""
    sleeper = await room(url, board, prefix=prefix, timing=replace(CALM, sweep_after=QUICK.sweep_after))
    asleep = Paused(board)
    sleeper.lanes._networks = {BOARD: asleep}
    await sleeper.start()
    session = (await sleeper.writes("a", 0)).stored.session.id
    await asleep.about_to_post.wait()
    for task in sleeper.tasks:
        task.cancel()  # nothing of it renews or looks any more; its worker sleeps on
    async with running(url, board, prefix=prefix) as other:
        await until(lambda: idle(other.store), "the other has posted, and swept")
        assert board.shows(session) == wanted(1)
        asleep.awake.set()
        await until(lambda: len(board.notices) == 3, "the sleeper has posted its root as well")
        await until(lambda: not board.doubled(), "it is taken back")
        assert board.shows(session) == wanted(1)
    await sleeper.die()


async def test_a_stamp_that_has_grown_old_is_renewed_before_the_send(
    one: Room, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading what a delivery needs may take long; others count the quarantine from the stamp."""
    stamps: list[EffectId] = []
    stamp, about = one.store.stamp, one.store.about

    async def counted(lane: Lane, term: int, effect: EffectId) -> bool:
        stamps.append(effect)
        return await stamp(lane, term, effect)

    async def slow(session: SessionId) -> object:
        await asyncio.sleep(0.25)  # over half of what quarantine exceeds the deadline by
        return await about(session)

    monkeypatch.setattr(one.store, "stamp", counted)
    monkeypatch.setattr(one.store, "about", slow)
    session = await talk(one, "a", 1)
    await until(lambda: idle(one.store))
    assert board.shows(session) == wanted(1)
    assert stamps


# ------------------------------------------------------------------ what a network may do to us


@pytest.mark.parametrize(
    "mood", [Mood.LOST_BEFORE, Mood.LOST_AFTER, Mood.LATE, Mood.HIDDEN, Mood.HANG, Mood.BREAK, Mood.BUSY]
)
@pytest.mark.parametrize("of", [PostMessage, OpenThread])
async def test_nothing_is_lost_or_stays_doubled(one: Room, board: Board, mood: Mood, of: type) -> None:
    board.mood = on_first(mood, of)
    session = await talk(one, "a", 3)
    await until(lambda: idle(one.store), "all is delivered and swept")
    assert board.shows(session) == wanted(3)
    assert not board.doubled()
    if mood in (Mood.LATE, Mood.HIDDEN):
        assert board.removals > 0, "doubles did appear, and were taken back"


@pytest.mark.parametrize("first", [Mood.LATE, Mood.HIDDEN])
@pytest.mark.parametrize("second", [Mood.BUSY, Mood.BLOCKED, Mood.LOST_BEFORE])
async def test_a_refused_retry_says_nothing_about_the_first_attempt(
    one: Room, board: Board, first: Mood, second: Mood
) -> None:
    """The random histories found this: the stamp went with the refusal, and the third attempt was sent blindly."""
    moods = (first, second)
    board.mood = lambda delivery, attempt: (
        moods[attempt] if attempt < 2 and isinstance(delivery.effect, PostMessage) else Mood.FINE
    )
    session = await talk(one, "a", 2)
    await until(lambda: idle(one.store))
    assert board.shows(session) == wanted(2)
    assert not board.doubled()


@pytest.mark.parametrize("mood", [Mood.LATE, Mood.HIDDEN])
async def test_the_double_that_goes_is_not_the_one_that_edits_will_reach(one: Room, board: Board, mood: Mood) -> None:
    board.mood = on_first(mood)
    session = await talk(one, "a", 1)
    await until(lambda: idle(one.store))
    (kept,) = [notice for notice in board.notices if notice.what == "c:0" and not notice.removed]
    assert await one.store.posts(session, MessageId("c:0"), 1) == (kept.ref,)


async def test_a_send_has_a_deadline(one: Room, board: Board) -> None:
    board.mood = lambda _delivery, attempt: Mood.HANG if attempt < 2 else Mood.FINE
    session = await talk(one, "a", 1)
    await until(lambda: idle(one.store))
    assert board.shows(session) == wanted(1)


async def test_one_session_waits_for_no_other(one: Room, board: Board) -> None:
    stuck = await talk(one, "stuck", 1)
    await until(lambda: idle(one.store))
    board.mood = lambda delivery, _attempt: Mood.BLOCKED if delivery.session.id == stuck else Mood.FINE
    await one.writes("stuck", 1)
    sessions = await asyncio.gather(*(talk(one, f"u{number}", 2) for number in range(10)))
    await until(lambda: all(board.shows(session) == wanted(2) for session in sessions))
    assert board.shows(stuck) == wanted(1)
    board.mood = lambda _delivery, _attempt: Mood.FINE
    await until(lambda: board.shows(stuck) == wanted(2), "it is delivered once somebody mended it")


async def test_a_blocked_lane_keeps_its_pause_whoever_wakes_it(url: str, prefix: str, board: Board) -> None:
    """A new message on a lane that was told to wait is no reason to ask again; a person's word is."""
    patient = replace(QUICK, blocked=3_600.0)
    async with (
        running(url, board, prefix=prefix, timing=patient) as one,
        running(url, board, prefix=prefix, timing=patient) as other,
    ):
        board.mood = lambda _delivery, attempt: Mood.BLOCKED if attempt == 0 else Mood.FINE
        session = await talk(one, "a", 1)
        await until(lambda: one.store.stuck_lanes(BOARD), "it was refused, and put off")
        (root,) = board.attempts
        for number in range(1, 10):
            await (one, other)[number % 2].writes("a", number)
            one.lanes.wake(session, [BOARD])
            other.lanes.wake(session, [BOARD])
        await until(lambda: not one.lanes._workers and not other.lanes._workers, "those who were woken sleep again")
        assert board.attempts[root] == 1
        board.mood = lambda _delivery, _attempt: Mood.FINE
        await one.store.retry(Lane(session, BOARD))
        await until(lambda: board.shows(session) == wanted(10))


async def test_a_poisoned_effect_is_set_aside_and_shown(one: Room, board: Board) -> None:
    board.mood = lambda delivery, _: Mood.POISON if getattr(delivery.effect, "message", "") == "c:1" else Mood.FINE
    session = await talk(one, "a", 3)
    await until(lambda: idle(one.store))
    assert board.shows(session) == ["OpenThread", "c:0", "c:2"]
    (aside,) = await one.store.stuck_lanes(BOARD)
    assert (aside.aside, aside.error) == (True, "poison")


async def test_back_off_never_overflows(one: Room, board: Board) -> None:
    """A lane that failed for a long night has thousands of attempts behind it."""
    session = await talk(one, "a", 1)
    await until(lambda: idle(one.store))
    board.mood = on_first(Mood.BUSY)
    errors = one.store._keys.per_destination(partition_in(session), "errors", BOARD)
    await one.store._wire.call(errors, "HSET", errors, session, "5000 busy")
    await one.writes("a", 1)
    await until(lambda: board.shows(session) == wanted(2))


async def test_a_network_that_hangs_in_a_sweep_holds_up_no_lane(
    one: Room, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.mood = on_first(Mood.LATE)
    reached = asyncio.Event()

    async def hangs(*_arguments: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(BoardNetwork, "remove_double", hangs)
    await talk(one, "a", 1)
    await asyncio.wait_for(reached.wait(), 30)
    board.mood = on_first(Mood.BUSY)  # put off, and so brought back by the poll
    other = await talk(one, "b", 2)
    await until(lambda: board.shows(other) == wanted(2))


async def test_an_unreadable_effect_stops_its_own_lane_only(one: Room, board: Board) -> None:
    session = await talk(one, "a", 1)
    await until(lambda: idle(one.store))
    lane, partition = one.store._keys.lane(session, BOARD), partition_in(session)
    busy = one.store._keys.per_destination(partition, "busy", BOARD)
    await one.store._wire.call(lane, "RPUSH", lane, 'e1 {"k":"FromTheFuture"}')
    await one.store._wire.call(busy, "ZADD", busy, 0, session)
    fine = await talk(one, "b", 2)
    await until(lambda: board.shows(fine) == wanted(2))


# ------------------------------------------------------------------ drain


async def test_a_drain_hands_over_without_a_stamp_left(
    url: str, prefix: str, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, ttl=60_000)
    board.latency = 0.05
    leaving = await room(url, board, prefix=prefix, timing=CALM)
    await leaving.start()
    session = await talk(leaving, "a", 6)
    await until(lambda: leaving.network.under_way)
    await leaving.drain()
    tried = leaving.store._keys.per_destination(partition_in(session), "tried", BOARD)
    assert await leaving.store._wire.call(tried, "HLEN", tried) == 0
    await leaving.store.close()
    async with running(url, board, prefix=prefix, timing=CALM) as next_one:
        await until(lambda: idle(next_one.store))
    assert board.shows(session) == wanted(6)
    assert board.looks == 0, "what was handed over in order needs no looking for"


async def test_a_drain_does_not_sit_out_a_quarantine(url: str, prefix: str, board: Board) -> None:
    patient = Timing(send_deadline=0.3, quarantine=3_600.0, poll=0.05)
    dying = await room(url, board, prefix=prefix, timing=patient)
    board.mood = on_first(Mood.HANG)
    await dying.start()
    session = await talk(dying, "a", 1)
    await until(lambda: dying.network.under_way and board.shows(session))
    await dying.die()
    async with running(url, board, prefix=prefix, timing=patient) as waiting:
        await until(lambda: waiting.lanes._workers, "it waits for the quarantine's end")
        await asyncio.wait_for(waiting.drain(), 30)


async def test_books_wait_for_a_store_that_is_away_for_a_moment(
    calm: Room, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent is known only to the sender until it is settled."""
    settle, failures = calm.store.settle, iter(range(2))

    async def shaky(*arguments: object, **named: object) -> object:
        if next(failures, None) is not None:
            raise StoreUnavailableError("away")
        return await settle(*arguments, **named)  # type: ignore[arg-type]  # passed on as it is

    monkeypatch.setattr(calm.store, "settle", shaky)
    receipt = await calm.writes("a", 0)
    assert isinstance(receipt, Receipt)
    await until(lambda: idle(calm.store))
    assert board.shows(receipt.stored.session.id) == wanted(1)
    assert board.looks == 0


# ------------------------------------------------------------------ what lanes remember, and what they tell


async def test_a_name_does_not_outlive_its_erasure_in_any_process_that_hears_of_it(
    url: str, prefix: str, board: Board, one: Room, other: Room
) -> None:
    """The command line orders it; one process has the lane, the other had it once."""
    stored = (await one.writes("a", 0)).stored
    await until(lambda: idle(one.store))
    for process in (one, other):
        await process.lanes._deliveries._about(stored)
    command = await room(url, board, prefix=prefix)
    await command.relay.from_bridge(stored.session.id, i.ErasureOrdered(), InputKey("erase/1"))
    await command.store.close()
    known = (one.lanes._deliveries._abouts, other.lanes._deliveries._abouts)
    await until(lambda: not any(stored.session.id in names for names in known), "both have forgotten them")


async def test_a_name_does_not_outlive_its_erasure_for_long_where_nobody_says_a_word(
    one: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has lost the lease, and missed the hint, delivers nothing that would remind it."""
    session = await talk(one, "a", 1)
    await until(lambda: idle(one.store))
    assert session in one.lanes._deliveries._abouts
    monkeypatch.setattr(deliveries, "PEOPLE_FOR", 0.1)
    await until(lambda: session not in one.lanes._deliveries._abouts, "it has forgotten them")


async def test_a_network_that_was_taken_out_of_the_settings_is_named_at_the_start(
    url: str, prefix: str, board: Board
) -> None:
    before = await room(url, board, prefix=prefix)
    await before.writes("a", 0)
    await before.store.close()
    after = await room(url, board, prefix=prefix)
    after.lanes._networks = {}
    with capture_logs() as said:
        await after.start()
        await until(lambda: any(line["event"] == "no_adapter_configured" for line in said))
    await after.die()
    line = next(line for line in said if line["event"] == "no_adapter_configured")
    assert (line["to"], line["lanes"]) == (BOARD, 1)
