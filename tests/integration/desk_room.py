"""One "process" of the engine with its desks' worker: sessions are listed, offered, handed back, and lines are told.

Nothing runs by itself. A test asks for `settled`, which draws what is stale and makes rounds until nothing changes, so
whatever it asserts then is what these processes come to, however they were stopped before.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from bridge.assignments import Assignments
from bridge.availability import Availability
from bridge.desks import Desks
from bridge.feed import Feed, Queue
from bridge.index import Index
from bridge.leases import DESKS, INDEX, TIMERS, Leases
from bridge.messages import Body, TextPart
from bridge.ports import Stored
from bridge.queues import Queues
from bridge.relay import Answer, Greeting, Receipt, Relay
from bridge.timers import Timers
from bridge.views import Views
from routing import inputs as i
from routing.availability import Choice
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, NetworkName, OperatorId, Place, SessionId, Topic
from routing.policy import Assignment, Desk, OperatorProfile, Policy
from routing.session import Session, State

AIKO, KENJI, MEI = (OperatorId(name) for name in ("aiko", "kenji", "mei"))
TEAM = (AIKO, KENJI, MEI)
EN, JA = DeskId("en"), DeskId("ja")
CONSOLE = NetworkName("console")
POLICY = Policy(
    desks={
        EN: Desk(EN, CONSOLE, Place("en"), ("en",), assignment=Assignment.ROUND_ROBIN),
        JA: Desk(JA, CONSOLE, Place("ja"), ("ja",), assignment=Assignment.ROUND_ROBIN),
    },
    operators={one: OperatorProfile(one, {"en": one.title()}, capacity=2) for one in TEAM},
)
_HOLDERS = itertools.count()
_KEYS = itertools.count()


class NoSenders:
    """Nothing is delivered: only what the engine decides is looked at."""

    def terms(self, partition: int) -> dict[NetworkName, int]:
        del partition
        return {}

    def send_direct(self, stored: Stored, effects: object, bodies: object) -> None:
        raise AssertionError("without a lease nothing is direct")


@dataclass(slots=True)
class Page:
    """A customer's page: what it was told of its line."""

    told: list[Queue | None] = field(default_factory=list)

    def shown(self, session: Session, events: object) -> None:
        """Not looked at here."""

    def behind(self, session: SessionId | None) -> None:
        """Not looked at here."""

    def signalled(self, signal: object) -> None:
        """Not looked at here."""

    def queued(self, session: SessionId, queue: Queue | None) -> None:
        self.told.append(queue)


@dataclass(slots=True)
class Process:
    """Its clock, in seconds, moves with each round, so that no pause has to be waited for."""

    store: RedisStore
    relay: Relay
    feed: Feed
    leases: Leases
    views: Views
    timers: Timers
    availability: Availability
    assignments: Assignments
    index: Index
    queues: Queues
    desks: Desks
    policy: list[Policy]
    clock: float = 0.0

    async def round(self) -> None:
        """Everything that goes on by itself, once."""
        self.clock += 100.0
        await self.leases.renew()
        await self.timers.tick()
        await self.views.tick()
        await self.desks.tick(self.clock)
        await self.queues.tick(self.clock)

    async def settled(self) -> list[Session]:
        """Rounds until no session changes any more; all of them."""
        before: list[Session] | None = None
        for _ in range(50):
            await self.round()
            now = await self.sessions()
            if now == before:
                await self.round()  # for what follows from the last change without changing a session
                return now
            before = now
        raise AssertionError("it never came to rest")

    async def sessions(self) -> list[Session]:
        found = [await self.store.load(session) async for session in self.store.sessions()]
        return sorted((one.session for one in found if one), key=lambda one: one.opened_at)

    async def places(self, operator: OperatorId) -> set[SessionId]:
        return set((await self.store.reservations(operator)).sessions)

    # ------------------------------------------------------------------ what people do

    async def writes(self, name: str, *, language: str = "en", verified: bool = False, said: str = "1") -> Session:
        event, key = i.CustomerWrote(MessageId(f"c:{said}")), InputKey(f"web/{said}")
        greeting = Greeting(verified, language, Topic("account"))
        body = Body((TextPart("hello"),))
        answer = await self.relay.from_customer(customer(name), event, key, body=body, greeting=greeting)
        assert isinstance(answer, Receipt), answer
        return answer.stored.session

    async def is_on(self, *operators: OperatorId) -> None:
        for one in operators:
            await self.availability.choose(one, Choice.ON)

    async def does(self, session: SessionId, event: i.OperatorInput) -> Answer:
        return await self.assignments.from_operator(session, event, InputKey(f"desk/{next(_KEYS)}"))

    def opens_page(self, name: str) -> Page:
        page = Page()
        self.feed.follow(customer(name), page)
        return page

    def believes_in_every_lease(self) -> None:
        """As one does who was paused, and another holds them by now."""
        self.desks._is_ours = lambda name: bool(name)  # type: ignore[method-assign]  # a mistaken process

    async def dies(self) -> None:
        """As SIGKILL: nothing is released, nothing is finished."""
        await self.store.close()


def customer(name: str) -> CustomerKey:
    return CustomerKey("main", f"~{name}")


def held_by(operator: OperatorId, sessions: list[Session]) -> set[SessionId]:
    return {one.id for one in sessions if one.state is State.ASSIGNED and one.assignee == operator}


def offered_to(operator: OperatorId, sessions: list[Session]) -> set[SessionId]:
    return {one.id for one in sessions if one.offer is not None and one.offer.operator == operator}


async def sound(process: Process) -> list[Session]:
    """At rest: every place is a session's that shows it, and nobody has more than they can hold but by replying."""
    sessions = await process.sessions()
    for one in process.policy[0].operators.values():
        mine = held_by(one.id, sessions) | offered_to(one.id, sessions)
        assert await process.places(one.id) == mine, one.id
        assert len(mine) <= one.capacity, one.id
    return sessions


def desks_are(policy: Policy, **changed: object) -> Policy:
    """The same policy with every desk changed so."""
    return replace(policy, desks={name: replace(desk, **changed) for name, desk in policy.desks.items()})  # type: ignore[arg-type]  # by name


async def process(url: str, policy: Policy = POLICY, *, prefix: str = "kakehashi") -> Process:
    """A process on this store; its leases are taken with its first round."""
    store, _checks = await open_store(Target(url=url, prefix=prefix, partitions=4))
    feed, rules = Feed(store), [policy]
    leases = Leases(store, f"holder-{next(_HOLDERS)}", [INDEX, TIMERS, DESKS])
    relay = Relay(store, feed, lambda: rules[0], NoSenders())
    availability = Availability(store, lambda: rules[0])
    assignments = Assignments(store, relay, lambda: rules[0], availability)
    index = Index(store, lambda: rules[0])
    queues = Queues(store, feed, index, lambda: rules[0])
    views = Views(store, {}, leases, lambda: rules[0])
    timers = Timers(store, relay, leases, lambda: rules[0])
    desks = Desks(store, relay, assignments, availability, index, queues, feed, leases, lambda: rules[0])
    return Process(store, relay, feed, leases, views, timers, availability, assignments, index, queues, desks, rules)
