"""What is said to whoever wrote in a thread. They cannot be answered alone, as who pressed can be (`replies`): they are
told there, by a reply to their message that rings them and nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from adapters.discord.client import NOBODY, RestApi
from adapters.discord.parse import Said
from adapters.discord.refs import Root
from adapters.discord.render import NO_PREVIEWS, Json, Rendered
from adapters.discord.roots import nonce
from bridge.card import Wording
from bridge.errors import KakehashiError

_log = structlog.get_logger(__name__)


class Whispers:
    def __init__(self, api: RestApi, wording: Wording) -> None:
        self._api = api
        self.wording = wording

    async def file_refused(self, said: Said, file: str, code: str, language: str) -> None:
        why = self.wording(language, f"file.{code}")
        await self.reply(said, self.wording(language, "told.file", why=why), file)

    async def reply(self, said: Said, text: str, name: str, buttons: Sequence[Json] = ()) -> None:
        """Said once, however often the same is heard; `name` tells it from what else is said of that message."""
        try:
            await self.say(said.root, said.id, f"{said.key}/{name}", text, buttons)
        except KakehashiError as error:
            _log.warning("discord_answer_not_shown", reason=error.what)

    async def say(self, root: Root, message: str, name: str, text: str, buttons: Sequence[Json] = ()) -> None:
        """Answer a message in its thread. `name` is that of the answer, uniquely for ever. Raises DeliveryError."""
        body = {
            "content": text,
            "components": list(buttons),
            "flags": NO_PREVIEWS,
            "message_reference": {"message_id": message, "fail_if_not_exists": False},
            "allowed_mentions": {**NOBODY, "replied_user": True},
            "nonce": nonce(name),
            "enforce_nonce": True,
        }
        await self._api.say(f"/channels/{root.thread}/messages", body)

    async def call(self, root: Root, users: Sequence[str], name: str, text: str, buttons: Sequence[Json] = ()) -> None:
        """Say it to people by name, where there is no message any more that could be answered."""
        said = " ".join((*(f"<@{user}>" for user in users), text))
        rendered = Rendered(said, components=tuple(buttons), users=tuple(users))
        body = {**rendered.posted, "nonce": nonce(name), "enforce_nonce": True}
        try:
            await self._api.say(f"/channels/{root.thread}/messages", body)
        except KakehashiError as error:
            _log.warning("discord_answer_not_shown", reason=error.what)
