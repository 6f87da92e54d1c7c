"""The desks' channels: what kind each is, which server it is on, and who can read it.

Whoever is on the server reads what customers write where @everyone sees the channel. Nothing of theirs is posted there,
unless the settings allow it; permissions change at any time, so what is known of a channel grows old.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from time import monotonic

import structlog

from adapters.discord.heard.shape import Given
from adapters.discord.places.permissions import Overwrites, Server, is_public, overwrites_of
from adapters.discord.wire import faults
from adapters.discord.wire.client import RestApi
from bridge.errors import DeliveryError, Fault

BELIEVED = 60.0
"""Seconds that what a channel was is taken for what it is. Only the process that listens hears of a change sooner."""

SAID = 600.0
"""Seconds that a channel which everyone can see is told of after it was last asked about."""

PUBLIC = "public_channel"
HIDE = "take “View Channel” from @everyone in the channel's permissions, and give it to the operators' role and the bot"

CHANGES = frozenset(("CHANNEL_UPDATE", "CHANNEL_DELETE", "GUILD_ROLE_UPDATE", "GUILD_CREATE"))
"""Events after which a channel may be another's to read."""

_NEEDS_TAG = 1 << 4
"""Of a forum's flags."""

_log = structlog.get_logger(__name__)


class Kind(IntEnum):
    TEXT = 0
    DIRECT = 1
    ANNOUNCEMENT = 5
    FORUM = 15


@dataclass(frozen=True, slots=True)
class Tag:
    """One of a forum's tags. A `moderated` one is put on a post by moderators only: the bot needs “Manage Threads”."""

    id: str
    name: str
    moderated: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """`needs_tag`: of a forum in which each post must have one."""

    id: str
    guild: str
    kind: Kind
    name: str = ""
    overwrites: Overwrites = field(default_factory=dict)
    tags: tuple[Tag, ...] = ()
    needs_tag: bool = False

    @property
    def is_forum(self) -> bool:
        return self.kind is Kind.FORUM


class Channels:
    def __init__(self, api: RestApi, *, allow_public: bool = False) -> None:
        self.allow_public = allow_public
        self._api = api
        self._known: dict[str, tuple[float, Channel]] = {}
        self._public: dict[str, tuple[float, bool]] = {}
        self._file_limits: dict[str, tuple[float, int]] = {}
        self._changes = 0
        self._seen_public: dict[str, float] = {}

    async def of(self, place: str) -> Channel:
        """A desk's channel. Raises DeliveryError, of the place, for one in which no thread can be opened."""
        known = self._known.get(place)
        if known is not None and known[0] > monotonic():
            return known[1]
        found = await self.look(place)
        self._known[place] = (monotonic() + BELIEVED, found)
        return found

    def known(self, place: str) -> Channel | None:
        """The channel as it was last, if it was ever asked for."""
        known = self._known.get(place)
        return known[1] if known is not None else None

    async def look(self, place: str) -> Channel:
        """Ask anew. Raises DeliveryError."""
        told = Given.of(await self._api.get(f"/channels/{place}"), "channel")
        kind, guild = told.number("type"), told.id("guild_id")
        if not guild or kind not in tuple(Kind):
            raise faults.refused(400, faults.WRONG_TYPE)
        tags = tuple(_tag(one) for one in told.objects("available_tags"))
        needs_tag = bool(told.number("flags") & _NEEDS_TAG)
        return Channel(place, guild, Kind(kind), told.text("name"), overwrites_of(told), tags, needs_tag)

    async def server(self, channel: Channel) -> Server:
        """Raises DeliveryError."""
        return Server.of(await self._api.get(f"/guilds/{channel.guild}"))

    async def file_limit(self, place: str) -> int:
        """Bytes that one file may have on this channel's server. Raises DeliveryError."""
        channel = await self.of(place)
        known = self._file_limits.get(channel.guild)
        if known is not None and known[0] > monotonic():
            return known[1]
        limit = (await self.server(channel)).file_limit
        self._file_limits[channel.guild] = (monotonic() + BELIEVED, limit)
        return limit

    def no_more_than(self, place: str, limit: int) -> None:
        """Discord has refused what it used to take: a server lost its boosts."""
        known = self._known.get(place)
        if known is not None:
            self._file_limits[known[1].guild] = (monotonic() + BELIEVED, limit)

    async def admit(self, place: str) -> None:
        """Return when customers' words may stand there. Raises DeliveryError, certain: blocked for a channel that
        everyone can read, transient where Discord does not tell."""
        if not self.allow_public and await self._is_public(place):
            raise DeliveryError(Fault.BLOCKED, PUBLIC, mend=HIDE, of_place=True)

    async def _is_public(self, place: str) -> bool:
        known = self._public.get(place)
        if known is not None and known[0] > monotonic():
            return known[1]
        changes = self._changes
        try:
            channel = await self.look(place)
            public = is_public(await self.server(channel), channel.overwrites)
        except DeliveryError as error:
            if error.fault is Fault.AMBIGUOUS:  # a question does nothing
                raise faults.unreached(error.code) from error
            raise
        self._note(place, public=public)
        if changes == self._changes:  # else it may have been asked before that change
            until = monotonic() + BELIEVED
            self._known[place], self._public[place] = (until, channel), (until, public)
        return public

    def _note(self, place: str, *, public: bool) -> None:
        before = self._seen_public.pop(place, None)
        if public:
            self._seen_public[place] = monotonic() + SAID
            if before is None:
                _log.error("discord_channel_public", channel=place)

    def trouble(self, places: Iterable[str]) -> str | None:
        """What `/readyz` says of the desks' channels, as far as they were asked about."""
        shown = ", ".join(one for one in places if self._seen_public.get(one, 0.0) > monotonic())
        return f"everyone can see a desk's channel, so nothing is posted there: {shown}" if shown else None

    def forget(self) -> None:
        """One of them is not as it was: each is asked anew."""
        self._known.clear()

    def hear(self, kind: str) -> None:
        """An event: after some of them each channel is asked anew before the next post."""
        if kind in CHANGES:
            self._changes += 1
            self._known.clear()
            self._public.clear()
            self._seen_public.clear()


def _tag(given: Given) -> Tag:
    return Tag(given.id("id", must=True), given.text("name"), given.flag("moderated"))
