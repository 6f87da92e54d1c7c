"""Roots: a mirror's first post, which names its session. Opened, opened again where people deleted it, and found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from adapters.slack.parse import App
from adapters.slack.places.history import History, Message, with_effect
from adapters.slack.places.threads import Threads, metadata
from adapters.slack.refs import Root
from adapters.slack.render import Rendered
from adapters.slack.wire.client import WebApi
from bridge.ports import Delivered, Delivery, Placed, Store
from routing.ids import ThreadRef

_log = structlog.get_logger(__name__)

Draw = Callable[[Delivery], Awaitable[Rendered]]


class Roots:
    """`app` tells who we are, or raises DeliveryError while that is not known."""

    def __init__(
        self, api: WebApi, store: Store, history: History, threads: Threads, draw: Draw, app: Callable[[], App]
    ) -> None:
        self._api = api
        self._store = store
        self._history = history
        self._threads = threads
        self._draw = draw
        self._app = app

    async def open(self, delivery: Delivery, name: str) -> Root:
        """Post a root. Its place is known before the lane goes on, so an early press of a button finds its session."""
        session, mirror = delivery.session, delivery.effect.mirror
        answer = await self._api.call(
            "chat.postMessage",
            channel=place_of(delivery),
            metadata=metadata(name, session.id, mirror, root=True),
            **(await self._draw(delivery)).posted,
        )
        root = Root(self._app().team, answer["channel"], answer["ts"])
        await self._threads.place(root, Placed(session.id, mirror))
        return root

    async def open_again(self, delivery: Delivery, dead: Root | None) -> Root:
        """The mirror's living root, posted anew where there is none: an earlier attempt may have posted it."""
        session, mirror = delivery.session, delivery.effect.mirror
        for message in reversed(await self.standing(delivery)):
            if dead is None or message["ts"] != dead.ts:
                root = Root(self._app().team, place_of(delivery), message["ts"])
                await self._threads.place(root, Placed(session.id, mirror))
                return root
        _log.warning("slack_thread_opened_again", session=session.id, mirror=mirror)
        return await self.open(delivery, f"{delivery.effect.id}.root")

    async def standing(self, delivery: Delivery) -> list[Message]:
        """The mirror's roots that are there, oldest first."""
        session = delivery.session
        return await self._history.roots(place_of(delivery), session.id, delivery.effect.mirror, session.opened_at)

    async def found(self, delivery: Delivery) -> list[Delivered]:
        """What this effect has opened, the root that the books name first."""
        messages = await self._history.channel(place_of(delivery), delivery.session.opened_at)
        found = []
        for message in with_effect(messages, delivery.effect.id):
            root = Root(self._app().team, place_of(delivery), message["ts"])
            await self._threads.place(root, Placed(delivery.session.id, delivery.effect.mirror))
            found.append(Delivered(root.ref))
        kept = await self.kept(delivery)
        return sorted(found, key=lambda one: one.thread != kept)

    async def kept(self, delivery: Delivery) -> ThreadRef | None:
        """The root that the books name, in which everything is posted. A double of it may well be the older one."""
        threads = await self._store.threads(delivery.session.id)
        return threads.get(delivery.effect.mirror)


def place_of(delivery: Delivery) -> str:
    return next(one.place for one in delivery.session.mirrors if one.number == delivery.effect.mirror)
