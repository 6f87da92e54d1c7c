"""The gateway: one process listens, and hears what happens as Discord tells it.

Two clients on one token both get every event, so the one that listens holds a lease, which it renews several times
within its life; another process listens within seconds of its end. The client is discord.py's, unmodified, and is
supervised: what ends its task may leave its socket open, and a silent socket may be dead. What is heard is handed on as
it came over the wire. The library makes no models of it: one that it cannot make would end it, each time anew where it
is told with the server at the beginning.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.http import Route

from adapters.discord.refs import NAME
from adapters.discord.wire.identifies import Identifies, TooManyIdentifiesError
from bridge.errors import KakehashiError
from bridge.ports import Lease, Store
from config.settings import DiscordSettings

LEASE = f"{NAME}-gateway@0"

TTL = 3_000
"""ms. How long a killed process keeps the others deaf."""

MARGIN = 500
"""ms. Stop listening this much before the store would give the lease away."""

RENEW_EVERY = 0.75
"""Seconds."""

WAIT_EVERY = 0.25
"""Seconds between looks of who waits for the lease."""

SILENT = 100.0
"""Seconds without a sign, acknowledged heartbeats included, after which a connection counts as dead. Discord asks for a
heartbeat every 41."""

BLIND_FOR = 300.0
"""Seconds for which it is listened without what messages say, where that was refused: presses are heard meanwhile."""

UNANSWERED = 2.5
"""Heartbeats in a row that are not acknowledged, after which it counts as dead even if events still come."""

AGAIN_AFTER = (0.2, 1.0, 5.0, 30.0)
"""Seconds until a client that ended begins anew; the last one repeats."""

MENDED_WITHIN = 300.0
"""Seconds between tries of what a person has to mend: each costs an IDENTIFY, of which there are a thousand a day."""

STANDS_BACK = 10.0
"""Seconds for which a process whose client fails again and again leaves the lease to others."""

FAILURES = 3
"""In a row, until it does."""

FINAL = {
    4004: "Discord refuses the bot token: set discord.bot_token anew",
    4010: "Discord refuses the connection (invalid shard)",
    4011: "the bot is in too many servers for one connection: Discord asks for shards",
    4012: "Discord refuses the connection (version of the API)",
    4013: "Discord refuses the connection (invalid intents)",
}
"""Close codes after which trying again changes nothing. 4014, a missing intent, the library names itself."""

CLOSES_WITHIN = 2.0
"""Seconds."""

HELLO, ACKNOWLEDGED = 10, 11
"""What Discord says of the connection itself (`op`)."""

DISCORDS = ".discord.gg"
"""Where Discord's own gateways are."""

Take = Callable[[str, Any, str], None]
"""(kind, data, told): an event, and what names it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing is heard. `lasting`: a person has to mend it."""

    what: str
    lasting: bool = False


