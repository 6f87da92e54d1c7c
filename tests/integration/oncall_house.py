"""Processes of Kakehashi with pagers, on a real store, in front of the PagerDuty simulator.

A desk here promises an answer within a few milliseconds, so that whoever writes is late at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from adapters.oncall.network import OncallNetwork
from adapters.oncall.pagerduty import PagerDuty
from adapters.oncall.webhook import PagerDutyWebhook
from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from bridge.errors import KakehashiError
from bridge.feed import Feed
from bridge.lanes import Lanes
from bridge.leases import TIMERS, Leases
from bridge.messages import Body, TextPart
from bridge.metrics import Metrics
from bridge.pagers import PageCall, Pager
from bridge.pages import Pages
from bridge.ports import Network
from bridge.relay import Answer, Greeting, Receipt, Relay
from bridge.timers import Timers
from config.locales import text
from routing import inputs as i
from routing.effects import ONCALL
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, NetworkName, OperatorId, Place, SessionId, Topic
from routing.policy import Desk, Ladder, OperatorProfile, Policy, Promise, Promised, Rung, RungKind
from routing.session import Escalation, Session
from routing.view import CustomerNotice
from tests.integration.engine_room import QUICK, hurry
from tests.integration.notice_board import BOARD, Board, BoardNetwork
from tests.simulators.pagerduty import PagerDutySimulator

AIKO, KENJI = OperatorId("aiko"), OperatorId("kenji")
EN, JA = DeskId("en"), DeskId("ja")
NIGHT = "night"
PARTITIONS = 4
TOKYO = ZoneInfo("Asia/Tokyo")
_HOLDERS = itertools.count()
_INPUTS = itertools.count()


def policy(*rungs: Rung, answer_within: int = 600_000) -> Policy:
    """Two desks that promise an answer within 20 ms, and page by this ladder when there is none."""
    ladder = Ladder(rungs or (Rung(RungKind.PAGER, NIGHT, every=600_000),), answer_within)
    promises = tuple(Promise(kind, 20) for kind in (Promised.FIRST_RESPONSE, Promised.NEXT_RESPONSE))
    desks = {
        name: Desk(name, BOARD, Place("C1"), languages=(name,), promises=promises, ladder=ladder) for name in (EN, JA)
    }
    return Policy(desks, operators={one: OperatorProfile(one, {"en": one.title()}) for one in (AIKO, KENJI)})


def quicken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages' waits at about the same scale as the engine room's. A claim still outlasts a call."""
    hurry(monkeypatch, ttl=3_000)
    monkeypatch.setattr("bridge.pagers.CALL_WITHIN", 2.0)
    for name, value in PATIENCE.items():
        monkeypatch.setattr(f"bridge.pages.{name}", value)


PATIENCE = {
    "LOOK_EVERY": 0.05,
    "GATHER": 100,
    "UPDATE_EVERY": 100,
    "TELL_EVERY": 200,
    "RING_EVERY": 100,
    "CLAIMED_FOR": 3_000,
    "BACK_OFF": 20,
    "BACK_OFF_AT_MOST": 100,
    "RESOLVE_AGAIN": 300,
    "CHECK_EVERY": 300,
}


