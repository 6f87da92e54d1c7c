"""Calls of Discord's REST API: one session, our own timeouts, no retry, and every failure said in our words.

discord.py's own client posts again by itself on 500, 502 and 504, which doubles whatever has no nonce (a forum's post),
and sleeps through limits inside of our send deadline (docs/decisions/0021). It keeps the gateway for us; calls are made
here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from adapters.discord.wire import faults
from adapters.discord.wire.limits import Limits
from bridge.errors import DeliveryError, Fault
from bridge.networks.pulse import PLATFORM, Pulse
from bridge.ports import Store
from config.settings import DiscordSettings
from config.values import is_loopback

TOTAL = 8.0
"""Seconds for one call. Below the send deadline, so that a call that hangs is judged here and not cut off there."""

CONNECT = 3.0
"""Seconds to connect. A call that never connected was certainly not carried out."""

PATIENCE = aiohttp.ClientTimeout(total=TOTAL, sock_connect=CONNECT)

CONNECTIONS = 128

SHORTEST_WAIT, LONGEST_WAIT = 0.02, 3_600.0
"""Seconds that a 429 is believed."""

BANNED = 60.0
"""Seconds without a call after a ban of the address that does not say how long it holds: going on prolongs it."""

AGENT = "DiscordBot (https://kakehashi.invalid, 1)"
"""Discord asks for a user agent of this form."""

NOBODY: Mapping[str, Any] = {"parse": [], "users": [], "roles": [], "replied_user": False}
"""Whom a message of ours rings, unless its call says otherwise."""


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    media_type: str
    content: bytes


class RestApi:
    """Use between `open` and `close`."""

    def __init__(self, settings: DiscordSettings, store: Store, pulse: Pulse | None = None) -> None:
        if settings.bot_token is None:
            raise AssertionError("Discord is off without a bot token; nobody makes its adapter then")
        self.pulse = pulse or Pulse()
        self._token = settings.bot_token
        self._url = settings.api_url.rstrip("/")
        self.limits = Limits(store)
        self._session: aiohttp.ClientSession | None = None
        self._bare: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        direct = is_loopback(urlsplit(self._url).hostname or "")
        self._session = aiohttp.ClientSession(
            timeout=PATIENCE,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            headers={"Authorization": f"Bot {self._token.get_secret_value()}", "User-Agent": AGENT},
            trust_env=not direct,
        )
        self._bare = aiohttp.ClientSession(headers={"User-Agent": AGENT}, trust_env=not direct)

    async def close(self) -> None:
        self.limits.close()
        for session in (self._session, self._bare):
            if session is not None:
                await session.close()

    async def get(self, path: str, **query: str | int) -> Any:
        return await self.call("GET", path, query={name: str(value) for name, value in query.items()})

    async def say(self, path: str, body: Mapping[str, Any], files: Sequence[Upload] = (), *, verb: str = "POST") -> Any:
        """Post or change a message; it rings nobody unless `body` says so."""
        return await self.call(verb, path, {"allowed_mentions": NOBODY, **body}, files)

    async def call(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        files: Sequence[Upload] = (),
        *,
        query: Mapping[str, str] | None = None,
        free: bool = False,
    ) -> Any:
        """Make one call. Returns what Discord answers, None for nothing; raises DeliveryError for a failure.

        `free`: an interaction's own path. It holds the right to call it, so the bot's token stays here, and no limit
        of the bot's holds for it."""
        gates = (PLATFORM,)
        self.pulse.admit(gates)
        if not free:
            await self.limits.admit(verb, path)
        try:
            answer = await self._send(verb, path, body, files, query, free=free)
        except asyncio.CancelledError:
            self.pulse.failed(PLATFORM, faults.unanswered("cut_off"))
            raise
        except DeliveryError as error:
            self._felt(error)
            raise
        self.pulse.answered(gates)
        return answer

    def _felt(self, error: DeliveryError) -> None:
        """Without an answer of Discord's own, or with one that no call gets past, the whole platform is away."""
        away = error.code in faults.UNANSWERED or error.fault is Fault.AMBIGUOUS
        if not away:
            self.pulse.understood()
        if away or error.code == "unauthorized":
            self.pulse.failed(PLATFORM, error)

    async def _send(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
        files: Sequence[Upload],
        query: Mapping[str, str] | None,
        *,
        free: bool,
    ) -> Any:
        form, headers = _form(body, files)
        session = self.bare if free else self.session
        try:
            async with session.request(
                verb,
                self._url + path,
                data=form,
                headers=headers,
                params=query,
                timeout=PATIENCE,
                allow_redirects=False,  # which would make a GET of a POST
            ) as response:
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unknown_or_undone(error) from error
        if not free:
            self.limits.learn(verb, path, response.headers)
        told = _json(content)
        if response.status >= 300:
            raise await self._refused(verb, path, response, told)
        if content and told is None:
            raise faults.unanswered("unreadable")
        return told

    async def _refused(self, verb: str, path: str, response: aiohttp.ClientResponse, told: Any) -> DeliveryError:
        status, known = response.status, told if isinstance(told, dict) else {}
        if status >= 500:
            return faults.unanswered(f"http_{status}")
        if status in (401, 403, 429) and response.headers.get("X-RateLimit-Scope") != "shared":
            await self.limits.count_invalid()
        if status != 429:
            return faults.refused(status, _code(known), told=bool(known))
        banned = not ({"retry_after", "global"} & known.keys())  # a page, or a note, of what stands before Discord
        told_globally = known.get("global") is True or response.headers.get("X-RateLimit-Global") == "true"
        until = (known.get("retry_after"), response.headers.get("Retry-After"))
        seconds = _seconds(*until, BANNED if banned else None)
        await self.limits.refused(verb, path, seconds, everywhere=banned or told_globally)
        return faults.refused(status, _code(known), seconds)

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise AssertionError("opened at start, closed at stop; nothing is called outside of that")
        return self._session

    @property
    def bare(self) -> aiohttp.ClientSession:
        """Without the token: for files, whose addresses come with what people post."""
        if self._bare is None:
            raise AssertionError("opened together with the session")
        return self._bare


_CONTROLS = re.compile("[\x00-\x1f\x7f]")
"""What would end a header."""


def _form(
    body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None, files: Sequence[Upload]
) -> tuple[bytes | aiohttp.FormData | None, dict[str, str]]:
    if body is None:
        return None, {}
    if not files or not isinstance(body, Mapping):
        return orjson.dumps(body), {"Content-Type": "application/json"}
    described = [{"id": number, "filename": file.name} for number, file in enumerate(files)]
    form = aiohttp.FormData(quote_fields=False)  # Discord takes what is quoted by percents for the name itself
    form.add_field(
        "payload_json", orjson.dumps({**body, "attachments": described}).decode(), content_type="application/json"
    )
    for number, file in enumerate(files):
        name = _CONTROLS.sub("", file.name) or "file"
        form.add_field(f"files[{number}]", BytesIO(file.content), filename=name, content_type=file.media_type)
    return form, {}


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content) if content else None
    except ValueError:
        return None


def _code(told: Mapping[str, Any]) -> int:
    code = str(told.get("code"))
    return int(code) if code.isascii() and code.isdigit() and len(code) < 10 else 0


def _seconds(*named: object) -> float:
    """The first that is a time anybody could wait for."""
    for one in named:
        try:
            seconds = float(str(one))
        except ValueError:
            continue
        if seconds >= 0:  # below a millisecond Discord says 0, and its header, in whole seconds, 1
            return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)
    return 1.0


def _unknown_or_undone(error: Exception) -> DeliveryError:
    never_connected = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return faults.unreached("unreachable") if never_connected else faults.unanswered("no_answer")
