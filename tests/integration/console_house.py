"""The desk on the real engine: a Redis of its own, lanes, views, files, and the console on a loopback port.

Customers are played by calling the relay as the web adapter does; operators go through HTTP like any browser.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher
from PIL import Image

from adapters.console.accounts import Accounts, mint_sign_in_link
from adapters.console.api import Engine
from adapters.console.network import ConsoleNetwork
from adapters.console.passwords import Passwords
from adapters.console.server import Address, console_app
from adapters.files.downloads import files_app
from adapters.files.links import LinkSigner
from adapters.files.store import DiskFiles
from adapters.files.uploads import uploads_app
from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from bridge.assignments import Assignments
from bridge.availability import Availability
from bridge.broadcasts import Broadcasts
from bridge.directory import Directory, Operator, new_operator_id
from bridge.feed import Feed, Signal
from bridge.files import FileLimits
from bridge.incidents import Incidents
from bridge.lanes import Lanes
from bridge.leases import INDEX, TIMERS, Leases
from bridge.messages import About, Body, FilePart, TextPart
from bridge.metrics import Metrics
from bridge.networks.canned import Canned
from bridge.ports import Network, Stored
from bridge.purges import Purges
from bridge.relay import Greeting, Receipt, Relay
from bridge.service import Listener, Service
from bridge.templates import Template
from bridge.timers import Timers
from bridge.views import Views
from config.locales import text
from config.settings import DeskSettings
from routing import inputs as i
from routing.effects import FILES
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, NetworkName, OperatorId, Place, SessionId, Topic
from routing.policy import Desk, Policy
from tests.redis_servers import private_redis

CONSOLE = NetworkName("console")
LIMITS, SIGNER = FileLimits(reserve_bytes=0), LinkSigner(bytes(32), 3600)
PASSWORD = "correct horse battery"
DESK_TITLES = {
    DeskId("en"): {"en": "English", "ja": "英語", "zh-Hans": "英文", "zh-Hant": "英文"},
    DeskId("ja"): {"en": "Japanese", "ja": "日本語", "zh-Hans": "日文", "zh-Hant": "日文"},
    DeskId("withdrawals"): {"en": "Withdrawals", "ja": "出金", "zh-Hans": "提现", "zh-Hant": "提領"},
}
TOPIC_TITLES = {
    Topic("trading"): {"en": "Trading", "ja": "取引", "zh-Hans": "交易", "zh-Hant": "交易"},
    Topic("transfers"): {
        "en": "Deposits and withdrawals",
        "ja": "入出金",
        "zh-Hans": "充值与提现",
        "zh-Hant": "存提款",
    },
}


def policy() -> Policy:
    desks = [
        Desk(DeskId("en"), CONSOLE, Place(""), languages=("en",)),
        Desk(DeskId("ja"), CONSOLE, Place(""), languages=("ja",)),
        Desk(DeskId("withdrawals"), CONSOLE, Place(""), topics=(Topic("none"),)),
    ]
    return Policy({desk.id: desk for desk in desks}, tuple(TOPIC_TITLES))


@dataclass
class Customer:
    """A customer with a widget open somewhere."""

    house: House
    key: CustomerKey
    greeting: Greeting
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def writes(self, text: str = "Hello", *files: FilePart) -> Stored:
        name = f"client-{next(self.numbers):04}"
        event = i.CustomerWrote(MessageId(f"c:{name}"))
        body = Body(((TextPart(text),) if text else ()) + files)
        return await self._hands_over(event, f"web/{name}", body)

    async def does(self, event: i.CustomerInput) -> Stored:
        return await self._hands_over(event, f"web/act-{next(self.numbers):04}")

    async def receives(self, *, seen: bool = False) -> Stored:
        last = (await self.session()).session.last_reply
        if last is None:
            raise AssertionError("there is no reply to receive")
        return await self.does(i.CustomerReceived(last, seen))

    async def types(self) -> None:
        stored = await self.session()
        await self.house.feed.signal(stored.session, Signal("typing", stored.session.id))

    async def session(self) -> Stored:
        stored = await self.house.relay.current(self.key)
        if stored is None:
            raise AssertionError("this customer has no session")
        return stored

    async def _hands_over(self, event: i.CustomerInput, key: str, body: Body | None = None) -> Stored:
        answer = await self.house.relay.from_customer(self.key, event, InputKey(key), body=body, greeting=self.greeting)
        if not isinstance(answer, Receipt):
            raise AssertionError(f"not taken: {answer}")
        return answer.stored


@dataclass
class House:
    """Everything that runs, and people to play with."""

    store: RedisStore
    relay: Relay
    feed: Feed
    directory: Directory
    files: DiskFiles
    accounts: Accounts
    assignments: Assignments
    availability: Availability
    incidents: Incidents
    broadcasts: Broadcasts
    url: str = ""

    @property
    def console(self) -> str:
        return f"{self.url}/console"

    def customer(self, account: str = "~mia", **changes: object) -> Customer:
        greeting = Greeting(False, "en", Topic("trading"), About(name="Mia Brown", locale="en-GB"))
        known = {name: value for name, value in changes.items() if name != "about"}
        about = changes.get("about")
        chosen = replace(greeting, **known, **({"about": about} if about else {}))  # type: ignore[arg-type]  # a test's own words
        return Customer(self, CustomerKey("main", account), chosen)

    async def operator(
        self, account: str = "kenji", *, names: Mapping[str, str] | None = None, **more: object
    ) -> Operator:
        """An account whose password is PASSWORD."""
        fresh = Operator(new_operator_id(), account, names or {"en": account.title(), "ja": account.title()})
        hashed = await quick_passwords().hash(PASSWORD)
        return await self.directory.add(replace(fresh, password_hash=hashed, **more))  # type: ignore[arg-type]  # likewise

    async def link(self) -> str:
        return await mint_sign_in_link(self.store, self.console)

    async def operator_does(self, session: SessionId, event: i.OperatorInput, key: str, text: str = "") -> Stored:
        """What an operator does elsewhere, such as on Slack."""
        body = Body((TextPart(text),)) if text else None
        answer = await self.relay.from_operator(session, event, InputKey(key), body=body)
        if not isinstance(answer, Receipt):
            raise AssertionError(f"not taken: {answer}")
        return answer.stored

    async def replies(self, session: SessionId, operator: OperatorId, text: str) -> Stored:
        number = (await self.store.load(session) or _missing()).head
        event = i.OperatorReplied(MessageId(f"o:other-{number:04}"), operator)
        return await self.operator_does(session, event, f"desk/other-{number:04}", text)

    async def picture(self, owner: str, name: str = "screen.png", size: tuple[int, int] = (640, 360)) -> FilePart:
        """A screenshot that a customer sent."""
        kept = await self.files.put(owner, name, png(size), key=name)
        return FilePart(kept.file_id, kept.name, kept.media_type, kept.size, kept.width or 0, kept.height or 0)


def _missing() -> Stored:
    raise AssertionError("there is no such session")


def png(size: tuple[int, int] = (640, 360)) -> bytes:
    """A picture with something to see on it."""
    picture = Image.new("RGB", size, (28, 52, 92))
    for step in range(0, size[0], 40):
        picture.paste((90, 150, 230), (step, size[1] - step * size[1] // size[0] // 2 - 20, step + 20, size[1]))
    held = io.BytesIO()
    picture.save(held, "PNG")
    return held.getvalue()


def quick_passwords() -> Passwords:
    """Weak on purpose: tests check what follows from a password, not how long it takes."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@asynccontextmanager
