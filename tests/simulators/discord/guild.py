"""The guild as Discord's database would hold it: pure state, no network, no events."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from .permissions import BOT, EVERYONE, NOTHING, Permission
from .snowflakes import Snowflakes, stamp

Json = dict[str, Any]


class Kind(IntEnum):
    """Discord's numbers for what a channel is."""

    TEXT = 0
    DM = 1
    CATEGORY = 4
    ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


THREADS = frozenset({Kind.ANNOUNCEMENT_THREAD, Kind.PUBLIC_THREAD, Kind.PRIVATE_THREAD})


class Sort(IntEnum):
    """Discord's numbers for what a message is."""

    DEFAULT = 0
    RECIPIENT_ADD = 1
    CHANNEL_NAME_CHANGE = 4
    USER_JOIN = 7
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    THREAD_STARTER_MESSAGE = 21
    CONTEXT_MENU_COMMAND = 23


class Flag(IntEnum):
    """Bits of a message's `flags`."""

    CROSSPOSTED = 1 << 0
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_VOICE_MESSAGE = 1 << 13
    HAS_SNAPSHOT = 1 << 14
    IS_COMPONENTS_V2 = 1 << 15


@dataclass(frozen=True)
class Ping:
    """Somebody's phone rang. `kind` is user, role, everyone or here; `target` the id, if there is one."""

    kind: str
    target: str = ""


@dataclass
class User:
    """Somebody with an id."""

    id: str
    name: str
    global_name: str | None = None
    bot: bool = False
    locale: str = "ja"


@dataclass
class Member:
    """A user in the guild. `roles`: without @everyone, which all have."""

    user: User
    roles: list[str] = field(default_factory=list)
    nick: str | None = None
    joined_at: str = field(default_factory=stamp)
    timed_out: str | None = None
    """Until when a moderator has silenced them."""

    @property
    def name(self) -> str:
        return self.nick or self.user.global_name or self.user.name


@dataclass
class Role:
    """What its members may do everywhere."""

    id: str
    name: str
    permissions: Permission = NOTHING
    position: int = 1
    mentionable: bool = False
    managed: bool = False


@dataclass
class Overwrite:
    """What a role or a member may or may not do in one channel."""

    id: str
    is_member: bool = False
    allow: Permission = NOTHING
    deny: Permission = NOTHING


@dataclass
class Tag:
    """A forum's tag. Only who may manage threads applies a moderated one."""

    id: str
    name: str
    moderated: bool = False
    emoji_name: str | None = None


@dataclass
class Attachment:
    """Bytes beside a message. `title`: what it was called, where its name has lost signs; `duration` and `waveform`: of
    a voice message."""

    id: str
    filename: str
    data: bytes
    content_type: str = "application/octet-stream"
    description: str | None = None
    title: str = ""
    duration: float | None = None
    waveform: str = ""


@dataclass
class Message:
    """One message. `author_id` is a user's id, or the webhook's for what one posted. `posted`: by Discord's clock."""

    id: str
    channel_id: str
    author_id: str
    content: str = ""
    type: Sort = Sort.DEFAULT
    edited: str | None = None
    embeds: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    stickers: list[Json] = field(default_factory=list)
    snapshots: list[Json] = field(default_factory=list)
    poll: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    reference: Json | None = None
    flags: int = 0
    tts: bool = False
    pinned: bool = False
    nonce: str | int | None = None
    webhook_id: str = ""
    username: str = ""
    avatar: str | None = None
    mentions: list[str] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    pings: list[Ping] = field(default_factory=list)
    interaction: Json | None = None
    posted: float = 0.0
    shown_to: str = ""
    """The one person who sees it, when it is ephemeral."""


@dataclass
class Channel:
    """A channel; `messages` by id in order. A thread is one too, see `Thread`."""

    id: str
    name: str
    kind: Kind = Kind.TEXT
    parent_id: str = ""
    overwrites: dict[str, Overwrite] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    topic: str | None = None
    position: int = 0
    slowmode: int = 0
    auto_archive: int = 4320
    """Minutes that a new thread gets when its maker names none."""
    tags: list[Tag] = field(default_factory=list)
    requires_tag: bool = False
    recipient_id: str = ""
    last_message_id: str | None = None

    @property
    def is_thread(self) -> bool:
        return self.kind in THREADS


@dataclass
class Thread(Channel):
    """A thread. `active_at`: by Discord's clock, what its auto-archiving counts from."""

    owner_id: str = ""
    archived: bool = False
    locked: bool = False
    archive_stamp: str = field(default_factory=stamp)
    applied_tags: list[str] = field(default_factory=list)
    members: dict[str, str] = field(default_factory=dict)
    invitable: bool = True
    total_sent: int = 0
    active_at: float = 0.0
    flags: int = 0


