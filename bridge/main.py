"""The wiring, and the only place that sees everything: settings and adapters meet the engine here.

Nothing is created at import. `run` is the service, `inspect` an engine for one command of the command line.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import secrets as random
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import structlog
import uvloop
from aiohttp import web

from adapters.console.accounts import Accounts, mint_sign_in_link
from adapters.console.api import Engine as DeskEngine
from adapters.console.network import ConsoleNetwork
from adapters.console.passwords import Passwords
from adapters.console.rows import Promise
from adapters.console.server import Address, console_app
from adapters.detection.detector import Detector
from adapters.discord.network import DiscordNetwork
from adapters.discord.setup.invite import application_of, invitation
from adapters.files.downloads import files_app
from adapters.files.links import LinkSigner
from adapters.files.names import plain_name
from adapters.files.scanner import CommandScanner
from adapters.files.store import DiskFiles
from adapters.files.uploads import uploads_app
from adapters.files.workers import Workers
from adapters.oncall.heartbeat import Heartbeat
from adapters.oncall.network import OncallNetwork
from adapters.oncall.targets import targets
from adapters.oncall.webhook import PagerDutyWebhook
from adapters.redis.binary import find_binary
from adapters.redis.connection import Target, open_store
from adapters.redis.server import PrivateServer
from adapters.redis.store import RedisStore
from adapters.slack.inward.presence import Presence
from adapters.slack.network import SlackNetwork
from adapters.slack.setup.manifest import manifest
from adapters.translation.libretranslate import LibreTranslate
from adapters.web.server import CustomerSide
from bridge.assignments import Assignments
from bridge.availability import Availability
from bridge.berths import Berths
from bridge.blockages import Blockages
from bridge.broadcasts import Broadcasts
from bridge.desks import Desks
from bridge.detection import Detection
from bridge.directory import Directory
from bridge.doctor import Finding
from bridge.errors import KakehashiError
from bridge.feed import Feed
from bridge.files import FileLimits
from bridge.handover import Handovers
from bridge.health import health_routes, metrics_routes
from bridge.incidents import Incidents
from bridge.index import Index
from bridge.lanes import Lanes, Timing
from bridge.leases import DESKS, INDEX, TIMERS, Leases
from bridge.messages import FilePart
from bridge.metrics import Metrics
from bridge.networks.attention import Attention
from bridge.networks.canned import Canned
from bridge.networks.orders import Orders
from bridge.networks.roster import Roster
from bridge.networks.whereabouts import Whereabouts
from bridge.pagers import KeepsPages, PageCall, Pager, in_time
from bridge.pages import Pages
from bridge.ports import Network
from bridge.purges import Purges
from bridge.queues import Queues
from bridge.refuges import Refuges
from bridge.relay import Relay
from bridge.reload import PolicyWatch
from bridge.routes import Atlas, Question, explain, parse_time
from bridge.service import Listener, Service
from bridge.setbacks import Setbacks
from bridge.takeovers import Takeovers
from bridge.terminal import Terminal
from bridge.timers import Timers
from bridge.translation import Translation
from bridge.views import Views
from bridge.vigil import Rules as HealthRules
from bridge.vigil import Vigil
from bridge.writing import Writing
from config import checks
from config import policy as policies
from config import secrets as keys
from config import settings as configuration
from config.locales import LANGUAGES, closest, customers, text
from config.logging import configure
from config.policy import Rulebook
from config.secrets import Secrets
from config.settings import Settings
from config.sources import variable
from config.values import listener_url
from routing.effects import FILES, ONCALL, TRANSLATION
from routing.ids import DeskId, NetworkName, OperatorId, Place, ShortCode, Topic
from routing.policy import Policy
from routing.session import Session

log = structlog.get_logger(__name__)

K = TypeVar("K")
V = TypeVar("V")

SWEEP_FILES_EVERY = 3_600.0
"""Seconds."""

CONSOLE = NetworkName("console")
SLACK = NetworkName("slack")
DISCORD = NetworkName("discord")


# ------------------------------------------------------------------ what the command line calls


def run(config: Path | None) -> int:
    """The service, until SIGTERM or SIGINT; then it drains. Returns the exit status, 0 after a clean drain."""
    settings = _with_port(configuration.load(config))
    rulebook = policies.load(settings)
    configure(settings.log)
    _open_as_many_files_as_we_may()
    return _loop_runner(_serve(settings, rulebook, Terminal()))


@asynccontextmanager
async def inspect(config: Path | None) -> AsyncIterator[Engine]:
    """The engine for one command: connected, with no lanes, no listeners and no leases."""
    settings = configuration.load(config)
    rulebook = policies.load(settings)
    configure(settings.log.model_copy(update={"level": "warning"}))  # the answer is what was asked for
    async with AsyncExitStack() as stack:
        yield await _engine(settings, rulebook, stack)


def check(config: Path | None, *, machine: bool) -> Sequence[Finding]:
    """What there is to say of the settings and the policy; with `machine`, of this machine too. Opens nothing."""
    settings = configuration.load(config)
    findings = checks.of_settings(settings, policies.load(settings))
    return [*findings, *(checks.of_machine(settings) if machine else ())]


def route(config: Path | None, *, language: str, topic: str, at: str | None) -> Mapping[str, Any]:
    """Where a session would go, and why. `at` is an ISO time with its offset, now when None. Opens nothing."""
    now = round(time.time() * 1000)
    when, zone = (now, UTC) if at is None else parse_time(at)
    book = policies.load(configuration.load(config), when)
    atlas = Atlas(book.policy, book.desk_titles, book.topic_titles, book.zones)
    return explain(atlas, Question(language, topic, when, zone))


def slack_manifest(config: Path | None) -> str:
    """The manifest that creates the Slack app, as JSON."""
    settings = configuration.load(config)
    return json.dumps(manifest(settings.slack, settings.url), ensure_ascii=False, indent=2)


async def discord_invite(config: Path | None, application: str) -> str:
    """The address that invites the Discord bot. Asks Discord whose it is where `application` is empty."""
    return invitation(application or await application_of(configuration.load(config).discord))


async def call_pager(config: Path | None, name: str, *, end: bool) -> bool:
    """Call a pager for a test, or end that page. Needs nothing but the settings. True when the page can be ended.

    Raises DeliveryError when the pager does not accept it, KakehashiError when there is none of that name.
    """
    settings = configuration.load(config)
    pagers = _pagers(settings)
    pager = pagers.get(name)
    if pager is None:
        known = ", ".join(pagers) or "none"
        raise KakehashiError(f"there is no pager {name}", where="pagers", mend=f"configured: {known}")
    keeper: object = pager
    try:
        if end and isinstance(keeper, KeepsPages):
            await in_time(keeper.resolve(f"test.{name}"))
        elif not end:
            line = f"{_host(settings)} · {text('page', pager.language, 'page.test')}"
            await in_time(pager.page(PageCall(f"test.{name}", line, severity="warning", at=int(time.time() * 1000))))
    finally:
        await pager.close()
    return isinstance(keeper, KeepsPages)


def rotate_secret(config: Path | None, name: str) -> None:
    """Replace one of the installation's own keys. Raises SettingsError for a name that is none."""
    keys.rotate(configuration.load(config).data_dir, name)


