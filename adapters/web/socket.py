"""The WebSocket: one handler per page, waiting for its next frame, and nothing else.

An idle page costs what aiohttp needs for it and a few hundred bytes of ours, so there is no task beside the handler,
no timer and no queue. Frames are written straight into the transport, whose buffer is the bounded queue (see
`Connection.write`); only a long history waits for the other side.
"""

from __future__ import annotations

import asyncio
import socket as sockets
import struct

from aiohttp import WSMsgType, web

from adapters.web.connection import Connection
from adapters.web.conversation import Conversation
from adapters.web.gate import Gate
from adapters.web.lobby import Lobby

SILENCE = 90.0
"""Seconds without a word after which a page counts as gone: it answers a heartbeat every 25 s."""

UNACKNOWLEDGED_MS = 60_000
"""A line on which nothing was acknowledged for so long is dead, whatever TCP still hopes for."""

_TEXT, _CLOSE = 0x81, 0x88  # FIN and opcode (RFC 6455, 5.2)


def text_frame(payload: bytes) -> bytes:
    """An unmasked, unfragmented text frame (RFC 6455, 5.2: a server never masks)."""
    length = len(payload)
    if length < 126:
        return bytes((_TEXT, length)) + payload
    if length < 65_536:
        return struct.pack("!BBH", _TEXT, 126, length) + payload
    return struct.pack("!BBQ", _TEXT, 127, length) + payload


class SocketOutlet:
    """Writes to the transport under aiohttp's feet. It is safe because aiohttp, too, writes whole frames at once."""

    __slots__ = ("_closed", "_response", "_transport")

    kind = "socket"
    patience = SILENCE

    def __init__(self, response: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._response = response
        self._transport = transport
        self._closed = False

    def write(self, frame: bytes) -> None:
        if not self._closed and not self._transport.is_closing():
            self._transport.write(text_frame(frame))

    async def send(self, frame: bytes) -> None:
        if not self._closed and not self._transport.is_closing():
            await self._response.send_frame(frame, WSMsgType.TEXT)

    def backlog(self) -> int:
        return self._transport.get_write_buffer_size()

    def close(self, code: int) -> None:
        if not self._closed and not self._transport.is_closing():
            self._transport.write(struct.pack("!BBH", _CLOSE, 2, code))
        self._closed = True

    def abort(self) -> None:
        self._closed = True
        self._transport.abort()

    @property
    def closed(self) -> bool:
        """Whether we have said goodbye already."""
        return self._closed


class SocketDoor:
    """`GET /v1/socket`."""

    def __init__(self, lobby: Lobby, gate: Gate, conversation: Conversation) -> None:
        self._lobby = lobby
        self._gate = gate
        self._conversation = conversation

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One page, from its opening to its end. Raises 403, 429 or 503 at the handshake."""
        address = self._gate.admit(request)
        try:
            return await self._serve(request)
        finally:
            self._gate.leave(address)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        # Compression would cost a page some 100 KiB, and aiohttp's heartbeat a timer; ours is in the lobby's rounds.
        hard = 4 * self._lobby.settings.limits.frame
        response = web.WebSocketResponse(compress=False, heartbeat=None, autoclose=False, max_msg_size=hard)
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            return response
        _give_up_early(transport)
        outlet = SocketOutlet(response, transport)
        connection = self._lobby.enter(outlet)
        try:
            await self._listen(response, connection)
        finally:
            self._lobby.leave(connection)
            if outlet.closed:
                transport.close()  # both sides have said goodbye; aiohttp would say it once more
        return response

    async def _listen(self, response: web.WebSocketResponse, connection: Connection) -> None:
        while await self._hear_one(response, connection):
            pass

    async def _hear_one(self, response: web.WebSocketResponse, connection: Connection) -> bool:
        """One message; False after the last. A page that leaves stops nothing: handlers are not cancelled for it."""
        message = await response.receive()
        if message.type is WSMsgType.TEXT:
            await self._conversation.hear(connection, message.data)
            return True
        if message.type is WSMsgType.BINARY:
            connection.leaving = True
            await response.close(code=1003, message=b"frames are text")
        elif message.type is WSMsgType.CLOSE and not connection.leaving:
            await response.close()
        return False


def _give_up_early(transport: asyncio.Transport) -> None:
    line = transport.get_extra_info("socket")
    option = getattr(sockets, "TCP_USER_TIMEOUT", None)  # Linux only; elsewhere the missing heartbeat answers tell
    if option is not None and line is not None and line.family in (sockets.AF_INET, sockets.AF_INET6):
        line.setsockopt(sockets.IPPROTO_TCP, option, UNACKNOWLEDGED_MS)
