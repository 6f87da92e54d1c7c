"""A dead man's switch: an address that raises the alarm when it is not fetched for a while."""

from __future__ import annotations

import aiohttp

from bridge.errors import DeliveryError, Fault

TOTAL = 8.0
"""Seconds for one beat."""


class Heartbeat:
    """`url` is a secret: whoever has it can keep the alarm quiet."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __call__(self) -> None:
        """Fetch it once. Raises `DeliveryError`."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TOTAL), trust_env=True) as session,
                session.get(self._url) as answer,
            ):
                if answer.status >= 400:
                    raise DeliveryError(Fault.BLOCKED, f"http_{answer.status}", mend="check health.heartbeat_url")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(Fault.TRANSIENT, type(error).__name__) from None  # its text would show the address
