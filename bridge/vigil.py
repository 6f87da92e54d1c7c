"""The vigil: the bridge watches its own health, and calls people by a way that needs nothing of what is ill.

Every process looks at itself each few seconds: does the store answer, is each network connected, is any delivery late,
has each partition a leader, are pages being accepted? What stays ill for its patience climbs the operations ladder of
the settings. The calls go straight from this process to the pagers: no lane, no network, no store is between.

`Watch` is the pure part: what was found goes in, calls and ends come out, and time is an argument. `Mutes` are planned
silences. They are kept in the store with who and why; a process knows them by heart, so that a mute for a Redis that is
being replaced holds while that Redis is away. A dead process calls nobody: for that a heartbeat goes out while all is
well, to whoever raises the alarm when it stays away.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from bridge.errors import DeliveryError, KakehashiError
from bridge.leases import Leases, lease_name
from bridge.pagers import KeepsPages, PageCall, Pager, in_time
from bridge.pages import Pages, Words, spelt
from bridge.ports import Network, Store
from bridge.takeovers import Lateness
from routing.ids import NetworkName

LOOK_EVERY = 5.0
"""Seconds between looks."""

ASK_WITHIN = 4.0
"""Seconds for the store to answer a look. A store that hangs is as ill as one that refuses."""

AGAIN = 30_000
"""ms until a call is made again that no pager of the ladder has accepted."""

MUTE_AT_MOST = 24 * 3_600_000
"""ms. A silence that is longer is not a planned one."""

MUTES_KEPT = 200
"""Mutes that are remembered for whoever asks who was silent when."""

log = structlog.get_logger(__name__)


# ------------------------------------------------------------------ what is watched, and who is called


@dataclass(frozen=True, slots=True)
class Rules:
    """ms. `ladder` are (pager, after the step before it); its last step is repeated each `repeat_every`."""

    ladder: tuple[tuple[str, int], ...] = ()
    repeat_every: int = 15 * 60_000
    network_down: int = 60_000
    lane_late: int = 120_000
    store_down: int = 20_000

    def patience(self, name: str) -> int:
        """How long this may be ill before somebody is called. What is found with an age has had its patience."""
        kind = name.partition(":")[0]
        return {"store": self.store_down, "network": self.network_down}.get(kind, self.lane_late)


@dataclass(frozen=True, slots=True)
class Symptom:
    """What a look found to be ill. `age`: for how long already, ms, where that is known."""

    detail: str = ""
    age: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """Call a pager about something that has been ill since `since`."""

    name: str
    pager: str
    since: int
    detail: str


@dataclass(frozen=True, slots=True)
class End:
    """It is well again: pagers that were called close their books."""

    name: str
    pagers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Illness:
    since: int
    detail: str
    rung: int = -1
    at: int = 0
    called: tuple[str, ...] = ()
    acknowledged: bool = False


class Watch:
    """What is ill and who was called for it. Times are ms of one clock that never goes back."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._ill: dict[str, _Illness] = {}

    @property
    def ill(self) -> list[str]:
        return sorted(self._ill)

    def look(self, found: Mapping[str, Symptom], now: int, *, muted: bool = False) -> list[Call | End]:
        """What to do about what was found. While `muted` nobody is called; what is well again is still said."""
        steps: list[Call | End] = []
        for name in self.ill:
            if name not in found:
                called = self._ill.pop(name).called
                steps += [End(name, called)] if called else []
        for name, symptom in found.items():
            before = self._ill.get(name) or _Illness(now - symptom.age, symptom.detail)
            self._ill[name] = replace(before, detail=symptom.detail)
            steps += [] if muted else self._climb(name, now)
        return steps

    def acknowledged(self, name: str) -> bool:
        """Somebody has it: it is called no more until it is well. False when it is not ill."""
        if name in self._ill:
            self._ill[name] = replace(self._ill[name], acknowledged=True)
        return name in self._ill

    def failed(self, name: str, now: int) -> None:
        """The pager did not take the call: the next one is called at once, after the last one again in a while."""
        illness, rungs = self._ill.get(name), len(self._rules.ladder)
        if illness is not None:
            wait = AGAIN - self._rules.repeat_every if illness.rung >= rungs - 1 else -self._after(illness.rung + 1)
            self._ill[name] = replace(illness, at=now + wait)

    def _climb(self, name: str, now: int) -> list[Call]:
        calls = []
        for _ in self._rules.ladder:
            illness = self._ill[name]
            if illness.acknowledged or now < self._next(name, illness):
                break
            rung = min(illness.rung + 1, len(self._rules.ladder) - 1)
            pager = self._rules.ladder[rung][0]
            called = illness.called if pager in illness.called else (*illness.called, pager)
            self._ill[name] = replace(illness, rung=rung, at=now, called=called)
            calls.append(Call(name, pager, illness.since, illness.detail))
        return calls

    def _next(self, name: str, illness: _Illness) -> int:
        if illness.rung < 0:
            return illness.since + self._rules.patience(name) + self._after(0)
        if illness.rung >= len(self._rules.ladder) - 1:
            return illness.at + self._rules.repeat_every
        return illness.at + self._after(illness.rung + 1)

    def _after(self, rung: int) -> int:
        return self._rules.ladder[rung][1]


