"""Reopening: where somebody has deleted a session's thread, it goes on in a new one.

What was said went with the old thread, so the new one begins with it: what had stood there, and nothing that is still
on its way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from adapters.discord import render
from adapters.discord.heard.app import App
from adapters.discord.parse import SPOKEN
from adapters.discord.places.history import History
from adapters.discord.places.roots import Roots, nonce
from adapters.discord.refs import Root, written_at
from adapters.discord.render import Rendered
from adapters.discord.shown.filtered import Filter
from adapters.discord.wire.client import RestApi
from bridge.networks.retelling import Retelling
from bridge.ports import Delivery, Store
from bridge.transcript import Uttered, said_so_far
from routing.effects import PostHistory
from routing.ids import EffectId, MessageId

_log = structlog.get_logger(__name__)


class Reopening:
    """`app` tells who we are."""

    def __init__(
        self,
        api: RestApi,
        store: Store,
        roots: Roots,
        app: Callable[[], App],
        retelling: Retelling,
        past_filter: Filter,
    ) -> None:
        self._api = api
        self._store = store
        self._roots = roots
        self._app = app
        self._retelling = retelling
        self._filter = past_filter
        self._history = History(api)

    async def open(self, delivery: Delivery, dead: Root | None) -> Root:
        """The mirror's living thread, opened anew where there is none: an earlier attempt may have opened it."""
        root = await self._living(delivery, dead)
        if await self._is_empty(root):
            for number, page in enumerate(await self._pages(delivery)):
                once = nonce(f"{delivery.effect.id}.history", number)
                body = {**page.posted, "nonce": once, "enforce_nonce": True}
                say = partial(self._api.say, f"/channels/{root.thread}/messages")
                await self._filter.past(delivery, body, say)
        return root

    async def _living(self, delivery: Delivery, dead: Root | None) -> Root:
        name = EffectId(f"{delivery.effect.id}.root")
        for root in reversed(await self._roots.find(delivery, name)):
            if dead is None or root != dead:
                return root
        _log.warning("discord_thread_opened_again", session=delivery.session.id, mirror=delivery.effect.mirror)
        return await self._roots.open(delivery, name)

    async def _is_empty(self, root: Root) -> bool:
        """Whether nothing stands beneath the card, and beneath the line that Discord itself begins a thread with."""
        said = await self._history.after(root.thread, root.thread) or ()
        return not any(self._app().wrote(one) and one.get("type") in SPOKEN for one in said)

    async def _pages(self, delivery: Delivery) -> tuple[Rendered, ...]:
        told = self._retelling.worded(delivery, await self._lost(delivery))
        return render.history(told, delivery.session.language, self._retelling.wording)

    async def _lost(self, delivery: Delivery) -> list[Uttered]:
        effect = delivery.effect
        if delivery.session.erased or isinstance(effect, PostHistory):
            return []
        said = await said_so_far(self._store, delivery.session.id)
        posted = await self._store.posted(delivery.session.id, [one.message for one in said])
        stood = [one for one in said if one.message in posted or written_at(MessageId(one.message.removeprefix("r:")))]
        return [one for one in stood if one.message != getattr(effect, "message", None)]
