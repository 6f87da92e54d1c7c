"""What happens in the workspace, whoever does it, and the events that Slack tells of it."""

import asyncio
import re
from typing import Any, Protocol

from . import shapes
from .access import message_subscription
from .habits import Habits
from .workspace import Channel, File, Json, Message, User, Workspace

TOMBSTONE = "This message was deleted."


class Emit(Protocol):
    """Tell the app of an event, if it subscribed to it and may see it."""

    def __call__(self, event: Json, channel: Channel | None = None, subscription: str = "") -> None: ...


class Happenings:
    """Every change of the workspace that others can see goes through here."""

    def __init__(self, workspace: Workspace, habits: Habits, emit: Emit) -> None:
        self._workspace = workspace
        self._habits = habits
        self._emit = emit
        self.changed: set[asyncio.Future[None]] = set()
        """Futures to be woken at the next change."""

    def post(self, channel: Channel, message: Message) -> Message:
        """Put the message into its channel."""
        if message.broadcast:
            message.subtype = "thread_broadcast"
        channel.keep(message)
        event = self._shape(channel, message)
        self._tell(channel, event, message.ts, own=bool(message.bot_id))
        if message.is_reply and self._habits.message_replied and message.thread_ts in channel.messages:
            self._tell_replied(channel, channel.messages[message.thread_ts], own=bool(message.bot_id))
        if f"<@{self._workspace.app.bot.id}>" in message.text and not message.bot_id:
            self._emit(event | _where(channel, message.ts) | {"type": "app_mention"}, channel)
        return message

    def _tell_replied(self, channel: Channel, root: Message, *, own: bool) -> None:
        """`message_replied` without its subtype, as the Events API sends it."""
        replies = [{"user": r.user, "ts": r.ts} for r in channel.replies(root.ts)]
        shape = self._shape(channel, root) | {"replies": replies}
        self._tell_hidden(channel, {"message": shape}, own=own)

    def change(self, channel: Channel, message: Message, previous: Json, by: str) -> None:
        """The message was given other content; `previous` is its shape before that."""
        at = channel.mint_ts()
        message.edited = (by, at)
        body = {"subtype": "message_changed", "message": self._shape(channel, message)}
        own = by == self._workspace.app.bot.id
        self._tell_hidden(channel, body | {"previous_message": previous}, own=own, ts=at)

    def unfurl(self, channel: Channel, message: Message) -> None:
        """Slack adds previews of the message's links: a `message_changed` of something that nobody edited."""
        previous = self._shape(channel, message)
        urls = [word.partition("|")[0] for word in re.findall(r"<(https?:[^>]+)>", message.text)]
        message.attachments = [{"from_url": url, "original_url": url, "id": n} for n, url in enumerate(urls, 1)]
        body = {"subtype": "message_changed", "message": self._shape(channel, message)}
        self._tell_hidden(channel, body | {"previous_message": previous}, own=False)

    def delete(self, channel: Channel, message: Message, by: str) -> None:
        """Gone; a root with replies leaves a tombstone in its place."""
        previous = self._shape(channel, message)
        own = by == self._workspace.app.bot.id
        if channel.threads.get(message.ts):
            _bury(message)
            body = {"subtype": "message_changed", "message": self._shape(channel, message)}
        else:
            channel.forget(message)
            body = {"subtype": "message_deleted", "deleted_ts": message.ts}
        if self._habits.names_deleter:
            body |= {"actor": by}
        self._tell_hidden(channel, body | {"previous_message": previous}, own=own)

    def react(self, channel: Channel, message: Message, name: str, by: str, *, added: bool) -> None:
        """Add or take away a reaction; whether that is possible was checked before."""
        people = message.reactions.setdefault(name, [])
        (people.append if added else people.remove)(by)
        if not people:
            del message.reactions[name]
        event = {
            "type": "reaction_added" if added else "reaction_removed",
            "user": by,
            "reaction": name,
            "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            "item_user": message.user,
            "event_ts": channel.mint_ts(),
        }
        self._emit(event, channel)
        self.wake()

    def share(self, channel: Channel, files: list[File], message: Message) -> None:
        """Show files in a channel: one message of their owner, and a `file_shared` for each beside it."""
        message.subtype = message.subtype or "file_share"
        message.files = [file.id for file in files]
        for file in files:
            file.shares.setdefault(channel.id, []).append((message.ts, message.thread_ts))
        self.post(channel, message)
        for file in files:
            event: Json = {"type": "file_shared", "channel_id": channel.id, "file_id": file.id}
            event |= {"user_id": file.owner, "file": {"id": file.id}, "event_ts": message.ts}
            self._emit(event, channel)

    def delete_file(self, file: File) -> None:
        """Its bytes are gone everywhere; messages that showed nothing else go with it."""
        file.state, file.data = "deleted", b""
        self._emit({"type": "file_deleted", "file_id": file.id, "event_ts": Channel("", "").mint_ts()})
        for channel_id, places in file.shares.items():
            channel = self._workspace.channels[channel_id]
            for ts, _ in places:
                message = channel.messages.get(ts)
                if message is not None and not message.text:
                    self.delete(channel, message, file.owner)
        self.wake()

    def join(self, channel: Channel, user: User, inviter: str = "") -> None:
        channel.members.add(user.id)
        event = {
            "type": "member_joined_channel",
            "user": user.id,
            "channel": channel.id,
            "channel_type": "G" if channel.kind == "private" else "C",
            "team": self._workspace.team_id,
            "event_ts": channel.mint_ts(),
        }
        self._emit(event | ({"inviter": inviter} if inviter else {}), channel)
        self.notice(channel, user.id, "channel_join", f"<@{user.id}> has joined the channel")

    def leave(self, channel: Channel, user: User) -> None:
        event = {
            "type": "member_left_channel",
            "user": user.id,
            "channel": channel.id,
            "channel_type": "G" if channel.kind == "private" else "C",
            "team": self._workspace.team_id,
            "event_ts": channel.mint_ts(),
        }
        self._emit(event, channel)
        self.notice(channel, user.id, "channel_leave", f"<@{user.id}> has left the channel")
        channel.members.discard(user.id)

    def archive(self, channel: Channel, by: str, *, archived: bool = True) -> None:
        word = "archive" if archived else "unarchive"
        if archived:
            self.notice(channel, by, "channel_archive", f"<@{by}> archived the channel")
        channel.is_archived = archived
        event = {"channel": channel.id, "user": by, "event_ts": channel.mint_ts()}
        self._channel_event(channel, word, event)

    def rename(self, channel: Channel, name: str, by: str) -> None:
        old, channel.name = channel.name, name
        self.notice(channel, by, "channel_name", f'<@{by}> has renamed the channel from "{old}" to "{name}"')
        shape = {"id": channel.id, "name": name, "name_normalized": name, "created": channel.created}
        self._channel_event(channel, "rename", {"channel": shape, "event_ts": channel.mint_ts()})

    def change_id(self, channel: Channel) -> str:
        """The channel gets a new id, as when it is shared or converted; the old one is not found any more."""
        old = channel.id
        del self._workspace.channels[old]
        channel.id = self._workspace.mint("C")
        self._workspace.channels[channel.id] = channel
        for file in self._workspace.files.values():
            if old in file.shares:
                file.shares[channel.id] = file.shares.pop(old)
        event = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": channel.id}
        self._emit(event | {"event_ts": channel.mint_ts()}, channel)
        return channel.id

    def share_outside(self, channel: Channel, team: str, *, shared: bool) -> None:
        """The channel is shared with another organisation (Slack Connect), or no longer."""
        channel.is_shared, channel.is_pending_shared = shared, False
        event = {"type": "channel_shared" if shared else "channel_unshared", "channel": channel.id}
        extra = (
            {"connected_team_id": team} if shared else {"previously_connected_team_id": team, "is_ext_shared": False}
        )
        self._emit(event | extra | {"event_ts": channel.mint_ts()}, channel)
        self.wake()

    def notice(self, channel: Channel, user: str, subtype: str, text: str) -> Message:
        """One of Slack's own lines in a channel; it cannot be replied to."""
        return self.post(channel, Message(channel.mint_ts(), user, text, subtype=subtype))

    def open_home(self, user: User, tab: str = "home") -> None:
        """The event comes whichever tab is opened; LookupError where the app has no such tab."""
        app = self._workspace.app
        if not (app.home_tab if tab == "home" else app.messages_tab):
            raise LookupError(f"the app shows no tab {tab!r}")
        channel = self._workspace.direct_channel(user)
        event: dict[str, Any] = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": tab}
        if tab == "home" and (home := self._workspace.homes.get(user.id)):
            event["view"] = shapes.view(self._workspace, home)
        self._emit(event | {"event_ts": channel.mint_ts()})

    def revoke(self) -> None:
        """An administrator takes the app's tokens away; one last event says so."""
        app = self._workspace.app
        event = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [app.bot.id]}}
        self._emit(event | {"event_ts": Channel("", "").mint_ts()})
        app.revoked = True

    def _channel_event(self, channel: Channel, word: str, event: Json) -> None:
        family = "group" if channel.kind == "private" else "channel"
        self._emit({"type": f"{family}_{word}"} | event, channel)
        self.wake()

    def _shape(self, channel: Channel, message: Message) -> Json:
        return shapes.message(self._workspace, channel, message)

    def _tell_hidden(self, channel: Channel, body: Json, *, own: bool, ts: str = "") -> None:
        ts = ts or channel.mint_ts()
        self._tell(channel, {"type": "message", "hidden": True, "ts": ts} | body, ts, own=own)

    def _tell(self, channel: Channel, event: Json, event_ts: str, *, own: bool) -> None:
        if self._habits.self_events or not own:
            self._emit(event | _where(channel, event_ts), channel, message_subscription(channel))
        self.wake()

    def wake(self) -> None:
        """Let those look again who wait for something to have happened."""
        for future in self.changed:
            if not future.done():
                future.set_result(None)
        self.changed.clear()


def _where(channel: Channel, event_ts: str) -> Json:
    return {"channel": channel.id, "channel_type": shapes.channel_type(channel), "event_ts": event_ts}


def _bury(message: Message) -> None:
    message.subtype, message.text, message.blocks = "tombstone", TOMBSTONE, []
    message.bot_id = message.username = message.client_msg_id = ""
    message.attachments, message.files, message.reactions = [], [], {}
    message.metadata, message.user, message.extra = None, "USLACKBOT", {}
