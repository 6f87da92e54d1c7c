"""Lanes: effects leave in order within (session, destination), and no lane waits for another.

A lane has one worker at a time, in the process that holds the lease. It stamps an effect before it sends it, and
acknowledges it after. Three things can come between: the process dies, the lease is lost, or the answer is. In each
the stamp stays, and whoever goes on treats the effect as *perhaps sent*: it waits until no send can still be under
way, looks at what is there, and only then sends again. A minute later it looks once more and takes late doubles back.

Where a platform limits how fast we post, an effect waits for its turn before it is stamped. When that takes a while, a
customer's messages that have come together meanwhile go out as one post; in the store each keeps its own books.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import structlog

from bridge.deliveries import Deliveries, Known
from bridge.errors import (
    DeliveryError,
    Fault,
    KakehashiError,
    LostLeaseError,
    OverloadedError,
    StoreUnavailableError,
)
from bridge.feed import Feed, Signal
from bridge.leases import Leases
from bridge.messages import Body
from bridge.metrics import Metrics
from bridge.ports import (
    Delivered,
    Delivery,
    Lane,
    Network,
    Pending,
    Placed,
    Settled,
    Store,
    Stored,
    SupportsBursts,
    SupportsTurns,
    Sweep,
)
from routing.effects import (
    CallOperators,
    Effect,
    OpenThread,
    PostMessage,
    kept_under,
)
from routing.facts import Side
from routing.ids import EffectId, MessageId, NetworkName, Place, SessionId, ThreadRef, partition_in

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Setbacks(Protocol):
    """Who tells people of what will not be delivered: see `bridge.setbacks`."""

    async def set_aside(self, lane: Lane, effect: Effect, code: str) -> None:
        """Called before it is taken out of its lane, perhaps more than once. Raises nothing."""
        ...


class Refuge(Protocol):
    """Who knows where a thread may stand instead: see `bridge.refuges`."""

    async def move(self, delivery: Delivery, code: str) -> bool:
        """Whether its root has another place now. Raises nothing."""
        ...


class Blockages(Protocol):
    """Who tells people elsewhere of what holds a lane up: see `bridge.blockages`."""

    def met(self, delivery: Delivery, error: DeliveryError) -> None:
        """Returns at once, and may be called again and again."""
        ...

    async def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `quarantine` must exceed `send_deadline`, or a send of the old holder could still be under way."""

    send_deadline: float = 10.0
    quarantine: float = 20.0
    settle_down: float = 2.0  # after a lost answer in this very process: give the platform time to show it
    sweep_after: float = 60.0
    back_off: float = 1.0
    back_off_at_most: float = 60.0
    blocked: float = 30.0
    poll: float = 1.0

    def __post_init__(self) -> None:
        if self.quarantine <= self.send_deadline:
            raise ValueError("the quarantine must be longer than the send deadline")


@dataclass(frozen=True, slots=True)
class _Head:
    """A lane's head in a worker's hands. `since`: its stamp was certainly not written before this (loop's clock)."""

    pending: Pending
    since: float
    known: Known = field(default_factory=Known)

    @property
    def effect(self) -> Effect:
        return self.pending.effect


@dataclass(slots=True)
class _Worker:
    """One lane's worker. `given`: a direct effect that came while it was busy with this lane.

    It may meet that effect in the lane, too, and even before it is given: the commit that stamped it has been made,
    and its answer is still on the way.
    """

    given: _Head | None = None
    sending: tuple[Effect, ...] = ()  # what it began to send last: its outcome may be unknown
    nudge: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def give(self, head: _Head) -> None:
        self.given = head
        self.nudge.set()

    def is_given(self, effect: EffectId) -> bool:
        return self.given is not None and self.given.effect.id == effect

    def take_given(self) -> _Head | None:
        given, self.given = self.given, None
        return given


