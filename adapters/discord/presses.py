"""What is done when somebody presses a button of ours or chooses from a card's menu: `DEEDS`, by the action's name.

An interaction is answered once within three seconds: committed first, answered then. Who is refused reads why, alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

from adapters.discord.held import KEEP, SEND, UNDO
from adapters.discord.parse import MENU, Pressed
from bridge.card import Action
from bridge.messages import Body
from bridge.relay import Answer
from routing.ids import InputKey, OperatorId, SessionId
from routing.inputs import (
    OperatorAcknowledged,
    OperatorAskedCheck,
    OperatorClaimed,
    OperatorDeclined,
    OperatorEscalated,
    OperatorInput,
    OperatorReleased,
    OperatorResolved,
    OperatorSent,
    OperatorUnblocked,
    OperatorUndid,
)


class Door(Protocol):
    """Where operators' inputs enter: the assignments, which keep to everybody's capacity, or the relay itself."""

    async def from_operator(
        self, session: SessionId, event: OperatorInput, key: InputKey, *, body: Body | None = None
    ) -> Answer: ...


Deed = Callable[[OperatorId, Pressed], OperatorInput | None]


def _send(operator: OperatorId, pressed: Pressed) -> OperatorInput | None:
    return OperatorSent(pressed.aim.message, operator) if pressed.aim.message else None


def _undo(operator: OperatorId, pressed: Pressed) -> OperatorInput | None:
    return OperatorUndid(pressed.aim.message, operator) if pressed.aim.message else None


DEEDS: Mapping[str, Deed] = {
    Action.ACKNOWLEDGE: lambda operator, _: OperatorAcknowledged(operator),
    Action.CLAIM: lambda operator, _: OperatorClaimed(operator),
    Action.REOPEN: lambda operator, _: OperatorClaimed(operator),
    Action.RESOLVE: lambda operator, _: OperatorResolved(operator),
    Action.PUT_BACK: lambda operator, _: OperatorReleased(operator),
    Action.DECLINE: lambda operator, _: OperatorDeclined(operator),
    Action.ESCALATE: lambda operator, _: OperatorEscalated(operator),
    Action.CHECK: lambda operator, _: OperatorAskedCheck(operator, secrets.token_urlsafe(24)),
    Action.UNBLOCK: lambda operator, _: OperatorUnblocked(operator),
    SEND: _send,
    KEEP: _undo,
    UNDO: _undo,
}

OFFERED: frozenset[Action] = frozenset(action for action in Action if action in DEEDS)
"""What a card offers here: what needs no window."""


def deed(pressed: Pressed) -> Deed | None:
    return DEEDS.get(pressed.aim.choice if pressed.action == MENU else pressed.action)
