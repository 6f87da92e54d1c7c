"""Offers over a whole desk: only proposals, never twice, never beyond anybody's room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from routing.allocate import Available, DeskSnapshot, Waiting, allocate
from routing.ids import DeskId, NetworkName, OperatorId, Place, SessionId
from routing.inputs import OfferEnded, OfferProposed
from routing.policy import Assignment, Desk, OperatorProfile, Policy

AIKO, KENJI = OperatorId("aiko"), OperatorId("kenji")
DESK = Desk(DeskId("en"), NetworkName("slack"), Place("C1"), assignment=Assignment.ROUND_ROBIN, offer_for=60_000)
PROFILES = {one: OperatorProfile(one, {"en": one}, capacity=2) for one in (AIKO, KENJI)}
POLICY = Policy(desks={DESK.id: DESK}, operators=PROFILES)


def waiting(name: str, since: int, **more: object) -> Waiting:
    return Waiting(SessionId(name), since, **more)  # type: ignore[arg-type]  # by name, as in the dataclass


def test_the_longest_waiting_goes_to_the_operator_who_was_given_one_longest_ago() -> None:
    snapshot = DeskSnapshot(
        DESK, (waiting("late", 20), waiting("early", 10)), (Available(AIKO, 0, 500), Available(KENJI, 0, 100))
    )
    assert allocate(snapshot, now=1_000, policy=POLICY) == [
        ("early", OfferProposed(KENJI, 61_000)),
        ("late", OfferProposed(AIKO, 61_000)),
    ]


def test_claiming_by_hand_offers_nothing() -> None:
    desk = Desk(DESK.id, DESK.network, DESK.place)
    assert allocate(DeskSnapshot(desk, (waiting("a", 1),), (Available(AIKO, 0),)), now=0, policy=POLICY) == []


def test_an_offer_to_somebody_who_left_is_taken_back() -> None:
    snapshot = DeskSnapshot(DESK, (waiting("a", 1, offered_to=AIKO),), (Available(KENJI, 0),))
    assert allocate(snapshot, now=0, policy=POLICY) == [("a", OfferEnded(AIKO))]


def test_who_declined_is_not_asked_again() -> None:
    snapshot = DeskSnapshot(DESK, (waiting("a", 1, declined=frozenset({AIKO})),), (Available(AIKO, 0),))
    assert allocate(snapshot, now=0, policy=POLICY) == []


@given(
    sessions=st.lists(st.tuples(st.integers(0, 50), st.sampled_from([None, AIKO, KENJI])), max_size=12),
    loads=st.dictionaries(st.sampled_from([AIKO, KENJI, OperatorId("stranger")]), st.integers(0, 4)),
)
def test_nobody_is_offered_more_than_they_have_room_for(
    sessions: list[tuple[int, OperatorId | None]], loads: dict[OperatorId, int]
) -> None:
    queue = tuple(waiting(f"s{n}", since, offered_to=to) for n, (since, to) in enumerate(sessions))
    snapshot = DeskSnapshot(DESK, queue, tuple(Available(who, load) for who, load in loads.items()))
    proposals = allocate(snapshot, now=0, policy=POLICY)
    offers = [event for _, event in proposals if isinstance(event, OfferProposed)]
    for who, load in loads.items():
        given_now = sum(offer.operator == who for offer in offers)
        assert given_now == 0 or load + given_now <= PROFILES[who].capacity
    offered = [session for session, event in proposals if isinstance(event, OfferProposed)]
    assert len(set(offered)) == len(offered)
    assert not {one.session for one in queue if one.offered_to} & set(offered)
    assert allocate(snapshot, now=0, policy=POLICY) == proposals
