"""The relay's judgement where no Redis is needed: duplicates, conflicts, old memories, half-made links."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from bridge.errors import LostLeaseError, OverloadedError, StoreUnavailableError
from bridge.feed import Feed
from bridge.messages import Body, TextPart
from bridge.ports import Commit, CommitResult, Committed, Conflict, Duplicate, Fenced, Store, Stored
from bridge.relay import ATTEMPTS, Answer, Greeting, Receipt, Relay, _face
from routing import inputs as i
from routing.decide import Decision, Refusal, decide
from routing.effects import Effect
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
from routing.policy import Desk, OperatorProfile, Policy
from routing.session import Reason, Session, State

AIKO = OperatorId("aiko")
EN = DeskId("en")
POLICY = Policy(
    desks={EN: Desk(EN, NetworkName("board"), Place("C1"))}, operators={AIKO: OperatorProfile(AIKO, {"en": "Aiko"})}
)
VISITOR, ACCOUNT = CustomerKey("main", "~visitor"), CustomerKey("main", "u-1")


@dataclass(slots=True)
class Shelf:
    """As much of a store as the relay asks, as two relays share it. `lose`: what becomes of the next commits."""

    partitions: int = 1
    stored: dict[SessionId, Stored] = field(default_factory=dict)
    seen: dict[tuple[SessionId, str], Duplicate] = field(default_factory=dict)
    books: dict[CustomerKey, list[SessionId]] = field(default_factory=dict)
    lose: list[str] = field(default_factory=list)
    commits: int = 0
    codes: int = 0

    async def now(self) -> int:
        return 1_000

    async def mint_code(self) -> ShortCode:
        self.codes += 1
        return ShortCode(f"K{self.codes}")

    async def load(self, session: SessionId) -> Stored | None:
        return self.stored.get(session)

    async def open_session(self, customer: CustomerKey) -> SessionId | None:
        return self.books[customer][-1] if self.books.get(customer) else None

    async def wrote_before(self, customer: CustomerKey, key: InputKey) -> Duplicate | None:
        found = (self.seen.get((one, key)) for one in self.books.get(customer, ()))
        return next((one for one in found if one is not None), None)

    async def detach(self, customer: CustomerKey, session: SessionId) -> None:
        self.books[customer] = [one for one in self.books[customer] if one != session]

    async def has_body(self, session: SessionId, message: MessageId) -> bool:
        spoken = self.stored[session].session.spoken(message)
        return spoken is not None

    async def commit(self, commit: Commit) -> CommitResult:
        self.commits += 1
        fate = self.lose.pop(0) if self.lose else ""
        if fate == "before":
            raise StoreUnavailableError("lost before")
        answer = self._commit(commit)
        if fate == "after":
            raise StoreUnavailableError("lost after")
        return answer

    def _commit(self, commit: Commit) -> CommitResult:
        session = commit.after.session
        repeated = self.seen.get((session.id, commit.key))
        if repeated is not None:
            return repeated
        if commit.fence is not None:
            return Fenced()
        there = self.stored.get(session.id)
        if (there.head if there else 0) != (commit.before.head if commit.before else 0):
            return Conflict()
        books = self.books.get(session.customer)
        if commit.before is None and (books[-1] if books else None) != session.previous:
            return Conflict()
        self.stored[session.id] = commit.after
        self.seen[session.id, commit.key] = Duplicate(session.id, commit.after.head)
        if commit.before is None:
            self.books.setdefault(session.customer, []).append(session.id)
        return Committed(commit.after)


class NoLanes:
    def terms(self, partition: int) -> dict[NetworkName, int]:
        del partition
        return {}

    def send_direct(
        self, stored: Stored, effects: Sequence[Effect], bodies: Mapping[tuple[MessageId, int], Body]
    ) -> None:
        raise AssertionError("the shelf answers no commit with `direct`")


@dataclass(slots=True)
class Page:
    """What a page is told."""

    heard: list[str] = field(default_factory=list)

    def shown(self, session: Session, events: tuple[Any, ...]) -> None:
        del session
        self.heard += [type(one.event).__name__ for one in events]

    def behind(self, session: SessionId | None) -> None:
        del session
        self.heard.append("behind")

    def signalled(self, signal: object) -> None:
        raise AssertionError("nobody signals here")


@dataclass(slots=True)
class Process:
    shelf: Shelf
    feed: Feed
    relay: Relay

    async def writes(self, number: int, who: CustomerKey = VISITOR) -> Answer:
        event, body = i.CustomerWrote(MessageId(f"c:{number}")), Body((TextPart("words"),))
        greeting = Greeting(not who.anonymous, "en", Topic(""))
        return await self.relay.from_customer(who, event, InputKey(f"web/{number}"), body=body, greeting=greeting)


def process(shelf: Shelf) -> Process:
    store = cast(Store, shelf)
    feed = Feed(store)
    return Process(shelf, feed, Relay(store, feed, lambda: POLICY, NoLanes()))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def here(shelf: Shelf) -> Process:
    return process(shelf)


@pytest.fixture
def there(shelf: Shelf) -> Process:
    """Another process on the same store; it hears no hints."""
    return process(shelf)


def receipt(answer: Answer) -> Receipt:
    assert isinstance(answer, Receipt), answer
    return answer


# ------------------------------------------------------------------ answers that were lost


@pytest.mark.parametrize("fate", ["before", "after"])
async def test_an_input_sent_again_is_stored_once_and_told_to_the_pages(here: Process, shelf: Shelf, fate: str) -> None:
    await here.writes(0)
    page = Page()
    here.feed.follow(VISITOR, page)
    shelf.lose = [fate]
    with pytest.raises(StoreUnavailableError):
        await here.writes(1)
    again = receipt(await here.writes(1))
    assert again.stored.session.messages == 2
    assert again.fresh is (fate == "before")
    assert page.heard == (["CustomerMessage"] if fate == "before" else ["behind"])


async def test_what_may_have_been_stored_is_not_answered_from_memory(here: Process, shelf: Shelf) -> None:
    first = receipt(await here.writes(0))
    shelf.lose = ["after"]
    with pytest.raises(StoreUnavailableError):
        await here.writes(1)
    known = await here.relay.session(first.stored.session.id)
    assert known is not None
    assert known.session.messages == 2


async def test_an_opening_sent_again_opens_nothing(here: Process, shelf: Shelf) -> None:
    shelf.lose = ["after"]
    with pytest.raises(StoreUnavailableError):
        await here.writes(0)
    assert receipt(await here.writes(0)).stored.session.messages == 1
    assert len(shelf.stored) == 1


async def test_a_message_resent_after_the_end_opens_nothing(here: Process, shelf: Shelf) -> None:
    first = receipt(await here.writes(0))
    await here.relay.from_customer(VISITOR, i.CustomerEnded(), InputKey("web/end"))
    assert receipt(await here.writes(0)).stored.session.id == first.stored.session.id
    assert len(shelf.stored) == 1


async def test_an_operators_input_repeated_after_it_closed_the_session_is_no_refusal(here: Process) -> None:
    """The first answer was lost on its way; the second must not tell the operator that it failed."""
    session = receipt(await here.writes(0)).stored.session.id
    for event, key in (
        (i.OperatorClaimed(AIKO), "slack/claim"),
        (i.OperatorResolved(AIKO, i.Outcome.SPAM), "slack/spam"),
    ):
        assert receipt(await here.relay.from_operator(session, event, InputKey(key))).fresh
        assert not receipt(await here.relay.from_operator(session, event, InputKey(key))).fresh


async def test_a_true_refusal_stays_one(here: Process) -> None:
    session = receipt(await here.writes(0)).stored.session.id
    await here.relay.from_operator(session, i.OperatorClaimed(AIKO), InputKey("slack/1"))
    answer = await here.relay.from_operator(session, i.OperatorClaimed(OperatorId("kenji")), InputKey("slack/2"))
    assert answer == Refusal(Reason.ALREADY_CLAIMED)


# ------------------------------------------------------------------ two processes


async def test_a_conflict_is_decided_again_on_what_is_there(here: Process, there: Process) -> None:
    await here.writes(0)
    await there.writes(1)
    await here.writes(2)
    assert receipt(await there.writes(3)).stored.session.messages == 4


async def test_two_processes_open_one_session(here: Process, there: Process, shelf: Shelf) -> None:
    await here.relay.current(VISITOR)
    await there.writes(0)
    await here.writes(1)
    assert len(shelf.stored) == 1


async def test_nothing_is_refused_on_an_old_memory(here: Process, there: Process) -> None:
    """A refusal commits nothing, so no conflict would ever show that it was judged on yesterday's state."""
    session = receipt(await here.writes(0)).stored.session.id
    await here.relay.from_operator(session, i.OperatorClaimed(AIKO), InputKey("a"))
    await there.relay.from_operator(session, i.OperatorReleased(AIKO), InputKey("b"))
    answer = await here.relay.from_operator(session, i.OperatorClaimed(OperatorId("kenji")), InputKey("c"))
    assert receipt(answer).stored.session.assignee == "kenji"


