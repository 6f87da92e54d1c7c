"""Operators' files, on their way from Slack into our own store.

A download without access answers 200 with a login page, so the content type is checked; the token goes to Slack's own
hosts only, because the address comes with the event.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp

from adapters.slack.parse import Attachment, attachment
from adapters.slack.wire.client import WebApi
from bridge.errors import DeliveryError, Fault
from bridge.files import MIB, Files
from bridge.messages import FilePart

LARGEST = 100 * MIB
"""Bytes read at most, whatever Slack says that the file has; the Files port has its own, lower limit."""

WITHIN = 60.0
"""Seconds for one file."""


class NotFetchedError(Exception):
    """The file cannot be had, now or later. `code` is a key of the wording."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Downloads:
    """`token` goes only to `slack.com`, `slack-files.com`, `slack-gov.com`, and the host of `api_url`."""

    def __init__(self, api: WebApi, files: Files, token: str, api_url: str) -> None:
        self._api = api
        self._files = files
        self._token = token
        self._own_host = urlsplit(api_url).netloc

    async def keep(self, file: Attachment, owner: str) -> FilePart:
        """Fetch the file and keep it as `owner`'s. A repeat gives the same one.

        Raises NotFetchedError; DeliveryError when trying again may help; FileRefused when the store does not take it.
        """
        if not file.known:
            file = await self._looked_up(file)
        content = await self._fetch(file)
        kept = await self._files.put(owner, file.name, content, f"slack/{file.id}")
        return FilePart(kept.file_id, kept.name, kept.media_type, kept.size, kept.width or 0, kept.height or 0)

    async def _looked_up(self, file: Attachment) -> Attachment:
        """Slack Connect's events name a file by its id only."""
        try:
            answer = await self._api.call("files.info", file=file.id)
        except DeliveryError as error:
            if error.fault in (Fault.TRANSIENT, Fault.AMBIGUOUS):
                raise
            raise NotFetchedError("no_access") from error
        return attachment(answer["file"])

    async def _fetch(self, file: Attachment) -> bytes:
        if not file.url or not self._is_slacks(file.url):
            raise NotFetchedError("not_in_slack")  # a link to another storage, or a file past the plan's limit
        headers = {"Authorization": f"Bearer {self._token}"}
        timeout = aiohttp.ClientTimeout(total=WITHIN)
        try:
            async with self._api.session.get(
                file.url, headers=headers, timeout=timeout, proxy=self._api.proxy, allow_redirects=False
            ) as response:
                return await _content(response, file)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(Fault.TRANSIENT, "file_not_fetched") from error

    def _is_slacks(self, url: str) -> bool:
        place = urlsplit(url)
        if place.netloc == self._own_host:
            return True
        host = f".{place.hostname or ''}"
        return place.scheme == "https" and host.endswith((".slack.com", ".slack-files.com", ".slack-gov.com"))


async def _content(response: aiohttp.ClientResponse, file: Attachment) -> bytes:
    if response.status >= 500 or response.status == 429:
        raise DeliveryError(Fault.TRANSIENT, f"file_http_{response.status}")
    is_login_page = response.content_type == "text/html" and file.media_type != "text/html"
    if response.status != 200 or is_login_page:
        raise NotFetchedError("no_access")
    content = bytearray()
    async for piece in response.content.iter_chunked(MIB):
        content += piece
        if len(content) > LARGEST:
            raise NotFetchedError("too_large")
    return bytes(content)
