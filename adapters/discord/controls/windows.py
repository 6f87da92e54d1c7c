"""Windows at work: opened as the first answer to a press, and what is filled in committed before Discord is answered.

All that a window needs stands in its custom ids, so one that was opened before a restart is taken after it. Discord
shows no complaint in a window: it is closed, and whoever sent it reads why nothing was done, with what they wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import tzinfo
from math import ceil

import structlog

from adapters.discord.controls.acting import Act, Acting
from adapters.discord.controls.replies import Reply
from adapters.discord.heard.happenings import Submitted
from adapters.discord.refs import NAME
from adapters.discord.render import Rendered, clock, in_blocks, small
from adapters.discord.shown.views import REPLY as FIELD
from adapters.discord.shown.views import Pen
from adapters.discord.text.markup import escape, fenced
from bridge.errors import KakehashiError
from bridge.networks.card import Action, Wording
from bridge.networks.commands import until
from bridge.networks.submissions import GAP, Done, Next, Over, Submission, Submissions, Verdict, Wrong
from bridge.networks.windows import FILL, REPLY, Offers
from bridge.ports import Placed, Store
from bridge.relay import Receipt
from routing.ids import DeskId, InputKey, MessageId
from routing.session import Session

Zone = Callable[[DeskId], tzinfo]

TEXTS = frozenset(("words", "reason", "until", FIELD))
"""Fields in which somebody writes; in the others they choose."""

PIECE, PIECES = 2_600, 2
"""Characters of what somebody wrote in one frame, and frames: all of a message's hold 6,000 together."""

_log = structlog.get_logger(__name__)


