"""Webhooks: addresses under which messages come with a name and a face of their own. They have no nonce."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tests.simulators.discord import composing, permissions, shapes, snowflakes
from tests.simulators.discord.access import need, need_guild, need_message, need_place
from tests.simulators.discord.guild import Channel, Json, Kind, Message, Thread, Webhook
from tests.simulators.discord.happenings import new_thread
from tests.simulators.discord.permissions import P
from tests.simulators.discord.refusal import Complaints, Refusal

from . import callbacks
from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.discord.simulator import DiscordSimulator

MOST = 15
"""In one channel."""
NAME = 80
_FORBIDDEN = ("clyde", "discord")
_LIMIT = (5, 2.0)
_ADDRESS = "/webhooks/{webhook_id}/{webhook_token}"
_MESSAGE = f"{_ADDRESS}/messages/{{message_id}}"


# --- keeping them -------------------------------------------------------------------------------------------------


@method("POST /channels/{channel_id}/webhooks", limit=(5, 5.0))
def create(discord: DiscordSimulator, call: Call) -> Json:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.MANAGE_WEBHOOKS)
    if channel.is_thread:
        raise Refusal(400, 50024, "Cannot execute action on this channel type")
    _check_name("name", call.fields.get("name"))
    if len(_of(discord, channel)) >= MOST:
        raise Refusal(400, 30007, f"Maximum number of webhooks reached ({MOST})")
    app, minted = discord.guild.app, discord.guild.mint()
    webhook = Webhook(minted, channel.id, secrets.token_urlsafe(48), call.fields["name"], app.bot.id, app.id)
    discord.guild.webhooks[webhook.id] = webhook
    discord.happenings.tell_webhooks(channel)
    return shapes.webhook(webhook, discord.guild)


def _check_name(path: str, name: object) -> None:
    complaints = Complaints()
    complaints.length(path, name, NAME, 1)
    for word in _FORBIDDEN:
        if word in str(name).lower():
            complaints.add(path, "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{word}"')
    complaints.settle()


def _of(discord: DiscordSimulator, channel: Channel) -> list[Webhook]:
    return [w for w in discord.guild.webhooks.values() if w.channel_id == channel.id]


@method("GET /channels/{channel_id}/webhooks", limit=(5, 5.0))
def of_channel(discord: DiscordSimulator, call: Call) -> list[Json]:
    channel = need_place(discord, call["channel_id"])
    need(discord, channel, P.MANAGE_WEBHOOKS)
    return [shapes.webhook(w, discord.guild) for w in _of(discord, channel)]


@method("GET /guilds/{guild_id}/webhooks", limit=(5, 5.0))
def of_guild(discord: DiscordSimulator, call: Call) -> list[Json]:
    need_guild(discord, call["guild_id"], P.MANAGE_WEBHOOKS)
    return [shapes.webhook(w, discord.guild) for w in discord.guild.webhooks.values()]


@method("GET /webhooks/{webhook_id}", limit=(5, 5.0))
def get(discord: DiscordSimulator, call: Call) -> Json:
    return shapes.webhook(_managed(discord, call), discord.guild)


@method("DELETE /webhooks/{webhook_id}", limit=(5, 5.0))
def delete(discord: DiscordSimulator, call: Call) -> None:
    webhook = _managed(discord, call)
    del discord.guild.webhooks[webhook.id]
    discord.happenings.tell_webhooks(discord.guild.channels[webhook.channel_id])


@method("PATCH /webhooks/{webhook_id}", limit=(5, 5.0))
def edit(discord: DiscordSimulator, call: Call) -> Json:
    webhook = _managed(discord, call)
    if "name" in call.fields:
        _check_name("name", call.fields["name"])
        webhook.name = call.fields["name"]
    if "channel_id" in call.fields:
        webhook.channel_id = need_place(discord, str(call.fields["channel_id"])).id
    return shapes.webhook(webhook, discord.guild)


def _managed(discord: DiscordSimulator, call: Call) -> Webhook:
    webhook = discord.guild.webhooks.get(call["webhook_id"])
    if webhook is None:
        raise Refusal.unknown("Webhook")
    need(discord, need_place(discord, webhook.channel_id), P.MANAGE_WEBHOOKS)
    return webhook


@method(f"GET {_ADDRESS}", limit=(5, 5.0), is_open=True)
def get_by_token(discord: DiscordSimulator, call: Call) -> Json:
    return {k: v for k, v in shapes.webhook(_known(discord, call), discord.guild).items() if k != "user"}


def _known(discord: DiscordSimulator, call: Call) -> Webhook:
    webhook = discord.guild.webhooks.get(call["webhook_id"])
    if webhook is None or webhook.channel_id not in discord.guild.channels:
        raise Refusal.unknown("Webhook")
    if webhook.token != call["webhook_token"]:
        raise Refusal(401, 50027, "Invalid Webhook Token")
    return webhook


# --- posting ------------------------------------------------------------------------------------------------------


def _is_interaction(discord: DiscordSimulator, call: Call) -> bool:
    """Under the application's own id stand its answers to interactions."""
    return call["webhook_id"] == discord.guild.app.id


