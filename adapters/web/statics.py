"""The widget's files and the two pages, read once at the start and served from memory.

Modules under a version never change, so browsers keep them for ever; the loader, which knows the version, is asked for
again and again and is small. Everything here is public: any site may load it, and none of it knows anybody.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

HERE = Path(__file__).parent
VERSION_MARK = b"@version@"

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".mp3": "audio/mpeg",
    ".txt": "text/plain",
}
_PLAIN = frozenset({".js", ".css", ".json", ".html", ".svg", ".txt"})  # worth compressing, and in UTF-8

_FOR_EVER = "public, max-age=31536000, immutable"
_SOON_AGAIN = "public, max-age=300"
_EVERY_TIME = "no-cache"

_PUBLIC = {
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A file as it is served."""

    body: bytes
    packed: bytes | None
    media_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, suffix: str) -> Resource:
        plain = suffix in _PLAIN
        charset = "; charset=utf-8" if plain else ""
        packed = gzip.compress(body, 9, mtime=0) if plain else None
        etag = hashlib.sha256(body).hexdigest()[:20]
        return cls(body, packed, _TYPES[suffix] + charset, etag)

    def answer(self, request: web.Request, cache: str, headers: Mapping[str, str]) -> web.Response:
        """200, or 304 for a browser that has it."""
        response = web.Response(headers={**headers, "Cache-Control": cache, "Vary": "Accept-Encoding"})
        response.headers["ETag"] = f'W/"{self.etag}"'
        if self._known(request):
            response.set_status(304)
            return response
        response.headers["Content-Type"] = self.media_type
        response.body = self.body
        if self.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.headers["Content-Encoding"] = "gzip"
            response.body = self.packed
        return response

    def _known(self, request: web.Request) -> bool:
        return any(tag.value in (self.etag, "*") for tag in request.if_none_match or ())


class Statics:
    """Reads everything at once; raises OSError when the widget is not there.

    `locales` are the widget's words by language. `connect` are further origins that the two pages talk to or show
    pictures from (the files' own).
    """

    def __init__(
        self, locales: Mapping[str, Mapping[str, str]], connect: tuple[str, ...] = (), root: Path = HERE
    ) -> None:
        self._widget = _folder(root / "widget")
        self._pages = _folder(root / "pages")
        self._widget |= {f"locales/{name}.json": _words(words) for name, words in locales.items()}
        self.version = _version(self._widget)
        loader = self._widget["widget.js"].body.replace(VERSION_MARK, self.version.encode())
        self._loader = Resource.of(loader, ".js")
        self._policy = _content_security_policy(connect)

    def routes(self, *, demo: bool) -> list[web.RouteDef]:
        routes = [
            web.get("/widget.js", self._get_loader),
            web.get("/widget/{path:.+}", self._get_widget),
            web.get("/pages/{path:.+}", self._get_page_file),
            web.get("/chat", self._get_chat),
        ]
        return [*routes, web.get("/", self._get_demo)] if demo else routes

    async def _get_loader(self, request: web.Request) -> web.Response:
        return self._loader.answer(request, _SOON_AGAIN, _PUBLIC)

    async def _get_widget(self, request: web.Request) -> web.Response:
        version, _, path = request.match_info["path"].partition("/")
        if version == self.version:
            return _found(self._widget, path).answer(request, _FOR_EVER, _PUBLIC)
        # A page from before an update asks for a version that is gone: today's modules still understand it.
        name = path if path and _looks_like_version(version) else request.match_info["path"]
        return _found(self._widget, name).answer(request, _EVERY_TIME, _PUBLIC)

    async def _get_page_file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path.endswith(".html"):
            raise web.HTTPNotFound
        return _found(self._pages, path).answer(request, _EVERY_TIME, _PUBLIC)

    async def _get_chat(self, request: web.Request) -> web.Response:
        return self._page(request, "chat.html")

    async def _get_demo(self, request: web.Request) -> web.Response:
        return self._page(request, "demo.html")

    def _page(self, request: web.Request, name: str) -> web.Response:
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": self._policy,
            "Referrer-Policy": "no-referrer",
        }
        return _found(self._pages, name).answer(request, _EVERY_TIME, headers)


def _folder(root: Path) -> dict[str, Resource]:
    """Every file of a type that we know, by its path within the folder."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix in _TYPES)
    return {path.relative_to(root).as_posix(): Resource.of(path.read_bytes(), path.suffix) for path in files}


def _words(words: Mapping[str, str]) -> Resource:
    return Resource.of(json.dumps(dict(words), ensure_ascii=False, sort_keys=True).encode(), ".json")


def _version(files: Mapping[str, Resource]) -> str:
    listed = "\n".join(f"{name} {file.etag}" for name, file in sorted(files.items()))
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def _looks_like_version(text: str) -> bool:
    return len(text) == 16 and not set(text) - set("0123456789abcdef")


def _found(files: Mapping[str, Resource], path: str) -> Resource:
    if path not in files:
        raise web.HTTPNotFound
    return files[path]


def _content_security_policy(connect: tuple[str, ...]) -> str:
    """Our own pages run nothing that we did not ship. Old Safari does not count ws: as 'self', so it is named."""
    more = "".join(f" {origin}" for origin in connect)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            f"img-src 'self' blob: data:{more}",
            f"media-src 'self'{more}",
            f"connect-src 'self'{more}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )
