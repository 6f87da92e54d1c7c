"""Incidents at the desk: everybody sees what is broken and links a session to it by hand; leads declare, tell and end.

Whatever reaches customers is previewed by `…/preview`, which writes nothing, and sent by another request that carries
the page's own id: a repeat after a lost answer is the same broadcast.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from adapters.console.accounts import operator_of
from adapters.console.api import Engine, lead_of
from adapters.console.board import Board
from adapters.console.forms import Form, FormError
from adapters.console.live import Live, as_incident
from adapters.console.rows import may_see
from bridge.broadcasts import OUTCOMES, Broadcast, Preview, previewed
from bridge.incidents import BANNER_LIMIT, TITLE_LIMIT, Scope, check_words
from bridge.messages import TEXT_LIMIT
from bridge.ports import Stored
from routing.decide import Refusal
from routing.ids import DeskId, IncidentId, Topic, read_session_id
from routing.inputs import Outcome

LISTED = 50
"""Incidents in one answer, the latest first."""

SHOWN = 200
"""Linked sessions in one answer; the count counts all."""


class IncidentDesk:
    """Routes below `/api`."""

    def __init__(self, engine: Engine, board: Board, live: Live) -> None:
        self._engine = engine
        self._board = board
        self._live = live

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/incidents", self.incidents),
            web.post("/incidents/preview", self.preview_declaration),
            web.post("/incidents", self.declare),
            web.get("/incidents/{incident}", self.incident),
            web.post("/incidents/{incident}/wording", self.change),
            web.post("/incidents/{incident}/link", self.link_by),
            web.post("/incidents/{incident}/preview", self.preview),
            web.post("/incidents/{incident}/broadcast", self.broadcast),
            web.post("/incidents/{incident}/end", self.end),
            web.post("/sessions/{session}/incident", self.name),
        )

    # ------------------------------------------------------------------ what is there

    async def incidents(self, request: web.Request) -> web.Response:
        del request
        known = (await self._engine.incidents.all())[:LISTED]
        limits = {"title": TITLE_LIMIT, "banner": BANNER_LIMIT, "text": TEXT_LIMIT}
        return web.json_response({"incidents": [as_incident(one) for one in known], "limits": limits})

    async def incident(self, request: web.Request) -> web.Response:
        """One of them: what it says, who is in it, what was said to all."""
        name = await self._named(request)
        sessions, said, scopes = await asyncio.gather(
            self._engine.incidents.sessions(name), self._engine.broadcasts.of(name), self._engine.incidents.scopes(name)
        )
        visible = [one for one in sessions if may_see(operator_of(request), self._board.row(one))][:SHOWN]
        answer = {
            "incident": as_incident(await self._engine.incidents.known(name)),
            "linked": len(sessions),
            "rows": await self._board.shown(self._board.row(one) for one in visible),
            "broadcasts": [as_broadcast(one) for one in said],
            "scopes": [_as_scope(one) for one in scopes.values()],
            "now": await self._engine.store.now(),
        }
        return web.json_response(answer)

    async def _named(self, request: web.Request) -> IncidentId:
        known = await self._engine.incidents.get(IncidentId(request.match_info["incident"]))
        if known is None:
            raise web.HTTPNotFound
        return known.id

    # ------------------------------------------------------------------ declaring

    async def preview_declaration(self, request: web.Request) -> web.Response:
        """What customers would see, and how many sessions would be linked. Writes nothing."""
        lead_of(request, self._engine.policy())
        form = await Form.of(request)
        titles, banners = _wording(form)
        sessions = await self._found(form)
        answer = {
            "incident": await self._engine.incidents.mint(),
            "titles": titles,
            "banners": banners,
            "linked": _as_preview(previewed([one.session.language for one in sessions], titles, len(sessions))),
        }
        return web.json_response(answer)

    async def declare(self, request: web.Request) -> web.Response:
        """The banner is up from here, and sessions are linked if a scope was given."""
        lead, form = lead_of(request, self._engine.policy()), await Form.of(request)
        titles, banners = _wording(form)
        key, scope = form.client_id(), _scope(form)
        wanted = IncidentId(form.text("incident"))
        made = await self._engine.incidents.declare(titles, banners, lead.id, incident=wanted)
        if scope is not None:
            await self._engine.incidents.link_by(made.id, scope, key)
        return await self._shown(made.id)

    async def change(self, request: web.Request) -> web.Response:
        lead_of(request, self._engine.policy())
        name, (titles, banners) = await self._named(request), _wording(await Form.of(request))
        await self._engine.incidents.change(name, titles, banners)
        return await self._shown(name)

    async def end(self, request: web.Request) -> web.Response:
        """The banner goes. What is linked stays linked, and nobody is told anything."""
        lead, name = lead_of(request, self._engine.policy()), await self._named(request)
        await Form.of(request)
        await self._engine.incidents.end(name, lead.id)
        return await self._shown(name)

    async def _shown(self, name: IncidentId) -> web.Response:
        await self._live.tell()
        return web.json_response({"incident": as_incident(await self._engine.incidents.known(name))})

    # ------------------------------------------------------------------ which sessions

    async def link_by(self, request: web.Request) -> web.Response:
        """By a scope: those that it matches now, and where it has no end those who come."""
        lead_of(request, self._engine.policy())
        name, form = await self._named(request), await Form.of(request)
        scope, key = _scope(form), form.client_id()
        if scope is None:
            raise FormError("empty", "scope")
        return web.json_response({"linked": await self._engine.incidents.link_by(name, scope, key)})

    async def name(self, request: web.Request) -> web.Response:
        """One session, by hand: what it is about, or (incident null) that it is not. Any operator who sees it may."""
        named = read_session_id(request.match_info["session"])
        stored = await self._engine.relay.session(named) if named else None
        if stored is None or not may_see(operator_of(request), self._board.row(stored)):
            raise web.HTTPNotFound
        form = await Form.of(request)
        wanted, key = form.optional_text("incident"), f"desk/{form.client_id()}"
        if wanted is None:
            answer = await self._engine.incidents.unlink(stored.session.id, key)
        else:
            known = await self._engine.incidents.known(wanted)
            if known.ended_at is not None:
                return web.json_response(
                    {"error": {"code": "incident_over", "retry": False}}, status=HTTPStatus.CONFLICT
                )
            answer = await self._engine.incidents.link(known.id, stored.session.id, key)
        await self._engine.availability.acted(operator_of(request).id)
        if isinstance(answer, Refusal):
            return web.json_response({"error": {"code": answer.reason, "retry": False}}, status=HTTPStatus.CONFLICT)
        now = await self._engine.relay.session(stored.session.id) or stored
        shown = await self._board.shown([self._board.row(now)])
        return web.json_response({"row": shown[0], "now": await self._engine.store.now()})

    async def _found(self, form: Form) -> list[Stored]:
        scope = _scope(form)
        return [] if scope is None else await self._engine.incidents.find(scope)

    # ------------------------------------------------------------------ one word to all

    async def preview(self, request: web.Request) -> web.Response:
        """Who would read which words. Writes nothing."""
        lead_of(request, self._engine.policy())
        name, form = await self._named(request), await Form.of(request)
        return web.json_response(_as_preview(await self._engine.broadcasts.preview(name, form.wording("words"))))

    async def broadcast(self, request: web.Request) -> web.Response:
        """Send it: from here it is carried out, whatever happens to this process or to the page."""
        lead, name, form = lead_of(request, self._engine.policy()), await self._named(request), await Form.of(request)
        outcome = form.optional_text("outcome")
        if outcome is not None and outcome not in OUTCOMES:
            raise FormError("unknown_outcome", "outcome")
        ordered = await self._engine.broadcasts.order(
            form.client_id(),
            name,
            lead.id,
            form.wording("words"),
            outcome=Outcome(outcome) if outcome is not None else None,
            ends=form.flag("ends"),
        )
        return web.json_response({"broadcast": as_broadcast(ordered)})


def _wording(form: Form) -> tuple[dict[str, str], dict[str, str]]:
    titles, banners = form.wording("titles"), form.wording("banners")
    check_words(titles, "titles", TITLE_LIMIT)
    check_words(banners, "banners", BANNER_LIMIT, needed=False)
    return titles, banners


def _scope(form: Form) -> Scope | None:
    """None: nobody is linked but by hand."""
    fields = form.inner("scope")
    if fields is None:
        return None
    return Scope(
        desks=tuple(DeskId(one) for one in fields.names_of("desks", 100)),
        topics=tuple(Topic(one) for one in fields.names_of("topics", 100)),
        since=fields.number("since"),
        until=fields.optional_number("until"),
    )


def _as_scope(scope: Scope) -> dict[str, object]:
    return {"desks": scope.desks, "topics": scope.topics, "since": scope.since, "until": scope.until}


def _as_preview(preview: Preview) -> dict[str, object]:
    readings = [
        {"language": one.language, "sessions": one.sessions, "uses": one.uses, "text": one.text}
        for one in preview.readings
    ]
    return {"sessions": preview.sessions, "open": preview.open, "readings": readings}


def as_broadcast(one: Broadcast) -> dict[str, object]:
    """How far it is, for whoever watches."""
    return {
        "id": one.id,
        "by": one.by,
        "at": one.at,
        "words": dict(one.words),
        "outcome": one.outcome,
        "ends": one.ends,
        "total": one.total,
        "done": one.done,
        "failed": one.failed,
        "failures": [{"code": failure.code, "reason": failure.reason} for failure in one.failures],
        "finished_at": one.finished_at,
    }
