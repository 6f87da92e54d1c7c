"""PagerDuty as our adapter meets it: events by HTTP, incidents that ring, people who press, webhooks that come again.

What is played here is documented behaviour: an event with the key of an open incident is applied to that one; one that
is acknowledged does not ring, whatever is triggered; one that is resolved is never opened again, a new one is. Webhooks
are signed with every secret of the subscription and delivered at least once.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any

import aiohttp
from aiohttp import web

from tests.simulators.pagerduty.rules import LARGEST, mistakes

WITHIN = 30.0
"""Seconds until a condition that must come true counts as never coming."""


class Mischief(Enum):
    """What becomes of one event."""

    FINE = auto()
    BUSY = auto()  # 429, with no word of when to come back
    BUSY_A_SECOND = auto()  # 429, and says when
    BROKEN = auto()  # 500, an HTML page
    LOST_BEFORE = auto()  # the connection breaks, and nothing was done
    LOST_AFTER = auto()  # it breaks after the event was taken
    HANG = auto()  # no answer, for ever
    PORTAL = auto()  # 200 and a page: something stands between us that is not PagerDuty
    REFUSED = auto()  # 400


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was taken."""

    action: str
    key: str
    summary: str = ""
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """A PagerDuty user."""

    id: str
    name: str


@dataclass(slots=True)
class Incident:
    """`rings` counts how often telephones rang for it; `summaries` are all that was said of it, in order."""

    id: str
    key: str
    routing_key: str
    status: str = "triggered"
    rings: int = 1
    summaries: list[str] = field(default_factory=list)
    link: str = ""
    severity: str = ""


