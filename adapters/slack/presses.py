"""What is done when somebody presses a button of ours or chooses from a menu: `DEEDS`, by the action's name.

`inbound` has found the session and its thread by then, and knows that whoever pressed may act. A deed that is input of
the session's is committed before it returns, as everything is that Slack tells.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from adapters.slack.card import MENU
from adapters.slack.deletions import WITHDRAW
from adapters.slack.parse import ACKNOWLEDGE, CLAIM, Pressed
from adapters.slack.refs import Root
from adapters.slack.views import WINDOWS
from bridge.card import Action
from bridge.messages import Body
from bridge.ports import Stored
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
    OperatorUnblocked,
    OperatorWithdrew,
)


class Door(Protocol):
    """Where operators' inputs enter: the assignments, which keep to everybody's capacity, or the relay itself."""

    async def from_operator(
        self, session: SessionId, event: OperatorInput, key: InputKey, *, body: Body | None = None
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What deeds work with. `answer(answer, key, root, user, stored)` tells whoever acted of a refusal, and the way;
    `open(name, press)` opens a window for them; `latest` is the session in which the customer is spoken of now."""

    door: Door
    answer: Callable[[Answer, InputKey, Root, str, Stored], Awaitable[None]]
    open: Callable[[Action, Press], None]
    latest: Callable[[Stored], Awaitable[Stored]]


@dataclass(frozen=True, slots=True)
class Press:
    """What was pressed, where, on which session, and by which operator."""

    pressed: Pressed
    root: Root
    stored: Stored
    operator: OperatorId
    desk: Desk

    async def enter(self, event: OperatorInput, body: Body | None = None) -> Answer:
        """Input of the session's; a refusal is told to whoever pressed."""
        key, session = self.pressed.key, self.stored.session.id
        answer = await self.desk.door.from_operator(session, event, key, body=body)
        await self.desk.answer(answer, key, self.root, self.pressed.author.user, self.stored)
        return answer


Deed = Callable[[Press], Awaitable[object]]


async def _claim(press: Press) -> None:
    await press.enter(OperatorClaimed(press.operator))


async def _put_back(press: Press) -> None:
    await press.enter(OperatorReleased(press.operator))


async def _decline(press: Press) -> None:
    await press.enter(OperatorDeclined(press.operator))


async def _escalate(press: Press) -> None:
    await press.enter(OperatorEscalated(press.operator))


async def _check(press: Press) -> None:
    await press.enter(OperatorAskedCheck(press.operator, secrets.token_urlsafe(24)))


async def _unblock(press: Press) -> None:
    subject = replace(press, stored=await press.desk.latest(press.stored))
    await subject.enter(OperatorUnblocked(press.operator))


def _window(name: Action) -> Deed:
    async def open_it(press: Press) -> None:
        press.desk.open(name, press)

    return open_it


async def _choose(press: Press) -> None:
    """What was chosen from a card's menu."""
    deed = DEEDS.get(press.pressed.aim.choice)
    if deed is not None and deed is not _choose:
        await deed(press)


async def _acknowledge(press: Press) -> None:
    await press.enter(OperatorAcknowledged(press.operator))


async def _withdraw(press: Press) -> None:
    """Their own words, which somebody else has deleted in Slack."""
    message = press.pressed.aim.message
    if message is not None:
        await press.enter(OperatorWithdrew(message, press.operator))


DEEDS: Mapping[str, Deed] = {
    ACKNOWLEDGE: _acknowledge,
    CLAIM: _claim,
    Action.REOPEN: _claim,
    Action.PUT_BACK: _put_back,
    Action.DECLINE: _decline,
    Action.ESCALATE: _escalate,
    Action.CHECK: _check,
    Action.UNBLOCK: _unblock,
    MENU: _choose,
    WITHDRAW: _withdraw,
    **{name: _window(name) for name in WINDOWS},
}
