"""The survey: which threads of the desks' channels may have been written in since a moment, in few calls.

Discord lists a server's active threads in one call, and a channel's archived ones, the latest archived first, a hundred
in a call. Writing wakes a thread: one that is in neither list has not been written in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog

from adapters.discord.places.channels import Channels
from adapters.discord.places.history import SKEW, History, Message
from adapters.discord.refs import Root, made_at
from bridge.errors import DeliveryError, Fault
from routing.ids import Place

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Survey:
    """`latest`: when each thread that was listed was last written in (ms since 1970), by its id. `is_whole`: any other
    was archived before."""

    latest: dict[str, int] = field(default_factory=dict)
    roots: list[Root] = field(default_factory=list)
    is_whole: bool = True

    def add(self, guild: str, threads: Iterable[Message]) -> None:
        for one in threads:
            name = str(one["id"])
            if name not in self.latest:
                self.roots.append(Root(guild, name))
            self.latest[name] = made_at(str(one.get("last_message_id") or name))

    def is_older(self, root: Root, since: int) -> bool:
        """Whether certainly nothing was written in it since then."""
        last = self.latest.get(root.thread)
        return last < since - SKEW if last is not None else self.is_whole


async def surveyed(
    channels: Channels, history: History, places: Iterable[Place], since: int, is_ours: Callable[[Message], bool]
) -> Survey:
    """All threads of these channels that may have been written in since then; `is_ours` says of which we ask. Raises
    StoreUnavailableError."""
    survey, guilds = Survey(), dict[str, list[Message]]()
    for place in places:
        try:
            guild = (await channels.of(place)).guild
            if guild not in guilds:
                guilds[guild] = await history.active(guild)
            archived = await history.archived(place, since - SKEW)
            mine = [one for one in guilds[guild] if one.get("parent_id") == place]
            survey.add(guild, filter(is_ours, (*mine, *archived)))
        except DeliveryError as error:
            _log.info("discord_threads_not_listed", channel=place, code=error.code)
            if error.fault is not Fault.BLOCKED:  # in a channel that is closed to us nothing could be read
                survey.is_whole = False
    return survey