async def test_a_message_that_came_by_another_process_can_be_edited_here(here: Process, there: Process) -> None:
    await here.writes(0)
    await there.writes(1)
    answer = await here.relay.from_customer(VISITOR, i.CustomerRevised(MessageId("c:1"), 1), InputKey("web/edit"))
    assert receipt(answer).stored.session.recent[-1].revision == 1


async def test_a_session_opened_elsewhere_after_the_end_is_current_here_too(here: Process, there: Process) -> None:
    first = receipt(await here.writes(0))
    await here.relay.from_customer(VISITOR, i.CustomerEnded(), InputKey("web/end"))
    second = receipt(await there.writes(1))
    current = await here.relay.current(VISITOR)
    assert current is not None
    assert first.stored.session.id != current.session.id == second.stored.session.id


async def test_after_hints_were_missed_nothing_remembered_counts(here: Process, there: Process) -> None:
    session = receipt(await here.writes(0)).stored.session.id
    await there.writes(1)
    here.relay.forget()
    known = await here.relay.session(session)
    assert known is not None
    assert known.session.messages == 2


# ------------------------------------------------------------------ bounds and fences


async def test_a_session_that_keeps_changing_sheds_its_input(
    here: Process, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.writes(0)

    async def always(_self: Shelf, _commit: Commit) -> CommitResult:
        shelf.commits += 1
        return Conflict()

    monkeypatch.setattr(Shelf, "commit", always)
    before = shelf.commits
    with pytest.raises(OverloadedError):
        await here.writes(1)
    assert shelf.commits - before == ATTEMPTS


async def test_a_lost_lease_is_said(here: Process) -> None:
    session = receipt(await here.writes(0)).stored.session.id
    with pytest.raises(LostLeaseError):
        await here.relay.from_bridge(session, i.CustomerLeft(), InputKey("left"), fence=("timers@0", 1))


# ------------------------------------------------------------------ a visitor who logs in


def _attach(shelf: Shelf, session: SessionId) -> None:
    shelf.books.setdefault(ACCOUNT, []).append(session)


async def test_a_link_that_a_crash_cut_short_is_carried_through(here: Process, shelf: Shelf) -> None:
    """Else the account's books name a session that it may not enter, and it could never open another."""
    session = receipt(await here.writes(0)).stored.session.id
    _attach(shelf, session)
    answer = receipt(await here.writes(1, ACCOUNT))
    assert answer.stored.session.id == session
    assert answer.stored.session.customer == ACCOUNT
    assert answer.stored.session.messages == 2


async def test_a_link_made_by_another_process_meanwhile_is_no_reason_to_give_it_up(
    here: Process, there: Process, shelf: Shelf
) -> None:
    """The page's socket and its poll log in at once: both link, and the loser must not take the books back."""
    stored = receipt(await here.writes(0)).stored
    _attach(shelf, stored.session.id)
    assert await there.relay.link(stored, ACCOUNT) is not None
    answer = receipt(await here.writes(1, ACCOUNT))
    assert answer.stored.session.id == stored.session.id
    assert shelf.books[ACCOUNT] == [stored.session.id]


async def test_a_visitor_is_linked_once_whoever_asks_and_how_often(here: Process, there: Process, shelf: Shelf) -> None:
    stored = receipt(await here.writes(0)).stored
    _attach(shelf, stored.session.id)
    linked = [await process.relay.link(stored, ACCOUNT) for process in (here, there, here)]
    assert [one.head for one in linked if one is not None] == [stored.head + 1] * 3
    assert await here.relay.link(stored, CustomerKey("main", "u-2")) is None


async def test_an_account_that_waits_for_its_link_does_not_wait_for_itself(
    here: Process, there: Process, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link is made elsewhere between two looks, so what was a visitor's is, at the second, the account's own."""
    stored = receipt(await here.writes(0)).stored
    _attach(shelf, stored.session.id)
    session = here.relay.session

    async def overtaken(wanted: SessionId) -> Stored | None:
        found = await session(wanted)
        if shelf.stored[wanted].session.customer == VISITOR:
            await there.relay.link(stored, ACCOUNT)
            here.relay.outdated(wanted, shelf.stored[wanted].head)
        return found

    monkeypatch.setattr(here.relay, "session", overtaken)
    async with asyncio.timeout(60):
        answer = receipt(await here.writes(1, ACCOUNT))
    assert answer.stored.session.id == stored.session.id


async def test_a_link_that_can_be_no_more_gives_way(here: Process, shelf: Shelf) -> None:
    session = receipt(await here.writes(0)).stored.session.id
    _attach(shelf, session)
    await here.relay.from_customer(VISITOR, i.CustomerEnded(), InputKey("web/end"))
    answer = receipt(await here.writes(1, ACCOUNT))
    assert answer.stored.session.id != session
    assert answer.stored.session.state is State.QUEUED


async def test_another_accounts_session_is_never_entered(here: Process, shelf: Shelf) -> None:
    session = receipt(await here.writes(0)).stored.session.id
    stored = shelf.stored[session]
    shelf.stored[session] = replace(stored, session=replace(stored.session, customer=CustomerKey("main", "u-2")))
    here.relay.forget()
    _attach(shelf, session)
    assert await here.relay.current(ACCOUNT) is None
    assert receipt(await here.writes(1, ACCOUNT)).stored.session.id != session


def of(**changed: Any) -> Session:
    """A session that was answered by `o:1`."""
    opening = i.Opening(SessionId("main.0.a"), ShortCode("K7Q2"), VISITOR, False, "en", Topic(""))
    opened = decide(None, i.CustomerWrote(MessageId("c:1"), opening), key=InputKey("k"), now=1, policy=POLICY)
    assert isinstance(opened, Decision)
    return replace(opened.session, last_reply=MessageId("o:1"), **changed)


def test_a_reply_that_is_on_its_way_or_there_draws_no_card_and_one_that_is_stuck_or_seen_does() -> None:
    reached = of(reached=MessageId("o:1"))
    assert _face(of()) == _face(reached)
    assert _face(reached) != _face(replace(reached, seen=MessageId("o:1")))
    assert _face(of()) != _face(of(unreached=MessageId("o:1")))
