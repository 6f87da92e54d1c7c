"""The desk's server: the page, its wording, signing in and out, and in front of everything the guard.

The page runs under a policy that allows our own files and nothing else; it needs no inline script, no style attribute
and no `eval`, and Trusted Types keep it so. Every request that changes something carries a header that no form can
send, and an Origin that is ours (OWASP, Cross-Site Request Forgery Prevention).
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from adapters.console.accounts import SEAT, Accounts, Seat, SignInRefused
from adapters.console.api import Api, Engine
from adapters.console.board import Board
from adapters.console.forms import Form, FormError
from adapters.console.handovers import HandoverDesk
from adapters.console.incidents import IncidentDesk
from adapters.console.live import Live
from adapters.console.passwords import LONGEST
from adapters.console.purges import PurgeDesk
from adapters.console.team import Team
from adapters.console.templates import TemplateDesk
from bridge.directory import DirectoryError
from bridge.errors import OverloadedError, StoreUnavailableError
from bridge.incidents import IncidentError
from config.locales import load
from config.settings import DeskSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Authenticate = Callable[[web.Request], Awaitable[str | None]]
Origins = Callable[[str], bool]
Uploads = Callable[[Authenticate, Origins], web.Application]
"""How main builds the part that takes uploads: who is asking (an owner, or None), and which origins may."""

HEADER = "X-Kakehashi-Desk"
"""Any request that changes something carries it, with the value 1."""

_PAGE = Path(__file__).parent / "page"
_SAFE = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the desk is reached. `path` has no slash behind (`/console`); `origins` are ours as browsers name them."""

    path: str = "/console"
    origins: Collection[str] = ("http://127.0.0.1:8787", "http://localhost:8787")

    @property
    def secure(self) -> bool:
        return bool(self.origins) and all(urlsplit(origin).scheme == "https" for origin in self.origins)

    @property
    def cookie(self) -> str:
        """Browsers take a name with this prefix from a secure page only."""
        return "__Secure-kakehashi-desk" if self.secure else "kakehashi-desk"


def console_app(
    engine: Engine,
    accounts: Accounts,
    settings: DeskSettings,
    *,
    uploads: Uploads,
    address: Address | None = None,
    remote: Callable[[web.Request], str] = lambda request: request.remote or "",
) -> web.Application:
    """The sub-application to mount at the desk's path.

    `remote` names a request's client address, proxies considered. Starting it reads the lists: raises
    StoreUnavailableError then.
    """
    where = address or Address()
    board = Board(engine.store, engine.relay, engine.policy, engine.promise)
    live = Live(board, engine.feed, engine.store, accounts, engine.availability, engine.incidents)
    api = Api(engine, board, live)
    parts = (
        api,
        PurgeDesk(engine, api),
        Team(engine, board, live),
        IncidentDesk(engine, board, live),
        HandoverDesk(engine),
        TemplateDesk(engine, api),
    )
    door = _Door(accounts, live, settings, where, remote)
    outside = web.Application(middlewares=[_only_from(where)])
    outside.add_routes(door.entrance())
    inside = web.Application(middlewares=[_only_from(where), _only_seated(accounts, where)])
    inside.add_routes([*door.inside(), *(route for part in parts for route in part.routes())])
    inside.add_subapp("/uploads/", uploads(_owner, lambda origin: origin in where.origins))
    app = web.Application(middlewares=[_in_json])
    app.add_routes([web.get("", _to_slash), *_page_routes()])
    app.add_subapp("/api/sign-in/", outside)
    app.add_subapp("/api/", inside)
    app.on_response_prepare.append(_headers(engine.files_url))
    app.cleanup_ctx.append(lambda _: _running(live))
    app.on_shutdown.append(lambda _: live.close())
    return app


async def _running(live: Live) -> AsyncIterator[None]:
    async with live.running():
        yield


async def _to_slash(request: web.Request) -> web.StreamResponse:
    """The page's own addresses are relative to the slash."""
    raise web.HTTPFound(request.path.rsplit("/", 1)[-1] + "/")


async def _owner(request: web.Request) -> str | None:
    return f"operator:{request[SEAT].operator.id}" if SEAT in request else None


# ------------------------------------------------------------------ the door


