"""Links: Socket Mode connections that are opened again with patience.

The SDK opens a socket again whenever Slack closes it. Where Slack sends away whoever comes (Socket Mode was switched
off, or ten sockets are open elsewhere), that is a loop without a pause. A link waits longer from one failure to the
next, as long as Slack says where it says so, and counts as open once it was greeted: what is sent away is never an ear.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from adapters.slack.wire.client import WebApi, sdk_logger
from bridge.errors import DeliveryError

STEADY = 2.0
"""Pings. A socket that lived as long did not fail, and is opened again at once."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 12.0
"""Pings between two tries, the first and the last: a minute in the end, as often as Slack gives out addresses."""

MENDS = {
    "link_disabled": "switch Socket Mode on again on the app's page “Socket Mode”",
    "too_many_websockets": "an app has ten sockets: stop what else uses slack.app_token, or lower slack.handlers",
}
"""Slack's words at a door that stays shut."""

_log = structlog.get_logger(__name__)


class Link(SocketModeClient):
    """`ping` in seconds. The SDK's own methods, with the same meaning, have no types."""

    def __init__(self, api: WebApi, app_token: str, ping: float) -> None:
        super().__init__(app_token, sdk_logger(), api.sdk, api.proxy, ping_interval=ping)
        self._api = api
        self._ping = ping
        self._opening = asyncio.Lock()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._opened_at: float | None = None
        self._failures = 0
        self._not_before = 0.0
        self.greeted = asyncio.Event()
        self.trouble = ""
        """Slack's word for why it does not open, with the mend; empty where it is open, or nobody says why."""

    @property
    def is_open(self) -> bool:
        session = self.current_session
        return self.greeted.is_set() and session is not None and not session.closed

    # ------------------------------------------------------------------ where the SDK would go on by itself

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        if message.get("type") == "hello":
            self.greeted.set()
            self.trouble = ""
        elif message.get("type") == "disconnect":
            self._goodbye(message)
        await super().run_message_listeners(message, raw_message)

    def _goodbye(self, message: Mapping[str, Any]) -> None:
        reason = str(message.get("reason"))
        if reason in MENDS:
            self.greeted.clear()
            self._says(reason, MENDS[reason])

    async def connect(self) -> None:
        self.greeted.clear()
        await super().connect()  # type: ignore[no-untyped-call]
        self._opened_at = monotonic()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """The SDK comes here from three tasks at once: one of them opens the next socket."""
        left, task = self.current_session, asyncio.current_task()
        assert task is not None, "the SDK calls this in tasks of its own"
        self._waiting.add(task)
        try:
            async with self._opening:
                if self.current_session is left and not self.closed:
                    self._judge()
                    await super().connect_to_new_endpoint(force=True)
        except DeliveryError:
            pass  # it has been said, and the SDK comes again after a ping
        finally:
            self._waiting.discard(task)

    async def issue_new_wss_url(self) -> str:
        """An address, after the pause that is due. Raises DeliveryError."""
        await asyncio.sleep(self._pause())
        try:
            return await self._api.socket_url()
        except DeliveryError as error:
            self._failures += 1
            self._not_before = monotonic() + (error.retry_after or 0.0)
            self._says(error.code, error.mend)
            raise

    async def close(self) -> None:
        """What waits for its next try is not waited for."""
        await super().close()  # type: ignore[no-untyped-call]
        waiting = [*self._waiting]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    # ------------------------------------------------------------------ patience

    def _judge(self) -> None:
        """Whether the socket that was left had been worth opening. Each is judged once."""
        opened, self._opened_at = self._opened_at, None
        if opened is not None:
            lived = monotonic() - opened
            self._failures = 0 if lived >= STEADY * self._ping else self._failures + 1

    def _pause(self) -> float:
        """Seconds."""
        backed_off = min(FIRST_PAUSE * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE) * self._ping
        return max(backed_off if self._failures else 0.0, self._not_before - monotonic())

    def _says(self, code: str, mend: str) -> None:
        told = f" ({code}{f'; {mend}' if mend else ''})"
        if told != self.trouble:
            _log.error("slack_socket_refused", code=code)
        self.trouble = told


class Handler(AsyncSocketModeHandler):
    """Bolt's, over a link."""

    client: Link

    def __init__(self, app: AsyncApp, link: Link) -> None:
        self.app = app
        self.app_token = link.app_token
        self.client = link
        link.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]  # as Bolt itself does