async def console_house(
    folder: Path, rules: Policy | None = None, *, templates: Sequence[Template] = ()
) -> AsyncIterator[House]:
    """`rules`: the policy but for the operators, who are those of the accounts. `templates` are every desk's."""
    async with private_redis(folder / "redis") as url:
        store, _checks = await open_store(Target(url=url, partitions=2))
        try:
            async with _running(store, folder, rules or policy(), templates) as house:
                yield house
        finally:
            await store.close()


@asynccontextmanager
async def _running(
    store: RedisStore, folder: Path, written: Policy, templates: Sequence[Template]
) -> AsyncIterator[House]:
    directory, feed = Directory(store), Feed(store)

    def rules() -> Policy:
        return replace(written, operators=directory.profiles())

    networks: dict[NetworkName, Network] = {CONSOLE: ConsoleNetwork()}
    leases = Leases(store, "house", [CONSOLE, INDEX, TIMERS, FILES])
    lanes = Lanes(store, networks, leases, feed, Metrics("test"))
    relay = Relay(store, feed, rules, lanes)
    files = DiskFiles(folder / "files", LIMITS)
    accounts = Accounts(store, directory, quick_passwords(), DeskSettings())
    engine = engine_of(store, relay, feed, directory, rules, files, templates)
    networks[FILES] = engine.purges
    house = House(
        store,
        relay,
        feed,
        directory,
        files,
        accounts,
        engine.assignments,
        engine.availability,
        engine.incidents,
        engine.broadcasts,
    )
    await directory.refresh()
    origins: set[str] = set()  # the port is known only when it is open
    root = pages(engine, accounts, origins)
    listener = Listener("public", root, "127.0.0.1", 0)
    timers = Timers(store, relay, leases, rules)
    views = Views(store, {CONSOLE: networks[CONSOLE]}, leases, rules)
    background = [("broadcasts", engine.broadcasts.run)]
    service = Service(store, relay, feed, leases, lanes, timers, views, networks, [listener], background)
    async with service.running():
        house.url = listener.url
        origins.add(listener.url)
        try:
            yield house
        finally:
            await files.close()


