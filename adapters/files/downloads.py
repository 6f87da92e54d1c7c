"""Files over HTTP, to be mounted on an origin of their own: `GET /<token>/<display name>`.

A file is never a page here: it is sent as an attachment, with the type that its content has, under a policy that
lets it run nothing. `<img>` shows it all the same. Links that are forged, expired, of somebody else, or whose
file is gone, all get one answer, so that nobody learns which it was.
"""

import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from adapters.files.links import Link, LinkSigner
from adapters.files.names import content_disposition
from bridge.files import Files, StoredFile

Allowed = Callable[[str, str], Awaitable[bool]]  # (file id, reader): may the reader still have it?
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    # The pages that show the picture lie on other sites than the files (a separate origin is the point of it).
    # `same-site` would break them; who may read is decided by the link, and no cookie is sent or read here.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


def files_app(files: Files, signer: LinkSigner, allowed: Allowed, clock: Callable[[], float]) -> web.Application:
    """The sub-application that serves files. `clock` gives seconds UTC."""
    downloads = _Downloads(files, signer, allowed, clock)
    app = web.Application(middlewares=[_one_answer])
    app.router.add_get("/{token}/{name:[^/]+}", downloads.get)  # braces too, which {name} leaves out
    return app


@web.middleware
async def _one_answer(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound:
        headers = {**_HEADERS, "Cache-Control": "no-store"}
        return web.Response(status=404, text="There is no such file, or the link has expired.\n", headers=headers)


class _Downloads:
    def __init__(self, files: Files, signer: LinkSigner, allowed: Allowed, clock: Callable[[], float]) -> None:
        self._files = files
        self._signer = signer
        self._allowed = allowed
        self._clock = clock

    async def get(self, request: web.Request) -> web.StreamResponse:
        now = self._clock()
        link = self._signer.verify(request.match_info["token"], now)
        file = None if link is None else await self._readable(link)
        if link is None or file is None:
            raise web.HTTPNotFound
        headers = _headers(file, int(link.expires - now))
        if _matches(request.headers.getall("If-None-Match", ()), headers["ETag"]):
            return web.Response(status=304, headers=headers)
        return await self._send(request, file, headers)

    async def _readable(self, link: Link) -> StoredFile | None:
        if not await self._allowed(link.file_id, link.reader):
            return None
        return await self._files.stat(link.file_id)

    async def _send(self, request: web.Request, file: StoredFile, headers: dict[str, str]) -> web.StreamResponse:
        wanted = _range(request, file.size, headers["ETag"])
        if wanted is None:
            return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{file.size}"})
        response = web.StreamResponse(headers=headers)
        response.content_type = file.media_type
        response.content_length = len(wanted)
        if len(wanted) < file.size:
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{file.size}"
        await response.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # the reader has left: pages do, and it is no fault
            if request.method == "GET":
                await self._copy(request, file, wanted, response)
            await response.write_eof()
        return response

    async def _copy(self, request: web.Request, file: StoredFile, wanted: range, response: web.StreamResponse) -> None:
        pieces = self._files.stream(file.file_id, wanted.start, wanted.stop)
        sent = 0
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                await response.write(piece)
                sent += len(piece)
        if sent < len(wanted) and request.transport is not None:
            request.transport.abort()  # erased meanwhile: the reader must not take what came for the whole


def _headers(file: StoredFile, seconds_left: int) -> dict[str, str]:
    return {
        **_HEADERS,
        "Content-Disposition": content_disposition(file.name),
        # kept by the reader's own browser only, and no longer than the link would let them read it again
        "Cache-Control": f"private, max-age={seconds_left}",
        "Accept-Ranges": "bytes",
        "ETag": f'"{file.sha256}"',
    }


def _matches(conditions: Sequence[str], etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for line in conditions for tag in line.split(",")]
    return etag in tags or "*" in tags


def _range(request: web.Request, size: int, etag: str) -> range | None:
    """The bytes to send (RFC 9110, 14.2), None when the range lies outside. Whatever is not one plain range of
    bytes may be ignored, and is."""
    asked = _RANGE.match(request.headers.get("Range", ""))
    if asked is None or request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return range(size)
    first, last = asked.groups()
    if not first and not last:
        return range(size)
    if not first:
        return range(max(0, size - int(last)), size) if int(last) else None
    if last and int(last) < int(first):
        return range(size)
    return range(int(first), min(int(last) + 1, size) if last else size) if int(first) < size else None
