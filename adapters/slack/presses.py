"""What is done when somebody presses a button of ours or chooses from a menu: `DEEDS`, by the action's name.

`inbound` has found the session and its thread by then, and knows that whoever pressed may act. A deed that is input of
the session's is committed before it returns, as everything is that Slack tells.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from adapters.slack.parse import ACKNOWLEDGE, CLAIM, RESOLVE, Pressed
from adapters.slack.refs import Root
from bridge.messages import Body
from bridge.ports import Stored
from bridge.relay import Answer
from routing.ids import InputKey, OperatorId, SessionId
from routing.inputs import OperatorAcknowledged, OperatorClaimed, OperatorInput, OperatorResolved


class Door(Protocol):
    """Where operators' inputs enter: the assignments, which keep to everybody's capacity, or the relay itself."""

    async def from_operator(
        self, session: SessionId, event: OperatorInput, key: InputKey, *, body: Body | None = None
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What deeds work with. `answer(answer, key, root, user, stored)` tells whoever acted of a refusal, and the way."""

    door: Door
    answer: Callable[[Answer, InputKey, Root, str, Stored], Awaitable[None]]


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


async def _resolve(press: Press) -> None:
    await press.enter(OperatorResolved(press.operator))


async def _acknowledge(press: Press) -> None:
    await press.enter(OperatorAcknowledged(press.operator))


DEEDS: Mapping[str, Deed] = {
    ACKNOWLEDGE: _acknowledge,
    CLAIM: _claim,
    RESOLVE: _resolve,
}
