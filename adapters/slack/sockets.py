"""Socket Mode: several connections, so that no second is deaf, and a watchdog over each.

What the SDK does by itself, and what is done about it: it closes the old socket before it opens the new one (so there
are two); it tries a dead address for ever (so the address is cleared, and a new one asked for); it tries a bad token
for ever, silently (so the token is tried before, and refused with the mend).
"""

from __future__ import annotations

import asyncio
from time import monotonic

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from adapters.slack.client import WebApi, sdk_logger
from bridge.errors import DeliveryError, Fault, KakehashiError

PING = 5.0
"""Seconds between pings, and between the SDK's tries to connect."""

STALE = 3.0
"""After so many pings without a connection its address counts as dead."""

ASK_AGAIN = 6.0
"""After so many pings without any connection Slack is asked why."""

FIRST_WITHIN = 15.0
"""Seconds that `start` waits for the first connection. Slack being slow does not keep the rest of the house down."""

_log = structlog.get_logger(__name__)


class Sockets:
    """`ping` in seconds."""

    def __init__(self, app: AsyncApp, api: WebApi, app_token: str, handlers: int, ping: float = PING) -> None:
        self._ping = ping
        self._api = api
        self._handlers = [
            AsyncSocketModeHandler(app, app_token, sdk_logger(), api.sdk, api.proxy, ping) for _ in range(handlers)
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self.trouble = ""
        """Why no socket opens, behind "no socket is open", where Slack says so."""

    @property
    def connected(self) -> int:
        """How many sockets are open now."""
        return sum(map(_is_open, self._handlers))

    async def start(self) -> None:
        """Return when the first socket is open, or after a while without. Raises KakehashiError for a bad app token."""
        await self._try_token()
        loop = asyncio.get_running_loop()
        connecting = [loop.create_task(_connect(handler)) for handler in self._handlers]
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
        asked = monotonic()
        while True:
            await asyncio.sleep(self._ping)
            if self.connected:
                self.trouble, asked = "", monotonic()
            elif monotonic() - asked > ASK_AGAIN * self._ping:
                await self._ask_why()
                asked = monotonic()
            for number, handler in enumerate(self._handlers):
                if _is_open(handler):
                    seen[number] = monotonic()
                elif monotonic() - seen[number] > STALE * self._ping:
                    seen[number] = monotonic()
                    handler.client.wss_uri = None
                    _log.warning("slack_socket_address_dropped", handler=number)

    async def _ask_why(self) -> None:
        """The SDK tries on without a word. Ask for an address ourselves; where we are given one, it is used."""
        try:
            self._handlers[0].client.wss_uri = await self._api.socket_url()
            self.trouble = ""
        except DeliveryError as error:
            mend = f"; {error.mend}" if error.mend else ""
            self.trouble = f" ({error.code}{mend})"
            _log.error("slack_socket_refused", code=error.code)

    async def stop(self) -> None:
        """Take no more input. What is being acknowledged has been committed already."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for handler in self._handlers:
            await _close(handler)


def _is_open(handler: AsyncSocketModeHandler) -> bool:
    session = handler.client.current_session
    return session is not None and not session.closed


async def _connect(handler: AsyncSocketModeHandler) -> None:
    """Returns when it is connected; the SDK goes on trying until then."""
    await handler.client.connect()  # type: ignore[no-untyped-call]  # the SDK has no types here


async def _close(handler: AsyncSocketModeHandler) -> None:
    """The SDK cancels its tasks without waiting for them."""
    client = handler.client
    await client.close()  # type: ignore[no-untyped-call]  # the SDK has no types here
    tasks = [client.message_processor, client.current_session_monitor, client.message_receiver]
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
