"""The store's contract, on every engine that it runs on."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.redis import codec
from adapters.redis.store import RedisStore
from adapters.redis.wire import Script
from bridge.errors import KakehashiError, LostLeaseError, StoreCorruptError, StoreUnavailableError
from bridge.messages import Body, TextPart
from bridge.ports import (
    Commit,
    Committed,
    Conflict,
    Delivered,
    Duplicate,
    Fenced,
    Hint,
    Lane,
    Line,
    Placed,
    Sweep,
    Unplaced,
)
from routing import inputs as i
from routing.fold import fold
from routing.ids import (
    DeskId,
    InputKey,
    MessageId,
    PostRef,
    SessionId,
    ShortCode,
    ThreadRef,
    partition_in,
)
from tests.contract.commits import AIKO, SLACK, committed, customer, next_commit, opened_session, opening_commit
from tests.contract.engines import opened

M = MessageId


async def everything(store: RedisStore) -> dict[str, Any]:
    """All that is kept under the store's prefix, for "nothing changed"."""
    wire, prefix = store._wire, store._keys.prefix
    kept: dict[str, Any] = {}
    async for key in wire.scan("*"):
        if prefix in key:
            kept[key] = await _value(store, key)
    return kept


async def _value(store: RedisStore, key: str) -> Any:
    call, kind = store._wire.call, await store._wire.call(key, "TYPE", key)
    readers: dict[str, tuple[Any, ...]] = {
        "hash": ("HGETALL", key),
        "list": ("LRANGE", key, 0, -1),
        "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"),
        "string": ("GET", key),
        "set": ("SMEMBERS", key),
    }
    return kind, await call(key, *readers[kind])


# ------------------------------------------------------------------ commit


async def test_a_session_is_the_fold_of_its_journal(store: RedisStore) -> None:
    before = await opened_session(store)
    after = await committed(store, next_commit(before, i.OperatorReplied(M("o:1"), AIKO), key="k2", text="hi"))
    assert await store.load(after.session.id) == after
    journal = await store.journal(after.session.id)
    assert fold(entry.fact for entry in journal) == after.session
    assert [entry.index for entry in journal] == list(range(after.head))


async def test_words_come_back_byte_for_byte_and_are_kept_apart_from_facts(store: RedisStore) -> None:
    text = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n1,000.00000001 \u202e\U0001f600"
    stored = await committed(store, opening_commit(store, customer(), text=text))
    (body,) = await store.bodies(stored.session.id, [(M("c:first"), 0)])
    assert body == Body((TextPart(text),))
    lines = await store._wire.call("x", "LRANGE", store._keys.session(stored.session.id, "journal"), 0, -1)
    assert text not in "".join(lines)
    assert (await store.about(stored.session.id)).name == "Sato"


async def test_a_duplicate_is_found_before_the_version_and_answers_as_the_first_time(store: RedisStore) -> None:
    commit = opening_commit(store, customer())
    stored = await committed(store, commit)
    await committed(store, next_commit(stored, i.OperatorClaimed(AIKO), key="k2"))
    kept = await everything(store)
    assert await store.commit(commit) == Duplicate(stored.session.id, stored.head)
    assert await everything(store) == kept


async def test_a_stale_version_is_a_conflict_and_writes_nothing(store: RedisStore) -> None:
    stored = await opened_session(store)
    await committed(store, next_commit(stored, i.OperatorClaimed(AIKO), key="k2"))
    kept = await everything(store)
    assert await store.commit(next_commit(stored, i.CustomerEnded(), key="k3")) == Conflict()
    assert await everything(store) == kept


