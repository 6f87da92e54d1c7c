"""Replies: what whoever pressed, filled in or typed for us reads in answer, alone.

Discord takes one first answer within three seconds. Where the work behind it takes longer, it is told that the answer
follows, and what is said then fills that in, for a quarter of an hour. A window cannot follow: it is a first answer or
none. Nothing hangs on an answer: what was asked is durable by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from adapters.discord.heard.app import App
from adapters.discord.heard.happenings import Interaction
from adapters.discord.render import OPTION, OPTIONS, Rendered
from adapters.discord.wire.answers import Answers
from adapters.discord.wire.client import RestApi
from bridge.errors import DeliveryError, KakehashiError
from bridge.messages import one_line
from bridge.networks.card import Wording
from bridge.networks.windows import Choice

AT_ONCE = 1.5
"""Seconds for the work; Discord waits three for the answer, the way there and back included."""

MESSAGE, LATER, NOTHING_NEW, UPDATE, CHOICES, WINDOW = 4, 5, 6, 7, 8, 9
"""Kinds of a first answer (interaction callback types)."""

ALONE = 1 << 6
"""The flag of a message that one person sees."""

AGAIN = (0.2, 1.0, None)
"""Seconds until an answer that follows is tried again."""

NOT_YET = frozenset(("unknown_webhook", "unknown_message"))
"""What Discord calls a message that is not there yet: unknown webhook, unknown message."""

LOCALES = {"ja": "ja", "zh-CN": "zh-Hans", "zh-TW": "zh-Hant"}
"""Discord's languages, and ours; English is what all others see."""

_log = structlog.get_logger(__name__)


class Reply:
    """The answer to one interaction: what is said second is not shown. `patient`: Discord can be told that it follows;
    it cannot for what is asked while somebody types."""

    def __init__(
        self,
        api: RestApi,
        answers: Answers,
        wording: Wording,
        app: Callable[[], App],
        to: Interaction,
        *,
        patient: bool = True,
    ) -> None:
        self._api = api
        self._answers = answers
        self._wording = wording
        self._app = app
        self._to = to
        self._patient = patient
        self._given = False
        self._later: asyncio.Task[bool] | None = None

    @property
    def language(self) -> str:
        """That of the person's client: for where neither a session's nor an operator's is known."""
        return LOCALES.get(self._to.locale, "en")

    async def after(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work that leads to this answer; raises what it raises. What it has not said in time follows."""
        task = asyncio.get_running_loop().create_task(work)
        done, _ = await asyncio.wait({task}, timeout=AT_ONCE)
        if not done and not self._given and self._patient:
            self._later = asyncio.get_running_loop().create_task(self._call(LATER, {"flags": ALONE}))
        await task

    # ------------------------------------------------------------------ answers

    async def say(self, shown: Rendered) -> None:
        """A message that only they see."""
        await self._give(MESSAGE, shown.posted)

    async def tell(self, key: str, language: str, **words: str) -> None:
        await self.say(Rendered(self._wording(language, key, **words)))

    async def change(self, shown: Rendered) -> None:
        """What they pressed, or came from, shows this now."""
        await self._give(UPDATE, shown.posted)

    async def anew(self, shown: Rendered) -> None:
        """What they have been answered, or have pressed, shows this now; it can be changed for fifteen minutes. Raises
        DeliveryError."""
        path = f"/webhooks/{self._app().application}/{self._to.token}/messages/@original"
        await self._api.call("PATCH", path, shown.changed, free=True)

    async def taken(self) -> None:
        """Nothing to say: what it changes is seen where it stands."""
        await self._give(NOTHING_NEW, None)

    async def open(self, window: dict[str, Any], language: str) -> None:
        """A window that Discord does not take is said, and not silence."""
        if self._later is None and await self._give(WINDOW, window):
            return
        self._given = False
        await self.tell("told.window", language)

    async def offer(self, choices: Sequence[Choice]) -> None:
        """For what somebody is typing."""
        named = [{"name": one_line(one.text, OPTION) or "–", "value": one.value} for one in choices[:OPTIONS]]
        await self._give(CHOICES, {"choices": named})

    # ------------------------------------------------------------------ how they go out

    async def _give(self, kind: int, data: dict[str, Any] | None) -> bool:
        """Whether it was taken, as far as we know."""
        if self._given:
            return True
        self._given = True
        if self._later is None:
            return await self._call(kind, data)
        await self._later
        await self._follow(data)
        return True

    async def _call(self, kind: int, data: dict[str, Any] | None) -> bool:
        if kind == MESSAGE and data is not None:
            data = {**data, "flags": data["flags"] | ALONE}
        try:
            await self._answers.give(self._to, {"type": kind, **({"data": data} if data is not None else {})})
        except KakehashiError as error:
            _log.warning("discord_interaction_not_answered", reason=error.what)
            return False
        return True

    async def _follow(self, data: dict[str, Any] | None) -> None:
        """Where the first answer is the response to a request of Discord's, it may still be on its way."""
        verb, path = "DELETE" if data is None else "PATCH", f"/webhooks/{self._app().application}/{self._to.token}"
        for pause in AGAIN:
            try:
                await self._api.call(verb, f"{path}/messages/@original", data, free=True)
                return
            except DeliveryError as error:
                if pause is None or error.code not in NOT_YET:
                    _log.warning("discord_interaction_not_answered", reason=error.code)
                    return
            await asyncio.sleep(pause)
