"""Windows at work: opened at once from a press, and what is filled in committed before Slack is answered.

A trigger lives three seconds, so a window opens beside the acknowledgement and not behind it. A submission is input of
its session like any other; what the rules refuse is said in the window, at the field that it is about, and nothing that
was typed is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from adapters.slack import forms
from adapters.slack.client import WebApi
from adapters.slack.forms import Form
from adapters.slack.pacing import Urgency
from adapters.slack.parse import Author, Pressed
from adapters.slack.presses import Door
from adapters.slack.refs import Root
from adapters.slack.views import FILL, FOR_GOOD, Choice, Frame, Pen
from bridge import blocks
from bridge.canned import Canned, DeskTitle
from bridge.card import Action, Title, Wording
from bridge.directory import Directory
from bridge.errors import DeliveryError, KakehashiError
from bridge.messages import Body, TextPart
from bridge.ports import Store, Stored
from bridge.relay import Answer, Receipt, Relay
from bridge.templates import Lacking
from bridge.transcript import said_so_far
from routing import inputs as i
from routing.decide import Refusal
from routing.facts import Side
from routing.ids import DeskId, InputKey, MessageId, OperatorId
from routing.inputs import Outcome
from routing.policy import MINUTE, Policy
from routing.session import Reason, Session, State

OPEN_WITHIN = 2.5
"""Seconds. A trigger that is older opens nothing."""

DAY = 24 * 60 * MINUTE
OUTCOMES = (Outcome.SOLVED, Outcome.UNSOLVED, Outcome.NO_ANSWER, Outcome.SPAM)
PAST = 10
"""Earlier sessions that a history names; of the last few it tells what was said."""
TOLD_OF = 3
LOOKED_AT = 50
"""The latest of a customer's sessions, of which an operator may not see all."""

_FIELDS: Mapping[str, str] = {
    Action.NOTE: "words",
    Action.TRANSFER: "desk",
    Action.HOLD: "within",
    Action.RESOLVE: "outcome",
    Action.TEMPLATES: "template",
    Action.BLOCK: "how_long",
}
"""Where a window says what no field of its own is to blame for."""

_BLAMED: Mapping[Reason, str] = {Reason.AT_CAPACITY: "operator", Reason.NOT_AVAILABLE: "operator"}

Response = Mapping[str, Any] | None

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Words:
    """What windows are written with. `tags` are the policy's, with their titles by language."""

    wording: Wording
    title: Title
    desk_title: DeskTitle
    tags: Callable[[], Mapping[str, Mapping[str, str]]] = dict


