"""The guild, its channels, roles and members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.discord import permissions, shapes
from tests.simulators.discord.access import need_guild
from tests.simulators.discord.guild import Json
from tests.simulators.discord.refusal import Refusal

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.discord.simulator import DiscordSimulator


@method("GET /guilds/{guild_id}")
def get_guild(discord: DiscordSimulator, call: Call) -> Json:
    need_guild(discord, call["guild_id"])
    counts = {"approximate_member_count": len(discord.guild.members), "approximate_presence_count": 1}
    return shapes.guild_rest(discord.guild) | (counts if call.flag("with_counts") else {})


@method("GET /guilds/{guild_id}/channels")
def get_channels(discord: DiscordSimulator, call: Call) -> list[Json]:
    need_guild(discord, call["guild_id"])
    guild = discord.guild
    return [shapes.channel(c, guild) for c in guild.channels.values() if not c.recipient_id]


@method("GET /guilds/{guild_id}/roles")
def get_roles(discord: DiscordSimulator, call: Call) -> list[Json]:
    need_guild(discord, call["guild_id"])
    return [shapes.role(r, discord.guild) for r in discord.guild.roles.values()]


@method("GET /guilds/{guild_id}/emojis")
def get_emojis(discord: DiscordSimulator, call: Call) -> list[Json]:
    need_guild(discord, call["guild_id"])
    return [shapes.emoji(i, n) for i, n in discord.guild.emoji.items()]


@method("GET /guilds/{guild_id}/members", limit=(10, 10.0))
def get_members(discord: DiscordSimulator, call: Call) -> list[Json]:
    """Needs the privileged GUILD_MEMBERS intent switched on, as its event does."""
    need_guild(discord, call["guild_id"])
    if "members" not in discord.guild.app.privileged:
        raise Refusal.no_access()
    after, limit = int(call.query.get("after", 0)), int(call.query.get("limit", 1))
    found = sorted((m for m in discord.guild.members.values() if int(m.user.id) > after), key=lambda m: int(m.user.id))
    return [shapes.member(m) for m in found[:limit]]


@method("GET /guilds/{guild_id}/members/{user_id}", limit=(5, 1.0))
def get_member(discord: DiscordSimulator, call: Call) -> Json:
    need_guild(discord, call["guild_id"])
    member = discord.guild.members.get(call["user_id"])
    if member is None:
        raise Refusal.unknown("Member" if call["user_id"] in discord.guild.users else "User")
    return shapes.member(member)


@method("GET /guilds/{guild_id}/threads/active")
def active_threads(discord: DiscordSimulator, call: Call) -> Json:
    need_guild(discord, call["guild_id"])
    guild = discord.guild
    visible = [t for t in guild.active_threads() if permissions.within(guild, guild.bot, t)]
    found = sorted(visible, key=lambda t: -int(t.id))
    bot = guild.app.bot.id
    members = [shapes.thread_member(t, bot) for t in found if bot in t.members]
    return {"threads": [shapes.thread(t, guild) for t in found], "members": members}
