"""One process of Kakehashi with its Discord desk, on a real store, in front of the Discord simulator."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from adapters.discord.network import DiscordNetwork
from adapters.files.store import DiskFiles
from adapters.redis.store import RedisStore
from bridge.availability import Availability
from bridge.berths import Berths
from bridge.blockages import Blockages
from bridge.directory import Directory, Operator
from bridge.feed import Feed
from bridge.files import MIB, FileLimits
from bridge.index import Index
from bridge.lanes import Lanes, Timing
from bridge.leases import INDEX, TIMERS, Leases
from bridge.messages import About, Body, FilePart, TextPart
from bridge.metrics import Metrics
from bridge.networks.attention import Attention
from bridge.networks.orders import Orders
from bridge.networks.roster import Roster
from bridge.networks.whereabouts import Whereabouts
from bridge.ports import Stored
from bridge.purges import Purges
from bridge.refuges import Refuges
from bridge.relay import Answer, Greeting, Receipt, Relay
from bridge.service import Service
from bridge.setbacks import Setbacks
from bridge.takeovers import Takeovers
from bridge.timers import Timers
from bridge.views import Views
from config.locales import LANGUAGES, text
from config.settings import DiscordSettings
from routing.effects import FILES
from routing.facts import Side
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, NetworkName, OperatorId, Place, Topic
from routing.inputs import CustomerInput, CustomerWrote
from routing.policy import Desk, Policy, Rota
from routing.view import CustomerMessage, CustomerNotice
from tests.contract.engines import opened
from tests.simulators.discord import Channel, DiscordSimulator, Message, Person, Thread

DISCORD = NetworkName("discord")
CUSTOMER = CustomerKey("main", "~visitor")

SETTLE = 300
"""ms that a deletion waits for others."""

QUICK = Timing(
    send_deadline=4.0,
    quarantine=4.5,
    settle_down=0.01,
    sweep_after=0.2,
    back_off=0.05,
    blocked=0.1,
    poll=0.05,
)

_numbers = itertools.count(1)


class Ear(DiscordNetwork):
    """The network, which knows the event that it heard last: by the gateway's session, and by its number there."""

    heard = "/0"

    def _hear(self, kind: str, data: Any, told: str) -> None:
        super()._hear(kind, data, told)
        self.heard = told

    async def hears_all_of(self, discord: DiscordSimulator) -> None:
        """Return when nothing is on its way. What was sent may still be in a buffer between Discord and us."""
        await discord.events.settled()
        await discord.until(lambda: self._has_heard(discord))

    def _has_heard(self, discord: DiscordSimulator) -> bool:
        connected = [one.session for one in discord.gateway.listening if not one.deaf]
        sent = {session.id: session.seq for session in connected if session is not None}
        session, _, number = self.heard.rpartition("/")
        return int(number) >= sent.get(session, 0)


