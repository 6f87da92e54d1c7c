"""How a burst looks on Discord: each message in a block of its own, beneath the name of whoever wrote them.

Nothing in a post says what it was made of, and history shows no nonces. So that is written down of each message before
the post is sent: with it a post whose answer was lost is known by its words, however a later burst is cut.
"""

from __future__ import annotations

import json
from asyncio import gather
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from adapters.discord.outward.parts import KEPT
from adapters.discord.refs import NAME, Post, Root
from adapters.discord.render import CONTENT, Rendered, Wording, small, weight_of
from adapters.discord.shown.filtered import FILTERED, Filter
from adapters.discord.shown.rewording import changed
from adapters.discord.text.markup import escaped_within, fenced, units
from bridge.errors import DeliveryError, Fault
from bridge.messages import one_line
from bridge.networks import bursts
from bridge.networks.bursts import BurstBooks, Measure, Said, messages_of
from bridge.networks.names import customer_name
from bridge.ports import Delivered, Delivery, Store
from routing.effects import PostMessage
from routing.facts import Side
from routing.ids import EffectId, MessageId, PostRef

HEAD = 130
"""Characters of the name above them."""

EACH = 30
"""What a message takes besides its words: the fences of its block, and a line that says that it was edited."""

MEASURE = Measure(weight_of, at_first=900, at_most=CONTENT - HEAD - 30, each=EACH)

APART = 10_000
"""Messages that are remembered, lest they are tried together once more."""

TRIED = 3
"""Edited messages without which a post is tried, one at a time, when the filter does not take all of them."""

MadeOf = tuple[tuple[MessageId, int], ...]
"""The messages of a post, with the revision in which each was posted."""

NOTHING: frozenset[MessageId] = frozenset()

Say = Callable[[Delivery, Rendered, str], Awaitable[tuple[Root, str]]]
"""Post in the delivery's thread, with a nonce made of a name: where it is now, and the post; "" if it is gone."""

Change = Callable[[Delivery, Post, Rendered, bool], Awaitable[None]]
"""Change a post; whether something of ours may stand in its place where the filter does not take it."""


class BurstNotes:
    """What is written down of each message before it is sent with others: by its effect, every attempt."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, shown: Sequence[Delivery]) -> None:
        made_of = [[one.effect.message, one.effect.revision] for one in shown if isinstance(one.effect, PostMessage)]
        await gather(*(self._add(one.effect.id, made_of) for one in shown))

    async def _add(self, effect: EffectId, made_of: list[list[Any]]) -> None:
        noted = await self._read(effect)
        if made_of not in noted:
            await self._store.put(f"{NAME}/bursts/{effect}", json.dumps([*noted, made_of]), KEPT)

    async def of(self, effect: EffectId) -> list[MadeOf]:
        """The posts that the effect's message has perhaps gone out in."""
        return [tuple((MessageId(one), revision) for one, revision in each) for each in await self._read(effect)]

    async def _read(self, effect: EffectId) -> list[list[list[Any]]]:
        kept = await self._store.get(f"{NAME}/bursts/{effect}")
        return list(json.loads(kept)) if kept else []


@dataclass(frozen=True, slots=True)
class _Part:
    """A message in a post. `more` stands beneath it where there is room."""

    shown: str
    more: tuple[str, ...] = ()


