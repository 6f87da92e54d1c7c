"""Calls of Slack's Web API: one session, our own timeouts, no retry, and every failure said in our words.

The SDK's default retry handler posts twice when an answer is lost, so there is none here: who calls decides, after
looking. `chat.postMessage` takes a lean path of its own. It is the call that every customer's message waits for, and
the SDK spends about 80 µs of CPU on it beside the 150 µs that the request itself costs (Python 3.11, measured); all
other methods go through the SDK, unmodified.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from io import BytesIO
from time import time
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import aiohttp
import orjson
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.wire import faults
from adapters.slack.wire.gates import SCOPE_MISSING, gate_shut_by, gates_of, is_unanswered
from adapters.slack.wire.pacing import Pacing
from bridge.errors import DeliveryError, Fault
from bridge.networks.pacing import PATIENCE, Urgency
from bridge.networks.pulse import Pulse
from config.settings import SlackSettings
from config.values import is_loopback

TOTAL = 8.0
"""Seconds for one call. Below the send deadline, so that a call that hangs is judged here and not cut off there."""

CONNECT = 3.0
"""Seconds to connect. A call that never connected was certainly not carried out."""

CONNECTIONS = 256
"""At once, to Slack. More than the pace allows to be in use, so that no session waits for another's connection."""

LONGEST_WAIT = 3_600.0
"""Seconds that a 429 is believed. After that it is asked once again."""

LEAN = "chat.postMessage"

_CHANNEL = ("channel", "channel_id")
"""The names under which methods take a channel."""

Answer = Mapping[str, Any]

_log = structlog.get_logger(__name__)


def sdk_logger() -> logging.Logger:
    """The SDK's own log lines. Never at DEBUG, where it writes whole messages."""
    logger = logging.getLogger("kakehashi.slack_sdk")
    logger.setLevel(logging.ERROR)
    return logger


