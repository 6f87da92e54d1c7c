"""Uploads over HTTP: resumable, in chunks, answered in JSON.

    POST   /                   {"name", "size"}          201 {"upload", "offset", "size", "chunk"}
    HEAD   /{upload}                                     200 with Upload-Offset and Upload-Length
    PATCH  /{upload}           Upload-Offset, raw bytes  200 {"offset"}, or 409 with the right offset
    POST   /{upload}/finish                              200 {"file": {id, name, type, size, width, height}}
    DELETE /{upload}                                     204

A sender who lost an answer asks HEAD and goes on from there; finish may be repeated. An error is
`{"error": {"code", "what", "mend"}}`, with `limit` where a bound was passed. The caller says who is asking, by
whatever the request carries; uploads of somebody else do not exist.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Middleware

from bridge.files import Appended, FileLimits, FileRefused, Files, Refusal, StoredFile

Authenticate = Callable[[web.Request], Awaitable[str | None]]  # the owner, or None for nobody
Origins = Callable[[str], bool]  # may pages of this origin upload?
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PROMISE_BYTES = 8192
_PREFLIGHT_SECONDS = 600
_METHODS = "POST, PATCH, HEAD, DELETE"
_SENT_HEADERS = "Authorization, Content-Type, Upload-Offset"
_SEEN_HEADERS = "Upload-Offset, Upload-Length, Retry-After"
_OFFSET = re.compile(r"\d{1,15}\Z", re.ASCII)

_STATUS = {
    Refusal.EMPTY: HTTPStatus.BAD_REQUEST,
    Refusal.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.TOO_MANY_PIXELS: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.UNSUPPORTED_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Refusal.DAMAGED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.INFECTED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.UNCHECKED: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.STORAGE_FULL: HTTPStatus.INSUFFICIENT_STORAGE,
    Refusal.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.RATE: HTTPStatus.TOO_MANY_REQUESTS,
    Refusal.TOO_MANY_UPLOADS: HTTPStatus.TOO_MANY_REQUESTS,
    Refusal.OWNER_FULL: HTTPStatus.FORBIDDEN,
    Refusal.UNKNOWN_UPLOAD: HTTPStatus.NOT_FOUND,
    Refusal.INCOMPLETE: HTTPStatus.CONFLICT,
}
# When to ask again, in seconds.
_PATIENCE = {
    Refusal.UNCHECKED: 60,
    Refusal.STORAGE_FULL: 120,
    Refusal.BUSY: 5,
    Refusal.RATE: 300,
    Refusal.TOO_MANY_UPLOADS: 10,
}


class _RequestError(Exception):
    """A request that is answered with an error of HTTP's own making."""

    def __init__(self, status: HTTPStatus, code: str, what: str, mend: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.what = what
        self.mend = mend


def uploads_app(
    files: Files,
    authenticate: Authenticate,
    limits: FileLimits,
    origins: Origins = lambda origin: False,
) -> web.Application:
    """The sub-application that takes uploads.

    `authenticate` is asked at every request. A request with an Origin header is refused unless `origins` says
    yes to it: our own pages' origin belongs among them, since browsers name it too. Cookies are not invited
    across origins (no Access-Control-Allow-Credentials).
    """
    intake = _Intake(files, authenticate, limits)
    app = web.Application(middlewares=[_across_origins(origins), _in_json])
    for path in ("", "/"):
        app.router.add_post(path, intake.begin)
    app.router.add_head("/{upload}", intake.offset)
    app.router.add_patch("/{upload}", intake.append)
    app.router.add_delete("/{upload}", intake.abandon)
    app.router.add_post("/{upload}/finish", intake.finish)
    return app


class _Intake:
    def __init__(self, files: Files, authenticate: Authenticate, limits: FileLimits) -> None:
        self._files = files
        self._authenticate = authenticate
        self._limits = limits
        self._arriving: Counter[str] = Counter()  # chunks being read, by owner

    async def begin(self, request: web.Request) -> web.Response:
        owner = await self._owner(request)
        name, size = _promise(await self._body(request, _PROMISE_BYTES))
        upload = await self._files.begin_upload(owner, name, size)
        answer = {
            "upload": upload.upload_id,
            "offset": upload.offset,
            "size": upload.size,
            "chunk": self._limits.chunk_bytes,
        }
        return _json(answer, HTTPStatus.CREATED)

    async def offset(self, request: web.Request) -> web.Response:
        upload = await self._files.resume(request.match_info["upload"], await self._owner(request))
        headers = {"Upload-Offset": str(upload.offset), "Upload-Length": str(upload.size)}
        return web.Response(headers={**headers, "Cache-Control": "no-store"})

    async def append(self, request: web.Request) -> web.Response:
        owner, upload_id = await self._owner(request), request.match_info["upload"]
        offset = _offset(request)
        with self._arrival(owner):
            chunk = await self._body(request, self._limits.chunk_bytes)
            appended = await self._files.append(upload_id, owner, offset, chunk)
        return _appended(appended)

    async def finish(self, request: web.Request) -> web.Response:
        file = await self._files.finish(request.match_info["upload"], await self._owner(request))
        return _json({"file": _described(file)})

    async def abandon(self, request: web.Request) -> web.Response:
        await self._files.abandon(request.match_info["upload"], await self._owner(request))
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _owner(self, request: web.Request) -> str:
        owner = await self._authenticate(request)
        if owner is None:
            raise _RequestError(
                HTTPStatus.UNAUTHORIZED, "unauthenticated", "You are not known here.", "Open the chat again."
            )
        return owner

    @contextmanager
    def _arrival(self, owner: str) -> Iterator[None]:
        """A place among the chunks that may be in memory at once."""
        limits = self._limits
        if self._arriving[owner] >= limits.owner_chunks_at_once or self._arriving.total() >= limits.chunks_at_once:
            raise FileRefused(Refusal.BUSY)
        self._arriving[owner] += 1
        try:
            yield
        finally:
            self._arriving[owner] -= 1
            if not self._arriving[owner]:
                del self._arriving[owner]

    async def _body(self, request: web.Request, limit: int) -> bytes:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise _bad_request("The body is compressed.", "Send it as it is.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            async with asyncio.timeout(self._limits.chunk_seconds):
                return await _read(request, limit)
        except TimeoutError:
            raise _RequestError(
                HTTPStatus.REQUEST_TIMEOUT, "too_slow", "The data came too slowly.", "Send smaller chunks."
            ) from None


async def _read(request: web.Request, limit: int) -> bytes:
    """The whole body, or nothing: a chunk that was cut short on its way is not kept."""
    too_large = FileRefused(Refusal.TOO_LARGE, limit=limit)
    if (request.content_length or 0) > limit:
        raise too_large
    body = bytearray()
    try:
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > limit:
                raise too_large
    except (ConnectionError, web.RequestPayloadError):  # nobody is left to read our answer
        raise _bad_request("The connection broke.", "Ask for the offset and go on from there.") from None
    return bytes(body)


def _promise(body: bytes) -> tuple[str, int]:
    try:
        fields = json.loads(body)
        name, size = fields["name"], fields["size"]
    except (ValueError, KeyError, TypeError, RecursionError):
        name = size = None
    if not isinstance(name, str) or not isinstance(size, int) or isinstance(size, bool):
        raise _bad_request("The promise is not a name and a size.", 'Send {"name": "a.png", "size": 1234}.')
    return name, size


def _offset(request: web.Request) -> int:
    value = request.headers.get("Upload-Offset", "")
    if _OFFSET.match(value) is None:
        raise _bad_request("The header Upload-Offset is missing or no number.", "Send the offset in bytes.")
    return int(value)


def _appended(appended: Appended) -> web.Response:
    headers = {"Upload-Offset": str(appended.offset)}
    if appended.accepted:
        return _json({"offset": appended.offset}, headers=headers)
    error = {
        "code": "wrong_offset",
        "what": "The chunk does not begin where the upload stands.",
        "mend": "Go on from the offset given here.",
    }
    return _json({"error": error, "offset": appended.offset}, HTTPStatus.CONFLICT, headers)


def _described(file: StoredFile) -> dict[str, object]:
    return {
        "id": file.file_id,
        "name": file.name,
        "type": file.media_type,
        "size": file.size,
        "width": file.width,
        "height": file.height,
    }


def _bad_request(what: str, mend: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> _RequestError:
    return _RequestError(status, "bad_request", what, mend)


def _json(answer: object, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(answer, status=status, headers={"Cache-Control": "no-store", **(headers or {})})


@web.middleware
async def _in_json(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Every refusal as JSON with code, what and mend."""
    try:
        return await handler(request)
    except FileRefused as refused:
        patience = _PATIENCE.get(refused.code)
        headers = {} if patience is None else {"Retry-After": str(patience)}
        error = {"code": refused.code.value, "what": refused.what, "mend": refused.mend}
        bound = {} if refused.limit is None else {"limit": refused.limit}
        return _json({"error": {**error, **bound}}, _STATUS[refused.code], headers)
    except _RequestError as problem:
        error = {"code": problem.code, "what": problem.what, "mend": problem.mend}
        return _json({"error": error}, problem.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as wrong:
        error = {"code": "not_found", "what": "There is nothing here.", "mend": "See the protocol's description."}
        return _json({"error": error}, HTTPStatus(wrong.status))


def _across_origins(origins: Origins) -> Middleware:
    @web.middleware
    async def across_origins(request: web.Request, handler: _Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is None:
            return await handler(request)
        if not origins(origin):
            error = {
                "code": "origin_refused",
                "what": "Pages of this origin may not upload.",
                "mend": "Add the origin to the site's settings.",
            }
            return _json({"error": error}, HTTPStatus.FORBIDDEN, {"Vary": "Origin"})
        response = _preflight() if request.method == "OPTIONS" else await handler(request)
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _SEEN_HEADERS
        response.headers["Vary"] = "Origin"
        return response

    return across_origins


def _preflight() -> web.Response:
    headers = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _SENT_HEADERS,
        "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
    }
    return web.Response(status=HTTPStatus.NO_CONTENT, headers=headers)
