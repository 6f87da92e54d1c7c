"""The whole of Discord on one loopback port."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Self

from aiohttp import web

from tests.simulators.slack.clock import Clock

from . import permissions, shapes
from .api import RestApi
from .control import Control
from .downloads import Downloads
from .events import Events
from .gateway import Gateway
from .guild import Channel, Flag, Guild, Json, Kind, Message, Overwrite, Role, Tag, Thread, new_token
from .habits import Habits
from .happenings import Happenings
from .interactions import Interactions
from .limits import Limits
from .markdown import Act, acts_in
from .methods import Call
from .mischief import Fault, Mischief
from .nonces import Nonces
from .people import Person, Place
from .permissions import P, Permission
from .transport import Transport


class DiscordSimulator:
    """`async with DiscordSimulator() as discord:` and point the library at `api_url`, `gateway_url`, `cdn_url`.

    `speed`: how many seconds of Discord's clock pass in a real one (0: only `discord.clock.advance` moves it).
    `limits`: whether rate limits hold. `seed`: of the dice for mischief. `port` 0 takes a free one.
    """

    def __init__(self, *, port: int = 0, speed: float = 1.0, limits: bool = True, seed: int = 0) -> None:
        self._port = port
        self.url = ""
        self.clock = Clock(speed)
        self.habits = Habits()
        self.guild = Guild()
        self.limits = Limits(self.clock, enabled=limits)
        self.mischief = Mischief(seed)
        self.nonces = Nonces(self)
        self.events = Events(self)
        self.gateway = Gateway(self)
        self.happenings = Happenings(self)
        self.transport = Transport(self)
        self.interactions = Interactions(self)
        self.downloads = Downloads(self)
        self.api = RestApi(self)
        self.calls: deque[Call] = deque(maxlen=200_000)
        """Every REST call received, in order of arrival."""
        self.posts: deque[Json] = deque(maxlen=200_000)
        """Everything that the app made visible, as `/_sim/watch` streams it."""
        self.typists: dict[str, float] = {}
        """Until when the app is shown typing, by channel."""
        self._watchers: set[asyncio.Queue[Json]] = set()
        self._people: dict[str, Person] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed: set[asyncio.Future[None]] = set()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    # --- life -------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Listen on 127.0.0.1."""
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Stop everything, answered or not."""
        self._closing.set()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.gateway.close()
        await self.transport.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/api/v10/{rest:.*}", self.api.handle)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_get("/gateway/resume/", self.gateway.handle)
        app.router.add_get("/attachments/{channel}/{attachment}/{filename}", self.downloads.serve)
        app.router.add_get("/{kind:stickers|emojis}/{name}", self.downloads.serve_picture)
        Control(self).mount(app)
        return app

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something until it ends or the simulator closes."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def hang(self, seconds: float) -> None:
        """Keep silent for so many seconds of Discord's clock, or until the simulator closes."""
        with suppress(TimeoutError):
            async with self.clock.deadline(seconds):
                await self._closing.wait()

    # --- the stage --------------------------------------------------------------------------------------------

    @property
    def api_url(self) -> str:
        """For `discord.http.Route.BASE`."""
        return f"{self.url}/api/v10"

    @property
    def gateway_url(self) -> str:
        """For `DiscordWebSocket.DEFAULT_GATEWAY`."""
        return f"{self.url.replace('http', 'ws', 1)}/gateway/"

    @property
    def cdn_url(self) -> str:
        """For `Asset.BASE`."""
        return self.url

    @property
    def token(self) -> str:
        return self.guild.app.token

    @property
    def public_key(self) -> str:
        """What the app checks signatures of interactions with, in hexadecimal."""
        return self.transport.public_key

    @property
    def bot_permissions(self) -> Permission:
        """What the bot may do in the guild, channels aside."""
        return permissions.of_roles(self.guild, self.guild.bot) if self.guild.bot else permissions.NOTHING

    def rights(self, place: Place) -> Permission:
        """What the bot may do in a channel or thread."""
        return permissions.within(self.guild, self.guild.bot, self.find_channel(place))

    def channel(
        self, name: str, kind: str = "text", *, private: bool = False, bot: bool = True, tags: Iterable[str] = ()
    ) -> Channel:
        """A new channel, `text`, `forum` or `announcement`; an event tells of it. `private`: @everyone cannot see it,
        the bot can unless `bot` is false. `tags`: a forum's."""
        channel = self.guild.add_channel(name, Kind[kind.upper()])
        channel.tags = [Tag(self.guild.mint(), tag) for tag in tags]
        if private:
            channel.overwrites[self.guild.id] = Overwrite(self.guild.id, deny=P.VIEW_CHANNEL)
        if private and bot:
            self.allow(channel, self.guild.app.bot.id, permissions.BOT, quietly=True)
        if not private and not bot:
            self.deny(channel, self.guild.app.bot.id, P.VIEW_CHANNEL, quietly=True)
        self.happenings.tell_channel(channel, "CHANNEL_CREATE")
        return channel

    def allow(self, channel: Channel, target: str, wanted: Permission, *, quietly: bool = False) -> None:
        """An overwrite of a role's or member's permissions in a channel."""
        overwrite, could_see = self._overwrite(channel, target), self._shows(channel)
        overwrite.allow, overwrite.deny = overwrite.allow | wanted, overwrite.deny & ~wanted
        if quietly:
            return
        self.happenings.tell_channel(channel)
        if self._shows(channel) and not could_see:
            self.happenings.sync_threads(channel)

    def deny(self, channel: Channel, target: str, wanted: Permission, *, quietly: bool = False) -> None:
        overwrite = self._overwrite(channel, target)
        overwrite.allow, overwrite.deny = overwrite.allow & ~wanted, overwrite.deny | wanted
        if not quietly:
            self.happenings.tell_channel(channel)

    def _shows(self, channel: Channel) -> bool:
        return P.VIEW_CHANNEL in self.rights(channel)

    def _overwrite(self, channel: Channel, target: str) -> Overwrite:
        return channel.overwrites.setdefault(target, Overwrite(target, target in self.guild.members))

    def role(self, name: str, wanted: Permission = permissions.NOTHING, *, mentionable: bool = False) -> Role:
        """A new role; nothing tells of it until somebody has it."""
        return self.guild.add_role(name, wanted, mentionable=mentionable)

    def person(self, name: str, *, roles: Iterable[Role] = (), moderator: bool = False, **details: Any) -> Person:
        """The person of this name, who is made on first use. `moderator`: manages messages and threads."""
        if name not in self._people:
            member = self.guild.add_member(self.guild.add_user(name, **details), [r.id for r in roles])
            if moderator:
                member.roles.append(self.role("Moderators", P.MANAGE_THREADS | P.MANAGE_MESSAGES).id)
            self._people[name] = Person(self, member)
            self.happenings.join(member)
        return self._people[name]

    def install(self, wanted: Permission | int) -> None:
        """Grant the bot exactly what an invite link asks for, nothing more."""
        bot = self.guild.bot
        assert bot is not None, "only a bot that is in the guild has a role there"
        self.guild.roles[bot.roles[0]].permissions = Permission(wanted)
        self.happenings.tell_role(bot.roles[0])

    async def use_http(self, url: str) -> None:
        """Send interactions to this address from now on, and none over the gateway. ValueError when Discord would not
        take it: it wants a ping answered, and a forged request refused with 401."""
        if reason := await self.transport.verify(url):
            raise ValueError(reason)
        self.guild.app.interactions_url = url

    async def check_endpoint(self) -> bool:
        """What Discord does now and then: ping the address, and forge a request. If it does not hold, the address is
        taken away, and interactions come over the gateway again."""
        url = self.guild.app.interactions_url
        holds = bool(url) and not await self.transport.verify(url or "")
        if not holds:
            self.use_gateway()
        return holds

    def use_gateway(self) -> None:
        """Send interactions over the gateway from now on (so it is at first)."""
        self.guild.app.interactions_url = None

    def go_down(self, fault: Fault = Fault.SERVER_ERROR, *, status: int = 502, seconds: float = 1.0) -> None:
        """Discord is away: every call is struck, every connection breaks, and no new one opens, until `come_back`."""
        self.mischief.add(fault, times=None, status=status, seconds=seconds)
        self.deafen()

    def deafen(self) -> None:
        """Every connection breaks and no new one opens, while calls are answered as ever."""
        self.gateway.is_shut = True
        for connection in list(self.gateway.connections):
            connection.drop()

    def come_back(self) -> None:
        """Everything works again."""
        self.mischief.clear()
        self.gateway.is_shut = False

    async def reset_token(self) -> None:
        """The bot's token is worth nothing any more, as after too many IDENTIFYs; its owner has the new one."""
        self.guild.app.token = new_token(self.guild.app.bot.id)
        await self.gateway.revoke()

    def pass_time(self, seconds: float) -> list[Thread]:
        """Leap ahead, and archive what then is idle; returns those threads."""
        self.clock.advance(seconds)
        return self.happenings.archive_idle()

    def find_channel(self, place: Place) -> Channel:
        """The channel or thread; LookupError when there is none."""
        if isinstance(place, Channel):
            return place
        everywhere = [*self.guild.channels.values(), *self.guild.threads.values()]
        found = self.guild.place(place) or next((c for c in everywhere if c.name == place), None)
        if found is None:
            raise LookupError(f"no channel {place!r}")
        return found

    # --- what can be seen -------------------------------------------------------------------------------------

    def shape(self, channel: Channel, message: Message) -> Json:
        """The message as REST shows it."""
        return shapes.message(self.guild, channel, message, self.downloads.sign)

    def messages(self, place: Place) -> list[Message]:
        """What stands in the channel or thread, in order; Discord's own notices left out."""
        ours = (0, 19, 20, 23)
        return [m for m in self.find_channel(place).messages.values() if m.type in ours]

    def read(self, place: Place) -> list[str]:
        """What a person reads there, in order."""
        return [self.seen(m) for m in self.messages(place)]

    def seen(self, message: Message) -> str:
        """What a person reads on the screen of this message."""
        return shapes.seen(self.guild, message)

    def acts(self, message: Message) -> list[Act]:
        """What of a message is more than words to its reader; previews only if they are not suppressed."""
        texts = [message.content, *shapes.texts(message)]
        found = [act for text in texts for act in acts_in(text)]
        quiet = message.flags & Flag.SUPPRESS_EMBEDS
        return [act for act in found if not (quiet and act.kind in ("preview", "invite"))]

    def message(self, place: Place, message_id: str) -> Message:
        """KeyError when it is gone."""
        return self.find_channel(place).messages[message_id]

    def threads(self, place: Place) -> list[Thread]:
        """The threads of a channel, oldest first."""
        return self.guild.threads_of(self.find_channel(place))

    def tags(self, thread: Thread) -> list[str]:
        """The names of the tags that a forum's post has."""
        names = {t.id: t.name for t in self.guild.channels[thread.parent_id].tags}
        return [names[t] for t in thread.applied_tags]

    def is_typing(self, place: Place) -> bool:
        """Whether the app is shown typing there."""
        return self.typists.get(self.find_channel(place).id, 0.0) > self.clock.now()

    def calls_of(self, route: str) -> list[Call]:
        """The calls of a route such as `POST /channels/{channel_id}/messages`."""
        return [call for call in self.calls if call.route == route]

    async def until(self, condition: Callable[[], object], *, timeout: float = 60.0) -> None:
        """Return once the condition is true; AssertionError if it is not within so many real seconds."""
        give_up = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > give_up:
                raise AssertionError(f"still not so after {timeout} s; last calls: {self._last_calls()}")
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._changed.add(changed)
            await asyncio.wait([changed], timeout=0.02)  # what is outside Discord changes without a word
            self._changed.discard(changed)

    def wake(self) -> None:
        """Something changed: let those look who wait in `until`."""
        for future in self._changed:
            if not future.done():
                future.set_result(None)

    def _last_calls(self) -> list[str]:
        return [f"{c.route}: {c.status} {c.outcome}" for c in list(self.calls)[-8:]]

    # --- for the parts of the simulator -----------------------------------------------------------------------

    def journal(self, call: Call) -> None:
        call.number = self.calls[-1].number + 1 if self.calls else 1
        self.calls.append(call)
        self.wake()

    def note_post(self, call: Call, kind: str, channel: Channel, message: Message) -> None:
        """Tell the watchers that the app made something visible (or took it away)."""
        about = {"channel": channel.id, "id": message.id, "text": message.content, "nonce": message.nonce}
        self._note(call, kind, about | {"embeds": message.embeds, "components": message.components})

    def note_thread(self, call: Call, parent: Channel, thread: Thread) -> None:
        state = {"archived": thread.archived, "locked": thread.locked, "tags": list(thread.applied_tags)}
        self._note(call, "thread", {"channel": parent.id, "id": thread.id, "text": thread.name} | state)

    def _note(self, call: Call, kind: str, about: Json) -> None:
        number = self.posts[-1]["number"] + 1 if self.posts else 1
        times = {"received": call.received, "accepted": time.perf_counter(), "at": call.at}
        note = {"number": number, "kind": kind, "route": call.route} | about | times
        self.posts.append(note)
        for queue in self._watchers:
            queue.put_nowait(note)

    def watch(self) -> asyncio.Queue[Json]:
        """A queue of everything posted from now on; hand it back to `unwatch`."""
        queue: asyncio.Queue[Json] = asyncio.Queue()
        self._watchers.add(queue)
        return queue

    def unwatch(self, queue: asyncio.Queue[Json]) -> None:
        self._watchers.discard(queue)