def _only_from(address: Address) -> Middleware:
    """Whatever changes something comes from our own page, and says so."""

    @web.middleware
    async def only_from(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method not in _SAFE and request.headers.get(HEADER) != "1":
            return _error("no_header", HTTPStatus.FORBIDDEN)
        if request.method not in _SAFE and request.headers.get("Origin") not in address.origins:
            return _error("origin_refused", HTTPStatus.FORBIDDEN)
        return await handler(request)

    return only_from


def _only_seated(accounts: Accounts, address: Address) -> Middleware:
    """Whoever has no seat learns nothing, not even what there is."""

    @web.middleware
    async def only_seated(request: web.Request, handler: Handler) -> web.StreamResponse:
        seat = await accounts.seat(request.cookies.get(address.cookie, ""))
        if seat is None:
            return _error("not_signed_in", HTTPStatus.UNAUTHORIZED)
        request[SEAT] = seat
        return await handler(request)

    return only_seated


class _Door:
    """Signing in and out, and the live connection."""

    def __init__(
        self,
        accounts: Accounts,
        live: Live,
        settings: DeskSettings,
        address: Address,
        remote: Callable[[web.Request], str],
    ) -> None:
        self._accounts = accounts
        self._live = live
        self._settings = settings
        self._address = address
        self._remote = remote

    def entrance(self) -> Collection[web.RouteDef]:
        return web.post("/link", self.sign_in_by_link), web.post("/password", self.sign_in_by_password)

    def inside(self) -> Collection[web.RouteDef]:
        return web.post("/sign-out", self.sign_out), web.get("/live", self.live)

    async def sign_in_by_link(self, request: web.Request) -> web.StreamResponse:
        token = (await Form.of(request)).text("token", 100)
        return self._seated(*await self._accounts.sign_in_by_link(token, self._remote(request)))

    async def sign_in_by_password(self, request: web.Request) -> web.StreamResponse:
        form = await Form.of(request)
        account, password = form.text("account"), form.text("password", LONGEST)
        return self._seated(*await self._accounts.sign_in_by_password(account, password, self._remote(request)))

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        await self._accounts.sign_out(request[SEAT])
        await self._live.dismiss(request[SEAT])
        response = web.json_response({})
        response.del_cookie(self._address.cookie, path=self._address.path, secure=self._address.secure)
        return response

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Browsers send cookies along with any page's socket, so the Origin decides (RFC 6455, 10.2)."""
        if request.headers.get("Origin") not in self._address.origins:
            return _error("origin_refused", HTTPStatus.FORBIDDEN)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return _error("not_a_socket", HTTPStatus.UPGRADE_REQUIRED)
        return await self._live.serve(request, request[SEAT])

    def _seated(self, token: str, seat: Seat) -> web.StreamResponse:
        response = web.json_response({"operator": seat.operator.id})
        response.set_cookie(
            self._address.cookie,
            token,
            path=self._address.path,
            max_age=int(self._settings.session_lifetime),
            httponly=True,
            samesite="Strict",
            secure=self._address.secure,
        )
        return response


# ------------------------------------------------------------------ answers


@web.middleware
async def _in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal as JSON: a code for the page's wording, where it was, and whether the same may be sent again."""
    try:
        return await handler(request)
    except FormError as wrong:
        return _error(wrong.code, HTTPStatus.BAD_REQUEST, field=wrong.field)
    except (DirectoryError, IncidentError) as wrong:
        return _error("invalid", HTTPStatus.BAD_REQUEST, field=wrong.where)
    except SignInRefused as refused:
        if refused.code != "too_many":
            return _error(refused.code, HTTPStatus.UNAUTHORIZED)
        answer = _error("too_many", HTTPStatus.TOO_MANY_REQUESTS, retry_after=refused.retry_after)
        answer.headers["Retry-After"] = str(refused.retry_after)
        return answer
    except (StoreUnavailableError, OverloadedError):
        return _error("not_stored", HTTPStatus.SERVICE_UNAVAILABLE, retry=True)
    except ConnectionError:  # they left while they were still asking: nobody is there to be answered
        return _error("gone", HTTPStatus.BAD_REQUEST)
    except web.HTTPClientError as error:
        return _error(error.reason.lower().replace(" ", "_"), HTTPStatus(error.status))


def _error(code: str, status: HTTPStatus, **more: object) -> web.Response:
    return web.json_response({"error": {"code": code, "retry": False, **more}}, status=status)


def _headers(files_url: str) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    parts = urlsplit(files_url)
    pictures = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' blob:{pictures}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
    fixed = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "X-Robots-Tag": "noindex",
    }

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        del request
        for name, value in fixed.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")

    return prepare


# ------------------------------------------------------------------ the page


def _page_routes() -> Collection[web.RouteDef]:
    files = {f"/page/{path.name}": path.read_bytes() for path in sorted(_PAGE.iterdir()) if path.is_file()}
    routes = [web.get("/", _static("index.html", files.pop("/page/index.html")))]
    routes += [web.get(path, _static(path, content)) for path, content in files.items()]
    routes += [
        web.get(f"/words/{language}.json", _static("words.json", json.dumps(dict(words), ensure_ascii=False).encode()))
        for language, words in _wording().items()
    ]
    return routes


def _wording() -> Mapping[str, Mapping[str, str]]:
    return load("desk")


def _static(name: str, content: bytes) -> Handler:
    """One of our own files, from memory. Browsers ask each time whether it changed: a release reaches every desk."""
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "application/octet-stream"
    etag = hashlib.sha256(content).hexdigest()[:32]

    async def serve(request: web.Request) -> web.StreamResponse:
        headers = {"Cache-Control": "no-cache", "ETag": f'"{etag}"'}
        if any(one.value == etag for one in request.if_none_match or ()):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        charset = "utf-8" if kind.startswith("text/") or kind.endswith("json") else None
        return web.Response(body=content, content_type=kind, charset=charset, headers=headers)

    return serve