def engine_of(
    store: RedisStore,
    relay: Relay,
    feed: Feed,
    directory: Directory,
    rules: Callable[[], Policy],
    files: DiskFiles,
    templates: Sequence[Template] = (),
) -> Engine:
    """What the desk's page stands on."""
    availability, incidents = Availability(store, rules), Incidents(store, relay, rules)
    return Engine(
        relay=relay,
        feed=feed,
        store=store,
        directory=directory,
        policy=rules,
        files=files,
        links=SIGNER,
        files_url="/files/",
        assignments=Assignments(store, relay, rules, availability),
        availability=availability,
        incidents=incidents,
        broadcasts=Broadcasts(store, relay, incidents, "house"),
        purges=Purges(store, relay, files),
        canned=Canned(
            store,
            directory,
            lambda desk: templates,
            wording=partial(text, "thread"),
            title=lambda topic, language: TOPIC_TITLES[topic].get(language) or topic,
            desk_title=lambda desk, language: DESK_TITLES[desk].get(language) or desk,
        ),
        desk_titles=DESK_TITLES,
        topic_titles=TOPIC_TITLES,
        limits=LIMITS,
    )


def pages(engine: Engine, accounts: Accounts, origins: Collection[str]) -> web.Application:
    """The desk, and what was attached."""
    root = web.Application()
    root.add_subapp(
        "/console",
        console_app(
            engine,
            accounts,
            DeskSettings(),
            uploads=lambda who, origins: uploads_app(engine.files, who, LIMITS, origins),
            address=Address("/console", origins),
        ),
    )
    root.add_subapp("/files/", files_app(engine.files, SIGNER, _anybody, engine.clock))
    return root


@asynccontextmanager
async def served(engine: Engine) -> AsyncIterator[str]:
    """The pages on a port of their own, without anything else of a house; their address."""
    origins: set[str] = set()
    accounts = Accounts(engine.store, engine.directory, quick_passwords(), DeskSettings())
    async with TestServer(pages(engine, accounts, origins)) as server:
        url = f"http://127.0.0.1:{server.port}"
        origins.add(url)
        yield url


async def _anybody(file: str, reader: str) -> bool:
    return bool(file and reader)
