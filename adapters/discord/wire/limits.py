"""Discord's limits, kept before they are met: a bucket per route and channel as the headers tell, and two for the bot.

A bucket is known by its headers only (`X-RateLimit-Bucket` with the major parameter), and belongs to one channel or
thread: whoever has to wait there keeps no other session waiting. Of a route that was never called one call goes ahead
and finds out; how much a bucket holds, and for how long, is then known for every channel.

What all processes share stands in the store: fifty calls a second, drawn by urgency (`bridge.networks.pacing`), and the
answers that Discord counts as invalid, of which 10,000 in ten minutes shut the address out.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic

from adapters.discord.wire import faults
from bridge.errors import KakehashiError
from bridge.networks.pacing import PATIENCE, Bucket, Rate, Urgency
from bridge.ports import Store

EVERY = "discord/calls"
EVERY_RATE, EVERY_BURST = 60.0, 8
EVERY_MOST, A_SECOND = 49, 1.01
"""Below Discord's 50 a second for a bot, whichever second it counts; that is a little longer, since calls take unequal
times to get there. Within it they go evenly, and fast enough to catch up when a busy machine looks late."""

INVALID = "discord/invalid"
INVALID_RATE, INVALID_BURST = 2.0, 1_000
"""2,200 in ten minutes at most, far from the 10,000 that lead to a ban."""

REACTIONS = "reactions"
"""One limit for all reactions in a channel, put or taken off, whichever signs. No header tells of it in time."""

REACTIONS_APART = 0.25
"""Seconds."""

FINDS_OUT = 2.0
"""Seconds in which one call finds out what its route's bucket holds, until another one may."""

LOOKED_AT = 0.05
"""Seconds between looks whether it has."""

HELD = 2.0
"""Seconds for which a turn that has come is kept for its call, which is made at once unless the store is slow."""

AMPLE = 1_000
"""Calls of a route without a bucket of its own: what holds for all calls holds for it."""

REMEMBERED = 20_000

_MINOR = re.compile(r"(?<!/channels)(?<!/guilds)/\d{1,20}(?=/|$)")
_MAJOR = re.compile(r"/(?:channels|guilds)/(\d{1,20})")

_urgency: ContextVar[tuple[Urgency, float]] = ContextVar("urgency", default=(Urgency.WORDS, PATIENCE))


@contextmanager
def urgent(urgency: Urgency, patience: float = PATIENCE) -> Iterator[None]:
    """The calls within are of this urgency, and wait for so many seconds at most."""
    token = _urgency.set((urgency, patience))
    try:
        yield
    finally:
        _urgency.reset(token)


@dataclass(slots=True)
class _Quota:
    """What is left of a bucket in one channel. `limit` 0: not known yet. Times by the monotonic clock."""

    limit: int = 0
    window: float = FINDS_OUT
    left: int = 1
    until: float = 0.0  # then it is full again
    shut_until: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until a call may be made."""
        if now < self.shut_until:
            return self.shut_until - now
        if now >= self.until or self.left > 0:
            return 0.0
        return self.until - now if self.limit else min(LOOKED_AT, self.until - now)

    def take(self, now: float) -> None:
        if now >= self.until:
            self.left, self.until = self.limit or 1, now + self.window
        self.left -= 1

    def grow(self, limit: int, window: float) -> None:
        self.left += limit - 1
        self.until += window - self.window
        self.limit, self.window = limit, window

    def learn(self, limit: int, left: int, after: float, now: float) -> None:
        """An answer's headers. Calls that are under way are not in them: the lower number counts."""
        same = bool(self.limit) and now < self.until
        self.left = min(self.left, left) if same else left
        self.limit, self.until = limit, now + after