@dataclass
class Webhook:
    """An address under which anybody who knows its token can post."""

    id: str
    channel_id: str
    token: str
    name: str
    owner_id: str
    application_id: str


@dataclass
class App:
    """The application and its bot user. `privileged`: which of the privileged intents its owner switched on."""

    id: str
    name: str
    bot: User
    owner: User
    token: str
    privileged: set[str] = field(default_factory=lambda: {"message_content", "members", "presences"})
    commands: dict[str, Json] = field(default_factory=dict)
    interactions_url: str | None = None


class Guild:
    """One guild with one application installed; the users, webhooks and direct channels beside it."""

    def __init__(self, name: str = "Simulated") -> None:
        self._snowflakes = Snowflakes()
        self.id = self.mint()
        self.name = name
        self.premium_tier = 0
        self.users: dict[str, User] = {}
        self.members: dict[str, Member] = {}
        self.roles: dict[str, Role] = {self.id: Role(self.id, "@everyone", EVERYONE, position=0)}
        self.channels: dict[str, Channel] = {}
        self.threads: dict[str, Thread] = {}
        self.hung: set[str] = set()
        """Messages that a thread was ever hung on: no second one can be, whatever became of the first."""
        self.closed: set[str] = set()
        """Who takes no direct messages."""
        self.webhooks: dict[str, Webhook] = {}
        self.emoji: dict[str, str] = {}
        """The guild's own emoji: id → name."""
        self.ephemerals: deque[Message] = deque(maxlen=10_000)
        self.owner = self.add_user("owner")
        self.app = self._install_app()
        self.add_member(self.owner)
        bot_role = self.add_role("Kakehashi", BOT)
        bot_role.managed = True
        self.add_member(self.app.bot, [bot_role.id])

    def mint(self) -> str:
        return self._snowflakes.mint()

    def _install_app(self) -> App:
        bot = self.add_user("kakehashi", bot=True)
        return App(bot.id, "Kakehashi", bot, self.owner, new_token(bot.id))

    def add_user(self, name: str, *, bot: bool = False, **details: Any) -> User:
        user = User(self.mint(), name, details.pop("global_name", name.title()), bot, **details)
        self.users[user.id] = user
        return user

    def add_member(self, user: User, roles: Iterable[str] = ()) -> Member:
        self.members[user.id] = Member(user, list(roles))
        return self.members[user.id]

    def add_role(self, name: str, permissions: Permission = NOTHING, *, mentionable: bool = False) -> Role:
        role = Role(self.mint(), name, permissions, len(self.roles), mentionable)
        self.roles[role.id] = role
        return role

    def add_channel(self, name: str, kind: Kind = Kind.TEXT, **details: Any) -> Channel:
        channel = Channel(self.mint(), name, kind, position=len(self.channels), **details)
        self.channels[channel.id] = channel
        return channel

    def direct_channel(self, user: User) -> Channel:
        """The conversation between the bot and this person, made on first use."""
        for channel in self.channels.values():
            if channel.recipient_id == user.id:
                return channel
        channel = Channel(self.mint(), "", Kind.DM, recipient_id=user.id)
        self.channels[channel.id] = channel
        return channel

    def place(self, channel_id: str) -> Channel | None:
        """The channel or thread of this id."""
        return self.channels.get(channel_id) or self.threads.get(channel_id)

    def parent(self, channel: Channel) -> Channel:
        """The channel that a thread hangs on; any other channel itself."""
        return self.channels[channel.parent_id] if channel.is_thread else channel

    def threads_of(self, channel: Channel) -> list[Thread]:
        return [t for t in self.threads.values() if t.parent_id == channel.id]

    def active_threads(self) -> list[Thread]:
        return [t for t in self.threads.values() if not t.archived]

    def member_named(self, name: str) -> Member | None:
        return next((m for m in self.members.values() if m.user.name == name), None)

    @property
    def bot(self) -> Member | None:
        """The bot's membership; None when it was thrown out."""
        return self.members.get(self.app.bot.id)

    @property
    def file_limit(self) -> int:
        """Bytes that one file may have: 10 MiB, more in a guild that people boost."""
        return {2: 50, 3: 100}.get(self.premium_tier, 10) * 1024 * 1024


def new_token(bot_id: str) -> str:
    """A bot's token: three parts, as Discord's."""
    return f"{bot_id}.{secrets.token_urlsafe(6)}.{secrets.token_urlsafe(24)}"