# ------------------------------------------------------------------ the engine


class Rules:
    """The policy of the moment: the rulebook's, with the operators that the directory knows."""

    def __init__(self, rulebook: Rulebook, directory: Directory) -> None:
        self._directory = directory
        self.adopt(rulebook)

    def adopt(self, rulebook: Rulebook) -> None:
        """Put another policy in force, from the next decision on."""
        self.rulebook = rulebook
        self._merged = rulebook.policy
        self._profiles: object = None
        users = {(SLACK, user): operator for operator, user in rulebook.slack_users.items()}
        users |= {(DISCORD, user): operator for operator, user in rulebook.discord_users.items()}
        self._directory.rewrite(rulebook.policy.operators, users)

    def policy(self) -> Policy:
        profiles = self._directory.profiles()
        if profiles is not self._profiles:
            self._profiles = profiles
            self._merged = replace(self.rulebook.policy, operators={**self.rulebook.policy.operators, **profiles})
        return self._merged


class InForce(Mapping[K, V]):
    """A mapping of the rulebook's as it is at each look: for what is handed out once, and asked for years."""

    def __init__(self, look: Callable[[], Mapping[K, V]]) -> None:
        self._look = look

    def __getitem__(self, key: K) -> V:
        return self._look()[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._look())

    def __len__(self) -> int:
        return len(self._look())


