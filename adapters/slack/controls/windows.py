"""Windows at work: opened at once from a press, and what is filled in committed before Slack is answered.

A trigger lives three seconds, so a window opens beside the acknowledgement and not behind it. A submission is input of
its session like any other; what the rules refuse is said in the window, at the field that it is about, and nothing that
was typed is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from adapters.slack.parse import Author, Pressed
from adapters.slack.refs import Root
from adapters.slack.shown import forms
from adapters.slack.shown.forms import Form
from adapters.slack.shown.views import Frame, Pen
from adapters.slack.wire.client import WebApi
from bridge.directory import Directory
from bridge.errors import DeliveryError, KakehashiError
from bridge.networks.canned import Canned
from bridge.networks.card import Action
from bridge.networks.pacing import Urgency
from bridge.networks.submissions import FIELDS, Next, Over, Submissions, Verdict, Wrong
from bridge.networks.windows import FILL, Offers, Words
from bridge.ports import Store, Stored
from bridge.relay import Door, Relay
from routing.ids import InputKey, OperatorId
from routing.policy import Policy
from routing.session import Reason, Session

OPEN_WITHIN = 2.5
"""Seconds. A trigger that is older opens nothing."""

Response = Mapping[str, Any] | None

_log = structlog.get_logger(__name__)


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
        self._relay = relay
        self._words = words
        self._operator = operator
        self._tell = tell
        self._offers = Offers(store=store, directory=directory, canned=canned, words=words, policy=policy)
        self._submissions = Submissions(store=store, relay=relay, door=door, canned=canned, words=words, policy=policy)
        self._tasks: set[asyncio.Task[None]] = set()

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
        pen, offers = await self._pen(session), self._offers
        if name is Action.NOTE:
            return pen.note(frame)
        if name is Action.TRANSFER:
            return pen.transfer(frame, offers.desks(session), offers.operators(session), session.desk)
        if name is Action.HOLD:
            return pen.hold(frame)
        if name is Action.RESOLVE:
            return pen.resolve(frame, offers.outcomes(session), offers.tags(session))
        if name is Action.TEMPLATES:
            return pen.templates(frame, await offers.templates(session))
        if name is Action.BLOCK:
            return pen.block(frame)
        return pen.history(frame, *await offers.history(session, operator))

    async def _pen(self, session: Session) -> Pen:
        return Pen(self._words.wording, session.language, await self._offers.headline(session))

    # ------------------------------------------------------------------ what was filled in

    async def submitted(self, payload: Mapping[str, Any]) -> Response:
        """The answer for Slack: None closes the window. What it tells is committed when this returns; where it could
        not be, the window says so and stays."""
        form = forms.read(payload)
        if form is None or not self._submissions.knows(form.name):
            return None
        language = ""
        try:
            stored = await self._relay.session(form.frame.placed.session)
            if stored is None:
                return _errors(form, self._words.wording(language, f"refused.{Reason.NO_SESSION}"))
            language = stored.session.language
            operator = self._operator(Author(form.user, frozenset((form.team,))), form.frame.channel)
            if operator is None:
                return _errors(form, self._words.wording(language, "told.not_enrolled", author=form.author))
            verdict = await self._submissions.take(form.submission, stored, operator)
            return await self._answered(verdict, form, stored.session)
        except KakehashiError as error:
            _log.warning("slack_window_not_stored", window=form.name, reason=error.what)
            return _errors(form, self._words.wording(language, "told.not_stored"))

    async def _answered(self, verdict: Verdict, form: Form, session: Session) -> Response:
        if isinstance(verdict, Wrong):
            return _errors(form, verdict.text, verdict.fields)
        if isinstance(verdict, Next):
            pen = await self._pen(session)
            view = pen.fill(replace(form.frame, template=verdict.code), verdict.preview, verdict.missing)
            return {"response_action": "update", "view": view}
        if isinstance(verdict, Over):  # the window may have no field to say it at: it says it instead
            pen = await self._pen(session)
            return {"response_action": "update", "view": pen.window(FILL, form.frame, [pen.line(verdict.text)])}
        return {"response_action": "clear"} if form.name == FILL else None


def _errors(form: Form, text: str, fields: Sequence[str] = ()) -> Response:
    """At the fields that are to blame, as far as the window has them."""
    known = FIELDS.get(form.name, "")
    otherwise = known if known in form.values else next(iter(form.values), known)
    return {"response_action": "errors", "errors": dict.fromkeys([*fields] or [otherwise], text)}
