"""What this adapter mints: threads, posts, and the custom ids that a card's buttons carry. Nobody else reads them.

A custom id is all that a button keeps: it names its session, so that it works after a restart and before we know in
which thread it stands. It has 100 characters, so the ids of Discord's in it are written short.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from bridge.ports import Placed
from routing.ids import InputKey, MessageId, NetworkName, PostRef, ThreadRef, read_session_id

NAME = NetworkName("discord")

WEB = "https://discord.com/channels"
"""Where a person's client opens a channel or a message."""

EPOCH = 1_420_070_400_000
"""ms since 1970 at which Discord's ids (snowflakes) begin to count."""

MENU = "menu"
"""The action of a card's menu: what was chosen stands in the interaction's values."""

LONGEST = 100
"""Characters of a custom id, and of an option's value."""


@dataclass(frozen=True, slots=True)
class Root:
    """A thread. Messages name it without the channel that it hangs in, so its reference does, too."""

    guild: str
    thread: str

    @property
    def ref(self) -> ThreadRef:
        return ThreadRef(f"{self.guild}:{self.thread}")

    @property
    def link(self) -> str:
        return f"{WEB}/{self.guild}/{self.thread}"

    def post(self, message: str, files: tuple[str, ...] = (), together: tuple[MessageId, ...] = ()) -> Post:
        """A message in this thread."""
        return Post(self.guild, self.thread, message, files, together)

    @classmethod
    def of(cls, ref: ThreadRef) -> Root:
        guild, thread = ref.split(":")
        return cls(guild, thread)


@dataclass(frozen=True, slots=True)
class Post:
    """A message of ours in a channel or thread, with the files that it shows (ids of attachments), or the messages that
    it shows together. A thread's reference reads as a post's, too: the store names roots among a mirror's posts. It is
    the message that the thread begins with, which bears the thread's id."""

    guild: str
    channel: str
    message: str
    files: tuple[str, ...] = ()
    together: tuple[MessageId, ...] = ()

    @property
    def ref(self) -> PostRef:
        shown = f":{'+'.join(self.files)}" if self.files or self.together else ""
        joined = f":{'+'.join(quote(one, safe='') for one in self.together)}" if self.together else ""
        return PostRef(f"{self.guild}:{self.channel}:{self.message}{shown}{joined}")

    @property
    def link(self) -> str:
        return f"{WEB}/{self.guild}/{self.channel}/{self.message}"

    @classmethod
    def of(cls, ref: PostRef) -> Post:
        guild, channel, message, files, together = (*ref.split(":"), "", "", "")[:5]
        named = tuple(MessageId(unquote(one)) for one in together.split("+") if one)
        return cls(guild, channel, message or channel, tuple(files.split("+")) if files else (), named)


# ------------------------------------------------------------------ messages


def message_id(channel: str, message: str) -> MessageId:
    return MessageId(f"d:{channel}:{message}")


def written_at(message: MessageId) -> tuple[str, str] | None:
    """The channel and the id of a message that was written on Discord; None for one of another face."""
    found = _WRITTEN.fullmatch(message)
    return (found[1], found[2]) if found else None


def message_key(guild: str, channel: str, message: str, *change: str) -> InputKey:
    return InputKey("/".join((NAME, guild, channel, message, *change)))


def made_at(snowflake: str) -> int:
    """When Discord minted an id, in ms since 1970 (UTC)."""
    return (int(snowflake) >> 22) + EPOCH


_WRITTEN = re.compile(r"d:(\d{1,20}):(\d{1,20})", re.ASCII)


# ------------------------------------------------------------------ custom ids


@dataclass(frozen=True, slots=True)
class Aim:
    """What a button is about: a session's mirror; of some a message in it, or what was chosen."""

    placed: Placed
    message: MessageId | None = None
    choice: str = ""


CUSTOM_ID = re.compile(
    r"k\|(?P<action>[a-z_]{1,20})\|(?P<mirror>\d{1,6})\|(?P<session>[^|]{1,60})\|(?P<message>[^|]*)"
    r"(?:\|(?P<choice>[a-z0-9_.-]{1,40}))?",
    re.ASCII,
)
"""How all of ours look, and no other app's."""


def custom_id(action: str, placed: Placed, message: MessageId | None = None, choice: str = "") -> str:
    """What a button, menu or window keeps. What is too long for it is left out: a message, which stands in the post
    then; or a choice, which has to be made again."""
    start = f"k|{action}|{placed.mirror}|{placed.session}|"
    named = f"{_short(message) if message else ''}{f'|{choice}' if choice else ''}"
    return start + named if len(start + named) <= LONGEST else start


def read_custom_id(text: str) -> tuple[str, Aim] | None:
    """The action and what it is about; None for what is not a custom id of ours."""
    found = CUSTOM_ID.fullmatch(text) if len(text) <= LONGEST else None
    session = read_session_id(found["session"]) if found else None
    if found is None or session is None:
        return None
    message = _long(found["message"])
    return found["action"], Aim(Placed(session, int(found["mirror"])), message, found["choice"] or "")


_HOME = "kakehashi-home|"


def home_id(action: str) -> str:
    """What a home's button keeps: it is about no session, and cannot be taken for a card's."""
    return f"{_HOME}{action}"


def read_home_id(text: str) -> str:
    """The action; empty for what is no home's button."""
    return text.removeprefix(_HOME) if text.startswith(_HOME) else ""


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SHORT = re.compile(r"(r?)!([0-9A-Za-z]{1,11})!([0-9A-Za-z]{1,11})", re.ASCII)


def _short(message: MessageId) -> str:
    """A message of Discord's, or the reply that one became (`r:`), with its numbers to the base of 62."""
    plain = message.removeprefix("r:")
    written = written_at(MessageId(plain))
    if written is None or any(str(int(one)) != one for one in written):
        return quote(message, safe=":~@+,;=")
    return f"{'r' if plain != message else ''}!{_spell(int(written[0]))}!{_spell(int(written[1]))}"


def _long(text: str) -> MessageId | None:
    found = _SHORT.fullmatch(text)
    if found is None:
        return MessageId(unquote(text)) if text else None
    plain = message_id(str(_value(found[2])), str(_value(found[3])))
    return MessageId(f"r:{plain}") if found[1] else plain


def _spell(number: int) -> str:
    digits: list[str] = []
    while number or not digits:
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _value(text: str) -> int:
    number = 0
    for digit in text:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number
