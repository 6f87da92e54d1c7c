"""What PagerDuty tells us: its v3 webhooks, at `POST /pagerduty`.

Rules used here, from PagerDuty's developer documentation (webhooks: overview, behaviour, signatures):

* `X-PagerDuty-Signature` holds one or more signatures, `v1=<hex>,v1=<hex>`, of the raw body by HMAC-SHA256: several
  while a secret is being replaced. One that matches is enough.
* A webhook wants a 2xx within 5 seconds. It comes again after 5xx, 429 and silence, five times in about 20 minutes, and
  is dropped after any other 4xx. It comes at least once, in order within an incident, and has at most 256 KB.
* There is no time in the signature, so a recorded webhook can be played back for ever. The event's id, which every
  delivery repeats, makes that harmless; and a page's name is used once, so one of an old page finds nothing.

What it says is on record in the sessions before it is answered.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import structlog
from aiohttp import web

from bridge.errors import KakehashiError
from bridge.pages import THE_PAGER
from routing.ids import OperatorId

LARGEST = 256 * 1024
"""Bytes. PagerDuty drops what is larger, so what is larger is not PagerDuty's."""

SIGNATURES = 8
"""Signatures of one webhook that are looked at. Two are usual while a secret is replaced."""

TAKEN = frozenset(("incident.acknowledged", "incident.resolved"))
"""Somebody has it. Who resolves an incident by hand has not answered the customer: we take it as the same promise."""

RINGS = frozenset(("incident.unacknowledged", "incident.reopened"))
"""PagerDuty's own patience with whoever had it is over: it rings there again."""

log = structlog.get_logger(__name__)


class Books(Protocol):
    """`bridge.pages.Pages`, as far as a webhook needs it."""

    async def acknowledged(self, pager: str, key: str, who: OperatorId, *, at: int, event: str) -> bool: ...
    async def reopened(self, pager: str, key: str, *, at: int, event: str) -> None: ...


async def _nobody(key: str) -> None:
    del key


class PagerDutyWebhook:
    """`secrets` by pager; the one that signed says which pager it is. `operator` knows a PagerDuty user's account.

    `other` hears of an acknowledged page that is none of a session's: a health page.
    """

    def __init__(
        self,
        books: Books,
        secrets: Mapping[str, str],
        operator: Callable[[str, str], OperatorId | None],
        other: Callable[[str], Awaitable[None]] = _nobody,
    ) -> None:
        self._books = books
        self._other = other
        self._secrets = {name: secret.encode() for name, secret in secrets.items()}
        self._operator = operator

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/pagerduty", self._receive)
        return application

    async def _receive(self, request: web.Request) -> web.Response:
        body = await _bounded(request)
        if body is None:
            return web.Response(status=413)
        pager = self._signer(body, request.headers.get("X-PagerDuty-Signature", ""))
        if pager is None:
            log.warning("pager_signature_refused", path=request.path)
            return web.Response(status=401)
        event = _event(body)
        if event is None:
            return web.Response(status=400)
        try:
            await self._take(pager, event)
        except KakehashiError as error:
            log.warning("pager_event_not_taken", pager=pager, reason=error.what)
            return web.Response(status=503)
        return web.Response(status=200)

    def _signer(self, body: bytes, header: str) -> str | None:
        """Whose secret signed this; None for a forgery. Takes as long for a nearly right one as for any other."""
        given = [one.strip() for one in header.split(",")[:SIGNATURES]]
        given = [one.removeprefix("v1=") for one in given if one.startswith("v1=") and one.isascii()]
        for pager, secret in self._secrets.items():
            right = hmac.new(secret, body, hashlib.sha256).hexdigest()
            if any([hmac.compare_digest(right, one) for one in given]):  # noqa: C419 - all are compared, found or not
                return pager
        return None

    async def _take(self, pager: str, event: Mapping[str, Any]) -> None:
        kind, data = str(event.get("event_type", "")), event.get("data")
        key = str(data.get("incident_key") or "") if isinstance(data, Mapping) else ""
        if not key:
            return
        at, name = _moment(event), str(event["id"])
        if kind in TAKEN:
            who = self._who(event)
            known = await self._books.acknowledged(pager, key, who, at=at, event=name)
            log.info("pager_acknowledged", pager=pager, key=key, operator=who, known=known)
            if not known:
                await self._other(key)
        elif kind in RINGS:
            await self._books.reopened(pager, key, at=at, event=name)

    def _who(self, event: Mapping[str, Any]) -> OperatorId:
        agent = event.get("agent")
        if not isinstance(agent, Mapping):
            return THE_PAGER
        return self._operator(str(agent.get("id", "")), str(agent.get("summary", ""))) or THE_PAGER


async def _bounded(request: web.Request) -> bytes | None:
    """The body; None for one that is too large. aiohttp asks only the root application for its `client_max_size`."""
    body = b""
    async for chunk in request.content.iter_chunked(LARGEST):
        body += chunk
        if len(body) > LARGEST:
            return None
    return body


def _event(body: bytes) -> Mapping[str, Any] | None:
    try:
        told = json.loads(body)
    except ValueError:
        return None
    event = told.get("event") if isinstance(told, dict) else None
    return event if isinstance(event, dict) and event.get("id") else None


def _moment(event: Mapping[str, Any]) -> int:
    """When it happened, ms since 1970. What says none is as old as can be: it acknowledges nothing."""
    try:
        return int(datetime.fromisoformat(str(event.get("occurred_at", ""))).timestamp() * 1000)
    except ValueError:
        return 0
