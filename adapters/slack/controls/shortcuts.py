"""Message shortcuts: what threads do not allow as slash commands stands in each message's menu.

Their callback ids are in the manifest. Each does what a button on the card does, on the message that it was chosen on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.slack.parse import Pressed, Shortcut
from adapters.slack.refs import Aim
from adapters.slack.shown.held import SEND
from adapters.slack.shown.views import QUOTE
from bridge.messages import one_line
from bridge.networks.card import Action
from bridge.ports import Placed

NOTE_ON = "note_on_this"

SHORTCUTS: Mapping[str, tuple[str, str, str]] = {
    "send_to_customer": (SEND, "Send to customer", "This note or held message goes out in your name"),
    NOTE_ON: (Action.NOTE, "Note on this", "A note that the customer never sees"),
    "reply_from_template": (Action.TEMPLATES, "Reply from a template", "Choose a reply that is ready"),
    "transfer_session": (Action.TRANSFER, "Transfer this session", "To another desk or colleague, with a reason"),
    "resolve_session": (Action.RESOLVE, "Resolve this session", "Say how it ended"),
}
"""By callback id: the action, and how Slack shows it: its name (24 characters at most) and what it is."""


def for_manifest() -> list[dict[str, Any]]:
    return [
        {"name": name, "type": "message", "callback_id": callback, "description": what}
        for callback, (_action, name, what) in SHORTCUTS.items()
    ]


def as_press(shortcut: Shortcut, placed: Placed) -> Pressed | None:
    """The same as a press of the card's button, in the thread that the message stands in. None: not one of ours."""
    known = SHORTCUTS.get(shortcut.name)
    if known is None:
        return None
    return Pressed(
        shortcut.key,
        shortcut.root,
        known[0],
        Aim(placed, shortcut.message),
        shortcut.author,
        shortcut.root.channel,
        shortcut.trigger,
        shortcut.answer,
        quote=one_line(shortcut.text, QUOTE) if shortcut.name == NOTE_ON else "",
        ts=shortcut.ts,
    )
