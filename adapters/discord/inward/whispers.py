"""What is said to whoever wrote in a thread. They cannot be answered alone, as who pressed can be (`replies`): they are
told there, by a reply to their message that rings them and nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from adapters.discord.heard.happenings import Said
from adapters.discord.places.roots import nonce
from adapters.discord.refs import Root
from adapters.discord.render import NO_PREVIEWS, Json, Rendered
from adapters.discord.wire.client import NOBODY, RestApi
from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.networks.card import Wording

PAUSES = (0.5, 5.0, 20.0, 60.0)
"""Seconds between tries; together within the time for which Discord knows a nonce."""

Say = Callable[[], Awaitable[object]]

_log = structlog.get_logger(__name__)


class Whispers:
    def __init__(self, api: RestApi, wording: Wording) -> None:
        self._api = api
        self.wording = wording
        self._tasks: set[asyncio.Task[None]] = set()

    async def file_refused(self, said: Said, file: str, code: str, language: str) -> None:
        why = self.wording(language, f"file.{code}")
        await self.reply(said, self.wording(language, "told.file", why=why), file)

    async def reply(self, said: Said, text: str, name: str, buttons: Sequence[Json] = ()) -> None:
        """Said once, however often the same is heard; `name` tells it from what else is said of that message."""
        await self._until_said(partial(self.say, said.root, said.id, f"{said.key}/{name}", text, buttons))

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
        await self._until_said(partial(self._api.say, f"/channels/{root.thread}/messages", body))

    async def _until_said(self, say: Say) -> None:
        """At once, or beside the input, which does not wait for a limit or for Discord to be back."""
        if (pause := await self._try(say, PAUSES[0])) is not None:
            task = asyncio.get_running_loop().create_task(self._try_again(say, pause))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _try_again(self, say: Say, pause: float) -> None:
        for later in (*PAUSES[1:], 0.0):
            await asyncio.sleep(pause)
            again = await self._try(say, later)
            if again is None:
                return
            pause = again

    async def _try(self, say: Say, pause: float) -> float | None:
        """None: it is said, or never will be. Else the seconds until it may be tried again."""
        try:
            await say()
        except KakehashiError as error:
            _log.warning("discord_answer_not_shown", reason=error.what)
            if isinstance(error, DeliveryError) and error.fault not in (Fault.TRANSIENT, Fault.AMBIGUOUS):
                return None
            return (error.retry_after if isinstance(error, DeliveryError) else None) or pause
        return None

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