@dataclass(slots=True)
class Engine:
    """Everything that does not listen: what a command inspects, and what the service is built around."""

    settings: Settings
    secrets: Secrets
    store: RedisStore
    directory: Directory
    rules: Rules
    feed: Feed
    files: DiskFiles
    limits: FileLimits
    signer: LinkSigner
    metrics: Metrics
    leases: Leases
    lanes: Lanes
    relay: Relay
    availability: Availability
    assignments: Assignments
    incidents: Incidents
    broadcasts: Broadcasts
    index: Index
    berths: Berths
    queues: Queues
    networks: dict[NetworkName, Network]
    destinations: Sequence[NetworkName]
    pages: Pages
    purges: Purges
    takeovers: Takeovers
    checks: Sequence[Finding]
    server: PrivateServer | None = None

    def policy(self) -> Policy:
        return self.rules.policy()

    async def hash_password(self, password: str, account: str) -> str:
        return await Passwords().hash(password, account=account)

    async def sign_in_link(self, operator: OperatorId) -> str:
        return await mint_sign_in_link(self.store, _desk_url(self), operator, lifetime=self.settings.desk.link_lifetime)


async def _engine(settings: Settings, rulebook: Rulebook, stack: AsyncExitStack) -> Engine:
    secrets = keys.load(settings.data_dir)
    server = await _private_server(settings, stack) if settings.redis.private else None
    store, checks = await open_store(_target(settings, server))
    stack.push_async_callback(store.close)
    if server is not None:
        server.when_restarted(store.moved_to)
    limits = FileLimits(
        file_bytes=settings.files.max_bytes, pixels=settings.files.max_pixels, reserve_bytes=settings.files.reserve
    )
    files = _files(settings, limits)
    stack.push_async_callback(files.close)
    directory, feed, metrics = Directory(store), Feed(store), Metrics(version("kakehashi"))
    await directory.refresh()
    rules = Rules(rulebook, directory)
    networks: dict[NetworkName, Network] = {CONSOLE: ConsoleNetwork()}
    destinations = [CONSOLE, *_chats(settings), INDEX, TIMERS, DESKS, ONCALL, FILES]
    if settings.translation.enabled:
        destinations.append(TRANSLATION)
    leases = Leases(store, random.token_hex(6), destinations)
    availability, index = Availability(store, rules.policy), Index(store, rules.policy)
    berths = Berths(store, index, rules.policy)
    lanes = Lanes(store, networks, leases, feed, metrics, _timing(settings), berths.shut)
    relay = Relay(store, feed, rules.policy, lanes, metrics, berths)
    lanes.setbacks, lanes.refuge = Setbacks(relay), Refuges(store, relay, berths)
    lanes.blockages = _blockages(store, rules, networks)
    assignments = Assignments(store, relay, rules.policy, availability)
    incidents = Incidents(store, relay, rules.policy)
    roster = Roster(
        store, directory, rules.policy, availability, site=settings.site, zone=lambda desk: _zone(rules, desk)
    )
    orders = Orders(
        partial(text, "thread"),
        LANGUAGES,
        directory,
        desks=lambda: rules.policy().desks,
        titles=lambda: rules.rulebook.desk_titles,
        zone=lambda desk: _zone(rules, desk),
    )
    signer = LinkSigner(secrets.file_links.current, int(settings.files.link_ttl), secrets.file_links.previous)
    if settings.slack.enabled:
        networks[SLACK] = SlackNetwork(
            settings.slack,
            store,
            relay,
            files,
            directory,
            door=assignments,
            presence=lambda api: Presence(
                api,
                lambda: _slack_users(directory, rules.policy()),
                availability.note_presence,
                lambda: leases.term(SLACK, 0) is not None,
            ),
            title=lambda topic, language: _topic_title(rules.rulebook, topic, language),
            policy=rules.policy,
            desk_title=lambda desk, language: _desk_title(rules.rulebook, desk, language),
            templates=lambda desk: rules.rulebook.templates.get(desk, ()),
            tags=lambda: rules.rulebook.tag_titles,
            admin_link=settings.web.admin_link,
            places=lambda: _places(rules.policy(), SLACK),
            alone=lambda: not feed.others,
            holds=lambda: leases.term(SLACK, 0) is not None,
            whom=Attention(store, rules.policy, availability).whom,
            whereabouts=Whereabouts(store, relay, networks, lambda code: _on_the_desk(settings, code)),
            roster=roster,
            orders=orders,
            desk_link=lambda session, file: _held_link(settings, session, file),
            leads=lambda partition: leases.term(SLACK, partition) is not None,
        )
    if settings.discord.enabled:
        networks[DISCORD] = DiscordNetwork(
            settings.discord,
            store,
            relay,
            files,
            directory,
            door=assignments,
            title=lambda topic, language: _topic_title(rules.rulebook, topic, language),
            desk_title=lambda desk, language: _desk_title(rules.rulebook, desk, language),
            policy=rules.policy,
            templates=lambda desk: rules.rulebook.templates.get(desk, ()),
            tags=lambda: rules.rulebook.tag_titles,
            orders=orders,
            roster=roster,
            admin_link=settings.web.admin_link,
            places=lambda: _places(rules.policy(), DISCORD),
            whom=Attention(store, rules.policy, availability).whom,
            whereabouts=Whereabouts(store, relay, networks, lambda code: _on_the_desk(settings, code)),
            desk_link=lambda session, file: _held_link(settings, session, file),
            file_link=lambda session, file: _passing_link(settings, signer, session, file),
            holder=leases.holder,
            url=settings.url,
        )
    purges = networks[FILES] = Purges(store, relay, files)
    pages = _pages(settings, rules, store, relay, leases.holder)
    networks[ONCALL] = OncallNetwork(pages)
    for pager in pages.pagers.values():
        stack.push_async_callback(pager.close)
    return Engine(
        settings=settings,
        secrets=secrets,
        store=store,
        directory=directory,
        rules=rules,
        feed=feed,
        files=files,
        limits=limits,
        signer=signer,
        metrics=metrics,
        leases=leases,
        lanes=lanes,
        relay=relay,
        availability=availability,
        assignments=assignments,
        incidents=incidents,
        broadcasts=Broadcasts(store, relay, incidents, leases.holder),
        index=index,
        berths=berths,
        queues=Queues(store, feed, index, rules.policy),
        networks=networks,
        destinations=destinations,
        pages=pages,
        purges=purges,
        takeovers=Takeovers(store, relay, leases, _takeovers_after(settings)),
        checks=[Finding(one.level, one.what, one.mend) for one in checks],
        server=server,
    )