@dataclass
class Bell:
    """A pager that is only told, and remembers what."""

    name: str = NIGHT
    language: str = "en"
    told: list[PageCall] = field(default_factory=list)

    async def page(self, call: PageCall) -> None:
        self.told.append(call)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Process:
    """One process. `die` is a SIGKILL: whatever is under way is never heard of again."""

    store: RedisStore
    relay: Relay
    feed: Feed
    leases: Leases
    lanes: Lanes
    timers: Timers
    pages: Pages
    rules: list[Policy]
    pagers: Mapping[str, Pager]
    runner: web.AppRunner | None = None
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    async def start(self) -> None:
        await self.leases.renew()
        runs = (self.leases.run, self.lanes.run, self.timers.run, self.pages.run, self._hear)
        self.tasks = [asyncio.get_running_loop().create_task(self._again(run)) for run in runs]

    @staticmethod
    async def _again(run: Any) -> None:
        while True:
            with contextlib.suppress(KakehashiError):
                await run()
            await asyncio.sleep(0.05)

    async def _hear(self) -> None:
        async for hint in self.store.hints():
            if hint is not None and hint.signal is None:
                self.relay.outdated(hint.session, hint.head)
                self.lanes.wake(hint.session, hint.lanes)

    async def die(self) -> None:
        workers = [one.task for one in self.lanes._workers.values() if one.task is not None]
        for task in (*self.tasks, *workers, *self.lanes._sweeping.values()):
            task.cancel()
        await asyncio.gather(*self.tasks, *workers, return_exceptions=True)
        for pager in self.pagers.values():
            await pager.close()
        if self.runner is not None:
            await self.runner.cleanup()
        await self.store.close()

    # ------------------------------------------------------------------ what people do

    async def writes(self, name: str, language: str = "en", topic: str = "") -> SessionId:
        message = MessageId(f"c:{next(_INPUTS)}")
        answer = await self.relay.from_customer(
            CustomerKey("main", f"~{name}"),
            i.CustomerWrote(message),
            InputKey(f"web/{message}"),
            body=Body((TextPart("my secret words"),)),
            greeting=Greeting(False, language, Topic(topic)),
        )
        assert isinstance(answer, Receipt), answer
        return answer.stored.session.id

    async def does(self, session: SessionId, event: i.OperatorInput) -> Answer:
        return await self.relay.from_operator(session, event, InputKey(f"desk/{next(_INPUTS)}"))

    async def replies(self, session: SessionId, who: OperatorId = AIKO) -> None:
        event, key = i.OperatorReplied(MessageId(f"o:{next(_INPUTS)}"), who), InputKey(f"desk/{next(_INPUTS)}")
        answer = await self.relay.from_operator(session, event, key, body=Body((TextPart("hello"),)))
        assert isinstance(answer, Receipt), answer

    # ------------------------------------------------------------------ what is so

    async def session(self, session: SessionId) -> Session:
        stored = await self.store.load(session)
        assert stored is not None
        return stored.session

    async def ladder(self, session: SessionId) -> Escalation | None:
        return (await self.session(session)).escalation

    async def notices(self, session: SessionId) -> list[str]:
        """What the customer was told."""
        stored = await self.store.load(session)
        assert stored is not None
        resumed = await self.feed.catch_up(stored, None)
        return [one.event.key for one in resumed.shown if isinstance(one.event, CustomerNotice)]

    async def at_rest(self) -> bool:
        """Nothing rings, and nothing is kept of pages."""
        shelves = [await self.store.shelf(space) for space in ("page", "paging", "unpaging")]
        return not any(shelves)


async def process(
    url: str, prefix: str, pagers: Mapping[str, Pager], rules: Policy, board: Board | None = None
) -> Process:
    """Built, and not yet started."""
    store, _checks = await open_store(Target(url=url, prefix=prefix, partitions=PARTITIONS))
    holder = f"holder-{next(_HOLDERS)}"
    feed, leases = Feed(store), Leases(store, holder, [BOARD, ONCALL, TIMERS])
    networks: dict[NetworkName, Network] = {BOARD: BoardNetwork(board or Board())}
    lanes = Lanes(store, networks, leases, feed, Metrics(), replace(QUICK, send_deadline=2.0, quarantine=2.5))
    current = [rules]
    relay = Relay(store, feed, lambda: current[0], lanes)
    pages = Pages(
        store,
        relay,
        pagers,
        partial(text, "page"),
        holder,
        desk_url="http://desk.test/console",
        zone=lambda _desk: TOKYO,
    )
    networks[ONCALL] = OncallNetwork(pages)
    timers = Timers(store, relay, leases, lambda: current[0])
    return Process(store, relay, feed, leases, lanes, timers, pages, current, pagers)


def pagerduty(simulator: PagerDutySimulator, name: str = NIGHT) -> dict[str, Pager]:
    return {name: PagerDuty(name, simulator.routing_key, simulator.url, "support.example.com")}


PEOPLE = {"PKENJI1": KENJI}


async def listens(one: Process, simulator: PagerDutySimulator) -> None:
    """The process takes PagerDuty's webhooks."""
    hook = PagerDutyWebhook(one.pages, {NIGHT: simulator.secrets[0]}, lambda user, _name: PEOPLE.get(user))
    application = web.Application()
    application.add_subapp("/oncall", hook.application())
    one.runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await one.runner.setup()
    await web.TCPSite(one.runner, "127.0.0.1", 0).start()
    simulator.webhook_url = f"http://127.0.0.1:{one.runner.addresses[0][1]}/oncall/pagerduty"


@asynccontextmanager
async def house(
    url: str,
    prefix: str,
    simulator: PagerDutySimulator | None = None,
    *,
    rules: Policy | None = None,
    pagers: Sequence[Mapping[str, Pager]] = (),
    processes: int = 1,
) -> AsyncIterator[list[Process]]:
    """Running processes; the first one listens for webhooks."""
    made: list[Process] = []
    try:
        for number in range(processes):
            own = pagers[number] if pagers else pagerduty(simulator) if simulator else {}
            made.append(await process(url, prefix, own, rules or policy()))
            await made[-1].start()
        if simulator is not None:
            await listens(made[0], simulator)
        yield made
    finally:
        for one in made:
            await one.die()
