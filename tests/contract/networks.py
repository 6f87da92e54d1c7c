"""The three networks that there are, each with its outside, as the contract's tests drive them: no lanes, no timers.

A `Bench` carries out one effect at a time, in the lane's order, and keeps the books only when it is told to: what
stands between a delivery and its books is what the port's promises are about.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from adapters.console.accounts import mint_sign_in_link
from adapters.console.network import ConsoleNetwork
from adapters.files.store import DiskFiles
from adapters.redis.store import RedisStore
from adapters.slack.network import SlackNetwork
from adapters.slack.setup.manifest import manifest
from bridge.deliveries import Deliveries, Known
from bridge.directory import Directory, Operator
from bridge.feed import Feed
from bridge.lanes import Lanes
from bridge.leases import Leases
from bridge.messages import About, Body, TextPart
from bridge.metrics import Metrics
from bridge.ports import Delivered, Delivery, Lane, Lease, Network, Placed, Stored
from bridge.relay import Greeting, Receipt, Relay
from routing.effects import OpenThread
from routing.facts import Side
from routing.ids import (
    CustomerKey,
    DeskId,
    EffectId,
    InputKey,
    MessageId,
    NetworkName,
    OperatorId,
    Place,
    SessionId,
    ThreadRef,
    Topic,
    partition_in,
)
from routing.inputs import CustomerInput, CustomerWrote, OperatorInput
from routing.policy import Desk, Policy
from routing.view import CustomerMessage
from tests.contract.engines import opened
from tests.contract.outsides import AtTheDesk, OnDiscord, OnSlack, Outside, Platform
from tests.integration import console_house, discord_house, slack_house
from tests.integration.engine_room import until
from tests.scenarios.console_desk import console_desk
from tests.simulators.discord import DiscordSimulator
from tests.simulators.discord.permissions import BOT
from tests.simulators.slack import SlackSimulator

KENJI = OperatorId("kenji")

_numbers = itertools.count(1)


@dataclass
class Bench:
    """One session at a time at one desk, with `network` started."""

    name: str
    network: Any
    outside: Outside
    place: Place
    store: RedisStore
    relay: Relay
    feed: Feed
    listens: Callable[[], bool]
    settled: Callable[[], Awaitable[None]]
    """Return once nothing that people did is on its way."""
    session: SessionId = field(default=SessionId(""))
    thread: ThreadRef = field(default=ThreadRef(""))
    _leases: dict[int, Lease] = field(default_factory=dict)

    @property
    def to(self) -> NetworkName:
        return NetworkName(self.network.name)

    @property
    def platform(self) -> Platform:
        """The outside of one of PLATFORMS."""
        assert self.name != "console", "nobody's platform stands between us and the page"
        return cast(Platform, self.outside)

    # ------------------------------------------------------------------ what happens

    async def writes(self, text: str, *, customer: str = "visitor", name: str = "Hanako") -> MessageId:
        message = MessageId(f"c:message{next(_numbers)}")
        greeting = Greeting(False, "en", Topic("transfers"), About(name=name))
        answer = await self.relay.from_customer(
            CustomerKey("main", f"~{customer}"),
            CustomerWrote(message),
            InputKey(f"web/{message}"),
            body=Body((TextPart(text),)),
            greeting=greeting,
        )
        assert isinstance(answer, Receipt)
        self.session = answer.stored.session.id
        return message

    async def customer(self, event: CustomerInput, text: str = "") -> None:
        body = Body((TextPart(text),)) if text else None
        stored = await self.stored()
        await self.relay.from_customer(stored.session.customer, event, InputKey(f"web/{next(_numbers)}"), body=body)

    async def does(self, event: OperatorInput, text: str = "") -> None:
        body = Body((TextPart(text),)) if text else None
        answer = await self.relay.from_operator(self.session, event, InputKey(f"desk/{next(_numbers)}"), body=body)
        assert isinstance(answer, Receipt), answer

    async def stored(self) -> Stored:
        stored = await self.store.load(self.session)
        assert stored is not None
        return stored

    async def replies(self) -> list[str]:
        """As they read now, in order."""
        said: dict[MessageId, str] = {}
        for shown in (await self.feed.catch_up(await self.stored(), None)).shown:
            event = shown.event
            if isinstance(event, CustomerMessage) and event.side is Side.REPLY:
                said[event.message] = (
                    "(withdrawn)" if event.withdrawn else shown.body.text if shown.body else "(erased)"
                )
        return list(said.values())

    async def reads(self, *replies: str) -> None:
        """Return once the customer's replies are these."""

        async def are_these() -> bool:
            return await self.replies() == list(replies)

        await until(are_these, f"the customer reads {replies}")

    # ------------------------------------------------------------------ the lane, by hand

    async def next(self) -> Delivery:
        """The head of the session's lane, with all that carries it out."""
        lane = Lane(self.session, self.to)
        pending = await self.store.take(lane, (await self._lease(lane)).term)
        assert pending is not None, "the lane is empty"
        delivery = await Deliveries(self.store).of(lane, pending.effect, Known())
        assert delivery is not None
        return delivery

    async def waiting(self) -> list[Delivery]:
        """All that the lane holds, which may go out as one."""
        first, lane = await self.next(), Lane(self.session, self.to)
        behind = [await Deliveries(self.store).of(lane, one, Known()) for one in await self.store.following(lane, 9)]
        return [first, *(one for one in behind if one is not None)]

    async def settle(self, delivery: Delivery, done: Delivered) -> None:
        """The books, as the lanes keep them."""
        session, effect = delivery.session.id, delivery.effect
        lane = Lane(session, self.to)
        if done.thread is not None:
            await self.store.place(self.to, done.thread, Placed(session, effect.mirror))
            self.thread = done.thread
        await self.store.settle(lane, (await self._lease(lane)).term, effect, done, sweep_at=None)

    async def deliver(self) -> Delivered:
        """The head of the lane, and the books."""
        delivery = await self.next()
        done: Delivered = await self.network.deliver(delivery)
        await self.settle(delivery, done)
        return done

    async def deliver_all(self) -> list[Delivered]:
        """Everything that the lane holds."""
        done = []
        while await self.store.lane_states(self.session, self.to) is not None:
            done.append(await self.deliver())
        return done

    async def opens(self, text: str = "hello", **more: str) -> ThreadRef:
        """A session whose thread is there, with the customer's first words in it."""
        await self.writes(text, **more)
        await self.deliver_all()
        return self.thread

    async def card(self) -> Delivery:
        """What the card is drawn from, as it is now."""
        stored = await self.stored()
        effect = OpenThread(id=EffectId(f"card/{stored.head}"), to=self.to, mirror=stored.session.mirror.number)
        about = await self.store.about(self.session)
        return Delivery(effect, stored.session, about, thread=self.thread)

    async def post_again(self, delivery: Delivery) -> Delivered:
        """As another process does that knows nothing of the first post, when the platform has forgotten it, too."""
        self.platform.forget()
        done: Delivered = await self.network.deliver(delivery)
        return done

    async def _lease(self, lane: Lane) -> Lease:
        partition = partition_in(lane.session)
        if partition not in self._leases:
            lease = await self.store.hold(f"{self.to}@{partition}", "bench", 600_000)
            assert lease is not None
            self._leases[partition] = lease
        return self._leases[partition]