class Bursts:
    """`say` and `change` are what any post is said and changed with."""

    def __init__(self, store: Store, wording: Wording, past_filter: Filter, say: Say, change: Change) -> None:
        self._store = store
        self._wording = wording
        self._filter = past_filter
        self._say = say
        self._change = change
        self._apart: OrderedDict[EffectId, None] = OrderedDict()
        self.notes = BurstNotes(store)
        self.books = BurstBooks(store, MEASURE, lambda ref: Post.of(ref).message)

    def fitting(self, deliveries: Sequence[Delivery]) -> int:
        """How many of them go into one post. What Discord has refused together goes one by one."""
        alone = (count for count, one in enumerate(deliveries) if one.effect.id in self._apart)
        return max(1, min(MEASURE.fitting(deliveries), next(alone, len(deliveries))))

    async def deliver(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        try:
            return await bursts.deliver(deliveries, self._post)
        except DeliveryError as error:
            if error.fault is Fault.POISON:
                self._keep_apart(deliveries)
            raise

    def _keep_apart(self, deliveries: Sequence[Delivery]) -> None:
        self._apart.update((one.effect.id, None) for one in deliveries)
        while len(self._apart) > APART:
            self._apart.popitem(last=False)

    async def _post(self, shown: Sequence[Delivery]) -> Delivered:
        first, messages = shown[0], messages_of(shown)
        await self.notes.note(shown)
        said = [Said(message, one.body) for message, one in zip(messages, shown, strict=True)]
        root, post = await self._say(first, self.joined(first, said), "+".join(one.effect.id for one in shown))
        elsewhere = root.ref if root.ref != first.thread else None
        posts = (replace(Post.of(PostRef(post)), together=messages).ref,) if post else ()
        return Delivered(elsewhere, posts)

    # ------------------------------------------------------------------ changing

    async def redraw(self, delivery: Delivery, post: Post) -> None:
        """Have the post show what its messages say now. What the filter takes in nobody's words costs no neighbour
        theirs: what stood there was let through, so it can only be in what was edited. Raises DeliveryError."""
        said = await self.books.said_in(delivery, post)
        for withheld in _suspects(delivery, said):
            try:
                return await self._change(delivery, post, self.joined(delivery, said, withheld), False)
            except DeliveryError as error:
                if error.code not in FILTERED:
                    raise
        return await self._change(delivery, post, self.joined(delivery, said), True)

    # ------------------------------------------------------------------ how it looks

    def joined(self, delivery: Delivery, said: Sequence[Said], withheld: Collection[MessageId] = NOTHING) -> Rendered:
        """All of them in one post; of those that are `withheld`, that they are."""
        parts = [self._part(delivery, one, withheld) for one in said]
        lines = [f"**{self._speaker(delivery)}**", *(part.shown for part in parts)]
        room = CONTENT - sum(units(line) + 1 for line in lines)
        told = lines[:1]
        for part in parts:
            told.append(part.shown)
            for line in part.more:
                if units(line) < room:
                    told.append(line)
                    room -= units(line) + 1
        return Rendered("\n".join(told))

    def _speaker(self, delivery: Delivery) -> str:
        name = customer_name(delivery.about, delivery.session.language, self._wording)
        return escaped_within(one_line(name, HEAD), HEAD)

    def _part(self, delivery: Delivery, said: Said, withheld: Collection[MessageId]) -> _Part:
        language = delivery.session.language
        if said.body is None:
            return _Part(small(self._wording(language, "line.withdrawn")))
        if said.message in withheld:
            return _Part(small(self._wording(language, "post.filtered")), self._filter.ways(delivery.session))
        words = fenced(said.body.text)
        if not said.edited:
            return _Part(words)
        edited, *former = changed(said.former, language, self._wording)
        return _Part(f"{words}\n{edited}", tuple(former))

    async def words_of(self, delivery: Delivery, made_of: MadeOf) -> Rendered | None:
        """The post as it was sent; None where some of it was erased."""
        bodies = await self._store.bodies(delivery.session.id, made_of)
        said = [Said(message, body) for (message, _), body in zip(made_of, bodies, strict=True) if body is not None]
        return self.joined(delivery, said) if len(said) == len(made_of) else None


def _suspects(delivery: Delivery, said: Sequence[Said]) -> Iterator[frozenset[MessageId]]:
    """What is left out, in turn: nothing; one that was edited, the last one first; all of those."""
    own = getattr(delivery.effect, "message", None)
    edited = sorted((one.message for one in said if one.edited and one.body), key=lambda one: one != own)
    yield NOTHING
    yield from (frozenset((one,)) for one in islice(edited, TRIED))
    if len(edited) > 1:
        yield frozenset(edited)


def may_have_been_in_one(delivery: Delivery) -> bool:
    return isinstance(delivery.effect, PostMessage) and delivery.effect.side is Side.CUSTOMER
