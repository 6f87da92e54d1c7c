"""Channels: reading and changing them. What concerns threads alone is in `threads`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.discord import shapes
from tests.simulators.discord.access import need, need_place
from tests.simulators.discord.guild import Json, Kind, Tag, Thread
from tests.simulators.discord.permissions import P
from tests.simulators.discord.refusal import Complaints

from . import threads
from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.discord.simulator import DiscordSimulator

NAME = 100
TAGS = 20


@method("GET /channels/{channel_id}")
def get(discord: DiscordSimulator, call: Call) -> Json:
    return shapes.channel(need_place(discord, call["channel_id"]), discord.guild)


@method("PATCH /channels/{channel_id}", limit=(5, 15.0))
def edit(discord: DiscordSimulator, call: Call) -> Json:
    channel = need_place(discord, call["channel_id"])
    if isinstance(channel, Thread):
        return threads.edit(discord, call, channel)
    need(discord, channel, P.MANAGE_CHANNELS)
    _check(call.fields)
    if "name" in call.fields and call.fields["name"] != channel.name:
        threads.need_rename_left(discord, channel)
        channel.name = call.fields["name"]
    if "topic" in call.fields:
        channel.topic = call.fields["topic"]
    if channel.kind is Kind.FORUM and "available_tags" in call.fields:
        discord.happenings.define_tags(channel, [_tag(discord, t) for t in call.fields["available_tags"]])
    else:
        discord.happenings.tell_channel(channel)
    return shapes.channel(channel, discord.guild)


def _check(fields: Json) -> None:
    complaints = Complaints()
    if "name" in fields:
        complaints.length("name", fields["name"], NAME, 1)
    if "available_tags" in fields:
        complaints.count("available_tags", fields["available_tags"], TAGS)
        for index, one in enumerate(fields["available_tags"]):
            complaints.length(f"available_tags.{index}.name", one.get("name"), 20, 1)
    complaints.settle()


def _tag(discord: DiscordSimulator, shape: Json) -> Tag:
    made = str(shape.get("id") or discord.guild.mint())
    return Tag(made, shape["name"], bool(shape.get("moderated")), shape.get("emoji_name"))


@method("DELETE /channels/{channel_id}", limit=(5, 5.0))
def delete(discord: DiscordSimulator, call: Call) -> Json:
    channel = need_place(discord, call["channel_id"])
    if isinstance(channel, Thread):
        need(discord, channel, P.MANAGE_THREADS)
        shape = shapes.thread(channel, discord.guild)
        discord.happenings.delete_thread(channel)
        return shape
    need(discord, channel, P.MANAGE_CHANNELS)
    discord.happenings.delete_channel(channel)
    return shapes.channel(channel, discord.guild)
