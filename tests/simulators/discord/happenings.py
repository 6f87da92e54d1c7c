"""What changes the guild, and the events that tell of it; the app and people alike act through here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import markdown, permissions, shapes, snowflakes
from .guild import Channel, Flag, Json, Kind, Member, Message, Sort, Tag, Thread
from .intents import ALWAYS, Intent
from .refusal import Refusal

if TYPE_CHECKING:
    from .simulator import DiscordSimulator


AUDIT_COUNTS = 300.0
"""Seconds for which deletions of one author's messages by one moderator in one channel are one entry of the log."""


class Happenings:
    """Changes state, then tells of it."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._discord = discord
        self._guild = discord.guild
        self._logged: dict[tuple[str, str, str], float] = {}

    # --- messages ---------------------------------------------------------------------------------------------

    def post(self, channel: Channel, message: Message) -> Message:
        """A message appears. In an archived thread it wakes the thread."""
        if isinstance(channel, Thread):
            self._stir(channel, message)
        channel.messages[message.id] = message
        channel.last_message_id = message.id
        if message.author_id == self._guild.app.bot.id:
            self._discord.typists.pop(channel.id, None)
        nonce = {} if message.nonce is None else {"nonce": message.nonce}
        self._tell_message("MESSAGE_CREATE", channel, message, nonce)
        return message

    def _stir(self, thread: Thread, message: Message) -> None:
        if thread.archived:
            self.update_thread(thread, archived=False)
        thread.active_at = self._discord.clock.now()
        thread.total_sent += 1
        called = [ping.target for ping in message.pings if ping.kind == "user"]
        for user_id in [message.author_id, *called]:  # whoever is mentioned in a thread is in it from then on
            if user_id in self._guild.members:
                self.join_thread(thread, user_id)

    def change(self, channel: Channel, message: Message) -> None:
        """A message was edited by its author."""
        message.edited = snowflakes.stamp()
        self._tell_message("MESSAGE_UPDATE", channel, message)

    def refresh(self, channel: Channel, message: Message) -> None:
        """A message changed without an edit: previews, flags, pins. From here on an edit's moment is told without its
        microseconds, as at Discord."""
        if message.edited is not None:
            message.edited = snowflakes.parsed(message.edited).isoformat(timespec="milliseconds").replace("+", "000+")
        self._tell_message("MESSAGE_UPDATE", channel, message)

    def unfurl(self, channel: Channel, message: Message) -> None:
        """Previews of the message's links appear: an update without an edit."""
        addresses = [a.text for a in markdown.acts_in(message.content) if a.kind in ("preview", "invite")]
        if message.flags & Flag.SUPPRESS_EMBEDS or not addresses:
            return
        previews = [{"type": "link", "url": url, "title": url} for url in addresses]
        message.embeds = [e for e in message.embeds if e.get("type") == "rich"] + previews
        self.refresh(channel, message)

    def pin(self, channel: Channel, message: Message, *, pinned: bool = True) -> None:
        message.pinned = pinned
        self.refresh(channel, message)
        event = {"channel_id": channel.id, "last_pin_timestamp": snowflakes.stamp()} | self._of_guild(channel)
        self._discord.events.emit("CHANNEL_PINS_UPDATE", event, Intent.GUILDS, place=channel)

    def delete(self, channel: Channel, message: Message, *, by: str = "") -> None:
        """A message is gone; its event carries ids only. `by`: who deleted it, if that was not its author."""
        del channel.messages[message.id]
        if by and by != message.author_id:
            self._log_deletion(channel, message.author_id, by)
        event = {"id": message.id, "channel_id": channel.id} | self._of_guild(channel)
        self._discord.events.emit("MESSAGE_DELETE", event, self._messages_intent(channel), place=channel)

    def _log_deletion(self, channel: Channel, author: str, by: str) -> None:
        """The audit log counts up its last entry of the same kind for some minutes; events tell of new entries only,
        and only to whom may read the log."""
        bot, now = self._guild.bot, self._discord.clock.now()
        last = self._logged.get((channel.id, author, by), -AUDIT_COUNTS)
        if now - last < AUDIT_COUNTS or bot is None:
            return
        self._logged[channel.id, author, by] = now
        if not permissions.of_roles(self._guild, bot) & permissions.P.VIEW_AUDIT_LOG:
            return
        options = {"channel_id": channel.id, "count": "1"}
        event: Json = {"id": self._guild.mint(), "guild_id": self._guild.id, "user_id": by, "target_id": author}
        event |= {"action_type": 72, "options": options}
        self._discord.events.emit("GUILD_AUDIT_LOG_ENTRY_CREATE", event, Intent.GUILD_MODERATION)

    def delete_many(self, channel: Channel, ids: Iterable[str]) -> None:
        gone = [i for i in ids if channel.messages.pop(i, None)]
        event = {"ids": gone, "channel_id": channel.id} | self._of_guild(channel)
        self._discord.events.emit("MESSAGE_DELETE_BULK", event, self._messages_intent(channel), place=channel)

    def forward(self, message: Message, place: Channel, found: Message) -> None:
        """Make a message the forward of another one: its words are in `message_snapshots`, and only there."""
        shape = self._discord.shape(place, found)
        message.snapshots = [shapes.snapshot(shape)]
        message.reference = {"type": 1, "message_id": found.id, "channel_id": place.id, "guild_id": self._guild.id}
        message.flags |= Flag.HAS_SNAPSHOT

    def _tell_message(self, kind: str, channel: Channel, message: Message, extra: Json | None = None) -> None:
        shape = self._discord.shape(channel, message) | self._of_guild(channel) | (extra or {})
        author = self._guild.members.get(message.author_id)
        if author and not channel.recipient_id:
            shape["member"] = shapes.member(author, whole=False)
        shape["mentions"] = [self._mention(user) for user in shape["mentions"]]
        reduced = None if self._is_read_anyway(channel, message) else shapes.without_content(shape)
        intent = self._messages_intent(channel)
        self._discord.events.emit(kind, shape, intent, place=channel, reduced=reduced)

    def _mention(self, user: Json) -> Json:
        member = self._guild.members.get(user["id"])
        return user | {"member": shapes.member(member, whole=False)} if member else user

    def _is_read_anyway(self, channel: Channel, message: Message) -> bool:
        """What the app sees without MESSAGE_CONTENT: its own, what mentions it, and direct messages."""
        bot = self._guild.app.bot.id
        own = message.author_id == bot or message.webhook_id == self._guild.app.id
        return own or bot in message.mentions or bool(channel.recipient_id)

    def _of_guild(self, channel: Channel) -> Json:
        return {} if channel.recipient_id else {"guild_id": self._guild.id}

    def _messages_intent(self, channel: Channel) -> Intent:
        return Intent.DIRECT_MESSAGES if channel.recipient_id else Intent.GUILD_MESSAGES

    # --- reactions, typing ------------------------------------------------------------------------------------

    def react(self, channel: Channel, message: Message, emoji: str, user_id: str, *, added: bool = True) -> None:
        """Somebody's reaction; nothing when it was so already."""
        users = message.reactions.setdefault(emoji, [])
        if (user_id in users) == added:
            return
        (users.append if added else users.remove)(user_id)
        if not users:
            del message.reactions[emoji]
        event: Json = self._reaction(channel, message, emoji) | {"user_id": user_id, "burst": False, "type": 0}
        member = self._guild.members.get(user_id)
        if added and member and not channel.recipient_id:
            event |= {"member": shapes.member(member), "message_author_id": message.author_id}
        kind = "MESSAGE_REACTION_ADD" if added else "MESSAGE_REACTION_REMOVE"
        self._discord.events.emit(kind, event, self._reactions_intent(channel), place=channel)

    def clear_reactions(self, channel: Channel, message: Message, emoji: str = "") -> None:
        """A moderator takes all reactions off, or all of one emoji."""
        event = self._reaction(channel, message, emoji)
        if emoji:
            message.reactions.pop(emoji, None)
        else:
            message.reactions.clear()
            del event["emoji"]
        kind = "MESSAGE_REACTION_REMOVE_EMOJI" if emoji else "MESSAGE_REACTION_REMOVE_ALL"
        self._discord.events.emit(kind, event, self._reactions_intent(channel), place=channel)

    def _reaction(self, channel: Channel, message: Message, emoji: str) -> Json:
        ids = {"channel_id": channel.id, "message_id": message.id}
        return ids | self._of_guild(channel) | {"emoji": shapes.reaction_emoji(emoji)}

    def _reactions_intent(self, channel: Channel) -> Intent:
        return Intent.DIRECT_MESSAGE_REACTIONS if channel.recipient_id else Intent.GUILD_MESSAGE_REACTIONS

    def typing(self, channel: Channel, user_id: str) -> None:
        event: Json = {"channel_id": channel.id, "user_id": user_id, "timestamp": int(snowflakes.seconds())}
        member = self._guild.members.get(user_id)
        if member and not channel.recipient_id:
            event |= self._of_guild(channel) | {"member": shapes.member(member)}
        intent = Intent.DIRECT_MESSAGE_TYPING if channel.recipient_id else Intent.GUILD_MESSAGE_TYPING
        self._discord.events.emit("TYPING_START", event, intent, place=channel)

    # --- threads ----------------------------------------------------------------------------------------------

    def open_thread(self, parent: Channel, thread: Thread) -> Thread:
        """A thread begins, its maker in it. Refused at the guild's cap of active threads."""
        self._need_room()
        thread.active_at = self._discord.clock.now()
        self._guild.threads[thread.id] = thread
        thread.members[thread.owner_id] = snowflakes.stamp()
        event = shapes.thread(thread, self._guild) | {"newly_created": True}
        self._discord.events.emit("THREAD_CREATE", event, Intent.GUILDS, place=thread)
        origin = parent.messages.get(thread.id)
        if origin is not None:
            self._guild.hung.add(origin.id)
            self.refresh(parent, origin)
        return thread

    def _need_room(self) -> None:
        if len(self._guild.active_threads()) >= self._discord.habits.active_threads:
            raise Refusal(400, 160006, "Maximum number of active threads reached")

    def update_thread(
        self,
        thread: Thread,
        *,
        archived: bool | None = None,
        locked: bool | None = None,
        name: str | None = None,
        auto_archive: int | None = None,
        applied_tags: list[str] | None = None,
        by: str = "",
    ) -> None:
        """Change what is named. `by`: who renames it, for the line that Discord then posts in the thread."""
        if archived is False and thread.archived:
            self._need_room()
        renamed = name is not None and name != thread.name
        self._set(thread, archived, locked, name, auto_archive, applied_tags)
        event = shapes.thread(thread, self._guild)
        self._discord.events.emit("THREAD_UPDATE", event, Intent.GUILDS, place=thread)
        if renamed and by:
            note = Message(self._guild.mint(), thread.id, by, thread.name, Sort.CHANNEL_NAME_CHANGE)
            self.post(thread, note)

    def _set(
        self,
        thread: Thread,
        archived: bool | None,
        locked: bool | None,
        name: str | None,
        auto_archive: int | None,
        applied_tags: list[str] | None,
    ) -> None:
        if archived is not None and archived != thread.archived:
            thread.archived, thread.archive_stamp = archived, snowflakes.stamp()
            thread.active_at = self._discord.clock.now()
        if auto_archive is not None:
            thread.auto_archive, thread.archive_stamp = auto_archive, snowflakes.stamp()
            thread.active_at = self._discord.clock.now()
        thread.locked = thread.locked if locked is None else locked
        thread.name = thread.name if name is None else name
        thread.applied_tags = thread.applied_tags if applied_tags is None else applied_tags

    def sync_threads(self, channel: Channel) -> None:
        """Who begins to see a channel is told of its active threads, and of no others."""
        threads = [t for t in self._guild.threads_of(channel) if not t.archived]
        bot = self._guild.app.bot.id
        event: Json = {"guild_id": self._guild.id, "channel_ids": [channel.id]}
        event["threads"] = [shapes.thread(t, self._guild) for t in threads]
        event["members"] = [shapes.thread_member(t, bot) for t in threads if bot in t.members]
        self._discord.events.emit("THREAD_LIST_SYNC", event, Intent.GUILDS)

    def archive_idle(self) -> list[Thread]:
        """Archive what nobody has touched for its time; sooner, when the guild is near its cap."""
        active, now, habits = self._guild.active_threads(), self._discord.clock.now(), self._discord.habits
        crowded = len(active) >= habits.crowded * habits.active_threads
        idle = [t for t in active if now - t.active_at >= (60 if crowded else t.auto_archive) * 60]
        for thread in idle:
            self.update_thread(thread, archived=True)
        return idle

    def delete_thread(self, thread: Thread) -> None:
        ids: Json = {"id": thread.id, "guild_id": self._guild.id, "parent_id": thread.parent_id}
        self._discord.events.emit("THREAD_DELETE", ids | {"type": int(thread.kind)}, Intent.GUILDS, place=thread)
        del self._guild.threads[thread.id]

    def join_thread(self, thread: Thread, user_id: str) -> None:
        if user_id in thread.members:
            return
        thread.members[user_id] = snowflakes.stamp()
        added = [shapes.thread_member(thread, user_id)]
        if user_id == self._guild.app.bot.id:
            self._discord.events.emit("THREAD_CREATE", shapes.thread(thread, self._guild), Intent.GUILDS, place=thread)
        self._tell_members(thread, added=added)

    def leave_thread(self, thread: Thread, user_id: str) -> None:
        if thread.members.pop(user_id, None):
            self._tell_members(thread, removed=[user_id])

    def _tell_members(
        self, thread: Thread, *, added: list[Json] | None = None, removed: list[str] | None = None
    ) -> None:
        event: Json = {"id": thread.id, "guild_id": self._guild.id, "member_count": min(50, len(thread.members))}
        event |= {"added_members": added} if added else {}
        event |= {"removed_member_ids": removed} if removed else {}
        bot = self._guild.app.bot.id
        own = bot in (removed or []) or any(a["user_id"] == bot for a in added or [])
        intent = ALWAYS if own else Intent.GUILD_MEMBERS
        self._discord.events.emit("THREAD_MEMBERS_UPDATE", event, intent, place=thread)

    def define_tags(self, forum: Channel, tags: list[Tag]) -> None:
        """A forum's tags are others now; one that is gone is taken off every post, without an event of its own."""
        forum.tags, left = tags, {tag.id for tag in tags}
        for thread in self._guild.threads_of(forum):
            thread.applied_tags = [one for one in thread.applied_tags if one in left]
        self.tell_channel(forum)

    # --- channels, members, the guild -------------------------------------------------------------------------

    def tell_channel(self, channel: Channel, kind: str = "CHANNEL_UPDATE") -> None:
        """CHANNEL_CREATE, CHANNEL_UPDATE or CHANNEL_DELETE: a bot hears of channels that it cannot see, too."""
        self._discord.events.emit(kind, shapes.channel(channel, self._guild), Intent.GUILDS)

    def delete_channel(self, channel: Channel) -> None:
        """Its threads go with it, without an event of their own."""
        del self._guild.channels[channel.id]
        for thread in self._guild.threads_of(channel):
            del self._guild.threads[thread.id]
        self.tell_channel(channel, "CHANNEL_DELETE")

    def tell_webhooks(self, channel: Channel) -> None:
        event = {"guild_id": self._guild.id, "channel_id": channel.id}
        self._discord.events.emit("WEBHOOKS_UPDATE", event, Intent.GUILD_WEBHOOKS)

    def tell_role(self, role_id: str) -> None:
        role = shapes.role(self._guild.roles[role_id], self._guild)
        event = {"guild_id": self._guild.id, "role": role}
        self._discord.events.emit("GUILD_ROLE_UPDATE", event, Intent.GUILDS)

    def tell_member(self, member: Member) -> None:
        """A member's roles or nickname changed; the bot always hears of its own."""
        own = member.user.id == self._guild.app.bot.id
        event = shapes.member(member) | {"guild_id": self._guild.id}
        self._discord.events.emit("GUILD_MEMBER_UPDATE", event, ALWAYS if own else Intent.GUILD_MEMBERS)

    def join(self, member: Member) -> None:
        event = shapes.member(member) | {"guild_id": self._guild.id}
        self._discord.events.emit("GUILD_MEMBER_ADD", event, Intent.GUILD_MEMBERS)

    def leave(self, user_id: str) -> None:
        """A member goes, or is thrown out; the bot then hears GUILD_DELETE instead."""
        member = self._guild.members.pop(user_id)
        for thread in self._guild.threads.values():
            thread.members.pop(user_id, None)
        if user_id == self._guild.app.bot.id:
            self._discord.events.emit("GUILD_DELETE", {"id": self._guild.id}, Intent.GUILDS)
            return
        event = {"guild_id": self._guild.id, "user": shapes.user(member.user)}
        self._discord.events.emit("GUILD_MEMBER_REMOVE", event, Intent.GUILD_MEMBERS)

    def outage(self, *, over: bool = False) -> None:
        """The guild becomes unavailable, or available again."""
        if not over:
            self._discord.events.emit("GUILD_DELETE", {"id": self._guild.id, "unavailable": True}, Intent.GUILDS)
            return
        assert self._guild.bot is not None, "an outage is of a guild that the bot is in"
        event = shapes.guild(self._guild, self._guild.active_threads(), [self._guild.bot])
        self._discord.events.emit("GUILD_CREATE", event, Intent.GUILDS)


def new_thread(discord: DiscordSimulator, parent: Channel, name: str, owner_id: str, **details: object) -> Thread:
    """A thread of a channel, not yet opened; with the id of the message that it starts from, if `id` gives one."""
    thread = Thread(str(details.get("id") or discord.guild.mint()), name, Kind.PUBLIC_THREAD, parent.id)
    thread.owner_id, thread.auto_archive = owner_id, parent.auto_archive
    if parent.kind is Kind.ANNOUNCEMENT:
        thread.kind = Kind.ANNOUNCEMENT_THREAD
    return thread
