"""The desk's API: what a page reads, and what an operator does. JSON both ways, one handler per thing.

Whoever gets here has a seat (see `server`). An operator reaches the sessions of their desks and those that they hold;
all others do not exist for them. What they do is an input handed to the relay under the page's own id for it, so a
repeat after a lost answer changes nothing. A note has an endpoint of its own: no field of a reply makes one.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from aiohttp import web

from adapters.console.accounts import operator_of
from adapters.console.board import LISTS, Board
from adapters.console.forms import OUTCOMES, Form, FormError
from adapters.console.live import Live, as_incident, as_standing
from adapters.console.rows import Promise, may_see
from adapters.console.thread import Line, Said, lines_of
from bridge.assignments import Assignments
from bridge.availability import Availability
from bridge.broadcasts import Broadcasts
from bridge.directory import Directory, Operator, check_public_names
from bridge.feed import Feed, Signal
from bridge.files import FileLimits, Files, Links
from bridge.incidents import Incidents
from bridge.marks import as_text
from bridge.messages import PARTS_LIMIT, TEXT_LIMIT, About, Body, FilePart, Part, TextPart
from bridge.networks.canned import Canned
from bridge.ports import Store, Stored
from bridge.purges import Purges
from bridge.relay import Receipt, Relay
from bridge.setbacks import standing
from routing import inputs as i
from routing import sla
from routing.attention import left_at
from routing.availability import Standing
from routing.decide import Nothing, Refusal
from routing.ids import DeskId, InputKey, MessageId, OperatorId, Topic, read_code, read_session_id, translation_id
from routing.policy import Desk, Policy, Promised
from routing.reactions import LOOKING
from routing.session import Presence, Session

LINES = 200
"""Lines of a thread in one answer; older ones are asked for."""

PAST = 10
"""Earlier sessions of the customer that the side card names."""

_Words = Mapping[tuple[MessageId, int], Body | None]
"""Bodies by message and revision, as far as they are there."""

_INDEX = re.compile(r"\d{1,15}", re.ASCII)


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
    assignments: Assignments
    availability: Availability
    incidents: Incidents
    broadcasts: Broadcasts
    purges: Purges
    canned: Canned | None = None
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
            web.get("/offers", self.offers),
            web.get("/sessions", self.sessions),
            web.get("/find", self.find),
            web.get("/sessions/{session}", self.session),
            web.post("/sessions/{session}/reply", self.reply),
            web.post("/sessions/{session}/note", self.note),
            web.post("/sessions/{session}/send", self.send),
            web.post("/sessions/{session}/keep", self.keep),
            web.post("/sessions/{session}/revise", self.revise),
            web.post("/sessions/{session}/withdraw", self.withdraw),
            web.post("/sessions/{session}/react", self.react),
            web.post("/sessions/{session}/claim", self.claim),
            web.post("/sessions/{session}/release", self.release),
            web.post("/sessions/{session}/hold", self.hold),
            web.post("/sessions/{session}/transfer", self.transfer),
            web.post("/sessions/{session}/resolve", self.resolve),
            web.post("/sessions/{session}/decline", self.decline),
            web.post("/sessions/{session}/escalate", self.escalate),
            web.post("/sessions/{session}/acknowledge", self.acknowledge),
            web.post("/sessions/{session}/check", self.check),
            web.post("/sessions/{session}/typing", self.typing),
        )

    # ------------------------------------------------------------------ what is there

    async def me(self, request: web.Request) -> web.Response:
        """Who is asking, their colleagues, and all that stays the same while the page is open."""
        operator, policy, limits = operator_of(request), self._engine.policy(), self._engine.limits
        standings, incidents = await asyncio.gather(
            self._engine.availability.everyone(), self._engine.incidents.current()
        )
        standing, now = await self._engine.availability.of(operator.id), await self._engine.store.now()
        answer = {
            "operator": _as_account(operator) | {"lead": is_lead(operator, policy)},
            "people": self._people(policy, standings),
            "standing": as_standing(standing),
            "incidents": [as_incident(one) for one in incidents],
            "desks": [self._desk(desk, now) | {"mine": operator.serves(desk.id)} for desk in policy.desks.values()],
            "topics": {topic: dict(titles) for topic, titles in self._engine.topic_titles.items()},
            "checked_topics": [one for one, rules in policy.topic_rules.items() if rules.identity_check],
            "outcomes": OUTCOMES,
            "promise": {"amber": self._engine.promise.amber, "red": self._engine.promise.red},
            "hold_at_most": policy.hold_at_most,
            "revise_within": policy.revise_within,
            "limits": {
                "text": TEXT_LIMIT,
                "parts": PARTS_LIMIT,
                "file": limits.file_bytes,
                "chunk": limits.chunk_bytes,
            },
            "now": now,
        }
        return web.json_response(answer)

    async def choose_names(self, request: web.Request) -> web.Response:
        """An operator's own public names."""
        names = (await Form.of(request)).names()
        if not names:
            raise FormError("empty", "names")
        check_public_names(names)
        operator = await self._engine.directory.change(replace(operator_of(request), names=names))
        return web.json_response({"operator": _as_account(operator)})

    async def desks(self, request: web.Request) -> web.Response:
        await self._live.settle()
        return web.json_response({"counts": self._board.counts(operator_of(request))})

    async def offers(self, request: web.Request) -> web.Response:
        """What the operator is being offered just now."""
        await self._live.settle()
        rows = await self._board.shown(self._board.offers(operator_of(request).id))
        return web.json_response({"rows": rows, "now": await self._engine.store.now()})

    async def sessions(self, request: web.Request) -> web.Response:
        """One list, `?list=waiting|mine|all|closed`, of one desk or of all (`?desk=`)."""
        operator, name = operator_of(request), request.query.get("list", "waiting")
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
            "outages": self._board.outages(operator),
            "now": await self._engine.store.now(),
        }
        return web.json_response(answer)

    async def find(self, request: web.Request) -> web.Response:
        """A session by its short code, whatever its state."""
        code = read_code(request.query.get("code", ""))
        await self._live.settle()
        known = self._board.named(code) if code is not None else None
        if known is None and code is not None:
            known = await self._engine.store.session_by_code(code)
        stored = await self._engine.relay.session(known) if known else None
        if stored is None or not may_see(operator_of(request), self._board.row(stored)):
            raise web.HTTPNotFound
        return web.json_response({"rows": await self._board.shown([self._board.row(stored)])})

    async def session(self, request: web.Request) -> web.Response:
        """A session's thread and card. `?before=` a line's index asks for what came earlier."""
        stored, before = await self._reachable(request), _before(request)
        entries = await self._engine.store.journal(stored.session.id)
        if len(entries) > stored.head:  # by a command, such as an erasure: a process that is alone hears of none
            self._engine.relay.outdated(stored.session.id, len(entries))
            stored = await self._reachable(request)
        lines = [line for line in lines_of(entries, stored.session) if before is None or line.index < before]
        answer = {
            **await self._as_now(stored),
            "lines": await self._with_words(stored, lines[-LINES:], f"operator:{operator_of(request).id}"),
            "held": await self._held(stored, operator_of(request)),
            "older": len(lines) > LINES,
            "card": await self._card(stored, operator_of(request)),
        }
        return web.json_response(answer)

    # ------------------------------------------------------------------ what operators do

    async def reply(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        message, operator = MessageId(f"o:{form.client_id()}"), operator_of(request)
        body = await self._body(form, operator)
        event = i.OperatorWrote(message, operator.id, operator.account, manner=i.Manner.REPLY)  # may wait to be undone
        return await self._hand_over(request, form, event, body)

    async def note(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        message, operator = MessageId(f"o:{form.client_id()}"), operator_of(request)
        body = await self._body(form, operator)
        return await self._hand_over(request, form, i.OperatorNoted(message, operator.id), body)

    async def send(self, request: web.Request) -> web.Response:
        """Words that wait, in the name of who asks; their own, which can still be undone, at once."""
        form = await Form.of(request)
        event = i.OperatorSent(MessageId(form.text("message")), operator_of(request).id)
        return await self._hand_over(request, form, event)

    async def keep(self, request: web.Request) -> web.Response:
        """Words that wait become a note."""
        form = await Form.of(request)
        event = i.OperatorUndid(MessageId(form.text("message")), operator_of(request).id)
        return await self._hand_over(request, form, event)

    async def revise(self, request: web.Request) -> web.Response:
        """Other words for a message of theirs; its files stay, and a note stays a note."""
        form, stored = await Form.of(request), await self._reachable(request)
        message, operator = MessageId(form.text("message")), operator_of(request)
        spoken = stored.session.spoken(message)
        kept = await self._engine.store.bodies(stored.session.id, [(message, spoken.revision)]) if spoken else [None]
        words = await self._body(form, operator)
        body = Body((*words.parts, *(kept[0].files if kept[0] is not None else ())))
        return await self._hand_over(request, form, i.OperatorRevised(message, operator.id), body)

    async def withdraw(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        event = i.OperatorWithdrew(MessageId(form.text("message")), operator_of(request).id)
        return await self._hand_over(request, form, event)

    async def react(self, request: web.Request) -> web.Response:
        """The page has one reaction; what it tells the customer, the desk's policy says."""
        form = await Form.of(request)
        if form.text("reaction") != LOOKING:
            raise FormError("unknown_choice", "reaction")
        message, operator = MessageId(form.text("message")), operator_of(request).id
        return await self._hand_over(request, form, i.OperatorReacted(message, operator, LOOKING, form.flag("on")))

    async def claim(self, request: web.Request) -> web.Response:
        return await self._hand_over(request, await Form.of(request), i.OperatorClaimed(operator_of(request).id))

    async def release(self, request: web.Request) -> web.Response:
        return await self._hand_over(request, await Form.of(request), i.OperatorReleased(operator_of(request).id))

    async def hold(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        return await self._hand_over(request, form, i.OperatorHeld(operator_of(request).id, form.number("until")))

    async def transfer(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        desk, to = DeskId(form.text("desk")), form.optional_text("operator")
        reason = (form.optional_text("reason") or "").strip()
        if to is not None:
            check_may_take(self._engine, OperatorId(to), desk)
        note = MessageId(f"o:{form.client_id()}.why") if reason else None
        event = i.OperatorTransferred(operator_of(request).id, desk, OperatorId(to) if to else None, note)
        return await self._hand_over(request, form, event, Body((TextPart(reason),)) if reason else None)

    async def resolve(self, request: web.Request) -> web.Response:
        form = await Form.of(request)
        return await self._hand_over(request, form, i.OperatorResolved(operator_of(request).id, form.outcome()))

    async def decline(self, request: web.Request) -> web.Response:
        """Pass an offer on to the next one."""
        return await self._hand_over(request, await Form.of(request), i.OperatorDeclined(operator_of(request).id))

    async def escalate(self, request: web.Request) -> web.Response:
        return await self._hand_over(request, await Form.of(request), i.OperatorEscalated(operator_of(request).id))

    async def acknowledge(self, request: web.Request) -> web.Response:
        """ "I have it", also for who followed a page's link: the link itself changes nothing."""
        return await self._hand_over(request, await Form.of(request), i.OperatorAcknowledged(operator_of(request).id))

    async def check(self, request: web.Request) -> web.Response:
        """Have the site ask the customer who they are."""
        event = i.OperatorAskedCheck(operator_of(request).id, secrets.token_urlsafe(24))
        return await self._hand_over(request, await Form.of(request), event)

    async def typing(self, request: web.Request) -> web.Response:
        """Somebody writes now. The customer hears of a reply, and of a note nobody but the desk."""
        stored, form, operator = await self._reachable(request), await Form.of(request), operator_of(request)
        kind = form.text("kind")
        if kind == "note":
            await self._live.noting(stored.session, operator.id)
        elif kind == "reply":
            signal = Signal("typing", stored.session.id, operator=operator.id)
            await self._engine.feed.signal(stored.session, signal)
        else:
            raise FormError("unknown_kind", "kind")
        await self._engine.availability.acted(operator.id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def hand_over(
        self, request: web.Request, form: Form, event: i.OperatorInput, body: Body | None = None
    ) -> web.Response:
        """What an operator does, by another part of the desk. See `_hand_over`: a refusal is an answer, too."""
        return await self._hand_over(request, form, event, body)

    async def _hand_over(
        self, request: web.Request, form: Form, event: i.OperatorInput, body: Body | None = None
    ) -> web.Response:
        stored = await self._reachable(request)
        key = InputKey(f"desk/{form.client_id()}")
        answer = await self._engine.assignments.from_operator(stored.session.id, event, key, body=body)
        if isinstance(answer, Refusal):
            error = {"code": answer.reason, "retry": False}
            return web.json_response({"error": error, **await self._as_now(stored)}, status=HTTPStatus.CONFLICT)
        if isinstance(answer, Receipt):
            stored = answer.stored
        return web.json_response({**await self._as_now(stored), "changed": not isinstance(answer, Nothing)})

    # ------------------------------------------------------------------ the parts of answers

    async def reachable(self, request: web.Request) -> Stored:
        """The session that a request names. Raises HTTPNotFound for one that is not this operator's to see."""
        return await self._reachable(request)

    async def _reachable(self, request: web.Request) -> Stored:
        stored = await self._known(request)
        if not may_see(operator_of(request), self._board.row(stored)):
            raise web.HTTPNotFound
        return stored

    async def _known(self, request: web.Request) -> Stored:
        named = read_session_id(request.match_info["session"])
        stored = await self._engine.relay.session(named) if named else None
        if stored is None:
            raise web.HTTPNotFound
        return stored

    async def _as_now(self, stored: Stored) -> dict[str, object]:
        shown = await self._board.shown([self._board.row(stored)])
        return {"row": shown[0], "now": await self._engine.store.now()}

    def _desk(self, desk: Desk, now: int) -> dict[str, object]:
        """A desk, and when it opens (ms since 1970, UTC; None where no calendar says) if nobody is there now."""
        is_open = desk.hours.open_at(now)
        opens = None if is_open else desk.hours.opens_after(now)
        titles = dict(self._engine.desk_titles.get(desk.id, {}))
        return {"id": desk.id, "titles": titles, "open": is_open, "opens": opens}

    def _people(self, policy: Policy, standings: Mapping[OperatorId, Standing]) -> list[dict[str, object]]:
        """Everybody whose name may have to be shown: accounts, closed ones too, and who only the policy names.
        How they stand is None for who is not in the policy at all."""
        accounts = self._engine.directory.all()
        known = {one.id for one in accounts}
        written = [
            Operator(one.id, one.id, one.names, one.desks, lead=one.lead)
            for one in policy.operators.values()
            if one.id not in known
        ]
        return [
            _as_account(one) | {"standing": as_standing(standings[one.id]) if one.id in standings else None}
            for one in (*accounts, *written)
        ]

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
        wanted = [(name, one.revision) for one in said for name in _names(one)]
        wanted += [(one.message, revision) for one in said for revision in one.former]
        bodies = await self._engine.store.bodies(stored.session.id, wanted)
        words = dict(zip(wanted, bodies, strict=True))
        return [await self._as_line(line, words, reader) for line in lines]

    async def _held(self, stored: Stored, operator: Operator) -> list[dict[str, object]]:
        """Words that nobody has said yet, oldest first. What somebody else may still undo is theirs alone."""
        pending = stored.session.pending
        wanted = [(one.message, one.revision) for one in pending]
        bodies = await self._engine.store.bodies(stored.session.id, wanted) if wanted else []
        reader = f"operator:{operator.id}"
        return [
            {
                "message": one.message,
                "author": one.author if one.operator is None else "",
                "operator": one.operator or "",
                "at": one.at,
                "until": one.until,
                "mine": one.operator in (None, operator.id),
                "parts": None if body is None else [await self._as_part(part, reader) for part in body.parts],
            }
            for one, body in zip(pending, bodies, strict=True)
        ]

    async def _as_line(self, line: Line, words: _Words, reader: str) -> dict[str, object]:
        if not isinstance(line, Said):
            told = {"index": line.index, "at": line.at, "key": line.key, "operator": line.operator}
            return {**told, "words": line.words}
        body = words.get((line.message, line.revision))
        former = [found for one in line.former if (found := words.get((line.message, one))) is not None]
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
            "translation": _as_translation(line, words),
            "untranslated": line.untranslated,
            "former": [one.text for one in former],
            "reactions": [{"by": by, "reaction": reaction} for by, reaction in line.reactions],
        }

    async def _as_part(self, part: Part, reader: str) -> dict[str, object]:
        if isinstance(part, TextPart):
            return as_text(part)
        if part.purged:
            return {"type": "file", "removed": True}
        kept = await self._engine.files.stat(part.file)
        path = None if kept is None else self._engine.links.path(kept, reader, self._engine.clock())
        return {
            "type": "file",
            "file": part.file,
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
        about, past, setback = await asyncio.gather(
            self._engine.store.about(session.id),
            self._past(stored, operator),
            standing(self._engine.store, session),
        )
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
            "left_at": self._left_at(session),
            "outcome": session.outcome,
            "transfers": session.transfers,
            "reopenings": session.reopenings,
            "erased": session.erased,
            "setback": None if setback is None else {"network": setback.network, **setback.shown},
            "promises": self._promises(session),
            "check_demanded": self._engine.policy().topic(session.topic).identity_check,
            "incident": await self._incident(session),
            "past": past,
        }

    def _left_at(self, session: Session) -> int | None:
        """When a customer who is not there left; who is gone left some time before that was said."""
        if session.presence is Presence.HERE:
            return None
        return left_at(session, self._engine.policy().desk_of(session.desk, session.language, session.topic))

    def _promises(self, session: Session) -> list[dict[str, object]]:
        """When each of the desk's promises that runs now is due; missed ones for as long as they are owed."""
        policy = self._engine.policy()
        desk = policy.desk_of(session.desk, session.language, session.topic)
        due = {kind: sla.due(kind, session, desk, policy) for kind in Promised}
        return [{"kind": kind, "due": at, "missed": kind in session.missed} for kind, at in due.items() if at]

    async def _incident(self, session: Session) -> dict[str, object] | None:
        known = await self._engine.incidents.get(session.incident) if session.incident else None
        return None if known is None else as_incident(known)

    async def _past(self, stored: Stored, operator: Operator) -> list[dict[str, object]]:
        named = await self._engine.store.sessions_of(stored.session.customer)
        earlier = [session for session in named if session != stored.session.id][-PAST:]
        found = await asyncio.gather(*map(self._engine.relay.session, reversed(earlier)))
        return [_as_past(one) for one in found if one is not None and may_see(operator, self._board.row(one))]


def is_lead(operator: Operator, policy: Policy) -> bool:
    """By their account, or by the policy's file."""
    profile = policy.operators.get(operator.id)
    return operator.lead or (profile is not None and profile.lead)


def lead_of(request: web.Request, policy: Policy) -> Operator:
    """Who asks, where only a lead may. Raises HTTPForbidden for anybody else."""
    operator = operator_of(request)
    if not is_lead(operator, policy):
        raise web.HTTPForbidden
    return operator


def check_may_take(engine: Engine, operator: OperatorId, desk: DeskId) -> None:
    """Raises FormError for somebody who does not work at the desk, or whose account is closed."""
    profile = engine.policy().operators.get(operator)
    if profile is None or not profile.works_at(desk):
        raise FormError("unknown_operator", "operator")


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


def _names(said: Said) -> list[MessageId]:
    """Under which its words are kept: its own, and those of a machine."""
    return [said.message, *([translation_id(said.message, said.translation)] if said.translation else ())]


def _as_translation(said: Said, words: _Words) -> dict[str, str] | None:
    """A machine's words, to be marked as such; None where there are none, or they were erased."""
    named = translation_id(said.message, said.translation) if said.translation else None
    body = words.get((named, said.revision)) if named else None
    return None if body is None else {"language": said.translation, "text": body.text}
