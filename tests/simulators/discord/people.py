"""A scripted human. What they do happens at once; events go out by themselves. What they press waits for the app."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import components, composing, permissions, pressing, shapes
from .guild import Attachment, Channel, Flag, Json, Kind, Member, Message, Sort, Tag, Thread
from .happenings import new_thread
from .interactions import Ask
from .methods import commands, threads
from .permissions import P, Permission
from .transport import Outcome

if TYPE_CHECKING:
    from .simulator import DiscordSimulator

Place = Channel | str
"""A channel or thread, its id, or its name."""
TYPED = 4_000
"""Characters that the client takes of who pays for it; 2,000 of others."""
AnyMessage = Message | str
"""A message or its id."""


class Person:
    """Somebody in the guild. They can do what Discord's own client would let them, else PermissionError."""

    def __init__(self, discord: DiscordSimulator, member: Member) -> None:
        self._discord = discord
        self.member = member

    @property
    def id(self) -> str:
        return self.member.user.id

    @property
    def name(self) -> str:
        return self.member.user.name

    # --- messages ---------------------------------------------------------------------------------------------

    def say(
        self,
        place: Place,
        text: str,
        *,
        reply_to: AnyMessage | None = None,
        files: Iterable[tuple[str, bytes]] = (),
        sticker: str = "",
        sticker_kind: int = 1,
        poll: str = "",
    ) -> Message:
        """Type a message: `<@…>`, `<#…>` and the like as the client would send them. `files`: names and bytes.
        `sticker_kind`: PNG, APNG, Lottie or GIF, from 1 on. `poll`: the question of one, which has no text beside it.
        In an archived thread it wakes the thread."""
        channel = self._entered(place)
        if len(text) > TYPED:
            raise ValueError(f"nobody can type more than {TYPED} characters")
        message = Message(self._discord.guild.mint(), channel.id, self.id, text.strip())
        message.attachments = [self._attachment(name, data) for name, data in files]
        if sticker:
            message.stickers = [{"id": self._discord.guild.mint(), "name": sticker, "format_type": sticker_kind}]
        message.poll = _poll(poll) if poll else None
        if reply_to is not None:
            message.type = Sort.REPLY
            message.reference = self._reference(channel, self._message(channel, reply_to))
        return self._post(channel, message)

    def speak(self, place: Place, data: bytes, *, seconds: float = 3.0) -> Message:
        """Send a voice message."""
        channel = self._entered(place)
        message = Message(self._discord.guild.mint(), channel.id, self.id, flags=int(Flag.IS_VOICE_MESSAGE))
        voice = self._attachment("voice-message.ogg", data)
        voice.content_type, voice.duration, voice.waveform = "audio/ogg", seconds, "AAAA"
        message.attachments = [voice]
        return self._post(channel, message)

    def forward(self, place: Place, source: Place, found: AnyMessage) -> Message:
        """Forward a message: its words come in `message_snapshots`, the forward itself has none."""
        channel, origin = self._entered(place), self._discord.find_channel(source)
        message = Message(self._discord.guild.mint(), channel.id, self.id)
        self._discord.happenings.forward(message, origin, self._message(origin, found))
        return self._post(channel, message)

    def _post(self, channel: Channel, message: Message) -> Message:
        message.posted = self._discord.clock.now()
        wanted = composing.Draft(channel, {}, rights=self.rights(channel))
        message.pings = composing.ring(self._discord.guild, message, wanted)
        return self._discord.happenings.post(channel, message)

    def _attachment(self, name: str, data: bytes) -> Attachment:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        plain, title = composing.named(name)
        return Attachment(self._discord.guild.mint(), plain, data, kind, title=title)

    def _reference(self, channel: Channel, message: Message) -> Json:
        return {"type": 0, "message_id": message.id, "channel_id": channel.id, "guild_id": self._discord.guild.id}

    def edit(self, place: Place, message: AnyMessage, text: str, *, without: Iterable[str] = ()) -> Message:
        """Change one's own message, or take files off it by name; not in an archived thread."""
        channel = self._active(place)
        found = self._message(channel, message)
        if found.author_id != self.id:
            raise PermissionError("nobody can edit somebody else's message")
        if found.snapshots or found.poll or found.flags & Flag.IS_VOICE_MESSAGE:
            raise PermissionError("forwards, polls and voice messages cannot be edited")
        found.content = text
        found.attachments = [a for a in found.attachments if a.filename not in set(without)]
        composing.ring(self._discord.guild, found, composing.Draft(channel, {}, rights=self.rights(channel)))
        self._discord.happenings.change(channel, found)
        return found

    def delete(self, place: Place, message: AnyMessage) -> None:
        """Delete one's own message, or as a moderator somebody else's, the bot's included."""
        channel = self._discord.find_channel(place)
        found = self._message(channel, message)
        if found.author_id != self.id:
            self._need(channel, P.MANAGE_MESSAGES)
        self._discord.happenings.delete(channel, found, by=self.id)

    def delete_many(self, place: Place, messages: Iterable[AnyMessage]) -> None:
        """What a moderator's bot does when it cleans up."""
        channel = self._discord.find_channel(place)
        self._need(channel, P.MANAGE_MESSAGES)
        ids = [m if isinstance(m, str) else m.id for m in messages]
        self._discord.happenings.delete_many(channel, ids)

    def react(self, place: Place, message: AnyMessage, emoji: str) -> None:
        """`emoji`: a character, or `name:id` of one of the guild's own."""
        channel = self._active(place)
        self._need(channel, P.ADD_REACTIONS)
        self._discord.happenings.react(channel, self._message(channel, message), emoji, self.id)

    def unreact(self, place: Place, message: AnyMessage, emoji: str) -> None:
        channel = self._active(place)
        self._discord.happenings.react(channel, self._message(channel, message), emoji, self.id, added=False)

    def type(self, place: Place) -> None:
        """Begin to type."""
        self._discord.happenings.typing(self._discord.find_channel(place), self.id)

    # --- threads ----------------------------------------------------------------------------------------------

    def open_thread(self, place: Place, name: str, *, on: AnyMessage | None = None, first: str = "") -> Thread:
        """Begin a thread, on a message or by itself; in a forum a post whose message says `first`."""
        parent = self._discord.find_channel(place)
        self._need(parent, P.CREATE_PUBLIC_THREADS)
        origin = {} if on is None else {"id": self._message(parent, on).id}
        thread = new_thread(self._discord, parent, name, self.id, **origin)
        self._discord.happenings.open_thread(parent, thread)
        if parent.kind is Kind.FORUM:
            self._post(thread, Message(thread.id, thread.id, self.id, first or name))
        elif origin:
            threads.begin(self._discord, parent, thread)
        else:
            threads.announce(self._discord, parent, thread)
        return thread

    def archive(self, place: Place) -> None:
        self._manage(place, archived=True)

    def unarchive(self, place: Place) -> None:
        self._manage(place, archived=False)

    def lock(self, place: Place) -> None:
        """Nobody but moderators can write in this thread any more."""
        self._manage(place, locked=True)

    def unlock(self, place: Place) -> None:
        self._manage(place, locked=False)

    def rename(self, place: Place, name: str) -> None:
        """Rename a thread, or, who manages channels, a channel."""
        channel = self._discord.find_channel(place)
        if isinstance(channel, Thread):
            self._manage(channel, name=name)
            return
        self._need(channel, P.MANAGE_CHANNELS)
        channel.name = name
        self._discord.happenings.tell_channel(channel)

    def retag(self, place: Place, tags: Iterable[str]) -> None:
        """Give a forum's post these tags, by name."""
        thread = self._thread(place)
        known = {t.name: t.id for t in self._discord.guild.channels[thread.parent_id].tags}
        self._manage(thread, applied_tags=[known[t] for t in tags])

    def define_tags(self, place: Place, tags: Iterable[Tag]) -> None:
        """Give a forum these tags in place of those that it has."""
        forum = self._discord.find_channel(place)
        self._need(forum, P.MANAGE_CHANNELS)
        self._discord.happenings.define_tags(forum, list(tags))

    def delete_thread(self, place: Place) -> None:
        thread = self._thread(place)
        self._need(thread, P.MANAGE_THREADS)
        self._discord.happenings.delete_thread(thread)

    def _manage(self, place: Place, **changes: object) -> None:
        """Moderators manage threads, and who opened one may archive and rename it."""
        thread = self._thread(place)
        if thread.owner_id != self.id or "locked" in changes:
            self._need(thread, P.MANAGE_THREADS)
        self._discord.happenings.update_thread(thread, by=self.id, **changes)  # type: ignore[arg-type]  # as named above

    # --- what is pressed, and waits for the app's first answer ------------------------------------------------

    async def click(self, place: Place, message: AnyMessage, button: str) -> Outcome:
        """Press a button, by custom_id or label. LookupError when the message shows no such one that works."""
        return await self._press(place, message, button, None)

    async def choose(self, place: Place, message: AnyMessage, select: str, *values: str) -> Outcome:
        """Choose in a menu, by custom_id or placeholder: values or labels of its options, or ids."""
        return await self._press(place, message, select, list(values))

    async def _press(self, place: Place, message: AnyMessage, wanted: str, values: list[str] | None) -> Outcome:
        channel, found = self._shown(place, message)
        self._need_live_components(channel)
        component = components.find(found.components, wanted)
        data = pressing.pressed(component, values, self._discord.guild)
        return await self._ask(Ask.COMPONENT, channel, data, found)

    def _need_live_components(self, channel: Channel) -> None:
        """In a locked thread every button is greyed out; in an archived one the client wakes the thread first."""
        if not isinstance(channel, Thread):
            return
        if channel.locked:
            raise LookupError(f"{channel.name} is locked: its buttons are greyed out")
        if channel.archived and self._discord.habits.wakes_before_click:
            self._need(channel, P.SEND_MESSAGES_IN_THREADS)
            self._discord.happenings.update_thread(channel, archived=False)

    async def _ask(self, ask: Ask, channel: Channel, data: Json, message: Message | None = None) -> Outcome:
        interactions = self._discord.interactions
        return await interactions.send(interactions.begin(ask, self.member, channel, data, message))

    async def slash(self, place: Place, command: str, **options: Any) -> Outcome:
        """Type a slash command, its subcommands with blanks between: `slash(desk, "chat home")`; not in an archived
        thread. LookupError when the app has no such command, PermissionError when it is not for this person."""
        channel, (name, *path) = self._for_commands(place), command.split()
        data = pressing.typed(self._command(commands.CHAT_INPUT, name, channel), path, options)
        ids = [str(v) for v in options.values()]
        found = pressing.resolved(ids, self._discord.guild)
        return await self._ask(Ask.COMMAND, channel, data | ({"resolved": found} if found else {}))

    async def complete(self, place: Place, command: str, option: str, typed: str) -> list[str]:
        """The names that the app offers while an option is being typed."""
        channel, (name, *path) = self._for_commands(place), command.split()
        found = self._command(commands.CHAT_INPUT, name, channel)
        data = pressing.typed(found, path, {option: typed}, focused=option)
        outcome = await self._ask(Ask.AUTOCOMPLETE, channel, data)
        return [choice["name"] for choice in outcome.answer.get("choices", [])]

    async def message_menu(self, place: Place, message: AnyMessage, name: str) -> Outcome:
        """Choose an app's entry in the menu of a message."""
        channel = self._for_commands(place)
        found, command = self._message(channel, message), self._command(commands.MESSAGE, name, channel)
        data = {"id": command["id"], "name": name, "type": commands.MESSAGE, "target_id": found.id}
        data["resolved"] = {"messages": {found.id: self._discord.shape(channel, found)}}
        return await self._ask(Ask.COMMAND, channel, data)

    async def user_menu(self, place: Place, user_id: str, name: str) -> Outcome:
        """Choose an app's entry in the menu of a person."""
        channel = self._for_commands(place)
        command = self._command(commands.USER, name, channel)
        data = {"id": command["id"], "name": name, "type": commands.USER, "target_id": user_id}
        data["resolved"] = pressing.resolved([user_id], self._discord.guild)
        return await self._ask(Ask.COMMAND, channel, data)

    def _command(self, kind: int, name: str, channel: Channel) -> Json:
        return pressing.command_of(self._discord.guild, kind, name, self.member, int(self.rights(channel)))

    def _for_commands(self, place: Place) -> Channel:
        channel = self._active(place)
        self._need(channel, P.USE_APPLICATION_COMMANDS)
        return channel

    def modal(self) -> Json:
        """The window that is open before this person; LookupError when there is none."""
        found = self._discord.interactions.modals.get(self.id)
        if found is None or found.modal is None:
            raise LookupError(f"{self.name} has no window open")
        return found.modal

    async def submit(self, values: Json) -> Outcome:
        """Fill in the window (custom_id → text or choices) and send it; it stays open when the app does not answer."""
        origin, modal = self._discord.interactions.modals.get(self.id), self.modal()
        assert origin is not None, "modal() has looked"
        data = pressing.submitted(modal, values, self._discord.guild)
        outcome = await self._ask(Ask.MODAL, origin.channel, data, origin.message)
        if outcome.ok:
            self._discord.interactions.modals.pop(self.id, None)
        return outcome

    def close_modal(self) -> None:
        """Dismiss the window; the app does not hear of it."""
        self._discord.interactions.modals.pop(self.id, None)

    def whispers(self) -> list[Message]:
        """What stands before this person alone, in order."""
        return [m for m in self._discord.guild.ephemerals if m.shown_to == self.id]

    # --- coming and going -------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Leave the guild."""
        self._discord.happenings.leave(self.id)

    def kick_bot(self) -> None:
        """Throw the bot out: it hears GUILD_DELETE, and reaches nothing any more."""
        self._discord.happenings.leave(self._discord.guild.app.bot.id)

    def close_direct(self, *, closed: bool = True) -> None:
        """Take no direct messages any more."""
        (self._discord.guild.closed.add if closed else self._discord.guild.closed.discard)(self.id)

    def take(self, *role_ids: str) -> None:
        """Get roles."""
        self.member.roles += [r for r in role_ids if r not in self.member.roles]
        self._discord.happenings.tell_member(self.member)

    def lose(self, *role_ids: str) -> None:
        self.member.roles = [r for r in self.member.roles if r not in role_ids]
        self._discord.happenings.tell_member(self.member)

    def call_oneself(self, nick: str | None) -> None:
        """Take a nickname in the guild."""
        self.member.nick = nick
        self._discord.happenings.tell_member(self.member)

    # --- what this person can see and do ----------------------------------------------------------------------

    def rights(self, channel: Channel) -> Permission:
        member = self._discord.guild.members.get(self.id)
        return permissions.within(self._discord.guild, member, channel)

    def sees(self, place: Place, message: AnyMessage) -> str:
        """What this person reads of a message."""
        channel = self._discord.find_channel(place)
        self._need(channel, P.VIEW_CHANNEL)
        return shapes.seen(self._discord.guild, self._message(channel, message))

    def _need(self, channel: Channel, wanted: Permission) -> None:
        if wanted & ~self.rights(channel):
            raise PermissionError(f"{self.name} may not do this in {channel.name}: {wanted!r}")

    def _entered(self, place: Place) -> Channel:
        """A place where this person can write."""
        channel = self._discord.find_channel(place)
        self._need(channel, P.SEND_MESSAGES_IN_THREADS if channel.is_thread else P.SEND_MESSAGES)
        if isinstance(channel, Thread) and channel.locked:
            self._need(channel, P.MANAGE_THREADS)
        return channel

    def _active(self, place: Place) -> Channel:
        channel = self._discord.find_channel(place)
        if isinstance(channel, Thread) and channel.archived:
            raise PermissionError("the thread is archived")
        return channel

    def _thread(self, place: Place) -> Thread:
        channel = self._discord.find_channel(place)
        if not isinstance(channel, Thread):
            raise LookupError(f"{channel.name} is no thread")
        return channel

    def _shown(self, place: Place, message: AnyMessage) -> tuple[Channel, Message]:
        """A message that this person sees there, shown to all or to them alone."""
        channel = self._discord.find_channel(place)
        self._need(channel, P.VIEW_CHANNEL)
        wanted = message if isinstance(message, str) else message.id
        whispered = next((m for m in self.whispers() if m.id == wanted), None)
        return channel, whispered or self._message(channel, wanted)

    def _message(self, channel: Channel, message: AnyMessage) -> Message:
        return channel.messages[message if isinstance(message, str) else message.id]


def _poll(question: str) -> Json:
    answers = [{"answer_id": n, "poll_media": {"text": text}} for n, text in enumerate(("yes", "no"), 1)]
    return {"question": {"text": question}, "answers": answers, "allow_multiselect": False, "layout_type": 1}
