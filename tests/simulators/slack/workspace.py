"""The workspace as Slack's database would hold it: pure state, no network, no events."""

import itertools
import secrets
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

ALL_SCOPES = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:join",
        "channels:manage",
        "channels:read",
        "chat:write",
        "chat:write.customize",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "groups:write",
        "im:history",
        "im:read",
        "im:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
"""What a generous installation grants. `chat:write.public` is missing on purpose: it hides `not_in_channel`."""

ALL_EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "channel_archive",
        "channel_created",
        "channel_deleted",
        "channel_id_changed",
        "channel_rename",
        "channel_shared",
        "channel_unarchive",
        "channel_unshared",
        "file_created",
        "file_deleted",
        "file_shared",
        "group_archive",
        "group_rename",
        "group_unarchive",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "reaction_added",
        "reaction_removed",
        "tokens_revoked",
    }
)


@dataclass(frozen=True)
class Ping:
    """Somebody's phone rang. `kind` is user, usergroup, channel, here or everyone; `target` the id, if there is one."""

    kind: str
    target: str = ""


@dataclass(frozen=True)
class Link:
    """Something became clickable. `kind`: markup (`<url|label>`), auto (found in the text), channel or date."""

    url: str
    label: str = ""
    kind: str = "markup"


@dataclass
class User:
    """Somebody with an id. A stranger (Slack Connect) has another `team_id` than the workspace."""

    id: str
    name: str
    team_id: str
    real_name: str = ""
    email: str = ""
    tz: str = "Asia/Tokyo"
    is_bot: bool = False
    presence: Literal["active", "away"] = "active"
    deleted: bool = False


@dataclass
class App:
    """The installed app: its secrets, what it was granted, what it subscribed to."""

    id: str
    name: str
    bot: User
    bot_id: str
    bot_token: str
    app_token: str
    signing_secret: str
    verification_token: str
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    app_scopes: set[str] = field(default_factory=lambda: {"connections:write"})
    events: set[str] = field(default_factory=lambda: set(ALL_EVENTS))
    commands: dict[str, bool] | None = None
    """Its slash commands, and whether people and channels in them come escaped; None: whatever is typed is one."""
    home_tab: bool = True
    messages_tab: bool = True
    revoked: bool = False


@dataclass
class File:
    """A file from the moment that its upload URL was asked for. `shares`: channel → [(ts, thread_ts or "")]."""

    id: str
    name: str
    size: int
    owner: str
    secret: str
    title: str = ""
    alt_text: str = ""
    mimetype: str = "application/octet-stream"
    state: Literal["pending", "uploaded", "complete", "deleted"] = "pending"
    data: bytes = b""
    created: int = field(default_factory=lambda: int(time.time()))
    shares: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    check_file_info: bool = False


@dataclass
class Message:
    """One message. `text` is Slack's own form (escaped, links in `<…>`); see `shapes.seen` for what a person reads."""

    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str = ""
    subtype: str = ""
    bot_id: str = ""
    username: str = ""
    icons: Json = field(default_factory=dict)
    client_msg_id: str = ""
    metadata: Json | None = None
    edited: tuple[str, str] | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    broadcast: bool = False
    extra: Json = field(default_factory=dict)
    pings: list[Ping] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)  # whatever is drawn as something else than was written
    unfurls: list[str] = field(default_factory=list)
    parse: str = ""
    link_names: bool = False

    @property
    def is_reply(self) -> bool:
        return bool(self.thread_ts) and self.thread_ts != self.ts

    @property
    def is_tombstone(self) -> bool:
        return self.subtype == "tombstone"


