"""From Discord's payloads to what happened: pure, no network, no store.

Everything that the gateway may tell, and every interaction, is decided here on purpose; what means nothing to us is
`Ignored` with its reason, which is for the logs. A message says the channel that it stands in, and not whether that is
a thread: whose thread it is, the store knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from adapters.discord.emoji import sign
from adapters.discord.refs import EPOCH, Aim, Post, Root, made_at, message_id, message_key, read_custom_id, read_home_id
from adapters.discord.shape import GarbledError, Given, garbled, time_of
from bridge.ports import Placed
from routing.ids import InputKey, MessageId

Payload = Mapping[str, Any]

MENU = "menu"
"""The action of a card's menu: what was chosen stands in the interaction's values."""

SPOKEN = frozenset((0, 19))
"""Kinds of message (`type`) that hold a person's own words: a message, and a reply."""

_FORWARD = 1
"""The `type` of a reference that carries the words of another message with it."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_LOTTIE = 3
_DELETED_BY_ANOTHER = 72
"""In the audit log (`action_type`). There is none where authors delete their own."""

_VOICE = 1 << 13
_EPHEMERAL = 1 << 6
_THREADS = frozenset((10, 11, 12))


class _Ask(IntEnum):
    """Kinds of interaction."""

    PING = 1
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class _Command(IntEnum):
    SLASH = 1
    USER = 2
    MESSAGE = 3


@dataclass(frozen=True, slots=True)
class App:
    """Who we are, so that our own doings are known as ours: the bot's user and the application's id."""

    user: str
    application: str

    def wrote(self, message: Payload) -> bool:
        """Whether a message that was read back is ours, through a webhook of ours perhaps."""
        given = Given.of(message, "message")
        return given.object("author").id("id") == self.user or given.id("application_id") == self.application


@dataclass(frozen=True, slots=True)
class Author:
    """A person, as an event names them, by the guild in which they are one. `roles` are empty where it names none."""

    guild: str
    user: str
    name: str = ""
    roles: frozenset[str] = frozenset()


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


def parse(kind: str, body: object, app: App, told: str = "") -> Happening:
    """What an event of the gateway (`t` and `d`) tells. Raises GarbledError for what Discord never sends.

    `told` names the event itself (gateway session and sequence number): a reaction that is taken back and put again
    looks like the first one but for that, and a replay bears the same.
    """
    read = _EVENTS.get(kind)
    if read is None:
        return Ignored(f"an event of type {kind}")
    happening = read(Given.of(body, kind), app)
    if told and isinstance(happening, Reacted | ReactionsCleared):
        return replace(happening, key=InputKey(f"{happening.key}/{told}"))
    return happening


def message(body: object, guild: str, app: App) -> Happening:
    """A message as history gives it, which does not name the server. Raises GarbledError."""
    given = Given.of(body, "message")
    return _said(Given({**given.value, "guild_id": guild}, given.where), app)


def edit(body: object, guild: str, app: App) -> Happening:
    """The latest change of a message, as history gives it. Raises GarbledError."""
    given = Given.of(body, "message")
    return _revised(Given({**given.value, "guild_id": guild}, given.where), app)


# ------------------------------------------------------------------ messages


def _said(body: Given, app: App) -> Happening:
    return _foreign(body, app) or _read(body)


def _foreign(body: Given, app: App) -> Ignored | None:
    """Why this is no person's words on a server; None when it is."""
    if not body.has("author"):
        return Ignored("a change that names no author: a preview, perhaps")
    author = body.object("author")
    if body.has("webhook_id") or author.flag("bot") or author.flag("system") or author.id("id") == app.user:
        return Ignored("a bot's or a webhook's message, perhaps our own")
    if not body.id("guild_id"):
        return Ignored("a direct message")
    if body.number("type") not in SPOKEN:
        return Ignored(f"a message of type {body.number('type')}")
    return None


