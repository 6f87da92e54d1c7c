"""May the app do this, here? The order is Discord's: does it exist, may it be seen, may this be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import permissions
from .guild import Channel, Message, Thread
from .permissions import P, Permission
from .refusal import Refusal

if TYPE_CHECKING:
    from .simulator import DiscordSimulator

READABLE = P.VIEW_CHANNEL | P.READ_MESSAGE_HISTORY


def rights(discord: DiscordSimulator, channel: Channel) -> Permission:
    """What the bot may do there."""
    return permissions.within(discord.guild, discord.guild.bot, channel)


def need_place(discord: DiscordSimulator, channel_id: str) -> Channel:
    """The channel or thread, if the bot can see it."""
    channel = discord.guild.place(channel_id)
    if channel is None:
        raise Refusal.unknown("Channel")
    if P.VIEW_CHANNEL not in rights(discord, channel):
        raise Refusal.no_access()
    return channel


def need_thread(discord: DiscordSimulator, channel_id: str) -> Thread:
    channel = need_place(discord, channel_id)
    if not isinstance(channel, Thread):
        raise Refusal(400, 50024, "Cannot execute action on this channel type")
    return channel


def need(discord: DiscordSimulator, channel: Channel, wanted: Permission) -> None:
    """Refuse unless the bot has all of these there."""
    if wanted & ~rights(discord, channel):
        raise Refusal.no_permission()


def need_guild(discord: DiscordSimulator, guild_id: str, wanted: Permission = permissions.NOTHING) -> None:
    guild = discord.guild
    if guild_id != guild.id:
        raise Refusal.unknown("Guild")
    if guild.bot is None:
        raise Refusal.no_access()
    if wanted & ~permissions.of_roles(guild, guild.bot):
        raise Refusal.no_permission()


def need_message(channel: Channel, message_id: str) -> Message:
    found = channel.messages.get(message_id)
    if found is None:
        raise Refusal.unknown("Message")
    return found


def moderates(discord: DiscordSimulator, thread: Thread) -> bool:
    return P.MANAGE_THREADS in rights(discord, thread)


def need_active(discord: DiscordSimulator, channel: Channel) -> None:
    """Only messages of active threads can be worked on; in a locked one only by moderators."""
    if not isinstance(channel, Thread):
        return
    if channel.archived:
        raise Refusal.archived()
    if channel.locked and not moderates(discord, channel):
        raise Refusal.locked()


def need_speech(discord: DiscordSimulator, channel: Channel) -> None:
    """May the bot post here? In an archived thread it may, and the thread wakes; not when it is locked as well."""
    if isinstance(channel, Thread):
        need(discord, channel, P.SEND_MESSAGES_IN_THREADS)
        if channel.locked and not moderates(discord, channel):
            raise Refusal.locked()
        if channel.locked and channel.archived:
            raise Refusal.archived()
        return
    if channel.recipient_id in discord.guild.closed:
        raise Refusal(403, 50007, "Cannot send messages to this user")
    if not channel.recipient_id and channel.kind not in (0, 5):
        raise Refusal(400, 50008, "Cannot send messages in a non-text channel")
    need(discord, channel, P.SEND_MESSAGES)
