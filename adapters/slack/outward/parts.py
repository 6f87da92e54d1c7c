"""Posts of one effect that is too long for one: which of them are there, written down as each is posted.

Each part bears the effect's id and its own number in its metadata, so that a part whose answer was lost is found again
and those before it are not said twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adapters.slack.places.history import Message
from adapters.slack.places.threads import payload_of
from adapters.slack.refs import NAME, Post, Root
from bridge.ports import Store
from routing.ids import EffectId, MessageId, PostRef, ThreadRef

KEPT = 30 * 24 * 3600 * 1000
"""ms for which the record is kept: longer than any lane waits."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A post of an effect that was found in a thread."""

    root: Root
    ts: str
    part: int = 0
    together: tuple[MessageId, ...] = ()

    @classmethod
    def of(cls, root: Root, message: Message) -> Trace:
        told = payload_of(message)
        number = told.get("part", 0)
        named = tuple(MessageId(one) for one in told.get("messages") or ())
        return cls(root, str(message["ts"]), number if type(number) is int else 0, named)

    @property
    def post(self) -> Post:
        return self.root.post(self.ts, together=self.together)


@dataclass(frozen=True, slots=True)
class Parts:
    """What was posted of an effect: each part's post, by number, and the thread that the last one stands in."""

    thread: ThreadRef | None = None
    posts: Mapping[int, PostRef] = field(default_factory=dict)

    def has_all(self, numbers: Iterable[int]) -> bool:
        return all(number in self.posts for number in numbers)

    def with_post(self, trace: Trace) -> Parts:
        return Parts(trace.root.ref, {**self.posts, trace.part: trace.post.ref})

    def with_found(self, found: Iterable[Trace]) -> Parts:
        """The posts that are known stay; of others of one number the first counts, all more are doubles."""
        parts = self
        for trace in found:
            parts = parts if trace.part in parts.posts else parts.with_post(trace)
        return parts

    def in_order(self) -> tuple[Post, ...]:
        return tuple(Post.of(self.posts[number]) for number in sorted(self.posts))


class PartBooks:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, effect: EffectId) -> Parts:
        """What an earlier attempt wrote down; empty when there was none."""
        kept = await self._store.get(_name(effect))
        if not kept:
            return Parts()
        record = json.loads(kept)
        return Parts(
            ThreadRef(record["thread"]), {int(number): PostRef(ref) for number, ref in record["posts"].items()}
        )

    async def write(self, effect: EffectId, parts: Parts) -> None:
        record = {"thread": parts.thread, "posts": {str(number): ref for number, ref in parts.posts.items()}}
        await self._store.put(_name(effect), json.dumps(record), KEPT)

    async def words_above(self, effect: EffectId, first: Post) -> tuple[Post, ...]:
        """The posts with the words of a message that has files, too."""
        return (await self.read(effect)).in_order() or (first,)


def _name(effect: EffectId) -> str:
    return f"{NAME}/parts/{effect}"