def _read(body: Given) -> Said:
    root = Root(body.id("guild_id", must=True), body.id("channel_id", must=True))
    message = body.id("id", must=True)
    forwarded = _forwarded(body)
    return Said(
        key=message_key(root.guild, root.thread, message),
        root=root,
        id=message,
        author=_author(body, root.guild),
        text=body.text("content"),
        files=_files(body),
        stickers=_stickers(body),
        forwarded=forwarded,
        reply_to=None if forwarded else _replied_to(body, root),
        answered=_answered(body),
        voice=bool(body.number("flags") & _VOICE),
        blank=_is_blank(body),
        other=any(body.value.get(name) for name in _OTHER),
    )


_OTHER = ("poll", "activity", "application", "components", "shared_client_theme")
_HELD = ("attachments", "sticker_items", "embeds", "message_snapshots", *_OTHER)


def _is_blank(body: Given) -> bool:
    return not body.text("content") and not any(body.value.get(name) for name in _HELD)


def _answered(body: Given) -> str:
    """Who wrote what this answers. Discord leaves it out where that is gone."""
    referenced = body.object("referenced_message")
    author = referenced.object("author")
    return (
        ""
        if referenced.has("webhook_id") or author.flag("bot") or author.id("id") == body.object("author").id("id")
        else author.id("id")
    )


def _author(body: Given, guild: str) -> Author:
    author, member = body.object("author", must=True), body.object("member")
    name = member.text("nick") or author.text("global_name") or author.text("username")
    return Author(guild, author.id("id", must=True), name, frozenset(member.ids("roles")))


def _files(body: Given) -> tuple[Attachment, ...]:
    return tuple(map(attachment, body.objects("attachments")))


def attachment(given: Given) -> Attachment:
    return Attachment(
        id=given.id("id", must=True),
        name=_file_name(given),
        media_type=given.text("content_type").partition(";")[0].strip(),
        size=given.number("size"),
        url=given.text("url"),
        seconds=given.amount("duration_secs"),
    )


def _file_name(given: Given) -> str:
    """As it was called by who sent it: Discord leaves signs out of `filename` and then keeps them in `title`, which
    need not have the ending."""
    name, title = given.text("filename"), given.text("title")
    stem, dot, ending = name.rpartition(".")
    whole = not (stem and dot) or title.casefold().endswith(f".{ending}".casefold())
    return (title if whole else f"{title}.{ending}") if title else name


def _stickers(body: Given) -> tuple[Sticker, ...]:
    items = body.objects("sticker_items" if body.has("sticker_items") else "stickers")  # as of old, in some snapshots
    return tuple(Sticker(one.id("id", must=True), one.text("name"), one.number("format_type") or 1) for one in items)


def _forwarded(body: Given) -> tuple[Forwarded, ...]:
    if body.object("message_reference").number("type") != _FORWARD:
        return ()
    inner = [one.object("message") for one in body.objects("message_snapshots")]
    return tuple(Forwarded(one.text("content"), _files(one), _stickers(one)) for one in inner)


def _replied_to(body: Given, root: Root) -> Post | None:
    reference = body.object("message_reference")
    message = reference.id("message_id")
    return Post(root.guild, reference.id("channel_id") or root.thread, message) if message else None


def _revised(body: Given, app: App) -> Happening:
    edited = body.text("edited_timestamp")
    if not edited:
        return Ignored("a change that nobody made by hand (a preview, a pin)")
    if foreign := _foreign(body, app):
        return foreign
    said = _read(body)
    at = _milliseconds(edited, body)
    return Revised(
        key=message_key(said.root.guild, said.root.thread, said.id, "edited", str(at)),
        root=said.root,
        id=said.id,
        author=said.author,
        text=said.text,
        files=said.files,
        stickers=said.stickers,
        forwarded=said.forwarded,
        reply_to=said.reply_to,
        answered=said.answered,
        voice=said.voice,
        blank=said.blank,
        other=said.other,
        revision=_revision(at, said.id),
    )


