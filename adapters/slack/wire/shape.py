"""What a payload must look like before `parse` reads it: the fields that we use, and their types.

Slack signs what it sends, so a wrong type is a change of its own or a proxy's doing. It is refused with the field's
name rather than stored as something that it is not; Slack sends it again, perhaps to a release that knows better.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import KakehashiError

_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which nothing can store


class GarbledError(KakehashiError):
    """A payload that Slack never sends. It was not taken."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Texts by their names, and what stands within. Anything may be absent or null; what else there is, is ignored."""

    texts: tuple[str, ...] = ()
    objects: Mapping[str, Shape] = field(default_factory=dict)
    lists: Mapping[str, Shape] = field(default_factory=dict)

    def check(self, value: object, where: str) -> None:
        """Raises ValueError with the path of what is wrong; it holds nobody's words."""
        if not isinstance(value, Mapping):
            raise ValueError(f"{where} is no object")
        for name in self.texts:
            text = value.get(name)
            if not isinstance(text, str | None) or _SURROGATE.search(text or ""):
                raise ValueError(f"{where}.{name} is no text")
        self._check_inside(value, where)

    def _check_inside(self, value: Mapping[str, Any], where: str) -> None:
        for name, shape in self.objects.items():
            if value.get(name) is not None:
                shape.check(value[name], f"{where}.{name}")
        for name, shape in self.lists.items():
            inner = value.get(name)
            if not isinstance(inner, list | None):
                raise ValueError(f"{where}.{name} is no list")
            for number, one in enumerate(inner or ()):
                shape.check(one, f"{where}.{name}[{number}]")


_FILE = Shape(("id", "name", "mimetype", "url_private_download", "url_private", "file_access"))
_NAMED = Shape(("id", "team_id"))

_WORDS = ("type", "subtype", "user", "bot_id", "ts", "thread_ts", "text", "parent_user_id")
_TEAMS = ("team", "user_team", "source_team")
_MESSAGE = Shape((*_WORDS, *_TEAMS), {"edited": Shape(("ts",))}, {"files": _FILE})

SAID = Shape(
    (*_MESSAGE.texts, "channel", "deleted_ts", "event_ts"),
    {**_MESSAGE.objects, "message": _MESSAGE, "previous_message": _MESSAGE},
    _MESSAGE.lists,
)
"""An event of type `message`, of whatever subtype."""

MOVED = Shape(("old_channel_id", "new_channel_id"))

LEFT = Shape(("user", "channel"))
GONE = Shape(objects={"user": _NAMED})

PRESSED = Shape(
    ("trigger_id", "response_url"),
    objects={
        "user": _NAMED,
        "team": _NAMED,
        "channel": _NAMED,
        "container": Shape(("thread_ts", "message_ts")),
    },
    lists={"actions": Shape(("action_id", "action_ts", "value"), {"selected_option": Shape(("value",))})},
)
"""A payload of type `block_actions`."""

CHOSEN = Shape(
    ("callback_id", "action_ts", "trigger_id", "response_url"),
    {"user": _NAMED, "team": _NAMED, "channel": _NAMED, "message": _MESSAGE},
)
"""A payload of type `message_action`."""