@dataclass
class Channel:
    """A conversation; `messages` by ts in order, `threads` root ts → replies' ts in order."""

    id: str
    name: str
    kind: Literal["public", "private", "im"] = "public"
    creator: str = ""
    created: int = field(default_factory=lambda: int(time.time()))
    members: set[str] = field(default_factory=set)
    is_archived: bool = False
    is_shared: bool = False
    is_pending_shared: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    locked_threads: set[str] = field(default_factory=set)
    last_micros: int = 0

    def replies(self, root_ts: str) -> list[Message]:
        return [self.messages[ts] for ts in self.threads.get(root_ts, [])]

    def top_level(self) -> list[Message]:
        return [m for m in self.messages.values() if not m.is_reply or m.broadcast]

    def mint_ts(self, at: str | None = None) -> str:
        """A ts that no other message *of this channel* has, later than all of them; `at` asks for a particular one."""
        wanted = micros(at) if at else time.time_ns() // 1_000
        if at and wanted <= self.last_micros:
            raise ValueError(f"{at} is not later than the channel's last message")
        self.last_micros = max(wanted, self.last_micros + 1)
        return f"{self.last_micros // 1_000_000}.{self.last_micros % 1_000_000:06d}"

    def keep(self, message: Message) -> None:
        self.messages[message.ts] = message
        if message.is_reply:
            self.threads.setdefault(message.thread_ts, []).append(message.ts)

    def forget(self, message: Message) -> None:
        del self.messages[message.ts]
        if message.is_reply:
            self.threads[message.thread_ts].remove(message.ts)


@dataclass
class View:
    """A modal or a home tab as it stands."""

    id: str
    body: Json
    user: str
    hash: str
    root_id: str
    previous_id: str = ""


@dataclass(frozen=True)
class Ephemeral:
    """Shown to one person, kept nowhere, never in an event."""

    channel: str
    user: str
    ts: str
    text: str
    blocks: list[Json]
    thread_ts: str


class Workspace:
    """One team with one app installed."""

    def __init__(self, name: str = "Simulated", domain: str = "simulated") -> None:
        self._numbers = itertools.count(1)
        self.team_id = self.mint("T")
        self.name = name
        self.domain = domain
        self.files_url = "https://files.invalid"
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.views: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self.usergroups: dict[str, Json] = {}
        self.ephemerals: deque[Ephemeral] = deque(maxlen=10_000)
        self.emoji: set[str] = set()
        """The workspace's own emoji."""
        self.statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self.app = self._install_app()

    def mint(self, prefix: str) -> str:
        """A fresh id such as `C0SIM00007`; unique in the workspace, told apart by its first letter."""
        return f"{prefix}0SIM{next(self._numbers):05d}"

    def _install_app(self) -> App:
        bot = User(self.mint("U"), "kakehashi", self.team_id, "Kakehashi", is_bot=True)
        self.users[bot.id] = bot
        number, key = f"{secrets.randbelow(10**12):012d}", secrets.token_hex(12)
        return App(
            id=self.mint("A"), name="Kakehashi", bot=bot, bot_id=self.mint("B"),
            bot_token=f"xoxb-{number}-{key}", app_token=f"xapp-1-{number}-{key}",
            signing_secret=secrets.token_hex(16), verification_token=secrets.token_hex(12),
        )  # fmt: skip

    def add_user(self, name: str, *, stranger: bool = False, **details: Any) -> User:
        team_id = self.mint("T") if stranger else self.team_id
        details.setdefault("real_name", name.title())
        details.setdefault("email", f"{name}@example.com")
        user = User(self.mint("U"), name, team_id, **details)
        self.users[user.id] = user
        return user

    def add_channel(self, name: str, *, private: bool = False, members: Iterable[str] = ()) -> Channel:
        if self.channel_named(name):
            raise ValueError(f"a channel called {name} exists")
        kind: Literal["public", "private"] = "private" if private else "public"
        channel = Channel(self.mint("C"), name, kind, members=set(members))
        self.channels[channel.id] = channel
        return channel

    def channel_named(self, name: str) -> Channel | None:
        wanted = name.removeprefix("#")
        return next((c for c in self.channels.values() if c.name == wanted and c.kind != "im"), None)

    def direct_channel(self, user: User) -> Channel:
        """The conversation between the bot and this person, made on first use."""
        for channel in self.channels.values():
            if channel.kind == "im" and user.id in channel.members:
                return channel
        channel = Channel(self.mint("D"), "", "im", members={user.id, self.app.bot.id})
        self.channels[channel.id] = channel
        return channel

    def user_named(self, name: str) -> User | None:
        return next((u for u in self.users.values() if u.name == name), None)

    def is_stranger(self, user_id: str) -> bool:
        user = self.users.get(user_id)
        return user is not None and user.team_id != self.team_id


def micros(ts: str) -> int:
    """A Slack timestamp in microseconds; ValueError when it is none."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction.ljust(6, "0")[:6])
