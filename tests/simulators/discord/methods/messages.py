"""Messages: posting, reading, editing, deleting, reacting, typing."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

from tests.simulators.discord import access, composing, shapes, snowflakes
from tests.simulators.discord.access import need, need_active, need_message, need_place, need_speech
from tests.simulators.discord.guild import Channel, Flag, Json, Message
from tests.simulators.discord.permissions import P
from tests.simulators.discord.refusal import Complaints, Refusal

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.discord.simulator import DiscordSimulator

_REACTION = "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}"
_REACTION_LIMIT = (1, 0.25)
MOST_REACTIONS = 20
DELETABLE = 14 * 86_400
"""Seconds. Older messages are not deleted in bulk."""


@method("POST /channels/{channel_id}/messages", limit=(5, 5.0))
def create(discord: DiscordSimulator, call: Call) -> Json:
    channel = need_place(discord, call["channel_id"])
    need_speech(discord, channel)
    earlier = discord.nonces.find(call.fields, discord.guild.app.bot.id)
    if earlier is not None:
        return discord.shape(*earlier)
    wanted = composing.draft(discord, channel, call.fields, call.files)
    message = composing.new_message(discord, wanted, discord.guild.app.bot.id)
    discord.happenings.post(channel, message)
    discord.nonces.keep(channel, message)
    discord.note_post(call, "message", channel, message)
    shape = discord.shape(channel, message)
    return shape if message.nonce is None else shape | {"nonce": message.nonce}


@method("GET /channels/{channel_id}/messages", limit=(5, 5.0))
def history(discord: DiscordSimulator, call: Call) -> list[Json]:
    """Newest first, whichever way it was asked for. Without READ_MESSAGE_HISTORY it is empty, not refused."""
    channel = need_place(discord, call["channel_id"])
    if P.READ_MESSAGE_HISTORY not in access.rights(discord, channel):
        return []
    found = _slice(list(channel.messages.values()), call.query)
    return [_read(discord, channel, m) for m in reversed(found)]


def _slice(messages: list[Message], query: dict[str, str]) -> list[Message]:
    limit = query.get("limit", "50")
    if not limit.isdigit() or not 1 <= int(limit) <= 100:
        complaints = Complaints()
        complaints.add("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
        complaints.settle()
    count = int(limit)
    if "after" in query:
        return [m for m in messages if int(m.id) > int(query["after"])][:count]
    if "before" in query:
        return [m for m in messages if int(m.id) < int(query["before"])][-count:]
    if "around" in query:
        middle = int(query["around"])
        earlier = [m for m in messages if int(m.id) <= middle]
        later = [m for m in messages if int(m.id) > middle]
        return earlier[-(count // 2 + 1) :] + later[: count // 2]
    return messages[-count:]


def _read(discord: DiscordSimulator, channel: Channel, message: Message) -> Json:
    """As REST shows it: without the privileged switch, REST withholds content as the gateway does."""
    shape = discord.shape(channel, message)
    bot = discord.guild.app.bot.id
    own = message.author_id == bot or bot in message.mentions or bool(channel.recipient_id)
    return shape if own or "message_content" in discord.guild.app.privileged else shapes.without_content(shape)


@method("GET /channels/{channel_id}/messages/{message_id}", limit=(5, 5.0))
def get(discord: DiscordSimulator, call: Call) -> Json:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.READ_MESSAGE_HISTORY)
    return _read(discord, channel, need_message(channel, call["message_id"]))


@method("PATCH /channels/{channel_id}/messages/{message_id}", limit=(5, 5.0))
def edit(discord: DiscordSimulator, call: Call) -> Json:
    channel = need_place(discord, call["channel_id"])
    message = need_message(channel, call["message_id"])
    need_active(discord, channel)
    if message.author_id != discord.guild.app.bot.id:
        return _suppress(discord, channel, message, call)
    _need_edits_left(discord, channel, message)
    change(discord, channel, message, call)
    discord.note_post(call, "edit", channel, message)
    return discord.shape(channel, message)


def change(discord: DiscordSimulator, channel: Channel, message: Message, call: Call) -> None:
    """Apply an edit by the author. What an edit mentions rings nobody."""
    wanted = composing.draft(discord, channel, call.fields, call.files)
    composing.check(call.fields, call.files)
    before = message.content, message.embeds, message.attachments, message.components
    composing.fill(discord, message, wanted)
    if not composing.says_anything(message):
        message.content, message.embeds, message.attachments, message.components = before
        raise Refusal(400, 50006, "Cannot send an empty message")
    composing.ring(discord.guild, message, wanted)
    if call.fields.get("flags") is not None:
        _set_suppression(message, int(call.fields["flags"]))
    if channel.messages.get(message.id) is message:
        discord.happenings.change(channel, message)
    else:
        message.edited = snowflakes.stamp()


def _suppress(discord: DiscordSimulator, channel: Channel, message: Message, call: Call) -> Json:
    """All that may be changed of somebody else's message is whether its previews show."""
    if set(call.fields) - {"flags"} or not call.fields:
        raise Refusal(403, 50005, "Cannot edit a message authored by another user")
    need(discord, channel, P.MANAGE_MESSAGES)
    _set_suppression(message, int(call.fields["flags"]))
    discord.happenings.refresh(channel, message)
    return discord.shape(channel, message)


