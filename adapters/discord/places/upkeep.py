"""Upkeep: a thread's tags follow its session's state, and its thread is archived when the session is closed.

Drawn together with the card, and so as seldom. What a forum or a permission does not allow is left, and holds nothing
up. Threads are never renamed: Discord takes two new names in ten minutes, and no header says so.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from adapters.discord.heard.shape import Given
from adapters.discord.places.channels import Channel, Channels, Tag
from adapters.discord.places.forum_tags import APPLIED, ForumTags, given_up
from adapters.discord.refs import NAME, Root
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.faults import ALREADY_GONE
from bridge.errors import DeliveryError, Fault
from bridge.ports import Delivery, Store
from routing.ids import ThreadRef
from routing.session import Session, State

REMEMBERED = 20_000

LANE = 5.0
"""Seconds until a closed thread is looked at again in which something is still to be posted."""

_log = structlog.get_logger(__name__)

_Shown = tuple[bool, tuple[Tag, ...]]


class Upkeep:
    def __init__(self, api: RestApi, store: Store, channels: Channels, tags: ForumTags) -> None:
        self._api = api
        self._store = store
        self._channels = channels
        self._tags = tags
        self._shown: OrderedDict[str, _Shown] = OrderedDict()

    def stirred(self, thread: ThreadRef) -> None:
        """Something was posted there: it is awake, whatever it was. Its tags are what they were."""
        name = Root.of(thread).thread
        if self._shown.get(name, (False, ()))[0]:
            del self._shown[name]

    def opened(self, thread: ThreadRef, channel: Channel, session: Session) -> None:
        """It was opened with the tags of the session as it is."""
        if session.state is not State.CLOSED:
            self._remember(Root.of(thread), (False, self._tags.of(channel, session)))

    async def follow(self, delivery: Delivery, channel: Channel) -> None:
        """Have the thread be as its session is. Raises DeliveryError where it is to be tried again."""
        if delivery.thread is None:
            return
        session, root = delivery.session, Root.of(delivery.thread)
        over = session.state is State.CLOSED
        if over and await self._store.lane_states(session.id, NAME) is not None:
            raise DeliveryError(Fault.TRANSIENT, "lane_busy", retry_after=LANE)
        shown = (over, self._tags.of(channel, session))
        if self._shown.get(root.thread) == shown or not (over or channel.is_forum):
            return
        await self._have_it(root, channel, session, shown)
        self._remember(root, shown)

    async def leave(self, delivery: Delivery, channel: Channel) -> None:
        """The session goes on in another thread: this one waits for nobody."""
        if delivery.thread is not None:
            await self._have_it(Root.of(delivery.thread), channel, delivery.session, (True, ()))

    async def _have_it(self, root: Root, channel: Channel, session: Session, shown: _Shown) -> None:
        try:
            thread = Given.of(await self._api.get(f"/channels/{root.thread}"), "thread")
            await self._change(root, thread, channel, session, shown)
        except DeliveryError as error:
            if error.fault in (Fault.TRANSIENT, Fault.AMBIGUOUS) and error.code not in ALREADY_GONE:
                raise
            _log.info("discord_thread_left_as_it_is", thread=root.thread, code=error.code)

    async def _change(self, root: Root, thread: Given, channel: Channel, session: Session, shown: _Shown) -> None:
        over, tags = shown
        asleep = thread.object("thread_metadata").flag("archived")
        before = thread.ids("applied_tags")
        others = [one for one in before if one not in self._tags.following(channel, session)]
        if channel.is_forum and {tag.id for tag in tags} | {*others[: APPLIED - len(tags)]} != {*before}:
            awake: Mapping[str, Any] = {"archived": False} if asleep else {}
            await self._retag(root, tags, others, awake)
            asleep = False
        if over and not asleep:
            await self._api.call("PATCH", f"/channels/{root.thread}", {"archived": True})

    async def _retag(self, root: Root, tags: Sequence[Tag], others: Sequence[str], more: Mapping[str, Any]) -> None:
        applied = [*(tag.id for tag in tags), *others][:APPLIED]
        try:
            await self._api.call("PATCH", f"/channels/{root.thread}", {"applied_tags": applied, **more})
        except DeliveryError as error:
            fewer = given_up(tags, error)
            if fewer is None:
                raise
            self._channels.forget()
            await self._retag(root, fewer, others, more)

    def _remember(self, root: Root, shown: _Shown) -> None:
        self._shown[root.thread] = shown
        self._shown.move_to_end(root.thread)
        if len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
