"""The relay: the one door. Every input enters here; nothing else changes a session.

It loads the session, lets `decide` judge, and commits facts, effects and deadline in one step. Two processes may do
this at once for one session: the store refuses the later commit by version, and the relay decides again on what is
there now. Whoever called is answered only after the commit is durable.
"""

from __future__ import annotations

import random
import secrets
import time
from asyncio import Lock, sleep
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol
from weakref import WeakValueDictionary

from bridge.carriers import carriers_of
from bridge.errors import LostLeaseError, OverloadedError
from bridge.feed import Feed, Signal
from bridge.memory import REMEMBERED, Memory
from bridge.messages import About, Body
from bridge.metrics import Metrics
from bridge.ports import Commit, CommitResult, Committed, Duplicate, Entry, Fenced, Store, Stored, Written
from bridge.quotations import all_requoted, quoted_in, requoted
from routing import inputs as i
from routing.attention import DeliveryState, delivery
from routing.decide import NO_BERTHS, Decision, Nothing, Refusal, decide
from routing.effects import Effect
from routing.facts import MessageRevised, ReplyAdded
from routing.ids import (
    CustomerKey,
    DeskId,
    InputKey,
    MessageId,
    NetworkName,
    Place,
    SessionId,
    Topic,
    partition_in,
    partition_of,
    sent_id,
    session_id,
    translation_id,
)
from routing.policy import Policy
from routing.session import Reason, Session, State
from routing.view import customer_view

ATTEMPTS = 16
"""How often one input is decided again after a conflict. Each conflict is another input's success, so this ends."""

UNDER_WAY = 4_096
"""Inputs in flight in one process. Beyond it new ones are shed, visibly, rather than queued without bound."""

CARD_DELAY = 1_000
"""ms until a changed card is redrawn, together with whatever else changes until then."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a session is opened with, should this message open one."""

    verified: bool
    language: str
    topic: Topic
    about: About = field(default_factory=About)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The input is durable. `fresh` is False when it had been before: then `entries` is empty."""

    stored: Stored
    entries: tuple[Entry, ...] = ()
    fresh: bool = True


Answer = Receipt | Refusal | Nothing


class Door(Protocol):
    """Where operators' inputs enter: the assignments, which keep to everybody's capacity, or the relay itself."""

    async def from_operator(
        self, session: SessionId, event: i.OperatorInput, key: InputKey, *, body: Body | None = None
    ) -> Answer: ...


class Senders(Protocol):
    """The lanes, as the relay sees them."""

    def terms(self, partition: int) -> dict[NetworkName, int]:
        """The leases that this process holds on the partition's destinations, with their terms."""
        ...

    def send_direct(self, stored: Stored, effects: Sequence[Effect], bodies: dict[tuple[MessageId, int], Body]) -> None:
        """Send the first effect now: the commit stamped it for us. The rest follows from the lane."""
        ...


class Berthing(Protocol):
    """Who counts what the places of a desk's pool hold: see `bridge.berths`."""

    def free(self) -> Mapping[DeskId, Place]:
        """Of each desk with a pool, the place that takes its next session."""
        ...

    def note(self, session: Session) -> None:
        """It lives where its mirror is now."""
        ...


