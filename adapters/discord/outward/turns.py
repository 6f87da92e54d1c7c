"""Turns: a delivery waits for its thread's bucket, and for one of the bot's calls, before it counts as begun."""

from __future__ import annotations

from adapters.discord.places.channels import Channels
from adapters.discord.places.roots import place_of
from adapters.discord.refs import Root
from adapters.discord.wire.limits import Limits
from bridge.networks.turns import since, urgency_of
from bridge.ports import Delivery
from routing.effects import OpenThread


class Turns:
    def __init__(self, limits: Limits, channels: Channels) -> None:
        self._limits = limits
        self._channels = channels

    def hold_now(self, delivery: Delivery) -> bool:
        """See `bridge.ports.SupportsTurns`."""
        if urgency_of(delivery) is None:
            return True
        path = self._path(delivery)
        return path is not None and self._limits.hold_now("POST", path)

    async def hold(self, delivery: Delivery) -> bool:
        urgency = urgency_of(delivery)
        if urgency is None:
            return False
        if self._path(delivery) is None:
            await self._channels.of(place_of(delivery))
        return await self._limits.hold("POST", self._path(delivery) or "", urgency, since(delivery))

    def _path(self, delivery: Delivery) -> str | None:
        """Where it is posted; None while it is not known what the desk's channel is."""
        if delivery.thread is not None:
            return f"/channels/{Root.of(delivery.thread).thread}/messages"
        place = place_of(delivery)
        channel = self._channels.known(place)
        if channel is None:
            return None
        if isinstance(delivery.effect, OpenThread) and channel.is_forum:
            return f"/channels/{place}/threads"
        return f"/channels/{place}/messages"
