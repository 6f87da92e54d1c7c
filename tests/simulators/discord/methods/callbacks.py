"""Answering interactions. Who has the interaction's token needs no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.discord import composing, snowflakes
from tests.simulators.discord.guild import Channel, Flag, Json, Message
from tests.simulators.discord.interactions import Interaction, Reply
from tests.simulators.discord.refusal import Refusal

from .registry import Call, method

if TYPE_CHECKING:
    from tests.simulators.discord.simulator import DiscordSimulator


@method("POST /interactions/{interaction_id}/{webhook_token}/callback", limit=(5, 1.0), is_open=True)
def callback(discord: DiscordSimulator, call: Call) -> Json | None:
    interaction = discord.interactions.find(call["interaction_id"], call["webhook_token"])
    discord.interactions.answer(interaction, call.fields, call.files)
    _note(discord, call, interaction)
    return _response(discord, interaction) if call.flag("with_response") else None


def _note(discord: DiscordSimulator, call: Call, interaction: Interaction) -> None:
    kinds = {Reply.MESSAGE: "message", Reply.DEFERRED_MESSAGE: "message", Reply.UPDATE: "edit"}
    if interaction.reply in kinds and interaction.original is not None:
        discord.note_post(call, kinds[interaction.reply], interaction.channel, interaction.original)


def _response(discord: DiscordSimulator, interaction: Interaction) -> Json:
    about: Json = {"id": interaction.id, "type": int(interaction.ask)}
    answer: Json = {"interaction": about, "resource": {"type": int(interaction.reply or 0)}}
    shown = interaction.original
    if shown is not None and interaction.reply is not Reply.DEFERRED_UPDATE:
        about |= {"response_message_id": shown.id, "response_message_loading": bool(shown.flags & Flag.LOADING)}
        about["response_message_ephemeral"] = bool(shown.flags & Flag.EPHEMERAL)
        answer["resource"]["message"] = discord.shape(interaction.channel, shown)
    return answer


def follow_up(discord: DiscordSimulator, call: Call) -> Json:
    """A further message. While the first is still loading, it becomes what that one says."""
    interaction = discord.interactions.follow(call["webhook_token"])
    waiting = interaction.original
    if waiting is not None and waiting.flags & Flag.LOADING:
        discord.interactions.change(interaction, waiting, call.fields, call.files)
        discord.note_post(call, "edit", interaction.channel, waiting)
        return discord.shape(interaction.channel, waiting)
    wanted = discord.interactions.draft(interaction, call.fields, call.files)
    message = composing.new_message(discord, wanted, discord.guild.app.bot.id)
    message.flags |= int(call.fields.get("flags") or 0) & Flag.EPHEMERAL
    discord.interactions.place(interaction, message)
    discord.note_post(call, "message", interaction.channel, message)
    return discord.shape(interaction.channel, message)


def find(discord: DiscordSimulator, call: Call) -> tuple[Interaction, Message]:
    """The answer or follow-up that the path names."""
    interaction = discord.interactions.follow(call["webhook_token"])
    channel = interaction.channel
    if call["message_id"] == "@original":
        found = interaction.original
        if found is None or not _stands(discord, channel, found):
            raise Refusal.unknown("Message")
        return interaction, found
    mine = [m for m in _shown(discord, channel) if (m.interaction or {}).get("id") == interaction.id]
    found = next((m for m in mine if m.id == call["message_id"]), None)
    if found is None:
        raise Refusal.unknown("Message")
    return interaction, found


def _shown(discord: DiscordSimulator, channel: Channel) -> list[Message]:
    return [*channel.messages.values(), *discord.guild.ephemerals]


def _stands(discord: DiscordSimulator, channel: Channel, message: Message) -> bool:
    return message.id in channel.messages or message in discord.guild.ephemerals


def get_answer(discord: DiscordSimulator, call: Call) -> Json:
    interaction, message = find(discord, call)
    return discord.shape(interaction.channel, message)


def edit_answer(discord: DiscordSimulator, call: Call) -> Json:
    interaction, message = find(discord, call)
    discord.interactions.change(interaction, message, call.fields, call.files)
    message.edited = snowflakes.stamp()
    discord.note_post(call, "edit", interaction.channel, message)
    return discord.shape(interaction.channel, message)


def delete_answer(discord: DiscordSimulator, call: Call) -> None:
    interaction, message = find(discord, call)
    if message in discord.guild.ephemerals:
        discord.guild.ephemerals.remove(message)
    else:
        discord.happenings.delete(interaction.channel, message)
    discord.note_post(call, "delete", interaction.channel, message)
