"""The desk's API: what a page reads, and what an operator does. JSON both ways, one handler per thing.

Whoever gets here has a seat (see `server`). An operator reaches the sessions of their desks and those that they hold;
all others do not exist for them. What they do is an input handed to the relay under the page's own id for it, so a
repeat after a lost answer changes nothing. A note has an endpoint of its own: no field of a reply makes one.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from aiohttp import web

from adapters.console.accounts import SEAT
from adapters.console.board import LISTS, Board, may_see, row_of
from adapters.console.forms import OUTCOMES, Form, FormError
from adapters.console.live import Live
from adapters.console.thread import Line, Said, lines_of
from bridge.directory import Directory, Operator, check_public_names
from bridge.feed import Feed, Signal
from bridge.files import FileLimits, Files, Links
from bridge.messages import PARTS_LIMIT, TEXT_LIMIT, About, Body, FilePart, Part, TextPart
from bridge.ports import Store, Stored
from bridge.relay import Receipt, Relay
from routing import inputs as i
from routing.decide import Nothing, Refusal
from routing.ids import DeskId, InputKey, MessageId, OperatorId, ShortCode, Topic, read_session_id
from routing.policy import Policy

LINES = 200
"""Lines of a thread in one answer; older ones are asked for."""

PAST = 10
"""Earlier sessions of the customer that the side card names."""

_INDEX = re.compile(r"\d{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Promise:
    """When a waiting time turns amber and red, in ms."""

    amber: int = 3 * 60_000
    red: int = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Engine:
    """What `bridge.main` hands over. `files_url` ends in a slash; links' paths go behind it. Titles are by language."""

    relay: Relay
    feed: Feed
    store: Store
    directory: Directory
    policy: Callable[[], Policy]
    files: Files
    links: Links
    files_url: str
    desk_titles: Mapping[DeskId, Mapping[str, str]] = field(default_factory=dict)
    topic_titles: Mapping[Topic, Mapping[str, str]] = field(default_factory=dict)
    limits: FileLimits = field(default_factory=FileLimits)
    promise: Promise = field(default_factory=Promise)
    clock: Callable[[], float] = time.time  # seconds UTC, for links


