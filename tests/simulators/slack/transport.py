"""How payloads reach the app: signed HTTP requests, or envelopes on one of its sockets."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

import aiohttp

from .workspace import Json

if TYPE_CHECKING:
    from .simulator import SlackSimulator

Kind = Literal["events_api", "interactive", "slash_commands"]


@dataclass
class Outcome:
    """How one attempt ended. `reason` is Slack's word for the next attempt's header; `answer` the ack's own payload."""

    ok: bool
    reason: str = ""
    status: int = 0
    answer: Json = field(default_factory=dict)
    no_retry: bool = False


def signature_headers(secret: str, body: bytes) -> dict[str, str]:
    """Slack's signature of a request body, as of now."""
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


class Transport:
    """One attempt to deliver, over HTTP when the app has a request URL, else over a socket."""

    def __init__(self, slack: SlackSimulator) -> None:
        self._slack = slack
        self.events_url = ""
        self.interactivity_url = ""
        self.commands_url = ""
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def attempt(self, kind: Kind, payload: Json, retry: int = 0, reason: str = "") -> Outcome:
        """Deliver once and wait for the acknowledgement, three seconds at most."""
        url = self.events_url if kind == "events_api" else self.interactivity_url or self.events_url
        url = self.commands_url or url if kind == "slash_commands" else url
        if not url:
            return await self._slack.sockets.attempt(kind, payload, retry, reason)
        content_type, body = _encoded(kind, payload)
        headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        return await self.send(url, body, headers)

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        """POST a signed body."""
        signed = headers | signature_headers(self._slack.workspace.app.signing_secret, body)
        try:
            async with self._slack.clock.deadline(self._slack.habits.ack_timeout):
                return await self._post(url, body, signed)
        except TimeoutError:
            return Outcome(False, "http_timeout")
        except aiohttp.ClientConnectorError:
            return Outcome(False, "connection_failed")
        except (aiohttp.ClientError, OSError):
            return Outcome(False, "http_error")

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        request = self._client().post(url, data=body, headers=headers, allow_redirects=False)
        async with request as response:
            answer = _object(await response.read())
            no_retry = response.headers.get("X-Slack-No-Retry") == "1"
            ok = 200 <= response.status < 300
            return Outcome(ok, "" if ok else "http_error", response.status, answer, no_retry)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            unlimited = aiohttp.ClientTimeout(total=None)
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(timeout=unlimited, connector=connector)
        return self._session

    async def verify(self, url: str) -> bool:
        """Slack's url_verification: whether the app gives the challenge back, as text or JSON."""
        challenge = self._slack.workspace.mint("challenge")
        token = self._slack.workspace.app.verification_token
        question = {"type": "url_verification", "challenge": challenge, "token": token}
        body = json.dumps(question).encode()
        signed = signature_headers(self._slack.workspace.app.signing_secret, body)
        headers = {"Content-Type": "application/json"} | signed
        try:
            async with asyncio.timeout(10), self._client().post(url, data=body, headers=headers) as response:
                return response.status == 200 and challenge in await response.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False


def _encoded(kind: Kind, payload: Json) -> tuple[str, bytes]:
    if kind == "events_api":
        return "application/json", json.dumps(payload, ensure_ascii=False).encode()
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return "application/x-www-form-urlencoded", urlencode(form).encode()


def _object(body: bytes) -> Json:
    """An acknowledgement's JSON; plain text counts as `{"text": …}`, as for slash commands."""
    if not body:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        return {"text": body.decode(errors="replace")}
    return found if isinstance(found, dict) else {}