# ------------------------------------------------------------------ planned silence


@dataclass(frozen=True, slots=True)
class Mute:
    """A planned silence, kept for the record. Times are ms since 1970 (UTC); `ended` when it was cut short."""

    id: str
    start: int
    until: int
    who: str
    why: str
    ended: int | None = None

    def holds_at(self, now: int) -> bool:
        return self.start <= now < (self.until if self.ended is None else min(self.until, self.ended))


class Mutes:
    """The book of mutes. Raises StoreUnavailableError, and KakehashiError for what is not a planned silence."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, lasting: int, who: str, why: str) -> Mute:
        """Silence the health pages for `lasting` ms from now on."""
        if not 0 < lasting <= MUTE_AT_MOST:
            mend = "write 24h or less, such as 30m or 2h, and mute again when that is over"
            raise KakehashiError("a mute lasts a day at the most", where="--for", mend=mend)
        if not why.strip():
            raise KakehashiError("a mute has a reason", where="--why", mend='say why: --why "Redis is being replaced"')
        now = await self._store.now()
        mute = Mute(secrets.token_hex(3), now, now + lasting, who, why.strip())
        await self._store.put(f"{MUTE}/{mute.id}", json.dumps(asdict(mute)))
        for old in (await self.all())[MUTES_KEPT:]:
            await self._store.forget(f"{MUTE}/{old.id}")
        return mute

    async def end(self, name: str) -> Mute:
        """End one now. Raises KakehashiError when there is none of this id that holds."""
        now = await self._store.now()
        found = next((one for one in await self.all() if one.id == name and one.holds_at(now)), None)
        if found is None:
            raise KakehashiError("no such mute holds", where=name, mend="see `kakehashi mute --list`")
        ended = replace(found, ended=now)
        await self._store.put(f"{MUTE}/{name}", json.dumps(asdict(ended)))
        return ended

    async def all(self) -> list[Mute]:
        """Every mute that is remembered, the latest first."""
        kept = await self._store.shelf(MUTE)
        return sorted((Mute(**json.loads(one)) for one in kept.values()), key=lambda one: -one.start)


MUTE, TAKEN = "mute", "health-taken"
"""The shelves: mutes, and health pages that were acknowledged."""

HEALTH = "health."
"""What the names of health pages begin with."""


# ------------------------------------------------------------------ the watchman


class Backlog(Protocol):
    """A store that knows how late its lanes are."""

    async def backlog(self, partition: int, to: NetworkName, now: int) -> tuple[int, int]:
        """Lanes that are due, and since when the oldest has been (0 when none is)."""
        ...


class WatchedStore(Store, Backlog, Protocol):
    """What the vigil needs of a store."""


@dataclass(slots=True)
class Vigil:
    """One process's watchman.

    `identity` names this process to people, and stays over a restart: `host:port`. `site` names the installation.
    `engine` says what is wrong with an engine of our own, `late` what a network has not taken for long; `beat` sends a
    heartbeat.
    """

    store: WatchedStore
    networks: Mapping[NetworkName, Network]
    leases: Leases
    destinations: Sequence[NetworkName]
    pages: Pages
    pagers: Mapping[str, Pager]
    rules: Rules
    words: Words
    identity: str
    site: str
    engine: Callable[[], str | None] = lambda: None
    late: Callable[[NetworkName], Lateness] = lambda _network: Lateness()
    beat: Callable[[], Awaitable[None]] | None = None
    beat_every: float = 60.0
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))
    _watch: Watch = field(init=False)
    _mutes: tuple[Mute, ...] = ()
    _looked: float = 0.0
    _well: bool = False
    _swept: bool = False

    def __post_init__(self) -> None:
        if not self.rules.ladder:  # nobody was named: everybody is called
            self.rules = replace(self.rules, ladder=tuple((name, 0) for name in self.pagers))
        self._watch = Watch(self.rules)

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            await self.look(_monotonic())
            await asyncio.sleep(LOOK_EVERY)

    async def run_heartbeat(self) -> None:
        """Say that all is well, while it is, until cancelled. What has not been looked at is not said to be well."""
        while self.beat is not None:
            if self._well and time.monotonic() - self._looked < 4 * LOOK_EVERY:
                try:
                    await in_time(self.beat())
                except DeliveryError as error:
                    log.warning("heartbeat_not_taken", code=error.code)
            await asyncio.sleep(self.beat_every)

    async def look(self, now: int) -> None:
        """One look, and the calls that follow. `now` in ms of a clock that never goes back."""
        found = await self._examine()
        await self._learn()
        muted = any(mute.holds_at(_wall()) for mute in self._mutes)
        if muted and found:
            log.info("health_muted", ill=sorted(found))
        steps = self._watch.look(found, now, muted=muted)
        self._well, self._looked = "store" not in found, time.monotonic()
        await self._close_what_a_former_life_left(found)
        await asyncio.gather(*(self._take(step, now) for step in steps))

    async def acknowledged(self, key: str) -> None:
        """Somebody acknowledged a page at its pager. If it is a health page, of whichever process, it learns of it."""
        if key.startswith(HEALTH) and not self._have_it(key):
            with suppress(KakehashiError):
                await self.store.put(f"{TAKEN}/{key}", str(_wall()))

    def _have_it(self, key: str) -> bool:
        return any(self._watch.acknowledged(name) for name in self._watch.ill if self._key(name) == key)

    async def _learn_acknowledgements(self) -> None:
        """A webhook reaches one process, and the page may be another's."""
        for name, at in (await self.store.shelf(TAKEN)).items():
            if self._have_it(name.partition("/")[2]) or int(at) < _wall() - MUTE_AT_MOST:
                await self.store.forget(name)

    # ------------------------------------------------------------------ looking

    async def _examine(self) -> dict[str, Symptom]:
        found = {f"network:{name}": Symptom(why) for name, one in self.networks.items() if (why := one.ready())}
        try:
            async with asyncio.timeout(ASK_WITHIN):
                broken = self.engine()
                if broken is not None:
                    return {**found, "store": Symptom(broken)}
                await self.store.get("health")
                return {**found, **await self._examine_deliveries()}
        except (KakehashiError, TimeoutError) as error:
            return {**found, "store": Symptom(error.what if isinstance(error, KakehashiError) else "no answer")}

    async def _examine_deliveries(self) -> dict[str, Symptom]:
        now, found = await self.store.now(), {}
        for name in self.networks:
            late = self.late(name)  # a lane that is put off again and again is never long overdue
            age = max(await self._lane_age(name, now), late.age)
            if age >= self.rules.lane_late:
                detail = f"{name}: {late.error}" if late.error else str(name)
                found[f"lane:{name}"] = Symptom(detail, age)
        if self.leases.holder == min(await self.store.processes(self.leases.holder, now)):
            found |= await self._examine_all(now)  # one speaks of what is everybody's
        return found

    async def _lane_age(self, name: NetworkName, now: int) -> int:
        dues = [await self.store.backlog(partition, name, now) for partition, _term in self.leases.partitions(name)]
        return max((now - due for lanes, due in dues if lanes and due), default=0)

    async def _examine_all(self, now: int) -> dict[str, Symptom]:
        found = {}
        names = [lease_name(to, number) for to in self.destinations for number in range(self.store.partitions)]
        holders = await asyncio.gather(*map(self.store.holder, names))
        orphans = [
            name for name, (holder, _term, until) in zip(names, holders, strict=True) if not holder or until < now
        ]
        if orphans:
            found["leader"] = Symptom(", ".join(orphans[:5]))
        overdue = await self.pages.overdue()
        if overdue >= self.rules.lane_late:
            found["page"] = Symptom("", overdue)
        return found

    async def _learn(self) -> None:
        """Mutes by heart: while the store is away, the last known ones hold."""
        with suppress(KakehashiError, TimeoutError):
            async with asyncio.timeout(ASK_WITHIN):
                self._mutes = tuple(await Mutes(self.store).all())
                await self._learn_acknowledgements()

    # ------------------------------------------------------------------ calling

    async def _take(self, step: Call | End, now: int) -> None:
        if isinstance(step, End):
            log.info("health_restored", what=step.name)
            await asyncio.gather(*(self._resolve(pager, self._key(step.name)) for pager in step.pagers))
            return
        log.warning("health_paged", what=step.name, pager=step.pager, detail=step.detail)
        try:
            pager = self.pagers[step.pager]
            await in_time(pager.page(self._page(step, now, pager.language)))
        except DeliveryError as error:
            log.warning("health_page_failed", what=step.name, pager=step.pager, code=error.code)
            self._watch.failed(step.name, now)

    async def _resolve(self, pager: str, key: str) -> None:
        keeper: object = self.pagers.get(pager)
        if isinstance(keeper, KeepsPages):
            try:
                await in_time(keeper.resolve(key))
            except DeliveryError as error:
                log.warning("health_page_not_resolved", pager=pager, code=error.code)

    async def _close_what_a_former_life_left(self, found: Mapping[str, Symptom]) -> None:
        """We were killed while something was ill, and it is well now: nobody else would close that page."""
        if self._swept:
            return
        self._swept = True
        lasting = [
            "store",
            "leader",
            "page",
            *(f"{kind}:{name}" for kind in ("network", "lane") for name in self.networks),
        ]
        keys = [self._key(name) for name in lasting if name not in found]
        await asyncio.gather(*(self._resolve(pager, key) for pager in self.pagers for key in keys))

    def _key(self, name: str) -> str:
        """The same over a restart. What is everybody's has one key for all processes."""
        shared = name in ("leader", "page")
        return f"{HEALTH}{self.site if shared else self.identity}.{name}"

    def _page(self, call: Call, now: int, language: str) -> PageCall:
        kind, _, name = call.name.partition(":")
        since = _wall() - (now - call.since)
        line = self.words(language, f"health.{kind}", name=name, since=spelt(since, _wall(), self.zone))
        details = {"process": self.identity, "detail": call.detail}
        return PageCall(self._key(call.name), f"{self.site} · {line}", severity="critical", at=since, details=details)


def _monotonic() -> int:
    return int(time.monotonic() * 1000)


def _wall() -> int:
    return int(time.time() * 1000)
