"""What is said to one person alone: in answer to a press only they see it.

Whoever typed cannot be answered alone on Discord; they are told in the thread, by a reply to their message that rings
them and nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from adapters.discord.answers import Answers
from adapters.discord.client import NOBODY, RestApi
from adapters.discord.parse import Interaction, Said
from adapters.discord.render import NO_PREVIEWS, Json
from adapters.discord.roots import nonce
from bridge.card import Wording
from bridge.errors import KakehashiError

_MESSAGE, _NOTHING_NEW, _CHANGED = 4, 6, 7
"""Kinds of answers to an interaction: a message; that it was taken, where what was pressed is changed by itself; and
what was pressed, changed."""

_ALONE = 1 << 6

_log = structlog.get_logger(__name__)


class Whispers:
    def __init__(self, api: RestApi, wording: Wording, answers: Answers) -> None:
        self._api = api
        self._answers = answers
        self.wording = wording

    async def done(self, to: Interaction) -> None:
        await self._respond(to, {"type": _NOTHING_NEW})

    async def answer(self, to: Interaction, key: str, language: str, **words: str) -> None:
        text = self.wording(language, key, **words)
        await self._respond(
            to, {"type": _MESSAGE, "data": {"content": text, "flags": _ALONE, "allowed_mentions": NOBODY}}
        )

    async def _respond(self, to: Interaction, body: dict[str, object]) -> None:
        """Nothing hangs on it: what was pressed is done by then."""
        try:
            await self._answers.give(to, body)
        except KakehashiError as error:
            _log.warning("discord_press_not_answered", reason=error.what)

    async def settle(self, to: Interaction, key: str, language: str) -> None:
        """The line with the pressed button says what was done, and has no button any more."""
        text = self.wording(language, key)
        data = {"content": text, "components": [], "allowed_mentions": NOBODY}
        await self._respond(to, {"type": _CHANGED, "data": data})

    async def file_refused(self, said: Said, file: str, code: str, language: str) -> None:
        why = self.wording(language, f"file.{code}")
        await self.reply(said, self.wording(language, "told.file", why=why), file)

    async def reply(self, said: Said, text: str, name: str, buttons: Sequence[Json] = ()) -> None:
        """Said once, however often the same is heard; `name` tells it from what else is said of that message."""
        body = {
            "content": text,
            "components": list(buttons),
            "flags": NO_PREVIEWS,
            "message_reference": {"message_id": said.id, "fail_if_not_exists": False},
            "allowed_mentions": {**NOBODY, "replied_user": True},
            "nonce": nonce(f"{said.key}/{name}"),
            "enforce_nonce": True,
        }
        try:
            await self._api.say(f"/channels/{said.root.thread}/messages", body)
        except KakehashiError as error:
            _log.warning("discord_answer_not_shown", reason=error.what)
