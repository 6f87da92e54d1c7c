"""Posting, changing and deleting messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.slack import access, composing, shapes
from tests.simulators.slack.refusal import Args, Refusal
from tests.simulators.slack.workspace import Channel, Ephemeral, Json, Message

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.slack.simulator import SlackSimulator


@method("chat.postMessage", scopes="chat:write", tier=0)
def post_message(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    channel = access.writable_channel(slack.workspace, args.needed("channel"))
    thread_ts = _thread(slack, channel, args)
    message = composing.compose(slack.workspace, args, channel.mint_ts())
    message.thread_ts = thread_ts
    message.broadcast = bool(thread_ts) and args.flag("reply_broadcast")
    if not call.dropped:
        slack.happenings.post(channel, message)
        slack.note_post(call, "post", channel, message)
    slack.workspace.statuses.pop((channel.id, thread_ts), None)
    shape = shapes.message(slack.workspace, channel, message)
    return {"channel": channel.id, "ts": message.ts, "message": shape}


def _thread(slack: SlackSimulator, channel: Channel, args: Args) -> str:
    thread_ts = args.text("thread_ts")
    if not thread_ts:
        return ""
    loose = slack.habits.orphans_top_level
    return access.thread_for_reply(channel, thread_ts, orphans_top_level=loose)


@method("chat.update", scopes="chat:write", tier=3)
def update(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    channel, message = _own(slack, args, "cant_update_message")
    if len(args.text("text")) > composing.UPDATE_TEXT:
        raise Refusal("msg_too_long")
    metadata = composing.metadata(args)
    previous = shapes.message(slack.workspace, channel, message)
    composing.fill(slack.workspace, message, args)
    if args.has("metadata"):
        message.metadata = metadata
    slack.happenings.change(channel, message, previous, slack.workspace.app.bot.id)
    slack.note_post(call, "update", channel, message)
    shape = shapes.message(slack.workspace, channel, message)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shape}


@method("chat.delete", scopes="chat:write", tier=3)
def delete(slack: SlackSimulator, call: Call) -> Json:
    channel, message = _own(slack, call.arguments, "cant_delete_message")
    slack.happenings.delete(channel, message, slack.workspace.app.bot.id)
    slack.note_post(call, "delete", channel, message)
    return {"channel": channel.id, "ts": message.ts}


def _own(slack: SlackSimulator, args: Args, error: str) -> tuple[Channel, Message]:
    channel = access.visible_channel(slack.workspace, args.needed("channel"))
    if channel.is_archived:
        raise Refusal("is_archived")
    ts = access.timestamp(args.needed("ts"), "invalid_ts")
    return channel, access.own_message(slack.workspace, channel, ts, error)


@method("chat.postEphemeral", scopes="chat:write", tier=4)
def post_ephemeral(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    channel = access.writable_channel(slack.workspace, args.needed("channel"))
    user = args.needed("user")
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    message = composing.compose(slack.workspace, args, channel.mint_ts())
    shown = Ephemeral(channel.id, user, message.ts, message.text, message.blocks, args.text("thread_ts"))
    slack.workspace.ephemerals.append(shown)
    slack.note_post(call, "ephemeral", channel, message)
    return {"message_ts": message.ts}


@method("chat.getPermalink", tier=4)
def get_permalink(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    channel = access.visible_channel(slack.workspace, args.needed("channel"))
    message = access.some_message(channel, args.needed("message_ts"))
    return {"channel": channel.id, "permalink": permalink(slack.workspace.domain, channel, message)}


def permalink(domain: str, channel: Channel, message: Message) -> str:
    link = f"https://{domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return f"{link}?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else link


@method("assistant.threads.setStatus", scopes="assistant:write chat:write", tier=4)
def set_status(slack: SlackSimulator, call: Call) -> Json:
    """Shown until the app posts in the thread, or for two minutes; an empty status clears it."""
    args = call.arguments
    channel = access.writable_channel(slack.workspace, args.needed("channel_id"))
    place = (channel.id, access.timestamp(args.needed("thread_ts"), "invalid_thread_ts"))
    if not args.has("status"):
        raise Refusal.of_arguments("[ERROR] missing required field: status")
    until = slack.clock.now() + slack.habits.status_life
    slack.workspace.statuses[place] = (args.text("status"), until)
    return {}
