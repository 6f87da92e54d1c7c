"""Views: the card on a network, and the line in a desk's list. Drawn from the session as it is, never from a change.

A commit marks a view as stale; whoever holds the destination's lease redraws it some moments later, so that a burst
of changes costs one drawing and never delays text. Both are derived: losing one loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from bridge.errors import DeliveryError, KakehashiError
from bridge.leases import INDEX, Leases
from bridge.ports import Delivery, Line, Network, Store, Stored
from routing.effects import OpenThread
from routing.ids import EffectId, NetworkName, SessionId
from routing.session import Session

CARD_EVERY = 2_000
"""ms. A card is redrawn at most this often: Slack edits at Tier 3, fifty a minute for the whole workspace."""

TICK = 0.5
"""Seconds between looks."""

log = structlog.get_logger(__name__)


class Views:
    """Redraws stale cards and lines of the partitions whose leases this process holds."""

    def __init__(self, store: Store, networks: Mapping[NetworkName, Network], leases: Leases) -> None:
        self._store = store
        self._networks = networks
        self._leases = leases

    async def run(self) -> None:
        """Redraw until cancelled."""
        while True:
            try:
                await self.tick()
            except KakehashiError as error:
                log.warning("views_not_drawn", reason=error.what)
            await asyncio.sleep(TICK)

    async def tick(self) -> None:
        """One look at everything that is stale."""
        now = await self._store.now()
        for to in (INDEX, *self._networks):
            for partition, _term in self._leases.partitions(to):
                stale = await self._store.stale_views(partition, to, now)
                await asyncio.gather(*(self._redraw(to, session, now) for session in stale[:AT_ONCE]))

    async def _redraw(self, to: NetworkName, session: SessionId, now: int) -> None:
        stored = await self._store.load(session)
        head = stored.head if stored else 0
        try:
            if stored is not None:
                await (self._draw_line(stored) if to == INDEX else self._draw_card(to, stored))
        except DeliveryError as error:
            log.info("card_put_off", session=session, to=to, code=error.code)
            head = -1  # it stays stale
        await self._store.view_refreshed(to, session, head, now + CARD_EVERY)

    async def _draw_line(self, stored: Stored) -> None:
        session = stored.session
        await self._store.put_line(Line(session.id, session.code, session.desk, stored.head, summary(session)))
        if session.transfers:
            for entry in await self._store.journal(session.id):
                left = getattr(entry.fact, "from_desk", None)
                if left is not None and left != session.desk:
                    await self._store.drop_line(left, session.id, stored.head)

    async def _draw_card(self, to: NetworkName, stored: Stored) -> None:
        session, mirror = stored.session, stored.session.mirror
        thread = (await self._store.threads(session.id)).get(mirror.number)
        if mirror.network != to or thread is None or session.erased:
            return  # the root shows the session as it is when it is posted
        effect = OpenThread(id=EffectId(f"card/{session.id}/{stored.head}"), to=to, mirror=mirror.number)
        about = await self._store.about(session.id)
        await self._networks[to].refresh(Delivery(effect, session, about, thread))


AT_ONCE = 32
"""Views drawn at once of one partition; the rest a moment later."""


def summary(session: Session) -> dict[str, object]:
    """What a desk's list shows of a session: ids and states, no words and no names."""
    return {
        "state": session.state,
        "language": session.language,
        "topic": session.topic,
        "assignee": session.assignee,
        "waiting_since": session.waiting_since,
        "turn": session.turn.of,
        "until": session.turn.until,
        "presence": session.presence,
        "last_at": session.last_at,
        "messages": session.messages,
        "customer": str(session.customer),
        "verified": session.verified,
    }
