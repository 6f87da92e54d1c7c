"""Any service that is only told: it takes what Apprise posts as JSON, or is ill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class MessageBoard:
    """`status` is what it answers; `hangs` keeps it from answering at all."""

    port: int = 0
    status: int = 200
    hangs: bool = False
    told: list[dict[str, Any]] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        told = await request.json()
        if self.hangs:
            await self.let_go.wait()
        if self.status < 400:
            self.told.append(told)
        return web.Response(status=self.status)


@asynccontextmanager
async def message_board() -> AsyncIterator[MessageBoard]:
    """One, listening on a free port of loopback."""
    board, application = MessageBoard(), web.Application()
    application.router.add_post("/{tail:.*}", board.receive)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    board.port = runner.addresses[0][1]
    try:
        yield board
    finally:
        board.let_go.set()
        await runner.cleanup()