class Lanes:
    """The workers of this process. `shut` is told of a place where nothing can be delivered, and why.
    `setbacks`, once there is one, hears of what is set aside, `blockages` of what waits for a person; `refuge` moves
    a thread that has no place."""

    def __init__(
        self,
        store: Store,
        networks: Mapping[NetworkName, Network],
        leases: Leases,
        feed: Feed,
        metrics: Metrics,
        timing: Timing | None = None,
        shut: Callable[[NetworkName, Place, str], Awaitable[None]] | None = None,
    ) -> None:
        self._shut = shut
        self._store = store
        self._networks = networks
        self._leases = leases
        self._feed = feed
        self._metrics = metrics
        self._timing = timing or Timing()
        self._workers: dict[Lane, _Worker] = {}
        self._sweeping: dict[EffectId, asyncio.Task[None]] = {}
        self._deliveries = Deliveries(store)
        self._draining = False
        self.setbacks: Setbacks | None = None
        self.refuge: Refuge | None = None
        self.blockages: Blockages | None = None
        leases.guard(self._busy)

    # ------------------------------------------------------------------ what the relay asks

    def terms(self, partition: int) -> dict[NetworkName, int]:
        if self._draining:
            return {}
        held = {to: self._leases.term(to, partition) for to in self._networks}
        return {to: term for to, term in held.items() if term is not None}

    def send_direct(
        self, stored: Stored, effects: Sequence[Effect], bodies: Mapping[tuple[MessageId, int], Body]
    ) -> None:
        """The commit stamped these for us."""
        since = asyncio.get_running_loop().time()
        for effect in effects:
            self._work(Lane(stored.session.id, effect.to), _Head(Pending(effect), since, Known(stored, bodies)))

    def wake(self, session: SessionId, destinations: Sequence[NetworkName]) -> None:
        """Another process has put something into lanes that may be ours."""
        if destinations:
            self._deliveries.forget(session)
        for to in destinations:
            if to in self._networks and self._leases.term(to, partition_in(session)) is not None:
                self._work(Lane(session, to))

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """Look for lanes that wait, until cancelled. Wake-ups are hints; this is what nothing escapes."""
        for to in self._networks:
            self._metrics.serves(to)
        try:
            await self._name_the_unserved()
            while True:
                self._deliveries.forget_people()
                await asyncio.gather(*map(self._poll, tuple(self._networks)))
                await asyncio.sleep(self._timing.poll)
        finally:
            for task in self._sweeping.values():
                task.cancel()

    async def _name_the_unserved(self) -> None:
        """Lanes of a network that was taken out of the settings wait for ever, and somebody should know."""
        with suppress(KakehashiError):
            for to in await self._store.destinations():
                if to not in self._networks and (waiting := await self._store.stuck_lanes(to, waiting=True)):
                    log.warning("no_adapter_configured", to=to, lanes=len(waiting))

    async def drain(self) -> None:
        """Start nothing new, and return when what is being sent has been acknowledged or given up."""
        self._draining = True
        while self._workers:
            for worker in self._workers.values():
                worker.nudge.set()
            await asyncio.wait([worker.task for worker in self._workers.values() if worker.task is not None])
        if self.blockages is not None:
            await self.blockages.stop()

    def _busy(self, lease: str) -> bool:
        return any(f"{lane.to}@{partition_in(lane.session)}" == lease for lane in self._workers)

    async def _poll(self, to: NetworkName) -> None:
        """One destination's lanes and sweeps. What is wrong with one partition must not hide the others."""
        await asyncio.gather(*(self._poll_partition(partition, to) for partition, _ in self._leases.partitions(to)))

    async def _poll_partition(self, partition: int, to: NetworkName) -> None:
        try:
            now = await self._store.now()
            lanes, sweeps = await asyncio.gather(
                self._store.waiting_lanes(partition, to, now), self._store.sweeps(partition, to, now)
            )
        except KakehashiError as error:
            log.warning("lanes_not_polled", to=to, partition=partition, reason=error.what)
            return
        for lane in lanes:
            self._work(lane)
        for sweep in sweeps:
            self._begin_sweep(to, sweep)

    def _work(self, lane: Lane, head: _Head | None = None) -> None:
        worker = self._workers.get(lane)
        if worker is not None:
            # It takes the next from the lane itself, unless it has just found the lane empty and is about to end.
            if head is not None:
                worker.give(head)
        elif head is not None or not self._draining:
            worker = self._workers[lane] = _Worker(head)
            worker.task = asyncio.get_running_loop().create_task(self._run_worker(lane, worker))

    async def _run_worker(self, lane: Lane, worker: _Worker) -> None:
        try:
            await self._empty(lane, worker)
            while worker.given is not None:
                await self._empty(lane, worker)
        finally:
            del self._workers[lane]

    async def _empty(self, lane: Lane, worker: _Worker) -> None:
        """Carry out what is in the lane until it is empty, has to wait, or is not ours any more."""
        term = self._leases.term(lane.to, partition_in(lane.session))
        given = worker.take_given()
        if term is None:
            return
        try:
            head = given or await self._take(lane, term)
            while head is not None:
                worker.sending = ()
                head = await self._carry(lane, term, head, worker)
                if head is not None and self._given_up(lane, term):
                    await self._hand_over(lane, term, head)
                    return
        except LostLeaseError:
            self._leases.lost(lane.to, partition_in(lane.session), term)
        except KakehashiError as error:
            log.warning("lane_left", session=lane.session, to=lane.to, reason=error.what)
        except Exception:
            log.exception("lane_broke", session=lane.session, to=lane.to)
        if self._leases.term(lane.to, partition_in(lane.session)) != term:
            for effect in worker.sending:
                await self._have_it_swept(lane, effect)

    async def _have_it_swept(self, lane: Lane, effect: Effect) -> None:
        """This process began to send it, and was not heard of for so long that another one has taken over: that one may
        have sent it, too, and have swept already. Whoever holds the lane looks once more when all that is over."""
        log.info("sweep_asked_for", session=lane.session, effect=effect.id)
        with suppress(KakehashiError):
            due = await self._store.now() + int(self._timing.sweep_after * 1000)
            await self._store.sweep_later(lane.to, Sweep(lane.session, effect), due)

    async def _take(self, lane: Lane, term: int) -> _Head | None:
        since = asyncio.get_running_loop().time()
        pending = await self._store.take(lane, term)
        return _Head(pending, since) if pending is not None else None

    async def _hand_over(self, lane: Lane, term: int, head: _Head) -> None:
        """The next one was stamped for us and not sent: without its stamp the next holder need not look for it."""
        if head.pending.stamp is None:
            await self._store.put_off(lane, term, await self._store.now(), "", certain=True)

    def _given_up(self, lane: Lane, term: int) -> bool:
        return self._draining or self._leases.term(lane.to, partition_in(lane.session)) != term

    # ------------------------------------------------------------------ one effect

    async def _carry(self, lane: Lane, term: int, head: _Head, worker: _Worker) -> _Head | None:
        """Deliver the head; the next one, or None when the lane is empty or has to wait."""
        if head.pending.stamp is not None:
            return await self._reconcile(lane, term, head, worker)
        delivery = await self._deliveries.of(lane, head.effect, head.known)
        if delivery is None:
            return await self._set_aside(lane, term, head.effect, "session_missing")
        try:
            behind = await self._wait_in_line(lane, term, delivery, certain=True)
        except DeliveryError as error:
            return await self._failed(lane, term, delivery, worker, error)
        if behind is None:
            return None
        if behind:
            return await self._carry_late(lane, term, head, worker)
        if await self._is_old(head) and not await self._store.stamp(lane, term, head.effect.id):
            return await self._take(lane, term)  # somebody else has seen to it
        return await self._carry_one(lane, term, delivery, worker)

    async def _carry_one(self, lane: Lane, term: int, delivery: Delivery, worker: _Worker) -> _Head | None:
        worker.sending = (delivery.effect,)
        try:
            done = await self._send(delivery)
        except DeliveryError as error:
            return await self._failed(lane, term, delivery, worker, error)
        return await self._done(lane, term, delivery, done)

    # ------------------------------------------------------------------ in line

    async def _wait_in_line(self, lane: Lane, term: int, delivery: Delivery, *, certain: bool) -> bool | None:
        """Whether the place is behind; None when somebody else has to go on with this lane.

        Who waits long takes its stamp off, if it has `certain`ly not been sent: should this process die, nobody need
        look for it.
        """
        network = self._networks[lane.to]
        if not isinstance(network, SupportsTurns) or network.turn_now(delivery):
            return False
        turn = asyncio.get_running_loop().create_task(network.turn(delivery))
        try:
            await asyncio.wait((turn,), timeout=self._timing.poll)
            if not turn.done():
                due = await self._store.now() + int(LINE_KEPT * 1000)
                await self._store.put_off(lane, term, due, "paced", certain=certain)
            while not turn.done():
                if self._given_up(lane, term):
                    await self._store.put_off(lane, term, await self._store.now(), "", certain=certain)
                    return None
                await asyncio.wait((turn,), timeout=self._timing.poll)
            return await turn
        finally:
            turn.cancel()

    async def _carry_late(self, lane: Lane, term: int, head: _Head, worker: _Worker) -> _Head | None:
        """Its turn has come. What it was drawn from may have changed meanwhile, and more may have come."""
        delivery = await self._deliveries.of(lane, head.effect, Known())
        if delivery is None:
            return await self._set_aside(lane, term, head.effect, "session_missing")
        burst = await self._burst(lane, delivery)
        if len(burst) > 1 and await self._store.stamp_together(lane, term, [one.effect.id for one in burst]):
            return await self._carry_together(lane, term, burst, worker)
        if not await self._store.stamp(lane, term, head.effect.id):
            return await self._take(lane, term)
        return await self._carry_one(lane, term, delivery, worker)

    # ------------------------------------------------------------------ several as one

    async def _burst(self, lane: Lane, first: Delivery) -> list[Delivery]:
        """The delivery, and those right behind it that may stand in one post with it."""
        network, burst = self._networks[lane.to], [first]
        if not isinstance(network, SupportsBursts) or not _may_merge(first):
            return burst
        for effect in await self._store.following(lane, MERGED - 1):
            delivery = (
                await self._deliveries.of(lane, effect, Known()) if effect.mirror == first.effect.mirror else None
            )
            if delivery is None or not _may_merge(delivery):
                break
            burst.append(delivery)
        return burst[: network.together(burst)]

    async def _carry_together(self, lane: Lane, term: int, burst: Sequence[Delivery], worker: _Worker) -> _Head | None:
        """All of them are stamped. Whatever comes between, each is found by itself afterwards."""
        worker.sending = tuple(one.effect for one in burst)
        try:
            done = await self._send_together(burst)
        except DeliveryError as error:
            return await self._failed_together(lane, term, burst, worker, error)
        return await self._done_together(lane, term, burst, done)

    async def _send_together(self, burst: Sequence[Delivery]) -> list[Delivered]:
        network = self._bursting(burst[0])
        return await self._counted(burst, lambda: network.deliver_together(burst))

    def _bursting(self, delivery: Delivery) -> SupportsBursts:
        network = self._networks[delivery.effect.to]
        assert isinstance(network, SupportsBursts), "only such a network is given a burst"
        return network

    async def _done_together(
        self, lane: Lane, term: int, burst: Sequence[Delivery], done: Sequence[Delivered], *, sweep: bool = False
    ) -> _Head | None:
        head = None
        for delivery, one in zip(burst, done, strict=True):
            head = await self._done(lane, term, delivery, one, sweep=sweep)
        return head

    async def _failed_together(
        self, lane: Lane, term: int, burst: Sequence[Delivery], worker: _Worker, error: DeliveryError
    ) -> _Head | None:
        """As for one; what Slack would refuse for ever as one post may pass as several."""
        if error.fault is Fault.AMBIGUOUS:
            effects = [one.effect.id for one in burst]
            log.warning("not_delivered", session=lane.session, effects=effects, fault=error.fault, code=error.code)
            return await self._look_together(lane, term, burst, worker)
        await self._store.unstamp(lane, term, [one.effect.id for one in burst[1:]])
        if error.fault is Fault.POISON:
            return await self._carry_one(lane, term, burst[0], worker)
        return await self._failed(lane, term, burst[0], worker, error)

    async def _look_together(self, lane: Lane, term: int, burst: Sequence[Delivery], worker: _Worker) -> _Head | None:
        """Look for all at once. Where only some are there, each is looked for by itself, as after a crash."""
        effects = [one.effect.id for one in burst]
        await self._rest(worker, self._timing.settle_down, unless=effects[0])
        if self._given_up(lane, term):
            return None
        try:
            found = await self._found_together(burst)
            if all(found):
                return await self._done_together(lane, term, burst, [one[0] for one in found], sweep=True)
            if any(found):
                return await self._take(lane, term)
            if await self._wait_in_line(lane, term, burst[0], certain=False) is None:
                return None
            now = [await self._deliveries.of(lane, one.effect, Known()) for one in burst]
            burst = [new or old for new, old in zip(now, burst, strict=True)]
            if not await self._store.stamp_together(lane, term, effects, again=True):
                return await self._take(lane, term)
            done = await self._send_together(burst)
        except DeliveryError as error:
            return await self._wait(lane, term, error, certain=False)
        return await self._done_together(lane, term, burst, done, sweep=True)

    async def _found_together(self, burst: Sequence[Delivery]) -> list[list[Delivered]]:
        network = self._bursting(burst[0])
        return await self._looked(burst[0], lambda: network.find_together(burst))

    async def _is_old(self, head: _Head) -> bool:
        """Whether a send that begins now might outlast the patience of others, who count from its stamp.

        A commit stamps no earlier than when its facts were made.
        """
        age = asyncio.get_running_loop().time() - head.since
        if head.known.stored is not None:
            age = max(age, (await self._store.now() - head.known.stored.session.last_at) / 1000)
        return age > (self._timing.quarantine - self._timing.send_deadline) / 2

    async def _send(self, delivery: Delivery) -> Delivered:
        network = self._networks[delivery.effect.to]
        return await self._counted((delivery,), lambda: network.deliver(delivery))

    async def _counted(self, deliveries: Sequence[Delivery], send: Callable[[], Awaitable[T]]) -> T:
        """One attempt, counted by what came of it."""
        to, clock = deliveries[0].effect.to, asyncio.get_running_loop().time
        begun, outcome = clock(), "done"
        try:
            return await self._attempt(deliveries[0], send)
        except DeliveryError as error:
            outcome = error.fault
            raise
        finally:
            for _ in deliveries:
                self._metrics.delivered(to, outcome, clock() - begun)

    async def _attempt(self, delivery: Delivery, send: Callable[[], Awaitable[T]]) -> T:
        """Within the deadline. What is not a DeliveryError leaves the outcome unknown."""
        try:
            async with asyncio.timeout(self._timing.send_deadline):
                return await send()
        except DeliveryError:
            raise
        except TimeoutError as error:
            raise DeliveryError(Fault.AMBIGUOUS, "deadline") from error
        except Exception as error:
            log.exception("delivery_broke", session=delivery.session.id, effect=delivery.effect.id)
            raise DeliveryError(Fault.AMBIGUOUS, type(error).__name__) from error

    async def _done(
        self, lane: Lane, term: int, delivery: Delivery, done: Delivered, *, sweep: bool = False
    ) -> _Head | None:
        effect = delivery.effect
        since = asyncio.get_running_loop().time()
        sweep_at = await self._store.now() + int(self._timing.sweep_after * 1000) if sweep else None

        async def keep_books() -> Settled:
            if done.thread is not None:
                await self._placed(delivery, done.thread)
            return await self._store.settle(lane, term, effect, done, sweep_at=sweep_at)

        settled = await self._insist(keep_books)
        if isinstance(effect, PostMessage) and effect.side is Side.CUSTOMER:
            await self._feed.signal(delivery.session, Signal("reached", lane.session, message=effect.message))
        return _Head(settled.next, since) if settled.next is not None else None

    async def _insist(self, keep_books: Callable[[], Awaitable[Settled]]) -> Settled:
        """What was sent is known only here until it is in the books: wait for a store that is away for a moment."""
        until = asyncio.get_running_loop().time() + self._timing.send_deadline
        while True:
            try:
                return await keep_books()
            except (StoreUnavailableError, OverloadedError):
                if self._draining or asyncio.get_running_loop().time() >= until:
                    raise
            await asyncio.sleep(min(self._timing.poll, self._timing.send_deadline / 10))

    async def _placed(self, delivery: Delivery, thread: ThreadRef) -> None:
        """Remember whose thread it is before the root leaves its lane; after a crash between, it is found again."""
        session, effect = delivery.session.id, delivery.effect
        await self._store.place(effect.to, thread, Placed(session, effect.mirror))
        self._deliveries.placed(session, effect.mirror, thread)

    async def _set_aside(self, lane: Lane, term: int, effect: Effect, code: str) -> _Head | None:
        since = asyncio.get_running_loop().time()
        if self.setbacks is not None:
            await self.setbacks.set_aside(lane, effect, code)
        settled = await self._store.set_aside(lane, term, effect, code)
        return _Head(settled.next, since) if settled.next is not None else None

    async def _failed(
        self, lane: Lane, term: int, delivery: Delivery, worker: _Worker, error: DeliveryError
    ) -> _Head | None:
        """What is known decides what is done: later, look first, wait for a person, or set aside."""
        effect = delivery.effect
        log.warning("not_delivered", session=lane.session, effect=effect.id, fault=error.fault, code=error.code)
        if error.of_place and not isinstance(effect, CallOperators):  # a call may go to another channel
            await self._tell_shut(delivery, error)
        if error.fault is Fault.AMBIGUOUS:
            return await self._look(lane, term, delivery, worker, self._timing.settle_down)
        if error.fault is Fault.POISON:
            return await self._set_aside(lane, term, effect, error.code)
        return await self._wait(lane, term, await self._blocked(delivery, error), certain=True)

    async def _blocked(self, delivery: Delivery, error: DeliveryError) -> DeliveryError:
        """Whatever a person has to mend is said elsewhere; a root that found no place goes to another one, at once."""
        if error.fault is not Fault.BLOCKED:
            return error
        if self.blockages is not None:
            self.blockages.met(delivery, error)
        if error.of_place and self.refuge is not None and await self.refuge.move(delivery, error.code):
            return DeliveryError(Fault.TRANSIENT, error.code, retry_after=WAKE_AFTER)
        return error

    async def _tell_shut(self, delivery: Delivery, error: DeliveryError) -> None:
        mirrors = {one.number: one for one in delivery.session.mirrors}
        mirror = mirrors.get(delivery.effect.mirror)
        if self._shut is not None and mirror is not None:
            with suppress(KakehashiError):  # a hint for new sessions; this one waits in any case
                for place in (mirror.place, *map(Place, error.also)):
                    await self._shut(mirror.network, place, error.code)

    async def _wait(self, lane: Lane, term: int, error: DeliveryError, *, certain: bool) -> _Head | None:
        """Put the lane off. `certain`: its head was certainly not sent; else it stays stamped, and is looked for."""
        seconds = error.retry_after or await self._patience(lane, error)
        due = await self._store.now() + int(seconds * 1000)
        await self._store.put_off(lane, term, due, error.code, certain=certain)
        asyncio.get_running_loop().call_later(seconds + WAKE_AFTER, self._work, lane)
        return None

    async def _patience(self, lane: Lane, error: DeliveryError) -> float:
        if error.fault is Fault.BLOCKED:
            return self._timing.blocked
        state = await self._store.lane_states(lane.session, lane.to)
        doublings = min(
            state.attempts if state else 0, 16
        )  # enough to reach any limit, and no overflow in a long night
        return float(min(self._timing.back_off * 2**doublings, self._timing.back_off_at_most))

    # ------------------------------------------------------------------ perhaps sent

    async def _reconcile(self, lane: Lane, term: int, head: _Head, worker: _Worker) -> _Head | None:
        """Somebody began to send this. Wait until that send must be over, then look.

        If that somebody is our own relay, it is ours to send at once: when its commit is answered, or is given up.
        """
        assert head.pending.stamp is not None, "only a stamped effect is looked for"
        loop = asyncio.get_running_loop()
        over = head.pending.stamp.at / 1000 + self._timing.quarantine - await self._store.now() / 1000
        until = loop.time() + min(over, self._timing.quarantine)
        while not worker.is_given(head.effect.id) and loop.time() < until and not self._draining:
            await self._rest(worker, min(until - loop.time(), self._timing.poll), unless=head.effect.id)
            again = await self._take(lane, term)
            if again is None or again.pending != head.pending:
                return again
        if worker.is_given(head.effect.id):
            return worker.take_given()
        delivery = await self._deliveries.of(lane, head.effect, head.known)
        if delivery is None:
            return await self._set_aside(lane, term, head.effect, "session_missing")
        return await self._look(lane, term, delivery, worker, 0.0)

    async def _rest(self, worker: _Worker, seconds: float, *, unless: EffectId) -> None:
        """Wait, but no longer than until this effect is given to the worker, or the process drains."""
        until = asyncio.get_running_loop().time() + seconds
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                while not self._draining and not worker.is_given(unless):
                    worker.nudge.clear()
                    await worker.nudge.wait()

    async def _look(self, lane: Lane, term: int, delivery: Delivery, worker: _Worker, after: float) -> _Head | None:
        """Look for what is there; only when there is nothing, send again."""
        effect = delivery.effect.id
        await self._rest(worker, after, unless=effect)
        if self._given_up(lane, term):
            return None
        try:
            found = await self._find(delivery)
            if found:
                return await self._done(lane, term, delivery, found[0], sweep=True)
            behind = await self._wait_in_line(lane, term, delivery, certain=False)
            if behind is None:
                return None
            if behind:
                delivery = await self._deliveries.of(lane, delivery.effect, Known()) or delivery
            if not await self._store.stamp(lane, term, effect):
                return await self._take(lane, term)
            worker.sending = (delivery.effect,)
            done = await self._send(delivery)
        except DeliveryError as error:
            if error.fault is Fault.POISON:
                return await self._failed(lane, term, delivery, worker, error)
            if error.of_place and not isinstance(delivery.effect, CallOperators):
                await self._tell_shut(delivery, error)
            # Even if this attempt certainly came to nothing, the first one may not have: it stays stamped.
            return await self._wait(lane, term, await self._blocked(delivery, error), certain=False)
        return await self._done(lane, term, delivery, done, sweep=True)

    async def _find(self, delivery: Delivery) -> list[Delivered]:
        """What is there. Raises DeliveryError, always ambiguous: it could not be told, so nothing is certain."""
        network = self._networks[delivery.effect.to]
        return await self._looked(delivery, lambda: network.find(delivery))

    async def _looked(self, delivery: Delivery, look: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._timing.send_deadline):
                return await look()
        except DeliveryError as error:
            raise DeliveryError(Fault.AMBIGUOUS, error.code, retry_after=error.retry_after) from error
        except Exception as error:
            name = type(error).__name__
            log.warning("look_broke", session=delivery.session.id, effect=delivery.effect.id, error=name)
            raise DeliveryError(Fault.AMBIGUOUS, "cannot_look") from error

    # ------------------------------------------------------------------ late doubles

    def _begin_sweep(self, to: NetworkName, sweep: Sweep) -> None:
        """Beside the poll, which a platform that does not answer would else hold up."""
        if sweep.effect.id in self._sweeping or len(self._sweeping) >= SWEEPS_AT_ONCE or self._draining:
            return
        task = asyncio.get_running_loop().create_task(self._sweep(to, sweep))
        self._sweeping[sweep.effect.id] = task
        task.add_done_callback(lambda _: self._sweeping.pop(sweep.effect.id, None))

    async def _sweep(self, to: NetworkName, sweep: Sweep) -> None:
        """The effect's outcome was unknown a minute ago. A double that came late is taken back."""
        try:
            await self._remove_doubles(to, sweep)
            await self._store.swept(to, sweep)
            return
        except (DeliveryError, TimeoutError) as error:
            log.warning("sweep_put_off", session=sweep.session, effect=sweep.effect.id, error=str(error))
        except KakehashiError as error:
            log.warning("sweep_put_off", session=sweep.session, effect=sweep.effect.id, error=error.what)
            return  # the store is away; it stays due
        except Exception:
            log.exception("sweep_broke", session=sweep.session, effect=sweep.effect.id)
        with suppress(KakehashiError):
            again_at = await self._store.now() + int(self._timing.sweep_after * 1000)
            await self._store.sweep_later(to, sweep, again_at)

    async def _remove_doubles(self, to: NetworkName, sweep: Sweep) -> None:
        delivery = await self._deliveries.of(Lane(sweep.session, to), sweep.effect, Known())
        if delivery is None:
            return
        kept = await self._in_the_books(sweep)
        delivery = replace(delivery, thread=kept.thread or delivery.thread)
        erased = delivery.session.erased and isinstance(sweep.effect, OpenThread | PostMessage)
        for double in _doubles(await self._find(delivery), kept, erased=erased):
            async with asyncio.timeout(self._timing.send_deadline):
                await self._networks[to].remove_double(delivery, double)
            log.info("double_removed", session=sweep.session, effect=sweep.effect.id)

    async def _in_the_books(self, sweep: Sweep) -> Delivered:
        """What later edits and deletions will go to, and so the one that has to stay."""
        session, effect = sweep.session, sweep.effect
        if isinstance(effect, OpenThread):
            return Delivered((await self._store.threads(session)).get(effect.mirror))
        return Delivered(posts=await self._store.posts(session, kept_under(effect), effect.mirror))


