"""Bursts: several messages of a customer's in one post, when the channel is behind.

An edit may make one of them too long for the post that it shares. There it keeps its beginning, and stands whole in
posts of its own below, as any long message does: nothing is lost to whoever reads the thread.

It is how they look, and nothing more. The post names all of them, in its metadata and in the reference that the books
keep for each; so each is found after a lost answer, and an edit or a withdrawal of one draws the post anew from what
all of them say now. What the post shows is whatever the books say it shows: a message that also stands elsewhere,
because an answer came late, has its place there.
"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.slack.refs import Post, Root
from adapters.slack.render import LONG, TEXT, Rendered, weight_of
from bridge.lanes import MERGED
from bridge.messages import Body, TextPart
from bridge.ports import Delivered, Delivery, Store
from bridge.transcript import said_so_far
from routing.effects import PostMessage
from routing.ids import MessageId, SessionId

TOGETHER = 3_000
"""Characters of all messages in one post, as Slack may count them: chat.update takes 4,000 of text."""


GROWS_TO = (LONG - TOGETHER) // MERGED
"""Characters that each message may have in the post however short it was at first. All together they fit."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one of the messages says now, and what before. No body: it was taken back, or erased."""

    body: Body | None
    edited: bool = False
    former: tuple[Body, ...] = ()


Draw = Callable[[Delivery, Said, bool], Rendered]
"""One message as a part of a post: with its speaker's name above it, or without."""

Say = Callable[[Delivery, Rendered, Mapping[str, Any]], Awaitable[tuple[Root, str]]]
"""Post in the delivery's thread; what the metadata says besides."""


def fitting(deliveries: Sequence[Delivery]) -> int:
    """How many of them, from the first on, go into one post."""
    room = TOGETHER
    for count, delivery in enumerate(deliveries):
        room -= weight_of(delivery.body.text) if delivery.body else 0
        if room < 0:
            return max(count, 1)
    return len(deliveries)


@dataclass(frozen=True, slots=True)
class Bursts:
    """`draw` and `say` are what any message is drawn and posted with."""

    store: Store
    draw: Draw
    say: Say

    async def deliver(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        """See `bridge.ports.SupportsBursts`. What was erased meanwhile is not posted."""
        shown = [one for one in deliveries if one.body is not None]
        if not shown:
            return [Delivered() for _ in deliveries]
        messages = [one.effect.message for one in shown if isinstance(one.effect, PostMessage)]
        told = {"effects": [one.effect.id for one in shown], "messages": messages}
        root, ts = await self.say(shown[0], self._joined(shown[0], [Said(one.body) for one in shown]), told)
        post, elsewhere = root.post(ts, together=tuple(messages)), root.ref != shown[0].thread
        done = Delivered(root.ref if elsewhere else None, (post.ref,))
        return [done if one.body is not None else Delivered() for one in deliveries]

    async def redrawn(self, delivery: Delivery, post: Post) -> Rendered:
        """The post with what its messages say now."""
        session, shown = delivery.session.id, await self.shown_in(delivery, post)
        uttered = {one.message: one for one in await said_so_far(self.store, session)}
        edited = {one: uttered[one].revision for one in shown if one in uttered and uttered[one].revision}
        former = await self.store.bodies(session, [(one, revision - 1) for one, revision in edited.items()])
        before = {one: (body,) if body else () for one, body in zip(edited, former, strict=True)}
        room = await self._room(session, list(edited))
        now = {one: uttered[one].body for one in shown if one in uttered}
        now |= {one: _beginning(now[one], room[one]) for one in edited}
        return self._joined(delivery, [Said(now.get(one), one in edited, before.get(one, ())) for one in shown])

    async def is_cut(self, delivery: Delivery, message: MessageId) -> bool:
        """Whether the post has only the beginning of what this message says now."""
        body = delivery.body
        room = await self._room(delivery.session.id, [message])
        return body is not None and weight_of(body.text) > room[message]

    async def _room(self, session: SessionId, messages: Sequence[MessageId]) -> dict[MessageId, int]:
        """As much as it had when the post was made: what was not edited is shown as it was, and all fit together."""
        first = await self.store.bodies(session, [(one, 0) for one in messages])
        had = [weight_of(body.text) if body else 0 for body in first]
        return {one: max(GROWS_TO, weight) for one, weight in zip(messages, had, strict=True)}

    async def shown_in(self, delivery: Delivery, post: Post) -> list[MessageId]:
        """The messages that have their place in this post. One that the books do not know yet may get it still."""
        session, mirror = delivery.session.id, delivery.effect.mirror
        known = await self.store.posted(session, post.together)
        posts = await gather(*(self.store.posts(session, one, mirror) for one in post.together))
        return [
            message
            for message, refs in zip(post.together, posts, strict=True)
            if message not in known or any(Post.of(ref).ts == post.ts for ref in refs)
        ]

    async def is_needed(self, delivery: Delivery, post: Post) -> bool:
        """Whether any message but the delivery's own has its place there."""
        return not delivery.session.erased and bool(await self.shown_in(delivery, post))

    def _joined(self, delivery: Delivery, said: Sequence[Said]) -> Rendered:
        named = next((place for place, one in enumerate(said) if one.body is not None), 0)
        parts = [self.draw(delivery, one, place == named) for place, one in enumerate(said)]
        text = parts[0].text
        for part in parts[1:]:
            if len(text) + 1 + len(part.text) > TEXT:
                break
            text += f"\n{part.text}"
        return Rendered(text, [block for part in parts for block in part.blocks], inert=True)


def _beginning(body: Body, room: int) -> Body:
    """What fits into the room; the same body where all of it does."""
    text = body.text
    if weight_of(text) <= room:
        return body
    while weight_of(text) >= room:
        text = text[: min(len(text) - 1, room)] if len(text) > room else text[: len(text) * 9 // 10]
    return Body((TextPart(f"{text}…"),))
