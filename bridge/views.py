"""Views: the card on a network, and the line in a desk's list. Drawn from the session as it is, never from a change.

A commit marks a view as stale; whoever holds the destination's lease redraws it some moments later, so that a burst
of changes costs one drawing and never delays text. Both are derived: losing one loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from bridge.errors import DeliveryError, KakehashiError, StoreUnavailableError
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
        """Redraw until cancelled; a network that does not answer holds up its own cards only."""
        await asyncio.gather(*map(self._rounds, (INDEX, *self._networks)))

    async def _rounds(self, to: NetworkName) -> None:
        while True:
            try:
                await self._look(to)
            except KakehashiError as error:
                log.warning("views_not_drawn", to=to, reason=error.what)
            await asyncio.sleep(TICK)

    async def tick(self) -> None:
        """One look at everything that is stale."""
        await asyncio.gather(*map(self._look, (INDEX, *self._networks)))

    async def _look(self, to: NetworkName) -> None:
        now = await self._store.now()
        ours = self._leases.partitions(to)
        found = await asyncio.gather(*(self._store.stale_views(partition, to, now) for partition, _term in ours))
        stale = [session for sessions in found for session in sessions]
        for start in range(0, len(stale), AT_ONCE):
            await asyncio.gather(*(self._redraw(to, session, now) for session in stale[start : start + AT_ONCE]))

    async def _redraw(self, to: NetworkName, session: SessionId, now: int) -> None:
        again_in = CARD_EVERY
        try:
            head = await self._draw(to, session)
        except StoreUnavailableError:
            raise
        except DeliveryError as error:
            log.info("card_put_off", session=session, to=to, code=error.code)
            head, again_in = STALE, max(CARD_EVERY, int((error.retry_after or 0) * 1000))
        except Exception as error:
            # Whatever is wrong with this one, the others are drawn.
            log.warning("view_broke", session=session, to=to, error=type(error).__name__)
            head, again_in = STALE, BROKEN_EVERY
        await self._store.view_refreshed(to, session, head, now + again_in)

    async def _draw(self, to: NetworkName, session: SessionId) -> int:
        """Draw it as it is now; the head that it shows, or STALE."""
        stored = await self._store.load(session)
        if stored is None:
            return 0
        if to == INDEX:
            await self._draw_line(stored)
            return stored.head
        async with asyncio.timeout(DRAW_WITHIN):
            return stored.head if await self._draw_card(to, stored) else STALE

    async def _draw_line(self, stored: Stored) -> None:
        session = stored.session
        await self._store.put_line(Line(session.id, session.code, session.desk, stored.head, summary(session)))
        if session.transfers:
            for entry in await self._store.journal(session.id):
                left = getattr(entry.fact, "from_desk", None)
                if left is not None and left != session.desk:
                    await self._store.drop_line(left, session.id, stored.head)

    async def _draw_card(self, to: NetworkName, stored: Stored) -> bool:
        session, mirror = stored.session, stored.session.mirror
        if mirror.network != to or session.erased:
            return True
        thread = (await self._store.threads(session.id)).get(mirror.number)
        if thread is None:
            return False  # its root is on its way, and may show the session as it was a moment ago
        effect = OpenThread(id=EffectId(f"card/{session.id}/{stored.head}"), to=to, mirror=mirror.number)
        about = await self._store.about(session.id)
        await self._networks[to].refresh(Delivery(effect, session, about, thread))
        return True


AT_ONCE = 32
"""Views of one destination drawn at once."""

STALE = -1
"""No session is at this head: what shows it is looked at again."""

DRAW_WITHIN = 10.0
"""Seconds for one card: a network that hangs is as good as one that refuses."""

BROKEN_EVERY = 60_000
"""ms between attempts at a view that cannot be drawn at all."""


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
