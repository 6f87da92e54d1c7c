"""Channels and what was said in them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from tests.simulators.slack import access, shapes
from tests.simulators.slack.refusal import Args, Refusal
from tests.simulators.slack.workspace import Channel, Json, Message, micros

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.slack.simulator import SlackSimulator

Item = TypeVar("Item")
_KINDS = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
_FOREVER = 1 << 62


@method("conversations.info", scopes="channels:read groups:read im:read")
def info(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    channel = access.channel_with_info(slack.workspace, args.needed("channel"))
    return {"channel": shapes.channel(slack.workspace, channel)}


@method("conversations.list", scopes="channels:read groups:read im:read", tier=2)
def listing(slack: SlackSimulator, call: Call) -> Json:
    args, workspace = call.arguments, slack.workspace
    kinds = {_KINDS.get(k.strip()) for k in (args.text("types") or "public_channel").split(",")}
    if None in kinds:
        raise Refusal("invalid_types")
    hide_archived = args.flag("exclude_archived")
    found = [
        shapes.channel(workspace, c)
        for c in workspace.channels.values()
        if c.kind in kinds and (c.kind == "public" or workspace.app.bot.id in c.members)
        if not (hide_archived and c.is_archived)
    ]
    return paged("channels", found, args, default=100)


@method("conversations.members", scopes="channels:read groups:read im:read", tier=4)
def members(slack: SlackSimulator, call: Call) -> Json:
    args = call.arguments
    channel = access.channel_with_info(slack.workspace, args.needed("channel"))
    return paged("members", sorted(channel.members), args, default=100)


@method("conversations.join", scopes="channels:join")
def join(slack: SlackSimulator, call: Call) -> Json:
    channel = access.visible_channel(slack.workspace, call.arguments.needed("channel"))
    if channel.kind != "public":
        raise Refusal("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise Refusal("is_archived")
    bot = slack.workspace.app.bot
    already = bot.id in channel.members
    if not already:
        slack.happenings.join(channel, bot)
    answer: Json = {"channel": shapes.channel(slack.workspace, channel)}
    return answer | ({"warning": "already_in_channel"} if already else {})


@method("conversations.create", scopes="channels:manage groups:write", tier=2)
def create(slack: SlackSimulator, call: Call) -> Json:
    args, workspace = call.arguments, slack.workspace
    name, private = args.text("name"), args.flag("is_private")
    access.need_scope(workspace.app, "groups:write" if private else "channels:manage")
    if not name:
        raise Refusal("invalid_name_required")
    if len(name) > 80:
        raise Refusal("invalid_name_maxlength")
    if name != name.lower() or not all(c.isalnum() or c in "-_" for c in name):
        raise Refusal("invalid_name_specials")
    if workspace.channel_named(name):
        raise Refusal("name_taken")
    channel = workspace.add_channel(name, private=private, members=[workspace.app.bot.id])
    channel.creator = workspace.app.bot.id
    return {"channel": shapes.channel(workspace, channel)}


@method("conversations.open", scopes="im:write")
def open_direct(slack: SlackSimulator, call: Call) -> Json:
    user = slack.workspace.users.get(call.arguments.needed("users"))
    if user is None:
        raise Refusal("user_not_found")
    channel = slack.workspace.direct_channel(user)
    return {"channel": shapes.channel(slack.workspace, channel)}


@method("conversations.history", scopes="channels:history groups:history im:history")
def history(slack: SlackSimulator, call: Call) -> Json:
    """Newest first. With `oldest` alone the page is the one closest to `oldest`, else the latest one."""
    args = call.arguments
    channel = access.readable_channel(slack.workspace, args.needed("channel"))
    found = [m for m in channel.top_level() if _within(m, args)]
    limit = args.number("limit", 100, most=999)
    forward = args.has("oldest") and not args.has("latest")
    page, cursor = _page_of_messages(found, args.text("cursor"), limit, forward=forward)
    shown = [_message(slack, channel, m, args) for m in reversed(page)]
    return {"messages": shown, "pin_count": 0} | _more(cursor)


@method("conversations.replies", scopes="channels:history groups:history im:history")
def replies(slack: SlackSimulator, call: Call) -> Json:
    """Oldest first; the root heads every page, whatever the bounds. Asked with a reply's ts: that reply alone."""
    args = call.arguments
    channel = access.readable_channel(slack.workspace, args.needed("channel"))
    root = channel.messages.get(access.timestamp(args.needed("ts"), "invalid_ts"))
    if root is None:
        raise Refusal("thread_not_found")
    found = [m for m in channel.replies(root.ts) if _within(m, args)]
    room = max(1, args.number("limit", 1_000, most=1_000) - 1)
    page, cursor = _page_of_messages(found, args.text("cursor"), room, forward=True)
    return {"messages": [_message(slack, channel, m, args) for m in (root, *page)]} | _more(cursor)


def _message(slack: SlackSimulator, channel: Channel, m: Message, args: Args) -> Json:
    wanted = args.flag("include_all_metadata")
    return shapes.message(slack.workspace, channel, m, metadata=wanted)


def _within(message: Message, args: Args) -> bool:
    oldest = access.moment(args.text("oldest") or "0", "invalid_ts_oldest")
    latest = access.moment(args.text("latest"), "invalid_ts_latest") if args.has("latest") else _FOREVER
    at = micros(message.ts)
    return oldest < at < latest or (args.flag("inclusive") and at in (oldest, latest))


def _page_of_messages(found: list[Message], cursor: str, limit: int, *, forward: bool) -> tuple[list[Message], str]:
    """(messages oldest first, the next page's cursor or "")."""
    edge = _opened(cursor)
    if forward:
        left = [m for m in found if m.ts > edge]
        return left[:limit], _sealed(left[limit - 1].ts) if len(left) > limit else ""
    left = [m for m in found if not edge or m.ts < edge]
    return left[-limit:], _sealed(left[-limit].ts) if len(left) > limit else ""


def paged(name: str, items: Sequence[Item], args: Args, *, default: int) -> Json:
    """A page of a list that is numbered from its start."""
    start = int(_opened(args.text("cursor")) or 0)
    end = start + args.number("limit", default, most=1_000)
    cursor = _sealed(str(end)) if end < len(items) else ""
    return {name: items[start:end], "response_metadata": {"next_cursor": cursor}}


def _more(cursor: str) -> Json:
    return {"has_more": bool(cursor)} | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def _sealed(edge: str) -> str:
    return base64.b64encode(f"next:{edge}".encode()).decode()


def _opened(cursor: str) -> str:
    if not cursor:
        return ""
    try:
        word, _, edge = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as unreadable:
        raise Refusal("invalid_cursor") from unreadable
    if word != "next":
        raise Refusal("invalid_cursor")
    return edge
