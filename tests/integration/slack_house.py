"""One process of Kakehashi with its Slack desk, on a real store, in front of the Slack simulator."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from adapters.files.store import DiskFiles
from adapters.redis.store import RedisStore
from adapters.slack.network import SlackNetwork
from bridge.availability import Availability
from bridge.berths import Berths
from bridge.blockages import Blockages
from bridge.directory import Directory
from bridge.feed import Feed
from bridge.index import Index
from bridge.lanes import Lanes, Timing
from bridge.leases import INDEX, TIMERS, Leases
from bridge.messages import About, Body, FilePart, TextPart
from bridge.metrics import Metrics
from bridge.networks.attention import Attention
from bridge.networks.orders import Orders
from bridge.networks.roster import Roster
from bridge.networks.whereabouts import Whereabouts
from bridge.ports import Store, Stored
from bridge.purges import Purges
from bridge.refuges import Refuges
from bridge.relay import Answer, Greeting, Receipt, Relay
from bridge.service import Listener, Service
from bridge.setbacks import Setbacks
from bridge.takeovers import Takeovers
from bridge.timers import Timers
from bridge.views import Views
from config.locales import LANGUAGES, text
from config.settings import SlackRates, SlackSettings
from routing.effects import FILES
from routing.facts import Side
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, NetworkName, OperatorId, Place, Topic
from routing.inputs import CustomerInput, CustomerWrote
from routing.policy import Desk, OperatorProfile, Policy, Rota, Shift
from routing.session import Session
from routing.view import CustomerMessage, CustomerNotice
from tests.contract.engines import opened
from tests.simulators.slack import Channel, SlackSimulator
from tests.simulators.slack.workspace import Message

SLACK = NetworkName("slack")


class Anybody(dict[OperatorId, OperatorProfile]):
    """The profiles of a house in which whoever writes in Slack is enrolled: they work at every desk."""

    def get(self, key: OperatorId, default: Any = None) -> Any:
        known = super().get(key, default)
        return known or (OperatorProfile(key, {}) if key.startswith("slack:") else default)


class Enrolled(Directory):
    """Enrols everybody at their first word, but `outsiders` (users by id) and who has lost a place."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.outsiders: set[str] = set()

    def by_network_user(
        self, network: NetworkName, user: str, *, place: str = "", home: bool = False
    ) -> OperatorId | None:
        known = super().by_network_user(network, user, place=place, home=home)
        lost = any(one.user == user and one.place in ("", place) for one in self.losses(network))
        outside = lost or user.rpartition(":")[2] in self.outsiders
        return known or (None if outside else OperatorId(f"{network}:{user}"))


QUICK = Timing(
    send_deadline=4.0,
    quarantine=4.5,
    settle_down=0.01,
    sweep_after=0.2,
    back_off=0.05,
    blocked=0.1,
    poll=0.05,
)
WIDE = SlackRates(posts_per_second=1_000, burst=1_000, posts_per_minute=60_000, tier_multiplier=1_000)
CUSTOMER = CustomerKey("main", "~visitor")
ON_CALL = OperatorId("night")

CALM = 1.0
"""Seconds between pings. A socket is given up after four without an answer, which a busy machine must not cause."""

QUICKLY = 0.1
"""Of the time that anything takes after an outage in a real house."""

SETTLE = 300
"""ms in which deletions that belong together arrive here; in a real house it is seconds."""

_numbers = itertools.count(1)