async def test_a_customer_has_one_open_session_however_many_open_at_once(
    store: RedisStore, other_store: RedisStore
) -> None:
    commits = [opening_commit(store, customer(), key=f"web/{number}") for number in range(8)]
    stores = (store, other_store)
    results = await asyncio.gather(*(stores[n % 2].commit(commit) for n, commit in enumerate(commits)))
    assert sum(isinstance(result, Committed) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 7


async def test_after_closing_the_next_session_opens_and_keys_of_the_former_are_known(store: RedisStore) -> None:
    first = await opened_session(store)
    closed = await committed(store, next_commit(first, i.CustomerEnded(), key="k2"))
    again = opening_commit(store, customer(), key="web/second", previous=closed.session.id)
    second = await committed(store, again)
    assert await store.open_session(customer()) == second.session.id
    assert await store.sessions_of(customer()) == [first.session.id, second.session.id]
    assert await store.wrote_before(customer(), InputKey("web/first")) == Duplicate(first.session.id, first.head)
    assert await store.wrote_before(customer(), InputKey("web/never")) is None


async def test_a_commit_under_a_lost_lease_is_fenced(store: RedisStore) -> None:
    stored = await opened_session(store)
    name = f"timers@{partition_in(stored.session.id)}"
    old = await store.hold(name, "one", 1)
    await asyncio.sleep(0.01)
    new = await store.hold(name, "two", 60_000)
    assert old is not None
    assert new is not None
    late = next_commit(stored, i.CustomerEnded(), key="k2", fence=(name, old.term))
    assert await store.commit(late) == Fenced()
    await committed(store, next_commit(stored, i.CustomerEnded(), key="k2", fence=(name, new.term)))


def _keys_of(store: RedisStore, commit: Commit) -> list[str]:
    return store._arguments(commit)[0]


KEYS_OF_A_COMMIT = 15


@pytest.mark.parametrize("place", range(KEYS_OF_A_COMMIT))
async def test_a_foreign_key_anywhere_refuses_the_commit_and_changes_nothing(store: RedisStore, place: int) -> None:
    """Lua is atomic, not transactional: every type is checked before the first write."""
    stored = await opened_session(store)
    commit = next_commit(stored, i.CustomerWrote(M("c:2")), key="k2", text="again")
    keys = _keys_of(store, commit)
    assert len(keys) == KEYS_OF_A_COMMIT
    await store._wire.call(keys[place], "DEL", keys[place])
    await store._wire.call(keys[place], "SET", keys[place], "foreign")
    kept = await everything(store)
    with pytest.raises(StoreCorruptError, match="FOREIGN"):
        await store.commit(commit)
    assert await everything(store) == kept


# ------------------------------------------------------------------ positions


async def test_visible_entries_are_counted_without_notes(store: RedisStore) -> None:
    stored = await opened_session(store)
    for number in range(150):
        event: i.Input = (
            i.OperatorNoted(M(f"n{number}"), AIKO) if number % 3 else i.OperatorReplied(M(f"r{number}"), AIKO)
        )
        stored = await committed(store, next_commit(stored, event, key=f"k/{number}"))
    everything_shown = await store.visible_since(stored.session.id, 1)
    assert [entry.visible for entry in everything_shown] == list(range(1, stored.visible + 1))
    for position in (2, 17, stored.visible, stored.visible + 1):
        assert await store.visible_since(stored.session.id, position) == everything_shown[position - 1 :]


# ------------------------------------------------------------------ lanes


async def _leased(store: RedisStore, session: SessionId, holder: str = "one", ttl: int = 60_000) -> int:
    lease = await store.hold(f"slack@{partition_in(session)}", holder, ttl)
    assert lease is not None
    return lease.term


async def test_direct_is_answered_only_to_the_holder_and_only_on_an_empty_lane(store: RedisStore) -> None:
    stored = await opened_session(store)
    lane = Lane(stored.session.id, SLACK)
    term = await _leased(store, stored.session.id)
    busy = await store.commit(next_commit(stored, i.CustomerWrote(M("c:2")), key="k2", terms={SLACK: term}))
    assert isinstance(busy, Committed)
    assert busy.direct == frozenset()  # the opening's effects are still unacknowledged
    await _emptied(store, lane, term)
    stranger = await store.commit(next_commit(busy.stored, i.CustomerWrote(M("c:3")), key="k3"))
    assert isinstance(stranger, Committed)
    assert stranger.direct == frozenset()
    await _emptied(store, lane, term)
    stale = await store.commit(
        next_commit(stranger.stored, i.CustomerWrote(M("c:4")), key="k4", terms={SLACK: term - 1})
    )
    assert isinstance(stale, Committed)
    assert stale.direct == frozenset()
    await _emptied(store, lane, term)
    direct = await store.commit(next_commit(stale.stored, i.CustomerWrote(M("c:5")), key="k5", terms={SLACK: term}))
    assert isinstance(direct, Committed)
    assert direct.direct == {SLACK}
    head = await store.take(lane, term)
    assert head is not None
    assert head.stamp is not None, "a direct send is stamped in the commit itself"


def _lose_the_next_answer(store: RedisStore, monkeypatch: pytest.MonkeyPatch, *, before: bool = False) -> None:
    """The next script is run, and nobody hears of it; or, with `before`, it does not even get there."""
    run = store._wire.run

    async def lost(script: Script, *arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(store._wire, "run", run)
        if not before:
            await run(script, *arguments, **options)
        raise StoreUnavailableError("the store did not answer")

    monkeypatch.setattr(store._wire, "run", lost)


async def test_what_a_commit_stamped_that_nobody_heard_of_is_not_in_doubt(
    store: RedisStore, other_store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await opened_session(store)
    lane, term = Lane(stored.session.id, SLACK), await _leased(store, stored.session.id)
    await _emptied(store, lane, term)
    commit = next_commit(stored, i.CustomerWrote(M("c:2")), key="k2", terms={SLACK: term})
    _lose_the_next_answer(store, monkeypatch)
    with pytest.raises(StoreUnavailableError):
        await store.commit(commit)
    elsewhere = await other_store.take(lane, term)
    assert elsewhere is not None
    assert elsewhere.stamp is not None, "only the process that asked knows that it never heard of it"
    here = await store.take(lane, term)
    assert here is not None
    assert here.stamp is None
    again = await store.take(lane, term)
    assert again is not None
    assert again.stamp is not None, "from the first time on it may have been sent"
    assert again.stamp.at >= elsewhere.stamp.at


@pytest.mark.parametrize("before", [False, True], ids=["made", "not made"])
async def test_the_repeat_of_a_commit_that_was_not_answered_is_never_direct(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """Else the lane's worker, who finds a stamp that nobody was told of, and the commit's answer would both send it."""
    stored = await opened_session(store)
    lane, term = Lane(stored.session.id, SLACK), await _leased(store, stored.session.id)
    await _emptied(store, lane, term)
    commit = next_commit(stored, i.CustomerWrote(M("c:2")), key="k2", terms={SLACK: term})
    _lose_the_next_answer(store, monkeypatch, before=before)
    with pytest.raises(StoreUnavailableError):
        await store.commit(commit)
    repeated = await store.commit(commit)
    assert repeated == (Committed(commit.after) if before else Duplicate(stored.session.id, commit.after.head))
    assert await _emptied(store, lane, term) == ["PostMessage"]


async def test_a_stamp_renewed_before_a_send_counts(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = await opened_session(store)
    lane, term = Lane(stored.session.id, SLACK), await _leased(store, stored.session.id)
    await _emptied(store, lane, term)
    commit = next_commit(stored, i.CustomerWrote(M("c:2")), key="k2", terms={SLACK: term})
    _lose_the_next_answer(store, monkeypatch)
    with pytest.raises(StoreUnavailableError):
        await store.commit(commit)
    assert await store.stamp(lane, term, commit.effects[0].id)
    head = await store.take(lane, term)
    assert head is not None
    assert head.stamp is not None


async def test_every_lane_is_found_whether_anybody_serves_it_or_not(store: RedisStore, other_store: RedisStore) -> None:
    assert await store.destinations() == []
    stored = await opened_session(store)
    assert await other_store.destinations() == [SLACK]
    assert await store.stuck_lanes(SLACK) == []
    (waiting,) = await store.stuck_lanes(SLACK, waiting=True)
    assert (waiting.lane, waiting.effects, waiting.aside) == (Lane(stored.session.id, SLACK), 2, False)
    await _emptied(store, waiting.lane, await _leased(store, stored.session.id))
    assert await store.stuck_lanes(SLACK, waiting=True) == []


async def _emptied(store: RedisStore, lane: Lane, term: int) -> list[str]:
    kinds = []
    pending = await store.take(lane, term)
    while pending is not None:
        kinds.append(type(pending.effect).__name__)
        done = Delivered(ThreadRef("T:1")) if kinds[-1] == "OpenThread" else Delivered(posts=(PostRef("p"),))
        pending = (await store.settle(lane, term, pending.effect, done, sweep_at=None)).next
    return kinds


async def test_a_lane_is_emptied_in_order_and_stamps_what_it_hands_out(store: RedisStore) -> None:
    stored = await opened_session(store)
    term = await _leased(store, stored.session.id)
    lane = Lane(stored.session.id, SLACK)
    assert await store.waiting_lanes(partition_in(stored.session.id), SLACK, await store.now() + 1_000) == [lane]
    first = await store.take(lane, term)
    assert first is not None
    assert first.stamp is None
    again = await store.take(lane, term)
    assert again is not None
    assert again.stamp is not None
    assert again.stamp.term == term
    assert await _emptied(store, lane, term) == ["OpenThread", "PostMessage"]
    assert await store.waiting_lanes(partition_in(stored.session.id), SLACK, await store.now() + 1_000) == []
    assert await store.threads(stored.session.id) == {1: "T:1"}
    assert await store.posts(stored.session.id, M("c:first"), 1) == ("p",)
    assert await store.posted(stored.session.id, [M("c:first"), M("c:none")]) == {"c:first"}
    assert await store.all_posts(stored.session.id, 1) == ("T:1", "p")


async def test_settling_twice_removes_only_once(store: RedisStore) -> None:
    stored = await opened_session(store)
    term = await _leased(store, stored.session.id)
    lane = Lane(stored.session.id, SLACK)
    first = await store.take(lane, term)
    assert first is not None
    await store.settle(lane, term, first.effect, Delivered(ThreadRef("T:1")), sweep_at=None)
    again = await store.settle(lane, term, first.effect, Delivered(ThreadRef("T:1")), sweep_at=None)
    assert again.next is not None
    assert type(again.next.effect).__name__ == "PostMessage"


async def test_every_write_of_a_former_holder_is_refused(store: RedisStore) -> None:
    stored = await opened_session(store)
    lane = Lane(stored.session.id, SLACK)
    old = await _leased(store, stored.session.id, ttl=1)
    pending = await store.take(lane, old)
    assert pending is not None
    await asyncio.sleep(0.01)
    await _leased(store, stored.session.id, "two")
    for late in (
        store.take(lane, old),
        store.stamp(lane, old, pending.effect.id),
        store.settle(lane, old, pending.effect, Delivered(), sweep_at=None),
        store.set_aside(lane, old, pending.effect, "msg_too_long"),
        store.put_off(lane, old, 0, "later", certain=True),
        store.stamp_together(lane, old, [pending.effect.id]),
        store.unstamp(lane, old, [pending.effect.id]),
    ):
        with pytest.raises(LostLeaseError):
            await late


async def test_what_was_put_off_waits_and_shows_its_error(store: RedisStore) -> None:
    stored = await opened_session(store)
    lane, partition = Lane(stored.session.id, SLACK), partition_in(stored.session.id)
    term, now = await _leased(store, stored.session.id), await store.now()
    await store.take(lane, term)
    await store.put_off(lane, term, now + 60_000, "ratelimited", certain=True)
    assert await store.waiting_lanes(partition, SLACK, now + 1_000) == []
    (stuck,) = await store.stuck_lanes(SLACK)
    assert (stuck.lane, stuck.error, stuck.attempts, stuck.effects) == (lane, "ratelimited", 1, 2)
    assert await store.take(lane, term) is None, "whoever wakes it, a lane waits until it is due"
    await store.retry(lane)
    assert await store.waiting_lanes(partition, SLACK, now) == [lane]
    head = await store.take(lane, term)
    assert head is not None
    assert head.stamp is None, "what was certainly not sent needs no looking for"


async def test_effects_that_go_out_as_one_are_stamped_together_or_not_at_all(store: RedisStore) -> None:
    stored = await opened_session(store)
    lane, term = Lane(stored.session.id, SLACK), await _leased(store, stored.session.id)
    root = await store.take(lane, term)
    assert root is not None
    (message,) = await store.following(lane, 5)
    both = [root.effect.id, message.id]
    assert not await store.stamp_together(lane, term, both[::-1]), "that is not how they stand in the lane"
    assert await store.stamp_together(lane, term, both)
    assert not await store.stamp_together(lane, term, both), "somebody may have begun to send the second"
    assert await store.stamp_together(lane, term, both, again=True)
    settled = await store.settle(lane, term, root.effect, Delivered(ThreadRef("T:1")), sweep_at=None)
    assert settled.next is not None
    assert settled.next.stamp is not None, "each is found by itself after a crash between"
    await store.unstamp(lane, term, [message.id])
    again = await store.take(lane, term)
    assert again is not None
    assert (again.effect.id, again.stamp) == (message.id, None)


async def test_a_poisoned_effect_is_set_aside_and_the_lane_goes_on(store: RedisStore) -> None:
    stored = await opened_session(store)
    lane, term = Lane(stored.session.id, SLACK), await _leased(store, stored.session.id)
    first = await store.take(lane, term)
    assert first is not None
    settled = await store.set_aside(lane, term, first.effect, "invalid blocks")
    assert settled.next is not None
    (aside,) = await store.stuck_lanes(SLACK)
    assert (aside.aside, aside.error, aside.head) == (True, "invalid_blocks", first.effect)
    assert await store.discard(lane, first.effect.id)
    assert await store.stuck_lanes(SLACK) == []
    assert await store.discard(lane, settled.next.effect.id)
    assert await store.take(lane, term) is None


async def test_a_delivery_in_doubt_is_swept_once_it_is_due(store: RedisStore) -> None:
    stored = await opened_session(store)
    partition, lane = partition_in(stored.session.id), Lane(stored.session.id, SLACK)
    term, now = await _leased(store, stored.session.id), await store.now()
    first = await store.take(lane, term)
    assert first is not None
    await store.settle(lane, term, first.effect, Delivered(ThreadRef("T:1")), sweep_at=now + 60_000)
    assert await store.sweeps(partition, SLACK, now) == []
    sweep = Sweep(stored.session.id, first.effect)
    assert await store.sweeps(partition, SLACK, now + 60_000) == [sweep]
    await store.sweep_later(SLACK, sweep, now + 90_000)
    assert await store.sweeps(partition, SLACK, now + 60_000) == []
    await store.swept(SLACK, sweep)
    assert await store.sweeps(partition, SLACK, now + 90_000) == []
    await store.sweep_later(SLACK, sweep, now)
    assert await store.sweeps(partition, SLACK, now) == [sweep], "asked for by somebody who has lost the lease"


async def test_a_thread_is_known_and_its_unplaced_input_is_kept(store: RedisStore) -> None:
    thread = ThreadRef("T1:C1:1.2")
    assert await store.placed(SLACK, thread) is None
    kept = Unplaced(InputKey("slack/1"), thread, {"text": "hi", "nested": [1]}, at=5)
    await store.keep_unplaced(SLACK, kept)
    await store.keep_unplaced(SLACK, kept)
    assert await store.unplaced(SLACK) == [kept]
    await store.place(SLACK, thread, Placed(SessionId("main.1.a"), 2))
    assert await store.placed(SLACK, thread) == Placed(SessionId("main.1.a"), 2)
    assert await store.unplaced_in(SLACK, thread) == {kept.key}
    assert await store.unplaced_in(SLACK, ThreadRef("another")) == frozenset()
    await store.drop_unplaced(SLACK, kept)
    assert await store.unplaced_in(SLACK, thread) == frozenset()
    assert await store.unplaced(SLACK) == []


# ------------------------------------------------------------------ leases, timers, views


async def test_a_lease_has_one_holder_and_a_term_that_only_grows(store: RedisStore, other_store: RedisStore) -> None:
    mine = await store.hold("slack@0", "one", 60_000)
    assert mine is not None
    assert await other_store.hold("slack@0", "two", 60_000) is None
    renewed = await store.hold("slack@0", "one", 60_000)
    assert renewed == mine
    await store.release(mine, "one")
    theirs = await other_store.hold("slack@0", "two", 60_000)
    assert theirs is not None
    assert theirs.term == mine.term + 1
    await store.release(mine, "one")  # too late: it is not ours any more
    assert (await store.holder("slack@0"))[0] == "two"


async def test_processes_hear_of_each_other(store: RedisStore) -> None:
    now = await store.now()
    assert await store.processes("one", now) == ["one"]
    assert sorted(await store.processes("two", now)) == ["one", "two"]
    assert await store.processes("two", now + 60_000) == ["two"]
    await store.leave("two")
    assert await store.processes("three", now + 60_000) == ["three"]


async def test_a_timer_is_due_when_its_time_has_come(store: RedisStore) -> None:
    stored = await opened_session(store)
    partition = partition_in(stored.session.id)
    away = await committed(store, next_commit(stored, i.CustomerLeft(), key="k2", now=5_000))
    due = 5_000 + 10 * 60_000
    assert await store.due_timers(partition, due - 1) == []
    assert await store.due_timers(partition, due) == [away.session.id]
    await store.set_timer(away.session.id, away.head - 1, None)
    assert await store.due_timers(partition, due) == [away.session.id], "a commit has set another deadline meanwhile"
    assert await store.timed(partition) == [away.session.id]
    await store.set_timer(away.session.id, away.head, None)
    assert await store.due_timers(partition, due) == []


async def test_absence_is_noted_unless_a_page_came_back(store: RedisStore) -> None:
    stored = await opened_session(store)
    session, partition = stored.session.id, partition_in(stored.session.id)
    await store.alive([session], 1_000)
    assert await store.absent(partition, 999) == []
    assert await store.absent(partition, 1_000) == [session]
    await store.alive([session], 2_000)
    await store.absence_noted(session, 1_000)
    assert await store.absent(partition, 2_000) == [session]
    await store.absence_noted(session, 2_000)
    assert await store.absent(partition, 9_000) == []


async def test_a_view_stays_stale_when_the_session_moved_on_while_it_was_drawn(store: RedisStore) -> None:
    stored = await opened_session(store)
    session, partition = stored.session.id, partition_in(stored.session.id)
    for to in (SLACK, "index"):
        assert await store.stale_views(partition, to, 10_000) == [session]  # type: ignore[arg-type]  # the index is no network
    after = await committed(store, next_commit(stored, i.OperatorClaimed(AIKO), key="k2"))
    await store.view_refreshed(SLACK, session, stored.head, 20_000)
    assert await store.stale_views(partition, SLACK, 10_000) == []
    assert await store.stale_views(partition, SLACK, 20_000) == [session]
    await store.view_refreshed(SLACK, session, after.head, 30_000)
    assert await store.stale_views(partition, SLACK, 40_000) == []


async def test_a_line_never_goes_back_to_an_older_head(store: RedisStore) -> None:
    desk, session = DeskId("en"), SessionId("main.1.a")
    new = Line(session, ShortCode("K7Q2"), desk, 5, {"state": "assigned"})
    await store.put_line(new)
    await store.put_line(Line(session, ShortCode("K7Q2"), desk, 4, {"state": "queued"}))
    assert await store.lines(desk) == [new]
    await store.put_line(Line(session, ShortCode("K7Q2"), desk, 6, {"state": "closed"}))
    assert await store.lines(desk) == []
    assert await store.closed(desk, 10) == [session]
    assert await store.desks() == [desk]


# ------------------------------------------------------------------ the rest


async def test_records_of_a_newer_release_refuse_to_start(
    store: RedisStore, engine_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release reads its own records and those of the one before; it says so, where, and what to do."""
    meta = store._keys.meta
    monkeypatch.setattr(codec, "SCHEMA", 2)
    async with opened(engine_url, prefix):
        assert await store._wire.call(meta, "HGET", meta, "schema") == "2"
    monkeypatch.setattr(codec, "SCHEMA", 1)
    with pytest.raises(KakehashiError, match="a newer release has written this data") as refused:
        async with opened(engine_url, prefix):
            raise AssertionError("it was opened")
    assert refused.value.where == meta
    assert "start that release again" in refused.value.mend
    assert await store._wire.call(meta, "HGET", meta, "schema") == "2"


async def test_records_of_two_releases_ago_refuse_to_start(
    store: RedisStore, engine_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "SCHEMA", 3)
    with pytest.raises(KakehashiError, match="a release too old") as refused:
        async with opened(engine_url, prefix):
            raise AssertionError("it was opened")
    assert "in between" in refused.value.mend
    assert await store._wire.call(store._keys.meta, "HGET", store._keys.meta, "schema") == "1"


async def test_a_session_is_found_by_its_code_from_its_first_commit_on(
    store: RedisStore, other_store: RedisStore
) -> None:
    """The customer reads it in the same moment, and an operator may be asked for it: no index is waited for."""
    stored = await opened_session(store)
    assert await other_store.session_by_code(stored.session.code) == stored.session.id
    assert await other_store.session_by_code(ShortCode("ZZZZ")) is None


async def test_codes_are_never_given_twice(store: RedisStore, other_store: RedisStore) -> None:
    codes = [await one.mint_code() for _ in range(50) for one in (store, other_store)]
    assert len(set(codes)) == 100


async def test_a_bucket_is_shared_and_pauses_when_told(store: RedisStore, other_store: RedisStore) -> None:
    assert await store.draw("slack/C1", 3, rate=0.001, burst=5) == (3, 0)
    given, wait = await other_store.draw("slack/C1", 3, rate=0.001, burst=5)
    assert given == 2
    assert wait > 0
    await store.pause("slack/C2", await store.now() + 60_000)
    given, wait = await other_store.draw("slack/C2", 1, rate=1, burst=5)
    assert given == 0
    assert 0 < wait <= 61_000, "a minute by the store's own clock, which is not read anew for every `now`"
    await store.pause("slack/C3", await store.now() - 1)
    assert (await other_store.draw("slack/C3", 5, rate=0.001, burst=5))[0] == 0, "after a pause it is empty"


async def test_a_bound_holds_in_whichever_span_however_much_a_bucket_holds(
    store: RedisStore, other_store: RedisStore
) -> None:
    assert (await store.draw("discord/C1", 2, rate=1_000, burst=50, most=(3, 60_000)))[0] == 2
    given, wait = await other_store.draw("discord/C1", 5, rate=1_000, burst=50, most=(3, 60_000))
    assert given == 1
    assert 59_000 < wait <= 60_000
    given, wait = await store.draw("discord/C1", 1, rate=1_000, burst=50, most=(3, 60_000))
    assert given == 0
    assert wait > 50_000, "until the oldest of them is that old"


async def test_a_bounded_bucket_gives_all_that_its_bound_allows_and_no_more(store: RedisStore) -> None:
    most, span = 5, 20
    begun, given = await store.now(), 0
    for wanted in itertools.islice(itertools.cycle((1, 7, 3)), 120):
        got, wait = await store.draw("discord/C1", wanted, rate=1_000_000, burst=1_000, most=(most, span))
        given += got
        assert got == min(wanted, most) or wait <= span
    spans = (await store.now() - begun) // span + 2
    assert most <= given <= most * spans


async def test_a_buckets_tokens_go_to_the_first_in_line_whichever_process_it_is_in(
    store: RedisStore, other_store: RedisStore
) -> None:
    assert await store.draw("slack/C1", 5, rate=50, burst=5, rank=300) == (5, 20)
    given, wait = await store.draw("slack/C1", 1, rate=0.001, burst=5, rank=100)
    assert (given, wait > 0) == (0, True), "it waits, and the others hear of it"

    async def drawn(by: RedisStore, wanted: int, rank: int) -> int:
        await a_moment(by)  # a bucket fills by whole milliseconds
        return (await by.draw("slack/C1", wanted, rate=1_000_000, burst=5, rank=rank))[0]

    assert await drawn(other_store, 1, rank=200) == 0
    assert await drawn(other_store, 2, rank=50) == 2, "it was there before"
    assert await drawn(store, 1, rank=100) == 1
    assert await drawn(other_store, 1, rank=200) == 1


async def a_moment(store: RedisStore) -> None:
    """Return once the store's clock has gone on."""
    before = await store.now()

    async def is_over() -> bool:
        return await store.now() > before + 1

    await until(is_over)


async def test_who_waits_in_line_and_never_comes_is_not_waited_for(
    store: RedisStore, other_store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.redis.store.WAITED_FOR", 0)
    await store.draw("slack/C1", 5, rate=100, burst=5, rank=100)
    await store.draw("slack/C1", 1, rate=100, burst=5, rank=100)  # and it dies

    async def is_served() -> bool:
        return (await other_store.draw("slack/C1", 1, rate=100, burst=5, rank=200))[0] == 1

    await until(is_served)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(2_000):
        if await condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never became so")


async def test_what_is_put_once_is_taken_once(store: RedisStore, other_store: RedisStore) -> None:
    await store.put("link/abc", "owner", ttl=60_000)
    taken = await asyncio.gather(store.take_once("link/abc"), other_store.take_once("link/abc"))
    assert sorted(taken, key=str) == [None, "owner"]
    await store.put("operator/a", "{}")
    await store.put("operator/b", "{}")
    assert await store.names("operator/") == ["operator/a", "operator/b"]
    assert await store.get("operator/a") == "{}"
    await store.forget("operator/a")
    assert await store.get("operator/a") is None


async def test_of_many_who_change_a_value_at_once_one_does(store: RedisStore, other_store: RedisStore) -> None:
    tries = [(store, other_store)[number % 2].swap("paging/ja", None, f"by {number}") for number in range(20)]
    won = [number for number, did in enumerate(await asyncio.gather(*tries)) if did]
    assert len(won) == 1
    assert await store.get("paging/ja") == f"by {won[0]}"
    assert not await store.swap("paging/ja", "by nobody", "other")
    assert await store.swap("paging/ja", f"by {won[0]}", "")
    assert await other_store.get("paging/ja") == ""
    assert not await store.swap("paging/ja", None, "as if there were none")
    assert await store.swap("paging/ja", "", None)
    assert await store.get("paging/ja") is None


async def test_a_swap_whose_answer_was_lost_may_be_asked_again(store: RedisStore) -> None:
    assert await store.swap("paging/ja", None, "mine")
    assert await store.swap("paging/ja", None, "mine")
    assert await store.swap("paging/ja", "mine", None)
    assert await store.swap("paging/ja", "mine", None)


async def test_an_account_takes_over_a_visitors_session_but_not_a_second_one(store: RedisStore) -> None:
    visitor, account = customer("~one"), customer("u-1")
    mine = await opened_session(store)
    assert await store.attach(account, mine.session.id)
    linked = await committed(store, next_commit(mine, i.CustomerLinked(account), key="k2"))
    assert await store.open_session(account) == mine.session.id
    assert linked.session.customer == account
    other = await opened_session(store, "~two")
    assert not await store.attach(account, other.session.id)
    fresh = await committed(store, opening_commit(store, visitor, key="web/later"))
    assert fresh.session.id != mine.session.id


async def test_erasing_removes_the_words_and_keeps_the_facts(store: RedisStore) -> None:
    stored = await opened_session(store)
    await store.erase(stored.session.id)
    assert await store.bodies(stored.session.id, [(M("c:first"), 0)]) == [None]
    assert (await store.about(stored.session.id)).name == ""
    assert len(await store.journal(stored.session.id)) == stored.head


async def test_every_session_is_listed(store: RedisStore) -> None:
    opened = {(await opened_session(store, f"~{number}")).session.id for number in range(20)}
    assert {session async for session in store.sessions()} == opened


async def test_another_process_hears_of_a_commit_and_of_a_signal(store: RedisStore, other_store: RedisStore) -> None:
    heard: asyncio.Queue[Hint | None] = asyncio.Queue()

    async def listen() -> None:
        async for hint in other_store.hints():
            heard.put_nowait(hint)

    listening = asyncio.create_task(listen())
    try:
        assert await heard.get() is None
        stored = await opened_session(store)
        hint = await heard.get()
        assert hint == Hint(stored.session.id, str(customer()), stored.head, (SLACK,))
        typing = Hint(stored.session.id, str(customer()), 0, signal={"kind": "typing"})
        await store.signal(typing)
        assert await heard.get() == typing
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