def _takeovers_after(settings: Settings) -> dict[NetworkName, int]:
    """ms, for each network that the built-in desk stands in for; never where there is no desk."""
    after = {SLACK: settings.slack.takeover_after, DISCORD: settings.discord.takeover_after}
    return {one: int(after[one] * 1000) if settings.desk.enabled else 0 for one in _chats(settings)}


def _chats(settings: Settings) -> list[NetworkName]:
    """The chats that are on."""
    on = {SLACK: settings.slack.enabled, DISCORD: settings.discord.enabled}
    return [name for name, is_on in on.items() if is_on]


def _slack_users(directory: Directory, policy: Policy) -> Mapping[OperatorId, str]:
    """The operators whose user in Slack is known."""
    known = {one: directory.network_user(SLACK, one) for one in policy.operators}
    return {operator: user for operator, user in known.items() if user is not None}


def _places(policy: Policy, network: NetworkName) -> list[Place]:
    """A network's channels, each once."""
    every = (place for desk in policy.desks.values() if desk.network == network for place in desk.places)
    return list(dict.fromkeys(every))


def _topic_title(rulebook: Rulebook, topic: Topic, language: str) -> str:
    titles = rulebook.topic_titles.get(topic, {})
    return titles.get(closest(language)) or titles.get("en") or topic


def _desk_title(rulebook: Rulebook, desk: DeskId, language: str) -> str:
    titles = rulebook.desk_titles.get(desk, {})
    return titles.get(closest(language)) or titles.get("en") or desk


async def _private_server(settings: Settings, stack: AsyncExitStack) -> PrivateServer:
    binary = find_binary(forced=settings.redis.binary) if settings.redis.binary else None
    server = PrivateServer(settings.data_dir / "redis", binary, socket_dir=settings.redis.socket_dir)
    await server.start()
    stack.push_async_callback(server.stop)
    return server


def _target(settings: Settings, server: PrivateServer | None) -> Target:
    redis = settings.redis
    return Target(
        url=server.endpoint.url if server else redis.url.get_secret_value() if redis.url else "",
        sentinels=redis.sentinel_addresses,
        sentinel_name=redis.sentinel_master,
        prefix=redis.prefix,
        partitions=redis.partitions,
        replicas=redis.wait_replicas,
        replica_timeout=redis.wait_timeout_ms,
        allow_eviction=redis.allow_eviction,
        options=redis.connection_options(),
    )


def _files(settings: Settings, limits: FileLimits) -> DiskFiles:
    chosen = settings.files
    scanner = CommandScanner(chosen.scanner, chosen.scanner_timeout) if chosen.scanner else None
    workers = Workers(limits, count=chosen.workers, seconds=int(chosen.timeout))
    return DiskFiles(settings.data_dir / "files", limits, scanner, workers)


def _timing(settings: Settings) -> Timing:
    lanes = settings.lanes
    return Timing(send_deadline=lanes.send_deadline, quarantine=lanes.quarantine, sweep_after=lanes.sweep)


# ------------------------------------------------------------------ the service


