"""What Discord's ids are called when customers read them: people by their public names, never an id.

What a server calls its channels and roles is its own (`#merger-with-example`): a customer reads a neutral word. Only a
desk's channel has a name that customers know, the desk's title. Notes are read likewise, since each can be sent yet; in
the thread they stand as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.discord.refs import NAME
from routing.ids import DeskId, Place
from routing.policy import Policy

_INTERNAL = re.compile(r"<(?:#(?P<channel>\d+)|@&\d+|id:[a-z-]+[^<>\s]*)>", re.ASCII)


@dataclass(frozen=True, slots=True)
class Names:
    """`person` takes a Discord user id and `place` a channel's; both answer None where they know no public name."""

    person: Callable[[str], str | None] = lambda user: None
    place: Callable[[str], str | None] = lambda channel: None
    somebody: str = "colleague"
    channel: str = "channel"
    group: str = "team"

    def of_person(self, user: str) -> str:
        """By their public name alone: what they are called on the server is among colleagues."""
        return f"@{self.person(user) or self.somebody}"

    def of_channel(self, channel: str) -> str:
        return self.place(channel) or f"#{self.channel}"

    @property
    def of_group(self) -> str:
        return f"@{self.group}"

    def withheld(self, text: str) -> tuple[str, ...]:
        """What stands for the internal names in a message's `text`, each once."""
        stands = (self._stand(one) for one in _INTERNAL.finditer(text))
        return tuple(dict.fromkeys(one for one in stands if one in (f"#{self.channel}", self.of_group)))

    def _stand(self, found: re.Match[str]) -> str:
        if found["channel"]:
            return self.of_channel(found["channel"])
        return self.of_group if found[0].startswith("<@&") else f"#{self.channel}"


def desks_of(policy: Callable[[], Policy], title: Callable[[DeskId, str], str]) -> Callable[[str, str], str | None]:
    """The public name, in a language, of a channel where a desk is; None for any other, and for a desk without one."""

    def known(channel: str, language: str) -> str | None:
        desks = policy().desks.values()
        desk = next((one.id for one in desks if one.network == NAME and Place(channel) in one.places), None)
        name = title(desk, language) if desk is not None else ""
        return name if name and name != desk else None

    return known


def moment(timestamp: int) -> str:
    """A date (seconds since 1970) in words that are true for every reader; empty for none that a calendar has."""
    try:
        return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return ""