class Api:
    """The handlers. The seat of a request is put there by the server's guard."""

    def __init__(self, engine: Engine, board: Board, live: Live) -> None:
        self._engine = engine
        self._board = board
        self._live = live

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/me", self.me),
            web.post("/me/names", self.choose_names),
            web.get("/desks", self.desks),
            web.get("/team", self.team),
            web.get("/sessions", self.sessions),
            web.get("/find", self.find),
            web.get("/sessions/{session}", self.session),
            web.post("/sessions/{session}/reply", self.reply),
            web.post("/sessions/{session}/note", self.note),
            web.post("/sessions/{session}/claim", self.claim),
            web.post("/sessions/{session}/release", self.release),
            web.post("/sessions/{session}/hold", self.hold),
            web.post("/sessions/{session}/transfer", self.transfer),
            web.post("/sessions/{session}/resolve", self.resolve),
            web.post("/sessions/{session}/typing", self.typing),
        )

    # ------------------------------------------------------------------ what is there

    async def me(self, request: web.Request) -> web.Response:
        """Who is asking, their colleagues, and all that stays the same while the page is open."""
        operator, policy, limits = _operator(request), self._engine.policy(), self._engine.limits
        answer = {
            "operator": _as_account(operator),
            "people": [_as_account(one) for one in self._engine.directory.all()],
            "desks": [
                {"id": desk, "titles": dict(self._engine.desk_titles.get(desk, {})), "mine": operator.serves(desk)}
                for desk in policy.desks
            ],
            "topics": {topic: dict(titles) for topic, titles in self._engine.topic_titles.items()},
            "outcomes": OUTCOMES,
            "promise": {"amber": self._engine.promise.amber, "red": self._engine.promise.red},
            "hold_at_most": policy.hold_at_most,
            "limits": {
                "text": TEXT_LIMIT,
                "parts": PARTS_LIMIT,
                "file": limits.file_bytes,
                "chunk": limits.chunk_bytes,
            },
            "now": await self._engine.store.now(),
        }
        return web.json_response(answer)

    async def choose_names(self, request: web.Request) -> web.Response:
        """An operator's own public names."""
        names = (await Form.of(request)).names()
        if not names:
            raise FormError("empty", "names")
        check_public_names(names)
        operator = await self._engine.directory.change(replace(_operator(request), names=names))
        return web.json_response({"operator": _as_account(operator)})

    async def desks(self, request: web.Request) -> web.Response:
        await self._live.settle()
        return web.json_response({"counts": self._board.counts(_operator(request))})

    async def team(self, request: web.Request) -> web.Response:
        """Who is on, what they hold, and how much of it is near the promise. For leads."""
        if not _operator(request).lead:
            raise web.HTTPForbidden
        await self._live.settle()
        here, now = await self._live.here(), await self._engine.store.now()
        people = [one for one in self._engine.directory.all() if one.active]
        rows = [self._load(one, one.id in here, now) for one in people]
        return web.json_response({"team": rows, "now": now})

    async def sessions(self, request: web.Request) -> web.Response:
        """One list, `?list=waiting|mine|all|closed`, of one desk or of all (`?desk=`)."""
        operator, name = _operator(request), request.query.get("list", "waiting")
        desk = DeskId(request.query["desk"]) if request.query.get("desk") else None
        if name not in LISTS:
            raise FormError("unknown_list", "list")
        await self._live.settle()
        if name == "closed":
            rows, more = await self._board.done(operator, desk)
        else:
            rows, more = self._board.listed(name, operator, desk)
        answer = {
            "rows": await self._board.shown(rows),
            "more": more,
            "counts": self._board.counts(operator),
            "now": await self._engine.store.now(),
        }
        return web.json_response(answer)

    async def find(self, request: web.Request) -> web.Response:
        """A session by its short code, whatever its state."""
        code = request.query.get("code", "").strip().upper()
        await self._live.settle()
        known = self._board.named(code)
        if known is None and code.isalnum() and code.isascii():
            known = await self._engine.store.session_by_code(ShortCode(code))
        stored = await self._engine.relay.session(known) if known else None
        if stored is None or not may_see(_operator(request), row_of(stored)):
            raise web.HTTPNotFound
        return web.json_response({"rows": await self._board.shown([row_of(stored)])})

    async def session(self, request: web.Request) -> web.Response:
        """A session's thread and card. `?before=` a line's index asks for what came earlier."""
        stored, before = await self._reachable(request), _before(request)
        entries = await self._engine.store.journal(stored.session.id)
        lines = [line for line in lines_of(entries, stored.session) if before is None or line.index < before]
        answer = {
            **await self._as_now(stored),
            "lines": await self._with_words(stored, lines[-LINES:], f"operator:{_operator(request).id}"),
            "older": len(lines) > LINES,
            "card": await self._card(stored, _operator(request)),
        }
        return web.json_response(answer)

    # ------------------------------------------------------------------ what operators do

    async def reply(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        message, operator = MessageId(f"o:{form.client_id()}"), _operator(request)
        body = await self._body(form, operator)
        return await self._hand_over(request, form, i.OperatorReplied(message, operator.id), body)

    async def note(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        message, operator = MessageId(f"o:{form.client_id()}"), _operator(request)
        body = await self._body(form, operator)
        return await self._hand_over(request, form, i.OperatorNoted(message, operator.id), body)

    async def claim(self, request: web.Request) -> web.Response:
        return await self._hand_over(request, await Form.of(request), i.OperatorClaimed(_operator(request).id))

    async def release(self, request: web.Request) -> web.Response:
        return await self._hand_over(request, await Form.of(request), i.OperatorReleased(_operator(request).id))

    async def hold(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        return await self._hand_over(request, form, i.OperatorHeld(_operator(request).id, form.number("until")))

    async def transfer(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        desk, to = DeskId(form.text("desk")), form.optional_text("operator")
        if to is not None:
            self._check_may_take(OperatorId(to), desk)
        event = i.OperatorTransferred(_operator(request).id, desk, OperatorId(to) if to else None)
        return await self._hand_over(request, form, event)

    async def resolve(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        return await self._hand_over(request, form, i.OperatorResolved(_operator(request).id, form.outcome()))

    async def typing(self, request: web.Request) -> web.Response:
        """Somebody writes now. The customer hears of a reply, and of a note nobody but the desk."""
        stored, form, operator = await self._reachable(request), await Form.of(request), _operator(request)
        kind = form.text("kind")
        if kind == "note":
            await self._live.noting(stored.session, operator.id)
        elif kind == "reply":
            signal = Signal("typing", stored.session.id, operator=operator.id)
            await self._engine.feed.signal(stored.session, signal)
        else:
            raise FormError("unknown_kind", "kind")
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _hand_over(
        self, request: web.Request, form: Form, event: i.OperatorInput, body: Body | None = None
    ) -> web.Response:
        stored = await self._reachable(request)
        key = InputKey(f"desk/{form.client_id()}")
        answer = await self._engine.relay.from_operator(stored.session.id, event, key, body=body)
        if isinstance(answer, Refusal):
            error = {"code": answer.reason, "retry": False}
            return web.json_response({"error": error, **await self._as_now(stored)}, status=HTTPStatus.CONFLICT)
        if isinstance(answer, Receipt):
            stored = answer.stored
        return web.json_response({**await self._as_now(stored), "changed": not isinstance(answer, Nothing)})

    # ------------------------------------------------------------------ the parts of answers

    async def _reachable(self, request: web.Request) -> Stored:
        named = read_session_id(request.match_info["session"])
        stored = await self._engine.relay.session(named) if named else None
        if stored is None or not may_see(_operator(request), row_of(stored)):
            raise web.HTTPNotFound
        return stored

    async def _as_now(self, stored: Stored) -> dict[str, object]:
        shown = await self._board.shown([row_of(stored)])
        return {"row": shown[0], "now": await self._engine.store.now()}

    def _load(self, operator: Operator, here: bool, now: int) -> dict[str, object]:
        held = self._board.held_by(operator.id)
        waits = [now - row.waiting_since for row in held if row.waiting_since is not None]
        return {
            "id": operator.id,
            "here": here,
            "load": len(held),
            "capacity": operator.capacity,
            "owed": len(waits),
            "near": sum(self._engine.promise.amber <= wait < self._engine.promise.red for wait in waits),
            "past": sum(wait >= self._engine.promise.red for wait in waits),
        }

    def _check_may_take(self, operator: OperatorId, desk: DeskId) -> None:
        known = self._engine.directory.get(operator)
        if known is None or not known.active or not known.serves(desk):
            raise FormError("unknown_operator", "operator")

    async def _body(self, form: Form, operator: Operator) -> Body:
        return Body(tuple([await self._part(kind, content, operator) for kind, content in form.parts()]))

    async def _part(self, kind: str, content: str, operator: Operator) -> Part:
        if kind == "text":
            return TextPart(content)
        file = await self._engine.files.stat(content)
        if file is None or file.owner != f"operator:{operator.id}":
            raise FormError("unknown_file", "parts")
        return FilePart(file.file_id, file.name, file.media_type, file.size, file.width or 0, file.height or 0)

    async def _with_words(self, stored: Stored, lines: Sequence[Line], reader: str) -> list[dict[str, object]]:
        """The lines with their bodies. Withdrawn and erased words are not even read."""
        readable = () if stored.session.erased else lines
        said = [line for line in readable if isinstance(line, Said) and not line.withdrawn]
        bodies = await self._engine.store.bodies(stored.session.id, [(one.message, one.revision) for one in said])
        words = {one.message: body for one, body in zip(said, bodies, strict=True)}
        return [await self._as_line(line, words, reader) for line in lines]

    async def _as_line(self, line: Line, words: dict[MessageId, Body | None], reader: str) -> dict[str, object]:
        if not isinstance(line, Said):
            told = {"index": line.index, "at": line.at, "key": line.key, "operator": line.operator}
            return {**told, "words": line.words}
        body = words.get(line.message)
        return {
            "index": line.index,
            "at": line.at,
            "side": line.side,
            "message": line.message,
            "by": line.by,
            "revision": line.revision,
            "withdrawn": line.withdrawn,
            "delivery": line.delivery,
            "parts": None if body is None else [await self._as_part(part, reader) for part in body.parts],
        }

    async def _as_part(self, part: Part, reader: str) -> dict[str, object]:
        if isinstance(part, TextPart):
            return {"type": "text", "text": part.text}
        kept = await self._engine.files.stat(part.file)
        path = None if kept is None else self._engine.links.path(kept, reader, self._engine.clock())
        return {
            "type": "file",
            "name": part.name,
            "media_type": part.media_type,
            "size": part.size,
            "width": part.width,
            "height": part.height,
            "url": path and self._engine.files_url + path,
        }

    async def _card(self, stored: Stored, operator: Operator) -> dict[str, object]:
        """What an operator knows of the customer. `account` is the site's own id, empty for a visitor."""
        session = stored.session
        about, past = await asyncio.gather(self._engine.store.about(session.id), self._past(stored, operator))
        about = About() if session.erased else about
        return {
            "name": about.name,
            "account": "" if session.customer.anonymous else session.customer.account,
            "verified": session.verified,
            "locale": about.locale,
            "page": about.page,
            "time_zone": about.time_zone,
            "claims": dict(about.claims),
            "opened_at": session.opened_at,
            "first_response_at": session.first_response_at,
            "presence_since": session.presence_since,
            "outcome": session.outcome,
            "transfers": session.transfers,
            "reopenings": session.reopenings,
            "erased": session.erased,
            "past": past,
        }

    async def _past(self, stored: Stored, operator: Operator) -> list[dict[str, object]]:
        named = await self._engine.store.sessions_of(stored.session.customer)
        earlier = [session for session in named if session != stored.session.id][-PAST:]
        found = await asyncio.gather(*map(self._engine.relay.session, reversed(earlier)))
        return [_as_past(one) for one in found if one is not None and may_see(operator, row_of(one))]


def _operator(request: web.Request) -> Operator:
    return request[SEAT].operator


def _before(request: web.Request) -> int | None:
    """The index of the first line that the page has already."""
    value = request.query.get("before")
    if value is not None and _INDEX.fullmatch(value) is None:
        raise FormError("not_a_number", "before")
    return None if value is None else int(value)


def _as_account(operator: Operator) -> dict[str, object]:
    return {
        "id": operator.id,
        "account": operator.account,
        "names": dict(operator.names),
        "desks": operator.desks,
        "lead": operator.lead,
        "active": operator.active,
    }


def _as_past(stored: Stored) -> dict[str, object]:
    session = stored.session
    return {
        "session": session.id,
        "code": session.code,
        "topic": session.topic,
        "state": session.state,
        "outcome": session.outcome,
        "opened_at": session.opened_at,
    }
