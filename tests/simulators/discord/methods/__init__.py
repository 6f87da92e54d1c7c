"""The routes, by the resource that Discord files them under."""

from . import channels, guilds, messages, users
from .registry import METHODS, Call, Method, find

__all__ = ["METHODS", "Call", "Method", "channels", "find", "guilds", "messages", "users"]
