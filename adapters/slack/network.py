"""Slack as a network: its life cycle, and the port's methods handed to those who carry them out.

`client` calls the Web API, `pacing` keeps its limits, `outbound` carries out effects (`drawing` and `render` draw them,
`speech` posts them, `shares` brings files), `reconciliation` finds what became of them, `receiver` and `sockets` take
payloads in, `parse` reads them, `inbound` takes them in order, `utterances` and `buttons` make input of
them, `threads` knows whose thread is whose.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncApp

from adapters.slack.controls.commands import Commands
from adapters.slack.controls.home import Home
from adapters.slack.controls.orders import ShownOrders, typed_orders
from adapters.slack.controls.windows import Windows
from adapters.slack.inward.backfill import UNHEARD, Backfill
from adapters.slack.inward.deletions import Deletions
from adapters.slack.inward.downloads import Downloads
from adapters.slack.inward.inbound import Inbound
from adapters.slack.inward.presence import Presence
from adapters.slack.inward.reactions import Reactions
from adapters.slack.inward.standing import Standing
from adapters.slack.outward.alerts import Whom, everybody_here
from adapters.slack.outward.announcements import Announcements
from adapters.slack.outward.attached import DeskLink
from adapters.slack.outward.bursts import MEASURE
from adapters.slack.outward.late import LateReplies
from adapters.slack.outward.outbound import Outbound
from adapters.slack.outward.shares import Shares
from adapters.slack.outward.turns import Turns, channel_of
from adapters.slack.outward.writing import QUIET, Writing
from adapters.slack.parse import App, Said
from adapters.slack.people import People
from adapters.slack.places.channels import Channels
from adapters.slack.places.membership import Membership
from adapters.slack.places.threads import Threads
from adapters.slack.refs import NAME, Root
from adapters.slack.render import Block, Title, Wording
from adapters.slack.setup.checkup import Setup, checkup
from adapters.slack.shown.card import card
from adapters.slack.shown.ephemerals import Tell
from adapters.slack.text.markup import escape
from adapters.slack.wire import receiver, sockets
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.gates import refused_method
from adapters.slack.wire.pacing import Pacing
from adapters.slack.wire.receiver import HttpDoor
from adapters.slack.wire.sockets import PING, Sockets
from bridge.directory import Directory
from bridge.doctor import Finding
from bridge.errors import DeliveryError, Fault, KakehashiError, StoreUnavailableError
from bridge.files import Files
from bridge.networks.answers import Answers
from bridge.networks.canned import Canned, DeskTitle, Ready
from bridge.networks.cards import Cards
from bridge.networks.enrolment import Enrolment
from bridge.networks.face import Face
from bridge.networks.hearing import BEAT, Hearing
from bridge.networks.lasting import lasting
from bridge.networks.late import Late
from bridge.networks.names import desk_by_id, desks_of, topic_by_key
from bridge.networks.orders import Orders
from bridge.networks.pulse import PLATFORM, Pulse
from bridge.networks.roster import Roster
from bridge.networks.typed_templates import TypedTemplates
from bridge.networks.whereabouts import Whereabouts
from bridge.networks.windows import Words
from bridge.ports import Delivered, Delivery, Store
from bridge.relay import Door, Relay
from config.locales import thread_words
from config.settings import SlackSettings
from routing.deletions import SETTLE
from routing.ids import OperatorId, Place, ThreadRef
from routing.policy import Policy, no_policy
from routing.session import Session

INTRODUCED_AGAIN = 5.0
"""Seconds between tries to reach Slack when it cannot be reached at the start."""

MOVED = f"{NAME}/moved"
"""Prefix of the names under which the store keeps channels' new ids."""

LAST_DELIVERIES = 10.0
"""Seconds that `stop` waits for what is being delivered."""

_log = structlog.get_logger(__name__)


def no_desk(session: Session, file: str) -> str:
    """Where there is no built-in desk, a held file is told of without a way to it."""
    del session, file
    return ""


def _spelt(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M} UTC"