class Relay:
    """`policy` is asked on every input, so a reloaded policy holds from the next one on."""

    def __init__(
        self,
        store: Store,
        feed: Feed,
        policy: Callable[[], Policy],
        senders: Senders,
        metrics: Metrics | None = None,
        berths: Berthing | None = None,
    ) -> None:
        self._berths = berths
        self._metrics = metrics or Metrics()
        self._store = store
        self._feed = feed
        self._policy = policy
        self._senders = senders
        self._locks: WeakValueDictionary[CustomerKey, Lock] = WeakValueDictionary()
        self._memory = Memory(store, feed)
        self._current: OrderedDict[CustomerKey, SessionId] = OrderedDict()
        self._under_way = 0
        self.forgotten = 0

    # ------------------------------------------------------------------ what is there

    async def current(self, customer: CustomerKey) -> Stored | None:
        """The customer's open session, else their latest one, else None."""
        known = self._current.get(customer)
        stored = await self.session(known) if known else None
        if stored is None or stored.session.state is State.CLOSED:
            named = await self._store.open_session(customer)
            stored = await self.session(named) if named else None
        if stored is not None and stored.session.customer != customer:
            stored = await self._claimed(customer, stored)
        if stored is None:
            self._current.pop(customer, None)
            return None
        self._make_current(stored)
        return stored

    async def _claimed(self, customer: CustomerKey, stored: Stored) -> Stored | None:
        """The account's books name a visitor's session: a link that was cut short is carried through, or given up."""
        linked = None if customer.anonymous else await self.link(stored, customer)
        if linked is None:
            await self._store.detach(customer, stored.session.id)
        return linked

    async def link(self, stored: Stored, account: CustomerKey) -> Stored | None:
        """A visitor has logged in, and the store's `attach` has put their session into the account's books: now the
        session says so itself. Returns it, or None when it is not theirs.

        One link, however many pages and processes ask for it at once. Raises as `from_customer` does.
        """
        session, visitor = stored.session.id, stored.session.customer
        if visitor.anonymous:
            arrival = _Arrival(visitor, i.CustomerLinked(account), InputKey(f"linked/{session}"))
            with self._admitted():
                async with self._turn(visitor):
                    await self._settle(arrival, lambda: self.session(session))
        now = await self._memory.look(session)
        return now if now is not None and now.session.customer == account else None

    async def session(self, session: SessionId) -> Stored | None:
        """The session as far as this process knows it. A commit finds out when another process knows more."""
        return self._memory.known(session) or await self._memory.look(session)

    def outdated(self, session: SessionId, head: int) -> None:
        """Another process has committed up to `head`."""
        known = self._memory.known(session)
        if known is not None and known.head < head:
            self._memory.drop(session)

    def forget(self) -> None:
        """Hints may have been missed: nothing that is remembered counts any more. `forgotten` counts how often."""
        self.forgotten += 1
        self._memory.drop_all()
        self._current.clear()

    # ------------------------------------------------------------------ what happens

    async def from_customer(
        self,
        customer: CustomerKey,
        event: i.CustomerInput,
        key: InputKey,
        *,
        body: Body | None = None,
        greeting: Greeting | None = None,
    ) -> Answer:
        """An input of a customer's. Which session it reaches follows from who they are, never from what they send.

        Raises StoreUnavailableError or OverloadedError when it is not known to be stored: send it again as it is.
        """
        arrival = _Arrival(customer, event, key, body, greeting)
        with self._admitted():
            async with self._turn(customer):
                return await self._settle(arrival, lambda: self.current(customer))

    async def signal(self, session: Session, signal: Signal) -> None:
        """What is true only now passes by: nothing is recorded. Best effort."""
        await self._feed.signal(session, signal)

    async def from_operator(
        self, session: SessionId, event: i.OperatorInput, key: InputKey, *, body: Body | None = None
    ) -> Answer:
        """An input of an operator's, from whatever network. Raises as `from_customer` does."""
        return await self._into(session, event, key, body=body)

    async def from_bridge(
        self,
        session: SessionId,
        event: i.BridgeInput | i.CustomerLeft,
        key: InputKey,
        *,
        body: Body | None = None,
        bodies: tuple[Written, ...] = (),
        fence: tuple[str, int] | None = None,
    ) -> Answer:
        """A deadline, an allocation, an administrator's order. Raises LostLeaseError when `fence` is not current.

        `body` is of MessageTranslated only: the translation itself. `bodies`, of FilePurgeOrdered only, take the place
        of those that are there.
        """
        return await self._into(session, event, key, body=body, bodies=bodies, fence=fence)

    async def _into(
        self,
        session: SessionId,
        event: i.Input,
        key: InputKey,
        *,
        body: Body | None = None,
        bodies: tuple[Written, ...] = (),
        fence: tuple[str, int] | None = None,
    ) -> Answer:
        with self._admitted():
            stored = await self.session(session)
            if stored is None:
                return Refusal(Reason.NO_SESSION)
            arrival = _Arrival(stored.session.customer, event, key, body, None, fence, bodies)
            async with self._turn(stored.session.customer):
                return await self._settle(arrival, lambda: self.session(session))

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        if self._under_way >= UNDER_WAY:
            self._metrics.shed("input")
            raise OverloadedError("too much is under way", mend="send it again in a moment")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def _turn(self, customer: CustomerKey) -> Lock:
        """One input of a customer's at a time in this process; it spares conflicts, and is not what prevents them."""
        lock = self._locks.get(customer)
        if lock is None:
            lock = self._locks[customer] = Lock()
        return lock

    async def _settle(self, arrival: _Arrival, find: Callable[[], Awaitable[Stored | None]]) -> Answer:
        for _ in range(ATTEMPTS):
            stored = await find()
            answer = await self._once(arrival, stored)
            if isinstance(answer, Receipt):
                return answer
            if answer is not None and not await self._was_old(stored):
                return await self._unless_repeated(arrival, answer)
            self._forget(arrival.customer, stored)
        raise OverloadedError("the session kept changing under this input", mend="send it again in a moment")

    async def _was_old(self, stored: Stored | None) -> bool:
        """A refusal writes nothing, so no conflict would show that it was judged on what is no longer so."""
        if stored is None:
            return False
        now = await self._memory.look(stored.session.id)
        return now is None or now.head != stored.head

    async def _unless_repeated(self, arrival: _Arrival, answer: Refusal | Nothing) -> Answer:
        """What was done the first time, and now cannot be done again, is answered as the first time."""
        if isinstance(answer, Nothing):
            return answer
        repeated = await self._store.wrote_before(arrival.customer, arrival.key)
        return answer if repeated is None else await self._repeated(repeated)

    async def _once(self, arrival: _Arrival, stored: Stored | None) -> Answer | None:
        """One attempt; None when somebody else was faster."""
        if arrival.opens and (stored is None or stored.session.state is State.CLOSED):
            repeated = await self._store.wrote_before(arrival.customer, arrival.key)
            if repeated is not None:
                return await self._repeated(repeated)
            event, before = await self._opening(arrival, stored), None
        else:
            event, before = await self._aware_of_old_words(arrival.event, stored), stored
            arrival = await self._aware_of_quotes(replace(arrival, event=event), stored)
            event = arrival.event
        verdict = decide(
            before.session if before else None,
            event,
            key=arrival.key,
            now=await self._store.now(),
            policy=self._policy(),
            berths=self._berths.free() if self._berths is not None else NO_BERTHS,
        )
        if not isinstance(verdict, Decision):
            return verdict
        return await self._commit(arrival, before, verdict)

    async def _opening(self, arrival: _Arrival, latest: Stored | None) -> i.Input:
        """The same message, with all that a new session needs."""
        event, greeting = arrival.event, arrival.greeting
        if not isinstance(event, i.CustomerWrote) or greeting is None:
            return event
        customer = arrival.customer
        partition = partition_of(customer, self._store.partitions)
        opening = i.Opening(
            session=session_id(customer.site, partition, secrets.token_hex(8)),
            code=await self._store.mint_code(),
            customer=customer,
            verified=greeting.verified,
            language=greeting.language,
            topic=greeting.topic,
            previous=latest.session.id if latest else None,
            last_operator=latest.session.last_operator if latest else None,
            blocked_until=latest.session.blocked_until if latest else None,
        )
        return replace(event, opening=opening)

    async def _aware_of_old_words(self, event: i.Input, stored: Stored | None) -> i.Input:
        """An edit of a message that the snapshot does not know is either early or late; the store can tell. An edit
        that has no number yet gets the next one."""
        if not isinstance(event, EDITS) or stored is None:
            return event
        spoken = stored.session.spoken(event.message)
        if isinstance(event, i.CustomerRevised | i.OperatorRevised) and not event.revision:
            event = replace(event, revision=spoken.revision + 1 if spoken else 1)
        if spoken:
            return event
        return replace(event, committed=await self._store.has_body(stored.session.id, event.message))

    async def _aware_of_quotes(self, arrival: _Arrival, stored: Stored | None) -> _Arrival:
        """A customer's edit or withdrawal with what quotes the message, which then says what is left of it."""
        event = arrival.event
        if stored is None or not isinstance(event, CHANGES) or not _may_be_quoted(stored.session, event.message):
            return arrival
        now = arrival.body if isinstance(event, i.CustomerRevised) else None
        quoting = all_requoted(await carriers_of(self._store, stored.session.id), event.message, now)
        named = tuple(dict.fromkeys(one.message for one in quoting))
        return replace(arrival, event=replace(event, quoted_in=named), bodies=tuple(quoting))

    async def _commit(self, arrival: _Arrival, before: Stored | None, decision: Decision) -> Answer | None:
        bodies = await self._bodies(arrival, decision)
        if bodies is None:
            return Refusal(Reason.NOTHING_TO_SEND)
        after, entries = _append(before, decision)
        direct_on = self._senders.terms(partition_in(decision.session.id)) if decision.effects else {}
        begun = time.monotonic()
        result = await self._committed(
            Commit(
                key=arrival.key,
                before=before,
                after=after,
                entries=entries,
                bodies=bodies,
                about=arrival.greeting.about if before is None and arrival.greeting else None,
                effects=decision.effects,
                deadline=min(decision.timers.values(), default=None),
                terms=direct_on,
                fence=arrival.fence,
                refresh=_looks_different(before, after),
                refresh_card_at=decision.session.last_at + CARD_DELAY,
            )
        )
        self._metrics.committed(time.monotonic() - begun, type(result).__name__.lower())
        if isinstance(result, Committed):
            if self._berths is not None and (before is None or before.session.mirror != after.session.mirror):
                self._berths.note(after.session)
            return await self._done(arrival, result, entries, decision.effects, bodies)
        if isinstance(result, Duplicate):
            return await self._repeated(result)
        if isinstance(result, Fenced):
            raise LostLeaseError("the lease is another process's now")
        return None

    async def _bodies(self, arrival: _Arrival, decision: Decision) -> tuple[Written, ...] | None:
        """What is written down with it. A note that is sent lends its words to the reply, and so does its edit; None
        where they are erased."""
        written, event = arrival.written, arrival.event
        if arrival.body is not None and (quoted := quoted_in(arrival.body)) is not None:
            now = await self._says(decision.session, quoted)  # it may have changed since whoever wrote has read it
            arrival = replace(arrival, body=requoted(arrival.body, quoted, now))
            written = arrival.written
        for fact in decision.facts:
            if isinstance(fact, ReplyAdded) and fact.note is not None:
                (body,) = await self._store.bodies(decision.session.id, [(fact.note, fact.wording)])
                if body is None:
                    return None
                written = (*written, Written(fact.message, fact.revision, body))
            elif isinstance(fact, MessageRevised) and arrival.body and fact.message == _reply_to(event):
                written = (*written, Written(fact.message, fact.revision, arrival.body))
        return written

    async def _says(self, session: Session, message: MessageId) -> Body | None:
        """What a message says now; None where it is taken back, or out of sight."""
        spoken = session.spoken(message)
        if spoken is None or spoken.withdrawn:
            return None
        return (await self._store.bodies(session.id, [(message, spoken.revision)]))[0]

    async def _committed(self, commit: Commit) -> CommitResult:
        """Ask the store. Whatever interrupts it, the commit may have been made: what we knew is not to be trusted."""
        try:
            return await self._store.commit(commit)
        except BaseException:
            self._metrics.committed(0.0, "failed")
            self._forget(commit.after.session.customer, commit.before)
            raise

    async def _done(
        self,
        arrival: _Arrival,
        result: Committed,
        entries: tuple[Entry, ...],
        effects: tuple[Effect, ...],
        written: tuple[Written, ...],
    ) -> Receipt:
        stored = result.stored
        self._memory.keep(stored)
        if arrival.opens:
            self._make_current(stored)
        bodies = {(one.message, one.revision): one.body for one in written}
        if result.direct:
            first = {effect.to: effect for effect in reversed(effects) if effect.to in result.direct}
            self._senders.send_direct(stored, list(first.values()), bodies)
            await sleep(0)  # the operator's network first: its call is on the way before the pages are told
        self._feed.tell(stored, entries, bodies)
        return Receipt(stored, entries)

    async def _repeated(self, duplicate: Duplicate) -> Answer:
        stored = self._memory.known(duplicate.session)
        if stored is None or stored.head < duplicate.head:
            stored = await self._memory.look(duplicate.session)
        if stored is None:
            return Refusal(Reason.NO_SESSION)
        return Receipt(stored, fresh=False)

    def _make_current(self, stored: Stored) -> None:
        self._current[stored.session.customer] = stored.session.id
        self._current.move_to_end(stored.session.customer)
        if len(self._current) > REMEMBERED:
            self._current.popitem(last=False)

    def _forget(self, customer: CustomerKey, stored: Stored | None) -> None:
        self._current.pop(customer, None)
        if stored is not None:
            self._memory.drop(stored.session.id)


