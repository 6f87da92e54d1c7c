"""Operators' files, on their way from Discord into our own store.

The address comes with the message and holds for about a day: who reads the message again gets a fresh one (`fetching`).
Nothing is fetched from elsewhere than Discord's own hosts.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp

from adapters.discord.heard.happenings import Attachment, Sticker
from adapters.discord.wire.client import RestApi
from bridge.errors import DeliveryError, Fault
from bridge.files import MIB, Files
from bridge.messages import FilePart

LARGEST = 100 * MIB
"""Bytes read at most; the Files port has its own, lower limit."""

WITHIN = 60.0
"""Seconds for one file."""

CDN, MEDIA = "cdn.discordapp.com", "media.discordapp.net"

GIF = 4
"""Discord's number for a sticker that is one."""


class NotFetchedError(Exception):
    """The file cannot be had, now or later. `code` is a key of the wording."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Downloads:
    def __init__(self, api: RestApi, files: Files, cdn_url: str) -> None:
        self._api = api
        self._files = files
        self._cdn = urlsplit(cdn_url)

    def picture(self, sticker: Sticker) -> Attachment:
        """A sticker as a file. Moving pictures of one kind stand on another host of Discord's."""
        ending = "gif" if sticker.kind == GIF else "png"
        place = self._cdn._replace(path=f"{self._cdn.path.rstrip('/')}/stickers/{sticker.id}.{ending}")
        if sticker.kind == GIF and place.netloc == CDN:
            place = place._replace(netloc=MEDIA)
        return Attachment(f"sticker-{sticker.id}", f"{sticker.name}.{ending}", url=place.geturl())

    async def keep(self, file: Attachment, owner: str) -> FilePart:
        """Fetch the file and keep it as `owner`'s. A repeat gives the same one.

        Raises NotFetchedError; DeliveryError when trying again may help; FileRefused when the store does not take it.
        """
        content = await self._fetch(file)
        kept = await self._files.put(owner, file.name, content, f"discord/{file.id}")
        return FilePart(kept.file_id, kept.name, kept.media_type, kept.size, kept.width or 0, kept.height or 0)

    async def _fetch(self, file: Attachment) -> bytes:
        if not self._is_discords(file.url):
            raise NotFetchedError("no_access")
        timeout = aiohttp.ClientTimeout(total=WITHIN)
        try:
            async with self._api.bare.get(file.url, timeout=timeout, allow_redirects=False) as response:
                return await _content(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(Fault.TRANSIENT, "file_not_fetched") from error

    def _is_discords(self, url: str) -> bool:
        place = urlsplit(url)
        if (place.scheme, place.netloc) == (self._cdn.scheme, self._cdn.netloc):
            return True
        return place.scheme == "https" and place.netloc in (CDN, MEDIA)


async def _content(response: aiohttp.ClientResponse) -> bytes:
    if response.status >= 500 or response.status == 429:
        raise DeliveryError(Fault.TRANSIENT, f"file_http_{response.status}")
    if response.status != 200:
        raise NotFetchedError("no_access")
    content = bytearray()
    async for piece in response.content.iter_chunked(MIB):
        content += piece
        if len(content) > LARGEST:
            raise NotFetchedError("too_large")
    return bytes(content)
