"""The gateway: who listens, from where a session goes on, and all the ways in which a connection ends."""

from __future__ import annotations

import asyncio
import json
import secrets
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import WSCloseCode, WSMsgType, web

from . import intents, permissions, shapes
from .events import Dispatch
from .guild import Json
from .intents import Intent

if TYPE_CHECKING:
    from .simulator import DiscordSimulator

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, MEMBERS, INVALID, HELLO, ACK = (
    0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11,
)  # fmt: skip
PAYLOAD_BYTES = 4_096
"""What a client may send at once (else 4002)."""
SENDS = (120, 60.0)
"""How many payloads a client may send in how many seconds (else 4008)."""
FINAL = frozenset({4004, 4007, 4009, *range(4010, 4015)})
"""Close codes after which a session cannot be resumed. When the client closes, 1000 and 1001 do that too."""
KEPT = 10_000
"""Events that a session can be given again."""


@dataclass
class Session:
    """What IDENTIFY began. `left_at`: by Discord's clock, when its connection broke."""

    id: str
    intents: Intent
    seq: int = 0
    history: deque[Json] = field(default_factory=lambda: deque(maxlen=KEPT))
    connection: Connection | None = None
    left_at: float = 0.0

    def remembers(self, seq: object) -> bool:
        """Whether nothing after this is forgotten."""
        return not isinstance(seq, int) or not self.history or seq >= self.history[0]["s"] - 1

    def tell(self, kind: str, data: Json) -> None:
        """Number an event, keep it for a RESUME, and send it if anybody listens."""
        self.seq += 1
        payload = {"op": DISPATCH, "s": self.seq, "t": kind, "d": data}
        self.history.append(payload)
        if self.connection is not None:
            self.connection.send(payload)


