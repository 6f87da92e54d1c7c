"""What is done when somebody presses a button of ours or chooses from a card's menu: `DEEDS`, by the action's name.

What opens a window is not among them (`bridge.networks.windows.WINDOWS`), nor is what a home offers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.discord.heard.happenings import Pressed
from adapters.discord.refs import MENU
from adapters.discord.shown.held import KEEP, OFFER, SEND, UNDO, WITHDRAW
from adapters.discord.shown.views import TEMPLATE
from bridge.networks.card import Action
from bridge.networks.deeds import BARE
from routing.ids import OperatorId
from routing.inputs import OperatorInput, OperatorSent, OperatorUndid, OperatorWithdrew

Deed = Callable[[OperatorId, Pressed], OperatorInput | None]


def _bare(action: Action) -> Deed:
    return lambda operator, _: BARE[action](operator)


def _send(operator: OperatorId, pressed: Pressed) -> OperatorInput | None:
    return OperatorSent(pressed.aim.message, operator) if pressed.aim.message else None


def _undo(operator: OperatorId, pressed: Pressed) -> OperatorInput | None:
    return OperatorUndid(pressed.aim.message, operator) if pressed.aim.message else None


def _withdraw(operator: OperatorId, pressed: Pressed) -> OperatorInput | None:
    """Their own words, which somebody else has deleted on Discord."""
    return OperatorWithdrew(pressed.aim.message, operator) if pressed.aim.message else None


DEEDS: Mapping[str, Deed] = {
    **{action: _bare(action) for action in BARE},
    SEND: _send,
    OFFER: _send,
    KEEP: _undo,
    UNDO: _undo,
    WITHDRAW: _withdraw,
}

SETTLED: Mapping[str, str] = {OFFER: "told.sent", WITHDRAW: "line.withdrawn"}
"""What a line of ours to one person says once its button was pressed."""

MAY_EXPLAIN = (KEEP, UNDO)
"""After these the words stay inside: who pressed reads why, and how they go out after all."""


def action_of(pressed: Pressed) -> str:
    return pressed.aim.choice if pressed.action == MENU else pressed.action


def is_taken_back(pressed: Pressed) -> bool:
    """Nothing is chosen in a menu any more."""
    return pressed.action in (MENU, TEMPLATE) and not pressed.choices
