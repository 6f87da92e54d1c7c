"""The desks' channels: what kind each is, and which server it is on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from time import monotonic

from adapters.discord import faults
from adapters.discord.client import RestApi
from adapters.discord.shape import Given

BELIEVED = 600.0
"""Seconds that what a channel was is taken for what it is. What kind it is hardly ever changes."""


class Kind(IntEnum):
    TEXT = 0
    ANNOUNCEMENT = 5
    FORUM = 15


@dataclass(frozen=True, slots=True)
class Channel:
    id: str
    guild: str
    kind: Kind
    name: str = ""

    @property
    def is_forum(self) -> bool:
        return self.kind is Kind.FORUM


class Channels:
    def __init__(self, api: RestApi) -> None:
        self._api = api
        self._known: dict[str, tuple[float, Channel]] = {}

    async def of(self, place: str) -> Channel:
        """A desk's channel. Raises DeliveryError, of the place, for one in which no thread can be opened."""
        known = self._known.get(place)
        if known is not None and known[0] > monotonic():
            return known[1]
        found = await self.look(place)
        self._known[place] = (monotonic() + BELIEVED, found)
        return found

    async def look(self, place: str) -> Channel:
        """Ask anew. Raises DeliveryError."""
        told = Given.of(await self._api.get(f"/channels/{place}"), "channel")
        kind, guild = told.number("type"), told.id("guild_id")
        if not guild or kind not in tuple(Kind):
            raise faults.refused(400, faults.WRONG_TYPE)
        return Channel(place, guild, Kind(kind), told.text("name"))

    def forget(self, place: str) -> None:
        """It was changed."""
        self._known.pop(place, None)
