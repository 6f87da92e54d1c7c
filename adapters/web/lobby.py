"""The lobby: every customer's page that this process holds, and the rounds that are made among them.

One ticker serves all: heartbeats, the deadline for `hello`, pages that went silent or were told to go. One errand
runner does what needs the store: it says whose customers are here, and compares heads, because a wake-up from another
process is only a hint and may be lost.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import random

import structlog

from adapters.web import render
from adapters.web.audience import Audience
from adapters.web.connection import Connection, Outlet
from adapters.web.house import House
from adapters.web.render import Renderer
from bridge.errors import KakehashiError, StoreUnavailableError
from bridge.feed import Feed
from bridge.metrics import Metrics
from bridge.ports import Store, Stored
from bridge.relay import Relay
from config.settings import WebSettings
from routing.ids import CustomerKey, InputKey, SessionId
from routing.inputs import CustomerArrived
from routing.session import Presence, State

TICK = 1.0
"""Seconds between rounds."""

PRESENT_EVERY = 15.0
"""Seconds between two notes to the store that a session's customer is here."""

GOODBYE = 5.0
"""Seconds that a page has to hang up after it was told to; then the line is cut."""

LOOK_EVERY = 2.0
"""Seconds between looks at what is broken just now."""

NEWS_AT_ONCE = 500
"""Pages that are told of a change of the house's in one round: a desk that opens wakes up all of them."""

READ_AT_ONCE = 64
"""Sessions whose heads are compared at once: enough to fill a pipeline, few enough to leave room for messages."""

log = structlog.get_logger(__name__)


