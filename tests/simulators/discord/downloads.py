"""The CDN: attachments under links that are signed and expire. Who has a link needs no token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING

from aiohttp import web

from .guild import Attachment, Channel

if TYPE_CHECKING:
    from .simulator import DiscordSimulator

_WALL = time.time()
"""When the clock of links began."""
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
"""The smallest picture that is one."""


class Downloads:
    """Signs links and serves what is behind them."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._discord = discord
        self._key = secrets.token_bytes(16)

    def sign(self, channel: Channel, attachment: Attachment) -> str:
        """A link for a day from now. Whoever reads the message again gets a fresh one."""
        path = f"/attachments/{channel.id}/{attachment.id}/{attachment.filename}"
        now = self._discord.clock.now()
        stamps = f"ex={_hex(now + self._discord.habits.link_life)}&is={_hex(now)}"
        return f"{self._discord.cdn_url}{path}?{stamps}&hm={self._seal(path, stamps)}&"

    def _seal(self, path: str, stamps: str) -> str:
        return hmac.new(self._key, f"{path}?{stamps}".encode(), hashlib.sha256).hexdigest()

    async def serve(self, request: web.Request) -> web.Response:
        """`GET /attachments/{channel}/{attachment}/{filename}`."""
        query = request.query
        stamps = f"ex={query.get('ex', '')}&is={query.get('is', '')}"
        is_ours = hmac.compare_digest(self._seal(request.path, stamps), query.get("hm", ""))
        if not is_ours or int(query["ex"], 16) < _WALL + self._discord.clock.now():
            return web.Response(status=404, text="This content is no longer available.")
        found = self._find(request.match_info["channel"], request.match_info["attachment"])
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found.data, content_type=found.content_type.partition(";")[0])

    async def serve_picture(self, request: web.Request) -> web.Response:
        """`GET /stickers/{id}.png` and `/emojis/{id}.png`: everybody may have them, for ever."""
        return web.Response(body=PICTURE, content_type="image/png")

    def _find(self, channel_id: str, attachment_id: str) -> Attachment | None:
        """Nothing is behind the link any more once the message is deleted."""
        place = self._discord.guild.place(channel_id)
        messages = [*(place.messages.values() if place else []), *self._discord.guild.ephemerals]
        return next((a for m in messages for a in m.attachments if a.id == attachment_id), None)


def _hex(moment: float) -> str:
    return f"{int(_WALL + moment):x}"
