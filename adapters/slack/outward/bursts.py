"""How a burst looks on Slack: each message in blocks of its own, and the speaker's name above the first.

The post names all of them in its metadata, too; so each is found after a lost answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from adapters.slack.refs import Post, Root
from adapters.slack.render import LONG, TEXT, Rendered, weight_of
from bridge.networks import bursts
from bridge.networks.bursts import BurstBooks, Measure, Said, messages_of
from bridge.ports import Delivered, Delivery, Store

MEASURE = Measure(weight_of, at_first=3_000, at_most=LONG)
"""chat.update takes 4,000 characters of text."""

Draw = Callable[[Delivery, Said, bool], Rendered]
"""One message as a part of a post: with its speaker's name above it, or without."""

Say = Callable[[Delivery, Rendered, Mapping[str, Any]], Awaitable[tuple[Root, str]]]
"""Post in the delivery's thread; what the metadata says besides."""


class Bursts:
    """`draw` and `say` are what any message is drawn and posted with."""

    def __init__(self, store: Store, draw: Draw, say: Say) -> None:
        self._draw = draw
        self._say = say
        self.books = BurstBooks(store, MEASURE, lambda ref: Post.of(ref).ts)

    async def deliver(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        return await bursts.deliver(deliveries, self._post)

    async def _post(self, shown: Sequence[Delivery]) -> Delivered:
        messages = messages_of(shown)
        told = {"effects": [one.effect.id for one in shown], "messages": messages}
        said = [Said(message, one.body) for message, one in zip(messages, shown, strict=True)]
        root, ts = await self._say(shown[0], self._joined(shown[0], said), told)
        elsewhere = root.ref if root.ref != shown[0].thread else None
        return Delivered(elsewhere, (root.post(ts, together=messages).ref,))

    async def redrawn(self, delivery: Delivery, post: Post) -> Rendered:
        """The post with what its messages say now."""
        return self._joined(delivery, await self.books.said_in(delivery, post))

    def _joined(self, delivery: Delivery, said: Sequence[Said]) -> Rendered:
        named = next((place for place, one in enumerate(said) if one.body is not None), 0)
        parts = [self._draw(delivery, one, place == named) for place, one in enumerate(said)]
        text = parts[0].text
        for part in parts[1:]:
            if len(text) + 1 + len(part.text) > TEXT:
                break
            text += f"\n{part.text}"
        return Rendered(text, [block for part in parts for block in part.blocks], inert=True)
