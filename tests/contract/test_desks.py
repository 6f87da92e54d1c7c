"""The store's contract for what spans sessions: desks' lists, reservations, handling times. On every engine."""

from __future__ import annotations

import asyncio

import pytest

from adapters.redis import store as redis_store
from adapters.redis.store import RedisStore
from bridge.errors import StoreCorruptError, StoreUnavailableError
from bridge.ports import Line, LineNews, Reserved
from routing.figures import Milestone, Passed
from routing.ids import DeskId, OperatorId, SessionId, ShortCode

AIKO, EN, JA = OperatorId("aiko"), DeskId("en"), DeskId("ja")
EVER = -1


def session(number: int) -> SessionId:
    return SessionId(f"main.1.{number}")


def line(number: int, head: int = 1, state: str = "queued", desk: DeskId = EN) -> Line:
    return Line(session(number), ShortCode(f"K{number}"), desk, head, {"state": state})


# ------------------------------------------------------------------ reservations


async def test_places_are_taken_up_to_the_capacity_and_no_further(store: RedisStore, other_store: RedisStore) -> None:
    both = (store, other_store)
    results = await asyncio.gather(*(both[n % 2].reserve(AIKO, session(n), 3) for n in range(20)))
    assert sorted(results) == [Reserved.FULL] * 17 + [Reserved.NEW] * 3
    taken = await store.reservations(AIKO)
    assert len(taken.sessions) == 3
    assert taken.given_at == max(taken.sessions.values())


async def test_a_place_that_a_session_has_is_never_refused_and_counts_as_taken_now(store: RedisStore) -> None:
    assert await store.reserve(AIKO, session(1), 1) is Reserved.NEW
    first = await store.reservations(AIKO)
    await asyncio.sleep(0.01)
    assert await store.reserve(AIKO, session(1), 1) is Reserved.HAD
    again = await store.reservations(AIKO)
    assert again.sessions[session(1)] > first.sessions[session(1)]
    assert again.given_at == first.given_at, "nothing new was given"


async def test_without_a_capacity_nothing_is_refused(store: RedisStore) -> None:
    assert await store.reserve(AIKO, session(1), 1) is Reserved.NEW
    assert await store.reserve(AIKO, session(2), None) is Reserved.NEW
    assert await store.reserve(AIKO, session(3), 0) is Reserved.FULL
    await store.confirm_reservation(AIKO, session(4), 5)
    assert set((await store.reservations(AIKO)).sessions) == {session(1), session(2), session(4)}


async def test_a_place_is_given_back_unless_it_was_taken_later(store: RedisStore) -> None:
    await store.confirm_reservation(AIKO, session(1), 1_000)
    await store.confirm_reservation(AIKO, session(1), 2_000)
    assert (await store.reservations(AIKO)).sessions == {session(1): 1_000}, "confirming does not make it newer"
    assert not await store.give_back(AIKO, session(1), before=999)
    assert await store.give_back(AIKO, session(1), before=1_000)
    assert not await store.give_back(AIKO, session(1))
    await store.reserve(AIKO, session(2), 1)
    assert await store.give_back(AIKO, session(2))
    assert await store.reserve(AIKO, session(3), 1) is Reserved.NEW


@pytest.mark.parametrize("place", [0, 1])
async def test_a_foreign_key_refuses_a_reservation_and_changes_nothing(store: RedisStore, place: int) -> None:
    keys = [store._keys.reserved(AIKO), store._keys.given(AIKO)]
    foreign, other = keys[place], keys[1 - place]
    await store._wire.call(foreign, "RPUSH", foreign, "foreign")
    with pytest.raises(StoreCorruptError, match="FOREIGN"):
        await store.reserve(AIKO, session(1), 3)
    assert await store._wire.call(other, "EXISTS", other) == 0
    if place == 0:
        with pytest.raises(StoreCorruptError, match="FOREIGN"):
            await store.give_back(AIKO, session(1))


async def test_a_capacity_that_is_no_number_is_refused(store: RedisStore) -> None:
    with pytest.raises(StoreUnavailableError, match="ARGUMENT"):
        await store.reserve(AIKO, session(1), "many")  # type: ignore[arg-type]  # what a caller must not do
    assert (await store.reservations(AIKO)).sessions == {}


# ------------------------------------------------------------------ news of a desk's list


