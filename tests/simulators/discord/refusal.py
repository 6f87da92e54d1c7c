"""Saying no as Discord does: a status, a code, words, and for a bad form a tree that names each wrong field."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .guild import Json

_UNKNOWN = {
    "Application": 10002, "Channel": 10003, "Guild": 10004, "Member": 10007, "Message": 10008, "Role": 10011,
    "User": 10013, "Emoji": 10014, "Webhook": 10015, "Interaction": 10062, "Application Command": 10063,
}  # fmt: skip


class Refusal(Exception):  # noqa: N818 - the word of the domain: an answer that is no
    """An answer with an error status; `code` is Discord's own number for the reason."""

    def __init__(self, status: int, code: int, message: str, **details: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.scope = ""
        self.body: Json = {"message": message, "code": code} | details

    @classmethod
    def too_many(cls, wait: float, *, code: int = 0, message: str = "", shared: bool = False) -> Refusal:
        """A limit that no header shows. `shared`: of the resource, not of the bot; those count against nobody."""
        words = message or f"{'The resource is' if shared else 'You are'} being rate limited."
        refusal = cls(429, code, words, retry_after=wait, **{"global": False})
        refusal.scope = "shared" if shared else "user"
        return refusal

    @classmethod
    def unknown(cls, what: str) -> Refusal:
        return cls(404, _UNKNOWN[what], f"Unknown {what}")

    @classmethod
    def no_access(cls) -> Refusal:
        return cls(403, 50001, "Missing Access")

    @classmethod
    def no_permission(cls) -> Refusal:
        return cls(403, 50013, "Missing Permissions")

    @classmethod
    def archived(cls, status: int = 400) -> Refusal:
        """400 from most routes, 403 from those that answer an interaction."""
        return cls(status, 50083, "Thread is archived")

    @classmethod
    def locked(cls) -> Refusal:
        return cls(403, 160005, "Thread is locked")


class Complaints:
    """Collects what is wrong with a form, and refuses it as a whole."""

    def __init__(self) -> None:
        self._tree: Json = {}

    def add(self, path: str, code: str, message: str) -> None:
        """`path` with dots: `embeds.0.title`; empty for the form itself."""
        branch = self._tree
        for step in filter(None, path.split(".")):
            branch = branch.setdefault(step, {})
        branch.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: str) -> None:
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def length(self, path: str, text: object, most: int, least: int = 0) -> None:
        """Complain unless it is a text of so many characters."""
        if not isinstance(text, str):
            self.add(path, "BASE_TYPE_BAD_TYPE", "Could not interpret as string.")
        elif least and not least <= len(text) <= most:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        elif len(text) > most:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def count(self, path: str, items: object, most: int, least: int = 0) -> None:
        """Complain unless it is a list of so many."""
        if not isinstance(items, list):
            self.add(path, "BASE_TYPE_BAD_TYPE", "Only iterables may be used in a ListType")
        elif not least <= len(items) <= most:
            words = f"Must be between {least} and {most} in length." if least else f"Must be {most} or fewer in length."
            self.add(path, "BASE_TYPE_BAD_LENGTH" if least else "BASE_TYPE_MAX_LENGTH", words)

    def choice(self, path: str, value: object, choices: Collection[object]) -> None:
        if value not in tuple(choices):
            self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {choices}.")

    def settle(self) -> None:
        """Raise when there was any."""
        if self._tree:
            raise Refusal(400, 50035, "Invalid Form Body", errors=self._tree)