def _with_port(settings: Settings) -> Settings:
    """Port 0 takes a free one. It is chosen here, because our pages' own origin, which has it, is needed before."""
    if settings.web.port:
        return settings
    with socket.socket() as free:
        free.bind((settings.web.host, 0))
        return settings.model_copy(update={"web": settings.web.model_copy(update={"port": free.getsockname()[1]})})


def _open_as_many_files_as_we_may() -> None:
    """Every customer's page is an open file; the usual soft limit of 1,024 is an old habit of select(2)."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _collect_garbage_less_often() -> None:
    """What is there after the start stays, so it need not be walked; and a message leaves no cycles behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _loop_runner(work: Awaitable[int]) -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_awaited(work))


async def _awaited(work: Awaitable[int]) -> int:
    return await work


async def _serve(settings: Settings, rulebook: Rulebook, terminal: Terminal) -> int:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with AsyncExitStack() as stack:
        engine = await _engine(settings, rulebook, stack)
        watch = _policy_watch(engine)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, watch.ask)
        service = _service(engine, watch)
        async with service.running():
            await _announce(terminal, engine, service)
            _collect_garbage_less_often()
            await told.wait()
            log.info("draining")
    log.info("stopped")
    return 0


def _policy_watch(engine: Engine) -> PolicyWatch:
    """What puts a new policy in force. Files are read, and calendars fetched, beside the event loop."""
    rules, settings = engine.rules, engine.settings

    async def read() -> None:
        rules.adopt(await asyncio.to_thread(policies.load, settings))

    async def expand() -> None:
        rules.adopt(await asyncio.to_thread(policies.expand, rules.rulebook.written))

    async def renew() -> bool:
        return _calendars_changed(engine.metrics, await asyncio.to_thread(policies.renew, rules.rulebook.written))

    return PolicyWatch(engine.store, engine.leases.holder, engine.metrics, read=read, expand=expand, renew=renew)


def _calendars_changed(metrics: Metrics, found: Mapping[str, KakehashiError | None]) -> bool:
    for rota, error in found.items():
        metrics.calendar_fetched("changed" if error is None else "failed")
        if error is not None:
            log.warning("calendar_not_renewed", rota=rota, reason=error.what)
    return None in found.values()


def _service(engine: Engine, watch: PolicyWatch) -> Service:
    """The engine with its workers and listeners."""
    policy = engine.rules.policy
    desks = Desks(
        engine.store,
        engine.relay,
        engine.assignments,
        engine.availability,
        engine.index,
        engine.queues,
        engine.feed,
        engine.leases,
        policy,
    )
    detection, vigil = _language(engine), _vigil(engine)
    writing = Writing(engine.store, engine.relay, engine.feed, engine.leases, engine.networks)
    background: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("detection", detection.run),
        ("directory", engine.directory.follow),
        ("desks", desks.run),
        ("queues", engine.queues.run),
        ("berths", engine.berths.run),
        ("files", lambda: _sweep_files(engine.files)),
        ("broadcasts", engine.broadcasts.run),
        ("policy", watch.run),
        ("calendars", watch.renew_calendars),
        ("pages", engine.pages.run),
        ("handovers", _handovers(engine).run),
        ("writing", writing.run),
        ("takeovers", engine.takeovers.run),
        ("vigil", vigil.run),
        ("heartbeat", vigil.run_heartbeat),
    ]
    service = Service(
        store=engine.store,
        relay=engine.relay,
        feed=engine.feed,
        leases=engine.leases,
        lanes=engine.lanes,
        timers=Timers(engine.store, engine.relay, engine.leases, policy),
        views=Views(engine.store, _with_cards(engine.networks), engine.leases, policy),
        networks=engine.networks,
        background=background,
    )
    service.listeners = _listeners(engine, service, vigil)
    return service


def _language(engine: Engine) -> Detection:
    """What customers write is looked at, and, where a translator is set, put into the other side's language."""
    detection = Detection(engine.relay, Detector(), engine.metrics)
    engine.feed.listen(detection)
    chosen = engine.settings.translation
    if chosen.url is not None:
        key = chosen.api_key.get_secret_value() if chosen.api_key else ""
        # Shorter than a lane's deadline, so that an attempt that hangs is judged by who made it.
        timeout = min(chosen.timeout, engine.settings.lanes.send_deadline * 0.8)
        translator = LibreTranslate(chosen.url, key, timeout)
        policy = engine.rules.policy
        engine.networks[TRANSLATION] = Translation(engine.relay, translator, detection.language_of, policy)
    return detection


def _with_cards(networks: Mapping[NetworkName, Network]) -> dict[NetworkName, Network]:
    """Those where sessions have a card: pagers, translators and files have none."""
    return {name: network for name, network in networks.items() if name not in (ONCALL, TRANSLATION, FILES)}


