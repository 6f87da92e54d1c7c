"""A template's code typed in a thread stands for the template's words, which the thread shows then. On every network.

They are typed words like others: whether they are a reply, can be undone, or stay inside, routing says. What cannot be
filled goes to nobody, and its author hears what is missing. A code that there is not stays inside: it was no sentence
for a customer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from bridge.messages import Body, TextPart
from bridge.networks.canned import Canned, Unknown, lacks
from bridge.networks.card import Wording
from bridge.ports import Placed, Stored
from bridge.relay import Answer, Door, Receipt
from bridge.templates import Filled, Lacking, Typed
from routing.decide import Nothing, Refusal
from routing.ids import InputKey, MessageId, OperatorId
from routing.inputs import OperatorNoted, OperatorRevised, OperatorWrote, Origin
from routing.session import Reason, Session


class Written(Protocol):
    """Somebody's message in a thread, as a network tells of it. `text` is what they typed."""

    @property
    def key(self) -> InputKey: ...
    @property
    def message(self) -> MessageId: ...
    @property
    def text(self) -> str: ...


W = TypeVar("W", bound=Written)


@dataclass(frozen=True, slots=True)
class TypedTemplates(Generic[W]):
    """`tell(said, text)` shows its author a line."""

    canned: Canned
    door: Door
    wording: Wording
    tell: Callable[[W, str], Awaitable[None]]

    async def said(
        self, said: W, placed: Placed, stored: Stored, typed: Typed, operator: OperatorId, author: str
    ) -> Answer:
        """What the code stands for. Its words were not written in the thread, so they are posted there."""
        session = stored.session
        found = await self.canned.read(typed, session, operator)
        if not isinstance(found, Filled):
            return await self._kept(said, placed, session, typed, found, operator)
        if session.mirror.number != placed.mirror:
            return Refusal(Reason.MOVED)
        event = OperatorWrote(said.message, operator, author)
        answer = await self.door.from_operator(session.id, event, said.key, body=_body(found.text))
        if isinstance(answer, Receipt) and answer.fresh:
            await self.canned.note_use(session, typed.code)
        return answer

    async def revised(self, revised: W, revision: int, stored: Stored, typed: Typed, operator: OperatorId) -> Answer:
        """The message was changed into a code, or into another one."""
        session = stored.session
        found = await self.canned.read(typed, session, operator)
        if not isinstance(found, Filled):
            await self.tell(revised, self._why(found, typed, session))
            return Nothing("a template that cannot go out changes nothing")
        event = OperatorRevised(revised.message, operator, revision)
        return await self.door.from_operator(session.id, event, revised.key, body=_body(found.text))

    async def _kept(
        self, said: W, placed: Placed, session: Session, typed: Typed, found: Lacking | Unknown, operator: OperatorId
    ) -> Answer:
        await self.tell(said, self._why(found, typed, session))
        if not isinstance(found, Unknown):
            return Nothing("a template that lacks something goes to nobody")
        noted = OperatorNoted(said.message, operator, Origin(placed.mirror))
        return await self.door.from_operator(session.id, noted, said.key, body=_body(said.text))

    def _why(self, found: Lacking | Unknown, typed: Typed, session: Session) -> str:
        if not isinstance(found, Unknown):
            return lacks(found, typed.code, self.wording, session.language)
        codes = ", ".join(f";{code}" for code in found.nearest)
        near = self.wording(session.language, "told.template_nearest", codes=codes) if codes else ""
        return self.wording(session.language, "told.template_unknown", code=typed.code, nearest=near).strip()


def _body(text: str) -> Body:
    return Body((TextPart(text),))
