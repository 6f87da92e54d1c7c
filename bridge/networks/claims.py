"""Claiming next: an operator who has time takes whoever is to be served next, without choosing."""

from __future__ import annotations

from bridge.networks.roster import Roster
from bridge.relay import Door, Receipt
from routing.decide import Refusal
from routing.ids import InputKey, OperatorId, SessionId
from routing.inputs import OperatorClaimed
from routing.session import Reason

TRIES = 3
"""Waiting customers that are asked for before it is given up: each was taken by somebody else meanwhile."""


async def claim_next(roster: Roster, door: Door, operator: OperatorId, key: str) -> Receipt | Reason | None:
    """The session that is theirs now; why they may have none; None where nobody waits. `key` names the press."""
    passed = set[SessionId]()
    for attempt in range(TRIES):
        session = await roster.next_for(operator, passed)
        if session is None:
            break
        answer = await door.from_operator(session, OperatorClaimed(operator), InputKey(f"{key}/{attempt}"))
        if isinstance(answer, Receipt):
            return answer
        if isinstance(answer, Refusal) and answer.reason is Reason.AT_CAPACITY:
            return answer.reason
        passed.add(session)
    return None
