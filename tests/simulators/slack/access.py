"""What the app may touch: scopes, membership, archives, its own messages. Everything else is refused by name."""

from .refusal import Refusal
from .shapes import channel_type
from .workspace import App, Channel, Message, Workspace, micros

_FAMILY = {"public": "channels", "private": "groups", "im": "im"}


def need_scope(app: App, *any_of: str) -> None:
    """Refuse with missing_scope unless one of these was granted."""
    if any_of and not app.scopes & set(any_of):
        raise Refusal("missing_scope", needed=",".join(any_of), provided=",".join(sorted(app.scopes)))


def visible_channel(workspace: Workspace, name: str, *, by_name: bool = False) -> Channel:
    """The channel as the app can see it: private ones it is not in do not exist for it."""
    channel = workspace.channels.get(name) or (workspace.channel_named(name) if by_name else None)
    if channel is None or (channel.kind != "public" and workspace.app.bot.id not in channel.members):
        raise Refusal("channel_not_found")
    return channel


def readable_channel(workspace: Workspace, name: str) -> Channel:
    """For conversations.history and .replies."""
    channel = visible_channel(workspace, name)
    need_scope(workspace.app, f"{_FAMILY[channel.kind]}:history")
    if workspace.app.bot.id not in channel.members:
        raise Refusal("not_in_channel")
    return channel


def channel_with_info(workspace: Workspace, name: str) -> Channel:
    """For conversations.info and .members."""
    channel = visible_channel(workspace, name)
    need_scope(workspace.app, f"{_FAMILY[channel.kind]}:read")
    return channel


def writable_channel(workspace: Workspace, name: str) -> Channel:
    """For posting; a person's id stands for the conversation with them, a `#name` for its channel."""
    person = workspace.users.get(name)
    channel = workspace.direct_channel(person) if person else visible_channel(workspace, name, by_name=True)
    if channel.kind == "im":
        if not workspace.app.messages_tab:
            raise Refusal("messages_tab_disabled")
        return channel
    if channel.is_archived:
        raise Refusal("is_archived")
    public = channel.kind == "public" and "chat:write.public" in workspace.app.scopes
    if workspace.app.bot.id not in channel.members and not public:
        raise Refusal("not_in_channel")
    return channel


def own_message(workspace: Workspace, channel: Channel, ts: str, error: str) -> Message:
    """For chat.update and chat.delete: the app's own, refused with `error` when it is somebody else's."""
    message = some_message(channel, ts)
    if message.bot_id != workspace.app.bot_id:
        raise Refusal(error)
    return message


def some_message(channel: Channel, ts: str) -> Message:
    message = channel.messages.get(ts)
    if message is None or message.is_tombstone:
        raise Refusal("message_not_found")
    return message


def timestamp(value: str, error: str) -> str:
    """The ts itself when it has Slack's form, else refused with `error`."""
    seconds, _, fraction = value.partition(".")
    if not (seconds.isdigit() and len(seconds) == 10 and fraction.isdigit() and len(fraction) == 6):
        raise Refusal(error)
    return value


def moment(value: str, error: str) -> int:
    """A bound for history in microseconds; any number of seconds will do."""
    try:
        return micros(value)
    except ValueError as unreadable:
        raise Refusal(error) from unreadable


def thread_for_reply(channel: Channel, thread_ts: str, *, orphans_top_level: bool) -> str:
    """The thread in which a reply ends up: "" when its root is gone and it comes out top-level."""
    timestamp(thread_ts, "invalid_thread_ts")
    root = channel.messages.get(thread_ts)
    if thread_ts in channel.locked_threads:
        raise Refusal("restricted_action_thread_locked")
    if root is not None and root.subtype in ("channel_join", "channel_leave", "channel_name"):
        raise Refusal("cannot_reply_to_message")
    gone = root is None or root.is_tombstone
    return "" if gone and orphans_top_level else thread_ts


def message_subscription(channel: Channel) -> str:
    """The name under which an app subscribes to this channel's messages."""
    kind = channel_type(channel)
    return f"message.{kind}" if kind == "im" else f"message.{kind}s"