@dataclass
class House:
    """What a test drives: the customer by `writes`, operators by the simulator's persons."""

    slack: SlackSimulator
    desk: Channel
    store: RedisStore
    relay: Relay
    feed: Feed
    files: DiskFiles
    directory: Enrolled
    network: SlackNetwork
    service: Service
    availability: Availability
    purges: Purges = field(init=False)
    takeovers: Takeovers = field(init=False)

    async def writes(
        self, *parts: str | FilePart, customer: CustomerKey = CUSTOMER, name: str = "Hanako", language: str = "en"
    ) -> Receipt:
        """The customer writes; returns once it is durable."""
        number = next(_numbers)
        body = Body(tuple(TextPart(part) if isinstance(part, str) else part for part in parts))
        greeting = Greeting(False, language, Topic("transfers"), About(name=name, page="https://example.com/trade"))
        event = CustomerWrote(MessageId(f"c:message{number}"))
        answer = await self.relay.from_customer(
            customer, event, InputKey(f"web/message{number}"), body=body, greeting=greeting
        )
        assert isinstance(answer, Receipt)
        return answer

    async def does(self, event: CustomerInput, body: Body | None = None, customer: CustomerKey = CUSTOMER) -> Answer:
        return await self.relay.from_customer(customer, event, InputKey(f"web/{next(_numbers)}"), body=body)

    async def root(self, place: Channel | None = None, number: int = 0) -> Message:
        """The desk's root, once it is there and placed."""
        place = place or self.desk
        await self.slack.until(lambda: len(self.slack.roots(place)) > number)
        return self.slack.roots(place)[number]

    async def thread(self, length: int, place: Channel | None = None) -> list[str]:
        """What people read in the first thread, once it has so many replies."""
        place = place or self.desk
        root = await self.root(place)
        await self.slack.until(lambda: len(self.slack.replies(place, root.ts)) >= length)
        return self.slack.thread(place, root.ts)

    async def session(self, customer: CustomerKey = CUSTOMER) -> Stored:
        current = await self.relay.current(customer)
        assert current is not None
        stored = await self.store.load(current.session.id)
        assert stored is not None
        return stored

    async def customer_sees(self, customer: CustomerKey = CUSTOMER) -> list[str]:
        """The customer's view from the start: messages' words, notices' keys in angle brackets."""
        resumed = await self.feed.catch_up(await self.session(customer), None)
        lines: list[str] = []
        for shown in resumed.shown:
            event = shown.event
            if isinstance(event, CustomerNotice):
                lines.append(f"<{event.key}>")
            elif isinstance(event, CustomerMessage):
                lines.append(_words(event, shown.body))
        return lines

    async def replies_seen(self) -> list[str]:
        resumed = await self.feed.catch_up(await self.session(), None)
        return [
            _words(shown.event, shown.body)
            for shown in resumed.shown
            if isinstance(shown.event, CustomerMessage) and shown.event.side is Side.REPLY
        ]

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        """Return once the answer is true; AssertionError when it does not become so."""
        for _ in range(12_000):
            if await condition():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("it never became so")

    async def settled(self) -> None:
        """No event of Slack's is on its way, and nothing waits to be placed."""
        await self.slack.events.settled()

        async def nothing_waits() -> bool:
            return not await self.store.unplaced(SLACK)

        await self.until(nothing_waits)

    async def lanes_are_empty(self, customer: CustomerKey = CUSTOMER) -> None:
        async def empty() -> bool:
            current = await self.relay.current(customer)
            return current is None or await self.store.lane_states(current.session.id, SLACK) is None

        await self.until(empty)


def _desk_link(session: Session, file: str) -> str:
    return f"https://desk.example.com/console/#{session.code}/{file}"


def _words(event: CustomerMessage, body: Body | None) -> str:
    if event.withdrawn:
        return f"({event.message} withdrawn)"
    return body.text if body is not None else "(erased)"


def settings(slack: SlackSimulator, *, by_http: bool = False, rates: SlackRates = WIDE, **more: Any) -> SlackSettings:
    return SlackSettings(
        bot_token=SecretStr(slack.bot_token),
        app_token=SecretStr(slack.app_token),
        signing_secret=SecretStr(slack.signing_secret),
        api_url=slack.api_url,
        mode="http" if by_http else "socket",
        rates=rates,
        **more,
    )