def _revision(at: int, message: str) -> int:
    """Counted from where ids begin for one that says it was written later than it was changed."""
    since = at - made_at(message)
    return since if since > 0 else max(1, at - EPOCH)


def _milliseconds(stamp: str, body: Given) -> int:
    """Cut off, not rounded: when a preview appears, Discord tells of the same edit again without its microseconds."""
    try:
        return (time_of(stamp) - _BEGINNING) // _MILLISECOND
    except (ValueError, OverflowError):
        raise garbled(f"{body.where}.edited_timestamp", "is no time") from None


def _withdrawn(body: Given, app: App) -> Happening:
    del app
    guild = body.id("guild_id")
    if not guild:
        return Ignored("a direct message")
    return _gone(Root(guild, body.id("channel_id", must=True)), body.id("id", must=True))


def _purged(body: Given, app: App) -> Happening:
    del app
    guild = body.id("guild_id")
    if not guild:
        return Ignored("direct messages")
    root = Root(guild, body.id("channel_id", must=True))
    return Purged(tuple(_gone(root, one, in_bulk=True) for one in body.ids("ids")))


def _logged(body: Given, app: App) -> Happening:
    options = body.object("options")
    if body.number("action_type") != _DELETED_BY_ANOTHER or not body.id("target_id") or not options.id("channel_id"):
        return Ignored(f"an entry of the audit log of type {body.number('action_type')}")
    if body.id("user_id") == app.user:
        return Ignored("an entry of the audit log about ourselves")
    return Moderated(options.id("channel_id"), body.id("target_id"), body.id("user_id"))


def _gone(root: Root, message: str, *, in_bulk: bool = False) -> Withdrawn:
    return Withdrawn(message_key(root.guild, root.thread, message, "deleted"), root, message, in_bulk)


# ------------------------------------------------------------------ reactions and typing


def _reaction(body: Given, app: App, *, added: bool) -> Happening:
    guild, member = body.id("guild_id"), body.object("member")
    user = body.id("user_id", must=True)
    if not guild:
        return Ignored("a reaction to a direct message")
    if user == app.user or member.object("user").flag("bot"):
        return Ignored("a bot's reaction, perhaps our own")
    post = Post(guild, body.id("channel_id", must=True), body.id("message_id", must=True))
    name = _sign(body)
    author = Author(guild, user, _nick(member), frozenset(member.ids("roles")))
    key = message_key(guild, post.channel, post.message, "reaction" if added else "unreaction", user, name)
    return Reacted(key, post, author, name, added)


def _sign(body: Given) -> str:
    emoji = body.object("emoji")
    return sign(emoji.text("name") or "?", emoji.id("id"))


def _nick(member: Given) -> str:
    user = member.object("user")
    return member.text("nick") or user.text("global_name") or user.text("username")


def _cleared(body: Given, app: App) -> Happening:
    del app
    guild = body.id("guild_id")
    if not guild:
        return Ignored("a reaction to a direct message")
    post = Post(guild, body.id("channel_id", must=True), body.id("message_id", must=True))
    name = _sign(body) if body.has("emoji") else ""
    return ReactionsCleared(message_key(guild, post.channel, post.message, "cleared", name), post, name)


def _typing(body: Given, app: App) -> Happening:
    guild, user, member = body.id("guild_id"), body.id("user_id", must=True), body.object("member")
    if not guild or user == app.user or member.object("user").flag("bot"):
        return Ignored("typing that is nobody's at a desk")
    author = Author(guild, user, _nick(member), frozenset(member.ids("roles")))
    return Typing(Root(guild, body.id("channel_id", must=True)), author)


# ------------------------------------------------------------------ threads, channels, people


def _thread(body: Given, app: App) -> Happening:
    del app
    if body.number("type") not in _THREADS:
        return Ignored("a channel that is no thread")
    return _seen(body, body.id("guild_id", must=True))


