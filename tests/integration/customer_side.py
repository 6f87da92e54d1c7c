"""The customer's side on a real engine, with pages that speak the protocol. For the socket's and the poll's tests."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket as sockets
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
from aiohttp import web

from adapters.redis.store import RedisStore
from adapters.web.house import Incidents, no_incidents
from adapters.web.render import FileLink
from adapters.web.server import CustomerSide
from bridge.feed import Feed, Signal
from bridge.messages import Body, FilePart, TextPart
from bridge.metrics import Metrics
from bridge.ports import Stored
from bridge.relay import Receipt, Relay
from config.settings import WebSettings
from routing import inputs as i
from routing.effects import Effect
from routing.ids import DeskId, InputKey, MessageId, NetworkName, OperatorId, Place, ShortCode, Topic
from routing.policy import Desk, Policy
from tests.contract.engines import opened
from tests.redis_servers import private_redis

ORIGIN = "https://shop.example"
SITE = "main"
SITE_SECRET = "s" * 40
KEYS = (b"k" * 32,)
NOW = 1_900_000_000.0
AIKO = OperatorId("op-aiko-account")

POLICY = Policy(
    desks={DeskId("first"): Desk(DeskId("first"), NetworkName("console"), Place("first"))},
    topics=(Topic("trading"), Topic("other")),
)


def public_name(operator: OperatorId, language: str) -> str:
    return {"ja": "佐藤"}.get(language, "Aiko Sato") if operator == AIKO else "Support"


def link(part: FilePart, reader: str) -> str:
    return f"https://files.example/{part.file}?for={reader}"


def site_token(sub: str, *, lifetime: float = 600, now: float = NOW, **claims: Any) -> str:
    return jwt.encode({"sub": sub, "aud": "kakehashi", "exp": int(now + lifetime), **claims}, SITE_SECRET, "HS256")


def web_settings(**changed: Any) -> WebSettings:
    keys = [{"kid": "a", "secret": SITE_SECRET}]
    fields = {"origins": (ORIGIN,), "jwt": {"keys": keys, "audience": "kakehashi"}, **changed}
    return WebSettings(**fields)


class Senders:
    """Nobody delivers: these tests look at the customer's side only."""

    def terms(self, partition: int) -> dict[NetworkName, int]:
        return {}

    def send_direct(self, stored: Stored, effects: Sequence[Effect], bodies: dict[tuple[MessageId, int], Body]) -> None:
        raise AssertionError("without a lease nothing is sent at once")


