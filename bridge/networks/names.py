"""What people and places are called, whichever network shows it: public names, never a network's id.

What a company calls its channels, groups and roles is its own (`#merger-with-example`): a customer reads a neutral
word. Only a desk's channel has a name that customers know, the desk's title.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.messages import About, one_line
from bridge.networks.card import Wording
from routing.ids import DeskId, NetworkName, Place, Topic
from routing.policy import Policy

NAME = 60
"""Characters of somebody's name that are shown."""


@dataclass(frozen=True, slots=True)
class Assignee:
    """Who has a session: a public name, or the network's user whom the directory does not know, or nobody."""

    name: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class PublicNames:
    """`person` takes a user's id on the network and `place` a channel's; both answer None where they know no public
    name."""

    person: Callable[[str], str | None] = lambda user: None
    place: Callable[[str], str | None] = lambda channel: None
    somebody: str = "colleague"
    channel: str = "channel"
    group: str = "team"

    def of_person(self, user: str) -> str:
        """By their public name alone: what the network calls them is among colleagues."""
        return f"@{self.person(user) or self.somebody}"

    def of_channel(self, channel: str) -> str:
        return self.place(channel) or f"#{self.channel}"

    @property
    def of_group(self) -> str:
        return f"@{self.group}"

    @property
    def neutral(self) -> tuple[str, str]:
        """The words that stand where a name is the company's own."""
        return (f"#{self.channel}", self.of_group)


def desks_of(
    policy: Callable[[], Policy], title: Callable[[DeskId, str], str], network: NetworkName
) -> Callable[[str, str], str | None]:
    """The public name, in a language, of a channel where a desk is; None for any other, and for a desk without one."""

    def known(channel: str, language: str) -> str | None:
        desks = policy().desks.values()
        desk = next((one.id for one in desks if one.network == network and Place(channel) in one.places), None)
        name = title(desk, language) if desk is not None else ""
        return name if name and name != desk else None

    return known


def topic_by_key(topic: Topic, language: str) -> str:
    """Where nobody gave it a title."""
    del language
    return topic


def desk_by_id(desk: DeskId, language: str) -> str:
    """Where nobody gave it a title."""
    del language
    return desk


# ------------------------------------------------------------------ the customer


def customer_name(about: About, language: str, wording: Wording) -> str:
    """How the desk speaks of the customer."""
    name = one_line(about.name, NAME)
    return wording(language, "customer.named", name=name) if name else wording(language, "customer.unnamed")


def persona(about: About, language: str, wording: Wording) -> str:
    """The name over a customer's own posts. It says whose they are: a customer may be called as the bridge is, or as
    one of the operators."""
    name = one_line(about.name, NAME)
    return wording(language, "post.persona", name=name) if name else wording(language, "customer.unnamed")


# ------------------------------------------------------------------ fit to show


def moment(timestamp: int, zone: str = "") -> str:
    """A date (seconds since 1970) in words: of the reader's zone where that is known, and it says which; empty for none
    that a calendar has."""
    try:
        there = datetime.fromtimestamp(timestamp, _zone(zone))
    except (ValueError, OverflowError, OSError):
        return ""
    name = there.tzname() or ""
    return f"{there:%Y-%m-%d %H:%M} {name if name.isalpha() else f'UTC{name}'}"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