async def test_only_what_changed_is_told_and_what_went(store: RedisStore, other_store: RedisStore) -> None:
    for number in range(3):
        await store.put_line(line(number))
    first = await other_store.line_news(EN, EVER)
    assert first.whole
    assert {one.session for one in first.lines} == {session(0), session(1), session(2)}
    assert await other_store.line_news(EN, first.mark) == LineNews(first.mark, whole=False)
    await store.put_line(line(1, head=2, state="assigned"))
    await store.drop_line(EN, session(2), 5)
    await store.put_line(line(0, head=3, state="closed"))
    news = await other_store.line_news(EN, first.mark)
    assert not news.whole
    assert news.lines == (line(1, head=2, state="assigned"),)
    assert set(news.gone) == {session(0), session(2)}
    assert await other_store.line_news(EN, news.mark) == LineNews(news.mark, whole=False)


async def test_an_older_head_is_no_news(store: RedisStore) -> None:
    await store.put_line(line(1, head=5))
    mark = (await store.line_news(EN, EVER)).mark
    await store.put_line(line(1, head=4))
    await store.drop_line(EN, session(1), 4)
    await store.drop_line(EN, session(9), 4)
    assert await store.line_news(EN, mark) == LineNews(mark, whole=False)


async def test_who_missed_more_than_is_remembered_reads_the_whole_list(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "CHANGES_KEPT", 4)
    await store.put_line(line(0))
    mark = (await store.line_news(EN, EVER)).mark
    for number in range(1, 5):
        await store.put_line(line(number))
    news = await store.line_news(EN, mark)
    assert not news.whole
    assert len(news.lines) == 4
    for number in range(5, 7):
        await store.put_line(line(number))
    await store.drop_line(EN, session(1), 9)
    news = await store.line_news(EN, mark)
    assert news.whole
    assert {one.session for one in news.lines} == {session(number) for number in (0, 2, 3, 4, 5, 6)}


async def test_a_mark_of_other_data_is_answered_with_the_whole_list(store: RedisStore) -> None:
    await store.put_line(line(1))
    assert (await store.line_news(EN, 1_000)).whole


@pytest.mark.parametrize("name", ["", "changed", "marks"])
async def test_a_foreign_key_refuses_a_line_and_changes_nothing(store: RedisStore, name: str) -> None:
    foreign = store._keys.of_desk(EN, name) if name else store._keys.desk(EN)
    await store._wire.call(foreign, "SET", foreign, "foreign")
    with pytest.raises(StoreCorruptError, match="FOREIGN"):
        await store.put_line(line(1))
    for key in {store._keys.desk(EN), store._keys.of_desk(EN, "changed"), store._keys.of_desk(EN, "marks")} - {foreign}:
        assert await store._wire.call(key, "EXISTS", key) == 0


async def test_every_desk_that_ever_had_a_line_is_known(store: RedisStore) -> None:
    assert await store.desks() == []
    await store.put_line(line(1, desk=JA))
    await store.put_line(line(2))
    await store.drop_line(JA, session(1), 3)
    assert await store.desks() == [EN, JA]


# ------------------------------------------------------------------ the rest


async def test_handling_times_are_kept_once_each_and_for_a_while(store: RedisStore) -> None:
    now = 10 * redis_store.HANDLED_KEPT
    await store.note_handled(EN, session(1), now - redis_store.HANDLED_KEPT - 1, 1_000)
    for _ in range(2):
        await store.note_handled(EN, session(2), now - 5_000, 2_000)
    await store.note_handled(EN, session(2), now, 3_000)
    await store.note_handled(JA, session(3), now, 9_000)
    assert sorted(await store.handled(EN, 0)) == [2_000, 3_000]
    assert await store.handled(EN, now) == [3_000]


async def test_milestones_are_kept_once_each_at_their_desk_and_for_a_while(store: RedisStore) -> None:
    now = 10 * redis_store.MILESTONES_KEPT
    came = Milestone(Passed.OPENED, session(1), now - 5_000, EN)
    answer = Milestone(Passed.ANSWERED, session(1), now, EN, AIKO, 5_000, kept=False)
    moved = Milestone(Passed.RESOLVED, session(1), now, JA)
    await store.note_milestones([Milestone(Passed.OPENED, session(0), now - redis_store.MILESTONES_KEPT, EN)])
    for _ in range(2):
        await store.note_milestones([came, answer, moved])
    assert sorted(await store.milestones(EN, 0), key=lambda one: one.at) == [came, answer]
    assert await store.milestones(EN, now) == [answer]
    assert await store.milestones(JA, 0) == [moved]


async def test_a_shelf_holds_what_was_put_under_its_name(store: RedisStore) -> None:
    await store.put("available/aiko", "on")
    assert await store.swap("available/kenji", None, "away")
    await store.put("operator/aiko", "{}")
    assert await store.shelf("available") == {"available/aiko": "on", "available/kenji": "away"}
    assert await store.shelf("nothing") == {}
