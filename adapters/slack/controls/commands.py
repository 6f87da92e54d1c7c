"""`/chat`: what an operator asks of the bridge in any channel, answered to them alone.

Slack shows a warning when no answer came within three seconds, and sends the command only once. So the answer is the
acknowledgement itself where the store is quick; else that says "still looking", and the answer follows by the
`response_url`, which takes five posts within half an hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import structlog

from adapters.slack.render import Block
from adapters.slack.shown import sheet
from adapters.slack.text.markup import escape, unescape
from adapters.slack.wire.client import WebApi
from adapters.slack.wire.shape import Shape
from bridge.errors import KakehashiError
from bridge.networks.answers import Answer, Answers, Explained, Found, Lacking, Shown, Stood
from bridge.networks.commands import Mistyped, Verb, Vocabulary, asked
from bridge.networks.face import SOUGHT, Face
from routing.ids import DeskId, OperatorId

COMMAND = "/chat"

AT_ONCE = 2.0
"""Seconds for the answer; Slack waits three for the acknowledgement."""

ROWS = 5
"""Sessions in each list of an answer: a message holds some 13,200 characters."""

LISTS = 6
"""Desks in an answer; the home shows more."""

COMMANDED = Shape(("user_id", "team_id", "text", "response_url", "command"))

Payload = Mapping[str, Any]
Ack = dict[str, Any]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one person is shown. `text` is plain, and all that there is where there are no blocks."""

    text: str
    blocks: list[Block] = field(default_factory=list)

    @property
    def ack(self) -> Ack:
        """As an acknowledgement's body."""
        shown = {"blocks": self.blocks} if self.blocks else {}
        return {"response_type": "ephemeral", "text": escape(self.text), "mrkdwn": False, **shown}


class Commands:
    """`face(language)` says how things are called in it; `operator` whose user in our workspace (`team`) is whose."""

    def __init__(
        self,
        api: WebApi,
        answers: Answers,
        vocabulary: Vocabulary,
        operator: Callable[[str], OperatorId | None],
        face: Callable[[str], Face],
        team: Callable[[], str],
    ) -> None:
        self._api = api
        self._answers = answers
        self._vocabulary = vocabulary
        self._whose = operator
        self._face = face
        self._team = team
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, payload: Payload) -> Ack:
        """The acknowledgement's body. Raises nothing that a person could not read."""
        try:
            COMMANDED.check(payload, "command")
        except ValueError as wrong:
            _log.warning("slack_command_garbled", reason=str(wrong))
            return Drawn(self._face("en").say("command.failed")).ack
        work = asyncio.get_running_loop().create_task(self._answer(payload))
        done, _ = await asyncio.wait({work}, timeout=AT_ONCE)
        if done:
            return work.result()
        self._spawn(self._follow_up(work, str(payload.get("response_url") or "")))
        operator = self._operator(payload)
        language = self._answers.roster.language(operator) if operator else "en"
        return Drawn(self._face(language).say("command.later")).ack

    def _operator(self, payload: Payload) -> OperatorId | None:
        """Who asks, if they are enrolled. Guests of a shared channel have another team."""
        if payload.get("team_id") != self._team():
            return None
        found = self._whose(str(payload.get("user_id")))
        return found if found is not None and self._answers.roster.knows(found) else None

    async def _answer(self, payload: Payload) -> Ack:
        slash = str(payload.get("command") or COMMAND)
        try:
            operator = self._operator(payload)
            if operator is None:
                return stranger(self._face("en"), str(payload.get("team_id")), str(payload.get("user_id"))).ack
            request = asked(unescape(str(payload.get("text") or "")), self._vocabulary)
            answer = await self._answers.answer(request, operator, ROWS)
            face = self._face(self._answers.roster.language(operator))
            desks = [desk.id for desk in self._answers.roster.desks(operator)]
            return drawn(answer, face, f"{slash} ", desks).ack
        except KakehashiError as error:
            _log.warning("slack_command_failed", reason=error.what)
            return Drawn(self._face("en").say("command.failed")).ack

    async def _follow_up(self, work: asyncio.Task[Ack], url: str) -> None:
        body = await work
        try:
            async with self._api.session.post(url, json=body, proxy=self._api.proxy) as response:
                if response.status != 200:
                    _log.warning("slack_command_not_answered", status=response.status)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            _log.warning("slack_command_not_answered", reason=type(error).__name__)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)


def stranger(face: Face, team: str, user: str) -> Drawn:
    """Who is no operator here is told how to become one."""
    return Drawn(face.say("command.stranger", how=f"kakehashi operators link ACCOUNT {team}:{user}"))


# ------------------------------------------------------------------ drawing


def drawn(answer: Answer, face: Face, sign: str, desks: Sequence[DeskId]) -> Drawn:
    """An answer as Slack shows it. `sign` is what the question began with, `desks` are those of who asked."""
    if isinstance(answer, Mistyped):
        named = face.nearest(answer.nearest, sign)
        return Drawn(face.say("command.unknown.asked", word=answer.word[:SOUGHT], nearest=named))
    if isinstance(answer, Lacking):
        return Drawn(face.say(f"command.{answer.key}", word=_typed(answer, face, sign)))
    if isinstance(answer, Stood):
        stands = face.say("home.on" if answer.standing.on else "home.off")
        return Drawn(stands, [sheet.notice(sheet.stands(answer.standing, face))])
    if isinstance(answer, Found):
        return _found(answer, face)
    if isinstance(answer, Shown):
        return Drawn(_headline(answer, face), _blocks(answer, face))
    if isinstance(answer, Explained):
        return Drawn(face.say("command.help.anywhere", slash=COMMAND), sheet.explained(face, COMMAND, desks))
    raise AssertionError("every answer is drawn above")


def _typed(answer: Lacking, face: Face, sign: str) -> str:
    return f"{'!' if answer.key == 'no_session' else sign}{face.word(answer.verb)}"


def _found(answer: Found, face: Face) -> Drawn:
    sought = answer.sought[:SOUGHT]
    if not answer.rows:
        return Drawn(face.say("find.none", sought=sought))
    codes = " · ".join(row.code for row in answer.rows)  # names stand in the blocks, where they are only shown
    return Drawn(codes, [sheet.rows(answer.rows, face)])


def _headline(answer: Shown, face: Face) -> str:
    waiting = sum(queue.count for queue in answer.sheet.queues)
    held = f"{face.say('home.mine')}: {len(answer.sheet.mine) + answer.sheet.more}"
    return held if answer.part is Verb.MINE else f"{held} · {face.say('home.queue', desk=str(waiting))}"


def _blocks(answer: Shown, face: Face) -> list[Block]:
    if answer.part is Verb.MINE:
        return sheet.mine(answer.sheet, face)
    queues = sheet.queues(answer.sheet, face, LISTS)
    if answer.part is Verb.QUEUE:
        return queues
    whole = answer.sheet
    return [*sheet.standing(whole, face), *sheet.mine(whole, face), *queues, *sheet.today(whole, face)]