def _pages(settings: Settings, rules: Rules, store: RedisStore, relay: Relay, holder: str) -> Pages:
    """What rings for a late answer."""
    return Pages(
        store,
        relay,
        _pagers(settings),
        partial(text, "page"),
        holder,
        desk_url=_desk_address(settings) if settings.desk.enabled else "",
        zone=lambda desk: _zone(rules, desk),
    )


def _pagers(settings: Settings) -> dict[str, Pager]:
    return targets(settings.pagers, _host(settings))


def _host(settings: Settings) -> str:
    """What this installation is called where many are watched."""
    return urlsplit(settings.url).hostname or settings.site


def _zone(rules: Rules, desk: DeskId) -> ZoneInfo:
    return ZoneInfo(rules.rulebook.zones.get(desk, "UTC"))


def _blockages(store: RedisStore, rules: Rules, networks: Mapping[NetworkName, Network]) -> Blockages:
    """What is said elsewhere of what cannot be posted where it belongs."""

    def title(desk: DeskId, language: str) -> str:
        return _desk_title(rules.rulebook, desk, language)

    return Blockages(store, rules.policy, networks, partial(text, "page"), title)


def _handovers(engine: Engine) -> Handovers:
    """The digest at each change of shift."""

    def name(operator: OperatorId) -> str:
        account = engine.directory.get(operator)
        return account.account if account else operator

    rules, holder = engine.rules, engine.leases.holder
    words = partial(text, "page")
    zone = partial(_zone, rules)
    return Handovers(engine.store, rules.policy, engine.networks, words, holder, name=name, zone=zone)


def _vigil(engine: Engine) -> Vigil:
    """Who watches this process."""
    chosen, server = engine.settings.health, engine.server
    return Vigil(
        store=engine.store,
        networks=engine.networks,
        leases=engine.leases,
        destinations=engine.destinations,
        pages=engine.pages,
        pagers=engine.pages.pagers,
        rules=HealthRules(
            ladder=tuple((one.pager, int(one.after * 1000)) for one in chosen.ladder),
            repeat_every=int(chosen.repeat_every * 1000),
            network_down=int(chosen.network_down * 1000),
            lane_late=int(chosen.lane_late * 1000),
            store_down=int(chosen.store_down * 1000),
        ),
        words=partial(text, "page"),
        identity=f"{socket.gethostname()}:{engine.settings.web.port}",
        site=_host(engine.settings),
        engine=lambda: None if server is None or server.alive else "the private server is being restarted",
        late=engine.takeovers.late,
        beat=Heartbeat(chosen.heartbeat_url.get_secret_value()) if chosen.heartbeat_url else None,
        beat_every=chosen.heartbeat_every,
    )


def _pager_webhook(engine: Engine, vigil: Vigil) -> web.Application | None:
    """What PagerDuty tells us; None where no pager could."""
    pagers = engine.settings.pagers
    secrets = {name: one.webhook_secret.get_secret_value() for name, one in pagers.items() if one.webhook_secret}
    accounts = {user: account for one in pagers.values() for user, account in one.people.items()}

    def operator(user: str, name: str) -> OperatorId | None:
        account = accounts.get(user) or accounts.get(name)
        known = engine.directory.by_account(account) if account else None
        if known is not None:
            return known.id
        written = OperatorId(account or "")
        return written if written in engine.policy().operators else None

    return PagerDutyWebhook(engine.pages, secrets, operator, vigil.acknowledged).application() if secrets else None


async def _sweep_files(files: DiskFiles) -> None:
    """Uploads that were given up, and bytes that nobody speaks of, leave the disk."""
    while True:
        await files.sweep(time.time())
        await asyncio.sleep(SWEEP_FILES_EVERY)


def _listeners(engine: Engine, service: Service, vigil: Vigil) -> list[Listener]:
    """One listener for all, or one each for the public, the desk and the figures, as the settings say."""
    settings = engine.settings
    public = Listener("public", _application(), settings.web.host, settings.web.port, setting=_setting_of_port("web"))
    apart = {public.name: public}
    desk = _listener(apart, "desk", settings.desk.host, settings.desk.port) or public
    figures = _listener(apart, "metrics", settings.metrics.host, settings.metrics.port) or public
    health = health_routes(lambda: _troubles(engine), service.troubles)
    for listener in apart.values():
        listener.app.add_routes(health)
    if settings.metrics.enabled:
        figures.app.add_routes(metrics_routes(engine.metrics, lambda: _measure(engine)))
    _mount_public(engine, public, desk if settings.desk.enabled else None, health, _pager_webhook(engine, vigil))
    return list(apart.values())


