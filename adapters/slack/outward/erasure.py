"""A mirror is deleted: all that is ours, in steps that are remembered; of others' it is said what is left."""

from __future__ import annotations

import json
from asyncio import get_running_loop
from collections.abc import Callable

import structlog

from adapters.slack.outward.posts import Posts, stop_after
from adapters.slack.parse import App
from adapters.slack.places.history import History, Message
from adapters.slack.refs import NAME, Post, Root
from bridge.ports import Delivered, Delivery, Store
from routing.ids import ThreadRef

DELETING = 5.0
"""Seconds of one delivery spent on deleting; a long thread takes several, each beginning where the last one ended."""

DELETED_KEPT = 24 * 3600 * 1000
"""ms for which we remember how far a deletion came."""

REMAINS = "remains"
"""Prefix of the names under which the store keeps what could not be deleted, by session and mirror."""

_log = structlog.get_logger(__name__)


class Erasure:
    """`app` tells who we are; `link` is a root's address."""

    def __init__(
        self, store: Store, history: History, posts: Posts, app: Callable[[], App], link: Callable[[Root], str]
    ) -> None:
        self._store = store
        self._history = history
        self._posts = posts
        self._app = app
        self._link = link

    async def delete(self, delivery: Delivery) -> Delivered:
        """Delete all that is ours, in steps that are remembered, then say what of others' is left."""
        if delivery.thread is None:
            return Delivered()
        until = get_running_loop().time() + DELETING
        root = Root.of(delivery.thread)
        await self._delete_known(delivery, root, until)
        thread = await self._history.thread(root)
        for message in thread.replies:
            if self._app().wrote(message):
                stop_after(until, "deleting")
                await self._posts.remove(_post_of(message, root))
        if thread.living:
            await self._posts.remove(root.post(root.ts))
        await self._say_what_remains(delivery, sum(not self._app().wrote(one) for one in thread.replies))
        return Delivered()

    async def _delete_known(self, delivery: Delivery, root: Root, until: float) -> None:
        """The posts that the books know, under whichever root they stand; this root comes last."""
        name = f"{NAME}/deleted/{delivery.effect.id}"
        done = int(await self._store.get(name) or 0)
        try:
            for post in map(Post.of, list(dict.fromkeys(delivery.posts))[done:]):  # some show several messages
                if post.ts != root.ts:
                    stop_after(until, "deleting")
                    await self._posts.remove(post)
                done += 1
        finally:
            await self._store.put(name, str(done), DELETED_KEPT)

    async def _say_what_remains(self, delivery: Delivery, messages: int) -> None:
        session, root = delivery.session.id, Root.of(ThreadRef(delivery.thread or ""))
        if messages:
            left = {"network": NAME, "where": self._link(root), "messages": messages, "whose": "operators"}
            await self._store.put(f"{REMAINS}/{session}/{delivery.effect.mirror}", json.dumps(left))
        _log.info("slack_mirror_deleted", session=session, mirror=delivery.effect.mirror, others_left=messages)


def _post_of(message: Message, root: Root) -> Post:
    return root.post(message["ts"], tuple(str(file["id"]) for file in message.get("files") or ()))
