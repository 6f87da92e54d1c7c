"""What Discord's ids are called when customers read them: people by their public names, never an id.

What a server calls its channels and roles is its own (`#merger-with-example`): a customer reads a neutral word. Only a
desk's channel has a name that customers know, the desk's title. Notes are read likewise, since each can be sent yet; in
the thread they stand as they were written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.networks.names import PublicNames

_INTERNAL = re.compile(r"<(?:#(?P<channel>\d+)|@&\d+|id:[a-z-]+[^<>\s]*)>", re.ASCII)


@dataclass(frozen=True, slots=True)
class Names(PublicNames):
    """As a message of Discord's has them: `<@1>`, `<#2>`, `<@&3>`. `zone`: the customer's, for `<t:4>`."""

    zone: str = ""

    def withheld(self, text: str) -> tuple[str, ...]:
        """What stands for the internal names in a message's `text`, each once."""
        stands = (self._stand(one) for one in _INTERNAL.finditer(text))
        return tuple(dict.fromkeys(one for one in stands if one in self.neutral))

    def _stand(self, found: re.Match[str]) -> str:
        if found["channel"]:
            return self.of_channel(found["channel"])
        return self.of_group if found[0].startswith("<@&") else f"#{self.channel}"
