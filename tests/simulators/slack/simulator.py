"""The whole of Slack on one loopback port."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Self

from aiohttp import web

from . import shapes
from .api import WebApi
from .clock import Clock
from .control import Control
from .downloads import Downloads
from .events import Events
from .habits import Habits
from .happenings import Happenings
from .interactions import Interactions
from .limits import Limits
from .methods import Call
from .methods.files import share
from .mischief import Fault, Mischief
from .people import Person, Place
from .socket_mode import SocketMode
from .transport import Transport
from .workspace import Channel, File, Json, Message, Workspace

_NOTICES = frozenset({"channel_join", "channel_leave", "channel_archive", "channel_unarchive", "channel_name"})


class SlackSimulator:
    """`async with SlackSimulator() as slack:` and point the SDK at `slack.api_url`.

    `speed`: how many seconds of Slack's clock pass in a real one (0: only `slack.clock.advance` moves it). `limits`:
    whether rate limits hold. `seed`: of the dice for mischief. `port` 0 takes a free one.
    """

    def __init__(
        self, *, port: int = 0, speed: float = 1.0, limits: bool = True, seed: int = 0, manifest: Json | None = None
    ) -> None:
        self._port = port
        self.url = ""
        self.clock = Clock(speed)
        self.habits = Habits()
        self.workspace = Workspace()
        self.limits = Limits(self.clock, enabled=limits)
        self.mischief = Mischief(seed)
        self.transport = Transport(self)
        self.events = Events(self)
        self.happenings = Happenings(self.workspace, self.habits, self.events.emit)
        self.interactions = Interactions(self)
        self.sockets = SocketMode(self)
        self.calls: deque[Call] = deque(maxlen=200_000)
        """Every API call received, in order of arrival."""
        self.posts: deque[Json] = deque(maxlen=200_000)
        """Everything that the app made visible, as `/_sim/watch` streams it."""
        self._watchers: set[asyncio.Queue[Json]] = set()
        self._people: dict[str, Person] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        if manifest is not None:
            self.install(manifest)

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
        port = self._runner.addresses[0][1]
        self.url = self.workspace.files_url = f"http://127.0.0.1:{port}"

    async def close(self) -> None:
        """Stop everything, answered or not."""
        self._closing.set()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.sockets.close()
        await self.transport.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 30)
        api, downloads = WebApi(self), Downloads(self)
        app.router.add_route("*", "/api/{method}", api.handle)
        app.router.add_get("/link/", self.sockets.handle)
        app.router.add_post("/upload/v1/{secret}", downloads.receive)
        app.router.add_get("/files-pri/{place}/{name:.+}", downloads.serve)
        app.router.add_post("/response/{secret}", self.interactions.handle_response)
        Control(self).mount(app)
        return app

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something until it ends or the simulator closes."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def hang(self, seconds: float) -> None:
        """Keep silent for so many seconds of Slack's clock, or until the simulator closes."""
        with suppress(TimeoutError):
            async with self.clock.deadline(seconds):
                await self._closing.wait()

    # --- the stage --------------------------------------------------------------------------------------------

    @property
    def api_url(self) -> str:
        """For `AsyncWebClient(base_url=…)`."""
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        return self.workspace.app.bot_token

    @property
    def app_token(self) -> str:
        return self.workspace.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.workspace.app.signing_secret

    def channel(self, name: str, *, private: bool = False, bot: bool = True) -> Channel:
        """A new channel, with the bot in it unless told otherwise; no event tells of it."""
        members = [self.workspace.app.bot.id] if bot else []
        return self.workspace.add_channel(name, private=private, members=members)

    def person(self, name: str, *, stranger: bool = False, **details: Any) -> Person:
        """The person of this name, who is made on first use. `stranger`: from another workspace (Slack Connect)."""
        if name not in self._people:
            user = self.workspace.user_named(name) or self.workspace.add_user(name, stranger=stranger, **details)
            self._people[name] = Person(self, user)
        return self._people[name]

    def usergroup(self, handle: str, people: Iterable[Person] = ()) -> str:
        """A new user group; its id."""
        group_id = self.workspace.mint("S")
        users = [p.id for p in people]
        group = {"id": group_id, "team_id": self.workspace.team_id, "handle": handle, "name": handle.title()}
        self.workspace.usergroups[group_id] = group | {"users": users, "user_count": str(len(users))}
        return group_id

    def install(self, manifest: Json) -> None:
        """Grant and subscribe exactly what an app manifest asks for, nothing more."""
        app = self.workspace.app
        settings = manifest.get("settings", {})
        app.scopes = set(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", []))
        app.events = set(settings.get("event_subscriptions", {}).get("bot_events", []))
        features = manifest.get("features", {})
        tabs, commands = features.get("app_home", {}), features.get("slash_commands", [])
        app.home_tab = bool(tabs.get("home_tab_enabled"))
        app.messages_tab = bool(tabs.get("messages_tab_enabled"))
        app.commands = {one["command"]: bool(one.get("should_escape")) for one in commands}
        app.name = manifest.get("display_information", {}).get("name", app.name)

    def use_http(self, events_url: str, interactivity_url: str = "", commands_url: str = "") -> None:
        """Deliver over signed HTTP from now on (without the others, everything to the one address)."""
        self.transport.events_url, self.transport.interactivity_url = events_url, interactivity_url
        self.transport.commands_url = commands_url

    def use_sockets(self) -> None:
        """Deliver over Socket Mode from now on (so it is at first)."""
        self.use_http("")

    def go_down(self, fault: Fault = Fault.BAD_GATEWAY, *, seconds: float = 1.0) -> None:
        """Slack is away: every call is struck, every socket breaks, and no new one opens, until `come_back`.

        People in the workspace go on; what they do is told to nobody, as long as retries are not hurried on.
        """
        self.mischief.add(fault, times=None, seconds=seconds)
        self.deafen()

    def deafen(self) -> None:
        """Every socket breaks and no new one opens, while calls are answered as ever."""
        self.sockets.unreachable = True
        for connection in list(self.sockets.connections):
            connection.drop()

    def come_back(self) -> None:
        """Everything works again."""
        self.mischief.clear()
        self.sockets.enable_link()

    def find_channel(self, place: Place) -> Channel:
        """LookupError when there is none."""
        if isinstance(place, Channel):
            return place
        found = self.workspace.channels.get(place) or self.workspace.channel_named(place)
        if found is None:
            raise LookupError(f"no channel {place!r}")
        return found

    # --- what can be seen -------------------------------------------------------------------------------------

    def roots(self, place: Place) -> list[Message]:
        """What stands top-level in the channel, in order; Slack's own notices (joins, renames) left out."""
        return [m for m in self.find_channel(place).top_level() if m.subtype not in _NOTICES and not m.is_reply]

    def replies(self, place: Place, ts: str) -> list[Message]:
        """The messages of a thread, in order, without its root."""
        return self.find_channel(place).replies(ts)

    def thread(self, place: Place, ts: str) -> list[str]:
        """What a person reads in a thread, in order, without its root."""
        return [self.seen(m) for m in self.replies(place, ts)]

    def seen(self, message: Message) -> str:
        """What a person reads on the screen of this message."""
        return shapes.seen(self.workspace, message)

    def message(self, place: Place, ts: str) -> Message:
        """KeyError when it is gone."""
        return self.find_channel(place).messages[ts]

    def status(self, place: Place, thread_ts: str) -> str:
        """The assistant status now shown in a thread ("customer is typing"); "" when there is none."""
        text, until = self.workspace.statuses.get((self.find_channel(place).id, thread_ts), ("", 0.0))
        return text if until > self.clock.now() else ""

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def until(self, condition: Callable[[], object], *, timeout: float = 60.0) -> None:
        """Return once the condition is true; AssertionError if it is not within so many real seconds."""
        give_up = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > give_up:
                raise AssertionError(f"still not so after {timeout} s; last calls: {self._last_calls()}")
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.happenings.changed.add(changed)
            await asyncio.wait([changed], timeout=0.02)  # what is outside Slack changes without a word
            self.happenings.changed.discard(changed)

    def _last_calls(self) -> list[str]:
        return [f"{c.method}: {c.outcome}" for c in list(self.calls)[-8:]]

    # --- for the parts of the simulator -----------------------------------------------------------------------

    def journal(self, call: Call) -> None:
        call.number = self.calls[-1].number + 1 if self.calls else 1
        self.calls.append(call)
        self.happenings.wake()

    def note_post(self, call: Call, kind: str, channel: Channel, message: Message) -> None:
        """Tell the watchers that the app made something visible (or took it away)."""
        note = {
            "number": self.posts[-1]["number"] + 1 if self.posts else 1,
            "kind": kind,
            "method": call.method,
            "channel": channel.id,
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "text": message.text,
            "metadata": message.metadata,
            "received": call.received,
            "accepted": time.perf_counter(),
            "at": call.at,
        }
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

    def share_later(self, call: Call, channel: Channel, files: list[File], comment: str, thread_ts: str) -> None:
        """Show uploaded files a while after the answer was given."""

        async def later() -> None:
            await asyncio.sleep(0)
            await self.clock.sleep(self.habits.share_delay)
            self.note_post(call, "file", channel, share(self, channel, files, comment, thread_ts))

        self.spawn(later())
