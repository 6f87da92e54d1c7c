"""Assignments: the door for whatever makes a session somebody's, so that capacity holds over all processes.

A place of the operator's capacity is reserved first, then the session is made theirs by the relay, and the place is
given back when it did not become theirs. Two operators never get one session: that the commit decides. No operator
gets more than they can hold: that the reservation decides. Words are never refused: the reply that claims a session
takes its place whatever the capacity.

Whoever dies between the two steps leaves a place that no session shows; `bridge.desks` finds and frees it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from bridge.availability import Availability
from bridge.errors import KakehashiError
from bridge.messages import Body
from bridge.ports import Reserved, Store, Stored
from bridge.relay import Answer, Receipt, Relay
from routing import inputs as i
from routing.assignment import occupied
from routing.decide import Refusal
from routing.ids import DeskId, InputKey, OperatorId, SessionId
from routing.policy import Policy
from routing.session import Reason, Session, State

RECLAIM_AFTER = 30_000
"""ms after which a place that no session shows counts as left by somebody who died: far above any call's deadline."""

CarryOut = Callable[[], Awaitable[Answer]]

log = structlog.get_logger(__name__)


class Assignments:
    """Adapters hand operators' inputs to `from_operator` here rather than to the relay; it answers as the relay."""

    def __init__(self, store: Store, relay: Relay, policy: Callable[[], Policy], availability: Availability) -> None:
        self._store = store
        self._relay = relay
        self._policy = policy
        self._availability = availability

    async def from_operator(
        self, session: SessionId, event: i.OperatorInput, key: InputKey, *, body: Body | None = None
    ) -> Answer:
        """Any input of an operator's: an act of theirs, and a place of their capacity where it claims the session.

        AT_CAPACITY is the one refusal that the relay does not give. Raises as `Relay.from_operator` does.
        """
        before = await self._relay.session(session)
        taker, limited = _taker(event, before.session) if before is not None else (None, False)

        async def carry_out() -> Answer:
            return await self._relay.from_operator(session, event, key, body=body)

        if before is None or taker is None:
            answer = await carry_out()
        else:
            limited = limited and not self._is_urgent(event, before.session)
            answer = await self._in_place(before, taker, limited, key, carry_out)
            if _is_full(answer) and isinstance(event, i.OperatorClaimed) and await self._pass_on(taker, key):
                answer = await self._in_place(before, taker, limited, key, carry_out)
        await self._settle(before, answer)
        if event.operator is not None:
            await self._availability.acted(event.operator)
        return answer

    def _is_urgent(self, event: i.OperatorInput, session: Session) -> bool:
        """Whoever takes an emergency by hand is not told to finish something else first."""
        return isinstance(event, i.OperatorClaimed) and self._policy().topic(session.topic).emergency

    async def _pass_on(self, operator: OperatorId, key: InputKey) -> bool:
        """Free the place of one that they are only being offered: they have just chosen another. Whether there was."""
        for session in (await self._store.reservations(operator)).sessions:
            stored = await self._relay.session(session)
            if stored is None or stored.session.offer is None or stored.session.offer.operator != operator:
                continue
            answer = await self._relay.from_bridge(session, i.OfferEnded(operator), InputKey(f"{key}/instead"))
            await self._settle(stored, answer)
            return True
        return False

    async def claim(self, session: SessionId, operator: OperatorId, key: InputKey) -> Answer:
        """By hand. Refused with AT_CAPACITY when they hold as many as they can."""
        return await self.from_operator(session, i.OperatorClaimed(operator), key)

    async def transfer(
        self, session: SessionId, by: OperatorId, desk: DeskId, to: OperatorId | None, key: InputKey
    ) -> Answer:
        """To a desk, or to an operator there, who must have room for it."""
        return await self.from_operator(session, i.OperatorTransferred(by, desk, to), key)

    async def reassign(
        self, sessions: Sequence[SessionId], by: OperatorId, desk: DeskId, to: OperatorId | None, key: InputKey
    ) -> list[tuple[SessionId, Answer]]:
        """Many at once, in this order, each for itself: what one is refused the next may be granted."""
        return [(one, await self.transfer(one, by, desk, to, InputKey(f"{key}/{one}"))) for one in sessions]

    async def put_back(self, session: SessionId, holder: OperatorId, key: InputKey) -> Answer:
        """Back into the line, out of the hands of who holds it, as if they had left; their place is free at once."""
        before = await self._relay.session(session)
        answer = await self._relay.from_bridge(session, i.OperatorWentOff(holder), key)
        await self._settle(before, answer)
        return answer

    async def offer(self, session: SessionId, proposal: i.OfferProposed, key: InputKey) -> Answer:
        """Put the session before an operator, for whom a place is kept until they answer."""
        before = await self._relay.session(session)
        if before is None:
            return Refusal(Reason.NO_SESSION)

        async def carry_out() -> Answer:
            return await self._relay.from_bridge(session, proposal, key)

        return await self._in_place(before, proposal.operator, True, key, carry_out)

    # ------------------------------------------------------------------ places

    async def _in_place(
        self,
        before: Stored,
        taker: OperatorId,
        limited: bool,
        key: InputKey,
        carry_out: CarryOut,
    ) -> Answer:
        session, begun = before.session.id, time.monotonic()
        reserved = await self._store.reserve(taker, session, self._capacity(taker) if limited else None)
        if reserved is Reserved.FULL and not await self._store.wrote_before(before.session.customer, key):
            return Refusal(Reason.AT_CAPACITY)
        answer = await carry_out()
        now = answer.stored if isinstance(answer, Receipt) else await self._relay.session(session)
        theirs = now is not None and occupied(now.session) == taker
        if reserved is Reserved.NEW and not theirs:
            await self._free(taker, session)
        elif now is not None and theirs and time.monotonic() - begun > RECLAIM_AFTER / 2_000:
            # We were away for so long that our place may have been taken for a dead one's.
            await self._store.confirm_reservation(taker, session, now.session.last_at)
        return answer

    async def _settle(self, before: Stored | None, answer: Answer) -> None:
        """Whose place the input has freed need not wait until the index shows it."""
        if before is None or not isinstance(answer, Receipt):
            return
        session = answer.stored.session
        former = occupied(before.session)
        if former is not None and former != occupied(session):
            await self._free(former, session.id, session.last_at)

    async def _free(self, operator: OperatorId, session: SessionId, before: int | None = None) -> None:
        with suppress(KakehashiError):  # it is found and freed later
            await self._store.give_back(operator, session, before)

    def _capacity(self, operator: OperatorId) -> int | None:
        """None for somebody whom no policy and no account names: what nobody has limited is not limited."""
        profile = self._policy().operators.get(operator)
        return profile.capacity if profile is not None else None


def _is_full(answer: Answer) -> bool:
    return isinstance(answer, Refusal) and answer.reason is Reason.AT_CAPACITY


def _taker(event: i.OperatorInput, session: Session) -> tuple[OperatorId | None, bool]:
    """Whose place the input would take, and whether their capacity is asked."""
    if isinstance(event, i.OperatorClaimed):
        return event.operator, True
    if isinstance(event, i.OperatorTransferred):
        return event.to, True
    if isinstance(event, i.OperatorReplied | i.OperatorWrote | i.OperatorSent) and session.state is State.QUEUED:
        return event.operator, False  # a place that the words do not take after all is given back
    if isinstance(event, i.OperatorHeld) and session.state in (State.QUEUED, State.RESOLVED):
        taker = session.assignee or event.operator
        return taker, taker == event.operator
    return None, False