# ------------------------------------------------------------------ putting one up

NETWORKS = ("slack", "discord", "console")

PLATFORMS = ("slack", "discord")
"""Those with a platform of somebody else's between us and the people. What it does to us cannot befall the built-in
desk, which shows the journal itself: an answer or a request that is lost, a limit, a place that is shut, an outage, a
second root or post; nor is it asked for powers that it has by another way: its page hears of typing from the feed and
of announcements from the store, and `Whereabouts` knows its address."""

PLACES = ("slack", "discord", "forum")
"""Where a thread is opened differently."""


@asynccontextmanager
async def bench(name: str, engine_url: str, folder: Path, *, start: bool = True) -> AsyncIterator[Bench]:
    """`name`: one of NETWORKS; `forum` is Discord's other kind of channel."""
    async with opened(engine_url, secrets.token_hex(4)) as store:
        put_up = {"slack": _slack, "console": _console}.get(name, _discord)
        directory, files, feed = Directory(store), DiskFiles(folder / "files"), Feed(store)
        async with put_up(name, store, directory, files, feed) as one:
            if start:
                await one.network.start()
            yield one
            await one.network.stop()
        await files.close()


Rules = Callable[[], Policy]


def _one_desk(directory: Directory, network: NetworkName, place: str) -> Rules:
    desk = Desk(DeskId("support"), network, Place(place))
    return lambda: replace(Policy({desk.id: desk}), operators=dict(directory.profiles()))


