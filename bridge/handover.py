"""The hand-over: at each change of shift the desk is told what the next one takes on, once.

Whose shift ends and begins is in the desk's rota; what is open is in the desk's list. The digest goes to the desk's
channel, where the network can announce something, and lies on the shelf `handover/` for the desk's page in any case.

Once, across processes and deaths: whoever swaps the desk's record to "posting" posts. A record that has been posting
for too long belonged to a process that died; whoever takes it over looks for the post first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import tzinfo
from functools import partial
from typing import Any, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import structlog

from bridge.errors import DeliveryError, KakehashiError
from bridge.pages import Words, spelt
from bridge.ports import Line, Network, Store
from routing.ids import DeskId, NetworkName, OperatorId, Place
from routing.policy import MINUTE, Desk, Policy, Rota
from routing.session import State, TurnOf

LOOK_EVERY = 10.0
"""Seconds between looks at the rotas."""

POST_WITHIN = 10.0
"""Seconds for one announcement."""

POSTING_FOR = 30_000
"""ms after which whoever was posting counts as dead: longer than a post may take."""

NEAR = 30 * MINUTE
"""ms before a promise is due within which it is the next shift's business by name."""

NAMED = 10
"""Sessions of a kind that a digest names; the desk's list has them all."""

CHANGES_AT_MOST = 1_000
"""Changes of shift that a process catches up on at its start: years of them."""

log = structlog.get_logger(__name__)


@runtime_checkable
class SupportsAnnouncing(Protocol):
    """A network that can post a line of the bridge's own in a place, outside of any session's thread."""

    async def announce(self, place: Place, key: str, text: str) -> None:
        """Post it, so that `announced` finds it by its key. Raises `DeliveryError`."""
        ...

    async def announced(self, place: Place, key: str, since: int) -> bool:
        """Whether a post with this key stands in the place, from `since` on (ms since 1970). Raises `DeliveryError`."""
        ...


@runtime_checkable
class SupportsTelling(Protocol):
    """A network that can say something to one operator alone."""

    async def tell(self, operator: OperatorId, key: str, text: str) -> bool:
        """Say it under this key; False: no user of the network is known to be theirs. Raises `DeliveryError`."""
        ...


@dataclass(frozen=True, slots=True)
class Digest:
    """What a shift hands over. Times are ms since 1970 (UTC), sessions named by their short codes, soonest first."""

    desk: DeskId
    at: int
    leaves: str = ""
    comes: str = ""
    waiting: int = 0
    held: int = 0
    under_way: int = 0
    near: tuple[tuple[str, int], ...] = ()
    escalated: tuple[tuple[str, int, str], ...] = ()  # code, since, who has it

    @property
    def open(self) -> int:
        return self.waiting + self.held + self.under_way


@dataclass(frozen=True, slots=True)
class _Record:
    """`edge` is the change of shift that is posted, or being posted by `by` until `until`."""

    edge: int
    by: str = ""
    until: int = 0
    digest: Mapping[str, Any] | None = None