class Limits:
    """`clock` is monotonic, in seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = monotonic) -> None:
        self._store = store
        self._clock = clock
        self._every = Bucket(
            store, EVERY, Rate(EVERY_RATE, EVERY_BURST, ahead=0.0, most=(EVERY_MOST, int(A_SECOND * 1000)))
        )
        self._called: deque[float] = deque(maxlen=EVERY_MOST)
        self._buckets: dict[str, str] = {}
        self._sizes: dict[str, tuple[int, float]] = {}
        self._quotas: OrderedDict[str, _Quota] = OrderedDict()
        self._held: OrderedDict[str, deque[float]] = OrderedDict()

    async def admit(self, verb: str, path: str) -> None:
        """Return where the call may be made, and count it; raises DeliveryError (certainly not done) where that would
        take longer than its patience."""
        if not self._take_held(verb, path):
            await self._draw(verb, path)
        await self._step_apart()

    async def _draw(self, verb: str, path: str) -> None:
        urgency, patience = _urgency.get()
        until = self._clock() + patience
        while wait := self._room(verb, path):
            if self._clock() + wait > until:
                raise faults.put_off("paced", wait)
            await asyncio.sleep(wait)
        self._take(verb, path)
        await self._every.take(urgency, max(0.0, until - self._clock()))

    async def _step_apart(self) -> None:
        """Between a token and its call lie writes that take their time, so what was drawn in two seconds may be called
        in one: this process's own calls keep to the bound at the very moment of the call."""
        now = self._clock()
        oldest = self._called[0] if len(self._called) == EVERY_MOST else 0.0
        at = max(now, oldest + A_SECOND)
        self._called.append(at)
        if at > now:
            await asyncio.sleep(at - now)

    def _take(self, verb: str, path: str) -> None:
        quota = self._quota(verb, path)
        quota.take(self._clock())
        if _route(verb, path) == REACTIONS:
            quota.shut_until = self._clock() + REACTIONS_APART

    def _room(self, verb: str, path: str) -> float:
        """Seconds until its bucket has room for one more."""
        return self._quota(verb, path).wait(self._clock())

    # ------------------------------------------------------------------ turns

    def hold_now(self, verb: str, path: str) -> bool:
        """Keep what the call needs, if that is at hand."""
        if self._room(verb, path) or not self._every.take_now():
            return False
        self._take(verb, path)
        self._hold(verb, path)
        return True

    async def hold(self, verb: str, path: str, urgency: Urgency, since: int) -> bool:
        """Wait in line, however long, for what the call needs, and keep it. Returns whether there was less than was
        asked for. `since` (ms since 1970): since when this has waited."""
        behind = False
        while wait := self._room(verb, path):
            behind = True
            await asyncio.sleep(wait)
        self._take(verb, path)  # at once: others wait for the same room
        turn = self._every.queue(urgency, since, None)
        await self._every.wait(turn, None)
        self._hold(verb, path)
        return behind or turn.behind

    def _hold(self, verb: str, path: str) -> None:
        self._held.setdefault(f"{verb} {path}", deque()).append(self._clock() + HELD)
        if len(self._held) > REMEMBERED:
            self._held.popitem(last=False)

    def _take_held(self, verb: str, path: str) -> bool:
        name = f"{verb} {path}"
        waiting = self._held.get(name)
        while waiting:
            until = waiting.popleft()
            if not waiting:
                del self._held[name]
            if until > self._clock():
                return True
        return False

    # ------------------------------------------------------------------ what Discord says

    def learn(self, verb: str, path: str, headers: Mapping[str, str]) -> None:
        """What an answer says of its bucket."""
        route, now = _route(verb, path), self._clock()
        if route == REACTIONS:
            self._quota(verb, path).shut_until = now + REACTIONS_APART
            return None
        try:
            bucket = headers["X-RateLimit-Bucket"]
            limit, left = (int(headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining"))
            after = float(headers["X-RateLimit-Reset-After"])
        except (KeyError, ValueError):
            return self._without_a_bucket(self._quota(verb, path), now)
        quota = self._quota(verb, path)
        self._buckets[route] = bucket
        window = max(after, self._sizes.get(bucket, (0, 0.0))[1])
        self._sizes[bucket] = limit, window
        quota = self._renamed(quota, verb, path)
        quota.window = window
        return quota.learn(limit, left, after, now)

    def _without_a_bucket(self, quota: _Quota, now: float) -> None:
        """A route that has none, or an answer that does not come from Discord itself."""
        if not quota.limit:
            quota.limit, quota.left, quota.window, quota.until = AMPLE, AMPLE, 1.0, now + 1.0

    async def refused(self, verb: str, path: str, seconds: float, *, everywhere: bool) -> None:
        """A 429: of this bucket, or of all that we do."""
        if everywhere:
            return await self._pause(seconds)
        self._quota(verb, path).shut_until = self._clock() + seconds
        return None

    async def count_invalid(self) -> None:
        """Too many of these, and nothing more is called for a while: whoever goes on is shut out."""
        try:
            granted, wait = await self._store.draw(INVALID, 1, INVALID_RATE, INVALID_BURST)
        except KakehashiError:
            return
        if not granted:
            await self._pause(max(1.0, wait / 1000))

    async def _pause(self, seconds: float) -> None:
        self._every.shut(seconds)
        with suppress(KakehashiError):  # each refusal tries again
            await self._store.pause(EVERY, await self._store.now() + int(seconds * 1000))

    def close(self) -> None:
        self._every.close()

    # ------------------------------------------------------------------ buckets

    def _quota(self, verb: str, path: str) -> _Quota:
        """Until the bucket is known the route stands for it."""
        name = self._name(verb, path)
        quota = self._quotas.get(name)
        if quota is None:
            route = _route(verb, path)
            unknown = (AMPLE, 1.0) if route == REACTIONS else (0, FINDS_OUT)
            limit, window = self._sizes.get(self._buckets.get(route, ""), unknown)
            quota = self._quotas[name] = _Quota(limit, window)
            if len(self._quotas) > REMEMBERED:
                self._quotas.popitem(last=False)
        self._quotas.move_to_end(name)
        if not quota.limit and (known := self._sizes.get(self._buckets.get(_route(verb, path), ""))) is not None:
            quota.grow(*known)  # it was found out elsewhere meanwhile
        return quota

    def _renamed(self, quota: _Quota, verb: str, path: str) -> _Quota:
        """Its bucket has become known: what was counted by the route is counted by that."""
        return self._quotas.setdefault(self._name(verb, path), quota)

    def _name(self, verb: str, path: str) -> str:
        route = _route(verb, path)
        major = _MAJOR.match(path)
        return f"{self._buckets.get(route, route)} {major[1] if major else ''}"


def _route(verb: str, path: str) -> str:
    """The same for whichever channel, message or thread."""
    if "/reactions/" in path:
        return REACTIONS
    return f"{verb} {_MAJOR.sub('/{major}', _MINOR.sub('/{id}', path), count=1)}"
