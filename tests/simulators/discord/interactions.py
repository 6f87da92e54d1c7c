"""Interactions: what a person presses or types for the app, its first answer within three seconds, and what follows."""

from __future__ import annotations

import asyncio
import copy
import secrets
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import aiohttp

from . import components, composing, permissions, shapes
from .composing import Draft, Upload
from .guild import Channel, Flag, Json, Member, Message, Sort, Thread
from .refusal import Complaints, Refusal
from .transport import Outcome

if TYPE_CHECKING:
    from .simulator import DiscordSimulator


class Ask(IntEnum):
    """Discord's numbers for what a person did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Reply(IntEnum):
    """Discord's numbers for the first answer."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass
class Interaction:
    """`made`: by Discord's clock. `message`: what it was pressed on. `original`: the message that answered it first."""

    id: str
    token: str
    ask: Ask
    member: Member
    channel: Channel
    data: Json
    made: float
    message: Message | None = None
    reply: Reply | None = None
    answer: Json = field(default_factory=dict)
    original: Message | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    modal: Json | None = None


class Interactions:
    """All that were ever begun, by token."""

    def __init__(self, discord: DiscordSimulator) -> None:
        self._discord = discord
        self.all: dict[str, Interaction] = {}
        self.modals: dict[str, Interaction] = {}
        """The window that is open before somebody, by user: the interaction that it was the answer to."""

    # --- asking -----------------------------------------------------------------------------------------------

    def begin(
        self, ask: Ask, member: Member, channel: Channel, data: Json, message: Message | None = None
    ) -> Interaction:
        token = secrets.token_urlsafe(32)
        made = self._discord.clock.now()
        interaction = Interaction(self._discord.guild.mint(), token, ask, member, channel, data, made, message)
        self.all[token] = interaction
        return interaction

    async def send(self, interaction: Interaction) -> Outcome:
        """Tell the app and wait for its first answer; without one, the person reads that it did not respond."""
        url = self._discord.guild.app.interactions_url
        try:
            if url:
                return await self._send_http(url, interaction)
            return await self._send_gateway(interaction)
        except TimeoutError:
            return Outcome(False, "no answer")

    async def _send_gateway(self, interaction: Interaction) -> Outcome:
        if not self._discord.gateway.listening:
            return Outcome(False, "nobody listens")
        self._discord.events.emit("INTERACTION_CREATE", self.payload(interaction))
        return await self._first_answer(interaction)

    async def _first_answer(self, interaction: Interaction) -> Outcome:
        async with self._discord.clock.deadline(self._discord.habits.interaction_answer):
            await interaction.answered.wait()
        return self._outcome(interaction)

    def _outcome(self, interaction: Interaction, status: int = 0) -> Outcome:
        return Outcome(True, "", int(interaction.reply or 0), interaction.answer, status)

    async def _send_http(self, url: str, interaction: Interaction) -> Outcome:
        try:
            status, answer = await self._discord.transport.deliver(url, self.payload(interaction))
        except (aiohttp.ClientError, OSError) as gone:
            return Outcome(False, type(gone).__name__)
        if status == 202 or (status == 204 and interaction.reply):
            return await self._first_answer(interaction)
        if status != 200:
            return Outcome(False, "error", status=status)
        try:
            self.answer(interaction, answer, [])
        except Refusal as refusal:
            return Outcome(False, str(refusal), status=status)
        return self._outcome(interaction, status)

    def payload(self, interaction: Interaction) -> Json:
        """The interaction as the app gets it."""
        guild, channel, member = self._discord.guild, interaction.channel, interaction.member
        may = permissions.within(guild, member, channel)
        shape: Json = {
            "id": interaction.id,
            "application_id": guild.app.id,
            "type": int(interaction.ask),
            "data": interaction.data,
            "token": interaction.token,
            "version": 1,
            "channel_id": channel.id,
            "channel": shapes.channel(channel, guild) | {"permissions": str(int(may))},
            "app_permissions": str(int(permissions.within(guild, guild.bot, channel))),
            "locale": member.user.locale,
            "entitlements": [],
            "attachment_size_limit": guild.file_limit,
        }
        if interaction.message is not None:
            shape["message"] = self._discord.shape(channel, interaction.message)
        if channel.recipient_id:
            return shape | {"user": shapes.user(member.user), "context": 1, "authorizing_integration_owners": {}}
        return shape | {
            "guild_id": guild.id,
            "guild": {"id": guild.id, "locale": "ja", "features": ["COMMUNITY"]},
            "guild_locale": "ja",
            "member": shapes.member(member) | {"permissions": str(int(may))},
            "context": 0,
            "authorizing_integration_owners": {"0": guild.id},
        }

    # --- answering --------------------------------------------------------------------------------------------

    def find(self, interaction_id: str, token: str) -> Interaction:
        """The interaction that can still be answered first."""
        found = self.all.get(token)
        if found is None or found.id != interaction_id:
            raise Refusal.unknown("Interaction")
        if found.reply is not None:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        if self._discord.clock.now() - found.made > self._discord.habits.interaction_answer:
            raise Refusal.unknown("Interaction")
        return found

    def follow(self, token: str) -> Interaction:
        """The interaction that can be followed up: answered, and not a quarter of an hour old."""
        found = self.all.get(token)
        if found is None or self._discord.clock.now() - found.made > self._discord.habits.interaction_life:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        if found.reply is None:
            raise Refusal.unknown("Webhook")
        return found

    def answer(self, interaction: Interaction, body: Json, files: list[Upload]) -> None:
        """The app's first answer."""
        reply = self._checked(interaction, body)
        data: Json = body.get("data") or {}
        if reply in (Reply.MESSAGE, Reply.DEFERRED_MESSAGE):
            self._answer_with_message(interaction, data, files, deferred=reply is Reply.DEFERRED_MESSAGE)
        elif reply is Reply.UPDATE:
            self._update(interaction, data, files)
        elif reply is Reply.DEFERRED_UPDATE:
            interaction.original = interaction.message
        elif reply is Reply.CHOICES:
            self._check_choices(data)
        else:
            self._open_modal(interaction, data)
        interaction.reply, interaction.answer = reply, data
        interaction.answered.set()
        self._discord.wake()

    def _checked(self, interaction: Interaction, body: Json) -> Reply:
        fits = {
            Ask.COMMAND: (Reply.MESSAGE, Reply.DEFERRED_MESSAGE, Reply.MODAL),
            Ask.COMPONENT: (Reply.MESSAGE, Reply.DEFERRED_MESSAGE, Reply.DEFERRED_UPDATE, Reply.UPDATE, Reply.MODAL),
            Ask.AUTOCOMPLETE: (Reply.CHOICES,),
            Ask.MODAL: (Reply.MESSAGE, Reply.DEFERRED_MESSAGE),
        }[interaction.ask]
        if interaction.ask is Ask.MODAL and interaction.message is not None:
            fits = (*fits, Reply.DEFERRED_UPDATE, Reply.UPDATE)
        complaints = Complaints()
        complaints.choice("type", body.get("type"), [int(r) for r in fits])
        complaints.settle()
        return Reply(body["type"])

    def _check_choices(self, data: Json) -> None:
        complaints = Complaints()
        complaints.count("data.choices", data.get("choices"), 25)
        for number, choice in enumerate(data.get("choices") or []):
            complaints.length(f"data.choices.{number}.name", choice.get("name"), 100, 1)
            complaints.length(f"data.choices.{number}.value", choice.get("value"), 100, 1)
        complaints.settle()

    def _open_modal(self, interaction: Interaction, data: Json) -> None:
        complaints = Complaints()
        components.check_modal(data, complaints)
        complaints.settle()
        interaction.modal = copy.deepcopy(data)
        components.numbered(interaction.modal["components"])
        self.modals[interaction.member.user.id] = interaction

    def _answer_with_message(
        self, interaction: Interaction, data: Json, files: list[Upload], *, deferred: bool
    ) -> None:
        if deferred:
            message = Message(self._discord.guild.mint(), interaction.channel.id, self._discord.guild.app.bot.id)
            message.flags = int(Flag.LOADING) | (int(data.get("flags") or 0) & Flag.EPHEMERAL)
        else:
            message = self._composed(interaction, data, files)
        message.type = self._sort(interaction)
        interaction.original = self.place(interaction, message)

    def _sort(self, interaction: Interaction) -> Sort:
        if interaction.ask is Ask.COMMAND:
            return Sort.CHAT_INPUT_COMMAND if interaction.data.get("type") == 1 else Sort.CONTEXT_MENU_COMMAND
        return Sort.REPLY if interaction.message else Sort.DEFAULT

    def _composed(self, interaction: Interaction, data: Json, files: list[Upload]) -> Message:
        wanted = self.draft(interaction, data, files)
        message = composing.new_message(self._discord, wanted, self._discord.guild.app.bot.id)
        message.flags |= int(data.get("flags") or 0) & Flag.EPHEMERAL
        return message

    def draft(self, interaction: Interaction, data: Json, files: list[Upload]) -> Draft:
        """An answer needs no permission of the bot's but to mention everybody."""
        granted = permissions.within(self._discord.guild, self._discord.guild.bot, interaction.channel)
        return Draft(interaction.channel, data, files, granted | permissions.EVERYONE)

    def place(self, interaction: Interaction, message: Message) -> Message:
        """Show an answer or a follow-up: to everybody, or to the person alone."""
        guild, user = self._discord.guild, interaction.member.user
        message.webhook_id, message.nonce = guild.app.id, None
        message.posted = self._discord.clock.now()
        message.interaction = {"id": interaction.id, "type": int(interaction.ask), "user": shapes.user(user)}
        message.interaction["authorizing_integration_owners"] = {"0": guild.id}
        if interaction.message is not None and message.type is Sort.REPLY:
            pressed = interaction.message
            message.reference = {"type": 0, "message_id": pressed.id, "channel_id": pressed.channel_id}
            message.reference["guild_id"] = guild.id
        if message.flags & Flag.EPHEMERAL:
            message.shown_to = user.id
            guild.ephemerals.append(message)
            return message
        self._need_room(interaction.channel)
        return self._discord.happenings.post(interaction.channel, message)

    def _need_room(self, channel: Channel) -> None:
        if isinstance(channel, Thread) and channel.archived and channel.locked:
            raise Refusal.archived(403)

    def _update(self, interaction: Interaction, data: Json, files: list[Upload]) -> None:
        pressed = interaction.message
        if pressed is None:
            raise AssertionError("only what was pressed on a message may be answered with its update")
        interaction.original = pressed
        self.change(interaction, pressed, data, files)

    def change(self, interaction: Interaction, message: Message, data: Json, files: list[Upload]) -> None:
        """Edit what answered, or what was pressed. A message that was still loading now says something."""
        channel = interaction.channel
        if isinstance(channel, Thread) and channel.archived and not message.shown_to:
            raise Refusal.archived(403)
        composing.check(data, files)
        wanted = self.draft(interaction, data, files)
        composing.fill(self._discord, message, wanted)
        pings = composing.ring(self._discord.guild, message, wanted)
        message.flags |= int(data.get("flags") or 0) & Flag.IS_COMPONENTS_V2
        if message.flags & Flag.LOADING:
            message.flags &= ~Flag.LOADING
            message.pings = pings
        if message.shown_to:
            self._discord.wake()
        elif message.id in channel.messages:
            self._discord.happenings.change(channel, message)