@asynccontextmanager
async def house(
    engine_url: str,
    folder: Path,
    slack: SlackSimulator,
    *,
    prefix: str = "",
    by_http: bool = False,
    desks: Sequence[Channel] = (),
    rules: dict[str, Any] | None = None,
    rates: SlackRates = WIDE,
    timing: Timing = QUICK,
    operators: Sequence[OperatorId] = (),
    desk_page: str = "",
    ping: float = CALM,
    unit: float = QUICKLY,
    parts: dict[str, Any] | None = None,
    takeover_after: int = 0,
) -> AsyncIterator[House]:
    """A running process. The first of `desks` takes every session; another process joins by the same `prefix`.

    The built-in desk takes over after `takeover_after` ms without a delivery; 0: never."""
    channels = desks or (slack.workspace.channel_named("support") or slack.channel("support"),)
    async with opened(engine_url, prefix or secrets.token_hex(4)) as store:
        files, directory, feed = DiskFiles(folder / "files"), Enrolled(store), Feed(store)
        at = [Desk(DeskId(one.name), SLACK, Place(one.id), **(rules or {})) for one in channels]
        if desk_page:
            at.append(Desk(DeskId("console"), NetworkName("console"), Place("console"), topics=(Topic("none"),)))
        written = Policy(
            {desk.id: desk for desk in at},
            rotas={"night": Rota((Shift(0, 10**15, ON_CALL),))},
            operators={one: OperatorProfile(one, {"en": one.title()}) for one in operators},
        )

        def with_people() -> Policy:
            """Those of the policy, and those who have been enrolled since."""
            return replace(written, operators={**written.operators, **directory.profiles()})

        def policy() -> Policy:
            return replace(written, operators=Anybody(with_people().operators))

        availability = Availability(store, with_people)
        networks: dict[NetworkName, Any] = {}
        leases = Leases(store, secrets.token_hex(4), [SLACK, INDEX, TIMERS, FILES])
        berths = Berths(store, Index(store, policy), policy)
        lanes = Lanes(store, networks, leases, feed, Metrics("test"), timing, berths.shut)
        relay = Relay(store, feed, policy, lanes, berths=berths)
        lanes.setbacks, lanes.refuge = Setbacks(relay), Refuges(store, relay, berths)
        lanes.blockages = Blockages(store, policy, networks, partial(text, "page"))
        chosen = settings(slack, by_http=by_http, rates=rates)
        network = networks[SLACK] = SlackNetwork(
            chosen,
            store,
            relay,
            files,
            directory,
            places=lambda: [Place(one.id) for one in channels],
            whom=Attention(store, policy, availability).whom,
            whereabouts=Whereabouts(store, relay, networks, lambda code: f"{desk_page}/#{code}" if desk_page else ""),
            roster=Roster(store, directory, with_people, availability),
            orders=Orders(partial(text, "thread"), LANGUAGES, directory, desks=lambda: written.desks),
            ping=ping,
            unit=unit,
            settle=SETTLE,
            quiet=1.0,
            policy=policy,
            **(parts or {}),
            desk_link=_desk_link,
            leads=lambda partition: leases.term(SLACK, partition) is not None,
        )
        purges = networks[FILES] = Purges(store, relay, files)
        takeovers = Takeovers(store, relay, leases, {SLACK: takeover_after}, 0.05)
        service = Service(
            store=store,
            relay=relay,
            feed=feed,
            leases=leases,
            lanes=lanes,
            timers=Timers(store, relay, leases, policy),
            views=Views(store, {SLACK: network}, leases, policy),
            networks=networks,
            background=[("berths", berths.run), ("takeovers", takeovers.run)],
        )
        if by_http:
            outer = web.Application()
            outer.add_subapp("/slack", network.http_app())
            service.listeners = [Listener("public", outer, "127.0.0.1", 0)]
        async with service.running():
            if by_http:
                url = service.listeners[0].url
                slack.use_http(*(f"{url}/slack/{door}" for door in ("events", "interactions", "commands")))
            house = House(slack, channels[0], store, relay, feed, files, directory, network, service, availability)
            house.purges, house.takeovers = purges, takeovers
            yield house
        await files.close()