def _doubles(found: Sequence[Delivered], kept: Delivered, *, erased: bool) -> list[Delivered]:
    """All but the one in the books. Where that is gone (people delete, too) all but the oldest, or, erased, all."""
    others = [one for one in found if not _same(one, kept)]
    return others if erased or len(others) < len(found) else others[1:]


def _same(one: Delivered, other: Delivered) -> bool:
    if one.posts and other.posts:
        return not set(one.posts).isdisjoint(other.posts)
    return one.thread is not None and one.thread == other.thread


def _may_merge(delivery: Delivery) -> bool:
    """A customer's words alone. Files stand by themselves, held back and removed ones, too."""
    effect, body = delivery.effect, delivery.body
    is_customers = isinstance(effect, PostMessage) and effect.side is Side.CUSTOMER
    return is_customers and body is not None and not body.files and not body.purged and not delivery.held


MERGED = 10
"""Messages in one post. It bounds what an edit of one of them reads and draws anew."""

LINE_KEPT = 5.0
"""Seconds after which another process goes on with a lane whose process died while it stood in line."""

SWEEPS_AT_ONCE = 16
"""Looks for late doubles under way in one process; the rest are due a moment later."""

WAKE_AFTER = 0.02
"""Seconds after a lane is due by our clock, lest it is not yet by the store's."""
