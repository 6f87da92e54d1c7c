"""Speaking in a mirror's thread, in one post or in several, each bearing its effect's id.

A root can be deleted by people while the session lives. Slack then lets a reply come out top-level, where it would
stand without its session; such a reply is taken back, and the thread is opened again under a new root.
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.slack.outward.parts import PartBooks, Trace
from adapters.slack.outward.posts import Posts, stop_after
from adapters.slack.places.history import History
from adapters.slack.places.roots import Roots
from adapters.slack.places.threads import metadata
from adapters.slack.refs import Post, Root
from adapters.slack.render import Rendered
from adapters.slack.wire.client import Answer, WebApi
from adapters.slack.wire.faults import THREAD_GONE
from bridge.errors import DeliveryError, Fault
from bridge.networks.pacing import Urgency
from bridge.ports import Delivery
from routing.effects import ReviseMessage

POSTING = 5.0
"""Seconds of one delivery spent on a message of several posts; the next one goes on where it ended."""

NOTHING_MORE: Mapping[str, Any] = {}


class Speech:
    def __init__(self, api: WebApi, history: History, posts: Posts, roots: Roots, part_books: PartBooks) -> None:
        self._api = api
        self._history = history
        self._posts = posts
        self._roots = roots
        self._part_books = part_books

    async def say_all(
        self,
        delivery: Delivery,
        rendered: Sequence[Rendered],
        dress: dict[str, str],
        urgency: Urgency = Urgency.WORDS,
        *,
        first: int = 0,
    ) -> tuple[Root, tuple[Post, ...]]:
        """Post one after another from number `first` on, going on after those that an earlier attempt has posted.

        Raises DeliveryError (certain) when it takes longer than one delivery may: it goes on in the next one.
        """
        if len(rendered) == 1 and not first and not isinstance(delivery.effect, ReviseMessage):
            root, ts = await self.say(delivery, rendered[0], dress, urgency)
            return root, (root.post(ts),)
        until = get_running_loop().time() + POSTING
        parts = await self._part_books.read(delivery.effect.id)
        for number, one in enumerate(rendered):
            if number < first or number in parts.posts:
                continue
            stop_after(until, "posting")
            here = replace(delivery, thread=parts.thread or delivery.thread)
            root, ts = await self.say(here, one, dress, urgency, number)
            parts = parts.with_post(Trace(root, ts, number))
            await self._part_books.write(delivery.effect.id, parts)
        if parts.thread is None:
            raise AssertionError("a message has at least one part")
        return Root.of(parts.thread), parts.in_order()

    async def say(
        self,
        delivery: Delivery,
        rendered: Rendered,
        dress: dict[str, str],
        urgency: Urgency = Urgency.WORDS,
        part: int = 0,
        told: Mapping[str, Any] = NOTHING_MORE,
    ) -> tuple[Root, str]:
        """Post in the mirror's thread, and open it again first where its root is gone."""
        root = Root.of(delivery.thread) if delivery.thread else await self._roots.open_again(delivery, None)
        named = metadata(delivery.effect.id, delivery.session.id, delivery.effect.mirror, part=part, more=told)
        args = {"metadata": named, **rendered.posted, **dress}
        try:
            answer = await self.reply(root, args, urgency)
        except DeliveryError as error:
            if error.code not in THREAD_GONE:
                raise
        else:
            if await self._is_under(root, answer):
                return root, answer["ts"]
            await self._posts.remove(root.post(answer["ts"]))
        root = await self._roots.open_again(delivery, root)
        return root, (await self.reply(root, args, urgency))["ts"]

    async def reply(self, root: Root, args: dict[str, Any], urgency: Urgency) -> Answer:
        return await self._api.call(
            "chat.postMessage", urgency=urgency, channel=root.channel, thread_ts=root.ts, **args
        )

    async def _is_under(self, root: Root, answer: Answer) -> bool:
        """Where the answer does not say, Slack is asked: taking back what stands rightly would be worse.

        It is posted by now, so nothing that goes wrong here is certain.
        """
        if (answer.get("message") or {}).get("thread_ts") == root.ts:
            return True
        try:
            stands_in = await self._history.thread_of(root.channel, answer["ts"])
        except DeliveryError as error:
            raise DeliveryError(Fault.AMBIGUOUS, error.code, retry_after=error.retry_after) from error
        return stands_in in (None, root.ts)