def _relay(store: RedisStore, feed: Feed, policy: Rules) -> Relay:
    leases = Leases(store, "bench", [])
    return Relay(store, feed, policy, Lanes(store, {}, leases, feed, Metrics("test")))


async def _is_empty(store: RedisStore, network: NetworkName) -> bool:
    return not await store.unplaced(network)


async def _nothing_is_on_its_way() -> None:
    """The page's input comes in by its own server."""


@asynccontextmanager
async def _slack(
    name: str, store: RedisStore, directory: Directory, files: DiskFiles, feed: Feed
) -> AsyncIterator[Bench]:
    async with SlackSimulator(limits=False) as slack:
        slack.install(manifest(slack_house.settings(slack), "http://127.0.0.1"))
        channel, person = slack.channel("support"), slack.person("kenji")
        user = f"{slack.workspace.team_id}:{person.id}"
        await directory.add(Operator(KENJI, "kenji", {"en": "Kenji"}, network_users={slack_house.SLACK: (user,)}))
        relay = _relay(store, feed, _one_desk(directory, slack_house.SLACK, channel.id))
        network = SlackNetwork(
            slack_house.settings(slack),
            store,
            relay,
            files,
            directory,
            places=lambda: [Place(channel.id)],
            unit=0.1,
            settle=50,
        )

        async def settled() -> None:
            await slack.events.settled()
            await until(lambda: _is_empty(store, network.name), "everything is placed")

        yield Bench(
            name, network, OnSlack(slack, channel), Place(channel.id), store, relay, feed, lambda: True, settled
        )


@asynccontextmanager
async def _discord(
    name: str, store: RedisStore, directory: Directory, files: DiskFiles, feed: Feed
) -> AsyncIterator[Bench]:
    async with DiscordSimulator(limits=False) as discord:
        channel = discord.channel("support", "forum" if name == "forum" else "text", private=True)
        person = discord.person("kenji")
        discord.allow(channel, person.id, BOT, quietly=True)
        known = Operator(KENJI, "kenji", {"en": "Kenji"}, network_users={discord_house.DISCORD: (person.id,)})
        await directory.add(known)
        relay = _relay(store, feed, _one_desk(directory, discord_house.DISCORD, channel.id))
        network = discord_house.Ear(
            discord_house.settings(discord),
            store,
            relay,
            files,
            directory,
            places=lambda: [Place(channel.id)],
            unit=0.1,
            settle=50,
        )

        async def settled() -> None:
            await network.hears_all_of(discord)
            await until(lambda: not network.busy, "everything is taken")
            await until(lambda: _is_empty(store, network.name), "everything is placed")

        outside = OnDiscord(discord, channel)
        yield Bench(name, network, outside, Place(channel.id), store, relay, feed, lambda: network.listens, settled)


@asynccontextmanager
async def _console(
    name: str, store: RedisStore, directory: Directory, files: DiskFiles, feed: Feed
) -> AsyncIterator[Bench]:
    network: Network = ConsoleNetwork()
    await directory.add(Operator(KENJI, "kenji", {"en": "Kenji"}))
    policy = _one_desk(directory, network.name, "desk")
    relay = _relay(store, feed, policy)
    engine = console_house.engine_of(store, relay, feed, directory, policy, files)
    async with console_house.served(engine) as url, console_desk() as desk:
        desk.client.addresses = [url]
        await desk.client.sign_in(await mint_sign_in_link(store, f"{url}/console", KENJI))
        outside = AtTheDesk(desk)
        yield Bench(name, network, outside, Place("desk"), store, relay, feed, lambda: True, _nothing_is_on_its_way)


__all__ = ["KENJI", "NETWORKS", "PLACES", "PLATFORMS", "Bench", "bench"]
