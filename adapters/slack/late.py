"""Words that were not sent, and look in the thread as if they were.

Whoever writes in a thread that a session has left is told so, but an ephemeral answer is gone with the next reload and
nobody else sees it. So the message itself bears a mark, and where we may not react, the thread has a line once.

What is owed stands in the store before Slack is told that we have the message, and until it is paid: a process that
ends in between, or a Slack that does not answer, takes it from nobody. Paying twice does no harm.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace

import structlog

from adapters.slack import render
from adapters.slack.client import WebApi
from adapters.slack.faults import ALREADY_GONE
from adapters.slack.markup import escape
from adapters.slack.pacing import Urgency
from adapters.slack.parse import Said
from adapters.slack.refs import NAME, Root
from adapters.slack.render import Block
from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.ports import Store

NOT_SENT = "no_entry_sign"
"""The reaction on a message that the customer never got."""

LINE = f"{NAME}/late"
"""Prefix of the names under which the store keeps which threads have the line."""

OWED = f"{NAME}-late"
"""The shelf of those who are still to be told, by input key."""

TOLD = f"{NAME}/late-told"
"""Prefix of the names under which the store keeps which inputs were answered: Slack may send them again."""

TOLD_KEPT = 24 * 3600 * 1000
"""ms; as long as Slack's own retries ("Delayed Events") last."""

TRIES = 3
"""Attempts while Slack is slow or limits us, until it is left for the next look."""

LOOK_EVERY = 20.0
"""Seconds between looks for what is still owed."""

ADOPT_AFTER = 60_000
"""ms after which it counts as left behind by whoever owed it."""

GIVE_UP_AFTER = 24 * 3600 * 1000
"""ms. Who wrote it has long gone on."""

_LATER = (Fault.TRANSIENT, Fault.AMBIGUOUS)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Debt:
    """What has to be said of one message, and to whom. `answered`: they were told, and the mark is still missing."""

    key: str
    team: str
    channel: str
    root: str
    ts: str
    user: str
    why: str
    at: int
    answered: bool = False

    @property
    def name(self) -> str:
        return f"{OWED}/{self.key}"

    @property
    def thread(self) -> Root:
        return Root(self.team, self.channel, self.root)


class Late:
    """`tell(root, user, text, blocks)` shows a line to one person."""

    def __init__(
        self, api: WebApi, store: Store, tell: Callable[[Root, str, str, Sequence[Block]], Awaitable[None]]
    ) -> None:
        self._api = api
        self._store = store
        self._tell = tell
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def keep(self, said: Said, why: str) -> None:
        """Tell who wrote it that it was not sent, and mark it; `why` names the way out. Durable when it returns, once
        per input. Raises StoreUnavailableError."""
        if await self._store.get(f"{TOLD}/{said.key}") is not None:
            return
        root, now = said.root, await self._store.now()
        debt = Debt(said.key, root.team, root.channel, root.ts, said.ts, said.author.user, why, now)
        await self._store.put(debt.name, json.dumps(asdict(debt)))
        self._begin(debt)

    async def run(self) -> None:
        """Take up what was left behind, now and from time to time, until cancelled."""
        await self._adopt(0)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self._adopt(ADOPT_AFTER)

    async def stop(self) -> None:
        """What is still owed stays in the store."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _adopt(self, age: int) -> None:
        try:
            now = await self._store.now()
            for text in (await self._store.shelf(OWED)).values():
                debt = Debt(**json.loads(text))
                if debt.at <= now - age:
                    self._begin(debt)
        except KakehashiError as error:
            _log.warning("slack_late_replies_not_read", reason=error.what)

    def _begin(self, debt: Debt) -> None:
        if debt.key not in self._tasks:
            task = self._tasks[debt.key] = asyncio.get_running_loop().create_task(self._pay(debt))
            task.add_done_callback(lambda _: self._tasks.pop(debt.key, None))

    async def _pay(self, debt: Debt) -> None:
        """Nobody waits for it, so nothing is raised; what cannot be paid now is looked at again."""
        for attempt in range(1, TRIES + 1):
            try:
                debt = await self._answer(debt)
                await self._mark(debt)
                return await self._paid(debt)
            except DeliveryError as error:
                _log.warning("slack_late_reply_not_marked", input=debt.key, reason=error.code)
                await asyncio.sleep(error.retry_after or attempt)
            except KakehashiError as error:
                _log.warning("slack_late_reply_not_marked", input=debt.key, reason=error.what)
                return None
        if await self._store.now() > debt.at + GIVE_UP_AFTER:
            await self._paid(debt)
        return None

    async def _answer(self, debt: Debt) -> Debt:
        """Before the mark, which says less. Who cannot be told (they have left the channel) is not waited for."""
        if debt.answered:
            return debt
        try:
            await self._tell(debt.thread, debt.user, debt.why, ())
        except DeliveryError as error:
            if error.fault in _LATER:
                raise
            _log.info("slack_late_reply_not_told", input=debt.key, code=error.code)
        answered = replace(debt, answered=True)
        await self._store.put(debt.name, json.dumps(asdict(answered)))
        return answered

    async def _paid(self, debt: Debt) -> None:
        await self._store.put(f"{TOLD}/{debt.key}", "1", TOLD_KEPT)
        await self._store.forget(debt.name)

    async def _mark(self, debt: Debt) -> None:
        """On the message; where we may not, in a line beneath."""
        try:
            await self._api.call(
                "reactions.add", urgency=Urgency.LINE, channel=debt.channel, timestamp=debt.ts, name=NOT_SENT
            )
        except DeliveryError as error:
            if error.code == "already_reacted" or error.code in ALREADY_GONE:
                return
            if error.fault in _LATER:
                raise
            await self._say_once(debt)

    async def _say_once(self, debt: Debt) -> None:
        """Whoever wrote its message's ts there may say it again, since the answer to the first may have been lost."""
        if not await self._store.swap(f"{LINE}/{debt.thread.ref}", None, debt.ts):
            return
        try:
            await self._api.call(
                "chat.postMessage",
                urgency=Urgency.LINE,
                channel=debt.channel,
                thread_ts=debt.root,
                **render.line(escape(debt.why)).posted,
            )
        except DeliveryError as error:
            if error.fault in _LATER:
                raise
            _log.warning("slack_late_reply_not_marked", input=debt.key, reason=error.code)
