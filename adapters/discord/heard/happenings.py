"""What may happen on Discord, as `parse` reads it: in a thread, on a card, in a window, in a channel.

A key names a happening for good: replayed events and history read alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.discord.heard.shape import Given
from adapters.discord.refs import Aim, Post, Root, message_id, message_key
from bridge.ports import Placed
from routing.ids import InputKey, MessageId

_LOTTIE = 3
"""A kind of sticker."""


@dataclass(frozen=True, slots=True)
class Author:
    """A person, as an event names them, by the guild in which they are one. `roles` are empty where it names none."""

    guild: str
    user: str
    name: str = ""
    roles: frozenset[str] = frozenset()

    @classmethod
    def of(cls, guild: str, user: str, member: Given) -> Author:
        known = member.object("user")
        name = member.text("nick") or known.text("global_name") or known.text("username")
        return cls(guild, user, name, frozenset(member.ids("roles")))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as an event names it. `size` in bytes; `seconds` of a voice message. The link holds for about a day."""

    id: str
    name: str = ""
    media_type: str = ""
    size: int = 0
    url: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Sticker:
    """A picture that a person sent in place of words. `kind` is Discord's number: PNG, APNG, Lottie, GIF."""

    id: str
    name: str
    kind: int = 1

    @property
    def is_drawn(self) -> bool:
        """By the client, from a description: there is no picture of it."""
        return self.kind == _LOTTIE


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What another message said when it was forwarded. Discord does not tell who wrote it."""

    text: str
    files: tuple[Attachment, ...] = ()
    stickers: tuple[Sticker, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A person wrote. `text` is still in Discord's form. `reply_to` is the message that it answers, and `answered` the
    person who wrote that, if one did. `replayed` events and history read alike: what a message said has one key,
    however often it is told.

    `blank`: it holds nothing at all, as every message does where the app may not read content. `other`: it holds
    something that no customer can be shown: a poll, an invitation to an activity."""

    key: InputKey
    root: Root
    id: str
    author: Author
    text: str
    files: tuple[Attachment, ...] = ()
    stickers: tuple[Sticker, ...] = ()
    forwarded: tuple[Forwarded, ...] = ()
    reply_to: Post | None = None
    answered: str = ""
    voice: bool = False
    blank: bool = False
    other: bool = False

    @property
    def to_be_fetched(self) -> bool:
        """Whether it holds more than words."""
        return bool(self.files or self.stickers or any(one.files or one.stickers for one in self.forwarded))

    @property
    def message(self) -> MessageId:
        return message_id(self.root.thread, self.id)

    @property
    def original(self) -> InputKey:
        """The key of the message itself, whatever this happening is."""
        return message_key(self.root.guild, self.root.thread, self.id)

    @property
    def post(self) -> Post:
        return self.root.post(self.id)