def _seen(body: Given, guild: str) -> ThreadSeen:
    state = body.object("thread_metadata")
    return ThreadSeen(
        root=Root(guild, body.id("id", must=True)),
        channel=body.id("parent_id", must=True),
        name=body.text("name"),
        archived=state.flag("archived"),
        locked=state.flag("locked"),
        tags=body.ids("applied_tags"),
        last=body.id("last_message_id"),
    )


def _threads(body: Given, app: App) -> Happening:
    del app
    guild = body.id("guild_id", must=True)
    return ThreadsSeen(guild, body.ids("channel_ids"), tuple(_all_seen(body, guild)))


def _all_seen(body: Given, guild: str) -> Iterator[ThreadSeen]:
    """One that is malformed hides none of the others."""
    for one in body.objects("threads"):
        with suppress(GarbledError):
            yield _seen(one, guild)


def _thread_gone(body: Given, app: App) -> Happening:
    del app
    return ThreadGone(Root(body.id("guild_id", must=True), body.id("id", must=True)))


def _channel(body: Given, app: App, *, gone: bool = False) -> Happening:
    del app
    guild = body.id("guild_id")
    return ChannelChanged(guild, body.id("id", must=True), gone) if guild else Ignored("a direct channel")


def _left(body: Given, app: App) -> Happening:
    user = body.object("user", must=True).id("id", must=True)
    guild = body.id("guild_id", must=True)
    return GuildGone(guild) if user == app.user else PersonLeft(guild, user)


def _guild_gone(body: Given, app: App) -> Happening:
    del app
    return GuildGone(body.id("id", must=True), body.flag("unavailable"))


def _guild(body: Given, app: App) -> Happening:
    del app
    guild = body.id("id", must=True)
    if body.flag("unavailable"):
        return GuildGone(guild, away=True)
    return ThreadsSeen(guild, (), tuple(_all_seen(body, guild)))


# ------------------------------------------------------------------ interactions


def interaction(body: Given, app: App) -> Happening:
    """What somebody pressed, filled in or typed for us."""
    if body.id("application_id") not in ("", app.application):
        return Ignored("an interaction of another app")
    handle = Interaction(body.id("id", must=True), body.text("token", must=True), body.text("locale"))
    kind = body.number("type", must=True)
    if kind == _Ask.PING:
        return Pinged(handle)
    guild = body.id("guild_id")
    if not guild:
        return Ignored("an interaction outside of a server")
    root = Root(guild, body.id("channel_id") or body.object("channel").id("id", must=True))
    return _ASKED.get(kind, _unknown)(body, root, handle)


Reader = Callable[[Given, Root, Interaction], "Happening"]


def _key(handle: Interaction) -> InputKey:
    return InputKey(f"discord/interaction/{handle.id}")


def _member(body: Given, guild: str) -> Author:
    member = body.object("member", must=True)
    user = member.object("user", must=True)
    return Author(guild, user.id("id", must=True), _nick(member), frozenset(member.ids("roles")))


def _pressed(body: Given, root: Root, handle: Interaction) -> Happening:
    data, stood = body.object("data", must=True), body.object("message", must=True)
    home = read_home_id(data.text("custom_id"))
    if home:
        return AtHome(_key(handle), root, home, _member(body, root.guild), handle)
    found = read_custom_id(data.text("custom_id"))
    if found is None:
        return Ignored("a button that is not ours")
    action, aim = found
    choices = data.texts("values")
    return Pressed(
        _key(handle),
        root,
        action,
        Aim(aim.placed, aim.message, choices[0] if choices else aim.choice),
        _member(body, root.guild),
        handle,
        Post(root.guild, stood.id("channel_id") or root.thread, stood.id("id", must=True)),
        bool(stood.number("flags") & _EPHEMERAL),
        choices,
    )


