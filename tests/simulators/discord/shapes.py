"""The JSON in which Discord speaks of its guild: users, members, channels, messages. Pure; nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable

from . import components, markdown, snowflakes
from .guild import Attachment, Channel, Guild, Json, Kind, Member, Message, Role, Sort, Tag, Thread, User, Webhook

Sign = Callable[[Channel, Attachment], str]
"""Makes the link of an attachment, good for a day."""


def user(u: User) -> Json:
    return {
        "id": u.id,
        "username": u.name,
        "global_name": u.global_name,
        "discriminator": "0000" if u.bot else "0",
        "avatar": None,
        "avatar_decoration_data": None,
        "collectibles": None,
        "primary_guild": None,
        "public_flags": 0,
        **({"bot": True} if u.bot else {}),
    }


def me(u: User) -> Json:
    """The bot's own user, as only it sees it."""
    return user(u) | {"verified": True, "email": None, "mfa_enabled": True, "flags": 0, "locale": "en-US", "bio": ""}


def member(m: Member, *, whole: bool = True) -> Json:
    """A member; without its `user` inside messages."""
    shape: Json = {
        "roles": list(m.roles),
        "nick": m.nick,
        "avatar": None,
        "banner": None,
        "joined_at": m.joined_at,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": m.timed_out,
    }
    return shape | {"user": user(m.user)} if whole else shape


def role(r: Role, guild: Guild) -> Json:
    shape: Json = {
        "id": r.id,
        "name": r.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": r.position,
        "permissions": str(int(r.permissions)),
        "managed": r.managed,
        "mentionable": r.mentionable,
        "flags": 0,
    }
    return shape | {"tags": {"bot_id": guild.app.bot.id}} if r.managed else shape


def channel(c: Channel, guild: Guild) -> Json:
    """A channel or a thread; a thread says whether the bot is in it."""
    if isinstance(c, Thread):
        return thread(c, guild)
    if c.recipient_id:
        recipients = [user(guild.users[c.recipient_id])]
        return {"id": c.id, "type": 1, "recipients": recipients, "last_message_id": c.last_message_id, "flags": 0}
    shape: Json = {
        "id": c.id,
        "guild_id": guild.id,
        "type": int(c.kind),
        "name": c.name,
        "position": c.position,
        "parent_id": c.parent_id or None,
        "topic": c.topic,
        "nsfw": False,
        "flags": 1 << 4 if c.requires_tag else 0,
        "rate_limit_per_user": c.slowmode,
        "default_auto_archive_duration": c.auto_archive,
        "last_message_id": c.last_message_id,
        "permission_overwrites": [
            {"id": o.id, "type": int(o.is_member), "allow": str(int(o.allow)), "deny": str(int(o.deny))}
            for o in c.overwrites.values()
        ],
    }
    return shape | _forum(c) if c.kind is Kind.FORUM else shape


def _forum(c: Channel) -> Json:
    return {
        "available_tags": [tag(t) for t in c.tags],
        "default_reaction_emoji": None,
        "default_sort_order": None,
        "default_forum_layout": 0,
        "default_thread_rate_limit_per_user": 0,
    }


def tag(t: Tag) -> Json:
    return {"id": t.id, "name": t.name, "moderated": t.moderated, "emoji_id": None, "emoji_name": t.emoji_name}


def thread(t: Thread, guild: Guild) -> Json:
    made = snowflakes.stamp(snowflakes.at(t.id))
    shape: Json = {
        "id": t.id,
        "guild_id": guild.id,
        "parent_id": t.parent_id,
        "owner_id": t.owner_id,
        "type": int(t.kind),
        "name": t.name,
        "last_message_id": t.last_message_id,
        "message_count": max(0, len(t.messages) - (guild.channels[t.parent_id].kind is Kind.FORUM)),
        "total_message_sent": t.total_sent,
        "member_count": min(50, len(t.members)),
        "rate_limit_per_user": t.slowmode,
        "flags": t.flags,
        "applied_tags": list(t.applied_tags),
        "thread_metadata": {
            "archived": t.archived,
            "archive_timestamp": t.archive_stamp,
            "auto_archive_duration": t.auto_archive,
            "locked": t.locked,
            "create_timestamp": made,
            **({"invitable": t.invitable} if t.kind is Kind.PRIVATE_THREAD else {}),
        },
    }
    bot = guild.app.bot.id
    return shape | {"member": thread_member(t, bot)} if bot in t.members else shape


