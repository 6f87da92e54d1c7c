"""A chat platform that costs next to nothing: what Slack answers, with no rules. It notes when a text arrived.

The strict and rude one is in tests/simulators; here its own work would drown the figures.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web

THREAD = re.compile(rb'thread_ts"?[=:] ?"?([0-9.]+)')
TOKEN = re.compile(rb"bench-[0-9]+-[0-9]+")


class Platform:
    """`arrived` maps a text's token to the moment (perf_counter) of the request that carried it."""

    def __init__(self) -> None:
        self.url = ""
        self.delay = 0.0
        self.arrived: dict[str, float] = {}
        self.roots: dict[str, str] = {}  # session → ts of its root
        self._numbers = itertools.count(1)
        self._news = asyncio.Event()

    async def until(self, tokens: set[str], within: float = 40.0) -> None:
        """Until all of these have arrived. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not tokens <= self.arrived.keys():
                self._news.clear()
                await self._news.wait()

    async def answer(self, request: web.Request) -> web.Response:
        now = time.perf_counter()
        method = request.match_info["method"]
        body = await request.read()
        for token in TOKEN.findall(body):
            self.arrived.setdefault(token.decode(), now)
        self._news.set()
        if self.delay and method == "chat.postMessage":
            await asyncio.sleep(self.delay)
        return web.json_response({"ok": True, **self._said(method, body)})

    def _said(self, method: str, body: bytes) -> dict[str, Any]:
        if method == "auth.test":
            return {
                "team_id": "T0BENCH01",
                "user_id": "U0BENCH01",
                "bot_id": "B0BENCH01",
                "team": "b",
                "url": "http://b/",
            }
        if method in ("chat.postMessage", "chat.update"):
            ts = f"1700000000.{next(self._numbers):06d}"
            thread = THREAD.search(body)
            if thread is None:
                self._note_root(unquote_plus(body.decode()), ts)
                return {"ts": ts, "channel": "C0BENCH01", "message": {"ts": ts}}
            message = {"ts": ts, "thread_ts": thread.group(1).decode()}
            return {"ts": ts, "channel": "C0BENCH01", "message": message}
        if method == "conversations.info":
            return {"channel": {"id": "C0BENCH01", "name": "bench", "is_member": True, "is_archived": False}}
        return {"messages": [], "channels": [], "members": []}

    def _note_root(self, body: str, ts: str) -> None:
        if found := re.search(r"main\.[0-9a-f]+\.[0-9a-f]{16}", body):
            self.roots.setdefault(found.group(), ts)


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    """The platform on a free port of this machine."""
    one = Platform()
    app = web.Application(client_max_size=10 * 1024 * 1024)
    app.router.add_route("*", "/api/{method}", one.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    try:
        yield one
    finally:
        await runner.cleanup()
