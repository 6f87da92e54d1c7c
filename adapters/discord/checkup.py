"""What `doctor` finds of Discord: token, intents, and what the bot may do in each desk's channel. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.discord.channels import Channel, Channels
from adapters.discord.client import RestApi
from adapters.discord.shape import Given
from bridge.doctor import Finding
from bridge.errors import DeliveryError
from routing.ids import Place

_MESSAGE_CONTENT = (1 << 18) | (1 << 19)
"""Bits of an application's flags: it may have the intent, as a small bot by its switch alone."""


async def checkup(api: RestApi, channels: Channels, places: Sequence[Place]) -> list[Finding]:
    try:
        told = Given.of(await api.get("/applications/@me"), "application")
    except DeliveryError as error:
        return [Finding("fail", f"Discord does not take the bot token ({error.code})", error.mend)]
    found = [Finding("ok", f"Discord knows the bot as {told.text('name')}")]
    if not told.number("flags") & _MESSAGE_CONTENT:
        mend = "switch “Message Content Intent” on, on the application's page “Bot”"
        found.append(Finding("fail", "the bot may not read what operators write", mend))
    return [*found, *[await _place(channels, place) for place in places]]


async def _place(channels: Channels, place: Place) -> Finding:
    try:
        channel = await channels.look(place)
    except DeliveryError as error:
        return Finding("fail", f"no thread can be opened in the channel {place} ({error.code})", error.mend)
    return Finding("ok", f"#{channel.name} is {_kind(channel)}")


def _kind(channel: Channel) -> str:
    return "a forum: each session is a post" if channel.is_forum else "a text channel: each session is a thread"
