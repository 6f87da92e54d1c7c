"""The desks' channels: what Slack says of each, asked before the first post and again now and then.

A channel that is shared with another organisation would show it what customers write. Nothing is posted there, unless
the settings allow it; a channel may become such a one at any time, so what is known of it grows old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog

from adapters.slack.wire.client import WebApi
from bridge.errors import DeliveryError, Fault
from bridge.networks.pacing import Urgency
from routing.ids import Place

KNOWN_FOR = 600.0
"""Seconds for which what Slack said of a channel holds. `channel_shared` tells sooner, unless it is missed."""

SHARED = "externally_shared"
UNSHARE = "stop sharing it with other organisations, or give the desk a channel of its own workspace"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as conversations.info describes it."""

    id: str
    name: str
    archived: bool
    member: bool
    private: bool
    shared: bool
    """With another organisation, now or as soon as it accepts."""

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> Channel:
        pending = info.get("is_pending_ext_shared") or info.get("pending_connected_team_ids")
        return cls(
            id=str(info.get("id", "")),
            name=str(info.get("name") or ""),
            archived=bool(info.get("is_archived")),
            member=bool(info.get("is_member")),
            private=bool(info.get("is_private")),
            shared=bool(info.get("is_ext_shared") or pending),
        )


class Channels:
    """`places` are the desks' channels. With `allow_shared` nothing is asked, and nothing refused."""

    def __init__(self, api: WebApi, places: Callable[[], Iterable[Place]], *, allow_shared: bool) -> None:
        self._api = api
        self._places = places
        self._allow_shared = allow_shared
        self._shared: dict[str, bool] = {}
        self._looked_at: dict[str, float] = {}

    async def run(self) -> None:
        """Look at every desk's channel, until cancelled."""
        while True:
            for place in self._places():
                await self._quietly(place)
            await asyncio.sleep(KNOWN_FOR / 2)

    async def _quietly(self, channel: str) -> None:
        self._looked_at[channel] = monotonic()  # also when it is not told: one look serves all who post meanwhile
        try:
            await self.look(channel)
        except DeliveryError as error:
            _log.warning("slack_channel_not_looked_at", channel=channel, code=error.code)

    async def look(self, channel: str) -> Channel:
        """Ask Slack what this channel is, and remember what matters. Raises DeliveryError."""
        answer = await self._api.call("conversations.info", urgency=Urgency.CARD, channel=channel)
        found = Channel.of(answer.get("channel") or {})
        if found.shared and not self._shared.get(channel):
            _log.error("slack_channel_shared", channel=channel)
        self._shared[channel] = found.shared
        return found

    async def admit(self, channel: str) -> None:
        """Return when customers' words may stand there; raises DeliveryError, blocked, for a channel known as shared.
        Where Slack does not tell, the post is tried: it meets the same outage, or a channel that the check-up names."""
        if self._allow_shared:
            return
        if monotonic() - self._looked_at.get(channel, -KNOWN_FOR) >= KNOWN_FOR:
            await self._quietly(channel)
        if self._shared.get(channel):
            raise DeliveryError(Fault.BLOCKED, SHARED, mend=UNSHARE, of_place=True)

    def forget(self) -> None:
        """One of them was shared, or is no longer: each is asked anew before the next post."""
        self._looked_at.clear()

    def trouble(self) -> str | None:
        """What `/readyz` says of them."""
        shared: Sequence[str] = [one for one in self._places() if self._shared.get(one)]
        if not shared or self._allow_shared:
            return None
        return f"a desk's channel is shared with another organisation, so nothing is posted there: {', '.join(shared)}"
