"""The same conversation over HTTP, for networks that block sockets: POST to say something, a long GET to hear.

A poll is a connection whose outlet is a list. What a request finds there it takes along; a `receive` that finds nothing
waits. The secret that names the poll travels in a header. See docs/protocol.md, "Over HTTP".
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from adapters.web import protocol
from adapters.web.connection import Connection
from adapters.web.conversation import Conversation
from adapters.web.gate import Gate
from adapters.web.lobby import Lobby
from adapters.web.protocol import ProblemError

SILENCE = 60.0
"""Seconds without a request after which a poll is given up: a page asks again within `poll` (25) seconds."""

BODY_WITHIN = 10.0
"""Seconds for a request's body to arrive."""

FRAMES_AT_ONCE = 32
PREFLIGHT_SECONDS = 600
PATHS = ("", "/send", "/receive", "/close")
HEADER = "X-Kakehashi-Connection"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PollOutlet:
    """Keeps frames until a request takes them."""

    kind = "poll"
    patience = SILENCE

    def __init__(self, ended: Callable[[], None]) -> None:
        """`ended` is called when the poll is cut off."""
        self._ended = ended
        self._frames: list[bytes] = []
        self._size = 0
        self._waiting: asyncio.Future[None] | None = None
        self.closed = False

    def write(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._size += len(frame)
        self._wake()

    async def send(self, frame: bytes) -> None:
        self.write(frame)  # the answer to `hello` takes a history as a whole

    def backlog(self) -> int:
        return self._size

    def close(self, code: int) -> None:
        del code  # `bye` has said it
        self.closed = True
        self._wake()

    def abort(self) -> None:
        self.closed = True
        self._wake()
        self._ended()

    @property
    def awaited(self) -> bool:
        """Whether a request waits here."""
        return self._waiting is not None

    def take(self) -> list[bytes]:
        """Everything that waits, each frame for one request only."""
        frames, self._frames, self._size = self._frames, [], 0
        return frames

    async def wait(self, seconds: float) -> None:
        """Until there is something to take, or the time is over, or somebody else begins to wait."""
        self._wake()
        if self._frames or self.closed:
            return
        mine = self._waiting = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(mine, seconds)
        except TimeoutError:
            pass
        finally:
            if self._waiting is mine:
                self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        self._waiting = None


class Poll:
    """A poll between its requests. `turn` keeps the frames of two requests apart."""

    def __init__(self, connection: Connection, outlet: PollOutlet, address: str) -> None:
        self.connection = connection
        self.outlet = outlet
        self.address = address
        self.turn = asyncio.Lock()


class PollDoor:
    """`/v1/poll…`."""

    def __init__(self, lobby: Lobby, gate: Gate, conversation: Conversation) -> None:
        self._lobby = lobby
        self._gate = gate
        self._conversation = conversation
        self._polls: dict[str, Poll] = {}

    def app(self) -> web.Application:
        app = web.Application(middlewares=[answers_in_json(self._gate)])
        app.add_routes(self._routes())
        return app

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.post("", self.begin),
            web.post("/send", self.send),
            web.get("/receive", self.receive),
            web.post("/close", self.close),
            *(web.options(path, preflight) for path in PATHS),
        ]

    def known(self, secret: str) -> Poll | None:
        return self._polls.get(secret)

    # ------------------------------------------------------------------ the requests

    async def begin(self, request: web.Request) -> web.Response:
        """`hello` in, the welcome out, and the secret that names the poll from now on."""
        address = self._gate.admit(request)
        try:
            hello = await self._body(request)
        except BaseException:
            self._gate.leave(address)
            raise
        secret, poll = self._open(address)
        await finish(self._hear(poll, [hello]))
        if poll.outlet.closed:
            self._end(secret)
        return _frames(poll.outlet.take(), connection=None if poll.outlet.closed else secret)

    def _open(self, address: str) -> tuple[str, Poll]:
        secret = secrets.token_urlsafe(24)
        outlet = PollOutlet(lambda: self._end(secret))
        poll = self._polls[secret] = Poll(self._lobby.enter(outlet), outlet, address)
        return secret, poll

    async def send(self, request: web.Request) -> web.Response:
        """Frames in, whatever there was to say out."""
        self._gate.check_origin(request)
        secret, poll = self._poll(request)
        frames = await self._body(request)
        if not isinstance(frames, list) or not 0 < len(frames) <= FRAMES_AT_ONCE:
            raise _bad("wrong_type", f"the body is an array of 1 to {FRAMES_AT_ONCE} frames")
        await finish(self._hear(poll, frames))
        return self._answer(secret, poll)

    async def receive(self, request: web.Request) -> web.Response:
        """Wait for something to say. GET from our own origin names none, and needs none: the header is the proof."""
        if "Origin" in request.headers:
            self._gate.check_origin(request)
        secret, poll = self._poll(request)
        poll.connection.heard = self._lobby.clock()
        await poll.outlet.wait(self._lobby.settings.limits.poll)
        poll.connection.heard = self._lobby.clock()
        return self._answer(secret, poll)

    async def close(self, request: web.Request) -> web.Response:
        self._gate.check_origin(request)
        secret, _ = self._poll(request)
        self._end(secret)
        return web.Response(status=204)

    # ------------------------------------------------------------------ what they share

    async def _hear(self, poll: Poll, frames: list[object]) -> None:
        async with poll.turn:
            for frame in frames:
                await self._conversation.read(poll.connection, frame)

    def _poll(self, request: web.Request) -> tuple[str, Poll]:
        secret = request.headers.get(HEADER, "")
        poll = self.known(secret)
        if poll is None:
            raise _error(410, "gone", "this connection is not known here", "begin again with hello and your position")
        return secret, poll

    def _answer(self, secret: str, poll: Poll) -> web.Response:
        frames = poll.outlet.take()
        if poll.outlet.closed:
            self._end(secret)
        return _frames(frames)

    def _end(self, secret: str) -> None:
        poll = self._polls.pop(secret, None)
        if poll is not None:
            self._lobby.leave(poll.connection)
            self._gate.leave(poll.address)
            poll.outlet.close(0)

    async def _body(self, request: web.Request) -> object:
        """The request's JSON. Raises 400, 408, 413 or 415."""
        if request.content_type != "application/json":
            raise _error(415, "wrong_type", "the body is not application/json", "send JSON, and say so")
        limit = 4 * self._lobby.settings.limits.frame
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await _read(request, limit)
            return protocol.load(body.decode())
        except TimeoutError:
            raise _error(408, "too_slow", "the body came too slowly", "send it again") from None
        except UnicodeDecodeError:
            raise _bad("not_json", "the body is not UTF-8") from None
        except ProblemError as problem:
            raise _bad(problem.code, problem.what) from None


