"""What Slack's ids are called when customers read them: people by their public names, never an id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_LABELLED = re.compile(r"<(?:#|!subteam\^)([A-Z0-9]+)\|([^<>|]+)>")


@dataclass(frozen=True, slots=True)
class Names:
    """`person` takes a Slack user id and answers None where it knows no name; `labels` are channels' and groups' names
    by id, as far as the event tells them; `emoji` the characters that its blocks give for short codes."""

    person: Callable[[str], str | None] = lambda user: None
    somebody: str = "colleague"
    channel: str = "channel"
    group: str = "team"
    labels: Mapping[str, str] = field(default_factory=dict)
    emoji: Mapping[str, str] = field(default_factory=dict)

    def of_person(self, user: str) -> str:
        """By their public name alone: what they are called in Slack is among colleagues."""
        return f"@{self.person(user) or self.somebody}"

    def of_channel(self, channel: str, label: str = "") -> str:
        return f"#{label or self.labels.get(channel) or self.channel}"

    def of_group(self, group: str, label: str = "") -> str:
        return f"@{(label or self.labels.get(group) or self.group).removeprefix('@')}"


def labels_in(text: str) -> Mapping[str, str]:
    """The names that a message's `text` gives beside ids. Blocks have the ids only."""
    return dict(_LABELLED.findall(text))


def moment(timestamp: int) -> str:
    """A date that came without words for it (seconds since 1970)."""
    try:
        return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return ""
