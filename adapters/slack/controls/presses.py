"""What is done when somebody presses a button of ours or chooses from a menu: `DEEDS`, by the action's name.

`inbound` has found the session and its thread by then, and knows that whoever pressed may act. A deed that is input of
the session's is committed before it returns, as everything is that Slack tells.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.slack.inward.deletions import WITHDRAW
from adapters.slack.parse import Pressed
from adapters.slack.refs import Root
from adapters.slack.render import Wording
from adapters.slack.shown.card import MENU
from adapters.slack.shown.held import KEEP, SEND, UNDO
from bridge.messages import Body
from bridge.networks import deeds
from bridge.networks.card import Action
from bridge.networks.windows import WINDOWS
from bridge.ports import Stored
from bridge.relay import Answer, Door, Receipt
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import (
    OperatorInput,
    OperatorSent,
    OperatorUndid,
    OperatorWithdrew,
)
from routing.session import Session


@dataclass(frozen=True, slots=True)
class Desk:
    """What deeds work with. `answer(answer, key, root, user, stored)` tells whoever acted of a refusal, and the way;
    `open(name, press)` opens a window for them; `latest` is the session in which the customer is spoken of now;
    `explain(answer, message, key, root, user)` tells of words that stayed inside; `posted(session, mirror, channel,
    ts)` is the message that stands in a post; `respond(url, body)` changes what was pressed, where only they see it."""

    door: Door
    answer: Callable[[Answer, InputKey, Root, str, Stored], Awaitable[None]]
    open: Callable[[Action, Press], None]
    latest: Callable[[Stored], Awaitable[Stored]]
    explain: Callable[[Answer, MessageId, InputKey, Root, str], None]
    posted: Callable[[Session, int, str, str], Awaitable[MessageId | None]]
    respond: Callable[[str, Mapping[str, Any]], Awaitable[None]]
    wording: Wording


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


def _bare(action: Action) -> Deed:
    async def enter(press: Press) -> None:
        subject = press
        if action in deeds.OF_THE_CUSTOMER:
            subject = replace(press, stored=await press.desk.latest(press.stored))
        await subject.enter(deeds.BARE[action](press.operator))

    return enter


def _window(name: Action) -> Deed:
    async def open_it(press: Press) -> None:
        press.desk.open(name, press)

    return open_it


async def _choose(press: Press) -> None:
    """What was chosen from a card's menu."""
    deed = DEEDS.get(press.pressed.aim.choice)
    if deed is not None and deed is not _choose:
        await deed(press)


async def _withdraw(press: Press) -> None:
    """Their own words, which somebody else has deleted in Slack."""
    message = press.pressed.aim.message
    if message is not None:
        await press.enter(OperatorWithdrew(message, press.operator))


async def send_to_customer(press: Press) -> None:
    """A held message, or a note, goes out under the name of whoever pressed. Its message is `press.pressed.aim`'s; what
    was chosen in the menu of a post of ours is the message that stands there: a note from the desk page, say."""
    pressed, session = press.pressed, press.stored.session
    message = pressed.aim.message
    if message is not None and pressed.ts:
        message = await press.desk.posted(session, pressed.placed.mirror, pressed.channel, pressed.ts) or message
    if message is not None:
        await _settle(press, await press.enter(OperatorSent(message, press.operator)), "told.sent")


async def _keep(press: Press) -> None:
    """Undone, or kept inside: the author of what was undone is offered to send it after all."""
    message, pressed = press.pressed.aim.message, press.pressed
    if message is not None:
        answer = await press.enter(OperatorUndid(message, press.operator))
        press.desk.explain(answer, message, pressed.key, press.root, pressed.author.user)
        await _settle(press, answer, "told.kept")


async def _settle(press: Press, answer: Answer, key: str) -> None:
    """A line that only they see says what was done, and loses its button; a line of the thread is the lane's to end."""
    if press.pressed.only_theirs and press.pressed.answer and isinstance(answer, Receipt):
        text = press.desk.wording(press.stored.session.language, key)
        await press.desk.respond(press.pressed.answer, {"replace_original": True, "text": text})


DEEDS: Mapping[str, Deed] = {
    **{action: _bare(action) for action in deeds.BARE},
    MENU: _choose,
    WITHDRAW: _withdraw,
    **{name: _window(name) for name in WINDOWS},
    SEND: send_to_customer,
    KEEP: _keep,
    UNDO: _keep,
}
