"""A new policy without a restart: on SIGHUP, when `kakehashi reload` asks every process, and as calendars move on.

A policy that cannot be loaded is refused with everything that is wrong, and the one before stays in force. Sessions
that are under way go on: each next decision, and each timer, is of the policy of that moment.

`kakehashi reload` leaves an order in the store, which every process looks for; each leaves an answer.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import KakehashiError, StoreUnavailableError
from bridge.leases import TIMERS, lease_name
from bridge.metrics import Metrics
from bridge.ports import Store

LOOK_EVERY = 2.0
"""Seconds between two looks for an order. Nobody waits for a policy, but whoever typed the command."""

EXPAND_EVERY = 6 * 3_600.0
"""Seconds. Calendars are worked out more than a year ahead; what moves is which days are near."""

RENEW_EVERY = 900.0
"""Seconds between two looks at calendars that are kept elsewhere."""

KEEP_ANSWERS = 3_600_000
"""ms."""

_ORDER = "policy/order"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process made of an order. `errors` is empty when it reads the new policy."""

    process: str
    errors: tuple[str, ...] = ()


class PolicyWatch:
    """Keeps one process's policy up to date.

    `read` reads the files anew and puts what they say in force; `expand` works the calendars of what is in force out
    anew; `renew` fetches calendars and says whether one has changed. The first two raise KakehashiError and change
    nothing then; `renew` never raises.
    """

    def __init__(
        self,
        store: Store,
        process: str,
        metrics: Metrics,
        *,
        read: Callable[[], Awaitable[None]],
        expand: Callable[[], Awaitable[None]],
        renew: Callable[[], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._process = process
        self._metrics = metrics
        self._read = read
        self._expand = expand
        self._renew = renew
        self._asked = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._seen: str | None = None

    def ask(self) -> None:
        """Read the policy anew, here: SIGHUP."""
        self._asked.set()

    async def run(self) -> None:
        """Look for orders until cancelled. What was ordered before this process began, it has read."""
        self._seen = await self._order()
        expanded = time.monotonic()
        while True:
            await self._wait()
            if time.monotonic() - expanded >= EXPAND_EVERY:
                expanded = time.monotonic()
                await self._put_in_force("calendar", self._expand)
            await self._look()

    async def renew_calendars(self) -> None:
        """Fetch calendars now and then, until cancelled; the first time at once."""
        while True:
            if await self._renew():
                await self._put_in_force("calendar", self._expand)
            await asyncio.sleep(RENEW_EVERY)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._asked.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        if self._asked.is_set():
            self._asked.clear()
            await self._put_in_force("signal", self._read)
        order = await self._order()
        if order is not None and order != self._seen:
            self._seen = order
            errors = await self._put_in_force("order", self._read)
            await self._answer(order, errors)

    async def _order(self) -> str | None:
        """The latest order; while the store is away, the one that is known."""
        try:
            return await self._store.get(_ORDER)
        except StoreUnavailableError:
            return self._seen

    async def _put_in_force(self, cause: str, work: Callable[[], Awaitable[None]]) -> Sequence[str]:
        try:
            async with self._one_at_a_time:  # else what is slow to be worked out could follow what was read after it
                await work()
        except KakehashiError as error:
            errors = str(error).splitlines()
            log.error("policy_refused", cause=cause, errors=errors, mend="mend it and reload; the one before stays")
            self._metrics.policy_read("refused")
            return errors
        log.info("policy_adopted", cause=cause)
        self._metrics.policy_read("adopted")
        return ()

    async def _answer(self, order: str, errors: Sequence[str]) -> None:
        record = json.dumps({"order": order, "errors": list(errors)}, ensure_ascii=False)
        try:
            await self._store.put(_answer_of(self._process), record, ttl=KEEP_ANSWERS)
        except StoreUnavailableError:
            log.warning("reload_not_answered")


# ------------------------------------------------------------------ who orders it


async def order(store: Store) -> str:
    """Tell every process to read its policy anew. Returns the order, to hear the answers by."""
    name = secrets.token_hex(6)
    await store.put(_ORDER, name)
    return name


async def processes(store: Store) -> list[str]:
    """The processes that are at work: who holds a lease."""
    now = await store.now()
    names = (lease_name(TIMERS, partition) for partition in range(store.partitions))
    leases = await asyncio.gather(*(store.holder(name) for name in names))
    return sorted({holder for holder, _term, until in leases if holder and until > now})


async def answers(store: Store, name: str, asked: Sequence[str]) -> list[Answer]:
    """What those of the processes that were asked have answered to this order so far."""
    records = await asyncio.gather(*(store.get(_answer_of(process)) for process in asked))
    told = [(process, json.loads(record)) for process, record in zip(asked, records, strict=True) if record]
    return [Answer(process, tuple(record["errors"])) for process, record in told if record["order"] == name]


def _answer_of(process: str) -> str:
    return f"policy/answer/{process}"
