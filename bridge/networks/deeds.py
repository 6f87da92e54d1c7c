"""Deeds: what a press of a button that needs no window is as input, whichever network it was pressed on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from bridge.networks.card import Action
from routing import inputs as i
from routing.ids import OperatorId


def _asked_check(operator: OperatorId) -> i.OperatorInput:
    return i.OperatorAskedCheck(operator, secrets.token_urlsafe(24))


BARE: Mapping[Action, Callable[[OperatorId], i.OperatorInput]] = {
    Action.ACKNOWLEDGE: i.OperatorAcknowledged,
    Action.CLAIM: i.OperatorClaimed,
    Action.REOPEN: i.OperatorClaimed,
    Action.PUT_BACK: i.OperatorReleased,
    Action.DECLINE: i.OperatorDeclined,
    Action.ESCALATE: i.OperatorEscalated,
    Action.CHECK: _asked_check,
    Action.UNBLOCK: i.OperatorUnblocked,
}
"""Actions that say all by themselves."""

OF_THE_CUSTOMER = (Action.UNBLOCK,)
"""Said in the customer's latest session, whichever was looked at (`bridge.networks.blocks`)."""
