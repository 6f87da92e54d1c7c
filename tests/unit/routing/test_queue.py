"""The order of a queue: stated, the same at every moment, and without anybody who waits for ever."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from routing import inputs as i
from routing import queue
from routing.ids import MessageId, SessionId, Topic
from routing.policy import HOUR, MINUTE, HeadStarts, Policy
from routing.queue import Waiting, order, positions, rank, waiting
from tests.unit.routing.builders import ACCOUNT, AIKO, BUSY, POLICY, SECURITY, THEFT, answered, opened

RULES: Policy = replace(BUSY, head_starts=HeadStarts(verified=2 * MINUTE, returning=MINUTE))
LONGEST = 2 * MINUTE + MINUTE + 5 * MINUTE  # every head start that RULES give, together

SESSIONS = st.builds(
    Waiting,
    session=st.integers(0, 999).map(lambda number: SessionId(f"main.0.{number:03}")),
    since=st.integers(0, HOUR),
    topic=st.sampled_from([ACCOUNT, SECURITY, THEFT]),
    language=st.just("en"),
    verified=st.booleans(),
    returning=st.booleans(),
)
QUEUES = st.lists(SESSIONS, max_size=30, unique_by=lambda one: one.session)


def one(name: str, since: int, topic: Topic, verified: bool, returning: bool) -> Waiting:
    return Waiting(SessionId(name), since, topic, verified=verified, returning=returning)


def test_the_example_in_the_docstring_is_true() -> None:
    """Each row's head starts are read from its words, so the table cannot drift from the rule."""
    rows = re.findall(r"\| (\w) +\| 10:(\d\d) \| ([^|]+)\|[^|]*\| (\d) ", queue.__doc__ or "")
    assert len(rows) == 6
    line = [_row(name, int(minute) * MINUTE, words) for name, minute, words, _ in rows]
    assert positions(line, RULES) == {name: int(place) for name, _, _, place in rows}


def _row(name: str, since: int, words: str) -> Waiting:
    everything = "all of them" in words
    topic = THEFT if "emergency" in words else SECURITY if everything or "security" in words else ACCOUNT
    return one(name, since, topic, verified=everything or "verified" in words, returning=everything)


@given(QUEUES)
def test_positions_are_a_permutation(line: list[Waiting]) -> None:
    places = positions(line, RULES)
    assert sorted(places.values()) == list(range(1, len(line) + 1))
    assert places == positions(reversed(line), RULES), "in whatever order they are read"


@given(QUEUES)
def test_only_emergencies_and_head_starts_go_ahead_of_who_came_first(line: list[Waiting]) -> None:
    ordered = order(line, RULES)
    for place, behind in enumerate(ordered):
        for ahead in ordered[:place]:
            if ahead.topic != THEFT:
                assert ahead.since - behind.since <= LONGEST, "beyond all head starts nobody overtakes"


@given(QUEUES, SESSIONS)
def test_whoever_comes_later_than_every_head_start_changes_no_place(line: list[Waiting], late: Waiting) -> None:
    """Ageing: from then on only those who are ahead now can be served before, so nobody waits for ever."""
    latest = max((one.since for one in line), default=0)
    newcomer = replace(late, session=SessionId("main.0.z"), since=latest + LONGEST + 1)
    after = positions([*line, newcomer], RULES)
    if newcomer.topic == THEFT:
        return
    assert {name: place for name, place in after.items() if name != newcomer.session} == positions(line, RULES)


def test_the_first_message_counts_however_often_they_write() -> None:
    talk = opened()
    before = waiting(talk.accepts(i.CustomerWrote(MessageId("c:2")), after=HOUR))
    assert before is not None
    assert before.since == talk.facts[0].at


def test_away_customers_keep_their_place() -> None:
    talk = opened()
    here = talk.session
    away = talk.accepts(i.CustomerLeft(), after=HOUR)
    gone = talk.accepts(i.DeadlineFell(), after=HOUR)
    assert here is not None
    ranks = {rank(found, POLICY) for session in (here, away, gone) if (found := waiting(session)) is not None}
    assert len(ranks) == 1
    assert gone.presence == "gone"


def test_a_session_that_is_released_does_not_start_again_at_the_end() -> None:
    talk = opened()
    before = waiting(talk.session) if talk.session else None
    talk.accepts(i.OperatorClaimed(AIKO), after=HOUR)
    released = waiting(talk.accepts(i.OperatorReleased(AIKO)))
    assert before is not None
    assert released is not None
    assert rank(released, POLICY) == rank(before, POLICY)


def test_whose_turn_it_is_decides_who_stands_in_the_queue() -> None:
    talk = answered()
    assert talk.session is not None
    assert waiting(talk.session) is None, "it is somebody's, and the customer's turn"
    put_back = waiting(talk.accepts(i.OperatorReleased(AIKO)))
    assert put_back is not None, "the customer is told that somebody else comes, so somebody has to"
    assert put_back.since == talk.now
    assert put_back.declined == (AIKO,), "and not the one who has just put it back"


def test_a_customer_who_returns_has_a_head_start() -> None:
    talk = opened(previous=SessionId("main.1.before"))
    again = waiting(talk.session) if talk.session else None
    assert again is not None
    assert again.returning
    assert rank(again, RULES).key == again.since - MINUTE
