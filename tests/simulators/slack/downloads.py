"""Bytes: the upload URLs, and the download URLs that show strangers a login page with status 200."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from .methods.files import can_see
from .workspace import File

if TYPE_CHECKING:
    from .simulator import SlackSimulator

_LOGIN = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"


class Downloads:
    """Where files go up and come down."""

    def __init__(self, slack: SlackSimulator) -> None:
        self._slack = slack

    async def receive(self, request: web.Request) -> web.Response:
        """`POST /upload/v1/{secret}`: raw bytes or a form with one file, once, of the announced length."""
        file = self._awaited(request.match_info["secret"])
        if file is None:
            return web.Response(status=404, text="Not found")
        data = await _bytes_of(request)
        if len(data) != file.size:
            return web.Response(status=400, text="The length is not the one announced")
        file.data, file.state = data, "uploaded"
        return web.Response(text=f"OK - {len(data)}")

    def _awaited(self, secret: str) -> File | None:
        files = self._slack.workspace.files.values()
        return next((f for f in files if f.secret == secret and f.state == "pending"), None)

    async def serve(self, request: web.Request) -> web.Response:
        """`GET /files-pri/{team}-{file}/…`."""
        file = self._slack.workspace.files.get(request.match_info["place"].partition("-")[2])
        if file is None or not self._may_read(request, file):
            return web.Response(text=_LOGIN, content_type="text/html")
        if file.state == "deleted":
            return web.Response(status=404, text="Not found")
        return web.Response(body=file.data, content_type=file.mimetype)

    def _may_read(self, request: web.Request, file: File) -> bool:
        app = self._slack.workspace.app
        entitled = request.headers.get("Authorization") == f"Bearer {app.bot_token}"
        return entitled and not app.revoked and "files:read" in app.scopes and can_see(self._slack, file)


async def _bytes_of(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