def _listener(apart: dict[str, Listener], name: str, host: str | None, port: int | None) -> Listener | None:
    if port is None:
        return None
    where = host or apart["public"].host
    listener = apart[name] = Listener(name, _application(), where, port, setting=_setting_of_port(name))
    return listener


def _setting_of_port(section: str) -> str:
    return f"{section}.port ({variable((section, 'port'))})"


def _application() -> web.Application:
    return web.Application(client_max_size=2 * 1024 * 1024)


# ------------------------------------------------------------------ what is reached where


def _mount_public(
    engine: Engine,
    public: Listener,
    desk: Listener | None,
    health: Sequence[web.RouteDef],
    pagers: web.Application | None,
) -> None:
    """The customers' side, the files, the chats' and PagerDuty's events, and the desk on whichever listener it has."""
    side = _customer_side(engine)
    base = engine.settings.base_path
    app = web.Application() if base else public.app
    side.mount(app, uploads_app(engine.files, side.upload_owner, engine.limits, side.allows_origin))
    app.add_subapp("/files", files_app(engine.files, engine.signer, _may_read(engine), time.time))
    slack = engine.networks.get(SLACK)
    if isinstance(slack, SlackNetwork) and engine.settings.slack.events == "http":
        app.add_subapp("/slack", slack.http_app())
    discord = engine.networks.get(DISCORD)
    if isinstance(discord, DiscordNetwork) and (interactions := discord.http_app()) is not None:
        app.add_subapp("/discord", interactions)
    if pagers is not None:
        app.add_subapp("/oncall", pagers)
    if desk is not None:
        (app if desk is public else desk.app).add_subapp("/console", _desk_app(engine, _desk_url(engine), side.remote))
    if base:
        app.add_routes(health)  # under the address that people know, too
        public.app.add_subapp(base, app)


def _customer_side(engine: Engine) -> CustomerSide:
    settings, secrets = engine.settings, engine.secrets
    return CustomerSide(
        relay=engine.relay,
        feed=engine.feed,
        store=engine.store,
        settings=settings.web,
        site=settings.site,
        public_url=settings.url,
        keys=secrets.visitor_tokens.all,
        policy=engine.rules.policy,
        public_name=engine.directory.public_name,
        topic_titles=InForce(lambda: engine.rules.rulebook.topic_titles),
        topic_under=InForce(lambda: engine.rules.rulebook.topic_under),
        desk_titles=InForce(lambda: engine.rules.rulebook.desk_titles),
        waits=engine.queues.usual,
        link=lambda part, reader: _file_url(engine, part, reader),
        locales=customers(),
        metrics=engine.metrics,
        incidents=lambda: engine.incidents.current(settings.site),
        files=engine.files,
        file_limits=engine.limits,
        files_origin=settings.files.origin,
        trusted_proxies=settings.trusted_proxies,
    )


def _desk_app(engine: Engine, url: str, remote: Callable[[web.Request], str]) -> web.Application:
    settings = engine.settings
    desk = DeskEngine(
        relay=engine.relay,
        feed=engine.feed,
        store=engine.store,
        directory=engine.directory,
        policy=engine.rules.policy,
        files=engine.files,
        links=engine.signer,
        files_url=_files_url(settings),
        assignments=engine.assignments,
        availability=engine.availability,
        incidents=engine.incidents,
        broadcasts=engine.broadcasts,
        purges=engine.purges,
        canned=_canned(engine),
        desk_titles=InForce(lambda: engine.rules.rulebook.desk_titles),
        topic_titles=InForce(lambda: engine.rules.rulebook.topic_titles),
        limits=engine.limits,
        promise=Promise(int(settings.desk.amber_after * 1000), int(settings.desk.red_after * 1000)),
    )
    accounts = Accounts(engine.store, engine.directory, Passwords(), settings.desk)
    address = Address(path=urlsplit(url).path, origins=_origins_of(url))
    return console_app(
        desk,
        accounts,
        settings.desk,
        uploads=lambda authenticate, origins: uploads_app(engine.files, authenticate, engine.limits, origins),
        address=address,
        remote=remote,
    )


def _canned(engine: Engine) -> Canned:
    """The templates in force, as the threads have them."""
    return Canned(
        engine.store,
        engine.directory,
        lambda desk: engine.rules.rulebook.templates.get(desk, ()),
        wording=partial(text, "thread"),
        title=lambda topic, language: _topic_title(engine.rules.rulebook, topic, language),
        desk_title=lambda desk, language: _desk_title(engine.rules.rulebook, desk, language),
    )


def _desk_url(engine: Engine) -> str:
    return _desk_address(engine.settings)


def _desk_address(settings: Settings) -> str:
    """Where operators open the desk; no slash behind."""
    if settings.desk.port is None:
        return f"{settings.url}/console"
    if settings.desk.public_url is not None:
        return f"{settings.desk.public_url}/console"
    return f"{listener_url(settings.desk.host or settings.web.host, settings.desk.port)}/console"


def _on_the_desk(settings: Settings, code: ShortCode) -> str:
    """A session's address on the desk page; empty where there is none."""
    return f"{_desk_address(settings)}/#{code}" if settings.desk.enabled else ""


def _held_link(settings: Settings, session: Session, file: str) -> str:
    """The session at the desk with the file in view; the desk asks who is there first."""
    return f"{_desk_address(settings)}/#{session.code}/{file}" if settings.desk.enabled else ""


def _passing_link(settings: Settings, signer: LinkSigner, session: Session, file: FilePart) -> tuple[str, int]:
    """A file's address for those who see a session's thread, and when it runs out (ms). Its name is not in it: it tells
    too much, and is too long for a line. It is saved under it all the same."""
    now = time.time()
    token = signer.link(file.file, f"thread:{session.id}", now)
    return f"{_files_url(settings)}{token}/{plain_name(file.name)}", signer.expires(now) * 1000


def _origins_of(url: str) -> tuple[str, ...]:
    """How browsers name the pages of this address. A loopback address has two names."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return (origin, origin.replace("127.0.0.1", "localhost")) if parts.hostname == "127.0.0.1" else (origin,)


def _files_url(settings: Settings) -> str:
    """What a file's link begins with; the files' own origin serves the same paths."""
    base = f"{settings.files.origin}{settings.base_path}" if settings.files.origin else settings.url
    return f"{base}/files/"


def _file_url(engine: Engine, part: FilePart, reader: str) -> str:
    token = engine.signer.link(part.file, reader, time.time())
    return f"{_files_url(engine.settings)}{token}/{quote(part.name, safe='')}"


def _may_read(engine: Engine) -> Callable[[str, str], Awaitable[bool]]:
    """A signed link is enough for the customer whom it was made for; an operator must still be one."""

    async def may_read(file: str, reader: str) -> bool:
        del file
        kind, _, who = reader.partition(":")
        if kind != "operator":
            return True
        operator = engine.directory.get(OperatorId(who))
        return operator is not None and operator.active

    return may_read


# ------------------------------------------------------------------ what is said of it


async def _announce(terminal: Terminal, engine: Engine, service: Service) -> None:
    settings = engine.settings
    links = [("Demo page" if settings.web.demo else "Service", f"{settings.url}/")]
    if settings.desk.enabled:
        lifetime = settings.desk.link_lifetime
        links.append(("Operator desk", await mint_sign_in_link(engine.store, _desk_url(engine), lifetime=lifetime)))
    parts = [one.what for one in engine.checks if one.level == "ok"]
    parts += [f"{name} is connected" for name in _with_cards(engine.networks) if name != CONSOLE]
    if settings.translation.url is not None:
        parts.append(f"messages are translated by {urlsplit(settings.translation.url).netloc}")
    parts += [f"listening on {listener.url} ({listener.name})" for listener in service.listeners]
    terminal.announce(version("kakehashi"), links, parts)


async def _troubles(engine: Engine) -> Mapping[str, str]:
    """Why what is said here could not be kept; empty when it can."""
    found: dict[str, str] = {}
    if engine.server is not None and not engine.server.alive:
        found["redis"] = "the private server is being restarted"
    try:
        await engine.store.get("health")
    except KakehashiError as error:
        found["store"] = error.what
    engine.metrics.store_up("store" not in found)
    return found


async def _measure(engine: Engine) -> None:
    """The gauges that nobody counts as they change."""
    metrics, store = engine.metrics, engine.store
    for name, network in engine.networks.items():
        metrics.network_up(name, network.ready() is None)
    try:
        now = await store.now()
        for name in engine.networks:
            held = engine.leases.partitions(name)
            metrics.leases(name, len(held))
            waiting, oldest = 0, 0
            for partition, _term in held:
                lanes, due = await store.backlog(partition, name, now)
                waiting, oldest = waiting + lanes, max(oldest, now - due if lanes else 0)
            metrics.lanes(name, waiting, max(oldest, engine.takeovers.late(name).age) / 1000)
            metrics.unplaced(name, len(await store.unplaced(name)))
        metrics.store_up(True)
    except KakehashiError:
        metrics.store_up(False)
