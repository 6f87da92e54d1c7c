"""Buttons and a message's menu, and what is done for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog

from adapters.slack.controls.presses import DEEDS, Desk, Press
from adapters.slack.controls.shortcuts import as_press
from adapters.slack.controls.windows import Windows
from adapters.slack.inward.explanations import Explanations
from adapters.slack.inward.posted import message_in
from adapters.slack.parse import App, Pressed, Shortcut
from adapters.slack.people import People
from adapters.slack.places.threads import Threads
from adapters.slack.refs import Root
from adapters.slack.render import Wording
from adapters.slack.shown.ephemerals import Tell
from adapters.slack.shown.views import Frame
from bridge.networks import blocks
from bridge.networks.card import Action
from bridge.ports import Placed, Store, Stored
from bridge.relay import Door, Relay

_log = structlog.get_logger(__name__)


class Buttons:
    """`app` tells who we are, or raises DeliveryError while that is not known."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        door: Door,
        threads: Threads,
        people: People,
        app: Callable[[], App],
        windows: Windows,
        respond: Callable[[str, Mapping[str, Any]], Awaitable[None]],
        wording: Wording,
        tell: Tell,
        explanations: Explanations,
    ) -> None:
        self._store = store
        self._relay = relay
        self._threads = threads
        self._people = people
        self._app = app
        self._windows = windows
        self._wording = wording
        self._tell = tell
        self._explanations = explanations
        self._desk = Desk(
            door,
            explanations.answer,
            self._open,
            partial(blocks.subject, relay),
            explanations.explain,
            partial(message_in, store),
            respond,
            wording,
        )

    async def pressed(self, pressed: Pressed) -> None:
        """The button names its session, so its thread is placed by it."""
        act = DEEDS.get(pressed.action)
        if act is None:
            _log.debug("slack_ignored", because=f"nothing is done for {pressed.action}")
            return
        stored = await self._relay.session(pressed.placed.session)
        if stored is None:
            _log.warning("slack_session_unknown", session=pressed.placed.session, input=pressed.key)
            return
        root = pressed.root or await self._root_of(stored, pressed.placed)
        if pressed.root is not None:
            await self._threads.place(pressed.root, pressed.placed)
        if root is None or self._explanations.is_stranger(pressed, stored, root):
            return
        operator = self._people.operator(pressed.author, root.channel)
        if operator is None:
            await self._explanations.refuse_unknown(pressed.key, pressed.author.user, root, stored)
            return
        await act(Press(pressed, root, stored, operator, self._desk))

    async def _root_of(self, stored: Stored, placed: Placed) -> Root | None:
        """The thread that a button belongs to where Slack does not say."""
        thread = (await self._store.threads(stored.session.id)).get(placed.mirror)
        return Root.of(thread) if thread else None

    async def shortcut(self, shortcut: Shortcut) -> None:
        """A message's menu names no session: its thread does."""
        placed = await self._threads.placed(shortcut.root) or await self._threads.read(shortcut.root, self._app())
        pressed = as_press(shortcut, placed) if placed else None
        if pressed is not None:
            await self.pressed(pressed)
        elif placed is None:
            text = self._wording("", "told.no_session_here")
            self._tell.later(shortcut.key, shortcut.root, shortcut.author.user, text)

    def _open(self, name: Action, press: Press) -> None:
        pressed, root, placed = press.pressed, press.root, press.pressed.placed
        frame = Frame(placed.session, placed.mirror, root.team, root.channel, root.ts, quote=pressed.quote)
        self._windows.open(name, press.stored, frame, press.operator, pressed)
