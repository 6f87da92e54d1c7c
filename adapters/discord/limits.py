"""Discord's limits, kept before they are met: a bucket per route and channel as the headers tell, and two for the bot.

A bucket is known by its headers only (`X-RateLimit-Bucket` with the major parameter), and belongs to one channel or
thread: whoever has to wait there keeps no other session waiting. What all processes share stands in the store: fifty
calls a second, and the answers that Discord counts as invalid, of which 10,000 in ten minutes shut the address out.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from adapters.discord import faults
from bridge.errors import KakehashiError, StoreUnavailableError
from bridge.ports import Store

EVERY = "discord/calls"
EVERY_RATE, EVERY_BURST = 40.0, 40
"""Below Discord's 50 a second for a bot."""

INVALID = "discord/invalid"
INVALID_RATE, INVALID_BURST = 2.0, 1_000
"""2,200 in ten minutes at most, far from the 10,000 that lead to a ban."""

REACTIONS = "reactions"
"""One limit for all reactions in a channel, put or taken off, whichever signs. No header tells of it in time."""

REACTIONS_APART = 0.25
"""Seconds."""

REMEMBERED = 20_000

_MINOR = re.compile(r"(?<!/channels)(?<!/guilds)/\d{1,20}(?=/|$)")
_MAJOR = re.compile(r"/(?:channels|guilds)/(\d{1,20})")


@dataclass(slots=True)
class _Quota:
    left: int
    until: float  # by the monotonic clock; then the bucket is full again


class Limits:
    """`clock` is monotonic, in seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = monotonic) -> None:
        self._store = store
        self._clock = clock
        self._buckets: dict[str, str] = {}
        self._quotas: OrderedDict[str, _Quota] = OrderedDict()

    async def admit(self, verb: str, path: str) -> None:
        """Return where the call may be made at once, and count it; raises DeliveryError (certainly not done)."""
        quota = self._quotas.get(self._name(verb, path))
        if quota is not None and quota.until > self._clock():
            if quota.left <= 0:
                raise faults.put_off("paced", quota.until - self._clock())
            quota.left -= 1
        if _route(verb, path) == REACTIONS:
            self._put(self._name(verb, path), _Quota(0, self._clock() + REACTIONS_APART))
        try:
            granted, wait = await self._store.draw(EVERY, 1, EVERY_RATE, EVERY_BURST)
        except StoreUnavailableError as error:
            raise faults.put_off("store_away", 1.0) from error
        if not granted:
            raise faults.put_off("paced", wait / 1000)

    def learn(self, verb: str, path: str, headers: Mapping[str, str]) -> None:
        """What an answer says of its bucket."""
        bucket, left, after = (headers.get(f"X-RateLimit-{name}") for name in ("Bucket", "Remaining", "Reset-After"))
        if _route(verb, path) == REACTIONS:
            self._put(self._name(verb, path), _Quota(0, self._clock() + REACTIONS_APART))
            return
        if bucket is None or left is None or after is None:
            return
        try:
            quota = _Quota(int(left), self._clock() + float(after))
        except ValueError:
            return  # the call is done, whatever is said of the next one
        self._buckets[_route(verb, path)] = bucket
        self._put(self._name(verb, path), quota)

    async def refused(self, verb: str, path: str, seconds: float, *, everywhere: bool) -> None:
        """A 429: of this bucket, or of all that we do."""
        if not everywhere:
            return self._put(self._name(verb, path), _Quota(0, self._clock() + seconds))
        return await self._pause(seconds)

    async def count_invalid(self) -> None:
        """Too many of these, and nothing more is called for a while: whoever goes on is shut out."""
        try:
            granted, wait = await self._store.draw(INVALID, 1, INVALID_RATE, INVALID_BURST)
        except KakehashiError:
            return
        if not granted:
            await self._pause(max(1.0, wait / 1000))

    async def _pause(self, seconds: float) -> None:
        try:
            await self._store.pause(EVERY, await self._store.now() + int(seconds * 1000))
        except KakehashiError:
            return  # each refusal tries again

    def _name(self, verb: str, path: str) -> str:
        """Until the bucket is known the route stands for it."""
        route = _route(verb, path)
        major = _MAJOR.match(path)
        return f"{self._buckets.get(route, route)} {major[1] if major else ''}"

    def _put(self, name: str, quota: _Quota) -> None:
        self._quotas[name] = quota
        self._quotas.move_to_end(name)
        if len(self._quotas) > REMEMBERED:
            self._quotas.popitem(last=False)


def _route(verb: str, path: str) -> str:
    """The same for whichever channel, message or thread."""
    if "/reactions/" in path:
        return REACTIONS
    return f"{verb} {_MAJOR.sub('/{major}', _MINOR.sub('/{id}', path), count=1)}"
