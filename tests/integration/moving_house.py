"""One process with a Slack desk, a Discord desk and the built-in one: sessions move between them."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.console.network import ConsoleNetwork
from adapters.discord.network import DiscordNetwork
from adapters.files.store import DiskFiles
from adapters.redis.store import RedisStore
from adapters.slack.network import SlackNetwork
from bridge.availability import Availability
from bridge.berths import Berths
from bridge.directory import Directory, Operator
from bridge.feed import Feed
from bridge.index import Index
from bridge.lanes import Lanes
from bridge.leases import INDEX, TIMERS, Leases
from bridge.messages import About, Body, FilePart, TextPart
from bridge.metrics import Metrics
from bridge.networks.attention import Attention
from bridge.networks.whereabouts import Whereabouts
from bridge.ports import Stored
from bridge.purges import Purges
from bridge.relay import Answer, Greeting, Receipt, Relay
from bridge.service import Service
from bridge.timers import Timers
from bridge.views import Views
from routing.effects import FILES
from routing.facts import Side
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, NetworkName, OperatorId, Place, Topic
from routing.inputs import CustomerInput, CustomerWrote, OperatorInput, OperatorNoted, OperatorReplied
from routing.policy import Desk, Policy
from routing.view import CustomerMessage
from tests.contract.engines import opened
from tests.integration import discord_house, slack_house
from tests.integration.slack_house import QUICK
from tests.simulators.discord import Channel as DiscordChannel
from tests.simulators.discord import DiscordSimulator, Thread
from tests.simulators.discord import Person as DiscordPerson
from tests.simulators.slack import Channel as SlackChannel
from tests.simulators.slack import Person as SlackPerson
from tests.simulators.slack import SlackSimulator
from tests.simulators.slack.workspace import Message

SLACK, DISCORD, CONSOLE = NetworkName("slack"), NetworkName("discord"), NetworkName("console")
ON_SLACK, ON_DISCORD, AT_THE_DESK = DeskId("support"), DeskId("help"), DeskId("desk")
CUSTOMER = CustomerKey("main", "~visitor")
KENJI = OperatorId("kenji")

_numbers = itertools.count(1)


def titled(desk: DeskId, language: str) -> str:
    del language
    return {ON_SLACK: "Support", ON_DISCORD: "Help on Discord", AT_THE_DESK: "The desk"}[desk]


@dataclass
class House:
    """What a test drives. New sessions begin on Slack; Kenji works everywhere."""

    slack: SlackSimulator
    discord: DiscordSimulator
    channel: SlackChannel
    place: DiscordChannel
    on_slack: SlackPerson
    on_discord: DiscordPerson
    store: RedisStore
    relay: Relay
    feed: Feed
    files: DiskFiles
    directory: Directory
    network: DiscordNetwork
    purges: Purges
    service: Service

    async def writes(self, *parts: str | FilePart, name: str = "Hanako") -> MessageId:
        """The customer writes; returns once it is durable."""
        message = MessageId(f"c:message{next(_numbers)}")
        body = Body(tuple(TextPart(part) if isinstance(part, str) else part for part in parts))
        greeting = Greeting(False, "en", Topic("transfers"), About(name=name))
        answer = await self.relay.from_customer(
            CUSTOMER, CustomerWrote(message), InputKey(f"web/{message}"), body=body, greeting=greeting
        )
        assert isinstance(answer, Receipt)
        return message

    async def customer(self, event: CustomerInput, body: Body | None = None) -> Answer:
        return await self.relay.from_customer(CUSTOMER, event, InputKey(f"web/{next(_numbers)}"), body=body)

    async def does(self, event: OperatorInput, body: Body | None = None) -> Receipt:
        """Somebody does it at the desk page."""
        session = (await self.session()).session.id
        answer = await self.relay.from_operator(session, event, InputKey(f"desk/{next(_numbers)}"), body=body)
        assert isinstance(answer, Receipt), answer
        return answer

    async def replies(self, text: str) -> MessageId:
        message = MessageId(f"w:{next(_numbers)}")
        await self.does(OperatorReplied(message, KENJI), Body((TextPart(text),)))
        return message

    async def notes(self, text: str) -> MessageId:
        message = MessageId(f"w:{next(_numbers)}")
        await self.does(OperatorNoted(message, KENJI), Body((TextPart(text),)))
        return message

    async def session(self) -> Stored:
        current = await self.relay.current(CUSTOMER)
        assert current is not None
        stored = await self.store.load(current.session.id)
        assert stored is not None
        return stored

    async def root(self, number: int = 0) -> Message:
        """Slack's thread, by its root."""
        await self.slack.until(lambda: len(self.slack.roots(self.channel)) > number)
        return self.slack.roots(self.channel)[number]

    async def thread(self, number: int = 0) -> Thread:
        """Discord's thread, once it is there and placed."""
        await self.discord.until(lambda: len(self.discord.threads(self.place)) > number)
        thread = self.discord.threads(self.place)[number]

        async def is_placed() -> bool:
            ref = f"{self.discord.guild.id}:{thread.id}"
            return await self.store.placed(DISCORD, ref) is not None  # type: ignore[arg-type]  # a thread's reference

        await self.slack_until(is_placed)
        return thread

    def in_slack(self, root: Message) -> list[str]:
        """What people read beneath the card."""
        return self.slack.thread(self.channel, root.ts)

    def in_discord(self, thread: Thread) -> list[str]:
        return [self.discord.seen(one) for one in self.discord.messages(thread) if one.id != thread.id]

    async def delivered(self) -> None:
        """No lane holds anything."""
        session = (await self.session()).session.id

        async def empty() -> bool:
            return all([await self.store.lane_states(session, to) is None for to in (SLACK, DISCORD, CONSOLE, FILES)])

        await self.slack_until(empty)

    async def slack_until(self, condition: Any) -> None:
        await discord_house.House.until(self, condition)  # type: ignore[arg-type]  # it asks nothing of its house

    async def replies_seen(self) -> list[str]:
        resumed = await self.feed.catch_up(await self.session(), None)
        return [
            "(withdrawn)" if event.withdrawn else shown.body.text if shown.body else "(erased)"
            for shown in resumed.shown
            if isinstance(event := shown.event, CustomerMessage) and event.side is Side.REPLY
        ]

    async def reads(self, *replies: str) -> None:
        """Return once the customer's replies are these."""

        async def are_these() -> bool:
            return await self.replies_seen() == list(replies)

        await self.slack_until(are_these)


