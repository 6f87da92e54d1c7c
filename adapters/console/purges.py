"""Removing an attachment from the desk: whoever holds the session, or a lead, and on the record."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from adapters.console.accounts import operator_of
from adapters.console.api import Api, Engine, is_lead
from adapters.console.forms import Form, FormError
from bridge.purges import PurgeError
from routing.inputs import PurgeReason


class PurgeDesk:
    """Routes below `/api`."""

    def __init__(self, engine: Engine, api: Api) -> None:
        self._engine = engine
        self._api = api

    def routes(self) -> Sequence[web.RouteDef]:
        return (web.post("/sessions/{session}/files/{file}/purge", self.purge),)

    async def purge(self, request: web.Request) -> web.Response:
        """Order it. The thread shows it at once; mirrors follow, and go on by themselves."""
        stored, form, operator = await self._api.reachable(request), await Form.of(request), operator_of(request)
        if stored.session.assignee != operator.id and not is_lead(operator, self._engine.policy()):
            raise web.HTTPForbidden
        try:
            why = PurgeReason(form.text("why"))
        except ValueError:
            raise FormError("unknown_choice", "why") from None
        try:
            fresh = await self._engine.purges.order(stored, request.match_info["file"], why, operator.id)
        except PurgeError:
            raise web.HTTPNotFound from None
        return web.json_response({"changed": fresh})
