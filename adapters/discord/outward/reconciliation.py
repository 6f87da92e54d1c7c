"""Finding out what became of an effect whose answer was lost, and taking back what it left twice.

A message bears a nonce made of its effect's id: said again within minutes, it is the message that Discord has. History
shows no nonces and Discord forgets them, so what was said is known by its words and its place: a lane is in order, so
of what stands behind the latest post in the books, what is ours and in no book can only be what is looked for.

Words alone do not tell two messages apart that read alike. So nothing is taken for a double while the lane is at work:
what another message of it has just posted may not be in the books yet.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from adapters.discord import render
from adapters.discord.heard.app import App
from adapters.discord.outward.bursts import Bursts, may_have_been_in_one
from adapters.discord.outward.parts import PartBooks, digest_of
from adapters.discord.places.history import History, Message, snowflake
from adapters.discord.places.roots import Roots, nonce
from adapters.discord.refs import NAME, Post, Root
from adapters.discord.render import Rendered
from adapters.discord.text.markup import certain
from adapters.discord.wire.client import RestApi
from adapters.discord.wire.faults import put_off
from bridge.networks.card import Wording
from bridge.ports import Delivered, Delivery, Store
from routing.effects import (
    AlertDesk,
    AskAboutHeld,
    CallOperators,
    Effect,
    OpenThread,
    PostHistory,
    PostLine,
    PostMessage,
    PostTranslation,
    ReactToMessage,
    ReviseMessage,
    kept_under,
)
from routing.ids import EffectId, PostRef, ThreadRef

POSTS = (PostMessage, PostLine, PostTranslation, PostHistory, CallOperators, AlertDesk, ReactToMessage)
"""Effects that leave a post in the thread."""

_ABOUT_FILES = re.compile(r"(?:(?:^|\n)-# [^\n]*)+\Z")
_WAYS = re.compile(r"<(?:https?://|t:)[^>\s]*>")

AT_WORK = 1.0
"""Seconds until it is asked again whether a lane is at work."""

Drawn = Callable[[Delivery], Awaitable[tuple[Rendered, ...]]]
"""The posts of a delivery, as they would be made now."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How an effect's posts read: as it was written down (`words`) when they were sent, else as they would now."""

    effect: Effect
    rendered: Sequence[Rendered]
    words: Sequence[str] | None = None

    @property
    def count(self) -> int:
        return len(self.words) if self.words is not None else len(self.rendered)

    def among(self, there: Sequence[Message], number: int) -> list[Message]:
        """Those that read as this part."""
        return [one for one in there if self._reads(one, number)]

    def _reads(self, message: Message, number: int) -> bool:
        if self.words is not None:
            return digest_of(message, self.effect.id) == self.words[number]
        wanted = self.rendered[number]
        if isinstance(self.effect, PostMessage):
            return _says(message, wanted)
        return wanted.is_shown_by(message)


