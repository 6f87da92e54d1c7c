"""Views: the card on a network, and the line in a desk's list. Drawn from the session as it is, never from a change.

A commit marks a view as stale; whoever holds the destination's lease redraws it some moments later, so that a burst
of changes costs one drawing and never delays text. Both are derived: losing one loses nothing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping

import structlog

from bridge.errors import DeliveryError, Fault, KakehashiError, StoreUnavailableError
from bridge.leases import INDEX, Leases
from bridge.ports import Delivery, Line, Network, Store, Stored
from routing import sla
from routing.effects import OpenThread
from routing.estimate import handling
from routing.figures import milestones
from routing.ids import EffectId, NetworkName, SessionId, partition_in
from routing.policy import Policy
from routing.queue import rank, waiting
from routing.session import Session

CARD_EVERY = 2_000
"""ms. A card is redrawn at most this often: Slack edits at Tier 3, fifty a minute for the whole workspace."""

TICK = 0.5
"""Seconds between looks."""

log = structlog.get_logger(__name__)


class Views:
    """Redraws stale cards and lines of the partitions whose leases this process holds."""

    def __init__(
        self,
        store: Store,
        networks: Mapping[NetworkName, Network],
        leases: Leases,
        policy: Callable[[], Policy],
    ) -> None:
        self._store = store
        self._networks = networks
        self._leases = leases
        self._policy = policy
        self._drawn_under: object = None
        self._passed: OrderedDict[SessionId, object] = OrderedDict()

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
        if to == INDEX:
            await self._draw_anew(now)
        ours = self._leases.partitions(to)
        found = await asyncio.gather(*(self._store.stale_views(partition, to, now) for partition, _term in ours))
        stale = [session for sessions in found for session in sessions]
        for start in range(0, len(stale), AT_ONCE):
            await asyncio.gather(*(self._redraw(to, session, now) for session in stale[start : start + AT_ONCE]))

    async def _draw_anew(self, now: int) -> None:
        """Another policy moves ranks and promises of what is listed; a release that knew fewer left some out."""
        policy = self._policy()
        rules = (policy.desks, policy.topic_rules, policy.head_starts)
        if rules == self._drawn_under:
            return
        lines = [line for desk in policy.desks for line in await self._store.lines(desk)]
        if self._drawn_under is None:
            lines = [line for line in lines if "rank" not in line.summary]
        mine = {partition for partition, _term in self._leases.partitions(INDEX)}
        for start in range(0, len(lines), AT_ONCE):
            chunk = [one for one in lines[start : start + AT_ONCE] if partition_in(one.session) in mine]
            await asyncio.gather(*(self._redraw(INDEX, one.session, now) for one in chunk))
        self._drawn_under = rules

    async def _redraw(self, to: NetworkName, session: SessionId, now: int) -> None:
        again_in = CARD_EVERY
        try:
            head = await self._draw(to, session)
        except StoreUnavailableError:
            raise
        except DeliveryError as error:
            log.info("card_put_off", session=session, to=to, code=error.code)
            patience = BROKEN_EVERY if error.fault is Fault.BLOCKED else int((error.retry_after or 0) * 1000)
            head, again_in = STALE, max(CARD_EVERY, patience)
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
        shown = summary(session, self._policy())
        await self._store.put_line(Line(session.id, session.code, session.desk, stored.head, shown))
        done = handling(session)
        if done is not None:
            await self._store.note_handled(session.desk, session.id, *done)
        await self._note_milestones(session)
        if session.transfers:
            for entry in await self._store.journal(session.id):
                left = getattr(entry.fact, "from_desk", None)
                if left is not None and left != session.desk:
                    await self._store.drop_line(left, session.id, stored.head)

    async def _note_milestones(self, session: Session) -> None:
        """The journal is read when there is one more, and once by a process that has not seen the session before."""
        passed = (session.first_response_at, session.resolved_at, session.reopenings)
        if self._passed.get(session.id) == passed:
            return
        entries = await self._store.journal(session.id)
        await self._store.note_milestones([*milestones(entry.fact for entry in entries)])
        self._passed[session.id] = passed
        if len(self._passed) > PASSED:
            self._passed.popitem(last=False)

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


PASSED = 10_000
"""Sessions whose milestones this process remembers to have noted."""

AT_ONCE = 32
"""Views of one destination drawn at once."""

STALE = -1
"""No session is at this head: what shows it is looked at again."""

DRAW_WITHIN = 10.0
"""Seconds for one card: a network that hangs is as good as one that refuses."""

BROKEN_EVERY = 60_000
"""ms between attempts at a view that cannot be drawn at all."""


def summary(session: Session, policy: Policy) -> dict[str, object]:
    """What a desk's list shows of a session: ids, states and times, no words and no names."""
    one, desk = waiting(session), policy.desk_of(session.desk, session.language, session.topic)
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
        "rank": rank(one, policy)[:2] if one is not None else None,
        "due": {kind.value: at for kind, at in sla.misses(session, desk, policy).items()},
        "warned": session.warned,
        "missed": session.missed,
        "escalation": _escalation(session),
        "offer": {"operator": session.offer.operator, "until": session.offer.until} if session.offer else None,
        "incident": session.incident,
        "check": session.check.state if session.check else None,
        "opens_at": session.opens_at,
        "returning": one is not None and one.returning,
        "declined": session.declined,
        "declined_at": session.declined_at,
        "last_operator": session.last_operator,
        "assigned_at": session.assigned_at,
        "berth": session.mirror.place,
        "taken_over": session.taken_over,
    }


def _escalation(session: Session) -> dict[str, object] | None:
    ladder = session.escalation
    if ladder is None:
        return None
    return {
        "id": ladder.id,
        "why": ladder.why,
        "since": ladder.since,
        "rung": ladder.rung,
        "called": ladder.called,
        "acknowledged_by": ladder.acknowledged_by,
        "acknowledged_at": ladder.acknowledged_at,
    }