@method(f"POST {_ADDRESS}", limit=_LIMIT, is_open=True)
def execute(discord: DiscordSimulator, call: Call) -> Json | None:
    if _is_interaction(discord, call):
        return callbacks.follow_up(discord, call)
    webhook = _known(discord, call)
    if "username" in call.fields:
        _check_name("username", call.fields["username"])
    place = _place(discord, call, webhook)
    wait = discord.limits.spend(f"webhooks {webhook.channel_id}", *discord.habits.webhook_posts)
    if wait is not None:
        raise Refusal.too_many(wait, shared=True)
    message = _post(discord, call, webhook, place)
    return discord.shape(discord.guild.place(message.channel_id) or place, message) if call.flag("wait") else None


def _place(discord: DiscordSimulator, call: Call, webhook: Webhook) -> Channel:
    """The webhook's channel, or the thread of it that the call names."""
    channel = discord.guild.channels[webhook.channel_id]
    named, thread_id = call.fields.get("thread_name"), call.query.get("thread_id")
    if channel.kind is Kind.FORUM and not (named or thread_id):
        raise Refusal(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
    if named and thread_id:
        raise Refusal(400, 220002, "Webhooks posted to forum channels cannot have both a thread_name and thread_id")
    if named and channel.kind is not Kind.FORUM:
        raise Refusal(400, 220003, "Webhooks can only create threads in forum channels")
    if not thread_id:
        return channel
    thread = discord.guild.threads.get(thread_id)
    if thread is None or thread.parent_id != channel.id:
        raise Refusal.unknown("Channel")
    if thread.archived and thread.locked:
        raise Refusal.archived()
    return thread


def _post(discord: DiscordSimulator, call: Call, webhook: Webhook, place: Channel) -> Message:
    """A webhook mentions whom it likes: nobody's permissions hold it back, only `allowed_mentions`."""
    fields = {k: v for k, v in call.fields.items() if k not in ("nonce", "enforce_nonce", "message_reference")}
    wanted = composing.Draft(place, fields, call.files, permissions.ALL)
    message = composing.new_message(discord, wanted, webhook.id)
    message.webhook_id = webhook.id
    message.username = call.fields.get("username") or webhook.name
    message.avatar = call.fields.get("avatar_url")
    if call.fields.get("thread_name"):
        thread = new_thread(discord, place, str(call.fields["thread_name"]), webhook.id)
        message.id = message.channel_id = thread.id
        discord.happenings.open_thread(place, thread)
        del thread.members[webhook.id]
        place = thread
    discord.happenings.post(place, message)
    discord.note_post(call, "message", place, message)
    return message


def _own(discord: DiscordSimulator, call: Call) -> tuple[Channel, Message]:
    webhook = _known(discord, call)
    thread_id = call.query.get("thread_id")
    place = discord.guild.place(thread_id or webhook.channel_id)
    if place is None:
        raise Refusal.unknown("Channel")
    message = need_message(place, call["message_id"])
    if message.webhook_id != webhook.id:
        raise Refusal.unknown("Message")
    return place, message


@method(f"GET {_MESSAGE}", limit=_LIMIT, is_open=True)
def get_message(discord: DiscordSimulator, call: Call) -> Json:
    if _is_interaction(discord, call):
        return callbacks.get_answer(discord, call)
    return discord.shape(*_own(discord, call))


@method(f"PATCH {_MESSAGE}", limit=_LIMIT, is_open=True)
def edit_message(discord: DiscordSimulator, call: Call) -> Json:
    if _is_interaction(discord, call):
        return callbacks.edit_answer(discord, call)
    place, message = _own(discord, call)
    _need_active(place)
    composing.check(call.fields, call.files)
    wanted = composing.Draft(place, call.fields, call.files, permissions.ALL)
    composing.fill(discord, message, wanted)
    composing.ring(discord.guild, message, wanted)
    message.edited = snowflakes.stamp()
    discord.happenings.change(place, message)
    discord.note_post(call, "edit", place, message)
    return discord.shape(place, message)


@method(f"DELETE {_MESSAGE}", limit=_LIMIT, is_open=True)
def delete_message(discord: DiscordSimulator, call: Call) -> None:
    if _is_interaction(discord, call):
        callbacks.delete_answer(discord, call)
        return
    place, message = _own(discord, call)
    discord.happenings.delete(place, message)
    discord.note_post(call, "delete", place, message)


def _need_active(place: Channel) -> None:
    if isinstance(place, Thread) and place.archived:
        raise Refusal.archived()
