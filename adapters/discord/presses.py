"""What is done when somebody presses a button of ours or chooses from a card's menu: `DEEDS`, by the action's name.

An interaction is answered once within three seconds: committed first, answered then. Who is refused reads why, alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.discord.held import KEEP, OFFER, SEND, UNDO
from adapters.discord.parse import MENU, Pressed
from bridge.card import Action
from bridge.deeds import BARE
from routing.ids import OperatorId
from routing.inputs import OperatorInput, OperatorResolved, OperatorSent, OperatorUndid

Deed = Callable[[OperatorId, Pressed], OperatorInput | None]


def _bare(action: Action) -> Deed:
    return lambda operator, _: BARE[action](operator)


def _send(operator: OperatorId, pressed: Pressed) -> OperatorInput | None:
    return OperatorSent(pressed.aim.message, operator) if pressed.aim.message else None


def _undo(operator: OperatorId, pressed: Pressed) -> OperatorInput | None:
    return OperatorUndid(pressed.aim.message, operator) if pressed.aim.message else None


DEEDS: Mapping[str, Deed] = {
    **{action: _bare(action) for action in BARE},
    Action.RESOLVE: lambda operator, _: OperatorResolved(operator),
    SEND: _send,
    OFFER: _send,
    KEEP: _undo,
    UNDO: _undo,
}

SETTLED: Mapping[str, str] = {OFFER: "told.sent"}
"""What a line of ours to one person says once its button was pressed."""

OFFERED: frozenset[Action] = frozenset(action for action in Action if action in DEEDS)
"""What a card offers here: what needs no window."""


def deed(pressed: Pressed) -> Deed | None:
    return DEEDS.get(pressed.aim.choice if pressed.action == MENU else pressed.action)
