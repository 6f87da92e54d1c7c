"""Replies that are ready, on the desk page: offered as in a thread, and sent with every gap filled or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from adapters.console.accounts import operator_of
from adapters.console.api import Api, Engine
from adapters.console.forms import Form, FormError
from bridge.messages import Body, TextPart
from bridge.networks.canned import Canned
from bridge.templates import Lacking, Template
from routing.ids import MessageId, OperatorId
from routing.inputs import Manner, OperatorWrote
from routing.session import Session


class TemplateDesk:
    """Routes below `/api`. Where there are no templates at all, none are offered."""

    def __init__(self, engine: Engine, api: Api) -> None:
        self._canned = engine.canned
        self._api = api

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/sessions/{session}/templates", self.offered),
            web.post("/sessions/{session}/template", self.send),
        )

    async def offered(self, request: web.Request) -> web.Response:
        """Those with words for this customer, the likeliest first, as they would be read; `missing` are the gaps that
        an operator has to fill."""
        stored, operator = await self._api.reachable(request), operator_of(request).id
        canned = self._canned
        ready = await canned.offered(stored.session) if canned is not None else []
        shown = [await _shown(canned, one, stored.session, operator) for one in ready] if canned is not None else []
        return web.json_response({"templates": shown})

    async def send(self, request: web.Request) -> web.Response:
        """The customer gets its words. What it lacks stops it, and is named."""
        form, stored, who = await Form.of(request), await self._api.reachable(request), operator_of(request)
        operator = who.id
        code, given = form.text("code"), form.wording("given")
        template = self._canned.named(stored.session, code) if self._canned is not None else None
        if template is None or self._canned is None:
            raise FormError("template_gone", "code")
        filled = await self._canned.fill(template, stored.session, operator, given)
        if isinstance(filled, Lacking):
            return _refused(filled)
        event = OperatorWrote(MessageId(f"o:{form.client_id()}"), operator, who.account, manner=Manner.REPLY)
        answer = await self._api.hand_over(request, form, event, Body((TextPart(filled.text),)))
        if answer.status == HTTPStatus.OK:
            await self._canned.note_use(stored.session, code)
        return answer


async def _shown(canned: Canned, template: Template, session: Session, operator: OperatorId) -> dict[str, object]:
    words, missing = await canned.preview(template, session, operator)
    return {"code": template.code, "title": template.title, "words": words, "missing": missing}


def _refused(lacking: Lacking) -> web.Response:
    code = "template_language" if lacking.language else "template_long" if lacking.too_long else "template_lacks"
    error = {"code": code, "retry": False, "names": lacking.names}
    return web.json_response({"error": error}, status=HTTPStatus.CONFLICT)