class Reconciliation:
    """`drawn` is what a delivery says; `remove` takes a post away, `delete_mirror` a whole thread; `app` tells who we
    are."""

    def __init__(
        self,
        *,
        api: RestApi,
        store: Store,
        roots: Roots,
        part_books: PartBooks,
        bursts: Bursts,
        wording: Wording,
        app: Callable[[], App],
        drawn: Drawn,
        remove: Callable[[Post], Awaitable[None]],
        delete_mirror: Callable[[Delivery], Awaitable[Delivered]],
    ) -> None:
        self._api = api
        self._store = store
        self._roots = roots
        self._part_books = part_books
        self._bursts = bursts
        self._wording = wording
        self._app = app
        self._drawn = drawn
        self._remove = remove
        self._delete_mirror = delete_mirror
        self._history = History(api)

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """See the port; what the books name already comes first, then the oldest. Of Discord it only reads; parts that
        are found are written down, so that `deliver` goes on behind them."""
        effect = delivery.effect
        if isinstance(effect, OpenThread):
            return [Delivered(root.ref) for root in await self._roots.find(delivery, effect.id)]
        if delivery.thread is None:
            return []
        if isinstance(effect, ReviseMessage):
            await self._note_what_grew(delivery)
        if not isinstance(effect, (*POSTS, AskAboutHeld)):
            return []  # changing or deleting again does no harm
        rendered = await self._drawn(delivery)
        return await self._find_posts(delivery, rendered)

    async def find_together(self, deliveries: Sequence[Delivery]) -> list[list[Delivered]]:
        """See the port. They were posted as one: one look tells of all, unless they went to another thread."""
        first = deliveries[0]
        root = Root.of(first.thread) if first.thread else None
        there = await self._unbooked(first, root, ()) if root is not None else None
        if root is None or there is None:
            return [await self.find(one) for one in deliveries]
        return [_kept_first(await self._in_bursts(one, root, there), ()) for one in deliveries]

    async def _find_posts(self, delivery: Delivery, rendered: Sequence[Rendered]) -> list[Delivered]:
        """Of several posts the first ones alone are not the whole."""
        effect = delivery.effect
        words = await self._part_books.words(effect.id)
        if not (words or rendered):
            return []
        kept = await self._store.posts(delivery.session.id, kept_under(effect), effect.mirror)
        root = Root.of(delivery.thread or ThreadRef(""))
        there = await self._unbooked(delivery, root, (*kept, *await self._shared(delivery)))
        if there is not None:
            return await self._in_thread(delivery, root, there, _Wanted(effect, rendered, words), kept)
        return await self._elsewhere(delivery, root, _Wanted(effect, rendered, words), kept)

    async def _elsewhere(
        self, delivery: Delivery, dead: Root, wanted: _Wanted, kept: Sequence[PostRef]
    ) -> list[Delivered]:
        """Its thread is gone: perhaps it was said in one that was opened in that one's stead."""
        for root in await self._roots.find(delivery, EffectId(f"{delivery.effect.id}.root")):
            there = await self._unbooked(delivery, root, kept) if root != dead else None
            found = await self._in_thread(delivery, root, there, wanted, kept) if there else []
            if found:
                return [replace(one, thread=root.ref) for one in found]
        return []

    async def _in_thread(
        self, delivery: Delivery, root: Root, there: Sequence[Message], wanted: _Wanted, kept: Sequence[PostRef]
    ) -> list[Delivered]:
        found = [wanted.among(there, number) for number in range(wanted.count)]
        if wanted.count > 1:
            return await self._wholes(delivery, root, found)
        known = {Post.of(ref).message for ref in kept if not Post.of(ref).together}
        alone = [one for one in there if one in found[0] or one["id"] in known]  # what was edited since reads otherwise
        bursts = await self._in_bursts(delivery, root, there)
        return _kept_first([*(Delivered(posts=(_post(root, one),)) for one in alone), *bursts], kept)

    async def _in_bursts(self, delivery: Delivery, root: Root, there: Sequence[Message]) -> list[Delivered]:
        """The posts that show it with others: by the books of those, or by what it was perhaps sent with."""
        if not may_have_been_in_one(delivery):
            return []
        booked = {Post.of(ref).message: ref for ref in await self._shared(delivery)}
        found = {one["id"]: booked[one["id"]] for one in there if one["id"] in booked}
        for made_of in await self._bursts.notes.of(delivery.effect.id):
            sent = await self._bursts.words_of(delivery, made_of)
            together = tuple(message for message, _ in made_of)
            for one in there:
                if sent is not None and one["id"] not in booked and _says(one, sent):
                    found[one["id"]] = root.post(str(one["id"]), together=together).ref
        return [Delivered(posts=(ref,)) for _, ref in sorted(found.items(), key=lambda one: int(one[0]))]

    async def _shared(self, delivery: Delivery) -> list[PostRef]:
        """The posts in the books, of whichever message, that were made of this one, too."""
        if not may_have_been_in_one(delivery):
            return []
        message = kept_under(delivery.effect)
        posts = await self._store.all_posts(delivery.session.id, delivery.effect.mirror)
        return [ref for ref in dict.fromkeys(posts) if message in Post.of(ref).together]

    async def _unbooked(self, delivery: Delivery, root: Root, kept: Sequence[PostRef]) -> list[Message] | None:
        """What is ours in the thread, behind the latest post before it, and is in no book of another message; None
        where the thread is gone."""
        session, mirror = delivery.session, delivery.effect.mirror
        own = {Post.of(ref).message for ref in kept}
        others = {Post.of(ref).message for ref in await self._store.all_posts(session.id, mirror)} - own
        before = [int(one) for one in others if not own or int(one) < min(map(int, own))]
        since = max([int(snowflake(session.opened_at)), *before])
        there = await self._history.after(root.thread, str(since))
        if there is None:
            return None
        return [one for one in there if self._app().wrote(one) and one["id"] not in others]

    async def _wholes(self, delivery: Delivery, root: Root, found: list[list[Message]]) -> list[Delivered]:
        said = await self._part_books.read(delivery.effect.id)
        for number, messages in enumerate(found):
            if messages and not said.get(str(number)):
                said[str(number)] = _post(root, messages[0])
        if said:
            await self._part_books.write(delivery.effect.id, said)
        if any(str(number) not in said for number in range(len(found))):
            return []
        whole = [said[number] for number in sorted(said, key=int)]
        doubles = [_post(root, one) for messages in found for one in messages if _post(root, one) not in whole]
        return [Delivered(posts=tuple(map(PostRef, whole))), *(Delivered(posts=(one,)) for one in doubles)]

    async def _note_what_grew(self, delivery: Delivery) -> None:
        """A change that needs more posts than there were has perhaps made them."""
        root, first = Root.of(delivery.thread or ThreadRef("")), len(delivery.posts)
        rendered = await self._drawn(delivery) if delivery.body is not None and first else ()
        if first and (post := Post.of(delivery.posts[0])).together:  # it stands whole below, or not at all
            first -= 1
            is_cut = await self._bursts.books.is_cut(delivery, kept_under(delivery.effect), post)
            rendered = rendered if is_cut else ()
        there = await self._unbooked(delivery, root, delivery.posts) if len(rendered) > first else None
        if not there:
            return
        said, wanted = await self._part_books.read(delivery.effect.id), _Wanted(delivery.effect, rendered)
        for number in range(first, len(rendered)):
            messages = wanted.among(there, number)
            if messages and not said.get(str(number)):
                said[str(number)] = _post(root, messages[0])
        await self._part_books.write(delivery.effect.id, said)

    # ------------------------------------------------------------------ doubles

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        """Take back a second result. A second thread that people answered in stays, and points to the first."""
        if double.posts and await self._is_anothers(delivery, double):
            return
        for post in map(Post.of, double.posts):
            if post.together and await self._bursts.books.is_needed(delivery, post):
                await self._bursts.redraw(delivery, post)
            else:
                await self._remove(post)
        if double.thread is None or not isinstance(delivery.effect, OpenThread):
            return
        root = Root.of(double.thread)
        said = await self._history.after(root.thread, root.thread) or []
        if any(not self._app().wrote(one) for one in said):
            await self._point(delivery, root)
        else:
            await self._delete_mirror(replace(delivery, thread=root.ref))

    async def _is_anothers(self, delivery: Delivery, double: Delivered) -> bool:
        """Whether it is in the books of another message by now. Raises DeliveryError while that may still change."""
        session, effect = delivery.session.id, delivery.effect
        if await self._store.lane_states(session, NAME) is not None:
            raise put_off("lane_at_work", AT_WORK)
        own = {*await self._store.posts(session, kept_under(effect), effect.mirror), *await self._shared(delivery)}
        others = {Post.of(ref).message for ref in set(await self._store.all_posts(session, effect.mirror)) - own}
        return any(Post.of(ref).message in others for ref in double.posts)

    async def _point(self, delivery: Delivery, double: Root) -> None:
        kept = (await self._store.threads(delivery.session.id)).get(delivery.effect.mirror)
        if kept is None:
            return
        text = self._wording(delivery.session.language, "line.double", link=Root.of(kept).link)
        name = nonce(f"{delivery.effect.id}.pointer")
        body = {**render.line(text).posted, "nonce": name, "enforce_nonce": True}
        await self._api.say(f"/channels/{double.thread}/messages", body)


def beneath(content: str) -> str:
    """What somebody says, without the name over it (people change theirs), and without the lines about files: there
    are more when Discord refuses some, and their links run out at another time."""
    said = certain(content)
    head, _, rest = said.partition("\n")
    said = rest if rest and head.startswith(("**", "-# ")) else said
    return _ABOUT_FILES.sub("", said) or _WAYS.sub("", said)


def _says(message: Message, wanted: Rendered) -> bool:
    return beneath(str(message.get("content") or "")) == beneath(wanted.content)


def _post(root: Root, message: Message) -> PostRef:
    shown = tuple(str(one["id"]) for one in message.get("attachments") or ())
    return root.post(str(message["id"]), shown).ref


def _kept_first(found: list[Delivered], kept: Sequence[PostRef]) -> list[Delivered]:
    books = {Post.of(ref).message for ref in kept}
    return sorted(found, key=lambda one: Post.of(one.posts[0]).message not in books)
