"""Submissions: what a window that was filled in means as input of its session, whichever network it came from.

What the rules refuse is said at the field that it is about, where a network can; nothing is stored then, and it can be
put right and sent again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bridge.messages import Body, TextPart
from bridge.networks import blocks
from bridge.networks.canned import Canned, lacks
from bridge.networks.card import Action
from bridge.networks.windows import FILL, FOR_GOOD, OUTCOMES, REPLY, WITHIN, Words
from bridge.ports import Placed, Store, Stored
from bridge.relay import Answer, Door, Receipt, Relay
from bridge.templates import Lacking
from routing import inputs as i
from routing.decide import Refusal
from routing.ids import DeskId, InputKey, MessageId, OperatorId
from routing.inputs import Outcome
from routing.policy import MINUTE, Policy
from routing.session import Reason, State

DAY = 24 * 60 * MINUTE

GAP = "gap."
"""Before the name of a template's gap, in the name of the field for it."""

FIELDS: Mapping[str, str] = {
    Action.NOTE: "words",
    Action.TRANSFER: "desk",
    Action.HOLD: "within",
    Action.RESOLVE: "outcome",
    Action.TEMPLATES: "template",
    Action.BLOCK: "how_long",
}
"""Where a window says what no field of its own is to blame for."""

_BLAMED: Mapping[Reason, str] = {Reason.AT_CAPACITY: "operator", Reason.NOT_AVAILABLE: "operator"}


@dataclass(frozen=True, slots=True)
class Submission:
    """`key` names it for ever, and `message` the words in it; `author` is who sent it, by the network's whole name for
    them. `texts` and `choices` are by the field's name; `until` is a moment that was chosen outright, in ms since 1970
    (UTC); `template` and `quote` are what the window was opened with."""

    name: str
    key: InputKey
    message: MessageId
    author: str
    placed: Placed
    texts: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    until: int | None = None
    template: str = ""
    quote: str = ""

    def text(self, name: str) -> str:
        return self.texts.get(name, "").strip()

    def chosen(self, name: str) -> str:
        return next(iter(self.choices.get(name, ())), "")

    def asks(self, name: str) -> bool:
        """Whether its window has this field."""
        return name in self.texts or name in self.choices