def _set_suppression(message: Message, flags: int) -> None:
    message.flags = (message.flags & ~Flag.SUPPRESS_EMBEDS) | (flags & Flag.SUPPRESS_EMBEDS)
    if flags & Flag.IS_COMPONENTS_V2:
        message.flags |= Flag.IS_COMPONENTS_V2


def _need_edits_left(discord: DiscordSimulator, channel: Channel, message: Message) -> None:
    if discord.clock.now() - message.posted <= discord.habits.old_after:
        return
    wait = discord.limits.spend(f"old edits {channel.id}", *discord.habits.old_edits)
    if wait is not None:
        words = "Maximum number of edits to messages older than 1 hour reached. Try again later"
        raise Refusal.too_many(wait, code=30046, message=words)


@method("DELETE /channels/{channel_id}/messages/{message_id}", limit=(5, 1.0))
def delete(discord: DiscordSimulator, call: Call) -> None:
    """The one thing that can be done in an archived thread, unless it is locked as well."""
    channel = need_place(discord, call["channel_id"])
    message = need_message(channel, call["message_id"])
    if message.author_id != discord.guild.app.bot.id:
        need(discord, channel, P.MANAGE_MESSAGES)
    discord.happenings.delete(channel, message)
    discord.note_post(call, "delete", channel, message)


@method("POST /channels/{channel_id}/messages/bulk-delete", limit=(1, 1.0))
def delete_many(discord: DiscordSimulator, call: Call) -> None:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.MANAGE_MESSAGES)
    ids = [str(i) for i in call.fields.get("messages") or []]
    if not 2 <= len(ids) <= 100:
        raise Refusal(
            400, 50016, "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100"
        )
    if any(snowflakes.seconds() - snowflakes.at(i).timestamp() > DELETABLE for i in ids):
        raise Refusal(400, 50034, "A message provided was too old to bulk delete")
    discord.happenings.delete_many(channel, ids)


@method("POST /channels/{channel_id}/typing", limit=(5, 5.0))
def typing(discord: DiscordSimulator, call: Call) -> None:
    """Shown for ten seconds; an archived thread does not wake for it."""
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.SEND_MESSAGES_IN_THREADS if channel.is_thread else P.SEND_MESSAGES)
    discord.typists[channel.id] = discord.clock.now() + 10
    discord.happenings.typing(channel, discord.guild.app.bot.id)


# --- pins ---------------------------------------------------------------------------------------------------------

_PIN = "/channels/{channel_id}/messages/pins/{message_id}"
MOST_PINS = 250


@method(f"PUT {_PIN}", limit=(5, 5.0))
def pin(discord: DiscordSimulator, call: Call) -> None:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.PIN_MESSAGES)
    need_active(discord, channel)
    if sum(m.pinned for m in channel.messages.values()) >= MOST_PINS:
        raise Refusal(400, 30003, f"Maximum number of pins reached ({MOST_PINS})")
    discord.happenings.pin(channel, need_message(channel, call["message_id"]))