class SlackNetwork:
    """A `bridge.ports.Network`, and `SupportsTyping`, `SupportsTurns`, `SupportsBursts` and `SupportsDoctor`.

    `roster` and `orders`: what operators ask of their own work; without them there is no `/chat` and no home.
    `wording(language, key, **words)` is the `thread` face; `title(topic, language)` what a topic is called;
    `places` are the desks' channels, for `doctor`; `alone`: this process has the store to itself; `whom` an alert
    calls now; `whereabouts` knows where a talk goes on; `desk_link(session, file)` is where the built-in desk shows
    a held file; `leads` says whether the lease on a partition is this process's; `ping` the seconds between pings
    of a socket; `unit` scales what is waited for after an outage, since tests live faster; `settle` the ms in which
    deletions that belong together arrive.
    """

    name = NAME

    def __init__(
        self,
        settings: SlackSettings,
        store: Store,
        relay: Relay,
        files: Files,
        directory: Directory,
        *,
        door: Door | None = None,
        presence: Callable[[WebApi], Presence] | None = None,
        wording: Wording = thread_words,
        title: Title = topic_by_key,
        policy: Callable[[], Policy] = no_policy,
        admin_link: str = "",
        desk_title: DeskTitle | None = None,
        templates: Ready = lambda desk: (),
        tags: Callable[[], Mapping[str, Mapping[str, str]]] = dict,
        places: Callable[[], Sequence[Place]] = tuple,
        alone: Callable[[], bool] = lambda: False,
        holds: Callable[[], bool] = lambda: True,
        whom: Whom = everybody_here,
        whereabouts: Whereabouts | None = None,
        roster: Roster | None = None,
        orders: Orders | None = None,
        desk_link: DeskLink = no_desk,
        leads: Callable[[int], bool] = lambda _partition: True,
        ping: float = PING,
        unit: float | None = None,
        settle: int = SETTLE,
        quiet: float = QUIET,
    ) -> None:
        if settings.bot_token is None:
            raise AssertionError("Slack is off without a bot token; main makes no network then")
        self._settings = settings
        self._store = store
        self._relay = relay
        self._places = places
        self._ping = ping
        self._wording = wording
        self._pacing = Pacing(store, settings.rates)
        self._turns = Turns(self._pacing)
        unit = ping / PING if unit is None else unit
        self._api = WebApi(settings, self._pacing, self._moved_to, Pulse(unit))
        self._threads = Threads(store, self._api)
        self._channels = Channels(self._api, places, allow_shared=settings.allow_shared_channels)
        self._tell = Tell(self._tell_one)
        self._late = Late(NAME, store, LateReplies(self._api, self._tell_one))
        self._enrolment = Enrolment(store, directory, NAME)
        self._people = People(self._enrolment, self._app)
        self._membership = Membership(self._api, store, self._enrolment, places, self._people.named, holds)
        self._announcements = Announcements(self._api, directory)
        desk_name = desk_title or desk_by_id
        ways = whereabouts or Whereabouts(store, relay, {NAME: self})
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
        self._outbound = Outbound(
            api=self._api,
            store=store,
            shares=Shares(store, files, self._api),
            threads=self._threads,
            channels=self._channels,
            draw=cards.draw,
            directory=directory,
            wording=wording,
            title=title,
            app=self._app,
            link=self._link,
            whom=whom,
            desk_link=desk_link,
            desk_title=desk_name,
            whereabouts=ways,
        )
        self._canned = Canned(store, directory, templates, wording=wording, title=title, desk_title=desk_name)
        self._windows = Windows(
            api=self._api,
            store=store,
            relay=relay,
            door=door or relay,
            directory=directory,
            canned=self._canned,
            words=Words(wording, title, desk_name, tags),
            policy=policy,
            operator=self._people.operator,
            tell=self._tell.later,
        )
        self._inbound = Inbound(
            store=store,
            relay=relay,
            door=door or relay,
            deletions=Deletions(store, self._app, self._api, wording, settle),
            reactions=Reactions(
                store=store,
                relay=relay,
                api=self._api,
                threads=self._threads,
                app=self._app,
                operator=self._people.of,
                hand_over=(door or relay).from_operator,
            ),
            threads=self._threads,
            downloads=Downloads(self._api, files, settings.bot_token.get_secret_value(), settings.api_url),
            directory=directory,
            wording=wording,
            tell=self._tell,
            respond=self._api.respond,
            people=self._people,
            membership=self._membership,
            app=self._app,
            whereabouts=ways,
            late=self._late,
            windows=self._windows,
            typed=TypedTemplates(self._canned, door or relay, wording, self._tell_author),
            moved=self._channel_moved,
            shared=self._channels.forget,
            revoked=self._lose_token,
            alone=alone,
            public_place=desks_of(policy, desk_name, NAME),
        )
        self._commands: Commands | None = None
        self._home: Home | None = None
        if roster is not None and orders is not None:
            self._roster_by(roster, orders, door or relay, title)
        self._hearing = Hearing(store, NAME, self._is_hearing, alone, BEAT * unit)
        self._backfill = Backfill(
            store=store,
            relay=relay,
            api=self._api,
            hearing=self._hearing,
            recover=self._inbound.recover,
            standing=Standing(store, relay, self._app, self._people.of, (door or relay).from_operator),
            app=self._app,
            leads=leads,
            unit=unit,
        )
        self._inbound.missed = self._backfill
        self._presence = presence(self._api) if presence is not None and settings.presence else None
        self._who: App | None = None
        self._workspace_url = ""
        self._trouble = "Slack is not started"
        self._bolt: AsyncApp | None = None
        self._sockets: Sockets | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._writing = Writing(self._api, wording, self._language, quiet)
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopped = False

    def _roster_by(self, roster: Roster, orders: Orders, door: Door, title: Title) -> None:
        """What operators ask of their own work: by `/chat`, at the app's home, and by typing in threads."""

        def face(language: str) -> Face:
            return Face(
                self._wording,
                language,
                title,
                orders.title,
                lambda thread: self._link(Root.of(thread)),
                lambda desk: roster.place(desk, NAME) or "",
            )

        def team() -> str:
            return self._app().team

        answers, operator = Answers(roster), self._people.of
        self._commands = Commands(self._api, answers, orders.vocabulary, operator, face, team)
        self._home = Home(self._api, roster, door, operator, face, team)
        shown = ShownOrders(answers, operator, face, self._tell.later)
        self._inbound.utterances.orders = typed_orders(orders, door, self._store, face, shown)

    async def _take(self, payload: Mapping[str, Any]) -> None:
        """A payload whose acknowledgement says nothing but that it is durable."""
        home = self._home
        await (home.take(payload) if home is not None and home.takes(payload) else self._inbound.take(payload))

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """See the port. Raises KakehashiError for a token that Slack refuses; where Slack cannot be reached it
        returns, tries on, and `ready` says so: customers are served meanwhile."""
        await self._api.open()
        self._bolt = receiver.bolt_app(
            self._api.sdk,
            self._take,
            self._wording,
            self._commands.answer if self._commands else None,
            self._windows.submitted,
        )
        try:
            await self._introduce()
        except DeliveryError as error:
            if error.fault is Fault.BLOCKED:
                await self.stop()
                raise KakehashiError(
                    f"Slack refuses the bot token ({error.code})", where="slack.bot_token", mend=error.mend
                ) from error
            self._trouble = f"Slack does not answer ({error.code})"
            self._work(self._introduce_later())
        except KakehashiError:
            await self.stop()
            raise

    async def _introduce(self) -> None:
        """Learn who we are, then let input flow."""
        who = await self._api.auth_test()
        team, user = who.get("team_id"), who.get("user_id")
        if not team or not user:
            raise DeliveryError(Fault.AMBIGUOUS, "auth.test names nobody")
        self._who = App(team, user, who.get("bot_id") or "")
        self._pacing.team = team
        self._workspace_url = who.get("url") or ""
        await self._hearing.begin()  # before an ear is open: what is heard then is not what was missed
        if self._settings.events == "socket":
            await self._open_sockets()
        inbound = self._inbound.deferred, self._late
        for part in (*inbound, self._channels, self._membership, self._presence, self._home):
            if part is not None:
                self._work(lasting(part.run))
        self._work(lasting(self._hearing.run))
        self._work(lasting(self._backfill.run))
        self._trouble = ""
        _log.info("slack_started", team=team, events=self._settings.events)

    async def _open_sockets(self) -> None:
        token, bolt = self._settings.app_token, self._bolt
        if token is None or bolt is None:
            raise AssertionError("the settings ask for an app token with Socket Mode, and the app is made at start")
        self._sockets = Sockets(
            bolt, self._api, self._store, token.get_secret_value(), self._settings.handlers, self._ping
        )
        await self._sockets.start()

    async def _introduce_later(self) -> None:
        while True:
            await asyncio.sleep(INTRODUCED_AGAIN)
            try:
                return await self._introduce()
            except KakehashiError as error:
                self._trouble = f"Slack does not answer ({error.what})"
                _log.warning("slack_not_reached", reason=error.what)

    async def stop(self) -> None:
        """See the port. Deliveries that come later are told to come again: another process takes them."""
        if self._sockets is not None:
            await self._sockets.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._inbound.deferred.stop()
        await self._late.stop()
        await self._windows.stop()
        await self._writing.stop()
        for part in (self._tell, self._home, self._commands):
            if part is not None:
                await part.stop()
        self._stopped = True
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_DELIVERIES):
                await self._idle.wait()
        self._pacing.close()
        await self._api.close()

    async def _unheard(self) -> list[Finding]:
        shut, since = await sockets.findings(self._store), await self._store.get(UNHEARD)
        if since is None:
            return shut
        what = f"people wrote in threads since {_spelt(int(since) / 1000)}, and Slack sent no event of it"
        mend = "switch “Event Subscriptions” (or Socket Mode) on again on the app's page; what was missed is read back"
        return [*shut, Finding("fail", what, mend)]

    def http_app(self) -> web.Application:
        """`/events`, `/interactions` and `/commands`, to be mounted under `/slack`. With HTTP events only."""
        secret = self._settings.signing_secret
        if secret is None:
            raise AssertionError("the settings ask for a signing secret with HTTP events")
        return HttpDoor(self._require_bolt, secret.get_secret_value()).application()

    def ready(self) -> str | None:
        if self._trouble:
            return self._trouble
        trouble, silent = self._api.pulse.trouble, self._api.pulse.silent_since
        if trouble is not None and silent is not None:
            mend = f"; {trouble.mend}" if trouble.mend else ""
            return f"Slack has taken nothing since {_spelt(silent)} ({trouble.code}){mend}"
        if (refused := refused_method(self._api.pulse)) is not None:
            method, at, error = refused
            return f"Slack has refused {method} since {_spelt(at)} ({error.code}); {error.mend}"
        if self._sockets is not None and not self._sockets.connected:
            return f"no socket to Slack is open{self._sockets.trouble}"
        if self._backfill.unheard_since is not None:
            since = _spelt(self._backfill.unheard_since / 1000)
            return f"Slack has not told us everything since {since}; look at “Event Subscriptions” on the app's page"
        return self._channels.trouble()

    # ------------------------------------------------------------------ the port

    def turn_now(self, delivery: Delivery) -> bool:
        """See `bridge.ports.SupportsTurns`."""
        return self._turns.hold_now(delivery, self._api.channel(channel_of(delivery)))

    async def turn(self, delivery: Delivery) -> bool:
        with self._at_work():
            return await self._turns.hold(delivery, self._api.channel(channel_of(delivery)))

    async def deliver(self, delivery: Delivery) -> Delivered:
        with self._at_work():
            try:
                return self._posted(delivery, await self._outbound.deliver(delivery))
            finally:
                self._turns.drop(delivery)

    def together(self, deliveries: Sequence[Delivery]) -> int:
        """See `bridge.ports.SupportsBursts`."""
        return MEASURE.fitting(deliveries)

    async def deliver_together(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        with self._at_work():
            try:
                done = await self._outbound.deliver_together(deliveries)
                self._posted(deliveries[0], done[0])
                return done
            finally:
                self._turns.drop(deliveries[0])

    async def find_together(self, deliveries: Sequence[Delivery]) -> list[list[Delivered]]:
        with self._at_work():
            return await self._outbound.reconciliation.find_together(deliveries)

    def _posted(self, delivery: Delivery, done: Delivered) -> Delivered:
        """A new post takes the status off that somebody types."""
        if delivery.thread is not None and done.posts not in ((), delivery.posts):
            self._writing.ended(delivery.thread)
        return done

    async def find(self, delivery: Delivery) -> list[Delivered]:
        with self._at_work():
            return await self._outbound.reconciliation.find(delivery)

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        with self._at_work():
            await self._outbound.reconciliation.remove_double(delivery, double)

    async def refresh(self, delivery: Delivery) -> None:
        with self._at_work():
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

    async def _language(self, root: Root) -> str:
        placed = await self._threads.placed(root)
        stored = await self._relay.session(placed.session) if placed else None
        return stored.session.language if stored else ""

    async def doctor(self) -> Sequence[Finding]:
        """What token, scopes, channels and sockets are like. Before `start` too."""
        setup, people = Setup(self._settings, self._places()), await self._enrolment.findings()
        if self._who is not None:
            return [*await checkup(self._api, setup), *people, *await self._unheard()]
        await self._api.open()
        try:
            return [*await checkup(self._api, setup), *people, *await self._unheard()]
        finally:
            await self._api.close()

    # ------------------------------------------------------------------ what the parts ask

    def _is_hearing(self) -> bool:
        if self._stopped or self._who is None:
            return False
        return self._settings.events == "http" or (self._sockets is not None and self._sockets.connected > 0)

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

    async def _tell_author(self, said: Said, text: str) -> None:
        self._tell.later(said.key, said.root, said.author.user, text)

    def _app(self) -> App:
        if self._who is None:
            raise DeliveryError(Fault.TRANSIENT, "not_connected", retry_after=INTRODUCED_AGAIN)
        return self._who

    def link(self, thread: ThreadRef) -> str:
        """See `bridge.networks.whereabouts.SupportsLinks`."""
        return self._link(Root.of(thread))

    def _link(self, root: Root) -> str:
        return f"{self._workspace_url}archives/{self._api.channel(root.channel)}/p{root.ts.replace('.', '')}"

    async def _channel_moved(self, old: str, new: str) -> None:
        """Desks and threads go by the old id for ever; calls are made by the new one."""
        await self._store.put(f"{MOVED}/{old}", new)
        _log.warning("slack_channel_moved", old=old, new=new)

    async def _moved_to(self, channel: str) -> str | None:
        try:
            return await self._store.get(f"{MOVED}/{channel}")
        except StoreUnavailableError:
            return None

    def _lose_token(self) -> None:
        """As an event says; which may be about another token, or a day old."""
        _log.error("slack_token_revoked")
        self._work(self._ask_about_token())

    async def _ask_about_token(self) -> None:
        """For as long as it is refused, and once more: it may be taken away, or given back, at this very moment."""
        asked = 0
        while asked < 2 or self._api.pulse.refused(PLATFORM) is not None:
            asked += 1
            try:
                await self._api.auth_test()
                self._api.pulse.answered((PLATFORM,))
            except DeliveryError as error:
                if error.fault is Fault.BLOCKED:
                    self._api.pulse.failed(PLATFORM, error)
            await asyncio.sleep(INTRODUCED_AGAIN)

    def _require_bolt(self) -> AsyncApp:
        if self._bolt is None:
            raise AssertionError("listeners open after the networks have started")
        return self._bolt

    async def _tell_one(self, root: Root, user: str, text: str, blocks: Sequence[Block]) -> None:
        await self._api.call(
            "chat.postEphemeral",
            channel=root.channel,
            user=user,
            thread_ts=root.ts,
            text=escape(text),
            blocks=list(blocks) or None,
        )

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))
