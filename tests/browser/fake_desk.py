"""A small scripted desk that speaks docs/protocol.md, and a site of another origin that embeds the widget.

It keeps one session per customer in memory and does what a test tells it: answer, stay silent, refuse, drop the line,
block sockets. Frames that it receives are kept in `heard`, so that a test can say what reached the desk.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from adapters.web.statics import Statics
from config import locales
from routing.ids import short_code
from routing.reactions import CUSTOMERS

Frame = dict[str, Any]
_TOPICS = ["account", "trading", "transfers", "security", "other"]
_WAIT = 60.0  # seconds; for a machine that is busy with other tests


@dataclass
class Customer:
    """What the desk knows of one customer. `log` holds the events of the session, oldest first."""

    token: str | None
    account: str | None = None
    session: Frame | None = None
    log: list[Frame] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    queue: Frame | None = None
    epoch: str = field(default_factory=lambda: secrets.token_hex(4))
    lines: list[Line] = field(default_factory=list)

    @property
    def position(self) -> Frame | None:
        return None if not self.log else self.log[-1]["pos"]


@dataclass
class Line:
    """One connection: frames for it wait in a queue until a socket or a long poll takes them."""

    queue: asyncio.Queue[Frame | None] = field(default_factory=asyncio.Queue)
    customer: Customer | None = None
    hello: Frame | None = None

    def say(self, frame: Frame) -> None:
        self.queue.put_nowait(frame)

    def hang_up(self) -> None:
        self.queue.put_nowait(None)


class FakeDesk:
    """The desk and its switches; see the attributes."""

    def __init__(self) -> None:
        self.heard: list[Frame] = []
        self.customers: list[Customer] = []
        self.lines: list[Line] = []
        self.polls: dict[str, Line] = {}
        self.block_sockets = False
        self.down = False  # nothing answers at all
        self.swallow_acks = False  # stored, but the answer is lost and the line with it
        self.refusals: list[Frame] = []  # for the next messages
        self.revise = 900_000  # ms for which a message may be changed
        self.reach = True  # messages reach the desk at once
        self.seen = False
        self.topics = _TOPICS
        self.topic_titles: dict[str, dict[str, str]] = {}
        self.topic_under: dict[str, str] = {}
        self.contact: list[Frame] = []
        self.emergency: list[Frame] = []
        self.policy_url: str | None = None
        self.service: Frame = {"open": True, "opens": None, "wait": None, "topics": {}}
        self.incidents: list[Frame] = []
        self.opens: int | None = None  # it is night: what is written now waits until then
        self.night_contact: Frame | None = None
        self.token_expires_in: float | None = None  # seconds
        self.expired = {"expired"}  # login tokens that are no longer taken
        self.history_page = 100  # events of one frame of a welcome
        self.answers_later = False  # frames are heard, and answered in their order when this is over; but not hello
        self.revoked: set[str] = set()
        self.uploads: dict[str, bytearray] = {}
        self.files: dict[str, Frame] = {}
        self.bytes: dict[str, bytes] = {}
        self.upload_chunks = 0
        self.break_upload_at: int | None = None  # the answer to the chunk at this offset is lost, once
        self.url = ""
        self._sessions = 0
        self._unanswered: list[tuple[Line, Frame]] = []
        self._changed = asyncio.Event()

    # ---- what a test says and asks

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something has happened here; fails after some seconds."""
        async with asyncio.timeout(_WAIT):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def heard_of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.heard if frame.get("t") == kind]

    async def next_customer(self) -> Customer:
        await self.until(lambda: self.customers and self.customers[-1].lines)
        return self.customers[-1]

    def messages(self, customer: Customer) -> list[Frame]:
        return [event for event in customer.log if event["kind"] == "message"]

    def say(self, customer: Customer, text: str, *, name: str | None = "Aiko", **more: Any) -> Frame:
        """An operator's message."""
        parts = more.pop("parts", [{"type": "text", "text": text}])
        said = {"kind": "message", "id": secrets.token_hex(6), "rev": 0, "from": "operator", "name": name}
        return self.event(customer, {**said, "initials": name and name[0], "parts": parts, "withdrawn": False, **more})

    def notice(self, customer: Customer, key: str, *, state: str | None = None, **more: Any) -> Frame:
        """A notice, and the session's state after it."""
        assert customer.session is not None
        if state:
            customer.session["state"] = state
        if key == "joined":
            customer.session["agent"] = {"name": more["name"], "initials": more["name"][:1]}
        blank = {"name": None, "until": None, "desk": None, "language": None, "incident": None}
        blank |= {"contact": None, "url": None}
        return self.event(customer, {"kind": "notice", "key": key, **blank, **more})

    def event(self, customer: Customer, event: Frame, *, but: Line | None = None) -> Frame:
        assert customer.session is not None
        position = {"e": customer.epoch, "o": len(customer.log) + 1, "t": secrets.token_hex(2)}
        full = {**event, "session": customer.session["code"], "pos": position, "at": int(time.time() * 1000)}
        customer.log.append(full)
        for line in customer.lines:
            if line is not but:
                line.say({"t": "event", **full, "after": self.after(customer)})
        return full

    def after(self, customer: Customer) -> Frame:
        assert customer.session is not None
        return {key: customer.session[key] for key in ("state", "topic", "language", "opens", "agent", "turn")}

    def place(
        self, customer: Customer, position: int | None, low: int | None = None, high: int | None = None, **more: Any
    ) -> None:
        """The customer's place in the line; minutes."""
        assert customer.session is not None
        queue = {"position": position, "low": low, "high": high, "risen": False, **more}
        customer.queue = None if position is None else queue
        for line in customer.lines:
            line.say({"t": "queue", "session": customer.session["code"], "queue": customer.queue})

    def translate(self, customer: Customer, message: Frame, text: str, language: str) -> Frame:
        """A machine's translation of an operator's message."""
        said = {"kind": "translation", "id": message["id"], "rev": message["rev"], "language": language}
        return self.event(customer, {**said, "parts": [{"type": "text", "text": text}]})

    def tell_house(self) -> None:
        """What the desk says of itself has changed: `service`, `incidents`."""
        for line in self.lines:
            line.say({"t": "house", "service": self.service, "incidents": self.incidents})

    def drop(self) -> None:
        """Cut every line without a word."""
        for line in list(self.lines):
            line.hang_up()

    # ---- the protocol

    def take(self, line: Line, frame: Frame) -> None:
        self.heard.append(frame)
        if self.answers_later and frame["t"] != "hello":
            self._unanswered.append((line, frame))
        else:
            self._answer(line, frame)
        self._changed.set()

    def answer_now(self) -> None:
        """Answer whatever has not been answered yet."""
        self.answers_later = False
        for line, frame in self._unanswered:
            self._answer(line, frame)
        self._unanswered.clear()

    def _answer(self, line: Line, frame: Frame) -> None:
        answer = getattr(self, f"_on_{frame['t']}", None)
        if answer is not None and line in self.lines:
            answer(line, frame)

    def _on_hello(self, line: Line, frame: Frame) -> None:
        line.hello = frame
        if frame.get("jwt") in self.expired:
            line.say({"t": "bye", "code": "expired", "retry_after": None, "what": "The token has expired."})
            line.hang_up()
            return
        customer = self._who(frame.get("token"), frame.get("jwt"))
        visitor = next((one for one in self.customers if one.token and one.token == frame.get("token")), None)
        if customer.account and visitor is not None and visitor.token not in self.revoked:
            _attach(visitor, customer)
        self._seat(line, customer, frame)

    def _on_identify(self, line: Line, frame: Frame) -> None:
        before = line.customer
        assert before is not None
        code = "expired" if frame["jwt"] in self.expired else ""
        if before.account and before.account != _subject(frame["jwt"]):
            code = "other_account"
        if code:
            blank = {"id": None, "field": "jwt", "retry": False, "after": None, "what": ""}
            line.say({"t": "refused", "of": "identify", "code": code, **blank})
            return
        before.lines.remove(line)
        account = self._who(None, frame["jwt"])
        if account is not before:
            _attach(before, account)
        self._seat(line, account, frame)

    def _who(self, token: str | None, jwt: str | None) -> Customer:
        account = _subject(jwt) if jwt else None
        for customer in self.customers:
            if account is not None and customer.account == account:
                return customer
            if account is None and token and customer.token == token and token not in self.revoked:
                return customer
        fresh = Customer(None if account else secrets.token_urlsafe(12), account)
        self.customers.append(fresh)
        return fresh

    def _seat(self, line: Line, customer: Customer, hello: Frame) -> None:
        line.customer = customer
        customer.lines.append(line)
        log = customer.log
        position: Frame | None = hello.get("position")
        known = position is not None and position["o"] <= len(log) and log[position["o"] - 1]["pos"] == position
        events = log[position["o"] :] if known and position else list(log)
        pages = [events[at : at + self.history_page] for at in range(0, len(events), self.history_page)] or [[]]
        expires = customer.account and self.token_expires_in and (time.time() + self.token_expires_in) * 1000
        who = {"kind": "account" if customer.account else "visitor", "name": None, "expires": expires or None}
        line.say(
            {
                "t": "welcome",
                "v": 1,
                "customer": who,
                "token": customer.token,
                "upload_token": f"up-{self.customers.index(customer)}",
                "session": customer.session,
                "resume": "complete" if known else "reset",
                "events": pages[0],
                "more": len(pages) > 1,
                "reached": list(customer.reached),
                "position": customer.position,
                "limits": {"text": 4000, "parts": 10, "file": 5_000_000, "chunk": 65_536, "revise": self.revise},
                "now": int(time.time() * 1000),
                "reactions": list(CUSTOMERS),
                "beat": 25,
                "topics": self.topics,
                "topic_titles": self.topic_titles,
                "topic_under": self.topic_under,
                "brand": {"name": "Hoshi Support", "colour": "#1f4f7a"},
                "contact": self.contact,
                "emergency": self.emergency,
                "policy_url": self.policy_url,
                "seen": self.seen,
                "service": self.service,
                "incidents": self.incidents,
                "queue": customer.queue,
            }
        )
        for page in pages[1:]:
            line.say({"t": "events", "events": page, "reached": [], "more": page is not pages[-1]})

    def _on_message(self, line: Line, frame: Frame) -> None:
        customer = line.customer
        assert customer is not None
        if self.refusals:
            blank = {"of": "message", "field": None, "after": None, "what": ""}
            line.say({"t": "refused", **blank, "id": frame["id"], **self.refusals.pop(0)})
            return
        stored = next((event for event in customer.log if event.get("id") == frame["id"]), None)
        if stored is None:
            stored, again = self._store(line, customer, frame), False
        else:
            again = True
        if self.swallow_acks:
            self.swallow_acks = False
            self.drop()
            return
        self._ack(line, customer, frame["id"], None if again else stored)
        if self.reach:
            self.reached(customer, frame["id"])

    def _on_revise(self, line: Line, frame: Frame) -> None:
        parts = [part if part["type"] == "text" else self.files[part["file"]] for part in frame["parts"]]
        self._change(line, frame, parts=parts, withdrawn=False)

    def _on_withdraw(self, line: Line, frame: Frame) -> None:
        self._change(line, frame, parts=None, withdrawn=True)

    def _change(self, line: Line, frame: Frame, **said: Any) -> None:
        customer = line.customer
        assert customer is not None
        if self.refusals:
            blank = {"of": frame["t"], "field": None, "after": None, "what": ""}
            line.say({"t": "refused", **blank, "id": frame["id"], **self.refusals.pop(0)})
            return
        former = [event for event in customer.log if event.get("id") == frame["message"]]
        blank = {"kind": "message", "id": frame["message"], "from": "you", "name": None, "initials": None}
        self.event(customer, {**blank, "rev": former[-1]["rev"] + 1, **said})
        self._ack(line, customer, frame["id"], None)

    def _on_react(self, line: Line, frame: Frame) -> None:
        customer = line.customer
        assert customer is not None
        said = {"kind": "reaction", "id": frame["message"], "reaction": frame["reaction"], "on": frame["on"]}
        self.event(customer, said)
        self._ack(line, customer, frame["id"], None)

    def reached(self, customer: Customer, message: str) -> None:
        customer.reached.append(message)
        for line in customer.lines:
            line.say({"t": "reached", "message": message})

    def _store(self, line: Line, customer: Customer, frame: Frame) -> Frame:
        if customer.session is None or customer.session["state"] == "closed":
            self._open(customer, frame)
        parts = [part if part["type"] == "text" else self.files[part["file"]] for part in frame["parts"]]
        said = {"kind": "message", "id": frame["id"], "rev": 0, "from": "you", "name": None, "initials": None}
        return self.event(customer, {**said, "parts": parts, "withdrawn": False}, but=line)

    def _open(self, customer: Customer, frame: Frame) -> None:
        self._sessions += 1
        code = short_code(self._sessions)
        customer.log, customer.reached, customer.epoch = [], [], secrets.token_hex(4)
        customer.session = {"code": code, "state": "queued", "topic": frame.get("topic"), "opened": 0, "agent": None}
        customer.session |= {
            "language": frame.get("language"),
            "opens": self.opens,
            "turn": {"of": "ours", "until": None},
        }
        for each in customer.lines:
            each.say({"t": "session", "session": dict(customer.session)})
        if self.opens is None:
            self.notice(customer, "queued")
        else:
            self.notice(customer, "outside_hours", until=self.opens, contact=self.night_contact)

    def _ack(self, line: Line, customer: Customer, message: str, stored: Frame | None) -> None:
        assert customer.session is not None
        place: Frame = {"pos": None, "at": None, "after": None, "files": None}
        if stored is not None:
            links = {part["file"]: part["url"] for part in stored["parts"] if part["type"] == "file"}
            place = {"pos": stored["pos"], "at": stored["at"], "after": self.after(customer), "files": links or None}
        line.say({"t": "ack", "id": message, "session": customer.session["code"], **place})

    def _on_answer(self, line: Line, frame: Frame) -> None:
        customer = line.customer
        assert customer is not None
        self._ack(line, customer, frame["id"], None)
        solved = frame["solved"]
        self.notice(customer, "closed" if solved else "reopened", state="closed" if solved else "assigned")

    def _on_end(self, line: Line, frame: Frame) -> None:
        customer = line.customer
        assert customer is not None
        self._ack(line, customer, frame["id"], None)
        self.notice(customer, "closed", state="closed")

    def _on_choose_language(self, line: Line, frame: Frame) -> None:
        customer = line.customer
        assert customer is not None
        assert customer.session is not None
        customer.session["language"] = frame["language"]
        self._ack(line, customer, frame["id"], None)
        self.notice(customer, "language_changed", language=frame["language"])

    def _on_logout(self, line: Line, frame: Frame) -> None:
        del frame
        if line.customer and line.customer.token:
            self.revoked.add(line.customer.token)
        line.say({"t": "bye", "code": "logged_out", "retry_after": None, "what": ""})
        line.hang_up()

    def _on_ping(self, line: Line, frame: Frame) -> None:
        line.say({"t": "pong", "n": frame["n"]})

    def _on_refresh(self, line: Line, frame: Frame) -> None:
        del frame
        line.say({"t": "refreshed", "upload_token": "up-0", "expires": None})

    # ---- the lines

    def _begin(self) -> Line:
        line = Line()
        self.lines.append(line)
        return line

    def _end(self, line: Line) -> None:
        if line in self.lines:
            self.lines.remove(line)
        if line.customer and line in line.customer.lines:
            line.customer.lines.remove(line)
        self._changed.set()

    async def socket(self, request: web.Request) -> web.StreamResponse:
        if self.block_sockets or self.down:
            return web.Response(status=403)
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        line = self._begin()
        writer = asyncio.create_task(_write(socket, line))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self.take(line, json.loads(message.data))
        finally:
            line.hang_up()
            await writer
            self._end(line)
        return socket

    async def poll(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503, headers=_OPEN)
        line = self._begin()
        secret = secrets.token_hex(8)
        self.polls[secret] = line
        self.take(line, await request.json())
        return web.json_response({"connection": secret, "frames": _drained(line)}, headers=_OPEN)

    async def poll_send(self, request: web.Request) -> web.Response:
        line = self._polled(request)
        for frame in await request.json():
            self.take(line, frame)
        return web.json_response({"frames": _drained(line)}, headers=_OPEN)

    async def poll_receive(self, request: web.Request) -> web.Response:
        line = self._polled(request)
        first = await line.queue.get()
        if first is None:
            self._end(line)
            raise web.HTTPGone(headers=_OPEN)
        return web.json_response({"frames": [first, *_drained(line)]}, headers=_OPEN)

    async def poll_close(self, request: web.Request) -> web.Response:
        self._polled(request).hang_up()
        return web.Response(status=204, headers=_OPEN)

    def _polled(self, request: web.Request) -> Line:
        line = self.polls.get(request.headers.get("X-Kakehashi-Connection", ""))
        if line is None or line not in self.lines:
            raise web.HTTPGone(headers=_OPEN)
        return line

    # ---- uploads

    async def begin_upload(self, request: web.Request) -> web.Response:
        asked = await request.json()
        upload = secrets.token_hex(4)
        self.uploads[upload] = bytearray()
        self.files[upload] = {"name": asked["name"], "size": asked["size"]}
        answer = {"upload": upload, "offset": 0, "size": asked["size"], "chunk": 65_536}
        return web.json_response(answer, status=201, headers=_OPEN)

    async def upload_offset(self, request: web.Request) -> web.Response:
        offset = len(self.uploads[request.match_info["upload"]])
        return web.Response(headers={**_OPEN, "Upload-Offset": str(offset)})

    async def append_upload(self, request: web.Request) -> web.StreamResponse:
        arrived = self.uploads[request.match_info["upload"]]
        chunk = await request.read()
        if int(request.headers["Upload-Offset"]) != len(arrived):  # browsers send again what lost its answer
            return web.json_response({"offset": len(arrived)}, status=409, headers=_OPEN)
        broken = self.break_upload_at == len(arrived)
        arrived += chunk
        self.upload_chunks += 1
        self._changed.set()
        if broken:
            self.break_upload_at = None
            return web.Response(status=502, headers=_OPEN)
        return web.json_response({"offset": len(arrived)}, headers=_OPEN)

    async def finish_upload(self, request: web.Request) -> web.Response:
        upload = request.match_info["upload"]
        data, promised = bytes(self.uploads[upload]), self.files[upload]
        if b"damaged" in data:
            error = {"code": "damaged", "what": "The picture is damaged.", "mend": "Send another one."}
            return web.json_response({"error": error}, status=422, headers=_OPEN)
        media = "image/png" if data.startswith(b"\x89PNG") else "application/pdf"
        shape = {"width": 320, "height": 180} if media == "image/png" else {"width": 0, "height": 0}
        self.bytes[upload] = data
        self._changed.set()
        known = {"name": promised["name"], "size": len(data), **shape}
        url = f"{self.url}/files/{upload}"
        self.files[upload] = {"type": "file", "file": upload, "media": media, "url": url, **known}
        return web.json_response({"file": {"id": upload, "type": media, **known}}, headers=_OPEN)

    async def drop_upload(self, request: web.Request) -> web.Response:
        self.uploads.pop(request.match_info["upload"], None)
        self._changed.set()
        return web.Response(status=204, headers=_OPEN)

    async def get_file(self, request: web.Request) -> web.Response:
        data = self.bytes[request.match_info["file"]]
        media = "image/png" if data.startswith(b"\x89PNG") else "application/pdf"
        return web.Response(body=data, content_type=media, headers=_OPEN)

    def application(self) -> web.Application:
        app = web.Application(middlewares=[_cors])
        app.router.add_get("/v1/socket", self.socket)
        app.router.add_post("/v1/poll", self.poll)
        app.router.add_post("/v1/poll/send", self.poll_send)
        app.router.add_get("/v1/poll/receive", self.poll_receive)
        app.router.add_post("/v1/poll/close", self.poll_close)
        app.router.add_post("/v1/uploads", self.begin_upload)
        app.router.add_head("/v1/uploads/{upload}", self.upload_offset)
        app.router.add_patch("/v1/uploads/{upload}", self.append_upload)
        app.router.add_post("/v1/uploads/{upload}/finish", self.finish_upload)
        app.router.add_delete("/v1/uploads/{upload}", self.drop_upload)
        app.router.add_get("/files/{file}", self.get_file)
        app.add_routes(Statics(locales.customers()).routes(demo=True))
        return app


_OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Upload-Offset, X-Kakehashi-Connection",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PATCH, DELETE",
    "Access-Control-Expose-Headers": "Upload-Offset, Retry-After",
}


@web.middleware
async def _cors(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    if request.method == "OPTIONS":
        return web.Response(status=204, headers=_OPEN)
    response: web.StreamResponse = await handler(request)
    return response


async def _write(socket: web.WebSocketResponse, line: Line) -> None:
    while (frame := await line.queue.get()) is not None:
        await socket.send_str(json.dumps(frame))
    await socket.close()


def _drained(line: Line) -> list[Frame]:
    frames = []
    while not line.queue.empty():
        frame = line.queue.get_nowait()
        if frame is None:
            line.queue.put_nowait(None)  # the next long poll learns that the line is cut
            break
        frames.append(frame)
    return frames


def _attach(visitor: Customer, account: Customer) -> None:
    """A visitor's open session goes along, unless the account has one open."""
    if visitor.session is None or visitor.session["state"] == "closed":
        return
    if account.session is not None and account.session["state"] != "closed":
        return
    account.session, account.log, account.epoch = visitor.session, visitor.log, visitor.epoch
    account.reached = visitor.reached
    visitor.session, visitor.log, visitor.reached = None, [], []


def _subject(jwt: str) -> str:
    payload = jwt.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"])


def token_of(account: str, number: int = 0) -> str:
    """What a site calls a login token, another for each `number`; the fake desk reads its `sub` and checks nothing."""
    payload = base64.urlsafe_b64encode(json.dumps({"sub": account, "jti": number}).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


_SITE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>Hoshi Exchange</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><h1>A site</h1><p>Some words, and <a href="/other">a link</a>.</p><button id="before">A control</button>
<script src="{desk}/widget.js" {data}></script></body></html>"""


class Site:
    """A site that embeds the widget, under a policy that allows the desk's origin and nothing else."""

    def __init__(self, desk: str) -> None:
        self.desk = desk
        self.url = ""
        self.lang = "en"
        self.data = ""  # attributes of the script element

    async def page(self, request: web.Request) -> web.Response:
        del request
        socket = self.desk.replace("http", "ws", 1)
        policy = (
            f"default-src 'none'; script-src {self.desk}; style-src {self.desk}; img-src {self.desk}; "
            f"connect-src {self.desk} {socket}; base-uri 'none'; form-action 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )
        text = _SITE.format(lang=self.lang, desk=self.desk, data=self.data)
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy})


@asynccontextmanager
async def _served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def desk_and_site() -> AsyncIterator[tuple[FakeDesk, Site]]:
    """Both, each on its own port of 127.0.0.1, and so each its own origin."""
    desk = FakeDesk()
    async with _served(desk.application()) as url:
        desk.url = url
        site = Site(url)
        app = web.Application()
        app.router.add_get("/{path:.*}", site.page)
        async with _served(app) as site.url:
            yield desk, site
        desk.drop()
