"""The routes, by the resource that Discord files them under."""

from . import callbacks, channels, commands, guilds, messages, threads, users, webhooks
from .registry import METHODS, Call, Method, find

__all__ = [
    "METHODS", "Call", "Method", "callbacks", "channels", "commands", "find", "guilds", "messages", "threads", "users",
    "webhooks",
]  # fmt: skip
