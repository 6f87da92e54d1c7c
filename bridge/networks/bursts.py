"""Bursts: several messages of a customer's in one post, when the place is behind.

It is how they look, and nothing more. Each keeps its own books, and the reference that these keep names all that the
post was made of; so an edit or a withdrawal of one draws the post anew from what all of them say now. What the post
shows is whatever the books say it shows: a message that also stands elsewhere, because an answer came late, has its
place there.

An edit may make one of them too long for the post that it shares. There it keeps its beginning, and stands whole in
posts of its own below, as any long message does: nothing is lost to whoever reads the thread.
"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.messages import Body, TextPart
from bridge.ports import Delivered, Delivery, Store
from bridge.transcript import said_so_far
from routing.effects import PostMessage
from routing.ids import MessageId, PostRef, SessionId


@dataclass(frozen=True, slots=True)
class Said:
    """What one of the messages says now, and what before. No body: it was taken back, or erased."""

    message: MessageId
    body: Body | None
    edited: bool = False
    former: tuple[Body, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """What goes into one post, in characters as the network may count them: words `at_first`, when it is made, and
    everything `at_most`, whatever becomes of them. `each` message takes so many besides its words."""

    weigh: Callable[[str], int]
    at_first: int
    at_most: int
    each: int = 0

    def fitting(self, deliveries: Sequence[Delivery]) -> int:
        """How many of them, from the first on, go into one post."""
        room = self.at_first
        for count, delivery in enumerate(deliveries):
            room -= self.weigh(delivery.body.text) if delivery.body else 0
            if room < 0:
                return max(count, 1)
        return len(deliveries)

    def grown(self, messages: int) -> int:
        """What each of so many messages may have in the post, however short it was at first. All together they fit."""
        return (self.at_most - self.at_first) // messages - self.each

    def beginning(self, body: Body, room: int) -> Body:
        """What fits into the room; the same body where all of it does."""
        text = body.text
        if self.weigh(text) <= room:
            return body
        while self.weigh(text) >= room:
            text = text[: min(len(text) - 1, room)] if len(text) > room else text[: len(text) * 9 // 10]
        return Body((TextPart(f"{text}…"),))


class Shared(Protocol):
    """A network's post, as the books name it, and the messages that it was made of."""

    @property
    def ref(self) -> PostRef: ...
    @property
    def together(self) -> tuple[MessageId, ...]: ...


async def deliver(
    deliveries: Sequence[Delivery], say: Callable[[Sequence[Delivery]], Awaitable[Delivered]]
) -> list[Delivered]:
    """See `bridge.ports.SupportsBursts`. What was erased meanwhile is not posted."""
    shown = [one for one in deliveries if one.body is not None]
    done = await say(shown) if shown else Delivered()
    return [done if one.body is not None else Delivered() for one in deliveries]


def messages_of(deliveries: Sequence[Delivery]) -> tuple[MessageId, ...]:
    return tuple(one.effect.message for one in deliveries if isinstance(one.effect, PostMessage))


@dataclass(frozen=True, slots=True)
class BurstBooks:
    """What the books say of a shared post. `post` tells which one a reference names, whatever it says besides."""

    store: Store
    measure: Measure
    post: Callable[[PostRef], str]

    async def said_in(self, delivery: Delivery, post: Shared) -> list[Said]:
        """What the messages that have their place in the post say now, as far as there is room."""
        session, shown = delivery.session.id, await self.shown_in(delivery, post)
        uttered = {one.message: one for one in await said_so_far(self.store, session)}
        edited = {one: uttered[one].revision for one in shown if one in uttered and uttered[one].revision}
        former = await self.store.bodies(session, [(one, revision - 1) for one, revision in edited.items()])
        before = {one: (body,) if body else () for one, body in zip(edited, former, strict=True)}
        room = await self._room(session, list(edited), post)
        now = {one: uttered[one].body for one in shown if one in uttered}
        now |= {one: self.measure.beginning(now[one], room[one]) for one in edited}
        return [Said(one, now.get(one), one in edited, before.get(one, ())) for one in shown]

    async def is_cut(self, delivery: Delivery, message: MessageId, post: Shared) -> bool:
        """Whether the post has only the beginning of what this message says now."""
        body = delivery.body
        room = await self._room(delivery.session.id, [message], post)
        return body is not None and self.measure.weigh(body.text) > room[message]

    async def _room(self, session: SessionId, messages: Sequence[MessageId], post: Shared) -> dict[MessageId, int]:
        """As much as it had when the post was made: what was not edited is shown as it was, and all fit together."""
        first = await self.store.bodies(session, [(one, 0) for one in messages])
        had = [self.measure.weigh(body.text) if body else 0 for body in first]
        grown = self.measure.grown(len(post.together))
        return {one: max(grown, weight) for one, weight in zip(messages, had, strict=True)}

    async def shown_in(self, delivery: Delivery, post: Shared) -> list[MessageId]:
        """The messages that have their place in this post. One that the books do not know yet may get it still."""
        session, mirror, here = delivery.session.id, delivery.effect.mirror, self.post(post.ref)
        known = await self.store.posted(session, post.together)
        posts = await gather(*(self.store.posts(session, one, mirror) for one in post.together))
        return [
            message
            for message, refs in zip(post.together, posts, strict=True)
            if message not in known or any(self.post(ref) == here for ref in refs)
        ]

    async def is_needed(self, delivery: Delivery, post: Shared) -> bool:
        """Whether any message but the delivery's own has its place there."""
        return not delivery.session.erased and bool(await self.shown_in(delivery, post))