@dataclass
class House:
    """What a test drives: the customer by `writes`, operators by the simulator's persons."""

    discord: DiscordSimulator
    desk: Channel
    store: RedisStore
    relay: Relay
    feed: Feed
    files: DiskFiles
    directory: Directory
    network: Ear
    service: Service
    purges: Purges

    async def enrol(self, person: Person) -> OperatorId:
        """This person's words are an operator's from now on."""
        operator = OperatorId(person.name)
        known = Operator(operator, person.name, {"en": person.name.title()}, network_users={DISCORD: (person.id,)})
        await self.directory.add(known)
        return operator

    async def writes(self, *parts: str | FilePart, name: str = "Hanako", customer: CustomerKey = CUSTOMER) -> Receipt:
        """The customer writes; returns once it is durable."""
        number = next(_numbers)
        body = Body(tuple(TextPart(part) if isinstance(part, str) else part for part in parts))
        greeting = Greeting(False, "en", Topic("transfers"), About(name=name, page="https://example.com/trade"))
        event = CustomerWrote(MessageId(f"c:message{number}"))
        answer = await self.relay.from_customer(
            customer, event, InputKey(f"web/message{number}"), body=body, greeting=greeting
        )
        assert isinstance(answer, Receipt)
        return answer

    async def does(self, event: CustomerInput, body: Body | None = None) -> Answer:
        return await self.relay.from_customer(CUSTOMER, event, InputKey(f"web/{next(_numbers)}"), body=body)

    async def thread(self, number: int = 0) -> Thread:
        """The desk's thread, once it is there and placed."""
        await self.discord.until(lambda: len(self.discord.threads(self.desk)) > number)
        thread = self.discord.threads(self.desk)[number]

        async def is_placed() -> bool:
            ref = f"{self.discord.guild.id}:{thread.id}"
            return await self.store.placed(DISCORD, ref) is not None  # type: ignore[arg-type]  # a thread's reference

        await self.until(is_placed)
        return thread

    def card(self, thread: Thread) -> Message:
        """The session's card: the first message of a forum's post, else what the thread hangs on."""
        return thread.messages.get(thread.id) or self.desk.messages[thread.id]

    def said(self, thread: Thread) -> list[str]:
        """What people read beneath the card."""
        return [self.discord.seen(one) for one in self.discord.messages(thread) if one.id != thread.id]

    async def shows(self, thread: Thread, *words: str) -> list[str]:
        """What stands in the thread, once each of the words is read there."""
        await self.discord.until(lambda: all(any(one in line for line in self.said(thread)) for one in words))
        return self.said(thread)

    async def session(self) -> Stored:
        current = await self.relay.current(CUSTOMER)
        assert current is not None
        stored = await self.store.load(current.session.id)
        assert stored is not None
        return stored

    async def customer_sees(self) -> list[str]:
        """The customer's view from the start: messages' words, notices' keys in angle brackets."""
        resumed = await self.feed.catch_up(await self.session(), None)
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

    async def reads(self, *replies: str) -> None:
        """Return once the customer's replies are these."""
        for _ in range(12_000):
            if (seen := await self.replies_seen()) == list(replies):
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"the customer reads {seen}")

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        """Return once the answer is true; AssertionError when it does not become so."""
        for _ in range(12_000):
            if await condition():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("it never became so")

    async def listens(self) -> None:
        """The gateway is open."""
        await self.discord.until(lambda: self.network.listens)

    async def settled(self) -> None:
        """No event of Discord's is on its way, and nothing waits to be placed or taken."""
        await self.network.hears_all_of(self.discord)

        async def nothing_waits() -> bool:
            return not self.network.busy and not await self.store.unplaced(DISCORD)

        await self.until(nothing_waits)

    async def lanes_are_empty(self) -> None:
        async def empty() -> bool:
            current = await self.relay.current(CUSTOMER)
            return current is None or await self.store.lane_states(current.session.id, DISCORD) is None

        await self.until(empty)


def _words(event: CustomerMessage, body: Body | None) -> str:
    if event.withdrawn:
        return f"({event.message} withdrawn)"
    return body.text if body is not None else "(erased)"


def settings(discord: DiscordSimulator, **chosen: Any) -> DiscordSettings:
    return DiscordSettings(
        **chosen,
        bot_token=SecretStr(discord.token),
        api_url=f"{discord.api_url}/",
        gateway_url=discord.gateway_url,
        cdn_url=f"{discord.cdn_url}/",
    )


