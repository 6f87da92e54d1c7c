"""Lanes: effects leave in order within (session, destination), and no lane waits for another.

A lane has one worker at a time, in the process that holds the lease. It stamps an effect before it sends it, and
acknowledges it after. Three things can come between: the process dies, the lease is lost, or the answer is. In each
the stamp stays, and whoever goes on treats the effect as *perhaps sent*: it waits until no send can still be under
way, looks at what is there, and only then sends again. A minute later it looks once more and takes late doubles back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import DeliveryError, Fault, KakehashiError, LostLeaseError
from bridge.feed import Feed, Signal
from bridge.leases import Leases
from bridge.messages import About, Body
from bridge.metrics import Metrics
from bridge.ports import Delivered, Delivery, Lane, Network, Pending, Placed, Stamp, Store, Stored, Sweep
from routing.effects import DeleteMirror, Effect, OpenThread, PostMessage, ReviseMessage, WithdrawMessage
from routing.facts import Side
from routing.ids import MessageId, NetworkName, PostRef, SessionId, ThreadRef, partition_in

log = structlog.get_logger(__name__)

Bodies = Mapping[tuple[MessageId, int], Body]


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


@dataclass(slots=True)
class _Known:
    """What a lane's worker knows of its session without asking: it spares reads on the direct path."""

    stored: Stored | None = None
    bodies: Bodies | None = None


