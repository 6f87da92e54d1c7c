"""What is said to one person alone: in answer to a press only they see it.

Whoever typed cannot be answered alone on Discord; they are told in the thread, by a reply to their message that rings
them and nobody else.
"""

from __future__ import annotations

import structlog

from adapters.discord.client import NOBODY, RestApi
from adapters.discord.parse import Interaction, Said
from adapters.discord.roots import nonce
from bridge.card import Wording
from bridge.errors import KakehashiError
from bridge.ports import Stored
from bridge.whereabouts import Whereabouts
from routing.session import Reason

_MESSAGE, _NOTHING_NEW = 4, 6
"""Kinds of answers to an interaction: a message; and that it was taken, where the message is changed by itself."""

_ALONE = 1 << 6

_log = structlog.get_logger(__name__)


class Whispers:
    def __init__(self, api: RestApi, wording: Wording, whereabouts: Whereabouts) -> None:
        self._api = api
        self._wording = wording
        self._whereabouts = whereabouts

    async def done(self, to: Interaction) -> None:
        await self._respond(to, {"type": _NOTHING_NEW})

    async def answer(self, to: Interaction, key: str, language: str, **words: str) -> None:
        text = self._wording(language, key, **words)
        await self._respond(
            to, {"type": _MESSAGE, "data": {"content": text, "flags": _ALONE, "allowed_mentions": NOBODY}}
        )

    async def _respond(self, to: Interaction, body: dict[str, object]) -> None:
        """Nothing hangs on it: what was pressed is done by then."""
        try:
            await self._api.call("POST", f"/interactions/{to.id}/{to.token}/callback", body, free=True)
        except KakehashiError as error:
            _log.warning("discord_press_not_answered", reason=error.what)

    async def refused(self, said: Said, reason: Reason, stored: Stored) -> None:
        """Their words were not sent: why, and the way to where the talk goes on, if that is somewhere else."""
        language = stored.session.language
        text = self._wording(language, f"refused.{reason}")
        way = await self._whereabouts.way(stored, reason, said.root.ref)
        await self._reply(
            said, f"{text} {self._wording(language, 'refused.way', link=way)}" if way else text, "refused"
        )

    async def file_refused(self, said: Said, file: str, code: str) -> None:
        why = self._wording("", f"file.{code}")
        await self._reply(said, self._wording("", "told.file", why=why), file)

    async def _reply(self, said: Said, text: str, name: str) -> None:
        """Said once, however often the same is heard."""
        body = {
            "content": text,
            "message_reference": {"message_id": said.id, "fail_if_not_exists": False},
            "allowed_mentions": {**NOBODY, "replied_user": True},
            "nonce": nonce(f"{said.key}/{name}"),
            "enforce_nonce": True,
        }
        try:
            await self._api.say(f"/channels/{said.root.thread}/messages", body)
        except KakehashiError as error:
            _log.warning("discord_answer_not_shown", reason=error.what)