@method(f"DELETE {_PIN}", limit=(5, 5.0))
def unpin(discord: DiscordSimulator, call: Call) -> None:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.PIN_MESSAGES)
    discord.happenings.pin(channel, need_message(channel, call["message_id"]), pinned=False)


@method("GET /channels/{channel_id}/messages/pins", limit=(5, 5.0))
def pins(discord: DiscordSimulator, call: Call) -> Json:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.READ_MESSAGE_HISTORY)
    found = [m for m in reversed(channel.messages.values()) if m.pinned]
    items = [{"pinned_at": snowflakes.stamp(), "message": _read(discord, channel, m)} for m in found]
    return {"items": items, "has_more": False}


# --- reactions ----------------------------------------------------------------------------------------------------


def _emoji(discord: DiscordSimulator, call: Call) -> str:
    """The emoji of the path: a character or `name:id`."""
    emoji = urllib.parse.unquote(call["emoji"])
    name, _, emoji_id = emoji.partition(":")
    if emoji_id:
        if emoji_id not in discord.guild.emoji:
            raise Refusal.unknown("Emoji")
        return f"{discord.guild.emoji[emoji_id]}:{emoji_id}"
    if not name or name.isascii():
        raise Refusal.unknown("Emoji")
    return name


@method(f"PUT {_REACTION}/@me", limit=_REACTION_LIMIT, bucket="reactions")
def react(discord: DiscordSimulator, call: Call) -> None:
    channel = need_place(discord, call["channel_id"])
    message = need_message(channel, call["message_id"])
    need(discord, channel, P.READ_MESSAGE_HISTORY)
    emoji = _emoji(discord, call)
    need_active(discord, channel)
    if emoji not in message.reactions:
        need(discord, channel, P.ADD_REACTIONS)
        if len(message.reactions) >= MOST_REACTIONS:
            raise Refusal(400, 30010, f"Maximum number of reactions reached ({MOST_REACTIONS})")
    discord.happenings.react(channel, message, emoji, discord.guild.app.bot.id)


@method(f"DELETE {_REACTION}/@me", limit=_REACTION_LIMIT, bucket="reactions")
def unreact(discord: DiscordSimulator, call: Call) -> None:
    _take_off(discord, call, discord.guild.app.bot.id)


@method(f"DELETE {_REACTION}/{{user_id}}", limit=_REACTION_LIMIT, bucket="reactions")
def unreact_other(discord: DiscordSimulator, call: Call) -> None:
    need(discord, need_place(discord, call["channel_id"]), P.MANAGE_MESSAGES)
    _take_off(discord, call, call["user_id"])


def _take_off(discord: DiscordSimulator, call: Call, user_id: str) -> None:
    channel = need_place(discord, call["channel_id"])
    message = need_message(channel, call["message_id"])
    emoji = _emoji(discord, call)
    need_active(discord, channel)
    if user_id in message.reactions.get(emoji, []):
        discord.happenings.react(channel, message, emoji, user_id, added=False)


@method(f"DELETE {_REACTION}", limit=_REACTION_LIMIT, bucket="reactions")
def clear_emoji(discord: DiscordSimulator, call: Call) -> None:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.MANAGE_MESSAGES)
    need_active(discord, channel)
    discord.happenings.clear_reactions(channel, need_message(channel, call["message_id"]), _emoji(discord, call))


@method("DELETE /channels/{channel_id}/messages/{message_id}/reactions", limit=_REACTION_LIMIT, bucket="reactions")
def clear_reactions(discord: DiscordSimulator, call: Call) -> None:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.MANAGE_MESSAGES)
    need_active(discord, channel)
    discord.happenings.clear_reactions(channel, need_message(channel, call["message_id"]))


@method(f"GET {_REACTION}", limit=(5, 5.0))
def reactors(discord: DiscordSimulator, call: Call) -> list[Json]:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.READ_MESSAGE_HISTORY)
    users = need_message(channel, call["message_id"]).reactions.get(_emoji(discord, call), [])
    return [shapes.user(discord.guild.users[u]) for u in sorted(users, key=int)[: int(call.query.get("limit", 25))]]