@asynccontextmanager
async def house(
    engine_url: str,
    folder: Path,
    discord: DiscordSimulator,
    *,
    desks: Sequence[Channel],
    prefix: str = "",
    rules: dict[str, Any] | None = None,
    beside: Sequence[Desk] = (),
    rotas: dict[str, Rota] | None = None,
    timing: Timing = QUICK,
    chosen: dict[str, Any] | None = None,
    parts: dict[str, Any] | None = None,
    largest: int = 10 * MIB,
    asks: bool = False,
    takeover_after: int = 0,
) -> AsyncIterator[House]:
    """A running process. The first of `desks` takes every session; another process joins by the same `prefix`.
    `beside`: desks that are not in Discord. `chosen`: settings of Discord's; `parts`: what else the network is made of;
    `largest`: bytes of a file; `asks`: operators have commands. The built-in desk takes over after `takeover_after` ms
    without a delivery; 0: never."""
    async with opened(engine_url, prefix or secrets.token_hex(4)) as store:
        files = DiskFiles(folder / "files", FileLimits(file_bytes=largest))
        directory, feed = Directory(store), Feed(store)
        await directory.refresh()
        at = [Desk(DeskId(one.name), DISCORD, Place(one.id), **(rules or {})) for one in desks]
        written = Policy({desk.id: desk for desk in (*at, *beside)}, rotas=rotas or {})

        def policy() -> Policy:
            return replace(written, operators=dict(directory.profiles()))

        networks: dict[NetworkName, Any] = {}
        leases = Leases(store, secrets.token_hex(4), [DISCORD, INDEX, TIMERS, FILES])
        berths = Berths(store, Index(store, policy), policy)
        lanes = Lanes(store, networks, leases, feed, Metrics("test"), timing, berths.shut)
        relay = Relay(store, feed, policy, lanes, berths=berths)
        lanes.setbacks, lanes.refuge = Setbacks(relay), Refuges(store, relay, berths)
        lanes.blockages = Blockages(store, policy, networks, partial(text, "page"))
        availability = Availability(store, policy)
        network = networks[DISCORD] = Ear(
            settings(discord, **(chosen or {})),
            store,
            relay,
            files,
            directory,
            places=lambda: [Place(one.id) for one in desks],
            whom=Attention(store, policy, availability).whom,
            whereabouts=Whereabouts(store, relay, networks),
            policy=policy,
            desk_link=lambda session, file: f"https://desk.example/#{session.code}/{file}",
            orders=Orders(partial(text, "thread"), LANGUAGES, directory, desks=lambda: written.desks),
            file_link=lambda session, file: (f"https://files.example/{file.file}", 1_790_000_000_000),
            holder=leases.holder,
            unit=0.1,
            settle=SETTLE,
            roster=Roster(store, directory, policy, availability) if asks else None,
            **(parts or {}),
        )
        purges = networks[FILES] = Purges(store, relay, files)
        takeovers = Takeovers(store, relay, leases, {DISCORD: takeover_after}, 0.05)
        service = Service(
            store=store,
            relay=relay,
            feed=feed,
            leases=leases,
            lanes=lanes,
            timers=Timers(store, relay, leases, policy),
            views=Views(store, {DISCORD: network}, leases, policy),
            networks=networks,
            background=[("berths", berths.run), ("directory", directory.follow), ("takeovers", takeovers.run)],
        )
        async with service.running():
            yield House(discord, desks[0], store, relay, feed, files, directory, network, service, purges)
        await files.close()
    every_call_says_whom_it_rings(discord)


RINGING = {"parse", "users", "roles", "replied_user"}


def every_call_says_whom_it_rings(discord: DiscordSimulator) -> None:
    """In whatever story: what a call leaves out of `allowed_mentions`, Discord allows."""
    for call in discord.calls:
        for message in _messages_in(call.fields):
            assert set(message.get("allowed_mentions") or ()) == RINGING, f"{call.route} leaves open whom it rings"


def _messages_in(body: dict[str, Any]) -> list[dict[str, Any]]:
    """What of a call's body people will read: itself, a forum post's first message, the answer to an interaction."""
    inner = [body.get(name) for name in ("message", "data")]
    found = [body, *(one for one in inner if isinstance(one, dict))]
    return [one for one in found if any(one.get(name) for name in ("content", "embeds"))]
