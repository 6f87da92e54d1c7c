"""Discord as a network: its life cycle, and the port's methods handed to those who carry them out.

`client` calls the REST API within its `limits`, `gateway` hears, `parse` reads what it hears as `happenings`, `inbound`
makes input of them, `outbound` carries out effects (`render` and `card` draw them), `roots` opens threads, `threads`
knows whose they are.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from aiohttp import web

from adapters.discord.controls.asking import asking
from adapters.discord.controls.interactions import Interactions
from adapters.discord.controls.registration import Registration
from adapters.discord.heard.app import App
from adapters.discord.heard.shape import Given
from adapters.discord.inward.backfill import Backfill
from adapters.discord.inward.contents import SWITCH, Contents
from adapters.discord.inward.deletions import Deletions
from adapters.discord.inward.downloads import Downloads
from adapters.discord.inward.inbound import Inbound
from adapters.discord.inward.unread import Unread
from adapters.discord.inward.whispers import Whispers
from adapters.discord.inward.writers import Writers
from adapters.discord.outward.announcements import Announcements
from adapters.discord.outward.attached import Uploads
from adapters.discord.outward.beyond import Beyond
from adapters.discord.outward.calls import Calls, Whom, everybody_here
from adapters.discord.outward.late import LateReplies
from adapters.discord.outward.lines import Lines
from adapters.discord.outward.outbound import Outbound
from adapters.discord.outward.personas import Personas
from adapters.discord.outward.turns import Turns
from adapters.discord.outward.writing import Writing
from adapters.discord.people import People
from adapters.discord.places.channels import Channels
from adapters.discord.places.forum_tags import ForumTags
from adapters.discord.places.history import History
from adapters.discord.places.membership import Membership
from adapters.discord.places.room import Room
from adapters.discord.places.roots import Roots, titled
from adapters.discord.places.threads import Threads
from adapters.discord.places.upkeep import Upkeep
from adapters.discord.places.waking import Waking
from adapters.discord.refs import NAME, Root
from adapters.discord.setup.checkup import Setup, checkup
from adapters.discord.setup.command_checkup import commands
from adapters.discord.shown.beneath import Beneath, DeskLink, FileLink, no_desk_link, no_file_link
from adapters.discord.shown.card import card
from adapters.discord.shown.filtered import Filter
from adapters.discord.wire.answers import Answers
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.gateway import Gateway
from adapters.discord.wire.identifies import Identifies
from adapters.discord.wire.limits import urgent
from adapters.discord.wire.receiver import HttpDoor
from bridge.directory import Directory
from bridge.doctor import Finding, worst
from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.files import Files
from bridge.networks.canned import Canned, Ready
from bridge.networks.card import Title, Wording
from bridge.networks.cards import Cards
from bridge.networks.enrolment import Enrolment
from bridge.networks.hearing import BEAT, Hearing
from bridge.networks.lasting import lasting
from bridge.networks.late import Late
from bridge.networks.names import desk_by_id, desks_of, topic_by_key
from bridge.networks.orders import Orders
from bridge.networks.pacing import Urgency
from bridge.networks.pulse import Pulse
from bridge.networks.roster import Roster
from bridge.networks.turns import urgency_of
from bridge.networks.whereabouts import Whereabouts
from bridge.networks.windows import Words
from bridge.ports import Delivered, Delivery, Store
from bridge.relay import Door, Relay
from config.locales import thread_words
from config.settings import DiscordSettings
from routing.deletions import SETTLE
from routing.ids import DeskId, OperatorId, Place, ThreadRef
from routing.policy import Policy, no_policy

INTRODUCED_AGAIN = 5.0
"""Seconds between tries to reach Discord when it cannot be reached at the start."""

LAST_DELIVERIES = 10.0
"""Seconds that `stop` waits for what is being delivered."""

_log = structlog.get_logger(__name__)


class DiscordNetwork:
    """A `bridge.ports.Network`, and `SupportsTyping`, `SupportsTurns`, `SupportsBursts`, `SupportsDoctor` and
    `SupportsLinks`.

    `places` are the desks' channels; `whom` an alert calls now; `whereabouts` knows where a talk goes on; `holder`
    names this process among those that may listen; `url` is the installation's own address; `unit` scales what is
    waited for after an outage.
    """

    name = NAME

    def __init__(
        self,
        settings: DiscordSettings,
        store: Store,
        relay: Relay,
        files: Files,
        directory: Directory,
        *,
        door: Door | None = None,
        wording: Wording = thread_words,
        title: Title = topic_by_key,
        desk_title: Callable[[DeskId, str], str] = desk_by_id,
        policy: Callable[[], Policy] = no_policy,
        templates: Ready = lambda desk: (),
        tags: Callable[[], Mapping[str, Mapping[str, str]]] = dict,
        orders: Orders | None = None,
        reads: Callable[[OperatorId], str] | None = None,
        roster: Roster | None = None,
        admin_link: str = "",
        places: Callable[[], Sequence[Place]] = tuple,
        whom: Whom = everybody_here,
        whereabouts: Whereabouts | None = None,
        desk_link: DeskLink = no_desk_link,
        file_link: FileLink = no_file_link,
        holder: str = "",
        url: str = "",
        unit: float = 1.0,
        settle: int = SETTLE,
    ) -> None:
        self._settings = settings
        self._wording = wording
        self._policy = policy
        self._url = url
        self._store = store
        self._places = places
        self._api = RestApi(settings, store, Pulse(unit))
        self._channels = Channels(self._api, allow_public=settings.allow_public_channels)
        self._answers = Answers(self._api)
        self._threads = Threads(store, self._api)
        self._enrolment = Enrolment(store, directory, NAME)
        cards = Cards(
            store,
            directory,
            NAME,
            wording,
            title,
            policy=policy,
            drawing=lambda current: card(current, wording),
            admin_link=admin_link,
        )
        forum_tags = self._tags = ForumTags(wording, title, policy)
        room = self._room = Room(self._api, store, self._threads, self._app, self._channels, places)
        past_filter = Filter(wording, desk_link)
        roots = Roots(
            api=self._api,
            store=store,
            channels=self._channels,
            threads=self._threads,
            room=room,
            tags=forum_tags,
            draw=cards.draw,
            title=titled(wording),
            app=self._app,
            past_filter=past_filter,
        )
        waking = Waking(self._api, room)
        self._upkeep = Upkeep(self._api, store, self._channels, forum_tags)
        calls = Calls(directory, wording, whom, desk_title)
        lines = Lines(self._api, store, self._channels)
        self._announcements = Announcements(lines, self._channels, directory, self._app)
        ways = whereabouts or Whereabouts(store, relay, {NAME: self})
        self._outbound = Outbound(
            api=self._api,
            store=store,
            roots=roots,
            channels=self._channels,
            waking=waking,
            upkeep=self._upkeep,
            uploads=Uploads(files),
            calls=calls,
            beyond=Beyond(lines, calls, self._channels, wording, title, self._app),
            directory=directory,
            wording=wording,
            app=self._app,
            draw=cards.draw,
            whereabouts=ways,
            beneath=Beneath(wording, desk_link, file_link),
            personas=Personas(self._api, store, policy, wording, self._app),
            past_filter=past_filter,
        )
        self._turns = Turns(self._api.limits, self._channels)
        history = History(self._api)
        self._hearing = Hearing(
            store,
            NAME,
            lambda: self.listens,
            lambda: False,
            BEAT * unit,
            behind=lambda: self._inbound.behind,
            repeats=False,
            resumes=True,
        )
        self._backfill = Backfill(
            store=store,
            relay=relay,
            threads=self._threads,
            channels=self._channels,
            at_once=history,
            at_leisure=History(self._api, at_leisure=True),
            hearing=self._hearing,
            app=self._app,
            leads=lambda: self.listens,
            places=places,
            unit=unit,
        )
        people = People(self._enrolment)
        whispers = self._whispers = Whispers(self._api, wording)
        self._late = Late(NAME, store, LateReplies(self._api, whispers, waking))
        self._contents = Contents(self._api, store, whispers)
        interactions = self._interactions = asking(
            api=self._api,
            answers=self._answers,
            app=self._app,
            store=store,
            relay=relay,
            door=door or relay,
            directory=directory,
            people=people,
            whereabouts=ways,
            words=Words(wording, title, desk_title, tags),
            templates=templates,
            policy=policy,
            orders=orders,
            roster=roster,
            threads=self._threads,
        )
        self._registration = Registration(self._api, wording, self._app, lambda: self.listens, unit) if roster else None
        self._door = _door_of(settings, store, self._answers, interactions, self._app)
        self._inbound = Inbound(
            store=store,
            relay=relay,
            door=door or relay,
            interactions=interactions,
            threads=self._threads,
            downloads=Downloads(self._api, files, settings.cdn_url),
            directory=directory,
            people=people,
            whispers=whispers,
            whereabouts=ways,
            history=history,
            writers=Writers(relay, self._threads, people, policy),
            contents=self._contents,
            late=self._late,
            deletions=Deletions(
                store=store,
                relay=relay,
                door=door or relay,
                directory=directory,
                whispers=whispers,
                settle=settle,
            ),
            canned=Canned(store, directory, templates, wording=wording, title=title, desk_title=desk_title),
            orders=orders,
            reads=reads or (roster.language if roster is not None else None),
            backfill=self._backfill,
            wording=wording,
            app=self._app,
            public_place=desks_of(policy, desk_title, NAME),
            unread=Unread(self._hearing.lost, unit),
        )
        self._gateway = Gateway(
            settings, store, holder or secrets.token_hex(6), self._hear, Identifies(store, self._api, unit)
        )
        self._membership = Membership(
            self._api,
            store,
            self._channels,
            self._enrolment,
            directory,
            places,
            lambda: self._gateway.leads,
        )
        self._writing = Writing(self._api)
        self._who: App | None = None
        self._trouble = "Discord is not started"
        self._tasks: list[asyncio.Task[None]] = []
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopped = False

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """See the port. Raises KakehashiError for a token that Discord refuses; where Discord cannot be reached it
        returns, tries on, and `ready` says so: customers are served meanwhile."""
        await self._api.open()
        try:
            await self._introduce()
        except DeliveryError as error:
            if error.fault is Fault.BLOCKED:
                await self.stop()
                raise KakehashiError(
                    f"Discord refuses the bot token ({error.code})", where="discord.bot_token", mend=error.mend
                ) from error
            self._trouble = f"Discord does not answer ({error.code})"
            self._work(self._introduce_later())

    async def _introduce(self) -> None:
        """Learn who we are, then let input flow."""
        self._who = await who_we_are(self._api)
        self._work(lasting(self._inbound.deferred.run))
        self._work(lasting(self._gateway.run))
        self._work(lasting(self._contents.run))
        self._work(lasting(self._late.run))
        self._work(lasting(self._hearing.run))
        self._work(lasting(self._backfill.run))
        self._work(lasting(self._membership.run))
        if self._registration is not None:
            self._work(lasting(self._registration.run))
        if self._interactions.desk is not None:
            self._work(lasting(self._interactions.desk.home.run))
        self._trouble = ""
        _log.info("discord_started", application=self._who.application)

    async def _introduce_later(self) -> None:
        while True:
            await asyncio.sleep(INTRODUCED_AGAIN)
            try:
                return await self._introduce()
            except KakehashiError as error:
                self._trouble = f"Discord does not answer ({error.what})"
                _log.warning("discord_not_reached", reason=error.what)

    async def stop(self) -> None:
        """See the port. Deliveries that come later are told to come again: another process takes them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._inbound.stop()
        if self._interactions.desk is not None:
            await self._interactions.desk.home.stop()
        await self._late.stop()
        await self._whispers.stop()
        if self._door is not None:
            await self._door.stop()
        self._stopped = True
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_DELIVERIES):
                await self._idle.wait()
        await self._api.close()

    def http_app(self) -> web.Application | None:
        """`/interactions`, to be mounted under `/discord`; None without the application's public key."""
        return self._door.application() if self._door is not None else None

    def ready(self) -> str | None:
        if self._trouble:
            return self._trouble
        trouble, silent = self._api.pulse.trouble, self._api.pulse.silent_since
        if trouble is not None and silent is not None:
            mend = f"; {trouble.mend}" if trouble.mend else ""
            since = f"{datetime.fromtimestamp(silent, UTC):%H:%M} UTC"
            return f"Discord has taken nothing since {since} ({trouble.code}){mend}"
        if self._gateway.leads and not self.listens:
            return self._gateway.trouble.what
        if self._gateway.blind or self._contents.lost:
            return f"operators' messages arrive empty: {SWITCH}"
        return self._channels.trouble(self._places()) or self._room.trouble

    @property
    def listens(self) -> bool:
        """Whether this process hears what happens."""
        return self._gateway.leads and self._gateway.ready

    @property
    def caught_up(self) -> bool:
        """Whether it hears, and what was missed before has been read back."""
        return self.listens and self._hearing.is_complete

    @property
    def busy(self) -> bool:
        """Whether something that was heard is not taken yet."""
        return self._inbound.busy

    # ------------------------------------------------------------------ the port

    def turn_now(self, delivery: Delivery) -> bool:
        """See `bridge.ports.SupportsTurns`."""
        return self._turns.hold_now(delivery)

    async def turn(self, delivery: Delivery) -> bool:
        with self._at_work():
            return await self._turns.hold(delivery)

    async def deliver(self, delivery: Delivery) -> Delivered:
        with self._at_work(), urgent(urgency_of(delivery) or Urgency.WORDS):
            return self._posted(delivery, await self._outbound.deliver(delivery))

    def together(self, deliveries: Sequence[Delivery]) -> int:
        """See `bridge.ports.SupportsBursts`."""
        return self._outbound.bursts.fitting(deliveries)

    async def deliver_together(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        with self._at_work(), urgent(urgency_of(deliveries[0]) or Urgency.WORDS):
            done = await self._outbound.deliver_together(deliveries)
            for delivery, one in zip(deliveries, done, strict=True):
                self._posted(delivery, one)
            return done

    async def find_together(self, deliveries: Sequence[Delivery]) -> list[list[Delivered]]:
        with self._at_work():
            return await self._outbound.find_together(deliveries)

    def _posted(self, delivery: Delivery, done: Delivered) -> Delivered:
        if delivery.thread is not None and done.posts not in ((), delivery.posts):
            self._writing.ended(delivery.thread)
            self._upkeep.stirred(delivery.thread)
        return done

    async def find(self, delivery: Delivery) -> list[Delivered]:
        with self._at_work():
            return await self._outbound.find(delivery)

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        with self._at_work():
            await self._outbound.remove_double(delivery, double)

    async def refresh(self, delivery: Delivery) -> None:
        with self._at_work(), urgent(Urgency.CARD):
            await self._outbound.refresh(delivery)

    async def announce(self, place: Place, key: str, text: str) -> None:
        """See `bridge.handover.SupportsAnnouncing`."""
        with self._at_work():
            await self._announcements.post(place, key, text)

    async def announced(self, place: Place, key: str, since: int) -> bool:
        with self._at_work():
            return await self._announcements.is_posted(place, key, since)

    async def tell(self, operator: OperatorId, key: str, text: str) -> bool:
        """See `bridge.handover.SupportsTelling`."""
        with self._at_work():
            return await self._announcements.tell(operator, key, text)

    async def show_typing(self, thread: ThreadRef) -> None:
        """Show that the customer is typing. Best effort."""
        with self._at_work():
            await self._writing.show(thread)

    def link(self, thread: ThreadRef) -> str:
        """See `bridge.networks.whereabouts.SupportsLinks`."""
        return Root.of(thread).link

    async def doctor(self) -> Sequence[Finding]:
        """What token, intents and channels are like. Before `start` too."""
        if self._who is not None:
            return await self._examined()
        await self._api.open()
        try:
            return await self._examined()
        finally:
            await self._api.close()

    async def _examined(self) -> list[Finding]:
        address = f"{self._url}/discord/interactions"
        setup = Setup(self._places(), self._policy(), self._tags, self._settings.public_key, address)
        found = await checkup(self._api, self._channels, setup)
        if self._registration is not None and worst(found[:1]) != "fail":
            who = self._who or await who_we_are(self._api)
            found.append(await commands(self._api, who.application, self._wording))
        known = await self._enrolment.findings()
        return [*found, *known, *([] if worst(found[:1]) == "fail" else await self._membership.findings())]

    # ------------------------------------------------------------------ what the parts ask

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        if self._stopped or self._who is None:
            raise DeliveryError(Fault.TRANSIENT, "not_connected", retry_after=INTRODUCED_AGAIN)
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    def _hear(self, kind: str, data: Any, told: str) -> None:
        self._channels.hear(kind)
        if kind == "READY" and not self._gateway.blind:
            self._contents.read()  # it was asked for, and granted
        if kind == "READY":
            self._hearing.lost()  # a new session of Discord's: nothing is told again
        self._inbound.hear(kind, data, told)

    def _app(self) -> App:
        if self._who is None:
            raise DeliveryError(Fault.TRANSIENT, "not_connected", retry_after=INTRODUCED_AGAIN)
        return self._who

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))


def _door_of(
    settings: DiscordSettings, store: Store, answers: Answers, interactions: Interactions, app: Callable[[], App]
) -> HttpDoor | None:
    if settings.public_key is None:
        return None
    return HttpDoor(settings.public_key, store=store, answers=answers, take=interactions.take, app=app)


async def who_we_are(api: RestApi) -> App:
    """The bot's user and its application. Raises DeliveryError."""
    user: Mapping[str, Any] = await api.get("/users/@me")
    application: Mapping[str, Any] = await api.get("/oauth2/applications/@me")
    return App(Given.of(user, "user").id("id", must=True), Given.of(application, "application").id("id", must=True))
