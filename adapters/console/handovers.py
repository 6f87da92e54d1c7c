"""What the last shift handed over, for whoever opens the desk: the same digest that Slack gets in its channel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from adapters.console.accounts import operator_of
from adapters.console.api import Engine
from bridge.handover import Digest, latest
from routing.policy import HOUR

FRESH = 12 * HOUR
"""ms after which a digest is history: the next shift has begun."""


class HandoverDesk:
    """Routes below `/api`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def routes(self) -> Sequence[web.RouteDef]:
        return (web.get("/handovers", self.handovers),)

    async def handovers(self, request: web.Request) -> web.Response:
        """The fresh digests of the operator's desks, the latest first."""
        operator, store = operator_of(request), self._engine.store
        desks = [desk for desk in self._engine.policy().desks if operator.serves(desk)]
        found = await asyncio.gather(*(latest(store, desk) for desk in desks))
        since = await store.now() - FRESH
        fresh = sorted((one for one in found if one is not None and one.at > since), key=lambda one: -one.at)
        return web.json_response({"handovers": [_as_digest(one) for one in fresh]})


def _as_digest(digest: Digest) -> dict[str, object]:
    return {
        "desk": digest.desk,
        "at": digest.at,
        "leaves": digest.leaves,
        "comes": digest.comes,
        "open": digest.open,
        "waiting": digest.waiting,
        "under_way": digest.under_way,
        "held": digest.held,
        "near": [{"code": code, "at": at} for code, at in digest.near],
        "escalated": [{"code": code, "since": since, "taken": taken} for code, since, taken in digest.escalated],
    }