class Handovers:
    """`name` gives an operator's name as colleagues know it; `zone` a desk's time zone."""

    def __init__(
        self,
        store: Store,
        policy: Callable[[], Policy],
        networks: Mapping[NetworkName, Network],
        words: Words,
        holder: str,
        *,
        name: Callable[[OperatorId], str] = str,
        zone: Callable[[DeskId], tzinfo] = lambda _desk: ZoneInfo("UTC"),
    ) -> None:
        self._store = store
        self._policy = policy
        self._networks = networks
        self._words = words
        self._holder = holder
        self._name = name
        self._zone = zone

    async def run(self) -> None:
        """Post at each change of shift, until cancelled."""
        while True:
            try:
                await self.tick()
            except KakehashiError as error:
                log.warning("handovers_not_read", reason=error.what)
            await asyncio.sleep(LOOK_EVERY)

    async def tick(self) -> None:
        """One look at every desk that has a rota."""
        now, policy = await self._store.now(), self._policy()
        for desk in policy.desks.values():
            rota = policy.rotas.get(desk.rota)
            if rota is not None:
                await self._look(desk, rota, now)

    # ------------------------------------------------------------------ once

    async def _look(self, desk: Desk, rota: Rota, now: int) -> None:
        record, text = await self._record(desk.id)
        if record is None:
            await self._store.swap(_name(desk.id), None, _encode(_Record(now)))  # the first change is yet to come
            return
        edge = _last_change(rota, record.edge, now)
        dead = bool(record.by) and now >= record.until
        if edge is None and not dead:
            return
        claimed = _Record(edge or record.edge, self._holder, now + POSTING_FOR, record.digest)
        if await self._store.swap(_name(desk.id), text, _encode(claimed)):
            await self._post(desk, rota, claimed, now, look_first=dead and edge is None)

    async def _post(self, desk: Desk, rota: Rota, claimed: _Record, now: int, *, look_first: bool) -> None:
        digest = await self._digest(desk, rota, claimed.edge, now)
        key = f"handover/{desk.id}/{claimed.edge}"
        try:
            async with asyncio.timeout(POST_WITHIN):
                await self._announce(desk, key, digest, look_first=look_first)
        except (DeliveryError, TimeoutError) as error:
            log.warning("handover_not_posted", desk=desk.id, error=type(error).__name__)
            return  # it stays claimed for a while; then whoever is first looks, and posts it if it is not there
        done = _Record(claimed.edge, digest=asdict(digest))
        await self._store.swap(_name(desk.id), _encode(claimed), _encode(done))
        log.info("handover_posted", desk=desk.id, open=digest.open)

    async def _announce(self, desk: Desk, key: str, digest: Digest, *, look_first: bool) -> None:
        network: object = self._networks.get(desk.network)
        if not isinstance(network, SupportsAnnouncing):
            return  # the desk's page shows it
        if not (look_first and await network.announced(desk.place, key, digest.at)):
            await network.announce(desk.place, key, self.spelt(digest, next(iter(desk.languages), "en")))

    async def _record(self, desk: DeskId) -> tuple[_Record | None, str | None]:
        text = await self._store.get(_name(desk))
        return _decode(text), text

    # ------------------------------------------------------------------ what is handed over

    async def _digest(self, desk: Desk, rota: Rota, edge: int, now: int) -> Digest:
        lines = [one for one in await self._store.lines(desk.id) if one.summary.get("state") != State.RESOLVED]
        held = [one for one in lines if one.summary.get("turn") == TurnOf.HELD]
        waiting = [one for one in lines if one.summary.get("state") == State.QUEUED and one not in held]
        leaves, comes = rota.on_call(edge - 1), rota.on_call(edge)
        return Digest(
            desk=desk.id,
            at=edge,
            leaves=self._name(leaves) if leaves else "",
            comes=self._name(comes) if comes else "",
            waiting=len(waiting),
            held=len(held),
            under_way=len(lines) - len(waiting) - len(held),
            near=_near(lines, now),
            escalated=self._escalated(lines),
        )

    def _escalated(self, lines: Sequence[Line]) -> tuple[tuple[str, int, str], ...]:
        found = []
        for line in lines:
            ladder = line.summary.get("escalation")
            if isinstance(ladder, Mapping):
                taken = ladder.get("acknowledged_by")
                found.append((str(line.code), int(ladder["since"]), self._name(taken) if taken else ""))
        return tuple(sorted(found, key=lambda one: one[1]))

    def spelt(self, digest: Digest, language: str) -> str:
        """The digest as lines of text, absolute times in the desk's zone."""
        words = partial(self._words, language)

        def moment(at: int) -> str:
            return spelt(at, digest.at, self._zone(digest.desk))

        shift = {one: getattr(digest, one) or words("handover.nobody") for one in ("leaves", "comes")}
        counts = {"waiting": digest.waiting, "held": digest.held, "under_way": digest.under_way}
        lines = [words("handover.shift", at=moment(digest.at), **shift)]
        lines.append(words("handover.open", open=digest.open, **counts))
        near = [words("handover.due", code=code, at=moment(due)) for code, due in digest.near[:NAMED]]
        lines += [words("handover.near", sessions=", ".join(near))] if near else []
        late = [_late(words, code, moment(since), taken) for code, since, taken in digest.escalated[:NAMED]]
        lines += [words("handover.escalated", sessions=", ".join(late))] if late else []
        return "\n".join(lines)


def _late(words: Callable[..., str], code: str, since: str, taken: str) -> str:
    if taken:
        return words("handover.taken", code=code, since=since, operator=taken)
    return words("handover.late", code=code, since=since)


async def latest(store: Store, desk: DeskId) -> Digest | None:
    """The desk's last digest, for its page."""
    record = _decode(await store.get(_name(desk)))
    return _digest_of(record.digest) if record is not None and record.digest else None


def _near(lines: Sequence[Line], now: int) -> tuple[tuple[str, int], ...]:
    """Whose promise is due soon; what is missed already is escalated, and said there."""
    found = []
    for line in lines:
        due = line.summary.get("due")
        soonest = min(due.values(), default=None) if isinstance(due, Mapping) else None
        if soonest is not None and now <= soonest <= now + NEAR:
            found.append((str(line.code), int(soonest)))
    return tuple(sorted(found, key=lambda one: one[1]))


def _last_change(rota: Rota, after: int, now: int) -> int | None:
    """The latest change of shift that has come since `after`. Those that nobody was there to post are left out."""
    last = None
    for _ in range(CHANGES_AT_MOST):
        change = rota.changes_after(after)
        if change is None or change > now:
            break
        last = after = change
    return last


def _digest_of(fields: Mapping[str, Any]) -> Digest:
    near = tuple((code, due) for code, due in fields["near"])
    escalated = tuple((code, since, taken) for code, since, taken in fields["escalated"])
    return replace(Digest(**{**fields, "near": (), "escalated": ()}), near=near, escalated=escalated)


def _name(desk: DeskId) -> str:
    return f"handover/{desk}"


def _decode(text: str | None) -> _Record | None:
    return None if text is None else _Record(**json.loads(text))


def _encode(record: _Record) -> str:
    return json.dumps(asdict(record), sort_keys=True)
