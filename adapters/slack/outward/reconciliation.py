"""Finding out what became of an effect whose answer was lost, and taking back what it left twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from adapters.slack import render
from adapters.slack.outward import withdrawals
from adapters.slack.outward.alerts import Alerts
from adapters.slack.outward.bursts import Bursts
from adapters.slack.outward.calls import IN_THREAD, Calls
from adapters.slack.outward.drawing import Drawing, shown_of
from adapters.slack.outward.parts import PartBooks, Trace
from adapters.slack.outward.posts import Posts, delivered
from adapters.slack.outward.shares import Shares
from adapters.slack.outward.speech import Speech
from adapters.slack.parse import App
from adapters.slack.places.history import History, Message, with_effect
from adapters.slack.places.roots import Roots, place_of
from adapters.slack.places.threads import metadata
from adapters.slack.refs import Post, Root
from adapters.slack.render import Wording
from bridge.networks.pacing import Urgency
from bridge.ports import Delivered, Delivery, Store
from routing.effects import (
    AlertDesk,
    CallOperators,
    OpenThread,
    PostHistory,
    PostLine,
    PostMessage,
    PostTranslation,
    ReactToMessage,
    ReviseMessage,
    WithdrawMessage,
    kept_under,
)
from routing.ids import ThreadRef

POSTS = (PostMessage, PostLine, PostTranslation, PostHistory, CallOperators, AlertDesk, ReactToMessage)
"""Effects that may leave a post in the thread; a reaction does where it has to be said in words."""


class Reconciliation:
    """`app` tells who we are; `link` is a root's address."""

    def __init__(
        self,
        *,
        store: Store,
        shares: Shares,
        history: History,
        part_books: PartBooks,
        bursts: Bursts,
        posts: Posts,
        roots: Roots,
        speech: Speech,
        drawing: Drawing,
        calls: Calls,
        alerts: Alerts,
        wording: Wording,
        app: Callable[[], App],
        link: Callable[[Root], str],
    ) -> None:
        self._store = store
        self._shares = shares
        self._history = history
        self._part_books = part_books
        self._bursts = bursts
        self._posts = posts
        self._roots = roots
        self._speech = speech
        self._drawing = drawing
        self._calls = calls
        self._alerts = alerts
        self._wording = wording
        self._app = app
        self._link = link

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """See the port; what the books name already comes first, then the oldest. Of Slack it only reads; what is found
        of a message with files is written down in the store, so that `deliver` goes on from there."""
        effect = delivery.effect
        if isinstance(effect, OpenThread):
            return await self._roots.found(delivery)
        if isinstance(effect, CallOperators) and effect.kind not in IN_THREAD:
            return await self._calls.find(delivery, effect)
        if not isinstance(effect, POSTS) and not await self._may_have_posted(delivery):
            return []  # changing or deleting again does no harm
        if isinstance(effect, AlertDesk) and (posted := await self._alerts.find(delivery)):
            return posted
        found = await self._wholes(delivery, await self._traces(delivery))
        files = delivery.body.files if delivery.body and isinstance(effect, PostMessage) else ()
        return await self._kept_first(delivery, await self._with_files(delivery, found) if files else found)

    async def find_together(self, deliveries: Sequence[Delivery]) -> list[list[Delivered]]:
        """See the port. They were posted as one, in one thread: one look at it tells of all."""
        first = deliveries[0]
        if first.thread:
            root = Root.of(first.thread)
            thread = await self._history.thread(root, _since(first))
            found = [[Trace.of(root, one) for one in with_effect(thread.replies, d.effect.id)] for d in deliveries]
            if thread.living or any(found):
                return [[delivered(first, root, trace.post) for trace in traces] for traces in found]
        return [await self.find(one) for one in deliveries]

    async def _may_have_posted(self, delivery: Delivery) -> bool:
        effect = delivery.effect
        if isinstance(effect, WithdrawMessage):
            return withdrawals.written_here(delivery, effect) is not None
        return isinstance(effect, ReviseMessage) and await self._grew(delivery)

    async def _grew(self, delivery: Delivery) -> bool:
        """Whether a change posts anything: what was said has become too long for the posts that it has."""
        effect, words = delivery.effect, [ref for ref in delivery.posts if not Post.of(ref).files]
        if isinstance(effect, ReviseMessage) and words and (post := Post.of(words[0])).together:
            grew = len(words) == 1 and await self._bursts.books.is_cut(delivery, effect.message, post)
            grew = grew or (len(words) > 1 and _pieces_of(delivery) >= len(words))
        else:
            grew = _pieces_of(delivery) > max(1, len(words))
        return grew or bool((await self._part_books.read(effect.id)).posts)

    async def _wholes(self, delivery: Delivery, traces: list[Trace]) -> list[Delivered]:
        """The effect's posts first, and what is there twice. Nothing while parts are missing: what is there is written
        down, and `deliver` goes on behind it."""
        effect = delivery.effect
        pages = await self._drawing.history(delivery) if isinstance(effect, PostHistory) else ()
        numbers = shown_of(pages) if pages else range(_pieces_of(delivery))
        is_one = numbers == range(1) and not isinstance(effect, ReviseMessage)
        if is_one and not any(trace.part for trace in traces):
            return [delivered(delivery, trace.root, trace.post) for trace in traces]
        parts = (await self._part_books.read(effect.id)).with_found(traces)
        if parts.thread is None:
            return []
        await self._part_books.write(effect.id, parts)
        kept = [post.ref for post in parts.in_order()]
        goes_on = delivery.posts and not isinstance(effect, PostMessage)  # behind posts that were there before
        if not (set(kept) & set(delivery.posts) if goes_on else parts.has_all(numbers)):
            return []
        doubles = [trace for trace in traces if trace.post.ref not in kept]
        whole = delivered(delivery, Root.of(parts.thread), *parts.in_order())
        return [whole, *(delivered(delivery, one.root, one.post) for one in doubles)]

    async def _kept_first(self, delivery: Delivery, found: list[Delivered]) -> list[Delivered]:
        """Likewise for a message: the post that the books name is the one that edits will go to."""
        effect = delivery.effect
        if len(found) < 2 or not isinstance(effect, PostMessage | PostTranslation):
            return found
        kept = await self._store.posts(delivery.session.id, kept_under(effect), effect.mirror)
        return sorted(found, key=lambda one: not set(one.posts) & set(kept))

    async def _traces(self, delivery: Delivery) -> list[Trace]:
        """Where this effect was said: in its thread, else in one that took its place, else astray in the channel."""
        effect, since = delivery.effect, _since(delivery)
        if delivery.thread:
            root = Root.of(delivery.thread)
            thread = await self._history.thread(root, since)
            found = [Trace.of(root, one) for one in with_effect(thread.replies, effect.id)]
            if found or thread.living:
                return found
        return await self._traces_elsewhere(delivery, since)

    async def _traces_elsewhere(self, delivery: Delivery, since: int) -> list[Trace]:
        name, team, place = delivery.effect.id, self._app().team, place_of(delivery)
        found = []
        for message in await self._roots.standing(delivery):
            root = Root(team, place, message["ts"])
            thread = await self._history.thread(root, since)
            found += [Trace.of(root, one) for one in with_effect(thread.replies, name)]
        astray = with_effect(await self._history.channel(place, since), name)
        return found + [Trace.of(Root(team, place, one["ts"]), one) for one in astray]

    async def _with_files(self, delivery: Delivery, found: list[Delivered]) -> list[Delivered]:
        """Complete only when its files are shown too; else nothing is reported and `deliver` completes it."""
        effect = delivery.effect
        share = await self._shares.recorded(effect.id)
        if found and not share.post:
            post = Post.of(found[0].posts[0])
            share = replace(share, post=post.ts, thread=found[0].thread or delivery.thread or "")
            await self._shares.record(effect.id, share)
        root = Root.of(ThreadRef(share.thread)) if share.thread else None
        shown = await self._shares.shown(share, root) if share.completing and root else None
        if shown is None or root is None:
            return []
        whole = delivered(delivery, root, *await self._part_books.words_above(effect.id, root.post(share.post)), shown)
        return [whole, *(double for double in found if Post.of(double.posts[0]).ts != share.post)]

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        """Take back a second result. A second root that people answered in stays, and points to the first."""
        for post in map(Post.of, double.posts):
            if post.together and await self._bursts.books.is_needed(delivery, post):
                await self._posts.update(post.channel, post.ts, await self._bursts.redrawn(delivery, post))
            else:
                await self._posts.remove(post)
        if double.thread is None or not isinstance(delivery.effect, OpenThread):
            return
        root = Root.of(double.thread)
        thread = await self._history.thread(root)
        if any(not self._app().wrote(one) for one in thread.replies):
            await self._point(delivery, root, thread.replies)
        elif thread.living:
            await self._posts.remove(root.post(root.ts))

    async def _point(self, delivery: Delivery, double: Root, replies: tuple[Message, ...]) -> None:
        session, name = delivery.session, f"{delivery.effect.id}.pointer"
        kept = await self._roots.kept(delivery)
        if kept is None or with_effect(replies, name):
            return
        link = self._link(Root.of(kept))
        rendered = render.line(self._wording(session.language, "line.double", link=link))
        told = metadata(name, session.id, delivery.effect.mirror)
        await self._speech.reply(double, {"metadata": told, **rendered.posted}, Urgency.LINE)


def _pieces_of(delivery: Delivery) -> int:
    """How many posts the effect's words need."""
    body = delivery.body
    may_be_long = isinstance(delivery.effect, PostMessage | PostTranslation | ReviseMessage)
    return len(render.in_pieces(body.words)) if may_be_long and body is not None else 1


def _since(delivery: Delivery) -> int:
    """No trace of the effect can be older than this (ms since 1970)."""
    effect = delivery.effect
    spoken = delivery.session.spoken(effect.message) if isinstance(effect, PostMessage) else None
    return spoken.at if spoken else delivery.session.opened_at
