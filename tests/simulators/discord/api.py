"""The REST API over HTTP: mischief, ban, token, route, limits, method, in this order of refusal as at Discord."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .composing import Upload
from .guild import Json
from .limits import GLOBAL, Quota, Tally
from .methods import Call, Method, find
from .methods.registry import MAJOR
from .mischief import Fault, Rule
from .refusal import Complaints, Refusal

if TYPE_CHECKING:
    from .simulator import DiscordSimulator

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_AFTER = frozenset({Fault.LOSE_ANSWER, Fault.SERVER_ERROR_AFTER, Fault.HANG_AFTER})
_VIA = {"Via": "1.1 google"}
_FILE = re.compile(r"files\[(\d+)\]")
_INVALID = (401, 403, 429)


@dataclass
class Answer:
    """What to say, before it is said: JSON, a page (text), or nothing (204)."""

    status: int
    body: Any
    headers: dict[str, str]


class RestApi:
    """Answers `/api/v10/…`."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._discord = discord
        self.invalid = Tally(discord.clock)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        received = time.perf_counter()
        path = request.rel_url.raw_path.removeprefix("/api/v10")
        found = find(request.method, path)
        route = found[0].route if found else f"{request.method} {path}"
        call = Call(route, found[1] if found else {}, dict(request.query), None, time.time(), received)
        try:
            call.headers = dict(request.headers)
            unreadable = await _read(request, call)
        except (ConnectionError, asyncio.CancelledError):
            return web.Response(status=499)
        self._discord.journal(call)
        struck = await self._struck(call)
        response = await self._answer(request, call, found[0] if found else None, struck, unreadable)
        call.status, call.answered = response.status, time.perf_counter()
        self._discord.wake()
        return response

    async def _struck(self, call: Call) -> Rule | None:
        struck: Rule | None = None
        for rule in self._discord.mischief.for_call(call.route, call.args):
            if rule.fault is Fault.SLOW:
                await asyncio.sleep(rule.seconds)
            else:
                struck = rule
        return struck

    async def _answer(
        self, request: web.Request, call: Call, method: Method | None, struck: Rule | None, unreadable: Refusal | None
    ) -> web.StreamResponse:
        if struck is None:
            return self._respond(self._perform(call, method, unreadable))
        if struck.fault in _AFTER:
            self._perform(call, method, unreadable)
        if struck.fault is Fault.LATE:
            self._discord.spawn(self._later(call, method, struck.seconds))
        call.outcome = struck.fault.value
        return await self._strike(request, call, method, struck)

    async def _later(self, call: Call, method: Method | None, seconds: float) -> None:
        """What had got stuck on the way arrives after all, whoever has given it up."""
        await self._discord.clock.sleep(seconds)
        self._perform(call, method, None)
        self._discord.wake()

    async def _strike(self, request: web.Request, call: Call, method: Method | None, rule: Rule) -> web.StreamResponse:
        fault = rule.fault
        if fault in (Fault.HANG, Fault.HANG_AFTER):
            await self._discord.hang(rule.seconds)
        if fault in (Fault.SERVER_ERROR, Fault.SERVER_ERROR_AFTER):
            return _server_error(rule.status)
        if fault is Fault.BAN:
            return _banned(rule.seconds)
        if fault is Fault.REFUSE:
            return self._respond(_refused(call, Refusal(rule.status, rule.code, "Refused by mischief"), {}))
        if fault in (Fault.RATE_LIMIT, Fault.HIDDEN_LIMIT, Fault.GLOBAL_LIMIT):
            return self._respond(self._limited(call, method, rule))
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)  # goes nowhere: the connection is broken

    def _limited(self, call: Call, method: Method | None, rule: Rule) -> Answer:
        """As if the limit had been met, whatever is left of it."""
        if rule.fault is Fault.GLOBAL_LIMIT or method is None:
            return _too_many(rule.seconds, is_global=True)
        quota = Quota("struck", 5, 4 if rule.fault is Fault.HIDDEN_LIMIT else 0, rule.seconds)
        return _too_many(rule.seconds, _quota_headers(quota))

    # --- an honest answer -------------------------------------------------------------------------------------

    def _perform(self, call: Call, method: Method | None, unreadable: Refusal | None) -> Answer:
        """Banned addresses reach nothing; then come token, route, limits, and the method itself."""
        if self._is_banned():
            call.outcome = "banned"
            return Answer(429, _PAGE.format("Access denied"), {"Retry-After": "600"})
        headers: dict[str, str] = {}
        try:
            self._admit(call, method)
            if method is None:
                raise Refusal(404, 0, "404: Not Found")
            if (over := self._overrun(call, method, headers)) is not None:
                call.outcome = "rate limited"
                return over
            if unreadable is not None:
                raise unreadable
            body = method.run(self._discord, call)
        except Refusal as refusal:
            return _refused(call, refusal, headers)
        call.outcome, call.done = "ok", True
        return Answer(204 if body is None else method.status, body, headers)

    def _is_banned(self) -> bool:
        most, seconds = self._discord.habits.invalid_requests
        return self.invalid.count(seconds) >= most

    def _admit(self, call: Call, method: Method | None) -> None:
        if method is not None and method.open:
            return
        if call.headers.get("Authorization") != f"Bot {self._discord.guild.app.token}":
            raise Refusal(401, 0, "401: Unauthorized")

    def _overrun(self, call: Call, method: Method, headers: dict[str, str]) -> Answer | None:
        """Spend of the limits; the 429, when one is used up."""
        limits = self._discord.limits
        if not method.open and (wait := limits.spend("global", *GLOBAL)) is not None:
            return _too_many(wait, is_global=True)
        major = "/".join(call.path[name] for name in MAJOR if name in call.path)
        quota = limits.take(method.bucket, major, *method.limit)
        headers |= _quota_headers(quota)
        return None if quota.wait is None else _too_many(quota.wait, headers)

    def _respond(self, answer: Answer) -> web.Response:
        if answer.status in _INVALID and answer.headers.get("X-RateLimit-Scope") != "shared":
            self.invalid.add()
        if isinstance(answer.body, str):
            return web.Response(status=answer.status, text=answer.body, content_type="text/html")
        if answer.status == 204:
            return web.Response(status=204, headers=answer.headers | _VIA)
        body = json.dumps(answer.body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"} | answer.headers | _VIA
        return web.Response(status=answer.status, body=body, headers=headers)


def _quota_headers(quota: Quota) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(quota.limit),
        "X-RateLimit-Remaining": str(quota.remaining),
        "X-RateLimit-Reset": f"{time.time() + quota.reset_after:.3f}",
        "X-RateLimit-Reset-After": f"{quota.reset_after:.3f}",
        "X-RateLimit-Bucket": quota.bucket,
    }