def intents(*, content: bool = True) -> discord.Intents:
    """What we ask to hear: threads, messages and (with the privileged intent) what they say, reactions, who types, and
    (where the bot may read the server's audit log) who deleted another's message."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_messages = True
    wanted.message_content = content
    wanted.guild_reactions = wanted.guild_typing = wanted.moderation = True
    return wanted


class _Ear(discord.Client):
    """`heard` takes each payload as it came, in order; `lost` is called when the connection breaks; `address` is where
    events come from."""

    def __init__(
        self,
        heard: Callable[[str], None],
        lost: Callable[[], None],
        admitted: Callable[[], Awaitable[None]],
        address: str,
        *,
        content: bool = True,
    ) -> None:
        super().__init__(
            intents=intents(content=content),
            enable_debug_events=True,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_ratelimit_timeout=30.0,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._connection.parsers = {"READY": lambda _: self.dispatch("connect")}
        self._heard = heard
        self._lost = lost
        self._admitted = admitted
        self._address = yarl.URL(address)
        self._heard_since = True

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        del shard_id
        if not initial:  # before the first one it was asked before a connection was made
            await self._admitted()

    async def end(self) -> None:
        """Close it, and the connection that was just being made, of which the library knows nothing any more."""
        with suppress(Exception):
            await self.close()
        for beating in threading.enumerate():
            if isinstance(beating, KeepAliveHandler) and beating.ws._connection is self._connection:  # noqa: SLF001 - no other way
                beating.stop()
                with suppress(Exception):
                    await beating.ws.socket.close()
                await asyncio.to_thread(beating.join, CLOSES_WITHIN)  # a last beat may be on its way to our loop

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if event == "socket_raw_receive":
            self._heard_since = True
            self._heard(args[0])
        else:
            if event == "disconnect":
                self._break()
            elif event == "connect":
                self._stay()
            super().dispatch(event, *args, **kwargs)

    def _break(self) -> None:
        """The library resumes where READY said, however often nobody answers there; Discord says to go back to where it
        began then."""
        if not self._heard_since and self.ws is not None:
            self.ws.gateway = self._address
        self._heard_since = False
        self._lost()

    def _stay(self) -> None:
        """READY names a host of Discord's to resume on. Whoever was given another address than Discord's stays there:
        the way to Discord may lead through it alone."""
        home = self._address
        if not (home.host or "").endswith(DISCORDS) and (self.ws.gateway.host, self.ws.gateway.port) != (
            home.host,
            home.port,
        ):
            self.ws.gateway = home


class Gateway:
    """`take` is called for each event, in order. `holder` is this process's name."""

    def __init__(
        self, settings: DiscordSettings, store: Store, holder: str, take: Take, identifies: Identifies
    ) -> None:
        if settings.bot_token is None:
            raise AssertionError("Discord is off without a bot token; nobody makes its adapter then")
        self._token = settings.bot_token
        self._api_url = settings.api_url.rstrip("/")
        self._gateway_url = settings.gateway_url
        self._store = store
        self._holder = holder
        self._take = take
        self._identifies = identifies
        self._believed_until = 0.0
        self._lease: Lease | None = None
        self._stands_back_until = 0.0
        self._heard_at = 0.0
        self._acknowledged_at = 0.0
        self._interval = 0.0
        self._session = ""
        self._blind_until = 0.0
        self._was_ready = False
        self.ready = False
        self.trouble = Trouble("Discord's gateway was not opened yet")

    @property
    def leads(self) -> bool:
        """Whether this process is the one that listens."""
        return monotonic() < self._believed_until

    @property
    def blind(self) -> bool:
        """Whether we were refused what messages say, and listen to the rest."""
        return monotonic() < self._blind_until

    async def run(self) -> None:
        """Listen whenever the lease is ours, until cancelled; then give it back."""
        renewing = asyncio.get_running_loop().create_task(self._renew())
        try:
            while True:
                if self.leads:
                    await self._listen()
                else:
                    await asyncio.sleep(RENEW_EVERY / 5)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._give_back()

    # ------------------------------------------------------------------ the lease

    async def _renew(self) -> None:
        while True:
            if monotonic() >= self._stands_back_until:
                await self._hold()
            await asyncio.sleep(RENEW_EVERY if self._lease else WAIT_EVERY)

    async def _hold(self) -> None:
        asked = monotonic()
        try:
            self._lease = await self._store.hold(LEASE, self._holder, TTL)
        except KakehashiError as error:
            _log.warning("discord_lease_not_renewed", reason=error.what)
        else:
            self._believed_until = asked + (TTL - MARGIN) / 1000 if self._lease else 0.0

    async def _give_back(self) -> None:
        lease, self._lease, self._believed_until = self._lease, None, 0.0
        if lease is not None:
            with suppress(KakehashiError):
                await self._store.release(lease, self._holder)

    # ------------------------------------------------------------------ listening

    async def _listen(self) -> None:
        """One client after another, for as long as the lease is ours."""
        failed = 0
        while self.leads:
            was_ready, wait = await self._one_client()
            failed = 0 if was_ready else failed + 1
            if failed >= FAILURES and not self.trouble.lasting:
                return await self._stand_back()
            again = max(wait, AGAIN_AFTER[min(failed, len(AGAIN_AFTER) - 1)])
            await self._pause(MENDED_WITHIN if self.trouble.lasting and not self.blind else again)
        return None

    async def _stand_back(self) -> None:
        """Perhaps another process gets through from where it is; if there is none, we are back in a moment."""
        _log.warning("discord_gateway_left_to_others", why=self.trouble.what)
        self._stands_back_until = monotonic() + STANDS_BACK
        await self._give_back()

    async def _pause(self, seconds: float) -> None:
        until = monotonic() + seconds
        while True:
            left = until - monotonic()
            if left <= 0 or not self.leads:
                return
            await asyncio.sleep(min(left, RENEW_EVERY))

    async def _one_client(self) -> tuple[bool, float]:
        """Until it ends, is silent for too long, or the lease is another's. Whether it ever heard anything, and for how
        long none may be begun."""
        logging.getLogger("discord").setLevel(logging.ERROR)  # at DEBUG it writes whole messages, below it of voice
        Route.BASE = self._api_url
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self._gateway_url)
        blind = self.blind
        ear = _Ear(self._hear, self._lose, self._identifies.admit, self._gateway_url, content=not blind)
        self._heard_at, self._interval, self._was_ready = monotonic(), 0.0, False
        client = asyncio.get_running_loop().create_task(self._begin(ear))
        try:
            while self.leads and not client.done() and monotonic() - self._heard_at < SILENT and self.blind == blind:
                await asyncio.wait((client,), timeout=RENEW_EVERY / 5)
                if self._is_unanswered and not await self._closed(ear):
                    break
        finally:
            self.ready = False
            client.cancel()
            (ended,) = await asyncio.gather(client, return_exceptions=True)
            await ear.end()
            self._explain(ended)
        return self._was_ready, ended.seconds if isinstance(ended, TooManyIdentifiesError) else 0.0

    async def _begin(self, ear: _Ear) -> None:
        await self._identifies.admit()
        await ear.start(self._token.get_secret_value())

    @property
    def _is_unanswered(self) -> bool:
        return bool(self._interval) and monotonic() - self._acknowledged_at > UNANSWERED * self._interval

    async def _closed(self, ear: _Ear) -> bool:
        """Close a connection that is half dead, so that the library resumes on another. False: it does not close."""
        _log.warning("discord_heartbeat_not_acknowledged")
        self._interval = 0.0  # until the next connection says hello
        try:
            async with asyncio.timeout(CLOSES_WITHIN):
                await ear.ws.close(4000)
        except Exception:
            return False
        return True

    def _explain(self, ended: object) -> None:
        if isinstance(ended, discord.PrivilegedIntentsRequired):
            self._blind_until = monotonic() + BLIND_FOR
            what = "the bot may not read messages: switch “Message Content Intent” on, on the application's page “Bot”"
            self.trouble = Trouble(what, lasting=True)
        elif isinstance(ended, discord.LoginFailure):
            self._give_up(4004)
        elif isinstance(ended, discord.ConnectionClosed) and ended.code in FINAL:
            self._give_up(ended.code)
        elif isinstance(ended, TooManyIdentifiesError):
            self.trouble = Trouble(f"no connection to Discord is begun for {ended.seconds:.0f} s: too many were today")
        elif isinstance(ended, asyncio.CancelledError):
            self.trouble = Trouble(self._why_ended())
        else:
            self.trouble = Trouble(f"Discord's gateway ended ({type(ended).__name__})")
        _log.warning("discord_gateway_ended", why=self.trouble.what)

    def _give_up(self, code: int) -> None:
        """Until a person has mended it. Whether messages may be read is asked anew then, too."""
        self._blind_until = 0.0
        self.trouble = Trouble(FINAL[code], lasting=True)

    def _why_ended(self) -> str:
        """Of a client that was ended by us."""
        if not self.leads:
            return "another process listens"
        was_silent = monotonic() - self._heard_at >= SILENT
        return "Discord's gateway was silent" if was_silent else "Discord's gateway is closed by us"

    def _lose(self) -> None:
        """The library connects anew by itself."""
        self.ready, self.trouble = False, Trouble("Discord's gateway is being connected anew")

    def _hear(self, payload: str) -> None:
        self._heard_at = monotonic()
        try:
            told = json.loads(payload)
            if told.get("op") != 0:
                return self._beat(told)
            kind, data, number = told["t"], told["d"], told["s"]
        except (ValueError, KeyError, TypeError, AttributeError):
            _log.warning("discord_event_unreadable")
            return None
        if kind == "READY":
            self._session = str(data.get("session_id"))
            _log.info("discord_gateway_ready")
        self.ready = self.ready or kind in ("READY", "RESUMED")
        self._was_ready = self._was_ready or self.ready
        self._take(kind, data, f"{self._session}/{number}")
        return None

    def _beat(self, told: Mapping[str, Any]) -> None:
        """Hello, or an acknowledged heartbeat."""
        if told.get("op") == HELLO:
            self._interval = float(told["d"]["heartbeat_interval"]) / 1000
        if told.get("op") in (HELLO, ACKNOWLEDGED):
            self._acknowledged_at = monotonic()