class PagerDutySimulator:
    """One service with one integration. `mood` says what becomes of the next event, by its number from 0."""

    def __init__(self, *, routing_key: str = "0123456789abcdef0123456789abcdef") -> None:
        self.routing_key = routing_key
        self.mood: Callable[[int, dict[str, Any]], Mischief] = lambda _number, _event: Mischief.FINE
        self.secrets = ["a webhook's secret"]
        self.webhook_url = ""
        self.twice = False  # every webhook is delivered twice, as "at least once" allows
        self.events: list[Event] = []
        self.incidents: list[Incident] = []
        self.complaints: list[str] = []  # what a strict reader finds wrong with what we were sent
        self.answers: list[int] = []  # of our webhooks' receiver
        self.deliveries: deque[tuple[bytes, dict[str, str]]] = deque(maxlen=100)
        self.url = ""
        self._asked = itertools.count()
        self._numbers = itertools.count(1)
        self._hanging: set[asyncio.Event] = set()
        self._changed = asyncio.Event()

    # ------------------------------------------------------------------ what a test asks

    def open(self) -> list[Incident]:
        return [one for one in self.incidents if one.status != "resolved"]

    def rings(self) -> int:
        return sum(one.rings for one in self.incidents)

    def actions(self) -> list[str]:
        return [one.action for one in self.events]

    async def until(self, condition: Callable[[], object], what: str = "it became so") -> None:
        """Wait for what events and webhooks bring about."""
        try:
            async with asyncio.timeout(WITHIN):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited in vain until {what}; there were {self.actions()}") from None

    # ------------------------------------------------------------------ what people do

    async def acknowledge(self, incident: Incident, person: Person, *, hours_ago: int = 0) -> None:
        """They press Acknowledge on their telephone."""
        if incident.status == "triggered":
            incident.status = "acknowledged"
            await self._tell("incident.acknowledged", incident, person, hours_ago)

    async def resolve(self, incident: Incident, person: Person) -> None:
        if incident.status != "resolved":
            incident.status = "resolved"
            await self._tell("incident.resolved", incident, person)

    async def lose_patience(self, incident: Incident) -> None:
        """Its acknowledgement timeout is over: it rings again."""
        if incident.status == "acknowledged":
            incident.status = "triggered"
            incident.rings += 1
            await self._tell("incident.unacknowledged", incident, None)

    async def play_back(self, number: int = -1) -> int:
        """Somebody who recorded a webhook sends it again; the answer's status."""
        body, headers = self.deliveries[number]
        return await self._post(body, headers)

    async def forge(self, incident: Incident, *, header: str) -> int:
        """A webhook with a signature of somebody else's making."""
        body = json.dumps(self._webhook("incident.acknowledged", incident, None, 0)).encode()
        return await self._post(body, {"X-PagerDuty-Signature": header, "Content-Type": "application/json"})

    # ------------------------------------------------------------------ the Events API

    def application(self) -> web.Application:
        application = web.Application(client_max_size=8 * LARGEST)
        application.router.add_post("/v2/enqueue", self._enqueue)
        return application

    async def _enqueue(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if len(body) > LARGEST:
            self.complaints.append(f"{len(body)} bytes")
            return web.json_response({"status": "payload too large"}, status=413)
        try:
            event = json.loads(body)
        except ValueError:
            self.complaints.append("no JSON")
            return web.json_response({"status": "invalid event", "message": "Invalid JSON"}, status=400)
        mischief = self.mood(next(self._asked), event)
        wrong = mistakes(event)
        self.complaints += wrong
        if wrong or mischief is Mischief.REFUSED:
            answer = {"status": "invalid event", "message": "Event object is invalid", "errors": wrong}
            return web.json_response(answer, status=400)
        if event["routing_key"] != self.routing_key:
            return web.json_response({"status": "invalid key", "message": "Invalid routing key"}, status=400)
        return await self._answered(request, mischief, event)

    async def _answered(self, request: web.Request, mischief: Mischief, event: dict[str, Any]) -> web.StreamResponse:
        if mischief in (Mischief.BUSY, Mischief.BUSY_A_SECOND):
            headers = {"Retry-After": "1"} if mischief is Mischief.BUSY_A_SECOND else {}
            return web.json_response({"status": "throttle exceeded"}, status=429, headers=headers)
        if mischief is Mischief.BROKEN:
            return web.Response(status=500, text="<html>Internal Server Error</html>", content_type="text/html")
        if mischief is Mischief.PORTAL:
            return web.Response(status=200, text="<html>Please sign in</html>", content_type="text/html")
        if mischief is Mischief.HANG:
            await self._hang()
        if mischief in (Mischief.LOST_BEFORE, Mischief.HANG):
            return self._cut(request)
        self._take(event)
        if mischief is Mischief.LOST_AFTER:
            return self._cut(request)
        answer = {"status": "success", "message": "Event processed", "dedup_key": event.get("dedup_key")}
        return web.json_response(answer, status=202)

    async def _hang(self) -> None:
        gate = asyncio.Event()
        self._hanging.add(gate)
        try:
            await gate.wait()
        finally:
            self._hanging.discard(gate)

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _take(self, event: dict[str, Any]) -> None:
        action, key = event["event_action"], event.get("dedup_key") or f"made-{next(self._numbers)}"
        payload = event.get("payload", {})
        self.events.append(Event(action, key, payload.get("summary", ""), event))
        incident = next((one for one in self.open() if (one.key, one.routing_key) == (key, event["routing_key"])), None)
        if action == "trigger":
            self._trigger(incident, key, event, payload)
        elif incident is not None and action == "acknowledge":
            incident.status = "acknowledged"
        elif incident is not None:
            incident.status = "resolved"
        self._changed.set()

    def _trigger(self, incident: Incident | None, key: str, event: dict[str, Any], payload: dict[str, Any]) -> None:
        if incident is None:
            incident = Incident(f"Q{next(self._numbers):06}", key, event["routing_key"])
            self.incidents.append(incident)
        incident.summaries.append(payload["summary"])
        incident.link, incident.severity = event.get("client_url", ""), payload["severity"]

    # ------------------------------------------------------------------ webhooks

    async def _tell(self, kind: str, incident: Incident, person: Person | None, hours_ago: int = 0) -> None:
        if not self.webhook_url:
            return
        body = json.dumps(self._webhook(kind, incident, person, hours_ago), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-Webhook-Id": f"webhook-{next(self._numbers)}",
            "X-PagerDuty-Signature": ",".join(signature(secret, body) for secret in self.secrets),
        }
        self.deliveries.append((body, headers))
        for _ in range(5):
            if await self._post(body, headers) < 500:
                break
        if self.twice:
            await self._post(body, headers)

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.webhook_url, data=body, headers=headers) as answer,
        ):
            self.answers.append(answer.status)
            self._changed.set()
            return answer.status

    def _webhook(self, kind: str, incident: Incident, person: Person | None, hours_ago: int) -> dict[str, Any]:
        agent = None
        if person is not None:
            agent = {"id": person.id, "summary": person.name, "type": "user_reference"}
        return {
            "event": {
                "id": f"event-{next(self._numbers)}",
                "event_type": kind,
                "resource_type": "incident",
                "occurred_at": (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat(timespec="milliseconds"),
                "agent": agent,
                "client": {"name": "PagerDuty"},
                "data": {
                    "id": incident.id,
                    "type": "incident",
                    "status": incident.status,
                    "incident_key": incident.key,
                    "title": incident.summaries[0],
                },
            }
        }


def signature(secret: str, body: bytes) -> str:
    """One signature of a webhook's raw body."""
    return f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


@asynccontextmanager
async def running() -> AsyncIterator[PagerDutySimulator]:
    """PagerDuty, listening on a free port of loopback. It ends with no complaints, or the test does."""
    simulator = PagerDutySimulator()
    runner = web.AppRunner(simulator.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    simulator.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield simulator
    finally:
        for gate in tuple(simulator._hanging):
            gate.set()
        await runner.cleanup()
    assert not simulator.complaints, simulator.complaints
