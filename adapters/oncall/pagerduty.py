"""PagerDuty's Events API v2: trigger, acknowledge and resolve, all known by one `dedup_key`.

Rules used here, from PagerDuty's developer documentation (Events API v2: overview, send an alert event, rate limits):

* 202 is the only yes. 400 is for ever; 429 and 5xx may be sent again, about 30 seconds later.
* An event with the `dedup_key` of an open alert is applied to that alert: sending one again opens nothing. Of one that
  was resolved, a trigger opens a new alert, and acknowledge and resolve are dropped.
* `dedup_key` has at most 255 characters, `summary` 1,024, an event 512 KB. An integration key takes about 120 a minute.
* The answer is "accepted", not "somebody's telephone rings": that is PagerDuty's escalation policy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp

from bridge.doctor import Finding
from bridge.errors import DeliveryError, Fault
from bridge.pagers import PageCall

KEY_LIMIT, SUMMARY_LIMIT, DETAIL_LIMIT = 255, 1_024, 2_000
"""Characters. The last one is ours: what is read at night is short, and keeps an event far below 512 KB."""

TOTAL, CONNECT = 8.0, 3.0
"""Seconds for one event, and to connect. Below the deadline from outside, so that it is judged here."""

AGAIN = 30.0
"""Seconds after which an event that was too many is sent again, where PagerDuty names no time."""

ANSWER_LIMIT = 4_096
"""Bytes of an answer that are read: it is a status, and perhaps a list of what is wrong."""

ROUTING_KEY = 32
"""Characters of an integration key."""

_KEY_MEND = "copy the integration key of an “Events API v2” integration into pagers.{name}.routing_key"
_ADDRESS_MEND = (
    "set pagers.{name}.api_url to https://events.pagerduty.com/, or the EU's https://events.eu.pagerduty.com/"
)


class PagerDuty:
    """One integration of a PagerDuty service. `api_url` is the events address; `source` names this installation."""

    def __init__(self, name: str, routing_key: str, api_url: str, source: str, language: str = "en") -> None:
        self.name = name
        self.language = language
        self._key = routing_key
        self._url = f"{api_url.rstrip('/')}/v2/enqueue"
        self._source = source
        self._session: aiohttp.ClientSession | None = None

    async def page(self, call: PageCall) -> None:
        """Open the page, or bring an open one up to date. Raises `DeliveryError`."""
        event: dict[str, Any] = {"payload": self._payload(call), "client": "Kakehashi"}
        if call.link:
            event |= {"client_url": call.link, "links": [{"href": call.link, "text": "Kakehashi"}]}
        await self._send("trigger", call.key, event)

    async def acknowledge(self, key: str) -> None:
        await self._send("acknowledge", key, {})

    async def resolve(self, key: str) -> None:
        await self._send("resolve", key, {})

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def doctor(self) -> Sequence[Finding]:
        """Resolve a page that never was: PagerDuty checks the event, and then drops it."""
        if len(self._key) != ROUTING_KEY:
            what = f"pager {self.name}: an integration key has {ROUTING_KEY} characters, this one {len(self._key)}"
            return [Finding("fail", what, _KEY_MEND.format(name=self.name))]
        try:
            await self.resolve("kakehashi.doctor")
        except DeliveryError as error:
            return [Finding("fail", f"pager {self.name}: PagerDuty says {error.code}", error.mend or "try again")]
        return [Finding("ok", f"pager {self.name}: PagerDuty takes events; try it: kakehashi page --test {self.name}")]

    def _payload(self, call: PageCall) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "summary": call.line[:SUMMARY_LIMIT],
            "source": self._source,
            "severity": call.severity,
            "custom_details": {name: value[:DETAIL_LIMIT] for name, value in call.details.items()},
        }
        if call.at:
            payload["timestamp"] = datetime.fromtimestamp(call.at / 1000, UTC).isoformat(timespec="milliseconds")
        return payload

    async def _send(self, action: str, key: str, event: dict[str, Any]) -> None:
        body = {"routing_key": self._key, "event_action": action, "dedup_key": key[:KEY_LIMIT], **event}
        try:
            async with self._opened().post(self._url, json=body, allow_redirects=False) as answer:
                self._judge(answer, await answer.content.read(ANSWER_LIMIT))
        except aiohttp.ClientConnectorError as error:
            raise DeliveryError(Fault.TRANSIENT, "unreachable", mend=_ADDRESS_MEND.format(name=self.name)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(Fault.AMBIGUOUS, type(error).__name__) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TOTAL, sock_connect=CONNECT)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=True)
        return self._session

    def _judge(self, answer: aiohttp.ClientResponse, body: bytes) -> None:
        status = answer.status
        if status == 202:
            return
        if status == 429 or status >= 500:
            raise DeliveryError(Fault.TRANSIENT, f"http_{status}", retry_after=_patience(answer, status))
        if status == 400:
            raise self._refused(body)
        fault = Fault.POISON if status == 413 else Fault.BLOCKED
        mend = (_KEY_MEND if status in (401, 403) else _ADDRESS_MEND).format(name=self.name)
        raise DeliveryError(fault, f"http_{status}", mend=mend)

    def _refused(self, body: bytes) -> DeliveryError:
        """An event that is not valid stays so; a key that is not is for a person to mend."""
        if b"routing_key" in body or b"key" in _message(body):
            return DeliveryError(Fault.BLOCKED, "routing_key_refused", mend=_KEY_MEND.format(name=self.name))
        return DeliveryError(Fault.POISON, "invalid_event")


def _message(body: bytes) -> bytes:
    try:
        told = json.loads(body)
    except ValueError:
        return b""
    return str(told.get("message", "")).encode() if isinstance(told, dict) else b""


def _patience(answer: aiohttp.ClientResponse, status: int) -> float | None:
    """Seconds; None leaves it to whoever asks again."""
    named = answer.headers.get("Retry-After", "")
    if named.isdigit():
        return min(float(named), 600.0)
    return AGAIN if status == 429 else None
