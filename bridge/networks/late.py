"""Late replies: whoever wrote where a session is over, or has left, hears that the customer never got it.

Their input was acknowledged, so what is still to be said is kept in the store until it is: a process that ends before
leaves it to the next one. How a person is told, and how a message is marked, each network knows.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, replace
from typing import Protocol

import structlog

from bridge.errors import DeliveryError, Fault, KakehashiError
from bridge.ports import Store
from routing.ids import InputKey, NetworkName, ThreadRef

TOLD_KEPT = 24 * 3600 * 1000
"""ms; as long as a network goes on telling of the same message."""

TRIES = 3
"""Attempts while the network is slow or limits us, until it is left for the next look."""

LOOK_EVERY = 20.0
"""Seconds between looks for what is still owed."""

ADOPT_AFTER = 60_000
"""ms after which it counts as left behind by whoever owed it."""

GIVE_UP_AFTER = 24 * 3600 * 1000
"""ms. Who wrote it has long gone on."""

LATER = (Fault.TRANSIENT, Fault.AMBIGUOUS)
"""What may pass by itself."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Debt:
    """What has to be said of one message (`post`, as the network names it in the thread), and to whom. `answered`: they
    were told, and the mark is still missing."""

    key: str
    thread: str
    post: str
    user: str
    why: str
    at: int
    answered: bool = False


class Payer(Protocol):
    """A network's way to pay. Each raises DeliveryError, and may be repeated."""

    async def tell(self, debt: Debt) -> None:
        """Tell who wrote it, and nobody else where that can be."""
        ...

    async def mark(self, debt: Debt) -> bool:
        """Mark their message for all to see; False where we may not. One that is gone needs none."""
        ...

    async def say(self, debt: Debt) -> None:
        """Say beneath, for all to see, what cannot be marked."""
        ...


def owed(network: NetworkName) -> str:
    """The shelf of those who are still to be told, by input key."""
    return f"{network}-late"


class Late:
    def __init__(self, network: NetworkName, store: Store, payer: Payer) -> None:
        self._network = network
        self._store = store
        self._payer = payer
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def keep(self, key: InputKey, thread: ThreadRef, post: str, user: str, why: str) -> None:
        """Tell who wrote it that it was not sent, and mark it; `why` names the way out. Durable when it returns, once
        per input. Raises StoreUnavailableError."""
        if await self._store.get(self._told(key)) is not None:
            return
        debt = Debt(key, thread, post, user, why, await self._store.now())
        await self._store.put(self._name(debt), json.dumps(asdict(debt)))
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
            for text in (await self._store.shelf(owed(self._network))).values():
                debt = Debt(**json.loads(text))
                if debt.at <= now - age:
                    self._begin(debt)
        except KakehashiError as error:
            _log.warning("late_replies_not_read", network=self._network, reason=error.what)

    def _begin(self, debt: Debt) -> None:
        if debt.key not in self._tasks:
            task = self._tasks[debt.key] = asyncio.get_running_loop().create_task(self._pay(debt))
            task.add_done_callback(lambda _: self._tasks.pop(debt.key, None))

    async def _pay(self, debt: Debt) -> None:
        """Nobody waits for it, so nothing is raised; what cannot be paid now is looked at again."""
        for attempt in range(1, TRIES + 1):
            try:
                debt = await self._answer(debt)
                if not await self._payer.mark(debt):
                    await self._say_once(debt)
                return await self._paid(debt)
            except DeliveryError as error:
                _log.warning("late_reply_not_marked", input=debt.key, reason=error.code)
                await asyncio.sleep(error.retry_after or attempt)
            except KakehashiError as error:
                _log.warning("late_reply_not_marked", input=debt.key, reason=error.what)
                return None
        if await self._store.now() > debt.at + GIVE_UP_AFTER:
            await self._paid(debt)
        return None

    async def _answer(self, debt: Debt) -> Debt:
        """Before the mark, which says less. Who cannot be told (they have left) is not waited for."""
        if debt.answered:
            return debt
        try:
            await self._payer.tell(debt)
        except DeliveryError as error:
            if error.fault in LATER:
                raise
            _log.info("late_reply_not_told", input=debt.key, code=error.code)
        answered = replace(debt, answered=True)
        await self._store.put(self._name(debt), json.dumps(asdict(answered)))
        return answered

    async def _say_once(self, debt: Debt) -> None:
        """Whoever wrote its message there may say it again, since the answer to the first may have been lost."""
        if not await self._store.swap(f"{self._network}/late/{debt.thread}", None, debt.post):
            return
        try:
            await self._payer.say(debt)
        except DeliveryError as error:
            if error.fault in LATER:
                raise
            _log.warning("late_reply_not_marked", input=debt.key, reason=error.code)

    async def _paid(self, debt: Debt) -> None:
        await self._store.put(self._told(debt.key), "1", TOLD_KEPT)
        await self._store.forget(self._name(debt))

    def _name(self, debt: Debt) -> str:
        return f"{owed(self._network)}/{debt.key}"

    def _told(self, key: str) -> str:
        """Under which the store keeps that an input was answered: the network may tell of it again."""
        return f"{self._network}/late-told/{key}"