class Lanes:
    """The workers of this process."""

    def __init__(
        self,
        store: Store,
        networks: Mapping[NetworkName, Network],
        leases: Leases,
        feed: Feed,
        metrics: Metrics,
        timing: Timing | None = None,
    ) -> None:
        self._store = store
        self._networks = networks
        self._leases = leases
        self._feed = feed
        self._metrics = metrics
        self._timing = timing or Timing()
        self._workers: dict[Lane, asyncio.Task[None]] = {}
        self._handed: dict[Lane, tuple[Pending, _Known]] = {}
        self._threads: dict[tuple[SessionId, int], ThreadRef] = {}
        self._abouts: dict[SessionId, About] = {}
        self._draining = False
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
        for effect in effects:
            lane = Lane(stored.session.id, effect.to)
            self._work(lane, Pending(effect), _Known(stored, bodies))

    def wake(self, session: SessionId, destinations: Sequence[NetworkName]) -> None:
        """Another process has put something into lanes that may be ours."""
        for to in destinations:
            if to in self._networks and self._leases.term(to, partition_in(session)) is not None:
                self._work(Lane(session, to))

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """Look for lanes that wait, until cancelled. Wake-ups are hints; this is what nothing escapes."""
        while True:
            try:
                await self._poll()
            except KakehashiError as error:
                log.warning("lanes_not_polled", reason=error.what)
            await asyncio.sleep(self._timing.poll)

    async def drain(self) -> None:
        """Start nothing new, and return when what is being sent has been acknowledged or given up."""
        self._draining = True
        while self._workers:
            await asyncio.wait(list(self._workers.values()))

    def _busy(self, lease: str) -> bool:
        return any(f"{lane.to}@{partition_in(lane.session)}" == lease for lane in self._workers)

    async def _poll(self) -> None:
        now = await self._store.now()
        for to in self._networks:
            for partition, _term in self._leases.partitions(to):
                for lane in await self._store.waiting_lanes(partition, to, now):
                    self._work(lane)
                for sweep in await self._store.sweeps(partition, to, now):
                    await self._sweep(to, sweep)

    def _work(self, lane: Lane, first: Pending | None = None, known: _Known | None = None) -> None:
        known = known or _Known()
        if lane in self._workers:
            # It takes the next from the lane itself, unless it has just found the lane empty and is about to end.
            if first is not None:
                self._handed[lane] = (first, known)
        elif first is not None or not self._draining:
            self._workers[lane] = asyncio.get_running_loop().create_task(self._worker(lane, first, known))

    async def _worker(self, lane: Lane, pending: Pending | None, known: _Known) -> None:
        try:
            await self._empty(lane, pending, known)
            while lane in self._handed:
                await self._empty(lane, *self._handed.pop(lane))
        except LostLeaseError:
            self._leases.lost(lane.to, partition_in(lane.session))
        except KakehashiError as error:
            log.warning("lane_left", session=lane.session, to=lane.to, reason=error.what)
        finally:
            del self._workers[lane]
            self._handed.pop(lane, None)

    async def _empty(self, lane: Lane, pending: Pending | None, known: _Known) -> None:
        term = self._leases.term(lane.to, partition_in(lane.session))
        if term is None:
            return
        if pending is None:
            pending = await self._store.take(lane, term)
        while pending is not None:
            pending = await self._carry(lane, term, pending, known)
            known = _Known()
            if pending is not None and self._given_up(lane, term):
                await self._hand_over(lane, term, pending)
                return

    async def _hand_over(self, lane: Lane, term: int, pending: Pending) -> None:
        """The next one was stamped for us and not sent: without its stamp the next holder need not look for it."""
        if pending.stamp is None:
            await self._store.put_off(lane, term, await self._store.now(), "", certain=True)

    def _given_up(self, lane: Lane, term: int) -> bool:
        return self._draining or self._leases.term(lane.to, partition_in(lane.session)) != term

    # ------------------------------------------------------------------ one effect

    async def _carry(self, lane: Lane, term: int, pending: Pending, known: _Known) -> Pending | None:
        """Deliver the head; the next one, or None when the lane is empty or has to wait."""
        effect = pending.effect
        delivery = await self._delivery(lane, effect, known)
        if delivery is None:
            return (await self._store.settle(lane, term, effect, Delivered(), sweep_at=None)).next
        try:
            if pending.stamp is not None:
                return await self._reconcile(lane, term, delivery, pending.stamp)
            done = await self._send(delivery)
        except DeliveryError as error:
            return await self._failed(lane, term, delivery, error)
        return await self._done(lane, term, delivery, done)

    async def _send(self, delivery: Delivery) -> Delivered:
        """One attempt within the deadline. What is not a DeliveryError leaves the outcome unknown."""
        network = self._networks[delivery.effect.to]
        try:
            async with asyncio.timeout(self._timing.send_deadline):
                return await network.deliver(delivery)
        except DeliveryError:
            raise
        except TimeoutError as error:
            raise DeliveryError(Fault.AMBIGUOUS, "deadline") from error
        except Exception as error:
            log.exception("delivery_broke", session=delivery.session.id, effect=delivery.effect.id)
            raise DeliveryError(Fault.AMBIGUOUS, type(error).__name__) from error

    async def _done(
        self, lane: Lane, term: int, delivery: Delivery, done: Delivered, *, sweep: bool = False
    ) -> Pending | None:
        effect = delivery.effect
        if done.thread is not None:
            await self._placed(delivery, done.thread)
        sweep_at = await self._store.now() + int(self._timing.sweep_after * 1000) if sweep else None
        settled = await self._store.settle(lane, term, effect, done, sweep_at=sweep_at)
        self._metrics.delivered(lane.to, "done")
        if isinstance(effect, PostMessage) and effect.side is Side.CUSTOMER:
            await self._feed.signal(delivery.session, Signal("reached", lane.session, message=effect.message))
        return settled.next

    async def _placed(self, delivery: Delivery, thread: ThreadRef) -> None:
        """Remember whose thread it is before the root leaves its lane; after a crash between, it is found again."""
        session, effect = delivery.session.id, delivery.effect
        await self._store.place(effect.to, thread, Placed(session, effect.mirror))
        self._threads[session, effect.mirror] = thread

    async def _failed(self, lane: Lane, term: int, delivery: Delivery, error: DeliveryError) -> Pending | None:
        """What is known decides what is done: later, look first, wait for a person, or set aside."""
        effect, timing = delivery.effect, self._timing
        self._metrics.delivered(lane.to, error.fault)
        log.warning("not_delivered", session=lane.session, effect=effect.id, fault=error.fault, code=error.code)
        if error.fault is Fault.AMBIGUOUS:
            return await self._look(lane, term, delivery, timing.settle_down)
        if error.fault is Fault.POISON:
            return (await self._store.set_aside(lane, term, effect, error.code)).next
        if error.fault is Fault.BLOCKED:
            return await self._wait(lane, term, timing.blocked, error)
        return await self._wait(lane, term, error.retry_after or await self._back_off(lane), error)

    async def _back_off(self, lane: Lane) -> float:
        state = await self._store.lane_states(lane.session, lane.to)
        attempts = state.attempts if state else 0
        return float(min(self._timing.back_off * 2**attempts, self._timing.back_off_at_most))

    async def _wait(
        self, lane: Lane, term: int, seconds: float, error: DeliveryError, *, certain: bool = True
    ) -> Pending | None:
        due = await self._store.now() + int(seconds * 1000)
        await self._store.put_off(lane, term, due, error.code, certain=certain)
        asyncio.get_running_loop().call_later(seconds, self._work, lane)
        return None

    # ------------------------------------------------------------------ perhaps sent

    async def _reconcile(self, lane: Lane, term: int, delivery: Delivery, stamp: Stamp) -> Pending | None:
        """Somebody began to send this. Wait until that send must be over, then look."""
        over = stamp.at / 1000 + self._timing.quarantine - await self._store.now() / 1000
        return await self._look(lane, term, delivery, min(max(over, 0.0), self._timing.quarantine))

    async def _look(self, lane: Lane, term: int, delivery: Delivery, after: float) -> Pending | None:
        """Look for what is there; only when there is nothing, send again."""
        await asyncio.sleep(after)
        if self._given_up(lane, term):
            return None
        try:
            found = await self._find(delivery)
        except DeliveryError as error:
            return await self._wait(lane, term, error.retry_after or self._timing.back_off, error, certain=False)
        if found:
            return await self._done(lane, term, delivery, found[0], sweep=True)
        await self._store.stamp(lane, term, delivery.effect.id)
        try:
            done = await self._send(delivery)
        except DeliveryError as error:
            if error.fault is Fault.AMBIGUOUS:  # it stays stamped, so the next attempt looks first, too
                return await self._wait(lane, term, await self._back_off(lane), error, certain=False)
            return await self._failed(lane, term, delivery, error)
        return await self._done(lane, term, delivery, done, sweep=True)

    async def _find(self, delivery: Delivery) -> list[Delivered]:
        network = self._networks[delivery.effect.to]
        try:
            async with asyncio.timeout(self._timing.send_deadline):
                return await network.find(delivery)
        except DeliveryError:
            raise
        except Exception as error:
            log.warning(
                "look_broke", session=delivery.session.id, effect=delivery.effect.id, error=type(error).__name__
            )
            raise DeliveryError(Fault.AMBIGUOUS, "cannot_look") from error

    async def _sweep(self, to: NetworkName, sweep: Sweep) -> None:
        """The effect's outcome was unknown a minute ago. A double that came late is taken back."""
        delivery = await self._delivery(Lane(sweep.session, to), sweep.effect, _Known())
        try:
            found = await self._find(delivery) if delivery else []
            for double in found[1:]:
                if delivery is not None:
                    await self._networks[to].remove_double(delivery, double)
                    log.info("double_removed", session=sweep.session, effect=sweep.effect.id)
        except DeliveryError as error:
            log.warning("sweep_put_off", session=sweep.session, effect=sweep.effect.id, code=error.code)
            return
        await self._store.swept(to, sweep)

    # ------------------------------------------------------------------ what a delivery needs

    async def _delivery(self, lane: Lane, effect: Effect, known: _Known) -> Delivery | None:
        """The effect with all that carries it out; None when there is nothing left to carry out."""
        stored = known.stored or await self._store.load(lane.session)
        if stored is None:
            return None
        return Delivery(
            effect=effect,
            session=stored.session,
            about=await self._about(stored),
            thread=await self._thread(lane.session, effect),
            body=await self._body(lane.session, effect, known),
            posts=await self._posts(lane.session, effect),
        )

    async def _about(self, stored: Stored) -> About:
        session = stored.session.id
        if stored.session.erased:
            self._abouts.pop(session, None)
            return About()
        if session not in self._abouts:
            if len(self._abouts) >= REMEMBERED:
                self._abouts.clear()
            self._abouts[session] = await self._store.about(session)
        return self._abouts[session]

    async def _thread(self, session: SessionId, effect: Effect) -> ThreadRef | None:
        if isinstance(effect, OpenThread):
            return None
        key = (session, effect.mirror)
        if key not in self._threads:
            if len(self._threads) >= REMEMBERED:
                self._threads.clear()
            thread = (await self._store.threads(session)).get(effect.mirror)
            if thread is None:
                return None
            self._threads[key] = thread
        return self._threads[key]

    async def _body(self, session: SessionId, effect: Effect, known: _Known) -> Body | None:
        if not isinstance(effect, PostMessage | ReviseMessage):
            return None
        key = (effect.message, effect.revision)
        if known.bodies is not None and key in known.bodies:
            return known.bodies[key]
        return (await self._store.bodies(session, [key]))[0]

    async def _posts(self, session: SessionId, effect: Effect) -> tuple[PostRef, ...]:
        if isinstance(effect, ReviseMessage | WithdrawMessage):
            return await self._store.posts(session, effect.message, effect.mirror)
        if isinstance(effect, DeleteMirror):
            return await self._store.all_posts(session, effect.mirror)
        return ()


REMEMBERED = 20_000
"""Threads and names kept in memory; the store has them all."""