CHANGES = (i.CustomerRevised, i.CustomerWithdrew)

EDITS = (i.CustomerRevised, i.CustomerWithdrew, i.CustomerReacted, i.OperatorRevised, i.OperatorWithdrew)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """An input on its way through the relay, with what travels beside it."""

    customer: CustomerKey
    event: i.Input
    key: InputKey
    body: Body | None = None
    greeting: Greeting | None = None
    fence: tuple[str, int] | None = None
    bodies: tuple[Written, ...] = ()

    @property
    def opens(self) -> bool:
        return isinstance(self.event, i.CustomerWrote)

    @property
    def written(self) -> tuple[Written, ...]:
        event = self.event
        if isinstance(event, i.FilePurgeOrdered | i.CustomerWithdrew):
            return self.bodies
        if self.body is not None and isinstance(event, i.MessageTranslated):
            return (Written(translation_id(event.message, event.language), event.revision, self.body),)
        if self.body is None or not isinstance(event, SPEAKS):
            return ()
        if isinstance(event, i.OperatorTransferred | i.OperatorHeld):
            beside = event.reason if isinstance(event, i.OperatorTransferred) else event.promise
            return (Written(beside, 0, self.body),) if beside is not None else ()
        revision = event.revision if isinstance(event, i.CustomerRevised | i.OperatorRevised) else 0
        return (Written(event.message, revision, self.body), *self.bodies)


