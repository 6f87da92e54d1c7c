"""How interactions reach the app: over the gateway, or, once it has an address of its own, as signed HTTP requests."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .guild import Json

if TYPE_CHECKING:
    from .simulator import DiscordSimulator

PING, PONG = 1, 1


@dataclass
class Outcome:
    """How an interaction began. `type` and `answer` are the app's first answer; `reason`: why there was none."""

    ok: bool
    reason: str = ""
    type: int = 0
    answer: Json = field(default_factory=dict)
    status: int = 0


class Transport:
    """Discord's end of the interactions endpoint, and the key that it signs with."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._discord = discord
        self._key = Ed25519PrivateKey.generate()
        self._session: aiohttp.ClientSession | None = None

    @property
    def public_key(self) -> str:
        """In hexadecimal, as the application's settings show it."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def signed(self, body: bytes, stamp: str = "") -> dict[str, str]:
        """Discord's signature of a body; `stamp` in place of the present second."""
        stamp = stamp or str(int(time.time()))
        seal = self._key.sign(stamp.encode() + body).hex()
        return {"X-Signature-Ed25519": seal, "X-Signature-Timestamp": stamp, "Content-Type": "application/json"}

    def forged(self, body: bytes) -> dict[str, str]:
        """What Discord sends now and then to see whether the app looks: well formed, and signed by nobody."""
        headers = self.signed(body)
        return headers | {"X-Signature-Ed25519": Ed25519PrivateKey.generate().sign(body).hex()}

    async def verify(self, url: str) -> str:
        """Why Discord would not take this address; "" when it would."""
        body = json.dumps(self._ping()).encode()
        try:
            async with asyncio.timeout(10):
                status, answer = await self._post(url, body, self.signed(body))
                if status != 200 or answer.get("type") != PONG:
                    return f"a ping was answered with {status} {answer}"
                status, _ = await self._post(url, body, self.forged(body))
                return "" if status == 401 else f"a forged request was answered with {status}, not 401"
        except (aiohttp.ClientError, OSError, TimeoutError) as gone:
            return f"no answer: {type(gone).__name__}"

    def _ping(self) -> Json:
        app = self._discord.guild.app
        return {"id": self._discord.guild.mint(), "application_id": app.id, "type": PING, "token": "ping", "version": 1}

    async def deliver(self, url: str, payload: Json) -> tuple[int, Json]:
        """One signed request: status and JSON answer. TimeoutError after three seconds of Discord's clock."""
        body = json.dumps(payload, ensure_ascii=False).encode()
        async with self._discord.clock.deadline(self._discord.habits.interaction_answer):
            return await self._post(url, body, self.signed(body))

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, Json]:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        agent = {"User-Agent": "Discord-Interactions/1.0 (+https://discord.com)"}
        async with self._session.post(url, data=body, headers=headers | agent, allow_redirects=False) as response:
            raw = await response.read()
            try:
                answer = json.loads(raw or b"{}")
            except ValueError:
                answer = {}
            return response.status, answer if isinstance(answer, dict) else {}
