"""Decisions a second, and what one costs beside ten and beside ten thousand who wait. Pure: no store, no socket.

`decide` is a whole conversation, input by input, on one core; its floor folds the very facts that came of it, so the
difference is the rules. `10_waiting` and `10000_waiting` are one turn of a desk's line, in microseconds: somebody new
arrives, is decided and takes their place; an operator is free, and the first in line is offered to them. The floor of
the first is the same with an empty line. The floor of the second is the first: its ratio says how much of the cost
comes from the queue's length, and must stay near one.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.figures import p50, tell
from bridge.index import DeskList, Listed
from routing import inputs as i
from routing.allocate import DeskSnapshot, allocate
from routing.assignment import Available
from routing.decide import Decision, decide
from routing.facts import Fact
from routing.fold import fold
from routing.ids import (
    CustomerKey,
    DeskId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ShortCode,
    Topic,
)
from routing.policy import MINUTE, Assignment, Desk, OperatorProfile, Policy, Promise, Promised, TopicRules
from routing.queue import Waiting, waiting
from routing.session import Session, State

ROUNDS = 15
TALKS = 200
TURNS = 300
START = 1_700_000_000_000
TOPIC, OPERATOR = Topic("withdrawals"), OperatorId("aiko")
DESK = Desk(
    DeskId("en"),
    NetworkName("slack"),
    Place("C1"),
    assignment=Assignment.ROUND_ROBIN,
    promises=(Promise(Promised.FIRST_RESPONSE, 5 * MINUTE, MINUTE), Promise(Promised.NEXT_RESPONSE, 10 * MINUTE)),
)
TEAM = [OPERATOR, *(OperatorId(f"operator-{number}") for number in range(19))]
POLICY = Policy(
    desks={DESK.id: DESK},
    topic_rules={TOPIC: TopicRules(TOPIC, head_start=MINUTE)},
    operators={one: OperatorProfile(one, {"en": one}) for one in TEAM},
)


def measure() -> None:
    gc.collect()
    gc.disable()
    conversations()
    turns()
    gc.enable()


# ------------------------------------------------------------------ conversations


def conversations() -> None:
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        talks = [_talk(number) for number in range(TALKS)]
        ours.append(sum(count for count, _ in talks) / (time.perf_counter() - begun))
        begun = time.perf_counter()
        for _, told in talks:
            _fold_again(told)
        floor.append(sum(count for count, _ in talks) / (time.perf_counter() - begun))
    tell("decide", p50(ours), "decisions/s", p50(floor))


def _talk(number: int) -> tuple[int, list[tuple[Fact, ...]]]:
    """How many decisions it took, and the facts of each."""
    session: Session | None = None
    told = []
    for step, event in enumerate(_events(number)):
        session, facts = _decided(session, event, f"{number}/{step}", START + 1_000 * step)
        told.append(facts)
    return len(told), told


def _events(number: int) -> list[i.Input]:
    talk: list[i.Input] = [
        _arrival(number),
        i.OfferProposed(OPERATOR, START + 10 * MINUTE),
        i.OperatorClaimed(OPERATOR),
    ]
    for turn in range(4):
        reply = MessageId(f"o:{turn}")
        talk += [i.OperatorReplied(reply, OPERATOR), i.CustomerReceived(reply), i.CustomerWrote(MessageId(f"c:{turn}"))]
    return [*talk, i.OperatorResolved(OPERATOR), i.CustomerAnswered(solved=True)]


def _fold_again(told: list[tuple[Fact, ...]]) -> None:
    session: Session | None = None
    for facts in told:
        session = fold(facts, session)


def _decided(session: Session | None, event: i.Input, key: str, now: int) -> tuple[Session, tuple[Fact, ...]]:
    decision = decide(session, event, key=InputKey(key), now=now, policy=POLICY)
    assert isinstance(decision, Decision), decision
    return decision.session, decision.facts


def _arrival(number: int) -> i.CustomerWrote:
    customer = CustomerKey("main", f"~{number}")
    name, code = SessionId(f"main.0.{number:08}"), ShortCode("K7Q2")
    return i.CustomerWrote(MessageId("c:first"), i.Opening(name, code, customer, bool(number % 2), "en", TOPIC))


# ------------------------------------------------------------------ turns of a line


def turns() -> None:
    lines = {count: _line(count) for count in (0, 10, 10_000)}
    costs: dict[int, list[float]] = {count: [] for count in lines}
    for number in range(ROUNDS):
        for count, known in lines.items():
            costs[count].append(_cost(lambda known=known, number=number: _turns(known, number)))  # type: ignore[misc]  # bound now
    empty, few, many = (p50(costs[count]) for count in lines)
    tell("10_waiting", few, "us", empty)
    tell("10000_waiting", many, "us", few)


def _line(count: int) -> DeskList:
    """So many who wait already."""
    known = DeskList(lambda: POLICY)
    for number in range(count):
        session, _ = _decided(None, _arrival(number), "first", START - 1_000 * (count - number))
        known.put(_row(session))
    known.in_order()
    return known


def _row(session: Session, head: int = 1) -> Listed:
    held = session.assignee
    return Listed(session.id, head, session.state, str(session.customer), held, held, session.last_at, waiting(session))


def _cost(work: Callable[[], None]) -> float:
    """Microseconds of a turn."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) / TURNS * 1e6


def _turns(known: DeskList, number: int) -> None:
    for turn in range(TURNS):
        _turn(known, 1_000_000 + number * TURNS + turn, START + number * TURNS + turn)


def _turn(known: DeskList, number: int, now: int) -> None:
    """Somebody comes and is listed; somebody is free, and the first in line is offered to them; the line is as long as
    before when it ends."""
    arrived, _ = _decided(None, _arrival(number), "first", now)
    known.put(_row(arrived))
    snapshot = DeskSnapshot(DESK, known.in_order(), tuple(Available(one, 3 + (one != OPERATOR)) for one in TEAM))
    ((first, proposal),) = allocate(snapshot, now=now, policy=POLICY)
    assert isinstance(proposal, i.OfferProposed)
    offered = _offered(known.rows[first], proposal)
    known.put(offered)
    known.take_off(arrived.id)
    if first != arrived.id:
        known.put(replace(offered, waiting=_unoffered(offered)))


def _offered(row: Listed, proposal: i.OfferProposed) -> Listed:
    assert row.waiting is not None
    assert row.state is State.QUEUED
    return replace(row, occupies=proposal.operator, waiting=replace(row.waiting, offered_to=proposal.operator))


def _unoffered(row: Listed) -> Waiting:
    assert row.waiting is not None
    return replace(row.waiting, offered_to=None)


if __name__ == "__main__":
    measure()