class Connection:
    """One WebSocket. `deaf`: nothing goes out any more; `acks`: whether heartbeats are acknowledged."""

    def __init__(self, gateway: Gateway, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._gateway = gateway
        self._socket = socket
        self._request = request
        # What asks for another compression gets plain text, which discord.py reads as well.
        compresses = request.query.get("compress") == "zlib-stream"
        self._deflate = zlib.compressobj() if compresses else None
        self._queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._beat = asyncio.Event()
        self.session: Session | None = None
        self.resumed = False
        self.path = request.path
        self.deaf = False
        self.acks = True
        self.beats = 0
        self.unsent = 0
        self.close_code: int | None = None
        self._closed = asyncio.Event()

    def send(self, payload: Json) -> None:
        if not self.deaf:
            self.unsent += 1
            self._queue.put_nowait(payload)

    async def pump(self) -> None:
        """Send what is queued, until a None ends it."""
        with suppress(ConnectionError):
            while (payload := await self._queue.get()) is not None:
                await self._write(payload)
                self.unsent -= 1
                self._gateway.wake()
        self.unsent = 0

    async def _write(self, payload: Json) -> None:
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        if self._deflate is None:
            await self._socket.send_str(text)
            return
        data = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        cut = len(data) // 2 if self._gateway.splits_frames else 0
        for part in filter(None, (data[:cut], data[cut:])):
            await self._socket.send_bytes(part)

    async def watch_heartbeat(self, interval: float, grace: float) -> None:
        """Close a connection that has forgotten its heartbeat."""
        while True:
            try:
                async with asyncio.timeout(interval * grace):
                    await self._beat.wait()
            except TimeoutError:
                await self.close(4009)
                return
            self._beat.clear()

    def heard_beat(self) -> None:
        self.beats += 1
        self._beat.set()
        if self.acks:
            self.send({"op": ACK})

    # --- what a test does to it -------------------------------------------------------------------------------

    def drop(self) -> None:
        """The line breaks without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, code: int = 1000) -> None:
        """Discord closes with this code."""
        self.close_code = code
        if code in FINAL and self.session:
            self._gateway.forget(self.session)
        with suppress(ConnectionError):
            await self._socket.close(code=code)
        self._closed.set()

    async def is_closed(self) -> None:
        """Return once the close frame is out, if Discord is closing: its socket must live until then."""
        if self.close_code is not None:
            await self._closed.wait()

    def reconnect(self) -> None:
        """Op 7: come back and resume."""
        self.send({"op": RECONNECT, "d": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9: resume, or identify again without any replay."""
        if not resumable and self.session:
            self._gateway.forget(self.session)
        self.send({"op": INVALID, "d": resumable})

    def deafen(self) -> None:
        """Silence: the socket stays open, and nothing comes any more, no acknowledgement either."""
        self.deaf, self.acks = True, False

    def withhold_acks(self) -> None:
        """Events still come, acknowledgements of heartbeats do not."""
        self.acks = False

    def ask_for_heartbeat(self) -> None:
        self.send({"op": HEARTBEAT, "d": None})


class Gateway:
    """Every session and connection of the application."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._discord = discord
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.identifies: deque[float] = deque()
        self.resumes = 0
        self.is_shut = False
        """No new connection is let in."""

    # --- for the parts of the simulator -----------------------------------------------------------------------

    @property
    def unsent(self) -> int:
        return sum(c.unsent for c in self.connections)

    @property
    def splits_frames(self) -> bool:
        return self._discord.habits.split_frames

    @property
    def listening(self) -> list[Connection]:
        """Connections with a session, oldest first."""
        return [c for c in self.connections if c.session is not None]

    @property
    def identifies_left(self) -> int:
        day_ago = self._discord.clock.now() - 86_400
        while self.identifies and self.identifies[0] <= day_ago:
            self.identifies.popleft()
        return self._discord.habits.identifies_a_day - len(self.identifies)

    def wake(self) -> None:
        self._discord.wake()

    def dispatch(self, dispatch: Dispatch) -> None:
        """Tell every session that asked for such events."""
        for session in list(self.sessions.values()):
            if not self._is_alive(session):
                self.forget(session)
                continue
            if dispatch.intent and not session.intents & dispatch.intent:
                continue
            bare = dispatch.reduced is not None and not self._may_read(session)
            session.tell(dispatch.kind, dispatch.reduced if bare and dispatch.reduced else dispatch.data)
        self.wake()

    def _may_read(self, session: Session) -> bool:
        """The switch counts at once, also for those who identified while it was on."""
        asked = Intent.MESSAGE_CONTENT in session.intents
        return asked and "message_content" in self._discord.guild.app.privileged

    def forget(self, session: Session) -> None:
        """Nobody can resume this session any more."""
        self.sessions.pop(session.id, None)

    async def close(self) -> None:
        for connection in list(self.connections):
            connection.drop()

    async def revoke(self) -> None:
        """The token is worth nothing any more: sessions end with 4004."""
        self.sessions.clear()
        await asyncio.gather(*(c.close(4004) for c in list(self.connections)))

    # --- a connection's life ----------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`GET /gateway/`, and the path that READY names for resuming."""
        if self.is_shut:
            return web.Response(status=503)
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        connection = Connection(self, socket, request)
        self.connections.append(connection)
        pump = asyncio.create_task(connection.pump())
        habits = self._discord.habits
        watch = asyncio.create_task(connection.watch_heartbeat(habits.heartbeat_interval, habits.heartbeat_grace))
        if request.query.get("v") != "10":
            await connection.close(4012)
        connection.send({"op": HELLO, "d": {"heartbeat_interval": round(habits.heartbeat_interval * 1000)}})
        try:
            await self._converse(connection, socket)
            await connection.is_closed()
        finally:
            self._part(connection, socket)
            pump.cancel()
            watch.cancel()
        return socket

    async def _converse(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT or len(message.data) > PAYLOAD_BYTES:
                await connection.close(4002)
                return
            if self._discord.limits.spend(f"gateway {id(connection)}", *SENDS) is not None:
                await connection.close(4008)
                return
            try:
                payload = json.loads(message.data)
                op, data = payload["op"], payload.get("d")
            except (ValueError, KeyError, TypeError):
                await connection.close(4002)
                return
            if (code := await self._obey(connection, op, data)) is not None:
                await connection.close(code)
                return

    async def _obey(self, connection: Connection, op: int, data: Any) -> int | None:
        """Do what the client asks; the code to close with, when it may not."""
        if op == HEARTBEAT:
            connection.heard_beat()
            return None
        if op == IDENTIFY:
            return await self._identify(connection, data or {})
        if op == RESUME:
            return await self._resume(connection, data or {})
        if connection.session is None:
            return 4003
        if op == MEMBERS:
            self._members(connection.session, data or {})
        return None if op in (MEMBERS, PRESENCE, VOICE) else 4001

    def _part(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        self.connections.remove(connection)
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection, session.left_at = None, self._discord.clock.now()
            if connection.close_code is None and socket.close_code in (WSCloseCode.OK, WSCloseCode.GOING_AWAY):
                self.forget(session)
        self.wake()

    # --- identify and resume ----------------------------------------------------------------------------------

    async def _identify(self, connection: Connection, data: Json) -> int | None:
        app, wanted = self._discord.guild.app, data.get("intents")
        if connection.session is not None:
            return 4005
        if data.get("token") != app.token:
            return 4004
        if not isinstance(wanted, int) or wanted & ~intents.KNOWN:
            return 4013
        if not intents.allowed(wanted, app.privileged):
            return 4014
        if self._comes_too_soon():
            connection.invalidate()
            return None
        if self.identifies_left <= 0:
            await self._discord.reset_token()
            return None
        self.identifies.append(self._discord.clock.now())
        self._begin(connection, Intent(wanted))
        return None

    def _comes_too_soon(self) -> bool:
        if not self._discord.limits.enabled or not self.identifies:
            return False
        return self._discord.clock.now() - self.identifies[-1] < self._discord.habits.identify_interval

    def _begin(self, connection: Connection, wanted: Intent) -> None:
        session = Session(secrets.token_hex(16), wanted, connection=connection)
        self.sessions[session.id] = session
        connection.session = session
        guild = self._discord.guild
        guilds = [{"id": guild.id, "unavailable": True}] if guild.bot else []
        ready = {
            "v": 10, "user": shapes.me(guild.app.bot), "guilds": guilds, "session_id": session.id,
            "resume_gateway_url": self._discord.habits.resume_url or f"{self._discord.gateway_url}resume/",
            "session_type": "normal",
            "application": {"id": guild.app.id, "flags": intents.app_flags(guild.app.privileged)},
            "private_channels": [], "presences": [], "relationships": [], "user_settings": {}, "_trace": ["simulator"],
        }  # fmt: skip
        session.tell("READY", ready)
        if guild.bot and Intent.GUILDS in wanted:
            session.tell("GUILD_CREATE", self._guild(wanted))
        self.wake()

    def _guild(self, wanted: Intent) -> Json:
        """Active threads only, and without presences no members but the bot itself: they are asked for with op 8."""
        guild = self._discord.guild
        assert guild.bot is not None, "only a guild that the bot is in is shown"
        threads = [t for t in guild.active_threads() if permissions.within(guild, guild.bot, t)]
        whole = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES
        return shapes.guild(guild, threads, list(guild.members.values()) if whole in wanted else [guild.bot])

    async def _resume(self, connection: Connection, data: Json) -> int | None:
        if connection.session is not None:
            return 4005
        if data.get("token") != self._discord.guild.app.token:
            return 4004
        session = self.sessions.get(str(data.get("session_id")))
        seq = data.get("seq")
        if session is None or not self._is_alive(session) or not session.remembers(seq):
            connection.invalidate()
            return None
        if not isinstance(seq, int) or seq > session.seq:
            self.forget(session)
            return 4007
        await self._take_over(connection, session, seq)
        return None

    def _is_alive(self, session: Session) -> bool:
        away = self._discord.clock.now() - session.left_at
        return session.connection is not None or away <= self._discord.habits.resume_life

    async def _take_over(self, connection: Connection, session: Session, seq: int) -> None:
        former, session.connection = session.connection, connection
        connection.session, connection.resumed = session, True
        if former is not None:
            former.session = None
            await former.close(4000)
        self.resumes += 1
        start = seq - self._discord.habits.resume_overlap
        for payload in list(session.history):
            if payload["s"] > start and payload["t"] not in ("READY", "RESUMED"):
                connection.send(payload)
        session.tell("RESUMED", {"_trace": ["simulator"]})
        self.wake()

    def _members(self, session: Session, data: Json) -> None:
        """Op 8, as one chunk."""
        guild = self._discord.guild
        found = list(guild.members.values())
        if "user_ids" in data:
            wanted = data["user_ids"] if isinstance(data["user_ids"], list) else [data["user_ids"]]
            found = [m for m in found if int(m.user.id) in map(int, wanted)]
        elif data.get("query"):
            found = [m for m in found if m.name.lower().startswith(str(data["query"]).lower())]
        elif Intent.GUILD_MEMBERS not in session.intents:
            found = []
        chunk: Json = {"guild_id": guild.id, "members": [shapes.member(m) for m in found], "chunk_index": 0}
        chunk |= {"chunk_count": 1, "not_found": []} | ({"nonce": data["nonce"]} if data.get("nonce") else {})
        session.tell("GUILD_MEMBERS_CHUNK", chunk)