class Windows:
    """`zone` is a desk's: a time that is typed is one there."""

    def __init__(
        self,
        *,
        store: Store,
        acting: Acting,
        offers: Offers,
        submissions: Submissions,
        wording: Wording,
        zone: Zone,
    ) -> None:
        self._store = store
        self._acting = acting
        self._offers = offers
        self._submissions = submissions
        self._wording = wording
        self._zone = zone

    # ------------------------------------------------------------------ opening

    async def open(self, name: Action, act: Act, quote: str = "") -> None:
        """Open a window, or show what leads to one."""
        session, placed, offers = act.stored.session, act.placed, self._offers
        pen = await self._pen(session)
        if name is Action.TEMPLATES:
            await act.reply.say(pen.templates(placed, await offers.templates(session)))
        elif name is Action.HISTORY:
            await act.reply.say(pen.history(*await offers.history(session, act.operator)))
        else:
            await act.reply.open(self._window(pen, name, session, placed, quote), act.language)

    def _window(self, pen: Pen, name: Action, session: Session, placed: Placed, quote: str) -> dict[str, object]:
        offers = self._offers
        if name is Action.NOTE:
            return pen.note(placed, quote)
        if name is Action.TRANSFER:
            return pen.transfer(placed, offers.desks(session), offers.operators(session), session.desk)
        if name is Action.HOLD:
            return pen.hold(placed)
        if name is Action.RESOLVE:
            return pen.resolve(placed, offers.outcomes(session), offers.tags(session))
        if name is Action.BLOCK:
            return pen.block(placed)
        raise AssertionError(f"{name} opens no window")

    async def fill(self, code: str, act: Act) -> None:
        """A template was chosen: what the customer will read, to be changed and sent."""
        chosen = Submission(
            Action.TEMPLATES, InputKey(""), MessageId(""), act.author.user, act.placed, choices={"template": (code,)}
        )
        verdict = await self._submissions.take(chosen, act.stored, act.operator)
        if isinstance(verdict, Next):
            pen = await self._pen(act.stored.session)
            return await act.reply.open(
                pen.fill(act.placed, verdict.code, verdict.preview, verdict.missing), act.language
            )
        return await self.answer(verdict, chosen, act)

    async def _pen(self, session: Session) -> Pen:
        return Pen(self._wording, session.language, await self._offers.headline(session))

    # ------------------------------------------------------------------ what was filled in

    async def submitted(self, sent: Submitted, reply: Reply) -> None:
        act = await self._acting.of(sent.placed, sent.author, reply)
        if act is None:
            return None
        submission = read(sent)
        if not self._submissions.knows(submission.name):
            return await reply.tell("told.window", act.language)
        return await self.take(submission, act, pressed=sent.from_message)

    async def take(self, submission: Submission, act: Act, *, pressed: bool = False) -> None:
        """`pressed`: it was opened from a message, which shows what became of it."""
        typed = submission.text("until")
        at = until(typed, await self._store.now(), self._zone(act.stored.session.desk)) if typed else None
        if typed and at is None:
            why = self._wording(act.language, "told.no_time", typed=escape(typed))
            return await self.answer(Wrong(why, ("until",)), submission, act)
        try:
            verdict = await self._submissions.take(replace(submission, until=at), act.stored, act.operator)
        except KakehashiError as error:
            _log.warning("discord_window_not_stored", window=submission.name, reason=error.what)
            verdict = Over(self._wording(act.language, "told.not_stored"))
        return await self.answer(verdict, submission, act, pressed=pressed)

    async def answer(self, verdict: Verdict, submission: Submission, act: Act, *, pressed: bool = False) -> None:
        if isinstance(verdict, Wrong | Over):
            why = await self._acting.why(act, verdict.reason) if verdict.reason else verdict.text
            return await act.reply.say(self._with_their_words(why, submission, act.language))
        if pressed and submission.name != FILL:
            return await act.reply.taken()
        done = Rendered(self._said(verdict, submission, act))
        return await (act.reply.change(done) if pressed else act.reply.say(done))

    def _with_their_words(self, why: str, submission: Submission, language: str) -> Rendered:
        """What they wrote is nowhere else now, so they have it back."""
        written = "\n\n".join(filter(None, map(submission.text, submission.texts)))
        if not written:
            return Rendered(why)
        first, *more = in_blocks(written, PIECE)
        shown = [*map(fenced, (first, *more[: PIECES - 1])), *(["…"] if more[PIECES - 1 :] else [])]
        head = f"{why}\n{small(self._wording(language, 'told.your_words'))}"
        return Rendered(head, tuple({"description": one} for one in shown))

    def _said(self, verdict: Verdict, submission: Submission, act: Act) -> str:
        """What was done, in a line."""
        answer = verdict.answer if isinstance(verdict, Done) else None
        session = answer.stored.session if isinstance(answer, Receipt) else act.stored.session
        language, name = act.language, submission.name
        if name in (FILL, REPLY):
            waiting = session.held(submission.message)
            if waiting is None or waiting.until is None:
                return self._wording(language, "told.sent")
            seconds = ceil((waiting.until - waiting.at) / 1000)
            return self._wording(language, "held.undo", seconds=str(seconds))
        words = self._words(session, submission)
        return self._wording(language, f"command.done.{name}", code=session.code, **words)

    def _words(self, session: Session, submission: Submission) -> Mapping[str, str]:
        """What a line needs beside the session's code."""
        if submission.name == Action.TRANSFER:
            named = {one.value: one.text for one in self._offers.desks(session)}
            return {"desk": named.get(session.desk, session.desk)}
        if submission.name == Action.RESOLVE:
            return {"outcome": self._wording(session.language, f"outcome.{session.outcome}")}
        if submission.name == Action.HOLD and session.turn.until is not None:
            return {"time": clock(session.turn.until)}
        return {}


def read(sent: Submitted) -> Submission:
    """Texts and choices by their fields' names; a long list stands in several menus (`desk.1`, `desk.2`)."""
    texts, choices, template = dict[str, str](), dict[str, tuple[str, ...]](), ""
    for name, values in sent.values.items():
        field, _, code = name.partition(":")
        template = code or template
        if field in TEXTS or field.startswith(GAP):
            texts[field] = next(iter(values), "")
        else:
            plain, _, number = field.rpartition(".")
            field = plain if plain and number.isdecimal() else field
            choices[field] = (*choices.get(field, ()), *values)
    message = MessageId(f"{NAME}:{sent.interaction.id}")
    return Submission(sent.action, sent.key, message, sent.author.user, sent.placed, texts, choices, None, template)