class Clocks:
    """Seconds that a test can move."""

    def __init__(self) -> None:
        self.steady = 1_000.0
        self.wall = NOW

    def advance(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds


@dataclass
class Process:
    """One process: its engine room, and the customer's side on a port."""

    store: RedisStore
    feed: Feed
    relay: Relay
    side: CustomerSide
    clocks: Clocks
    url: str
    http: aiohttp.ClientSession
    replies: int = 0

    @asynccontextmanager
    async def page(self, origin: str | None = ORIGIN) -> AsyncIterator[Page]:
        """A page that has connected and said nothing yet."""
        headers = {"Origin": origin} if origin else {}
        hurried = aiohttp.ClientWSTimeout(ws_close=0.05)  # a page that is closed does not wait for our goodbye
        async with self.http.ws_connect(f"{self.url}/v1/socket", headers=headers, timeout=hurried) as socket:
            yield Page(socket)

    async def session(self, code: str) -> Stored:
        """The session of that code, as it is stored."""
        async for one in self.store.sessions():
            stored = await self.store.load(one)
            if stored is not None and stored.session.code == ShortCode(code):
                return stored
        raise AssertionError(f"there is no session {code}")

    async def reply(self, code: str, text: str, message: str = "") -> MessageId:
        self.replies += 1
        name = MessageId(message or f"s:C0SECRET:{self.replies}")
        event = i.OperatorReplied(name, AIKO)
        await self._operate(code, event, f"desk/{name}", Body((TextPart(text),)))
        return name

    async def note(self, code: str, text: str) -> None:
        self.replies += 1
        name = MessageId(f"o:note-{self.replies}")
        await self._operate(code, i.OperatorNoted(name, AIKO), f"desk/{name}", Body((TextPart(text),)))

    async def act(self, code: str, event: i.OperatorInput, body: Body | None = None) -> None:
        self.replies += 1
        await self._operate(code, event, f"desk/act-{self.replies}", body)

    async def _operate(self, code: str, event: i.OperatorInput, key: str, body: Body | None) -> None:
        stored = await self.session(code)
        answer = await self.relay.from_operator(stored.session.id, event, InputKey(key), body=body)
        assert isinstance(answer, Receipt), answer

    async def signal(self, code: str, kind: str, **fields: str) -> None:
        session = (await self.session(code)).session
        await self.feed.signal(session, Signal(kind, session.id, **fields))

    async def tick(self, seconds: float = 0.0) -> None:
        """Let time pass, make the rounds, and run the errands that they bring."""
        self.clocks.advance(seconds)
        self.side.lobby.tick(self.clocks.steady)
        await self.side.lobby.run_errands()


@dataclass
class Page:
    """A customer's page on a socket. It remembers every frame that it was ever sent."""

    socket: aiohttp.ClientWebSocketResponse
    heard: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)

    async def say(self, t: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"t": t, **fields}, ensure_ascii=False))

    async def hear(self) -> dict[str, Any]:
        """The next frame; AssertionError when the socket is closed instead."""
        message = await self.socket.receive(timeout=30)
        assert message.type is aiohttp.WSMsgType.TEXT, f"the socket said {message.type.name} {self.socket.close_code}"
        self.raw.append(message.data)
        frame: dict[str, Any] = json.loads(message.data)
        self.heard.append(frame)
        return frame

    async def hear_of(self, t: str) -> dict[str, Any]:
        """The next frame of that type; what comes before it is remembered."""
        while (frame := await self.hear())["t"] != t:
            pass
        return frame

    async def greet(self, **fields: Any) -> dict[str, Any]:
        """hello and its welcome, as one frame with all events in it."""
        await self.say("hello", **{"v": 1, "locale": "en", "page": f"{ORIGIN}/trade", "tz": "Asia/Tokyo", **fields})
        welcome = await self.hear_of("welcome")
        more = welcome["more"]
        while more:
            rest = await self.hear_of("events")
            welcome["events"] += rest["events"]
            more = rest["more"]
        return welcome

    async def write(self, text: str, number: int = 1, **fields: Any) -> dict[str, Any]:
        """A message and its acknowledgement."""
        await self.say("message", id=f"message-{number}", parts=[{"type": "text", "text": text}], **fields)
        return await self.hear_of("ack")

    async def closed(self) -> int | None:
        """Wait for the end; the code with which the server hung up."""
        while True:
            message = await self.socket.receive(timeout=30)
            if message.type is aiohttp.WSMsgType.TEXT:
                self.raw.append(message.data)
                self.heard.append(json.loads(message.data))
            else:
                return self.socket.close_code

    async def nothing_more(self) -> list[dict[str, Any]]:
        """Drain: whatever the server had to say before it answers a ping."""
        before = len(self.heard)
        await self.say("ping", n=7)
        await self.hear_of("pong")
        return self.heard[before:-1]


@asynccontextmanager
async def process(
    url: str,
    *,
    files: Any = None,
    policy: Callable[[], Policy] = lambda: POLICY,
    incidents: Incidents = no_incidents,
    links: FileLink = link,
    **changed: Any,
) -> AsyncIterator[Process]:
    """One process on the engine at `url`; `changed` are web settings."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(url))
        clocks, feed = Clocks(), Feed(store)
        relay = Relay(store, feed, policy, Senders())
        side = CustomerSide(
            relay=relay,
            feed=feed,
            store=store,
            settings=web_settings(**changed),
            site=SITE,
            public_url="http://127.0.0.1:8787",
            keys=KEYS,
            policy=policy,
            desk_titles={desk: {"en": desk.title()} for desk in policy().desks},
            incidents=incidents,
            public_name=public_name,
            link=links,
            locales={"en": {"launcher": "Chat"}},
            metrics=Metrics(),
            files=files,
            clock=lambda: clocks.steady,
            wall_clock=lambda: clocks.wall,
        )
        base = await stack.enter_async_context(served(side.app()))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Process(store, feed, relay, side, clocks, base, http)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def alone(folder: Path, **changed: Any) -> AsyncIterator[Process]:
    """One process on an engine of its own."""
    async with private_redis(folder) as url, process(url, **changed) as one:
        yield one


@asynccontextmanager
async def two_processes(folder: Path) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes on one engine. They hear nothing of each other but what a test tells them."""
    async with private_redis(folder) as url, process(url) as one, process(url) as other:
        one.feed.others = other.feed.others = True
        yield one, other


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; a test that never gets there is ended by its runner."""
    while not condition():  # noqa: ASYNC110 - what is waited for belongs to other people's code
        await asyncio.sleep(0.005)


async def deaf_page(url: str, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A page that says hello and never reads: a bare socket with the smallest window that the kernel gives."""
    line = sockets.socket()
    line.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
    line.setblocking(False)
    address = urlsplit(url)
    await asyncio.get_running_loop().sock_connect(line, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=line, limit=1_024)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /v1/socket HTTP/1.1\r\nHost: {address.netloc}\r\nOrigin: {ORIGIN}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    hello = json.dumps({"t": "hello", "v": 1, "token": token}).encode()
    writer.write(struct.pack("!BBH4s", 0x81, 0x80 | 126, len(hello), b"\0\0\0\0") + hello)
    await writer.drain()
    return reader, writer