async def _read(request: web.Request, limit: int) -> bytes:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise _error(415, "wrong_type", "the body is compressed", "send it as it is")
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > limit:
            raise _error(413, "frame_too_large", f"a body has at most {limit} bytes", "send fewer frames at once")
    return bytes(body)


# ---------------------------------------------------------------------------------------------- answers


class RequestError(Exception):
    """A request that is answered with an error of HTTP's own."""

    def __init__(self, status: int, code: str, what: str, mend: str) -> None:
        super().__init__(code)
        self.status = status
        self.error = {"code": code, "what": what, "mend": mend}


def _error(status: int, code: str, what: str, mend: str) -> RequestError:
    return RequestError(status, code, what, mend)


def _bad(code: str, what: str) -> RequestError:
    return _error(400, code, what, "see docs/protocol.md")


def _frames(frames: list[bytes], **fields: str | None) -> web.Response:
    """`{…, "frames": […]}`: the frames are JSON already, and are not rendered twice."""
    head = b"".join(f"{json.dumps(name)}:{json.dumps(value)},".encode() for name, value in fields.items())
    body = b"{" + head + b'"frames":[' + b",".join(frames) + b"]}"
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})


async def finish(work: Coroutine[Any, Any, None]) -> None:
    """Do it to its end, even when the one who waits for it is cancelled: half a commit is worse than a late one."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def answers_in_json(gate: Gate) -> Middleware:
    """Errors as JSON, and the headers with which listed pages of other origins may read the answers."""

    @web.middleware
    async def answer_in_json(request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except RequestError as problem:
            response = web.json_response({"error": problem.error}, status=problem.status)
        except web.HTTPException as refused:
            _let_read(gate, request, refused)
            raise
        _let_read(gate, request, response)
        return response

    return answer_in_json


def _let_read(gate: Gate, request: web.Request, response: web.StreamResponse) -> None:
    origin = request.headers.get("Origin", "")
    if gate.allows(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    response.headers["Vary"] = "Origin"


async def preflight(request: web.Request) -> web.Response:
    """What a browser asks before it sends our header to another origin."""
    del request  # `answers_in_json` says whether the origin is welcome
    headers = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": f"Content-Type, {HEADER}",
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }
    return web.Response(status=204, headers=headers)
