"""Socket Mode: several connections, so that no second is deaf, and a watchdog over each.

What the SDK does by itself, and what is done about it: it closes the old socket before it opens the new one (so there
are two); it tries a dead address for ever (so the address is cleared, and a new one asked for); it tries a bad token
for ever, silently (so the token is tried before, and refused with the mend); it comes back without a pause to a door
that sends it away (see `links`).
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from time import monotonic

import structlog
from slack_bolt.async_app import AsyncApp

from adapters.slack.refs import NAME
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.links import Handler, Link
from bridge.doctor import Finding
from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.ports import Store

PING = 5.0
"""Seconds between pings, and between the SDK's tries to connect."""

STALE = 3.0
"""After so many pings without a connection its address counts as dead."""

FIRST_WITHIN = 15.0
"""Seconds that `start` waits for the first connection. Slack being slow does not keep the rest of the house down."""

SHUT = f"{NAME}-sockets-shut"
SHUT_FOR = 600_000
"""ms for which `doctor` speaks of it, unless it is over sooner: whoever wrote it may have died."""

_log = structlog.get_logger(__name__)


class Sockets:
    """`ping` in seconds."""

    def __init__(
        self, app: AsyncApp, api: WebApi, store: Store, app_token: str, handlers: int, ping: float = PING
    ) -> None:
        self._ping = ping
        self._api = api
        self._store = store
        self._handlers = [Handler(app, Link(api, app_token, ping)) for _ in range(handlers)]
        self._tasks: list[asyncio.Task[None]] = []
        self._noted: str | None = None

    @property
    def connected(self) -> int:
        """How many sockets are open now."""
        return sum(handler.client.is_open for handler in self._handlers)

    @property
    def trouble(self) -> str:
        """Why one does not open, behind "no socket is open", where Slack says so."""
        return next((handler.client.trouble for handler in self._handlers if handler.client.trouble), "")

    async def start(self) -> None:
        """Return when the first socket is open, or after a while without. Raises KakehashiError for a bad app token."""
        await self._try_token()
        loop = asyncio.get_running_loop()
        connecting = [loop.create_task(_connect(handler.client)) for handler in self._handlers]
        self._tasks = [*connecting, loop.create_task(self._watch())]
        await asyncio.wait(connecting, timeout=FIRST_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if not self.connected:
            _log.warning("slack_socket_not_connected")

    async def _try_token(self) -> None:
        """Ask for the first address ourselves. Slack lets an app ask once a minute or so: this one is used, too."""
        try:
            self._handlers[0].client.wss_uri = await self._api.socket_url()
        except DeliveryError as error:
            if error.fault is Fault.BLOCKED:
                raise KakehashiError(
                    f"Slack refuses the app token ({error.code})",
                    where="slack.app_token",
                    mend="make an app-level token with the scope connections:write on the page “Basic Information”",
                ) from error
            _log.warning("slack_socket_address_not_given", code=error.code)

    async def _watch(self) -> None:
        seen = [monotonic()] * len(self._handlers)
        while True:
            await asyncio.sleep(self._ping)
            with suppress(KakehashiError):
                await self._note()
            for number, handler in enumerate(self._handlers):
                if handler.client.is_open:
                    seen[number] = monotonic()
                elif monotonic() - seen[number] > STALE * self._ping:
                    seen[number] = monotonic()
                    handler.client.wss_uri = None
                    _log.warning("slack_socket_address_dropped", handler=number)

    async def _note(self) -> None:
        """For `doctor`, which is another process."""
        wrong = self.trouble if self.connected else self.trouble or " (nobody says why)"
        if wrong:
            told = f"{self.connected or 'none'} of {len(self._handlers)} sockets to Slack is open{wrong}"
            await self._store.put(SHUT, json.dumps({"told": told, "deaf": not self.connected}), SHUT_FOR)
        elif self._noted != "":  # also what a house before this one has noted
            await self._store.forget(SHUT)
        self._noted = wrong

    async def stop(self) -> None:
        """Take no more input. What is being acknowledged has been committed already."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for handler in self._handlers:
            await _close(handler.client)


async def findings(store: Store) -> list[Finding]:
    """What the running house last said of its sockets, where that was nothing good."""
    noted = await store.get(SHUT)
    if noted is None:
        return []
    said = json.loads(noted)
    mend = "the line names it; what is said meanwhile is read back once a socket opens"
    return [Finding("fail" if said["deaf"] else "warn", said["told"], mend)]


async def _connect(link: Link) -> None:
    """Returns when Slack has greeted it; it is tried until then."""
    await link.connect()
    await link.greeted.wait()


async def _close(link: Link) -> None:
    """The SDK cancels its tasks without waiting for them."""
    await link.close()
    tasks = [link.message_processor, link.current_session_monitor, link.message_receiver]
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