class Windows:
    """`operator` says who a Slack user is in a channel, or None for who may not act there; `tell` shows a line to one
    person."""

    def __init__(
        self,
        *,
        api: WebApi,
        store: Store,
        relay: Relay,
        door: Door,
        directory: Directory,
        canned: Canned,
        words: Words,
        policy: Callable[[], Policy],
        operator: Callable[[Author, str], OperatorId | None],
        tell: Callable[[InputKey, Root, str, str], None],
    ) -> None:
        self._api = api
        self._store = store
        self._relay = relay
        self._door = door
        self._directory = directory
        self._canned = canned
        self._words = words
        self._policy = policy
        self._operator = operator
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()
        self._sends: Mapping[str, Callable[[Form, Stored, OperatorId], Awaitable[Response]]] = {
            Action.NOTE: self._note,
            Action.TRANSFER: self._transfer,
            Action.HOLD: self._hold,
            Action.RESOLVE: self._resolve,
            Action.TEMPLATES: self._choose,
            FILL: self._send,
            Action.BLOCK: self._block,
        }

    # ------------------------------------------------------------------ opening

    def open(self, name: Action, stored: Stored, frame: Frame, operator: OperatorId, pressed: Pressed) -> None:
        """Open a window for who pressed. Returns at once; should it not open, they are told."""

        async def work() -> None:
            try:
                async with asyncio.timeout(OPEN_WITHIN):
                    view = await self._view(name, stored.session, frame, operator)
                    await self._api.call("views.open", urgency=Urgency.WORDS, trigger_id=pressed.trigger, view=view)
            except (KakehashiError, TimeoutError) as error:
                code = error.code if isinstance(error, DeliveryError) else type(error).__name__
                _log.warning("slack_window_not_opened", window=name, code=code)
                text = self._words.wording(stored.session.language, "told.window")
                self._tell(pressed.key, frame.at, pressed.author.user, text)

        self._spawn(work())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _view(self, name: Action, session: Session, frame: Frame, operator: OperatorId) -> dict[str, Any]:
        pen = await self._pen(session)
        if name is Action.NOTE:
            return pen.note(frame)
        if name is Action.TRANSFER:
            return pen.transfer(frame, self._desks(session), self._operators(session), session.desk)
        if name is Action.HOLD:
            return pen.hold(frame)
        if name is Action.RESOLVE:
            return pen.resolve(frame, self._outcomes(session), self._tags(session))
        if name is Action.TEMPLATES:
            return pen.templates(frame, await self._canned.offered(session))
        if name is Action.BLOCK:
            return pen.block(frame)
        return pen.history(frame, *await self._history(session, operator))

    async def _pen(self, session: Session) -> Pen:
        about = await self._store.about(session.id)
        topic = self._words.title(session.topic, session.language)
        known = (session.code, about.name, session.language, topic)
        return Pen(self._words.wording, session.language, " · ".join(filter(None, known)))

    def _desks(self, session: Session) -> list[Choice]:
        title = self._words.desk_title
        return [Choice(desk, title(desk, session.language) or desk) for desk in self._policy().desks]

    def _operators(self, session: Session) -> list[Choice]:
        found = [Choice(one, self._directory.public_name(one, session.language)) for one in self._policy().operators]
        return sorted((one for one in found if one.value != session.assignee), key=lambda one: one.text)

    def _outcomes(self, session: Session) -> list[Choice]:
        return [Choice(one, self._words.wording(session.language, f"outcome.{one}")) for one in OUTCOMES]

    def _tags(self, session: Session) -> list[Choice]:
        language = session.language
        base = language.split("-")[0]
        return [
            Choice(tag, titles.get(language) or titles.get(base) or titles.get("en") or tag)
            for tag, titles in self._words.tags().items()
        ]

    async def _history(self, session: Session, operator: OperatorId) -> tuple[list[str], list[tuple[int, str, str]]]:
        named = [one for one in await self._store.sessions_of(session.customer) if one != session.id]
        found = await asyncio.gather(*map(self._store.load, named[-LOOKED_AT:]))
        past = [one for one in found if one is not None and self._may_see(operator, one.session, session)][-PAST:]
        said: list[tuple[int, str, str]] = []
        for stored in past[-TOLD_OF:]:
            said += await self._said(stored.session)
        return [self._past_line(one.session, session.language) for one in reversed(past)], said

    def _may_see(self, operator: OperatorId, past: Session, here: Session) -> bool:
        """As on the desk page: their desks' sessions and their own. Those of this thread's desk are before them."""
        profile = self._policy().operators.get(operator)
        serves = profile is not None and profile.works_at(past.desk)
        return serves or past.desk == here.desk or past.assignee == operator

    def _past_line(self, past: Session, language: str) -> str:
        ended = self._words.wording(language, f"outcome.{past.outcome}" if past.outcome else f"state.{past.state}")
        when = f"{datetime.fromtimestamp(past.opened_at / 1000, UTC):%Y-%m-%d}"
        return " · ".join((past.code, when, self._words.title(past.topic, language), ended))

    async def _said(self, past: Session) -> list[tuple[int, str, str]]:
        if past.erased:
            return []
        about = await self._store.about(past.id)
        customer = about.name or self._words.wording(past.language, "customer.unnamed")
        lines = []
        for one in await said_so_far(self._store, past.id):
            who = customer if one.operator is None else self._directory.public_name(one.operator, past.language)
            if one.side is Side.NOTE:
                who = self._words.wording(past.language, "post.history.note", name=who)
            lines.append((one.at, who, " ".join([one.body.text, *(f"[{file.name}]" for file in one.body.files)])))
        return lines

    # ------------------------------------------------------------------ what was filled in

    async def submitted(self, payload: Mapping[str, Any]) -> Response:
        """The answer for Slack: None closes the window. What it tells is committed when this returns; where it could
        not be, the window says so and stays."""
        form = forms.read(payload)
        send = self._sends.get(form.name) if form else None
        if form is None or send is None:
            return None
        language = ""
        try:
            stored = await self._relay.session(form.frame.placed.session)
            if stored is None:
                return self._refused(form, Reason.NO_SESSION, language)
            language = stored.session.language
            operator = self._operator(Author(form.user, frozenset((form.team,))), form.frame.channel)
            if operator is None:
                return self._wrong(form, _field(form), "told.not_enrolled", language, author=f"{form.team}:{form.user}")
            return await send(form, stored, operator)
        except KakehashiError as error:
            _log.warning("slack_window_not_stored", window=form.name, reason=error.what)
            return self._wrong(form, _field(form), "told.not_stored", language)

    async def _enter(
        self, form: Form, stored: Stored, event: i.OperatorInput, words: str = "", about: str = ""
    ) -> Answer:
        body = Body((TextPart(words),)) if words else None
        return await self._door.from_operator(stored.session.id, event, _key(form, about), body=body)

    def _closing(self, answer: Answer, form: Form, stored: Stored) -> Response:
        if isinstance(answer, Refusal):
            return self._refused(form, answer.reason, stored.session.language)
        return None

    def _refused(self, form: Form, reason: Reason, language: str) -> Response:
        blamed = _BLAMED.get(reason, "")
        field = blamed if blamed in form.values else _field(form)
        return _errors(field, self._words.wording(language, f"refused.{reason}"))

    def _wrong(self, form: Form, field: str, key: str, language: str, **words: str) -> Response:
        return _errors(field or _field(form), self._words.wording(language, key, **words))

    async def _note(self, form: Form, stored: Stored, operator: OperatorId) -> Response:
        quoted = f"> {form.frame.quote}\n" if form.frame.quote else ""
        event = i.OperatorNoted(_message(form), operator)
        return self._closing(await self._enter(form, stored, event, quoted + form.text("words")), form, stored)

    async def _transfer(self, form: Form, stored: Stored, operator: OperatorId) -> Response:
        desk, to, reason = DeskId(form.chosen("desk")), form.chosen("operator"), form.text("reason")
        profile = self._policy().operators.get(OperatorId(to)) if to else None
        if to and (profile is None or not profile.works_at(desk)):
            return self._refused(form, Reason.NOT_AVAILABLE, stored.session.language)
        event = i.OperatorTransferred(
            operator, desk, OperatorId(to) if to else None, _message(form) if reason else None
        )
        return self._closing(await self._enter(form, stored, event, reason), form, stored)

    async def _hold(self, form: Form, stored: Stored, operator: OperatorId) -> Response:
        """One input with what is promised: should it be refused, nothing was said, and it can be put right."""
        chosen, promise = form.moment("until"), form.text("words")
        within = _number(form.chosen("within"), 30) * MINUTE
        until = chosen if chosen is not None else await self._store.now() + within
        if promise and self._has_moved(form, stored):
            return self._refused(form, Reason.MOVED, stored.session.language)
        event = i.OperatorHeld(operator, until, _message(form) if promise else None)
        answer = await self._enter(form, stored, event, promise)
        if isinstance(answer, Refusal) and answer.reason in (Reason.HOLD_IN_PAST, Reason.HOLD_TOO_LONG):
            field = "until" if chosen is not None else "within"
            return _errors(field, self._words.wording(stored.session.language, f"refused.{answer.reason}"))
        return self._closing(answer, form, stored)

    async def _resolve(self, form: Form, stored: Stored, operator: OperatorId) -> Response:
        if form.chosen("outcome") not in OUTCOMES:
            return None
        known = self._words.tags()
        tags = tuple(tag for tag in form.all_chosen("tags") if tag in known)
        event = i.OperatorResolved(operator, Outcome(form.chosen("outcome")), tags)
        return self._closing(await self._enter(form, stored, event), form, stored)

    async def _block(self, form: Form, stored: Stored, operator: OperatorId) -> Response:
        days = form.chosen("how_long")
        until = i.FOR_GOOD if days == FOR_GOOD else await self._store.now() + _number(days, 1) * DAY
        subject = await blocks.subject(self._relay, stored)
        return self._closing(await self._enter(form, subject, i.OperatorBlocked(operator, until)), form, stored)

    # ------------------------------------------------------------------ templates

    async def _choose(self, form: Form, stored: Stored, operator: OperatorId) -> Response:
        """The second step: what the customer will read, and what is missing for it."""
        session, code = stored.session, form.chosen("template")
        template = self._canned.named(session, code)
        if template is None or template.in_language(session.language) is None:
            return self._wrong(form, "template", "told.template_gone", session.language, code=code)
        preview, missing = await self._canned.preview(template, session, operator)
        pen = await self._pen(session)
        view = pen.fill(replace(form.frame, template=code), preview, missing)
        return {"response_action": "update", "view": view}

    async def _send(self, form: Form, stored: Stored, operator: OperatorId) -> Response:
        session, code = stored.session, form.frame.template
        template = self._canned.named(session, code)
        if template is None:
            return await self._over(
                stored, form, self._words.wording(session.language, "told.template_gone", code=code)
            )
        given = {name.removeprefix("gap."): form.text(name) for name in form.values}
        filled = await self._canned.fill(template, session, operator, given)
        if isinstance(filled, Lacking):
            lacking = {f"gap.{name}" for name in filled.names} & form.values.keys()
            text = lacks(filled, code, self._words.wording, session.language)
            return (
                {"response_action": "errors", "errors": dict.fromkeys(lacking, text)}
                if lacking
                else await self._over(stored, form, text)
            )
        answer = await self._chosen(form, stored, operator, filled.text)
        if isinstance(answer, Refusal):
            text = self._words.wording(session.language, f"refused.{answer.reason}")
            return await self._over(stored, form, text)
        if isinstance(answer, Receipt) and answer.fresh:
            await self._canned.note_use(session, code)
        return {"response_action": "clear"}

    async def _over(self, stored: Stored, form: Form, text: str) -> Response:
        """It cannot be mended in this window, which may have no field to say it at: the window says it instead."""
        pen = await self._pen(stored.session)
        return {"response_action": "update", "view": pen.window(FILL, form.frame, [pen.line(text)])}

    async def _chosen(self, form: Form, stored: Stored, operator: OperatorId, words: str) -> Answer:
        """A reply said outright, by the window's own button. A session that moved while it was open gets none."""
        if self._has_moved(form, stored):
            return Refusal(Reason.MOVED)
        author = f"{form.team}:{form.user}"
        event = i.OperatorWrote(_message(form), operator, author, manner=i.Manner.REPLY)
        return await self._enter(form, stored, event, words, about="words")

    def _has_moved(self, form: Form, stored: Stored) -> bool:
        session = stored.session
        return session.mirror.number != form.frame.mirror and session.state is not State.CLOSED


def lacks(lacking: Lacking, code: str, wording: Wording, language: str) -> str:
    """Why a template did not go out, in the operator's words."""
    if lacking.language:
        return wording(language, "told.template_language", code=code, language=lacking.language)
    if lacking.too_long:
        return wording(language, "told.template_long", code=code)
    return wording(language, "told.template_lacks", code=code, names=", ".join(lacking.names))


def _errors(field: str, text: str) -> Response:
    return {"response_action": "errors", "errors": {field: text}}


def _field(form: Form) -> str:
    known = _FIELDS.get(form.name, "")
    return known if known in form.values else next(iter(form.values), known)


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise


def _key(form: Form, about: str = "") -> InputKey:
    return InputKey(f"{form.key}/{about}" if about else form.key)


def _message(form: Form) -> MessageId:
    return MessageId(f"s:{form.key.removeprefix('slack/')}")