class WebApi:
    """Use between `open` and `close`. `moved` knows the new id of a channel that got another one."""

    def __init__(
        self,
        settings: SlackSettings,
        pacing: Pacing,
        moved: Callable[[str], Awaitable[str | None]],
        pulse: Pulse | None = None,
    ) -> None:
        self.pulse = pulse or Pulse()
        if settings.bot_token is None:
            raise AssertionError("Slack is off without a bot token; nobody makes its adapter then")
        self._token = settings.bot_token
        self._app_token = settings.app_token
        self._url = settings.api_url
        self._pacing = pacing
        self._moved = moved
        self._channels: dict[str, str] = {}
        self._session: aiohttp.ClientSession | None = None
        self._sdk: AsyncWebClient | None = None
        self.scopes: frozenset[str] = frozenset()
        self.skew: float | None = None
        """Seconds by which Slack's clock is ahead of this machine's, to a second or so; None while not known."""

    async def open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TOTAL, sock_connect=CONNECT)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        self._sdk = AsyncWebClient(
            token=self._token.get_secret_value(),
            base_url=self._url,
            session=self._session,
            retry_handlers=[],
            logger=sdk_logger(),
        )
        if _goes_direct(self._url):
            self._sdk.proxy = None  # the SDK sends everything to HTTPS_PROXY, loopback too

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise AssertionError("opened at start, closed at stop; nothing is called outside of that")
        return self._session

    @property
    def sdk(self) -> AsyncWebClient:
        if self._sdk is None:
            raise AssertionError("opened together with the session")
        return self._sdk

    @property
    def proxy(self) -> str | None:
        return self.sdk.proxy

    async def call(
        self,
        method: str,
        *,
        urgency: Urgency = Urgency.WORDS,
        patience: float = PATIENCE,
        **args: Any,
    ) -> Answer:
        """Make one call, in its turn. Returns Slack's answer; raises DeliveryError for anything but `ok: true`.

        Two refusals are mended at once, and the call made again, because it was certainly not done: a public channel
        that the app is not in is joined, and one that got another id is called by that.
        """
        args = self._readdressed(args)
        try:
            return await self._paced(method, urgency, patience, args)
        except DeliveryError as error:
            if error.code not in ("not_in_channel", "channel_not_found") or not await self._mended(error.code, args):
                raise
            return await self._paced(method, urgency, patience, self._readdressed(args))

    def channel(self, known: str) -> str:
        """The channel's id as Slack has it now."""
        return self._channels.get(known, known)

    def _readdressed(self, args: dict[str, Any]) -> dict[str, Any]:
        if not self._channels:
            return args
        return {name: self.channel(value) if name in _CHANNEL else value for name, value in args.items()}

    async def _mended(self, code: str, args: Mapping[str, Any]) -> bool:
        channel = next((str(args[name]) for name in _CHANNEL if args.get(name)), "")
        if code == "not_in_channel":
            return await self._joined(channel)
        new = await self._moved(channel)
        if new is None:
            return False
        self._channels[channel] = new
        return True

    async def _joined(self, channel: str) -> bool:
        try:
            await self._paced("conversations.join", Urgency.WORDS, PATIENCE, {"channel": channel})
        except DeliveryError as error:
            _log.warning("slack_channel_not_joined", channel=channel, code=error.code)
            return False
        return True

    async def _paced(self, method: str, urgency: Urgency, patience: float, args: dict[str, Any]) -> Answer:
        channel = str(args.get("channel", ""))
        gates = gates_of(method, channel)
        self.pulse.admit(gates)
        await self._pacing.admit(method, channel, urgency, patience, _effect(args) if method == LEAN else "")
        try:
            answer = await (self._lean(method, args) if method == LEAN else self._by_sdk(method, args))
        except asyncio.CancelledError:
            self._felt(faults.unanswered("cut_off"), method, channel)
            raise
        except DeliveryError as error:
            self._felt(error, method, channel)
            if error.code in faults.TOO_OFTEN:
                error.retry_after = await self._pacing.pause(method, channel, error.retry_after)
            raise
        self.pulse.answered(gates)
        return answer

    def _felt(self, error: DeliveryError, method: str, channel: str) -> None:
        if not is_unanswered(error):
            self.pulse.understood()
        gate = gate_shut_by(error, method, channel)
        if gate is not None:
            self.pulse.failed(gate, error)

    async def auth_test(self) -> Answer:
        """Who we are. Also learns which scopes were granted."""
        return await self._by_sdk("auth.test", {})

    async def socket_url(self) -> str:
        """A fresh WebSocket address, good for one connection within half a minute."""
        token = self._app_token.get_secret_value() if self._app_token else ""
        answer = await self._by_sdk("apps.connections.open", {}, token=token)
        if not answer.get("url"):
            raise faults.unanswered("no_url")
        return str(answer["url"])

    # ------------------------------------------------------------------ the two ways out

    async def _lean(self, method: str, args: Mapping[str, Any]) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._token.get_secret_value()}",
            "Content-Type": "application/json; charset=utf-8",
        }
        try:
            async with self.session.post(
                self._url + method, data=orjson.dumps(args), headers=headers, proxy=self.proxy
            ) as response:
                status, retry_after = response.status, response.headers.get("Retry-After")
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unknown_or_undone(error) from error
        answer = _object(body)
        self._note_refusal(answer)
        return _judged(status, retry_after, answer)

    async def _by_sdk(self, method: str, args: Mapping[str, Any], token: str = "") -> Answer:
        form = {name: _form_value(value) for name, value in args.items() if value is not None}
        headers = {"Authorization": f"Bearer {token}"} if token else None
        begun = time()
        try:
            response = await self.sdk.api_call(method, data=form, headers=headers)
        except SlackApiError as error:
            if not token:
                self._note_refusal(_data_of(error))
            raise _from_sdk(error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unknown_or_undone(error) from error
        except AttributeError as error:  # the SDK's own stumble over an answer in plain text
            raise faults.unanswered("not_json") from error
        if not token:
            self._note_scopes(_scopes(response.headers))
        self.skew = _skew(response.headers, (begun + time()) / 2)
        return response.data if isinstance(response.data, dict) else {}

    def _note_refusal(self, data: Answer) -> None:
        """Where a scope is missing Slack says which there are."""
        if data.get("error") == SCOPE_MISSING and "needed" in data:
            self._note_scopes(_split(str(data.get("provided", ""))))

    def _note_scopes(self, granted: frozenset[str]) -> None:
        """One that was granted anew mends whatever lacked it: nobody need try each method to see that."""
        if granted - self.scopes:
            self.pulse.mended(SCOPE_MISSING)
        self.scopes = granted or self.scopes

    async def respond(self, url: str, body: Mapping[str, Any]) -> None:
        """Change what one person was shown, by the response_url of their press: five times within half an hour, with no
        token. Nothing hangs on it, so it is tried once and nothing is raised."""
        try:
            async with self.session.post(url, data=orjson.dumps(body), proxy=self.proxy) as response:
                await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            status = 0
        if status != 200:
            _log.info("slack_answer_not_changed", status=status)

    # ------------------------------------------------------------------ bytes

    async def upload(self, url: str, content: bytes) -> None:
        """Send a file's bytes where files.getUploadURLExternal said. Nobody sees them yet, so it may be repeated."""
        try:
            async with self.session.post(url, data=BytesIO(content), proxy=self.proxy) as response:
                await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise faults.unreached("upload_failed") from error
        if status != 200:
            raise faults.unreached(f"upload_http_{status}")


def _effect(args: Mapping[str, Any]) -> str:
    """What a post is about, by its metadata: its turn may be held already."""
    told = (args.get("metadata") or {}).get("event_payload") or {}
    return str(told.get("effect", ""))


def _goes_direct(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return is_loopback(host) or bool(proxy_bypass(host))


def _form_value(value: object) -> str:
    """As Slack reads forms: structures as JSON, flags as words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _data_of(error: SlackApiError) -> Answer:
    data = getattr(error.response, "data", error.response)
    return data if isinstance(data, dict) else {}


def _from_sdk(error: SlackApiError) -> DeliveryError:
    """The SDK raises the same class for a refusal, for HTML and for nonsense; its `response` has three shapes."""
    response: Any = error.response
    status: Any = getattr(response, "status_code", None) or getattr(response, "status", 0)
    headers = getattr(response, "headers", None) or {}
    try:
        _judged(int(status), headers.get("Retry-After"), _data_of(error))
    except DeliveryError as judged:
        return judged
    raise AssertionError("the SDK raises for nothing that is ok") from error


def _judged(status: int, retry_after: str | None, data: Answer) -> Answer:
    """The answer if it is one; raises DeliveryError for every other."""
    if status == 429:
        raise faults.refused("ratelimited", retry_after=_seconds(retry_after))
    if data.get("ok") is True:
        return data
    if isinstance(code := data.get("error"), str):
        raise faults.refused(code, retry_after=_seconds(retry_after) if "limited" in code else None)
    if 400 <= status < 500:
        raise DeliveryError(Fault.BLOCKED, f"http_{status}", mend="check slack.api_url and the proxy")
    raise faults.unanswered(f"http_{status}")  # a page of HTML, or a 200 that holds nothing


def _seconds(retry_after: str | None) -> float | None:
    """None where no time is named that anybody could wait for: somebody between us may have written it."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT) if seconds > 0 else None


def _unknown_or_undone(error: Exception) -> DeliveryError:
    never_connected = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return faults.unreached("unreachable") if never_connected else faults.unanswered("no_answer")


def _skew(headers: Mapping[str, Any], at: float) -> float | None:
    """What the `Date` of an answer says, which was on its way at `at`. It counts whole seconds."""
    named = next((str(value) for name, value in headers.items() if name.lower() == "date"), "")
    try:
        return parsedate_to_datetime(named).timestamp() + 0.5 - at
    except ValueError:
        return None


def _scopes(headers: Mapping[str, Any]) -> frozenset[str]:
    return _split(next((str(value) for name, value in headers.items() if name.lower() == "x-oauth-scopes"), ""))


def _split(scopes: str) -> frozenset[str]:
    return frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())
