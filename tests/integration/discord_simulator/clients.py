"""Clients of the unmodified discord.py, and of plain HTTP and WebSockets where the library would hide what is sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import discord as library
import pytest

from tests.simulators.discord import DiscordSimulator
from tests.simulators.discord.intents import Intent

Json = dict[str, Any]
EVERYTHING = (
    Intent.GUILDS | Intent.GUILD_MEMBERS | Intent.GUILD_MESSAGES | Intent.GUILD_MESSAGE_REACTIONS
    | Intent.GUILD_MESSAGE_TYPING | Intent.DIRECT_MESSAGES | Intent.MESSAGE_CONTENT
)  # fmt: skip


def intents(value: int = EVERYTHING) -> library.Intents:
    chosen = library.Intents.none()
    chosen.value = int(value)
    return chosen


class Client(library.Client):
    """Keeps what it hears. It identifies anew at once, where the library would wait five seconds."""

    def __init__(self, *, wanted: int = EVERYTHING, **options: Any) -> None:
        super().__init__(intents=intents(wanted), max_ratelimit_timeout=30.0, guild_ready_timeout=0.05, **options)
        self.heard: list[tuple[str, Any]] = []

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        return

    def dispatch(self, event: str, /, *args: Any, **options: Any) -> None:
        self.heard.append((event, args[0] if args else None))
        super().dispatch(event, *args, **options)

    def those(self, event: str) -> list[Any]:
        """What came of one kind of event, by the library's names: `message`, `raw_message_edit`, …"""
        return [payload for kind, payload in self.heard if kind == event]

    def place(self, channel_id: str) -> Any:
        """A channel or thread to send to, whether cached or not."""
        return self.get_partial_messageable(int(channel_id), guild_id=self.guilds[0].id if self.guilds else None)


@contextlib.asynccontextmanager
async def running(client: Client, discord: DiscordSimulator) -> AsyncIterator[Client]:
    """The client, logged in, ready and listening; what ended it is in `client.ended`, if anything did."""
    await client.login(discord.token)
    task = asyncio.create_task(client.connect())
    try:
        ready = asyncio.create_task(client.wait_until_ready())
        await asyncio.wait([ready, task], return_when=asyncio.FIRST_COMPLETED, timeout=20)
        ready.cancel()
        assert client.is_ready(), task
        yield client
    finally:
        await client.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.contextmanager
def refused(code: int, status: int | None = None) -> Iterator[pytest.ExceptionInfo[library.HTTPException]]:
    """The block's call is refused with this code of Discord's; yields the exception's info."""
    with pytest.raises(library.HTTPException) as info:
        yield info
    assert info.value.code == code, info.value
    assert status in (None, info.value.status), info.value


class Rest:
    """Plain HTTP with the bot's token: what discord.py would not let through, or would wait and repeat for."""

    def __init__(self, discord: DiscordSimulator, session: aiohttp.ClientSession) -> None:
        self.discord = discord
        self.session = session

    async def call(self, route: str, body: Any = None, **options: Any) -> tuple[int, Any, dict[str, str]]:
        """`call("POST /channels/1/messages", {…})` → status, answer, headers with names in lower case."""
        verb, _, path = route.partition(" ")
        headers = {"Authorization": f"Bot {self.discord.token}"} | options.pop("headers", {})
        if body is not None:
            options["json"] = body
        async with self.session.request(verb, self.discord.api_url + path, headers=headers, **options) as response:
            raw = await response.read()
            answer = json.loads(raw) if response.content_type == "application/json" and raw else raw.decode()
            return response.status, answer, {k.lower(): v for k, v in response.headers.items()}

    async def say(self, channel_id: str, **body: Any) -> tuple[int, Any, dict[str, str]]:
        return await self.call(f"POST /channels/{channel_id}/messages", body)


class Wire:
    """A gateway connection without a library: payloads as they come."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames = 0
        self._inflate = zlib.decompressobj()
        self._buffer = b""

    async def send(self, op: int, data: Any = None) -> None:
        await self.socket.send_json({"op": op, "d": data})

    async def receive(self, timeout: float = 60.0) -> Json:
        """The next payload; or `{"closed": code}`."""
        while True:
            message = await self.socket.receive(timeout)
            self.frames += 1
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                return {"closed": self.socket.close_code}
            if message.type is aiohttp.WSMsgType.TEXT:
                return dict(json.loads(message.data))
            self._buffer += message.data
            if self._buffer.endswith(b"\x00\x00\xff\xff"):
                text, self._buffer = self._inflate.decompress(self._buffer), b""
                return dict(json.loads(text))

    async def event(self, kind: str) -> Json:
        """The next event of this kind, others left out."""
        while True:
            payload = await self.receive()
            assert "closed" not in payload, payload
            if payload.get("t") == kind:
                return payload

    async def op(self, op: int) -> Json:
        while True:
            payload = await self.receive()
            assert "closed" not in payload, payload
            if payload["op"] == op:
                return payload

    async def identify(self, token: str, wanted: int = EVERYTHING) -> Json:
        """HELLO, IDENTIFY, READY; returns READY's data."""
        await self.op(10)
        await self.send(2, {"token": token, "intents": int(wanted), "properties": {}})
        return dict((await self.event("READY"))["d"])


@contextlib.asynccontextmanager
async def wire(discord: DiscordSimulator, *, url: str = "", compress: bool = False) -> AsyncIterator[Wire]:
    query = "?v=10&encoding=json" + ("&compress=zlib-stream" if compress else "")
    address = (url or discord.gateway_url) + query
    async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
        yield Wire(socket)
