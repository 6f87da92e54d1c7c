"""The floor: the barest program that does a bridge's work with the same libraries, and nothing that makes it safe.

    customer's socket → XADD → POST to the chat API          (and an acknowledgement on the socket)
    POST from the chat platform → XADD → customer's socket

Run as a process of its own: `python -m benchmarks.bare REDIS_URL API_URL`; prints its address.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, cast

import aiohttp
import uvloop
from aiohttp import web
from redis.asyncio import BlockingConnectionPool, Redis


class Bare:
    """Sockets by the name that they connect with."""

    def __init__(self, redis: Redis, api: str, session: aiohttp.ClientSession) -> None:
        self._redis = cast(Any, redis)
        self._api = api
        self._session = session
        self._sockets: dict[str, web.WebSocketResponse] = {}

    async def socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        name = request.query["name"]
        self._sockets[name] = socket
        async for message in socket:
            asyncio.get_running_loop().create_task(self._relay(socket, name, message.data))
        del self._sockets[name]
        return socket

    async def _relay(self, socket: web.WebSocketResponse, name: str, text: str) -> None:
        await self._redis.xadd(f"bare:{name}", {"text": text})
        await socket.send_str("ok")
        async with self._session.post(f"{self._api}chat.postMessage", data={"channel": "C1", "text": text}) as answer:
            await answer.read()

    async def event(self, request: web.Request) -> web.Response:
        event = await request.json()
        await self._redis.xadd(f"bare:{event['name']}", {"text": event["text"]})
        await self._sockets[event["name"]].send_str(event["text"])
        return web.Response()


async def serve(redis_url: str, api: str) -> None:
    # The library's default pool raises when it is full; the blocking one waits.
    redis = Redis(connection_pool=BlockingConnectionPool.from_url(redis_url, max_connections=50, timeout=60))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        bare = Bare(redis, api, session)
        app = web.Application()
        app.router.add_get("/socket", bare.socket)
        app.router.add_post("/events", bare.event)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
        await site.start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], sys.argv[2]))
