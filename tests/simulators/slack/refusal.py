"""Saying no as Slack does, and reading arguments as it does (form, query or JSON all alike)."""

import json
from typing import Any

from .workspace import Json


class Refusal(Exception):  # noqa: N818 - the word of the domain: an answer with ok:false
    """An answer `ok: false`; `error` is Slack's word for it."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details

    @classmethod
    def of_arguments(cls, *messages: str, error: str = "invalid_arguments") -> "Refusal":
        return cls(error, response_metadata={"messages": list(messages)})


class Args:
    """A method's arguments; raises Refusal for those of the wrong type."""

    def __init__(self, raw: Json) -> None:
        self.raw = raw

    def has(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def text(self, name: str) -> str:
        """The string, or "" when it is missing."""
        value = self.raw.get(name)
        if value is None:
            return ""
        if isinstance(value, bool | list | dict):
            raise Refusal.of_arguments(f"[ERROR] must be a string [json-pointer:/{name}]")
        return str(value)

    def needed(self, name: str) -> str:
        """The string; refused when it is missing or empty."""
        if not (value := self.text(name)):
            raise Refusal.of_arguments(f"[ERROR] missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        return str(self.raw.get(name, "")).lower() in ("true", "1")

    def number(self, name: str, default: int, *, most: int) -> int:
        """A whole number from 1 to `most`."""
        text = self.text(name) or str(default)
        if not text.isdigit() or int(text) == 0:
            raise Refusal("invalid_limit" if name == "limit" else "invalid_arguments")
        return min(int(text), most)

    def structure(self, name: str, error: str) -> Any:
        """JSON, whether sent as such or as a string; None when missing, refused with `error` when it is not JSON."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except json.JSONDecodeError as unreadable:
            raise Refusal(error) from unreadable
