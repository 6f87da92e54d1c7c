"""From Discord's payloads to what happened: pure, no network, no store.

Everything that the gateway may tell, and every interaction, is decided here on purpose; what means nothing to us is
`Ignored` with its reason, which is for the logs. A message says the channel that it stands in, and not whether that is
a thread: whose thread it is, the store knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.discord.heard.app import App
from adapters.discord.heard.asked import interaction
from adapters.discord.heard.happenings import (
    Attachment,
    Author,
    ChannelChanged,
    Forwarded,
    GuildGone,
    Happening,
    Ignored,
    Moderated,
    PersonLeft,
    Purged,
    Reacted,
    ReactionsCleared,
    Revised,
    Said,
    Sticker,
    ThreadGone,
    ThreadSeen,
    ThreadsSeen,
    Typing,
    Withdrawn,
)
from adapters.discord.heard.shape import GarbledError, Given, garbled, time_of
from adapters.discord.refs import EPOCH, Post, Root, made_at, message_key
from adapters.discord.text.emoji import sign
from routing.ids import InputKey

Payload = Mapping[str, Any]

SPOKEN = frozenset((0, 19))
"""Kinds of message (`type`) that hold a person's own words: a message, and a reply."""

_FORWARD = 1
"""The `type` of a reference that carries the words of another message with it."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_DELETED_BY_ANOTHER = 72
"""In the audit log (`action_type`). There is none where authors delete their own."""

_VOICE = 1 << 13
_THREADS = frozenset((10, 11, 12))


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
    body.object("author", must=True)
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
    author = Author.of(guild, user, member)
    key = message_key(guild, post.channel, post.message, "reaction" if added else "unreaction", user, name)
    return Reacted(key, post, author, name, added)


def _sign(body: Given) -> str:
    emoji = body.object("emoji")
    return sign(emoji.text("name") or "?", emoji.id("id"))


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
    author = Author.of(guild, user, member)
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
