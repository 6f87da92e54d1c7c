"""A customer's page without a browser: it keeps the promises that docs/protocol.md asks of a client.

What is said goes into the outbox and stays there until it is acknowledged; a connection that breaks is opened again,
with the position; what was not acknowledged is said again under the same id. Whatever the server sends in breach of
the protocol (a gap, a repeat with another meaning, an acknowledgement of nothing) is an AssertionError.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.service import until

Json = dict[str, Any]

_numbers = itertools.count(1)
_BACK_OFF = 0.1  # seconds between two tries to connect


class _LineBrokeError(Exception):
    """The connection has ended, or something was lost on it: open another, after `pause` seconds."""

    def __init__(self, pause: float = _BACK_OFF) -> None:
        super().__init__(pause)
        self.pause = pause


@dataclass
class Customer:
    """`addresses`: processes of the service; when one does not answer, the next is tried."""

    http: aiohttp.ClientSession
    addresses: Sequence[str]
    name: str = "customer"
    locale: str = "en"
    token: str | None = None
    code: str = ""
    position: Json | None = None
    outbox: list[Json] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """The texts in the order in which they were written."""
    acknowledged: dict[str, str] = field(default_factory=dict)
    """By message id: the text of which the service said that it is stored."""
    events: dict[int, Json] = field(default_factory=dict)
    """The session as the page shows it, by offset."""
    raw: list[str] = field(default_factory=list)
    """Everything that was ever received, as it came."""
    connections: int = 0
    resets: int = 0
    refusals: list[Json] = field(default_factory=list)
    heard: list[Json] = field(default_factory=list)
    welcome: Json = field(default_factory=dict)
    _socket: aiohttp.ClientWebSocketResponse | None = None
    _ready: bool = False
    """Welcome, with all that was missed: now the outbox may be sent."""
    _under_way: str | None = None

    # ------------------------------------------------------------------ what a person does

    async def write(self, text: str, **fields: Any) -> str:
        """Say something; the message's id. It is sent as soon as everything before it is stored."""
        return await self.put(text, [{"type": "text", "text": text}], **fields)

    async def put(self, text: str, parts: Sequence[Json], **fields: Any) -> str:
        """A message of any parts; `text` is what the transcript shows of it."""
        message = f"message-{next(_numbers):08}"
        self.said.append(text)
        self.outbox.append({"t": "message", "id": message, "parts": list(parts), **fields})
        await self._send_next()
        return message

    async def upload(self, name: str, content: bytes) -> tuple[int, Json]:
        """Send a file, in chunks; the last answer's status and body. It is not part of a message yet."""
        status, answer = await self._upload("POST", "", json={"name": name, "size": len(content)})
        if status != 201:
            return status, answer
        place, chunk = f"/{answer['upload']}", answer["chunk"]
        for offset in range(0, len(content), chunk):
            piece = content[offset : offset + chunk]
            status, answer = await self._upload("PATCH", place, data=piece, headers={"Upload-Offset": str(offset)})
            if status != 200:
                return status, answer
        return await self._upload("POST", f"{place}/finish")

    async def show(self, name: str, content: bytes, text: str = "") -> str:
        """A message with a file; the file's id."""
        status, answer = await self.upload(name, content)
        assert status == 200, answer
        file = str(answer["file"]["id"])
        words = [{"type": "text", "text": text}] if text else []
        await self.put(f"{text} <file>".strip(), [*words, {"type": "file", "file": file}])
        return file

    async def _upload(self, method: str, path: str, **options: Any) -> tuple[int, Json]:
        address = self.addresses[0]
        headers = {"Origin": address, "Authorization": f"Bearer {self.welcome['upload_token']}"}
        headers |= options.pop("headers", {})
        async with self.http.request(method, f"{address}/v1/uploads{path}", headers=headers, **options) as response:
            return response.status, await response.json()

    async def act(self, t: str, **fields: Any) -> str:
        """`answer` or `end`: kept and repeated like a message."""
        number = f"act-{next(_numbers):08}"
        self.outbox.append({"t": t, "id": number, **fields})
        await self._send_next()
        return number

    async def is_heard(self) -> None:
        """Everything said so far is stored."""
        await until(lambda: not self.outbox, f"{self.name}'s messages were acknowledged")

    async def is_heard_more(self, times: int) -> None:
        """So many more messages have been stored, while others are on their way."""
        goal = len(self.acknowledged) + times
        await until(lambda: len(self.acknowledged) >= goal, f"{times} more of {self.name}'s messages were acknowledged")

    async def reads(self, text: str) -> None:
        """An operator's message of that text has arrived."""
        await until(lambda: text in self.replies(), f"{self.name} read {text!r}")

    async def has_read(self, texts: Sequence[str]) -> None:
        """As many operators' messages as these have arrived."""
        await until(lambda: len(self.replies()) >= len(texts), f"{self.name} read {len(texts)} replies")

    async def is_told(self, notice: str) -> None:
        await until(lambda: notice in self.notices(), f"{self.name} was told {notice!r}")

    # ------------------------------------------------------------------ what the page shows

    def transcript(self) -> list[tuple[str, str]]:
        """(from, text) of every message, in order."""
        return [(one["from"], text_of(one["parts"])) for one in self._messages()]

    def replies(self) -> list[str]:
        return [text for side, text in self.transcript() if side == "operator"]

    def now_reads(self) -> list[str]:
        """Operators' messages as they stand on the page now, each once."""
        latest = {one["id"]: one for one in self._messages() if one["from"] == "operator"}
        return ["(withdrawn)" if one["withdrawn"] else text_of(one["parts"]) for one in latest.values()]

    def own(self) -> list[str]:
        return [text for side, text in self.transcript() if side == "you"]

    def notices(self) -> list[str]:
        return [one["key"] for _, one in sorted(self.events.items()) if one["kind"] == "notice"]

    def _messages(self) -> list[Json]:
        return [one for _, one in sorted(self.events.items()) if one["kind"] == "message"]

    # ------------------------------------------------------------------ the line

    @asynccontextmanager
    async def online(self) -> AsyncIterator[Customer]:
        """The page is open inside the block. What it finds wrong with the service comes out of the block."""
        async with asyncio.TaskGroup() as group:
            page = group.create_task(self._stay_connected(), name=self.name)
            yield self
            page.cancel()

    async def _stay_connected(self) -> None:
        for address in itertools.cycle(self.addresses):
            try:
                async with self.http.ws_connect(f"{address}/v1/socket", headers={"Origin": address}) as socket:
                    self._socket = socket
                    await self._talk(socket)
            except _LineBrokeError as broke:
                await asyncio.sleep(broke.pause)
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(_BACK_OFF)
            finally:
                self._socket, self._ready, self._under_way = None, False, None

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        hello = {"t": "hello", "v": 1, "locale": self.locale, "tz": "Asia/Tokyo", "page": "https://shop.example/trade"}
        place = {"session": self.code, "position": self.position} if self.code else {}
        await socket.send_str(json.dumps({**hello, **place, "token": self.token}))
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.raw.append(message.data)
                await self._hear(json.loads(message.data))
        raise _LineBrokeError

    async def _hear(self, frame: Json) -> None:
        self.heard.append(frame)
        handler = getattr(self, f"_on_{frame['t']}", None)
        if handler is not None:
            await handler(frame)

    async def drop(self) -> None:
        """The line breaks here; the page notices and connects again."""
        if self._socket is not None:
            await self._socket.close()

    # ------------------------------------------------------------------ frames

    async def _on_welcome(self, frame: Json) -> None:
        self.connections += 1
        self.welcome = frame
        self.token = frame["token"] or self.token
        if frame["resume"] == "reset" and self.events:
            self.resets += 1
        if frame["resume"] == "reset" or frame["session"] is None or frame["session"]["code"] != self.code:
            self.events = {}
        self.code = frame["session"]["code"] if frame["session"] else ""
        self._take(frame["events"])
        if not frame["more"]:
            await self._caught_up(frame["position"])

    async def _on_events(self, frame: Json) -> None:
        self._take(frame["events"])
        if not frame["more"]:
            await self._caught_up(self.welcome["position"])

    async def _caught_up(self, position: Json | None) -> None:
        self.position = position
        assert len(self.events) == (position["o"] if position else 0), "a welcome leaves no gap"
        self._ready = True
        await self._send_next()

    async def _on_session(self, frame: Json) -> None:
        self.code, self.position, self.events = frame["session"]["code"], None, {}

    async def _on_event(self, frame: Json) -> None:
        self._place(frame["pos"], frame)
        await self._send_next()

    async def _on_ack(self, frame: Json) -> None:
        sent = next((one for one in self.outbox if one["id"] == frame["id"]), None)
        if sent is None:  # an event told us of it before
            assert frame["id"] in self.acknowledged, "nobody acknowledges what was not sent"
            return
        self._stored(sent)
        if frame["pos"] is not None and sent["t"] == "message":
            event = {"kind": "message", "from": "you", "id": sent["id"], "parts": sent["parts"], "pos": frame["pos"]}
            self._place(frame["pos"], event)
        await self._send_next()

    async def _on_refused(self, frame: Json) -> None:
        self.refusals.append(frame)
        if frame["retry"]:
            await asyncio.sleep(frame["after"] or _BACK_OFF)
        else:
            self.outbox = [one for one in self.outbox if one["id"] != frame["id"]]
        self._under_way = None
        await self._send_next()

    async def _on_bye(self, frame: Json) -> None:
        raise _LineBrokeError(min(frame["retry_after"] or _BACK_OFF, 1.0))

    async def _on_beat(self, frame: Json) -> None:
        assert self._socket is not None, "a frame came over it"
        await self._socket.send_str(json.dumps({"t": "beat"}))

    # ------------------------------------------------------------------ books

    def _take(self, events: Sequence[Json]) -> None:
        for event in events:
            assert event["pos"]["o"] == len(self.events) + 1, "history has no gap and no repeat"
            self._keep(event)

    def _place(self, position: Json, event: Json) -> None:
        """The rule of positions: the next one is applied, an old one ignored, a gap is a reason to ask again."""
        offset = position["o"]
        if offset > len(self.events) + 1:
            raise _LineBrokeError
        if offset <= len(self.events):
            assert self.events[offset].get("id") == event.get("id"), "an offset names one event for ever"
            return
        self._keep({**event, "pos": position})
        self.position = position

    def _keep(self, event: Json) -> None:
        self.events[event["pos"]["o"]] = event
        if event["kind"] == "message" and event["from"] == "you":
            sent = next((one for one in self.outbox if one["id"] == event["id"]), None)
            if sent is not None:
                self._stored(sent)

    def _stored(self, sent: Json) -> None:
        self.outbox.remove(sent)
        self.acknowledged[sent["id"]] = text_of(sent.get("parts", ()))
        if self._under_way == sent["id"]:
            self._under_way = None

    # ------------------------------------------------------------------ sending

    async def _send_next(self) -> None:
        """One message at a time: that is what keeps them in order."""
        if self._socket is None or not self._ready or self._under_way is not None or not self.outbox:
            return
        frame = self.outbox[0]
        self._under_way = frame["id"]
        try:
            await self._socket.send_str(json.dumps(frame, ensure_ascii=False))
        except (ConnectionError, aiohttp.ClientError):
            self._under_way = None  # the reader will notice, too, and connect again


def text_of(parts: Sequence[Json] | None) -> str:
    """A message as one line of a transcript; files by their kind."""
    return " ".join(part["text"] if part["type"] == "text" else f"<{part['type']}>" for part in parts or ())
