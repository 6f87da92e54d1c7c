"""Socket Mode: single-use URLs, up to ten connections, each payload to any one of them, and every way to lose one."""

from __future__ import annotations

import asyncio
import json
import secrets
import struct
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import WSMsgType, web

from .mischief import Fault, Rule
from .transport import Kind, Outcome
from .workspace import Json

if TYPE_CHECKING:
    from .simulator import SlackSimulator

DisconnectReason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]
_ANSWERABLE = frozenset({"interactive", "slash_commands"})


class Connection:
    """One socket of the app's, from Slack's end."""

    def __init__(self, slack: SlackSimulator, number: int, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._slack = slack
        self.number = number
        self._socket = socket
        self._transport = request.transport
        self.is_deaf = False
        self.answers_pings = True
        self.is_retiring = False
        """Told to go: gets no more envelopes."""
        self.acknowledged: list[str] = []
        self._waiting: dict[str, asyncio.Future[Json]] = {}

    @property
    def unacknowledged(self) -> int:
        """How many envelopes still wait for their acknowledgement."""
        return len(self._waiting)

    async def listen(self) -> None:
        """Read acknowledgements and pings until the socket closes."""
        async for message in self._socket:
            if message.type is WSMsgType.PING and self.answers_pings:
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.TEXT and not self.is_deaf:
                self._hear(message.data)

    def _hear(self, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        envelope_id = str(answer.get("envelope_id"))
        self.acknowledged.append(envelope_id)
        if (future := self._waiting.pop(envelope_id, None)) and not future.done():
            future.set_result(answer.get("payload") or {})

    async def attempt(self, envelope: Json, rule: Rule | None) -> Outcome:
        """Send the envelope and wait for its acknowledgement."""
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = future
        try:
            async with self._slack.clock.deadline(self._slack.habits.ack_timeout):
                await self._send(envelope, rule)
                return Outcome(True, answer=await future)
        except TimeoutError:
            return Outcome(False, "timeout")
        except ConnectionError:
            return Outcome(False, "timeout")
        finally:
            self._waiting.pop(envelope["envelope_id"], None)

    async def _send(self, envelope: Json, rule: Rule | None) -> None:
        if self.is_deaf:
            return
        text = json.dumps(envelope, ensure_ascii=False)
        if rule and rule.fault is Fault.CUT_ENVELOPE:
            self._cut(_frame(text)[: len(text) // 2])
            return
        await self._socket.send_str(text)
        if rule and rule.fault is Fault.CUT_AFTER_ENVELOPE:
            self.is_deaf = True
            self._cut(b"")

    def _cut(self, last_words: bytes) -> None:
        """Close the TCP connection without a closing handshake, after these bytes."""
        self.is_retiring = True
        if self._transport is not None:
            self._transport.write(last_words)
            self._transport.close()

    def drop(self) -> None:
        """The network breaks: no closing handshake, nothing said."""
        self._cut(b"")

    def deafen(self, *, answers_pings: bool = True) -> None:
        """Stay open but silent: envelopes sent here go nowhere, answers are not heard; pings only if told so."""
        self.is_deaf, self.answers_pings = True, answers_pings

    async def disconnect(self, reason: DisconnectReason = "refresh_requested") -> None:
        """Say goodbye as Slack does: `warning` closes ten seconds later, the others at once."""
        self.is_retiring = True
        await self._socket.send_str(json.dumps({"type": "disconnect", "reason": reason, "debug_info": _DEBUG}))
        if reason == "warning":
            await self._slack.clock.sleep(self._slack.habits.warning_ahead)
        await self._socket.close()

    def fail_waiting(self) -> None:
        """The socket is gone, and with it every acknowledgement that was still to come."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError("the socket closed before its acknowledgement"))

    async def close(self) -> None:
        await self._socket.close()


_DEBUG: dict[str, Any] = {"host": "applink-simulated"}


class SocketMode:
    """All sockets of the app."""

    def __init__(self, slack: SlackSimulator) -> None:
        self._slack = slack
        self._tickets: dict[str, float] = {}
        self._count = 0
        self._turn = 0
        self.connections: list[Connection] = []
        self.refused_handshakes = 0
        self.sent_away = 0
        """Sockets that were opened and told to go at once."""
        self.unreachable = False
        """No handshake comes through: a network that broke."""
        self.link_disabled = False
        """Socket Mode is off on the app's page: addresses are given out, and whoever opens one is told to go."""

    def issue_url(self) -> str:
        """A URL for one connection, good for half a minute."""
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = self._slack.clock.now() + self._slack.habits.ticket_life
        base = self._slack.url.replace("http", "ws", 1)
        return f"{base}/link/?ticket={ticket}&app_id={self._slack.workspace.app.id}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket endpoint; a used or expired URL is refused before the handshake."""
        expires = self._tickets.pop(request.query.get("ticket", ""), -1.0)
        if expires < self._slack.clock.now() or self.unreachable:
            self.refused_handshakes += 1
            return web.Response(status=408, text="the URL was used or has expired")
        socket = web.WebSocketResponse(autoping=False, compress=False)
        await socket.prepare(request)
        self._count += 1
        await self._serve(Connection(self._slack, self._count, socket, request), socket)
        return socket

    async def _serve(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        if (reason := self._sends_away()) is not None:
            self.sent_away += 1
            await connection.disconnect(reason)
            return
        self.connections.append(connection)
        try:
            await socket.send_str(json.dumps(self._hello()))
            self._slack.happenings.wake()
            await connection.listen()
        except ConnectionError:
            return
        finally:
            self.connections.remove(connection)
            connection.fail_waiting()
            self._slack.happenings.wake()

    def _sends_away(self) -> DisconnectReason | None:
        if self.link_disabled:
            return "link_disabled"
        return "too_many_websockets" if len(self.connections) >= self._slack.habits.max_connections else None

    def _hello(self) -> Json:
        info = {"app_id": self._slack.workspace.app.id}
        debug = _DEBUG | {"build_number": 1, "approximate_connection_time": 3_600}
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": debug,
            "connection_info": info,
        }

    async def attempt(self, kind: Kind, payload: Json, retry: int, reason: str) -> Outcome:
        """Send to any one connection, another one than last time where there are several."""
        connection = self._next()
        if connection is None:
            return Outcome(False, "connection_failed")
        envelope: Json = {
            "envelope_id": f"{secrets.token_hex(4)}-{secrets.token_hex(12)}",
            "type": kind,
            "accepts_response_payload": kind in _ANSWERABLE,
            "payload": payload,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": reason}
        return await connection.attempt(envelope, self._slack.mischief.for_envelope(kind, payload))

    def _next(self) -> Connection | None:
        ready = [c for c in self.connections if not c.is_retiring]
        if not ready:
            return None
        self._turn += 1
        return ready[self._turn % len(ready)]

    async def disconnect_all(self, reason: DisconnectReason) -> None:
        """Say goodbye on every socket; `link_disabled` also sends new ones away until `enable_link`."""
        self.link_disabled = reason == "link_disabled"
        await asyncio.gather(*(c.disconnect(reason) for c in list(self.connections)))

    def enable_link(self) -> None:
        """Sockets can be opened again."""
        self.link_disabled = self.unreachable = False

    def expire_tickets(self) -> None:
        """Every URL handed out and not yet used is dead, as after a long pause."""
        self._tickets.clear()

    async def close(self) -> None:
        for connection in list(self.connections):
            await connection.close()


def _frame(text: str) -> bytes:
    """The text as one unmasked WebSocket frame (RFC 6455, 5.2)."""
    body = text.encode()
    if len(body) < 126:
        return struct.pack("!BB", 0x81, len(body)) + body
    if len(body) < 65_536:
        return struct.pack("!BBH", 0x81, 126, len(body)) + body
    return struct.pack("!BBQ", 0x81, 127, len(body)) + body