def _too_many(wait: float, headers: dict[str, str] | None = None, *, is_global: bool = False) -> Answer:
    body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": is_global}
    scope = {"X-RateLimit-Scope": "global" if is_global else "user"}
    scope |= {"X-RateLimit-Global": "true"} if is_global else {}
    return Answer(429, body, (headers or {}) | scope | {"Retry-After": str(max(1, round(wait)))})


def _refused(call: Call, refusal: Refusal, headers: dict[str, str]) -> Answer:
    call.outcome, call.code = refusal.body["message"], refusal.code
    if refusal.scope:
        wait = refusal.body["retry_after"]
        headers = headers | {"X-RateLimit-Scope": refusal.scope, "Retry-After": str(max(1, round(wait)))}
    return Answer(refusal.status, refusal.body, headers)


def _server_error(status: int) -> web.Response:
    """500 is Discord's own, in JSON; the others come from what stands before it, as pages."""
    if status == 500:
        body = json.dumps({"message": "500: Internal Server Error", "code": 0}).encode()
        return web.Response(status=500, body=body, headers={"Content-Type": "application/json"} | _VIA)
    title = {502: "502: Bad Gateway", 503: "503: Service Unavailable", 504: "504: Gateway Timeout"}
    return web.Response(status=status, text=_PAGE.format(title.get(status, status)), content_type="text/html")


def _banned(seconds: float) -> web.Response:
    headers = {"Retry-After": str(round(seconds))}
    return web.Response(status=429, text=_PAGE.format("Access denied"), content_type="text/html", headers=headers)


# --- reading ------------------------------------------------------------------------------------------------------


async def _read(request: web.Request, call: Call) -> Refusal | None:
    """Fill in the body and the files; what is wrong with them, if anything."""
    if request.content_type == "multipart/form-data":
        return await _read_form(request, call)
    raw = await request.read()
    if not raw:
        return None
    if request.content_type != "application/json":
        complaints = Complaints()
        words = "Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}."
        complaints.add("", "CONTENT_TYPE_INVALID", words)
        return _caught(complaints)
    return _parse(raw, call)


def _parse(raw: bytes | str, call: Call) -> Refusal | None:
    try:
        call.body = json.loads(raw)
    except ValueError:
        return Refusal(400, 50109, "The request body contains invalid JSON.")
    return None


async def _read_form(request: web.Request, call: Call) -> Refusal | None:
    refusal: Refusal | None = None
    for name, value in (await request.post()).items():
        match = _FILE.fullmatch(name)
        if isinstance(value, web.FileField):
            index = int(match[1]) if match else len(call.files)
            call.files.append(Upload(index, value.filename, value.file.read(), value.content_type))
        elif name == "payload_json":
            refusal = _parse(value if isinstance(value, str) else bytes(value), call)
        else:
            fields: Json = call.body if isinstance(call.body, dict) else {}
            call.body = fields | {name: value}
    return refusal


def _caught(complaints: Complaints) -> Refusal:
    try:
        complaints.settle()
    except Refusal as refusal:
        return refusal
    raise AssertionError("there was a complaint")
