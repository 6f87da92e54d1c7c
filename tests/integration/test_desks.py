"""Desks on a real Redis: offers, capacity, hand-backs, and what is left of those who died half way."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.ports import Stored
from bridge.relay import Receipt
from routing import inputs as i
from routing.availability import GRACE, Choice
from routing.decide import Refusal
from routing.ids import InputKey, MessageId, SessionId
from routing.session import Reason, State
from tests.integration.desk_room import (
    AIKO,
    EN,
    JA,
    KENJI,
    MEI,
    POLICY,
    Process,
    desks_are,
    held_by,
    offered_to,
    process,
    sound,
)
from tests.integration.engine_room import until
from tests.redis_servers import private_redis


@pytest.fixture
async def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr("bridge.availability.READ_EVERY", 0.0)
    monkeypatch.setattr("bridge.index.WHOLE_EVERY", 1e9)
    async with private_redis(tmp_path / "redis") as one:
        yield one


@pytest.fixture
async def one(url: str) -> AsyncIterator[Process]:
    here = await process(url)
    yield here
    await here.dies()


# ------------------------------------------------------------------ offers


async def test_a_waiting_session_is_offered_to_an_operator_who_is_on_and_taken(one: Process) -> None:
    session = await one.writes("a")
    await one.is_on(AIKO)
    (waiting,) = await one.settled()
    assert waiting.offer is not None
    assert waiting.offer.operator == AIKO
    assert await one.places(AIKO) == {session.id}
    answer = await one.assignments.claim(session.id, AIKO, InputKey("desk/claim"))
    assert isinstance(answer, Receipt)
    (taken,) = await one.settled()
    assert (taken.state, taken.assignee) == (State.ASSIGNED, AIKO)
    assert await one.places(AIKO) == {session.id}


async def test_nobody_is_offered_anything_who_is_not_on(one: Process) -> None:
    await one.writes("a")
    await one.is_on(AIKO)
    await one.availability.choose(AIKO, Choice.AWAY)
    (waiting,) = await one.settled()
    assert waiting.offer is None


async def test_a_lapsed_offer_goes_to_the_next_and_frees_the_place(one: Process) -> None:
    session = await one.writes("a")
    await one.is_on(AIKO)
    one.policy[0] = desks_are(POLICY, offer_for=1_500)
    await one.round()
    one.policy[0] = POLICY
    await one.is_on(KENJI)

    async def passed_on() -> bool:
        await one.round()
        return (await one.sessions())[0].declined == (AIKO,)

    await until(passed_on, "the offer has lapsed")
    (waiting,) = await one.settled()
    assert waiting.offer is not None
    assert waiting.offer.operator == KENJI
    assert await one.places(AIKO) == set()
    assert await one.places(KENJI) == {session.id}


async def test_who_declines_frees_their_place_at_once(one: Process) -> None:
    session = await one.writes("a")
    await one.is_on(AIKO)
    await one.settled()
    await one.does(session.id, i.OperatorDeclined(AIKO))
    assert await one.places(AIKO) == set()
    (waiting,) = await one.settled()
    assert waiting.offer is None, "nobody else is on, and who has just declined is not nagged"


async def test_offers_fill_everybody_and_the_rest_wait_in_order(one: Process) -> None:
    for number in range(8):
        await one.writes(f"u{number}")
    await one.is_on(AIKO, KENJI, MEI)
    sessions = await one.settled()
    assert [one.offer is not None for one in sessions] == [True] * 6 + [False] * 2
    assert [len(offered_to(who, sessions)) for who in (AIKO, KENJI, MEI)] == [2, 2, 2]
    await sound(one)


async def test_two_workers_that_believe_in_the_same_lease_offer_each_session_once(one: Process, url: str) -> None:
    other = await process(url)
    other.believes_in_every_lease()
    for number in range(6):
        await one.writes(f"u{number}")
    await one.is_on(AIKO, KENJI, MEI)
    await one.round()
    await asyncio.gather(*(each.desks.tick(each.clock + 1_000) for each in (one, other, one, other)))
    await one.settled()
    sessions = await sound(one)
    assert all(session.offer for session in sessions)
    await other.dies()


# ------------------------------------------------------------------ capacity


async def test_a_claim_beyond_the_capacity_is_refused_and_a_reply_never(one: Process) -> None:
    sessions = [await one.writes(f"u{number}") for number in range(4)]
    for session in sessions[:2]:
        assert isinstance(await one.does(session.id, i.OperatorClaimed(AIKO)), Receipt)
    assert await one.does(sessions[2].id, i.OperatorClaimed(AIKO)) == Refusal(Reason.AT_CAPACITY)
    assert isinstance(await one.does(sessions[2].id, i.OperatorReplied(MessageId("o:1"), AIKO)), Receipt)
    assert await one.places(AIKO) == {session.id for session in sessions[:3]}
    assert await one.does(sessions[3].id, i.OperatorHeld(AIKO, 10**13)) == Refusal(Reason.AT_CAPACITY)
    await one.does(sessions[0].id, i.OperatorResolved(AIKO))
    assert await one.places(AIKO) == {sessions[1].id, sessions[2].id}, "a place is free with the answer, not later"


async def test_who_takes_one_by_hand_passes_on_what_they_were_only_being_offered(one: Process) -> None:
    for number in range(3):
        await one.writes(f"u{number}")
    await one.is_on(AIKO)
    sessions = await one.settled()
    (other,) = [session for session in sessions if session.offer is None]
    assert isinstance(await one.does(other.id, i.OperatorClaimed(AIKO)), Receipt)
    sessions = await one.settled()
    assert len(offered_to(AIKO, sessions)) == 1
    assert len(await one.places(AIKO)) == 2, "and never more than they can hold"
    await sound(one)


async def test_a_claim_that_was_made_and_is_sent_again_is_answered_as_the_first_time(one: Process) -> None:
    sessions = [await one.writes(f"u{number}") for number in range(3)]
    key = InputKey("slack/claim")
    assert isinstance(await one.assignments.claim(sessions[0].id, AIKO, key), Receipt)
    await one.does(sessions[0].id, i.OperatorReleased(AIKO))
    for session in sessions[1:]:
        await one.does(session.id, i.OperatorClaimed(AIKO))
    again = await one.assignments.claim(sessions[0].id, AIKO, key)
    assert isinstance(again, Receipt)
    assert not again.fresh
    assert len(await one.places(AIKO)) == 2


async def test_a_refused_claim_gives_its_place_back(one: Process) -> None:
    session = await one.writes("a")
    await one.does(session.id, i.OperatorClaimed(AIKO))
    assert await one.does(session.id, i.OperatorClaimed(KENJI)) == Refusal(Reason.ALREADY_CLAIMED)
    assert await one.places(KENJI) == set()
    assert await one.does(session.id, i.OperatorClaimed(AIKO)) == Refusal(Reason.ALREADY_CLAIMED)
    assert await one.places(AIKO) == {session.id}, "what they hold they hold"


async def test_a_transfer_to_somebody_who_is_full_is_refused_and_the_rest_of_a_bulk_goes_on(one: Process) -> None:
    sessions = [await one.writes(f"u{number}") for number in range(5)]
    await one.does(sessions[4].id, i.OperatorClaimed(KENJI))
    for session in sessions[:2]:
        await one.does(session.id, i.OperatorClaimed(AIKO))
    names = [session.id for session in sessions[:4]]
    answers = await one.assignments.reassign(names, MEI, EN, KENJI, InputKey("desk/bulk"))
    assert [isinstance(answer, Receipt) for _, answer in answers] == [True, False, False, False]
    assert [session for session, _ in answers] == names
    assert await one.places(AIKO) == {sessions[1].id}
    assert await one.places(KENJI) == {sessions[0].id, sessions[4].id}
    await one.settled()
    await sound(one)


async def test_sessions_that_were_theirs_before_places_were_counted_are_counted(one: Process) -> None:
    """After an upgrade, or on data that was restored: the sessions are the truth."""
    session = await one.writes("a")
    await one.does(session.id, i.OperatorClaimed(AIKO))
    await one.store.give_back(AIKO, session.id)
    await one.settled()
    assert await one.places(AIKO) == {session.id}


async def test_capacity_holds_while_two_processes_do_everything_at_once(one: Process, url: str) -> None:
    other = await process(url)
    other.believes_in_every_lease()
    sessions = [await one.writes(f"u{number}") for number in range(12)]
    await one.is_on(AIKO, KENJI, MEI)
    for turn in range(6):
        claims = [
            (one, other)[n % 2].does(session.id, i.OperatorClaimed((AIKO, KENJI, MEI)[(n + turn) % 3]))
            for n, session in enumerate(sessions)
        ]
        rounds = [each.desks.tick(each.clock + 1_000 + turn) for each in (one, other)]
        await asyncio.gather(*claims, *rounds)
        now = await one.sessions()
        for who in (AIKO, KENJI, MEI):
            assert len(held_by(who, now) | offered_to(who, now)) <= 2
        await one.settled()
        await sound(one)
        for session in await one.sessions():
            if session.assignee is not None:
                await (one, other)[turn % 2].does(session.id, i.OperatorReleased(session.assignee))
    await other.dies()


# ------------------------------------------------------------------ leaving


async def test_who_goes_off_hands_back_what_they_hold_and_what_they_were_offered(one: Process) -> None:
    held, offered = await one.writes("a"), await one.writes("b")
    await one.does(held.id, i.OperatorClaimed(AIKO))
    await one.is_on(AIKO)
    await one.settled()
    await one.availability.choose(AIKO, Choice.OFF)
    await one.is_on(KENJI)
    sessions = await one.settled()
    assert offered_to(KENJI, sessions) == {held.id, offered.id}
    assert await one.places(AIKO) == set()
    await sound(one)


async def test_who_is_away_for_a_moment_keeps_what_they_hold(one: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await one.writes("a")
    await one.does(session.id, i.OperatorClaimed(AIKO))
    await one.availability.choose(AIKO, Choice.AWAY)
    (kept,) = await one.settled()
    assert kept.assignee == AIKO
    later = await one.store.now() + GRACE
    monkeypatch.setattr(one.store, "now", lambda: asyncio.sleep(0, later))
    (back,) = await one.settled()
    assert (back.state, back.assignee) == (State.QUEUED, None)


async def test_a_tab_that_was_left_open_is_nobody_who_is_on(one: Process) -> None:
    await one.is_on(AIKO)
    one.availability._lapse_after = 0
    await one.writes("a")
    (waiting,) = await one.settled()
    assert waiting.offer is None


async def test_sessions_of_a_desk_that_the_policy_loses_move_to_another(one: Process) -> None:
    session = await one.writes("a", language="ja")
    assert session.desk == JA
    await one.settled()
    one.policy[0] = replace(POLICY, desks={EN: replace(POLICY.desks[EN], languages=())})
    await one.is_on(AIKO)
    (moved,) = await one.settled()
    assert moved.desk == EN
    assert offered_to(AIKO, [moved]) == {session.id}


# ------------------------------------------------------------------ who dies half way


class KilledError(BaseException):
    """Not even an error: the process is gone."""


READS = {"TIME", "GET", "HGET", "HMGET", "HGETALL", "HEXISTS", "LRANGE", "ZRANGE", "ZRANGEBYSCORE", "SMEMBERS"}


def doomed(process: Process, writes: int) -> list[int]:
    """The process dies right after its n-th write, which nobody there hears of. Returns what is counted down."""
    wire, left = process.store._wire, [writes]
    real = wire.call

    async def call(key: str, *args: object, **options: bool) -> object:
        left[0] -= str(args[0]) not in READS
        if left[0] < 0:
            raise KilledError
        answer = await real(key, *args, **options)
        if left[0] == 0:
            left[0] = -1
            raise KilledError
        return answer

    wire.call = call  # type: ignore[method-assign]  # the process's end
    return left


async def _prepared(url: str, prefix: str) -> tuple[Process, Process, list[SessionId]]:
    survivor, mortal = await process(url, prefix=prefix), await process(url, prefix=prefix)
    sessions = [await survivor.writes(f"u{number}") for number in range(3)]
    await survivor.does(sessions[0].id, i.OperatorClaimed(AIKO))
    await survivor.is_on(AIKO, KENJI)
    await survivor.leases.renew()
    await survivor.views.tick()
    mortal.believes_in_every_lease()
    return survivor, mortal, [session.id for session in sessions]


async def _offers(mortal: Process, sessions: list[SessionId]) -> None:
    del sessions
    await mortal.desks.tick(mortal.clock)


async def _claims(mortal: Process, sessions: list[SessionId]) -> None:
    await mortal.does(sessions[1], i.OperatorClaimed(KENJI))


async def _replies(mortal: Process, sessions: list[SessionId]) -> None:
    await mortal.does(sessions[1], i.OperatorReplied(MessageId("o:1"), KENJI))


async def _transfers(mortal: Process, sessions: list[SessionId]) -> None:
    await mortal.does(sessions[0], i.OperatorTransferred(AIKO, EN, KENJI))


@pytest.mark.parametrize("deed", [_offers, _claims, _replies, _transfers])
async def test_whoever_dies_after_any_write_leaves_nothing_that_is_not_put_right(
    url: str, monkeypatch: pytest.MonkeyPatch, deed: Callable[[Process, list[SessionId]], Awaitable[None]]
) -> None:
    """Killed after its first, second, third … write to Redis, until it comes through: the survivor finds order.

    Between two writes nothing is left behind, so this is every moment at which it can die.
    """
    monkeypatch.setattr("bridge.desks.RECLAIM_AFTER", 0)
    for writes in itertools.count(1):
        survivor, mortal, sessions = await _prepared(url, f"{deed.__name__}{writes}")
        left = doomed(mortal, writes)
        with contextlib.suppress(KilledError):
            await deed(mortal, sessions)
        await survivor.settled()
        found = await sound(survivor)
        assert all(session.assignee or session.offer for session in found), "nobody is forgotten"
        await asyncio.gather(survivor.dies(), mortal.dies())
        if left[0] > 0:
            assert writes > 2, "it was killed at least after the place was taken, and after the commit"
            return


async def test_a_commit_that_arrives_late_is_undone_before_its_place_is_free(
    one: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead one's offer may still be on its way to Redis while its place is looked at."""
    session = await one.writes("a")
    await one.store.reserve(AIKO, session.id, 2)
    load, raced = one.store.load, False

    async def late(name: SessionId) -> Stored | None:
        nonlocal raced
        found = await load(name)
        if not raced:
            raced = True
            offer = i.OfferProposed(AIKO, await one.store.now() + 60_000)
            assert isinstance(await one.relay.from_bridge(session.id, offer, InputKey("late")), Receipt)
        return found

    monkeypatch.setattr(one.store, "load", late)
    await one.desks._reclaim(AIKO, session.id, await one.store.now())
    (waiting,) = await one.sessions()
    assert waiting.offer is None
    assert await one.places(AIKO) == set()


async def test_a_place_that_was_taken_a_moment_ago_is_nobodys_left_place(one: Process) -> None:
    session = await one.writes("a")
    await one.store.reserve(AIKO, session.id, 2)
    await one.settled()
    assert await one.places(AIKO) == {session.id}
