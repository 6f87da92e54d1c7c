"""The Web API over HTTP: token, scope, limit, mischief, method, in this order of refusal as at Slack."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from aiohttp import web

from . import access
from .methods import METHODS, Call, Method
from .mischief import Fault, Rule
from .refusal import Refusal
from .workspace import Json

if TYPE_CHECKING:
    from .simulator import SlackSimulator

_HTML = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_AFTER = frozenset({Fault.LOSE_ANSWER, Fault.BAD_GATEWAY_AFTER, Fault.HANG_AFTER, Fault.DROP_POST})
_BEFORE_ANSWERS = {
    Fault.BAD_GATEWAY: (502, "Bad Gateway"),
    Fault.BAD_GATEWAY_AFTER: (502, "Bad Gateway"),
    Fault.SERVER_ERROR: (500, "Server Error"),
}


class WebApi:
    """Answers `POST|GET /api/{method}`."""

    def __init__(self, slack: SlackSimulator) -> None:
        self._slack = slack

    async def handle(self, request: web.Request) -> web.StreamResponse:
        received = time.perf_counter()
        args, token, warning = await _read(request)
        call = Call(request.match_info["method"], args, time.time(), received)
        self._slack.journal(call)
        struck: Rule | None = None
        for rule in self._slack.mischief.for_call(call.method, args):
            if rule.fault is Fault.SLOW:
                await asyncio.sleep(rule.seconds)
            else:
                struck = rule
        response = await self._answer(request, call, token, struck, warning)
        call.answered = time.perf_counter()
        return response

    async def _answer(
        self, request: web.Request, call: Call, token: str, struck: Rule | None, warning: str
    ) -> web.StreamResponse:
        if struck is None:
            return self._perform(call, token, warning)
        if struck.fault is Fault.LESS:
            return self._perform(call, token, warning, struck.missing)
        call.outcome = struck.fault.value
        if struck.fault not in _AFTER:
            return await self._strike(request, struck)
        call.dropped = struck.fault is Fault.DROP_POST
        response = self._perform(call, token, warning)
        call.outcome = struck.fault.value
        return response if call.dropped else await self._strike(request, struck)

    async def _strike(self, request: web.Request, rule: Rule) -> web.StreamResponse:
        fault = rule.fault
        if fault in (Fault.HANG, Fault.HANG_AFTER):
            await self._slack.hang(rule.seconds)
        if fault in _BEFORE_ANSWERS:
            status, title = _BEFORE_ANSWERS[fault]
            return web.Response(status=status, text=_HTML.format(title), content_type="text/html")
        if fault is Fault.RATE_LIMIT:
            return _too_many(max(1, int(rule.seconds)) if rule.header is None else rule.header)
        if fault is Fault.INTERNAL_ERROR:
            return _json({"ok": False, "error": "internal_error"})
        if fault is Fault.ERROR:
            return _json({"ok": False, "error": rule.error})
        if request.transport is not None:
            request.transport.close()
        return web.Response(status=500)  # goes nowhere: the connection is closed

    def _perform(self, call: Call, token: str, warning: str, missing: tuple[str, ...] = ()) -> web.Response:
        headers = {"x-slack-req-id": f"req-{call.number}"}
        try:
            method = METHODS.get(call.method)
            if method is None:
                raise Refusal("unknown_method", req_method=call.method)
            self._admit(method, token)
            headers |= self._scope_headers(method)
            if (wait := self._wait(method, call)) is not None:
                call.outcome = "ratelimited"
                return _too_many(wait)
            answer = {"ok": True} | method.run(self._slack, call)
        except Refusal as refusal:
            call.outcome = refusal.error
            return _json({"ok": False, "error": refusal.error} | refusal.details, headers)
        call.outcome, call.done = "ok", not call.dropped
        answer = {name: value for name, value in answer.items() if name not in missing}
        return _json(answer | ({"warning": warning} if warning else {}), headers)

    def _admit(self, method: Method, token: str) -> None:
        app = self._slack.workspace.app
        if not token:
            raise Refusal("not_authed")
        if token not in (app.bot_token, app.app_token):
            raise Refusal("invalid_auth")
        if (token == app.app_token) != method.app_token:
            raise Refusal("not_allowed_token_type")
        if app.revoked and not method.app_token:
            raise Refusal("token_revoked")
        granted = app.app_scopes if method.app_token else app.scopes
        if method.scopes and not granted & set(method.scopes):
            if method.app_token:
                raise Refusal("missing_scope", needed=method.scopes[0], provided=",".join(sorted(granted)))
            access.need_scope(app, *method.scopes)

    def _scope_headers(self, method: Method) -> dict[str, str]:
        granted = sorted(self._slack.workspace.app.scopes)
        return {"x-oauth-scopes": ",".join(granted), "x-accepted-oauth-scopes": ",".join(method.scopes)}

    def _wait(self, method: Method, call: Call) -> int | None:
        if method.tier is None:
            return None
        limits = self._slack.limits
        wait = limits.refuse(method.name, method.tier, str(call.args.get("channel", "")))
        if wait is not None and method.tier == 0 and limits.drop_floods:
            call.dropped = True
            return None
        return wait


def _too_many(wait: int | str) -> web.Response:
    named = {"Retry-After": str(wait)} if wait else {}
    return _json({"ok": False, "error": "ratelimited"}, named, status=429)


def _json(answer: Json, headers: dict[str, str] | None = None, *, status: int = 200) -> web.Response:
    body = json.dumps(answer, ensure_ascii=False).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json", charset="utf-8")


async def _read(request: web.Request) -> tuple[Json, str, str]:
    """(arguments, token or "", warning or ""): JSON bodies carry the token in the header only."""
    args: Json = dict(request.query)
    warning, token = "", ""
    if request.content_type == "application/json":
        warning = "" if request.charset else "missing_charset"
        args |= _object(await request.read())
    else:
        args |= {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
        token = args.pop("token", "")
    header = request.headers.get("Authorization", "")
    return args, header.removeprefix("Bearer ") or token, warning


def _object(body: bytes) -> Json:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