@asynccontextmanager
async def house(
    engine_url: str, folder: Path, slack: SlackSimulator, discord: DiscordSimulator, place: DiscordChannel
) -> AsyncIterator[House]:
    channel = slack.channel("support")
    async with opened(engine_url, secrets.token_hex(4)) as store:
        files, directory, feed = DiskFiles(folder / "files"), Directory(store), Feed(store)
        on_slack, on_discord = slack.person("kenji"), discord.person("kenji")
        users = {SLACK: (f"{slack.workspace.team_id}:{on_slack.id}",), DISCORD: (on_discord.id,)}
        await directory.add(Operator(KENJI, "kenji", {"en": "Kenji"}, network_users=users))
        desks = (
            Desk(ON_SLACK, SLACK, Place(channel.id)),
            Desk(ON_DISCORD, DISCORD, Place(place.id), topics=(Topic("none"),)),
            Desk(AT_THE_DESK, CONSOLE, Place("desk"), topics=(Topic("none"),)),
        )
        written = Policy({desk.id: desk for desk in desks})

        def policy() -> Policy:
            return replace(written, operators=dict(directory.profiles()))

        networks: dict[NetworkName, Any] = {CONSOLE: ConsoleNetwork()}
        leases = Leases(store, secrets.token_hex(4), [SLACK, DISCORD, CONSOLE, INDEX, TIMERS, FILES])
        berths = Berths(store, Index(store, policy), policy)
        lanes = Lanes(store, networks, leases, feed, Metrics("test"), QUICK, berths.shut)
        relay = Relay(store, feed, policy, lanes, berths=berths)
        common: dict[str, Any] = {
            "whom": Attention(store, policy, Availability(store, policy)).whom,
            "whereabouts": Whereabouts(store, relay, networks, lambda code: f"https://desk.example.com/#{code}"),
            "policy": policy,
            "desk_title": titled,
        }
        networks[SLACK] = SlackNetwork(
            slack_house.settings(slack),
            store,
            relay,
            files,
            directory,
            places=lambda: [Place(channel.id)],
            unit=0.1,
            settle=slack_house.SETTLE,
            **common,
        )
        networks[DISCORD] = network = DiscordNetwork(
            discord_house.settings(discord),
            store,
            relay,
            files,
            directory,
            places=lambda: [Place(place.id)],
            holder=leases.holder,
            unit=0.1,
            **common,
        )
        networks[FILES] = purges = Purges(store, relay, files)
        service = Service(
            store=store,
            relay=relay,
            feed=feed,
            leases=leases,
            lanes=lanes,
            timers=Timers(store, relay, leases, policy),
            views=Views(store, {one: networks[one] for one in (SLACK, DISCORD)}, leases, policy),
            networks=networks,
            background=[("berths", berths.run), ("directory", directory.follow)],
        )
        async with service.running():
            here = House(
                slack,
                discord,
                channel,
                place,
                on_slack,
                on_discord,
                store,
                relay,
                feed,
                files,
                directory,
                network,
                purges,
                service,
            )
            await discord.until(lambda: network.listens)
            yield here
        await files.close()