@dataclass(frozen=True, slots=True)
class Revised(Said):
    """A person changed their message. `revision` grows with each change: ms since it was written."""

    revision: int = 1


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A message was deleted. Discord says neither whose it was nor who did it."""

    key: InputKey
    root: Root
    id: str
    in_bulk: bool = False

    @property
    def message(self) -> MessageId:
        return message_id(self.root.thread, self.id)

    @property
    def post(self) -> Post:
        return self.root.post(self.id)


@dataclass(frozen=True, slots=True)
class Purged:
    """Many messages were deleted at once, which only a moderator or an app can do."""

    withdrawn: tuple[Withdrawn, ...]


@dataclass(frozen=True, slots=True)
class Moderated:
    """The server's audit log: somebody deletes an author's messages in a channel, who is not that author. Told of the
    first alone; which message it is, the log does not say."""

    channel: str
    author: str
    by: str


@dataclass(frozen=True, slots=True)
class Reacted:
    """A person put a reaction on a post, or took it back. `sign` is what a session calls it."""

    key: InputKey
    post: Post
    author: Author
    sign: str
    added: bool = True


@dataclass(frozen=True, slots=True)
class ReactionsCleared:
    """A moderator took all reactions off a post, or all of one `sign`."""

    key: InputKey
    post: Post
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Typing:
    """A person types: a signal, never kept."""

    root: Root
    author: Author


@dataclass(frozen=True, slots=True)
class Interaction:
    """What an interaction is answered by: once within 3 s, and then by its token for 15 minutes."""

    id: str
    token: str
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Pressed:
    """Somebody pressed a button of ours, or chose from a menu; `aim.choice` is what. `post` is what it stood on;
    `only_theirs`: that is shown to nobody else, and changed by the interaction alone."""

    key: InputKey
    root: Root
    action: str
    aim: Aim
    author: Author
    interaction: Interaction
    post: Post
    only_theirs: bool = False
    choices: tuple[str, ...] = ()

    @property
    def placed(self) -> Placed:
        return self.aim.placed


@dataclass(frozen=True, slots=True)
class AtHome:
    """Somebody pressed a button of their home, which names no session."""

    key: InputKey
    root: Root
    action: str
    author: Author
    interaction: Interaction


@dataclass(frozen=True, slots=True)
class Submitted:
    """Somebody filled in a window of ours and sent it. `values` are by the field's name: a text, or what was chosen."""

    key: InputKey
    root: Root
    action: str
    aim: Aim
    author: Author
    interaction: Interaction
    values: Mapping[str, tuple[str, ...]]

    @property
    def placed(self) -> Placed:
        return self.aim.placed

    from_message: bool = False
    """Whether it was opened from a button or a menu, whose message then can be changed by the answer."""


@dataclass(frozen=True, slots=True)
class Commanded:
    """A slash command: its name with its subcommands, and what was typed for each of its options, as text."""

    key: InputKey
    root: Root
    words: tuple[str, ...]
    options: Mapping[str, str]
    author: Author
    interaction: Interaction
    focused: str = ""
    """The option in which somebody is typing: they want to be offered choices, and nothing is done."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Somebody chose one of our entries in a message's menu: `name` is the command's, `text` the message's words."""

    key: InputKey
    root: Root
    id: str
    name: str
    author: Author
    interaction: Interaction
    text: str = ""

    @property
    def message(self) -> MessageId:
        return message_id(self.root.thread, self.id)

    @property
    def post(self) -> Post:
        return self.root.post(self.id)


@dataclass(frozen=True, slots=True)
class Pinged:
    """Discord asks whether the HTTP endpoint is there."""

    interaction: Interaction


@dataclass(frozen=True, slots=True)
class ThreadSeen:
    """A thread as it is now: new, changed, or told of when we came to see it."""

    root: Root
    channel: str
    name: str = ""
    archived: bool = False
    locked: bool = False
    tags: tuple[str, ...] = ()
    last: str = ""
    """The id of its last message; empty where there is none."""


@dataclass(frozen=True, slots=True)
class ThreadsSeen:
    """All active threads of some channels (of all of them, where none is named)."""

    guild: str
    channels: tuple[str, ...]
    threads: tuple[ThreadSeen, ...]


@dataclass(frozen=True, slots=True)
class ThreadGone:
    """A thread was deleted, or we see it no more."""

    root: Root


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    """A channel, its permissions, or ours in it. `gone`: it was deleted."""

    guild: str
    channel: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class PersonLeft:
    """A person left the server, or was put out of it."""

    guild: str
    user: str


@dataclass(frozen=True, slots=True)
class GuildGone:
    """The app was put out of the server; or (`away`) Discord has lost the server for a while."""

    guild: str
    away: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    because: str


InThread = Said | Revised | Withdrawn
Asked = Pressed | AtHome | Submitted | Commanded | Shortcut | Pinged
News = ThreadSeen | ThreadsSeen | ThreadGone | ChannelChanged | PersonLeft | GuildGone
Happening = InThread | Purged | Moderated | Reacted | ReactionsCleared | Typing | Asked | News | Ignored
