"""What this adapter mints: threads, posts, and the value that a card's buttons carry. Nobody else reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote, unquote

from bridge.ports import Placed
from routing.ids import MessageId, NetworkName, PostRef, ThreadRef, read_session_id

NAME = NetworkName("slack")


@dataclass(frozen=True, slots=True)
class Root:
    """A thread's root. `team` is the app's own, so that a shared channel has one name only."""

    team: str
    channel: str
    ts: str

    @property
    def ref(self) -> ThreadRef:
        return ThreadRef(f"{self.team}:{self.channel}:{self.ts}")

    def post(self, ts: str, files: tuple[str, ...] = (), together: tuple[MessageId, ...] = ()) -> Post:
        """A message in this thread, or the root itself by its own ts."""
        return Post(self.team, self.channel, ts, files, together)

    @classmethod
    def of(cls, ref: ThreadRef) -> Root:
        team, channel, ts = ref.split(":")
        return cls(team, channel, ts)


@dataclass(frozen=True, slots=True)
class Post:
    """A message of ours, with the files that it shows (Slack's file ids), or the messages that it shows together: see
    `bursts`. A root's reference reads as a post's, too: the store names roots among a mirror's posts."""

    team: str
    channel: str
    ts: str
    files: tuple[str, ...] = ()
    together: tuple[MessageId, ...] = ()

    @property
    def ref(self) -> PostRef:
        shown = f":{'+'.join(self.files)}" if self.files or self.together else ""
        joined = f":{'+'.join(quote(one, safe='') for one in self.together)}" if self.together else ""
        return PostRef(f"{self.team}:{self.channel}:{self.ts}{shown}{joined}")

    @classmethod
    def of(cls, ref: PostRef) -> Post:
        team, channel, ts, files, together = (*ref.split(":"), "", "")[:5]
        named = tuple(MessageId(unquote(one)) for one in together.split("+") if one)
        return cls(team, channel, ts, tuple(files.split("+")) if files else (), named)


@dataclass(frozen=True, slots=True)
class Aim:
    """What a button is about: a session's mirror; of some a message in it, or what was chosen."""

    placed: Placed
    message: MessageId | None = None
    choice: str = ""


def button_value(placed: Placed, message: MessageId | None = None, choice: str = "") -> str:
    """A root names its session: a button can be pressed before we know the root's ts."""
    value: dict[str, object] = {"session": placed.session, "mirror": placed.mirror}
    return json.dumps(value | ({"message": message} if message else {}) | ({"choice": choice} if choice else {}))


def read_aim(value: str) -> Aim | None:
    """None for what is not a value of ours."""
    try:
        found = json.loads(value)
        named, mirror = read_session_id(found["session"]), found["mirror"]
        message, choice = found.get("message"), found.get("choice", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    fits = type(mirror) is int and all(isinstance(one, str) and one.isascii() for one in (message or "", choice))
    return Aim(Placed(named, mirror), MessageId(message) if message else None, choice) if named and fits else None


def read_button_value(value: str) -> Placed | None:
    """Whose session it is; None for what is not a value of ours."""
    aim = read_aim(value)
    return aim.placed if aim else None


def micros(ts: str) -> int:
    """A Slack timestamp in microseconds since 1970 (UTC). ValueError when it is none."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction.ljust(6, "0")[:6])
