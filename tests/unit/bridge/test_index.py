"""The desks' lists in memory: always as sorting them anew would have them, and never behind our own commits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.index import DeskList, Index, Listed, listed
from bridge.ports import Line, LineNews, Store, Stored
from bridge.views import summary
from routing import inputs as i
from routing.ids import DeskId, SessionId, ShortCode, Topic
from routing.policy import MINUTE, HeadStarts
from routing.queue import Waiting, order
from routing.session import Session, State
from tests.unit.routing.builders import ACCOUNT, AIKO, BUSY, EN, JA, SECURITY, THEFT, Talk, opened

# ------------------------------------------------------------------ one list

NAMES = st.integers(0, 12).map(lambda number: SessionId(f"main.0.{number:02}"))
QUEUED = st.builds(
    Waiting,
    session=st.just(SessionId("")),
    since=st.integers(0, 9),
    topic=st.sampled_from([ACCOUNT, SECURITY, THEFT]),
    verified=st.booleans(),
    offered_to=st.none() | st.just(AIKO),
)
CHANGES = st.lists(st.tuples(NAMES, st.none() | QUEUED, st.booleans(), st.booleans()), max_size=40)


def row(name: SessionId, head: int, waiting: Waiting | None) -> Listed:
    mine = replace(waiting, session=name) if waiting else None
    theirs = mine.offered_to if mine else AIKO
    state = State.QUEUED if mine else State.ASSIGNED
    return Listed(name, head, state, "main/~a", None if mine else AIKO, theirs, 0, mine)


@given(CHANGES)
def test_a_list_that_changes_is_as_if_it_were_sorted_anew(
    changes: list[tuple[SessionId, Waiting | None, bool, bool]],
) -> None:
    policy = [BUSY]
    known = DeskList(lambda: policy[0])
    for head, (name, waiting, goes, reloaded) in enumerate(changes):
        if goes:
            known.take_off(name)
        else:
            known.put(row(name, head, waiting))
        if reloaded:
            policy[0] = replace(BUSY, head_starts=HeadStarts(verified=head * MINUTE))
        there = [one.waiting for one in known.rows.values() if one.waiting is not None]
        assert list(known.in_order()) == order(there, policy[0])
        assert set(known.theirs) == {one.session for one in known.rows.values() if one.occupies or one.assignee}


def test_only_what_moves_a_place_counts_as_a_move() -> None:
    known, name = DeskList(lambda: BUSY), SessionId("main.0.1")
    waiting = Waiting(name, 5, ACCOUNT)
    known.put(row(name, 1, waiting))
    known.put(row(name, 2, replace(waiting, offered_to=AIKO)))
    known.put(row(name, 3, replace(waiting, declined=(AIKO,), language="ja")))
    assert known.moves == 1
    known.put(row(name, 4, replace(waiting, verified=True)))
    known.put(row(name, 5, None))
    known.take_off(name)
    assert known.moves == 3


# ------------------------------------------------------------------ from the store


@dataclass
class Lists:
    """As much of a store as the index asks. `news` are answered one after another."""

    news: list[LineNews] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    async def line_news(self, desk: DeskId, mark: int) -> LineNews:
        assert desk == EN
        self.asked.append(mark)
        return self.news.pop(0)


def line(session: Session, head: int) -> Line:
    return Line(session.id, ShortCode("K7Q2"), session.desk, head, summary(session, BUSY))


def stored(session: Session, head: int) -> Stored:
    return Stored(session, head, 1, "tag", "epoch")


def talk() -> tuple[Talk, Session]:
    under_way = opened()
    assert under_way.session is not None
    return under_way, under_way.session


def index(*news: LineNews) -> tuple[Index, Lists]:
    lists = Lists(list(news))
    return Index(cast(Store, lists), lambda: BUSY), lists


async def test_only_what_is_new_is_asked_for_and_the_whole_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    _, session = talk()
    here, lists = index(LineNews(7, True, (line(session, 2),)), LineNews(9, False), LineNews(9, True))
    assert set((await here.read(EN)).rows) == {session.id}
    assert set((await here.read(EN)).rows) == {session.id}
    monkeypatch.setattr("bridge.index.WHOLE_EVERY", 0.0)
    assert set((await here.read(EN)).rows) == set(), "what the whole list has not is gone"
    assert lists.asked == [-1, 7, -1]


async def test_our_own_commit_is_there_at_once_and_no_older_line_undoes_it() -> None:
    under_way, before = talk()
    here, _ = index(
        LineNews(1, True, (line(before, 2),)), LineNews(2, False, (line(before, 2),)), LineNews(3, False, ())
    )
    known = await here.read(EN)
    taken = under_way.accepts(i.OperatorClaimed(AIKO))
    here.note(stored(taken, 3))
    assert known.rows[taken.id].occupies == AIKO
    assert list(known.in_order()) == []
    assert (await here.read(EN)).rows[taken.id].occupies == AIKO, "its line is still on its way"


@pytest.mark.parametrize("event", [i.OperatorTransferred(AIKO, JA), i.CustomerEnded()])
async def test_what_left_the_desk_by_our_own_commit_does_not_come_back(event: i.Input) -> None:
    under_way, before = talk()
    here, _ = index(LineNews(1, True, (line(before, 2),)), LineNews(2, False, (line(before, 2),)))
    await here.read(EN)
    here.note(stored(under_way.accepts(event), 5))
    assert (await here.read(EN)).rows == {}


def test_a_line_says_all_that_the_queue_needs() -> None:
    """What is drawn in the index and read again is the session's own place in the queue."""
    under_way, session = talk()
    for event in (i.OfferProposed(AIKO, 10**9), i.OperatorDeclined(AIKO), i.CustomerLinked(session.customer)):
        under_way.hears(event)
    from_line = listed(line(under_way.session or session, 9))
    assert from_line.waiting is not None
    assert from_line.waiting.declined == (AIKO,)
    assert from_line.customer == str(session.customer)
    bare = Line(session.id, ShortCode("K7Q2"), EN, 1, {"state": "queued", "turn": "ours", "last_at": 5})
    assert listed(bare).waiting == Waiting(session.id, 5, Topic("")), "an older release's line will do, too"
