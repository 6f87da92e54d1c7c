"""The Web API's methods, by family; importing this package fills `registry.METHODS`."""

from . import auth, chat, conversations, files, reactions, users, views
from .registry import METHODS, Call, Method

__all__ = [
    "METHODS", "Call", "Method",
    "auth", "chat", "conversations", "files", "reactions", "users", "views",
]  # fmt: skip