class Lobby:
    """`clock` gives seconds that only grow, `wall_clock` seconds UTC; a test passes numbers to `tick` instead."""

    def __init__(
        self,
        relay: Relay,
        feed: Feed,
        store: Store,
        settings: WebSettings,
        house: House,
        renderer: Renderer,
        metrics: Metrics,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self.relay = relay
        self.feed = feed
        self.store = store
        self.settings = settings
        self.house = house
        self.renderer = renderer
        self.metrics = metrics
        self.clock = clock
        self.wall_clock = wall_clock
        self.present: list[SessionId] = []
        self._audiences: dict[CustomerKey, Audience] = {}
        self._rounds: deque[Audience] = deque()  # by `due`: every period is the same, so appending keeps the order
        self._strangers: OrderedDict[Connection, None] = OrderedDict()  # no hello yet, oldest first
        self._leaving: OrderedDict[Connection, float] = OrderedDict()
        self._behind: deque[Audience] = deque()
        self._beaten: list[Audience] = []
        self._errand = asyncio.Event()
        self._errands = asyncio.Lock()
        self._uninformed: deque[Connection] = deque()  # of the house's news
        self._present_at = 0.0
        self._look_at = 0.0
        self._open = 0

    # ------------------------------------------------------------------ coming and going

    @property
    def connections(self) -> int:
        return self._open

    @property
    def full(self) -> bool:
        return self._open >= self.settings.max_connections

    def enter(self, outlet: Outlet) -> Connection:
        """A page has connected and has yet to say who it is."""
        connection = Connection(self, outlet, self.clock())
        self._open += 1
        self._strangers[connection] = None
        self.metrics.opened(outlet.kind)
        return connection

    def leave(self, connection: Connection) -> None:
        """The page's line has ended, whoever ended it."""
        connection.leaving = True
        self._open -= 1
        self._strangers.pop(connection, None)
        self._leaving.pop(connection, None)
        self.part(connection)
        self.metrics.closed(connection.outlet.kind)

    def join(self, connection: Connection, customer: CustomerKey) -> Audience:
        """The page is this customer's. A page too many makes room by itself: the oldest one goes."""
        self._strangers.pop(connection, None)
        self.part(connection)
        audience = self._audiences.get(customer)
        if audience is None:
            due = self.clock() + self.settings.limits.beat
            audience = self._audiences[customer] = Audience(self, customer, due)
            self._rounds.append(audience)
        if len(audience.connections) >= self.settings.limits.connections_per_customer:
            audience.connections[0].cut("too_many", "too many pages of one customer", 60.0)
        audience.connections.append(connection)
        connection.audience = audience
        return audience

    def part(self, connection: Connection) -> None:
        """The page is nobody's any more."""
        audience, connection.audience = connection.audience, None
        if audience is None or connection not in audience.connections:
            return
        audience.connections.remove(connection)
        if not audience.connections:
            audience.end()
            self._audiences.pop(audience.customer, None)

    def audience(self, customer: CustomerKey) -> Audience | None:
        return self._audiences.get(customer)

    def see_off(self, connection: Connection) -> None:
        """It was told to go: it hears nothing more, and is cut off when it does not hang up."""
        self.part(connection)
        self._strangers.pop(connection, None)
        self._leaving[connection] = self.clock() + GOODBYE

    def start_anew(self, customer: CustomerKey, *, but: Connection | None = None) -> None:
        """What a customer's pages show is another's now: they are to ask again who they are."""
        audience = self._audiences.get(customer)
        for connection in tuple(audience.connections) if audience is not None else ():
            if connection is not but:
                connection.cut("restarting", "the session belongs to an account now", 0.0)

    def expired(self, connection: Connection) -> bool:
        """Whether the page's login has ended; it is then told so, and goes."""
        expires = connection.identity.expires if connection.identity is not None else None
        if expires is None or self.wall_clock() < expires + self.settings.jwt.leeway:
            return False
        connection.cut("expired", "the token has expired")
        return True

    # ------------------------------------------------------------------ the rounds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make the rounds inside the block; say goodbye to everybody at its end."""
        tasks = [asyncio.create_task(self._tick_on()), asyncio.create_task(self._run_errands())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def say_goodbye(self) -> None:
        """The process stops: everybody is to come back, though not all at once."""
        known = [one for audience in self._audiences.values() for one in audience.connections]
        for connection in [*known, *self._strangers]:
            connection.cut("restarting", "the service restarts", round(0.5 + 4 * random(), 2))  # noqa: S311  # jitter

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                self.tick(self.clock())
            except Exception:
                log.exception("customer_rounds_broke")

    def tick(self, now: float) -> None:
        """One round at `now`, in seconds of the clock."""
        self._cut_late_strangers(now)
        self._cut_leavers(now)
        self._beat(now)
        self._tell_news()
        if now >= self._present_at:
            self._present_at = now + PRESENT_EVERY
            self.present.extend(one.session for one in self._audiences.values() if one.open and one.session)
        self._errand.set()

    def _cut_late_strangers(self, now: float) -> None:
        within = self.settings.limits.hello_within
        while self._strangers and now - (connection := next(iter(self._strangers))).opened >= within:
            connection.cut("hello_late", f"no hello within {within:g} seconds")

    def _cut_leavers(self, now: float) -> None:
        while self._leaving and next(iter(self._leaving.values())) <= now:
            connection, _ = self._leaving.popitem(last=False)
            connection.outlet.abort()

    def _beat(self, now: float) -> None:
        """Heartbeats that are due; a crowd that came at once is spread over the period by a bound on each round."""
        bound = 100 + int(2 * len(self._rounds) * TICK / self.settings.limits.beat)
        while self._rounds and self._rounds[0].due <= now and bound:
            bound -= 1
            audience = self._rounds.popleft()
            if audience.ended:
                continue
            audience.due = now + self.settings.limits.beat
            self._rounds.append(audience)
            for connection in tuple(audience.connections):
                self._beat_one(connection, now)
            if audience.open or self.feed.others:
                self._beaten.append(audience)

    def _tell_news(self) -> None:
        """A desk has opened, an incident has begun or ended: all hear of it, though not in one breath."""
        if self.house.changed():
            pages = (one for audience in self._audiences.values() for one in audience.connections)
            self._uninformed = deque(pages)
        for _ in range(min(NEWS_AT_ONCE, len(self._uninformed))):
            connection = self._uninformed.popleft()
            if connection.live:
                connection.write(self.house.frame(connection.language))
            elif not connection.leaving:
                self._uninformed.append(connection)  # its welcome is on the way, and may have been made before

    def _beat_one(self, connection: Connection, now: float) -> None:
        if now - connection.heard > connection.outlet.patience:
            connection.cut("silent", "nothing was heard from the page")
        elif not self.expired(connection) and connection.live:
            connection.write(render.beat(connection.position.offset if connection.position else 0))

    # ------------------------------------------------------------------ errands to the store

    def behind(self, audience: Audience) -> None:
        """Something was missed: read it soon."""
        self._behind.append(audience)
        self._errand.set()

    async def _run_errands(self) -> None:
        while True:
            await self._errand.wait()
            self._errand.clear()
            try:
                await self.run_errands()
            except StoreUnavailableError:
                log.warning("customer_errands_put_off")
            except Exception:
                log.exception("customer_errands_broke")

    async def run_errands(self) -> None:
        """Everything that is to be done with the store now. What fails is done at the next round."""
        async with self._errands:
            await self._catch_up_all()
            await self._say_who_is_here()
            beaten, self._beaten = self._beaten, []
            for start in range(0, len(beaten), READ_AT_ONCE):
                await asyncio.gather(*map(self._compare, beaten[start : start + READ_AT_ONCE]))
                await self._catch_up_all()
            await self._look_at_the_house()

    async def _catch_up_all(self) -> None:
        waiting, self._behind = self._behind, deque()
        results = await asyncio.gather(*map(self._catch_up, waiting), return_exceptions=True)
        for audience, result in zip(waiting, results, strict=True):
            if isinstance(result, BaseException):
                audience.stale = True
                self._behind.append(audience)  # the next round tries again
                log.warning("customer_not_caught_up", problem=type(result).__name__)

    async def _catch_up(self, audience: Audience) -> None:
        if audience.ended:
            return
        audience.stale = False  # what is missed from here on is asked for again
        latest = await self.store.open_session(audience.customer)
        earlier = audience.sessions_shown() - {latest}
        for session in [*earlier, *([latest] if latest else [])]:
            await self._catch_up_in(audience, session)

    async def _catch_up_in(self, audience: Audience, session: SessionId) -> None:
        stored = await self.store.load(session)
        if stored is None or stored.session.customer != audience.customer:
            return
        place = audience.lowest(session)
        audience.resumed(stored.session, await self.feed.catch_up(stored, place), place)

    async def _look_at_the_house(self) -> None:
        now = self.clock()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            await self.house.look()

    async def _say_who_is_here(self) -> None:
        present, self.present = list(dict.fromkeys(self.present)), []
        if present:
            await self.store.alive(present, await self.store.now())

    async def _compare(self, audience: Audience) -> None:
        """The journal's head against what the pages were told; and does the session know that they are here?"""
        if self.feed.others and await self.store.open_session(audience.customer) not in (None, audience.session):
            audience.catch_up()
            return
        stored = await self._current(audience)
        if stored is None or audience.ended:
            return
        if stored.session.customer != audience.customer:
            self.start_anew(audience.customer)
        elif any(_is_behind(one, stored) for one in audience.connections):
            audience.catch_up()
        else:
            await self.arrive(stored)

    async def _current(self, audience: Audience) -> Stored | None:
        """The session that the pages show. Alone, this process knows it by heart; beside others only the store does."""
        if audience.session is None:
            return None
        look = self.store.load if self.feed.others else self.relay.session
        return await look(audience.session)

    async def arrive(self, stored: Stored) -> None:
        """Tell the session that its customer is here, if it believes otherwise."""
        session = stored.session
        if session.state is State.CLOSED or session.presence is Presence.HERE:
            return
        key = InputKey(f"web/arrived/{session.id}/{stored.head}")
        with suppress(KakehashiError):  # the next round says it again
            await self.relay.from_customer(session.customer, CustomerArrived(), key)


def _is_behind(connection: Connection, stored: Stored) -> bool:
    if not connection.live or connection.session != stored.session.id:
        return False
    return (connection.position.offset if connection.position else 0) < stored.visible
