"""What Slack's ids are called when customers read them: people by their public names, never an id.

What a workspace calls its channels and groups is its own (`#merger-with-example`): a customer reads a neutral word.
Only a desk's channel has a name that customers know, the desk's title. Notes are read likewise, since each can be sent
yet; in the thread they stand as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.networks.names import PublicNames

_INTERNAL = re.compile(r"<(?:#([A-Z0-9]+)|!subteam\^)[^<>]*>")


@dataclass(frozen=True, slots=True)
class Names(PublicNames):
    """`emoji` are the characters that a message's blocks give for short codes."""

    emoji: Mapping[str, str] = field(default_factory=dict)

    def withheld(self, text: str) -> tuple[str, ...]:
        """What stands for the internal names in a message's `text`, each once."""
        stands = (self.of_channel(one[1]) if one[1] else self.of_group for one in _INTERNAL.finditer(text))
        return tuple(dict.fromkeys(one for one in stands if one in self.neutral))