def thread_member(t: Thread, user_id: str) -> Json:
    return {"id": t.id, "user_id": user_id, "join_timestamp": t.members[user_id], "flags": 0, "muted": False}


def guild(g: Guild, threads: list[Thread], members: list[Member]) -> Json:
    """The guild as GUILD_CREATE shows it."""
    channels = [channel(c, g) for c in g.channels.values() if not c.recipient_id]
    return guild_rest(g) | {
        "joined_at": g.bot.joined_at if g.bot else snowflakes.stamp(),
        "large": False,
        "unavailable": False,
        "member_count": len(g.members),
        "voice_states": [],
        "members": [member(m) for m in members],
        "channels": channels,
        "threads": [thread(t, g) for t in threads],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def guild_rest(g: Guild) -> Json:
    """The guild as GET /guilds/{id} shows it: no channels, no members."""
    return {
        "id": g.id, "name": g.name, "icon": None, "splash": None, "discovery_splash": None, "owner_id": g.owner.id,
        "afk_channel_id": None, "afk_timeout": 300, "verification_level": 0, "default_message_notifications": 1,
        "explicit_content_filter": 0, "roles": [role(r, g) for r in g.roles.values()],
        "emojis": [emoji(i, n) for i, n in g.emoji.items()],
        "features": ["COMMUNITY"], "mfa_level": 0, "application_id": None, "system_channel_id": None,
        "system_channel_flags": 0, "rules_channel_id": None, "max_presences": None, "max_members": 500_000,
        "vanity_url_code": None, "description": None, "banner": None, "premium_tier": g.premium_tier,
        "premium_subscription_count": 0, "preferred_locale": "ja", "public_updates_channel_id": None,
        "nsfw_level": 0, "stickers": [], "premium_progress_bar_enabled": False, "safety_alerts_channel_id": None,
    }  # fmt: skip


def emoji(emoji_id: str, name: str) -> Json:
    return {
        "id": emoji_id, "name": name, "roles": [], "require_colons": True, "managed": False, "animated": False,
        "available": True,
    }  # fmt: skip


def reaction_emoji(key: str) -> Json:
    """The emoji of a reaction: a character, or `name:id` of a guild's own."""
    name, _, emoji_id = key.partition(":")
    return {"id": emoji_id or None, "name": name}


def attachment(a: Attachment, url: str) -> Json:
    shape: Json = {
        "id": a.id,
        "filename": a.filename,
        "size": len(a.data),
        "url": url,
        "proxy_url": url,
        "content_type": a.content_type,
        "flags": 0,
    }
    if a.description is not None:
        shape["description"] = a.description
    if a.title:
        shape["title"] = a.title
    if a.duration is not None:
        shape |= {"duration_secs": a.duration, "waveform": a.waveform}
    return shape


def message(g: Guild, c: Channel, m: Message, sign: Sign, *, nested: bool = False) -> Json:
    """A message as REST shows it; events add the author's membership, and the nonce."""
    shape: Json = {
        "id": m.id,
        "channel_id": m.channel_id,
        "type": int(m.type),
        "author": author(g, m),
        "content": m.content,
        "timestamp": snowflakes.stamp(snowflakes.at(m.id)),
        "edited_timestamp": m.edited,
        "tts": m.tts,
        "mention_everyone": m.mention_everyone,
        "mentions": [user(g.users[u]) for u in m.mentions if u in g.users],
        "mention_roles": list(m.mention_roles),
        "attachments": [attachment(a, sign(c, a)) for a in m.attachments],
        "embeds": m.embeds,
        "components": m.components,
        "pinned": m.pinned,
        "flags": m.flags | ((1 << 5) if m.id in g.threads and not c.is_thread else 0),
    }
    if m.reactions:
        shape["reactions"] = [_reaction(g, key, users) for key, users in m.reactions.items()]
    if m.stickers:
        shape["sticker_items"] = m.stickers
    if m.poll:
        shape["poll"] = m.poll
    if m.webhook_id:
        shape["webhook_id"] = m.webhook_id
    if m.interaction:
        shape["interaction_metadata"] = m.interaction
    if m.webhook_id or m.author_id == g.app.bot.id:
        shape["application_id"] = g.app.id
    return shape | _around(g, c, m, sign, nested)


def _around(g: Guild, c: Channel, m: Message, sign: Sign, nested: bool) -> Json:
    shape: Json = {}
    if m.id in g.threads and not c.is_thread:
        shape["thread"] = thread(g.threads[m.id], g)
    if m.snapshots:
        shape["message_snapshots"] = m.snapshots
    if m.reference:
        shape["message_reference"] = m.reference
        if m.type in (Sort.REPLY, Sort.THREAD_STARTER_MESSAGE) and not nested:
            place = g.place(m.reference["channel_id"])
            found = place.messages.get(m.reference.get("message_id", "")) if place else None
            shape["referenced_message"] = message(g, place, found, sign, nested=True) if place and found else None
    return shape


def author(g: Guild, m: Message) -> Json:
    if not m.webhook_id or m.author_id in g.users:
        return user(g.users[m.author_id])
    return {
        "id": m.webhook_id, "username": m.username, "global_name": None, "discriminator": "0000", "avatar": m.avatar,
        "bot": True, "public_flags": 0, "flags": 0,
    }  # fmt: skip


def _reaction(g: Guild, key: str, users: list[str]) -> Json:
    counts = {"burst": 0, "normal": len(users)}
    return {
        "emoji": reaction_emoji(key),
        "count": len(users),
        "count_details": counts,
        "burst_colors": [],
        "me": g.app.bot.id in users,
        "me_burst": False,
        "burst_me": False,
        "burst_count": 0,
    }


def without_content(shape: Json) -> Json:
    """The message for an app without the MESSAGE_CONTENT intent."""
    bare = shape | {"content": "", "embeds": [], "attachments": [], "components": []}
    bare.pop("poll", None)
    if "message_snapshots" in bare:
        empty = {"content": "", "embeds": [], "attachments": [], "components": []}
        bare["message_snapshots"] = [{"message": s["message"] | empty} for s in bare["message_snapshots"]]
    if bare.get("referenced_message"):
        bare["referenced_message"] = without_content(bare["referenced_message"])
    return bare


def snapshot(shape: Json) -> Json:
    """A message as a forward carries it: what it says, without who said it."""
    kept = (
        "type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "mentions",
        "mention_roles", "sticker_items", "components",
    )  # fmt: skip
    return {"message": {k: shape[k] for k in kept if k in shape}}


def webhook(w: Webhook, g: Guild) -> Json:
    return {
        "id": w.id, "type": 1, "guild_id": g.id, "channel_id": w.channel_id, "user": user(g.users[w.owner_id]),
        "name": w.name, "avatar": None, "token": w.token, "application_id": w.application_id,
    }  # fmt: skip


def seen(g: Guild, m: Message) -> str:
    """The message as a person reads it: its text, its embeds and its components' texts, a line each."""
    lines = [m.content, *texts(m)]
    return "\n".join(markdown.seen(line, lambda i: name(g, i)) for line in lines if line)


def texts(m: Message) -> list[str]:
    """What a message says beside its content."""
    lines = [str(embed.get(key) or "") for embed in m.embeds for key in ("title", "description")]
    for embed in m.embeds:
        lines += [f"{field['name']}: {field['value']}" for field in embed.get("fields", [])]
    return lines + components.texts(m.components)


def name(g: Guild, some_id: str) -> str:
    if some_id in g.members:
        return g.members[some_id].name
    known = g.users.get(some_id) or g.roles.get(some_id) or g.place(some_id)
    return known.name if known else "unknown"