@dataclass(frozen=True, slots=True)
class Done:
    """It is durable. `answer` is the relay's; None: nothing was asked for."""

    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Nothing was stored, and why: at these fields, or in the window at large. `reason` is the rules', if it is."""

    text: str
    fields: tuple[str, ...] = ()
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing was stored, and nothing that could be changed in the window helps."""

    text: str
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """A template was chosen: what the customer would read of it, and what is missing for that."""

    code: str
    preview: str
    missing: tuple[str, ...]


Verdict = Done | Wrong | Over | Next


class Submissions:
    """Whoever sent it is an operator: that was looked up before."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        door: Door,
        canned: Canned,
        words: Words,
        policy: Callable[[], Policy],
    ) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._canned = canned
        self._words = words
        self._policy = policy
        self._sends: Mapping[str, Callable[[Submission, Stored, OperatorId], Awaitable[Verdict]]] = {
            Action.NOTE: self._note,
            Action.TRANSFER: self._transfer,
            Action.HOLD: self._hold,
            Action.RESOLVE: self._resolve,
            Action.TEMPLATES: self._choose,
            FILL: self._send,
            REPLY: self._write,
            Action.BLOCK: self._block,
        }

    def knows(self, name: str) -> bool:
        return name in self._sends

    async def take(self, sent: Submission, stored: Stored, operator: OperatorId) -> Verdict:
        """Durable when it returns. Raises KakehashiError where it could not be stored."""
        return await self._sends[sent.name](sent, stored, operator)

    async def _enter(
        self, sent: Submission, stored: Stored, event: i.OperatorInput, words: str = "", about: str = ""
    ) -> Answer:
        body = Body((TextPart(words),)) if words else None
        key = InputKey(f"{sent.key}/{about}" if about else sent.key)
        return await self._door.from_operator(stored.session.id, event, key, body=body)

    def _closing(self, answer: Answer, sent: Submission, stored: Stored) -> Verdict:
        if isinstance(answer, Refusal):
            return self.refused(sent, answer.reason, stored.session.language)
        return Done(answer)

    def refused(self, sent: Submission, reason: Reason, language: str) -> Wrong:
        """At the field that is to blame, as far as its window has it."""
        blamed = _BLAMED.get(reason, "")
        fields = (blamed,) if blamed and sent.asks(blamed) else ()
        return Wrong(self._words.wording(language, f"refused.{reason}"), fields, reason)

    async def _note(self, sent: Submission, stored: Stored, operator: OperatorId) -> Verdict:
        quoted = f"> {sent.quote}\n" if sent.quote else ""
        event = i.OperatorNoted(sent.message, operator)
        return self._closing(await self._enter(sent, stored, event, quoted + sent.text("words")), sent, stored)

    async def _transfer(self, sent: Submission, stored: Stored, operator: OperatorId) -> Verdict:
        desk, to, reason = DeskId(sent.chosen("desk")), sent.chosen("operator"), sent.text("reason")
        profile = self._policy().operators.get(OperatorId(to)) if to else None
        if to and (profile is None or not profile.works_at(desk)):
            return self.refused(sent, Reason.NOT_AVAILABLE, stored.session.language)
        event = i.OperatorTransferred(operator, desk, OperatorId(to) if to else None, sent.message if reason else None)
        return self._closing(await self._enter(sent, stored, event, reason), sent, stored)

    async def _hold(self, sent: Submission, stored: Stored, operator: OperatorId) -> Verdict:
        """One input with what is promised: should it be refused, nothing was said, and it can be put right."""
        promise, within = sent.text("words"), _number(sent.chosen("within"), WITHIN) * MINUTE
        until = sent.until if sent.until is not None else await self._store.now() + within
        if promise and _has_moved(sent, stored):
            return self.refused(sent, Reason.MOVED, stored.session.language)
        event = i.OperatorHeld(operator, until, sent.message if promise else None)
        answer = await self._enter(sent, stored, event, promise)
        if isinstance(answer, Refusal) and answer.reason in (Reason.HOLD_IN_PAST, Reason.HOLD_TOO_LONG):
            at = "until" if sent.until is not None else "within"
            return Wrong(self._words.wording(stored.session.language, f"refused.{answer.reason}"), (at,), answer.reason)
        return self._closing(answer, sent, stored)

    async def _resolve(self, sent: Submission, stored: Stored, operator: OperatorId) -> Verdict:
        if sent.chosen("outcome") not in OUTCOMES:
            return Done()
        known = self._words.tags()
        tags = tuple(tag for tag in sent.choices.get("tags", ()) if tag in known)
        event = i.OperatorResolved(operator, Outcome(sent.chosen("outcome")), tags)
        return self._closing(await self._enter(sent, stored, event), sent, stored)

    async def _block(self, sent: Submission, stored: Stored, operator: OperatorId) -> Verdict:
        days = sent.chosen("how_long")
        until = i.FOR_GOOD if days == FOR_GOOD else await self._store.now() + _number(days, 1) * DAY
        subject = await blocks.subject(self._relay, stored)
        return self._closing(await self._enter(sent, subject, i.OperatorBlocked(operator, until)), sent, stored)

    # ------------------------------------------------------------------ templates

    async def _choose(self, sent: Submission, stored: Stored, operator: OperatorId) -> Verdict:
        """The second step: what the customer will read, and what is missing for it."""
        session, code = stored.session, sent.chosen("template")
        template = self._canned.named(session, code)
        if template is None or template.in_language(session.language) is None:
            return Wrong(self._words.wording(session.language, "told.template_gone", code=code), ("template",))
        return Next(code, *await self._canned.preview(template, session, operator))

    async def _send(self, sent: Submission, stored: Stored, operator: OperatorId) -> Verdict:
        session, code = stored.session, sent.template
        template = self._canned.named(session, code)
        if template is None:
            return Over(self._words.wording(session.language, "told.template_gone", code=code))
        given = {name.removeprefix(GAP): sent.text(name) for name in sent.texts if name.startswith(GAP)}
        filled = await self._canned.fill(template, session, operator, given, sent.text("reply"))
        if isinstance(filled, Lacking):
            lacking = tuple(f"{GAP}{name}" for name in filled.names if sent.asks(f"{GAP}{name}"))
            text = lacks(filled, code, self._words.wording, session.language)
            return Wrong(text, lacking) if lacking else Over(text)
        answer = await self._reply(sent, stored, operator, filled.text)
        if isinstance(answer, Refusal):
            return Over(self._words.wording(session.language, f"refused.{answer.reason}"), answer.reason)
        if isinstance(answer, Receipt) and answer.fresh:
            await self._canned.note_use(session, code)
        return Done(answer)

    async def _write(self, sent: Submission, stored: Stored, operator: OperatorId) -> Verdict:
        return self._closing(await self._reply(sent, stored, operator, sent.text("words")), sent, stored)

    async def _reply(self, sent: Submission, stored: Stored, operator: OperatorId, words: str) -> Answer:
        """A reply said outright, by the window's own button. A session that moved while it was open gets none."""
        if _has_moved(sent, stored):
            return Refusal(Reason.MOVED)
        event = i.OperatorWrote(sent.message, operator, sent.author, manner=i.Manner.REPLY)
        return await self._enter(sent, stored, event, words, about="words")


def _has_moved(sent: Submission, stored: Stored) -> bool:
    session = stored.session
    return session.mirror.number != sent.placed.mirror and session.state is not State.CLOSED


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise
