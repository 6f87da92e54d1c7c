"""The customer's side as one aiohttp application: socket, poll, uploads, the widget and its pages.

`CustomerSide` is what `bridge.main` makes. The uploads' application belongs to the files adapter and is handed in, with
`upload_owner` and `allows_origin` of ours as its eyes.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from urllib.parse import urlsplit

from aiohttp import web

from adapters.web.buckets import Addresses
from adapters.web.checks import CheckDoor, CheckTokens
from adapters.web.conversation import Conversation
from adapters.web.gate import Gate, Network
from adapters.web.house import House, Incidents, Waits, no_estimate, no_incidents
from adapters.web.lobby import Lobby
from adapters.web.poll import PollDoor
from adapters.web.reception import Reception, Titles, Tokens
from adapters.web.render import FileLink, PublicName, Renderer
from adapters.web.socket import SocketDoor
from adapters.web.statics import Statics
from bridge.errors import StoreUnavailableError
from bridge.feed import Feed
from bridge.files import FileLimits, Files
from bridge.metrics import Metrics
from bridge.ports import Store
from bridge.relay import Relay
from config.settings import WebSettings
from routing.ids import DeskId, Topic
from routing.policy import Policy


class CustomerSide:
    """Everything that customers reach.

    `public_url`: where people reach us, base path included. `keys`: our own signing secrets, the newest first.
    `public_name`, `link`: see `render`. `files` is None where attachments are not kept; `files_origin` is where they
    are served from, if that is not our own origin. `locales`: the customers' words by language. `topic_titles`,
    `topic_under`: see `reception`; `desk_titles`, `incidents`, `waits`: see `house`.
    """

    def __init__(
        self,
        *,
        relay: Relay,
        feed: Feed,
        store: Store,
        settings: WebSettings,
        site: str,
        public_url: str,
        keys: Sequence[bytes],
        policy: Callable[[], Policy],
        public_name: PublicName,
        link: FileLink,
        locales: Mapping[str, Mapping[str, str]],
        metrics: Metrics,
        topic_titles: Titles | None = None,
        topic_under: Mapping[Topic, Topic] | None = None,
        desk_titles: Mapping[DeskId, Mapping[str, str]] | None = None,
        incidents: Incidents = no_incidents,
        waits: Waits = no_estimate,
        files: Files | None = None,
        file_limits: FileLimits | None = None,
        files_origin: str | None = None,
        trusted_proxies: Sequence[Network] = (),
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        house = House(
            settings, policy, lambda: int(wall_clock() * 1000), titles=desk_titles, incidents=incidents, waits=waits
        )
        renderer = Renderer(public_name, link, house)
        self.lobby = Lobby(relay, feed, store, settings, house, renderer, metrics, clock, wall_clock)
        self._settings = settings
        tokens = Tokens.of(keys, settings, site)
        self._reception = Reception(
            self.lobby,
            tokens,
            file_limits or FileLimits(),
            lambda: policy().topics,
            {} if topic_titles is None else topic_titles,
            {} if topic_under is None else topic_under,
        )
        self.conversation = Conversation(self.lobby, self._reception, files, lambda: policy().topics)
        addresses = Addresses(settings.limits.connections_per_address)
        self._gate = Gate(public_url, settings.origins, trusted_proxies, addresses, lambda: self.lobby.full, clock)
        self.socket = SocketDoor(self.lobby, self._gate, self.conversation)
        self.poll = PollDoor(self.lobby, self._gate, self.conversation)
        self._checks = CheckDoor(relay, CheckTokens(settings, site), clock, wall_clock)
        self._statics = Statics(locales, _pages_talk_to(public_url, files_origin))

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of this origin may upload, and connect at all."""
        return self._gate.allows(origin)

    def remote(self, request: web.Request) -> str:
        """The address that a request comes from, as far as the proxies that we trust tell it."""
        return self._gate.remote(request)

    async def upload_owner(self, request: web.Request) -> str | None:
        """Who uploads: the owner of the file, or None for nobody. Raises 503 while the store does not answer."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return await self._reception.upload_owner(token)
        except StoreUnavailableError:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"}) from None

    def app(self, uploads: web.Application | None = None) -> web.Application:
        """An application of its own, to be mounted at a base path."""
        app = web.Application()
        self.mount(app, uploads)
        return app

    def mount(self, app: web.Application, uploads: web.Application | None = None) -> None:
        """Put everything into an application that serves the root. The rounds are made for as long as it runs."""
        app.add_routes(self._statics.routes(demo=self._settings.demo))
        app.router.add_get("/v1/socket", self.socket.handle)
        app.add_subapp("/v1/poll", self.poll.app())
        if self._settings.identity.enabled:
            app.router.add_post("/identity", self._checks.handle)
        if uploads is not None:
            app.add_subapp("/v1/uploads", uploads)
        app.cleanup_ctx.append(self._rounds)
        app.on_shutdown.append(self._say_goodbye)

    async def _rounds(self, app: web.Application) -> AsyncIterator[None]:
        async with self.lobby.running():
            yield

    async def _say_goodbye(self, app: web.Application) -> None:
        self.lobby.say_goodbye()


def _pages_talk_to(public_url: str, files_origin: str | None) -> tuple[str, ...]:
    """What our own pages connect to besides 'self': the socket by its own scheme, and the files' origin."""
    parts = urlsplit(public_url)
    socket = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
    return (socket, *([files_origin] if files_origin else []))