SPEAKS = (
    i.CustomerWrote,
    i.OperatorReplied,
    i.OperatorNoted,
    i.OperatorWrote,
    i.OperatorInformed,
    i.OperatorTransferred,
    i.OperatorHeld,
    i.CustomerRevised,
    i.OperatorRevised,
)


def _may_be_quoted(session: Session, message: MessageId) -> bool:
    """Whether anybody of ours has written since, as far as the snapshot goes; no further back may words be changed."""
    said = [one.message for one in session.recent]
    later = session.recent[said.index(message) + 1 :] if message in said else ()
    return message in said and bool(session.pending or any(one.by for one in later))


def _reply_to(event: i.Input) -> MessageId | None:
    """The reply that may go by an operator's edited note."""
    return sent_id(event.message) if isinstance(event, i.OperatorRevised) else None


def _looks_different(before: Stored | None, after: Stored) -> bool:
    """Whether a list or a card shows something else now. One more message in a talk changes neither."""
    return before is None or _face(before.session) != _face(after.session)


def _face(session: Session) -> tuple[object, ...]:
    return (
        session.state,
        session.desk,
        session.assignee,
        session.turn,
        session.waiting_since,
        session.presence,
        session.offer,
        session.customer,
        session.erased,
        session.language,
        session.opens_at,
        session.warned,
        session.missed,
        session.escalation,
        session.incident,
        session.check,
        session.blocked_until,
        _shown(session),
        session.tags,
        session.taken_over,
    )


def _shown(session: Session) -> str:
    """What an operator must know of their reply: that it is stuck, or was on the customer's screen. That it is on its
    way, or there, is the usual case, and draws no card."""
    state = delivery(session)
    return state if state in (DeliveryState.UNREACHED, DeliveryState.SEEN) else ""


_MARKS = random.Random(secrets.randbits(256))  # noqa: S311 - a mark tells entries apart and is no secret
"""One for each entry: drawing it from the kernel took a thirtieth of a commit."""


def _append(before: Stored | None, decision: Decision) -> tuple[Stored, tuple[Entry, ...]]:
    """The entries that continue the journal, and the session's books after them."""
    head = before.head if before else 0
    visible = before.visible if before else 0
    tag = before.tag if before else ""
    entries = []
    for fact in decision.facts:
        mark = f"{_MARKS.getrandbits(32):08x}"
        shown = customer_view(fact) is not None
        if shown:
            visible, tag = visible + 1, mark
        entries.append(Entry(head, mark, visible if shown else None, fact))
        head += 1
    epoch = before.epoch if before else secrets.token_hex(4)
    return Stored(decision.session, head, visible, tag, epoch), tuple(entries)
