"""Offers over a whole desk: only proposals, never twice, never beyond anybody's room, to the right one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from routing.allocate import DeskSnapshot, allocate
from routing.assignment import AGAIN_AFTER, Available
from routing.ids import DeskId, NetworkName, OperatorId, Place, SessionId, Topic
from routing.inputs import OfferEnded, OfferProposed
from routing.policy import Assignment, Desk, OperatorProfile, Policy
from routing.queue import Waiting

AIKO, KENJI, MEI, STRANGER = (OperatorId(name) for name in ("aiko", "kenji", "mei", "stranger"))
TEAM = (AIKO, KENJI, MEI)
DESK = Desk(DeskId("en"), NetworkName("slack"), Place("C1"), assignment=Assignment.ROUND_ROBIN, offer_for=60_000)
PROFILES = {one: OperatorProfile(one, {"en": one}, capacity=2) for one in TEAM}
POLICY = Policy(desks={DESK.id: DESK}, operators=PROFILES)
NOW = 1_000_000


def one(name: str, since: int = 0, **more: object) -> Waiting:
    return Waiting(SessionId(name), since, Topic("account"), **more)  # type: ignore[arg-type]  # by name, as there


def speaking(**languages: dict[str, int]) -> Policy:
    """The same team with these skills."""
    profiles = {who: replace(PROFILES[who], languages=languages.get(who, {})) for who in TEAM}
    return replace(POLICY, operators=profiles)


def offered(
    waiting: tuple[Waiting, ...], operators: tuple[Available, ...], desk: Desk = DESK, policy: Policy = POLICY
) -> list[tuple[str, str]]:
    under_way = tuple(session for session in waiting if session.offered_to)
    proposals = allocate(DeskSnapshot(desk, waiting, operators, under_way), now=NOW, policy=policy)
    return [(session, event.operator) for session, event in proposals if isinstance(event, OfferProposed)]


# ------------------------------------------------------------------ methods


def test_round_robin_asks_whoever_was_given_one_longest_ago() -> None:
    operators = (Available(AIKO, 0, 500), Available(KENJI, 0, 100))
    line = (one("a"), one("b"), one("c"))
    assert offered(line, operators) == [("a", KENJI), ("b", AIKO), ("c", KENJI)]
    assert allocate(DeskSnapshot(DESK, line[:1], operators), now=NOW, policy=POLICY) == [
        ("a", OfferProposed(KENJI, NOW + 60_000))
    ]


def test_least_busy_asks_whoever_has_most_room() -> None:
    desk = replace(DESK, assignment=Assignment.LEAST_BUSY)
    operators = (Available(AIKO, 1, 0), Available(KENJI, 0, 900), Available(MEI, 1, 100))
    assert offered((one("a"), one("b")), operators, desk) == [("a", KENJI), ("b", AIKO)]


def test_claiming_by_hand_offers_nothing() -> None:
    desk = replace(DESK, assignment=Assignment.CLAIM)
    assert offered((one("a"),), (Available(AIKO, 0),), desk) == []


def test_whoever_answered_them_last_is_asked_first() -> None:
    operators = (Available(AIKO, 0, 1), Available(KENJI, 1, 900))
    again = one("a", last_operator=KENJI)
    assert offered((again,), operators) == [("a", KENJI)]
    assert offered((again,), operators, replace(DESK, last_operator_first=False)) == [("a", AIKO)]
    assert offered((again,), (Available(AIKO, 0), Available(KENJI, 2))) == [("a", AIKO)], "they have no room"


def test_the_best_speaker_is_asked_first_and_who_does_not_speak_it_last() -> None:
    policy = speaking(aiko={"ja": 3, "zh": 1}, kenji={"zh": 3}, mei={"en": 3})
    operators = (Available(AIKO, 0, 1), Available(KENJI, 0, 900), Available(MEI, 0, 0))
    line = tuple(one(name, language="zh-Hant") for name in "abcdef")
    assert [who for _, who in offered(line, operators, policy=policy)] == [KENJI, KENJI, AIKO, AIKO, MEI, MEI]


# ------------------------------------------------------------------ who passed, who left, who is asleep


def test_who_let_it_pass_is_asked_again_only_after_a_pause_and_when_nobody_else_has_room() -> None:
    passed = one("a", declined=(AIKO,), declined_at=NOW - AGAIN_AFTER)
    assert offered((passed,), (Available(AIKO, 0, 0), Available(KENJI, 1, 900))) == [("a", KENJI)]
    assert offered((passed,), (Available(AIKO, 0),)) == [("a", AIKO)]
    assert offered((replace(passed, declined_at=NOW - AGAIN_AFTER + 1),), (Available(AIKO, 0),)) == []


def test_an_offer_to_somebody_who_left_is_taken_back() -> None:
    offer = (one("a", offered_to=AIKO),)
    snapshot = DeskSnapshot(DESK, offer, (Available(KENJI, 0),), offer)
    assert allocate(snapshot, now=NOW, policy=POLICY) == [("a", OfferEnded(AIKO))]


def test_what_was_written_at_night_is_offered_once_the_desk_opens() -> None:
    assert offered((one("a", closed=True), one("b")), (Available(AIKO, 0),)) == [("b", AIKO)]


def test_operators_of_other_desks_and_strangers_are_not_asked() -> None:
    elsewhere = replace(POLICY, operators={AIKO: replace(PROFILES[AIKO], desks=(DeskId("ja"),))})
    assert offered((one("a"),), (Available(AIKO, 0), Available(STRANGER, 0)), policy=elsewhere) == []


# ------------------------------------------------------------------ properties

NAMES = st.sampled_from([*TEAM, STRANGER])
SESSIONS = st.builds(
    Waiting,
    session=st.integers(0, 99).map(lambda number: SessionId(f"s{number:02}")),
    since=st.integers(0, 50),
    topic=st.just(Topic("account")),
    language=st.sampled_from(["ja", "en", "zh-Hans"]),
    closed=st.booleans(),
    offered_to=st.none() | NAMES,
    declined=st.lists(NAMES, max_size=3, unique=True).map(tuple),
    declined_at=st.sampled_from([0, NOW]),
    last_operator=st.none() | NAMES,
)
LINES = st.lists(SESSIONS, max_size=16, unique_by=lambda session: session.session).map(tuple)
OPERATORS = st.lists(
    st.builds(Available, NAMES, st.integers(0, 4), st.integers(0, NOW)),
    max_size=4,
    unique_by=lambda available: available.operator,
).map(tuple)
METHODS = st.sampled_from(list(Assignment))
SKILLED = speaking(aiko={"ja": 3, "en": 1}, kenji={"en": 3}, mei={})


@given(LINES, OPERATORS, METHODS)
def test_nobody_is_asked_beyond_their_room_and_nothing_is_offered_twice(
    line: tuple[Waiting, ...], operators: tuple[Available, ...], method: Assignment
) -> None:
    desk = replace(DESK, assignment=method)
    found = offered(line, operators, desk, SKILLED)
    asked = Counter(who for _, who in found)
    loads = {available.operator: available.load for available in operators}
    assert all(loads[OperatorId(who)] + count <= 2 for who, count in asked.items())
    assert len({session for session, _ in found}) == len(found)
    assert not {session.session for session in line if session.offered_to or session.closed} & {
        name for name, _ in found
    }
    assert offered(line, operators, desk, SKILLED) == found, "the same snapshot, the same offers"
    assert offered(line, tuple(reversed(operators)), desk, SKILLED) == found, "in whatever order operators are read"


@given(LINES, OPERATORS)
def test_who_stands_further_ahead_is_passed_over_only_by_who_let_them_pass(
    line: tuple[Waiting, ...], operators: tuple[Available, ...]
) -> None:
    found = dict(offered(line, operators, policy=SKILLED))
    for place, ahead in enumerate(line):
        if ahead.session in found or ahead.offered_to or ahead.closed:
            continue
        later = {found[one.session] for one in line[place + 1 :] if one.session in found}
        assert later <= set(ahead.declined)


class Line(tuple[Waiting, ...]):
    """Counts how often somebody in it is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[Waiting]:
        for each in super().__iter__():
            Line.looks += 1
            yield each


@given(OPERATORS, METHODS)
def test_a_crowd_costs_no_more_looks_than_there_is_room(operators: tuple[Available, ...], method: Assignment) -> None:
    """Once nobody has room the rest of the line is not looked at: three people's six places, however many wait."""
    line, Line.looks = Line(one(f"s{number:04}", number) for number in range(1_000)), 0
    snapshot = DeskSnapshot(replace(DESK, assignment=method), line, operators)
    assert len(allocate(snapshot, now=NOW, policy=POLICY)) <= 6
    assert Line.looks <= 6 + 1
