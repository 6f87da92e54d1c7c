"""What somebody may do where: roles, then the channel's overwrites, as Discord computes it."""

from __future__ import annotations

from enum import IntFlag
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .guild import Channel, Guild, Member


class Permission(IntFlag):
    """Discord's bits, those that matter here."""

    KICK_MEMBERS = 1 << 1
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_AUDIT_LOG = 1 << 7
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    SEND_TTS_MESSAGES = 1 << 12
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    USE_EXTERNAL_STICKERS = 1 << 37
    SEND_MESSAGES_IN_THREADS = 1 << 38
    PIN_MESSAGES = 1 << 51
    BYPASS_SLOWMODE = 1 << 52


P = Permission
NOTHING = P(0)
ALL = reduce(or_, P)

EVERYONE = (
    P.VIEW_CHANNEL | P.SEND_MESSAGES | P.SEND_MESSAGES_IN_THREADS | P.CREATE_PUBLIC_THREADS | P.ADD_REACTIONS
    | P.EMBED_LINKS | P.ATTACH_FILES | P.READ_MESSAGE_HISTORY | P.USE_APPLICATION_COMMANDS | P.USE_EXTERNAL_EMOJIS
)  # fmt: skip
"""What @everyone has in a new guild, but for mentioning everybody, which a careful owner takes away."""
BOT = EVERYONE | P.MANAGE_MESSAGES | P.MANAGE_THREADS | P.MANAGE_WEBHOOKS | P.CREATE_PRIVATE_THREADS
"""A generous installation. ADMINISTRATOR and MENTION_EVERYONE are missing on purpose: they hide what goes wrong."""

_SPEECH = P.MENTION_EVERYONE | P.SEND_TTS_MESSAGES | P.ATTACH_FILES | P.EMBED_LINKS
"""Worth nothing to whom cannot speak."""


def of_roles(guild: Guild, member: Member) -> Permission:
    """What a member may do in the guild, channels aside."""
    if member.user.id == guild.owner.id:
        return ALL
    granted = reduce(or_, (guild.roles[r].permissions for r in member.roles if r in guild.roles), NOTHING)
    granted |= guild.roles[guild.id].permissions
    return ALL if P.ADMINISTRATOR in granted else granted


def within(guild: Guild, member: Member | None, channel: Channel) -> Permission:
    """What a member may do in a channel or thread; nothing for who is not in the guild."""
    if channel.recipient_id:
        return EVERYONE
    if member is None:
        return NOTHING
    base = of_roles(guild, member)
    if P.ADMINISTRATOR in base:
        return ALL
    found = _overwritten(guild, member, guild.parent(channel), base)
    if P.VIEW_CHANNEL not in found or not _is_let_in(member, channel, found):
        return NOTHING
    if member.timed_out:
        return found & (P.VIEW_CHANNEL | P.READ_MESSAGE_HISTORY)
    speaks = P.SEND_MESSAGES_IN_THREADS if channel.is_thread else P.SEND_MESSAGES
    return found if speaks in found else found & ~_SPEECH


def _overwritten(guild: Guild, member: Member, channel: Channel, base: Permission) -> Permission:
    """@everyone's overwrite first, then all roles' together, then the member's own."""
    overwrites = channel.overwrites
    layers = [[guild.id], [r for r in member.roles if r != guild.id], [member.user.id]]
    for ids in layers:
        chosen = [overwrites[i] for i in ids if i in overwrites]
        base &= ~reduce(or_, (o.deny for o in chosen), NOTHING)
        base |= reduce(or_, (o.allow for o in chosen), NOTHING)
    return base


def _is_let_in(member: Member, channel: Channel, found: Permission) -> bool:
    """A private thread shows itself to its members and to moderators."""
    members = getattr(channel, "members", {})
    return channel.kind != 12 or P.MANAGE_THREADS in found or member.user.id in members
