"""Interactions over HTTP: what people press and type for us, as signed requests beside the gateway.

With an address of ours in the application's settings Discord sends interactions there and not over the gateway, so any
process may take them. When the address is saved, and now and then later, Discord sends forged requests: an endpoint
that does not refuse them with 401 is taken out of the settings. Behind the door is what is behind the gateway, too.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import structlog
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.discord.heard.app import App
from adapters.discord.heard.happenings import Asked, Pinged
from adapters.discord.heard.shape import GarbledError
from adapters.discord.parse import parse
from adapters.discord.refs import NAME
from adapters.discord.wire.answers import Answers
from bridge.errors import DeliveryError, KakehashiError
from bridge.ports import Store

PATH = "/interactions"

LARGEST = 256 * 1024
"""Bytes of one request. The largest is a window's fields, ten of 4,000 characters at most, with the message beneath."""

FRESH = 300.0
"""Seconds that a signature's time may be from ours, either way."""

ANSWER_WITHIN = 2.4
"""Seconds until the request is answered without an answer, which then follows by a call: Discord waits for three."""

ONCE_IN = 600
"""Seconds in which an interaction is taken once, longer than its signature is fresh on either side."""

_PONG = {"type": 1}

Take = Callable[[Asked], Coroutine[Any, Any, None]]

_log = structlog.get_logger(__name__)


class HttpDoor:
    """`take` makes input of what was asked, and has it answered through `answers`; `app` tells who we are, or raises
    DeliveryError; `clock` is in seconds since 1970 (UTC)."""

    def __init__(
        self,
        public_key: str,
        *,
        store: Store,
        answers: Answers,
        take: Take,
        app: Callable[[], App],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        self._store = store
        self._answers = answers
        self._take = take
        self._app = app
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post(PATH, self._receive)
        return application

    async def stop(self) -> None:
        """What is under way is finished, as long as the store takes it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _receive(self, request: web.Request) -> web.Response:
        body = await _read(request)
        if body is None:
            return web.Response(status=413)
        if not self._is_signed(request.headers, body):
            _log.warning("discord_signature_refused")
            return web.Response(status=401)
        try:
            return await self._answered(json.loads(body))
        except (ValueError, GarbledError):
            return web.Response(status=400)
        except KakehashiError as error:
            _log.warning("discord_interaction_not_taken", reason=error.what)
            return web.Response(status=503)

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """By Discord, and not long ago. What a forger sends need not be a number, nor ASCII."""
        stamp = headers.get("X-Signature-Timestamp", "")
        try:
            self._key.verify(bytes.fromhex(headers.get("X-Signature-Ed25519", "")), stamp.encode() + body)
            return abs(self._clock() - int(stamp)) <= FRESH
        except (InvalidSignature, ValueError):
            return False

    async def _answered(self, payload: object) -> web.Response:
        if isinstance(payload, Mapping) and payload.get("type") == _PONG["type"]:
            return web.json_response(_PONG)
        asked = parse("INTERACTION_CREATE", payload, self._app())
        if not isinstance(asked, Asked) or isinstance(asked, Pinged):
            return web.Response(status=204)
        if not await self._is_first(asked.interaction.id):
            return web.Response(status=409)
        with self._answers.awaited(asked.interaction.id) as answer:
            work = asyncio.get_running_loop().create_task(self._carefully(self._take(asked)))
            self._tasks.add(work)
            work.add_done_callback(self._tasks.discard)
            await asyncio.wait((work, answer), timeout=ANSWER_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return web.json_response(answer.result())
        return web.Response(status=500 if work.done() else 202)

    async def _is_first(self, interaction: str) -> bool:
        """The same signed request passes as long as it is fresh; it is answered to whoever sends it first."""
        granted, _ = await self._store.draw(f"{NAME}/asked/{interaction}", 1, 1 / ONCE_IN, 1)
        return bool(granted)

    async def _carefully(self, work: Awaitable[None]) -> None:
        try:
            await work
        except DeliveryError as error:
            _log.warning("discord_interaction_not_taken", reason=error.code)
        except KakehashiError as error:
            _log.warning("discord_interaction_not_taken", reason=error.what)
        except Exception:
            _log.exception("discord_interaction_broke")


async def _read(request: web.Request) -> bytes | None:
    """The whole of it; None for what is too large. A size that is set on a mounted application counts for nothing."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)
