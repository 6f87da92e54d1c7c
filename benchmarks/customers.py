"""Customers at their sockets: of Kakehashi, and of the bare floor, behind one small face."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from typing import Protocol

import aiohttp

from benchmarks.platform import TOKEN
from benchmarks.subjects import Subject

_NUMBERS = itertools.count()


class Customer(Protocol):
    """One customer with an open socket. `heard` maps a text's token to when its frame came."""

    number: int
    heard: dict[str, float]

    async def say(self, token: str) -> float:
        """Send a message with this token in it; the moment (perf_counter) just before."""
        ...

    async def until_heard(self, token: str) -> None: ...
    async def leave(self) -> None: ...


class _Ears:
    """Reads a socket and notes when each token came."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.number = next(_NUMBERS)
        self.heard: dict[str, float] = {}
        self.session = ""
        self.acknowledged = 0
        self._socket = socket
        self._news = asyncio.Event()
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self._socket:
            now = time.perf_counter()
            text = str(message.data)
            for token in TOKEN.findall(text.encode()):
                self.heard.setdefault(token.decode(), now)
            self.notice(text)
            self._news.set()

    def notice(self, text: str) -> None:
        """Whatever else a frame says."""

    async def _until(self, true: object) -> None:
        async with asyncio.timeout(40):
            while not true():  # type: ignore[operator]  # a condition without arguments
                self._news.clear()
                await self._news.wait()

    async def until_heard(self, token: str) -> None:
        await self._until(lambda: token in self.heard)

    async def leave(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self._socket.close()


class KakehashiCustomer(_Ears):
    """Speaks docs/protocol.md."""

    def notice(self, text: str) -> None:
        if '"t":"ack"' in text:
            self.acknowledged += 1
        if '"t":"beat"' in text:  # who says nothing for 90 s is cut
            self._answering = asyncio.ensure_future(self._socket.send_str('{"t":"beat"}'))

    async def say(self, token: str) -> float:
        frame = {"t": "message", "id": token, "topic": "trading", "parts": [{"type": "text", "text": f"hello {token}"}]}
        data = json.dumps(frame)
        begun = time.perf_counter()
        await self._socket.send_str(data)
        return begun

    async def until_acknowledged(self, count: int) -> None:
        await self._until(lambda: self.acknowledged >= count)


class BareCustomer(_Ears):
    """Says what it has to say."""

    async def say(self, token: str) -> float:
        begun = time.perf_counter()
        await self._socket.send_str(f"hello {token}")
        return begun


async def join(session: aiohttp.ClientSession, subject: Subject) -> KakehashiCustomer:
    """A new visitor, welcomed."""
    socket = await session.ws_connect(f"{subject.url}/v1/socket", headers={"Origin": subject.url}, compress=0)
    hello = {"t": "hello", "v": 1, "locale": "en", "page": "https://exchange.test/trade", "tz": "Asia/Tokyo"}
    await socket.send_str(json.dumps(hello))
    welcome = json.loads((await socket.receive(timeout=40)).data)
    assert welcome["t"] == "welcome", welcome
    return KakehashiCustomer(socket)


async def join_bare(session: aiohttp.ClientSession, subject: Subject, name: str) -> BareCustomer:
    return BareCustomer(await session.ws_connect(f"{subject.url}/socket?name={name}", compress=0))