def _submitted(body: Given, root: Root, handle: Interaction) -> Happening:
    data = body.object("data", must=True)
    found = read_custom_id(data.text("custom_id"))
    if found is None:
        return Ignored("a window that is not ours")
    action, aim = found
    member, stood = _member(body, root.guild), body.has("message")
    return Submitted(_key(handle), root, action, aim, member, handle, _values(data), stood)


def _values(data: Given) -> Mapping[str, tuple[str, ...]]:
    """Each field stands in a row, or in a label, of its own."""
    found: dict[str, tuple[str, ...]] = {}
    for one in data.objects("components"):
        for field in [*one.objects("components"), *([one.object("component")] if one.has("component") else [])]:
            value = _typed_in(field)
            found[field.text("custom_id")] = field.texts("values") or ((value,) if value else ())
    return found


def _typed_in(given: Given) -> str:
    """A value as text, whether it was typed, counted or ticked."""
    value = given.value.get("value")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else given.text("value")


def _commanded(body: Given, root: Root, handle: Interaction) -> Happening:
    data = body.object("data", must=True)
    if data.number("type") == _Command.MESSAGE:
        return _shortcut(body, data, root, handle)
    if data.number("type") not in (0, _Command.SLASH):
        return Ignored(f"a command of type {data.number('type')}")
    words, options, focused = _typed(data)
    return Commanded(_key(handle), root, words, options, _member(body, root.guild), handle, focused)


def _typed(data: Given) -> tuple[tuple[str, ...], Mapping[str, str], str]:
    words, level, focused = [data.text("name", must=True)], data, ""
    while nested := [one for one in level.objects("options") if one.number("type") in (1, 2)]:
        level = nested[0]
        words.append(level.text("name", must=True))
    options: dict[str, str] = {}
    for one in level.objects("options"):
        options[one.text("name", must=True)] = _typed_in(one)
        focused = one.text("name") if one.flag("focused") else focused
    return tuple(words), options, focused


def _shortcut(body: Given, data: Given, root: Root, handle: Interaction) -> Happening:
    target = data.id("target_id", must=True)
    found = data.object("resolved").object("messages").object(target)
    author = _member(body, root.guild)
    name = data.text("name", must=True)
    return Shortcut(_key(handle), root, target, name, author, handle, found.text("content"))


def _unknown(body: Given, root: Root, handle: Interaction) -> Happening:
    del root, handle
    return Ignored(f"an interaction of type {body.number('type')}")


_ASKED: Mapping[int, Reader] = {
    _Ask.COMMAND: _commanded,
    _Ask.AUTOCOMPLETE: _commanded,
    _Ask.COMPONENT: _pressed,
    _Ask.MODAL: _submitted,
}

_EVENTS: Mapping[str, Callable[[Given, App], Happening]] = {
    "MESSAGE_CREATE": _said,
    "MESSAGE_UPDATE": _revised,
    "MESSAGE_DELETE": _withdrawn,
    "MESSAGE_DELETE_BULK": _purged,
    "GUILD_AUDIT_LOG_ENTRY_CREATE": _logged,
    "MESSAGE_REACTION_ADD": lambda body, app: _reaction(body, app, added=True),
    "MESSAGE_REACTION_REMOVE": lambda body, app: _reaction(body, app, added=False),
    "MESSAGE_REACTION_REMOVE_ALL": _cleared,
    "MESSAGE_REACTION_REMOVE_EMOJI": _cleared,
    "TYPING_START": _typing,
    "INTERACTION_CREATE": interaction,
    "THREAD_CREATE": _thread,
    "THREAD_UPDATE": _thread,
    "THREAD_DELETE": _thread_gone,
    "THREAD_LIST_SYNC": _threads,
    "CHANNEL_CREATE": _channel,
    "CHANNEL_UPDATE": _channel,
    "CHANNEL_DELETE": lambda body, app: _channel(body, app, gone=True),
    "GUILD_CREATE": _guild,
    "GUILD_DELETE": _guild_gone,
    "GUILD_MEMBER_REMOVE": _left,
}

__all__ = ["GarbledError", "parse"]
