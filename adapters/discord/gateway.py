"""The gateway: one process listens, and hears what happens as Discord tells it.

Two clients on one token both get every event, so the one that listens holds a lease, which it renews several times
within its life; another process listens within seconds of its end. The client is discord.py's, unmodified, and is
supervised: one malformed event ends its task while its socket stays open, and a silent socket may be dead. What is
heard is handed on as it came over the wire, before the library reads it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.refs import NAME
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

SILENT = 100.0
"""Seconds without a sign, acknowledged heartbeats included, after which a connection counts as dead. Discord asks for a
heartbeat every 41."""

BLIND_FOR = 300.0
"""Seconds for which it is listened without what messages say, where that was refused: presses are heard meanwhile."""

AGAIN_AFTER = (0.2, 1.0, 5.0, 30.0)
"""Seconds until a client that ended begins anew; the last one repeats. An IDENTIFY too many costs the token."""

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
    """`heard` takes each payload as it came, in order; `lost` is called when the connection breaks."""

    def __init__(self, heard: Callable[[str], None], lost: Callable[[], None], *, content: bool = True) -> None:
        super().__init__(
            intents=intents(content=content),
            enable_debug_events=True,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_ratelimit_timeout=30.0,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._heard = heard
        self._lost = lost

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if event == "socket_raw_receive":
            self._heard(args[0])
        else:
            if event == "disconnect":
                self._lost()
            super().dispatch(event, *args, **kwargs)


class Gateway:
    """`take` is called for each event, in order. `holder` is this process's name."""

    def __init__(self, settings: DiscordSettings, store: Store, holder: str, take: Take) -> None:
        if settings.bot_token is None:
            raise AssertionError("Discord is off without a bot token; nobody makes its adapter then")
        self._token = settings.bot_token
        self._api_url = settings.api_url.rstrip("/")
        self._gateway_url = settings.gateway_url
        self._store = store
        self._holder = holder
        self._take = take
        self._believed_until = 0.0
        self._lease: Lease | None = None
        self._heard_at = 0.0
        self._session = ""
        self._blind_until = 0.0
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
            asked = monotonic()
            try:
                self._lease = await self._store.hold(LEASE, self._holder, TTL)
            except KakehashiError as error:
                _log.warning("discord_lease_not_renewed", reason=error.what)
            else:
                self._believed_until = asked + (TTL - MARGIN) / 1000 if self._lease else 0.0
            await asyncio.sleep(RENEW_EVERY)

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
            begun = monotonic()
            await self._one_client()
            failed = 0 if monotonic() - begun > AGAIN_AFTER[-1] else failed + 1
            if self.leads:
                await asyncio.sleep(AGAIN_AFTER[max(0, min(failed, len(AGAIN_AFTER)) - 1)])

    async def _one_client(self) -> None:
        """Until it ends, is silent for too long, or the lease is another's."""
        logging.getLogger("discord").setLevel(logging.ERROR)  # at DEBUG it writes whole messages, below it of voice
        Route.BASE = self._api_url
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self._gateway_url)
        blind = self.blind
        ear = _Ear(self._hear, self._lose, content=not blind)
        self._heard_at = monotonic()
        client = asyncio.get_running_loop().create_task(ear.start(self._token.get_secret_value()))
        try:
            while self.leads and not client.done() and monotonic() - self._heard_at < SILENT and self.blind == blind:
                await asyncio.wait((client,), timeout=RENEW_EVERY / 5)
        finally:
            self.ready = False
            client.cancel()
            with suppress(Exception):
                await ear.close()
            (ended,) = await asyncio.gather(client, return_exceptions=True)
            self._explain(ended)

    def _explain(self, ended: object) -> None:
        if isinstance(ended, discord.PrivilegedIntentsRequired):
            self._blind_until = monotonic() + BLIND_FOR
            what = "the bot may not read messages: switch “Message Content Intent” on, on the application's page “Bot”"
            self.trouble = Trouble(what, lasting=True)
        elif isinstance(ended, discord.LoginFailure):
            self.trouble = Trouble("Discord refuses the bot token: set discord.bot_token anew", lasting=True)
        elif isinstance(ended, asyncio.CancelledError):
            self.trouble = Trouble("Discord's gateway was silent" if self.leads else "another process listens")
        else:
            self.trouble = Trouble(f"Discord's gateway ended ({type(ended).__name__})")
        _log.warning("discord_gateway_ended", why=self.trouble.what)

    def _lose(self) -> None:
        """The library connects anew by itself."""
        self.ready, self.trouble = False, Trouble("Discord's gateway is being connected anew")

    def _hear(self, payload: str) -> None:
        self._heard_at = monotonic()
        try:
            told = json.loads(payload)
            if told.get("op") != 0:
                return
            kind, data, number = told["t"], told["d"], told["s"]
        except (ValueError, KeyError, TypeError, AttributeError):
            _log.warning("discord_event_unreadable")
            return
        if kind == "READY":
            self._session = str(data.get("session_id"))
            _log.info("discord_gateway_ready")
        self.ready = self.ready or kind in ("READY", "RESUMED")
        self._take(kind, data, f"{self._session}/{number}")
