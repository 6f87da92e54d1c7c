"""Judging a message of ours as Discord would: whether it is taken, and what of it acts. By the simulator's reading."""

from __future__ import annotations

import json
from typing import Any

from adapters.discord.render import Rendered
from tests.simulators.discord import acts_in, pings_in
from tests.simulators.discord.composing import check

OURS = frozenset(("subtext", "quote", "bold", "block", "timestamp"))
"""What we draw ourselves."""


def taken(rendered: Rendered) -> dict[str, Any]:
    """The message as it is sent; raises Refusal for what Discord would not take."""
    body: dict[str, Any] = json.loads(json.dumps(rendered.posted))
    check(body, [])
    assert body["content"].strip() or body["embeds"]
    assert set(body["allowed_mentions"]) == {"parse", "users", "roles", "replied_user"}
    assert body["embeds"] or body["flags"] & 4  # nobody's server is asked for a preview
    return body


def texts(rendered: Rendered) -> list[str]:
    """All that Discord reads markup in; a footer is none."""
    found = [rendered.content]
    for embed in rendered.embeds:
        found += [str(embed.get("description") or "")]
        found += [str(field[part]) for field in embed.get("fields", ()) for part in ("name", "value")]
    return found


def acts(rendered: Rendered, ours: frozenset[str] = OURS) -> list[str]:
    """The kinds of what acts beyond what we draw ourselves; and whoever is rung."""
    taken(rendered)
    kinds = [act.kind for text in texts(rendered) for act in acts_in(text) if act.kind not in ours]
    return kinds + [
        ping.kind for text in texts(rendered) for ping in pings_in(text) if rendered.users or rendered.everyone
    ]
