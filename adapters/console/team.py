"""The team: how everybody says that they are on, and for leads who is on, what they hold, and moving it in bulk.

Whoever has no seat of a lead's gets 403 from every address here but their own switch: the page hides the view, and this
refuses it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web

from adapters.console.accounts import operator_of
from adapters.console.api import Engine, check_may_take, lead_of
from adapters.console.board import Board
from adapters.console.forms import Form, FormError
from adapters.console.live import Live, as_standing
from adapters.console.rows import Row, may_see
from bridge.directory import Operator
from bridge.ports import Stored
from bridge.relay import Answer
from routing.availability import Choice, Standing
from routing.decide import Nothing, Refusal
from routing.ids import DeskId, InputKey, OperatorId, read_session_id
from routing.session import Reason

MOST = 100
"""Sessions that are moved with one press: more than anybody looks through before pressing."""

WAITING = 100
"""Waiting sessions that the view shows; the lists show all."""


class Team:
    """Routes below `/api`."""

    def __init__(self, engine: Engine, board: Board, live: Live) -> None:
        self._engine = engine
        self._board = board
        self._live = live

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.post("/me/availability", self.choose),
            web.post("/me/acted", self.acted),
            web.get("/team", self.team),
            web.post("/team/reassign", self.reassign),
        )

    # ------------------------------------------------------------------ oneself

    async def choose(self, request: web.Request) -> web.Response:
        """On, away or off. "On" lapses on its own when they do nothing for long."""
        choice = (await Form.of(request)).text("choice")
        if choice not in tuple(Choice):
            raise FormError("unknown_choice", "choice")
        standing = await self._engine.availability.choose(operator_of(request).id, Choice(choice))
        return web.json_response({"standing": as_standing(standing), "now": await self._engine.store.now()})

    async def acted(self, request: web.Request) -> web.Response:
        """They pressed a key or a button on the page. Reading on its own, or an open tab, never gets here."""
        await self._engine.availability.acted(operator_of(request).id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    # ------------------------------------------------------------------ everybody

    async def team(self, request: web.Request) -> web.Response:
        """Who is on and why, what they hold, and how much of it is near its promise or past it."""
        lead = lead_of(request, self._engine.policy())
        await self._live.settle()
        standings, here = await asyncio.gather(self._engine.availability.everyone(), self._live.here())
        now, held = await self._engine.store.now(), self._board.held()
        known = dict.fromkeys([*self._engine.policy().operators, *held])
        people = [await self._member(one, standings, held.get(one, []), lead, now) for one in known]
        waiting, more = self._board.listed("waiting", lead, None)
        answer = {
            "team": [one | {"here": one["id"] in here} for one in people],
            "waiting": await self._board.shown(waiting[:WAITING]),
            "more": more or len(waiting) > WAITING,
            "now": now,
        }
        return web.json_response(answer)

    async def _member(
        self, operator: OperatorId, standings: Mapping[OperatorId, Standing], held: list[Row], lead: Operator, now: int
    ) -> dict[str, object]:
        profile, standing = self._engine.policy().operators.get(operator), standings.get(operator)
        levels = [row.level(now) for row in held]
        return {
            "id": operator,
            "standing": None if standing is None else as_standing(standing),
            "desks": [] if profile is None else profile.desks,
            "capacity": None if profile is None else profile.capacity,
            "load": len(held),
            "offered": len(self._board.offers(operator)),
            "owed": sum(row.waiting_since is not None for row in held),
            "near": levels.count("near"),
            "past": levels.count("past"),
            "sessions": await self._board.shown(sorted(_visible(held, lead), key=lambda row: row.rank)),
        }

    # ------------------------------------------------------------------ moving what they hold

    async def reassign(self, request: web.Request) -> web.Response:
        """Each of the chosen sessions to a desk, an operator, or back into the line; what came of each is answered.

        An operator's capacity holds: what is beyond it is refused, one by one, in the order of the request.
        """
        lead, form = lead_of(request, self._engine.policy()), await Form.of(request)
        name, chosen = form.client_id(), form.names_of("sessions", MOST)
        desk, to = form.optional_text("desk"), form.optional_text("operator")
        results = [await self._move(one, lead, DeskId(desk or ""), OperatorId(to or ""), name) for one in chosen]
        return web.json_response({"results": results, "now": await self._engine.store.now()})

    async def _move(self, session: str, lead: Operator, desk: DeskId, to: OperatorId, name: str) -> dict[str, object]:
        known = read_session_id(session)
        stored = await self._engine.relay.session(known) if known else None
        if stored is None or not may_see(lead, self._board.row(stored)):
            return {"session": session, "code": "", "refused": Reason.NO_SESSION}
        target, key = desk or stored.session.desk, InputKey(f"desk/{name}/{session}")
        try:
            if to:
                check_may_take(self._engine, to, target)
            refused = _refused(await self._moved(stored, lead, target, to or None, key))
        except FormError as wrong:
            refused = wrong.code
        return {"session": session, "code": stored.session.code, "refused": refused}

    async def _moved(
        self, stored: Stored, lead: Operator, desk: DeskId, to: OperatorId | None, key: InputKey
    ) -> Answer:
        session = stored.session
        if to is None and desk == session.desk and session.assignee is not None:
            return await self._engine.assignments.put_back(session.id, session.assignee, key)
        return await self._engine.assignments.transfer(session.id, lead.id, desk, to, key)


def _refused(answer: Answer) -> str:
    """Why it is where it was; empty when it was moved."""
    if isinstance(answer, Refusal):
        return answer.reason
    return "nothing" if isinstance(answer, Nothing) else ""


def _visible(rows: list[Row], lead: Operator) -> list[Row]:
    return [row for row in rows if may_see(lead, row)]
