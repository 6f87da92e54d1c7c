"""Reactions by the app."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.simulators.slack import access
from tests.simulators.slack.emoji import EMOJI, canonical
from tests.simulators.slack.refusal import Args, Refusal
from tests.simulators.slack.workspace import Channel, Json, Message

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.slack.simulator import SlackSimulator


KINDS_OF_ONE_MESSAGE = 50
OF_ONE_PERSON = 23


@method("reactions.add", scopes="reactions:write")
def add(slack: SlackSimulator, call: Call) -> Json:
    channel, message, name = _place(slack, call.arguments)
    bot = slack.workspace.app.bot.id
    if bot in message.reactions.get(name, []):
        raise Refusal("already_reacted")
    if name not in message.reactions and len(message.reactions) >= KINDS_OF_ONE_MESSAGE:
        raise Refusal("too_many_emoji")
    if sum(bot in people for people in message.reactions.values()) >= OF_ONE_PERSON:
        raise Refusal("too_many_reactions")
    slack.happenings.react(channel, message, name, bot, added=True)
    return {}


@method("reactions.remove", scopes="reactions:write", tier=2)
def remove(slack: SlackSimulator, call: Call) -> Json:
    channel, message, name = _place(slack, call.arguments)
    bot = slack.workspace.app.bot.id
    if bot not in message.reactions.get(name, []):
        raise Refusal("no_reaction")
    slack.happenings.react(channel, message, name, bot, added=False)
    return {}


def _place(slack: SlackSimulator, args: Args) -> tuple[Channel, Message, str]:
    if not args.text("channel") and not args.text("timestamp"):
        raise Refusal("no_item_specified")
    name = canonical(args.needed("name").strip(":"))
    base = name.partition("::")[0]
    if not re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?", name) or base not in EMOJI | slack.workspace.emoji:
        raise Refusal("invalid_name")
    channel = access.visible_channel(slack.workspace, args.needed("channel"))
    if channel.is_archived:
        raise Refusal("is_archived")
    if slack.workspace.app.bot.id not in channel.members:
        raise Refusal("not_in_channel")
    ts = access.timestamp(args.needed("timestamp"), "bad_timestamp")
    message = access.some_message(channel, ts)
    if (message.thread_ts or message.ts) in channel.locked_threads:
        raise Refusal("thread_locked")
    return channel, message, name
