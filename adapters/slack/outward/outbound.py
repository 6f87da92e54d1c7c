"""Carrying out effects: what each of them posts, changes or takes away.

Everything that is posted bears its effect's id in its metadata, since Slack has no idempotency key. What is changed or
deleted may simply be changed or deleted again. What became of an effect whose answer was lost, `reconciliation` finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from adapters.slack import render
from adapters.slack.inward import reactions
from adapters.slack.outward import withdrawals
from adapters.slack.outward.alerts import Alerts, Whom
from adapters.slack.outward.attached import DeskLink, Removal
from adapters.slack.outward.bursts import Bursts
from adapters.slack.outward.calls import IN_THREAD, Calls
from adapters.slack.outward.drawing import Drawing, shown_of
from adapters.slack.outward.erasure import Erasure
from adapters.slack.outward.parts import PartBooks
from adapters.slack.outward.posts import Posts, delivered
from adapters.slack.outward.reconciliation import Reconciliation
from adapters.slack.outward.shares import Shares
from adapters.slack.outward.speech import NOTHING_MORE, Speech
from adapters.slack.outward.withdrawals import Withdrawals
from adapters.slack.parse import App
from adapters.slack.places.channels import Channels
from adapters.slack.places.history import History
from adapters.slack.places.roots import Draw, Roots, place_of
from adapters.slack.places.threads import Threads
from adapters.slack.refs import Post, Root
from adapters.slack.render import Rendered, Title, Wording
from adapters.slack.shown import held
from adapters.slack.text.markup import escape
from adapters.slack.wire.client import WebApi
from bridge.directory import Directory
from bridge.errors import DeliveryError
from bridge.messages import Body, FilePart, TextPart
from bridge.networks.canned import DeskTitle
from bridge.networks.pacing import Urgency
from bridge.networks.whereabouts import Whereabouts
from bridge.ports import Delivered, Delivery, Store
from routing.effects import (
    MOVED,
    AlertDesk,
    AskAboutHeld,
    CallOperators,
    DeleteMirror,
    Effect,
    EndHeld,
    OpenThread,
    PostHistory,
    PostLine,
    PostMessage,
    PostTranslation,
    ReactToMessage,
    RemoveFile,
    ReviseMessage,
    WithdrawMessage,
    WithdrawTranslation,
)
from routing.facts import Side
from routing.ids import OperatorId, ThreadRef
from routing.session import Pending, Session

SHOWS_THE_CUSTOMER = (OpenThread, PostMessage, ReviseMessage, PostTranslation, PostHistory)
"""Effects that put a customer's name or words into a channel."""

_log = structlog.get_logger(__name__)


class Outbound:
    """`app` tells who we are, or raises DeliveryError while that is not known; `link` is a root's address;
    `whom` asks whom an alert calls now."""

    def __init__(
        self,
        *,
        api: WebApi,
        store: Store,
        shares: Shares,
        threads: Threads,
        channels: Channels,
        draw: Draw,
        directory: Directory,
        wording: Wording,
        title: Title,
        app: Callable[[], App],
        link: Callable[[Root], str],
        whom: Whom,
        desk_link: DeskLink,
        desk_title: DeskTitle,
        whereabouts: Whereabouts,
    ) -> None:
        self._api = api
        self._store = store
        self._shares = shares
        self._channels = channels
        self._draw = draw
        self._directory = directory
        self._wording = wording
        self._link = link
        self._whereabouts = whereabouts
        history = History(api)
        self._part_books = PartBooks(store)
        self._posts = Posts(api)
        self._roots = Roots(api, store, history, threads, draw, app)
        self._speech = Speech(api, history, self._posts, self._roots, self._part_books)
        self._drawing = Drawing(api, store, directory, wording, desk_link)
        self._bursts = Bursts(store, self._drawing.in_burst, self._say_burst)
        self._removal = Removal(api, store, link)
        self._withdrawals = Withdrawals(api)
        self._calls = Calls(api, directory, wording, title, link, lambda: app().team, desk_title)
        self._alerts = Alerts(api, self._calls, wording, whom, lambda: app().team)
        self._erasure = Erasure(store, history, self._posts, app, link)
        self.reconciliation = Reconciliation(
            store=store,
            shares=shares,
            history=history,
            part_books=self._part_books,
            bursts=self._bursts,
            posts=self._posts,
            roots=self._roots,
            speech=self._speech,
            drawing=self._drawing,
            calls=self._calls,
            alerts=self._alerts,
            wording=wording,
            app=app,
            link=link,
        )

    async def deliver(self, delivery: Delivery) -> Delivered:
        effect = delivery.effect
        if isinstance(effect, SHOWS_THE_CUSTOMER):
            await self._channels.admit(place_of(delivery))
        if isinstance(effect, OpenThread):
            return Delivered((await self._roots.open(delivery, effect.id)).ref)
        if isinstance(effect, PostLine | CallOperators):
            return await self._tell(delivery, effect)
        if isinstance(effect, AlertDesk):
            return await self._alert(delivery, effect)
        if isinstance(effect, AskAboutHeld | EndHeld):
            return await self._about_held(delivery, effect)
        if isinstance(effect, PostMessage):
            return await self._post_message(delivery, effect)
        if isinstance(effect, PostTranslation):
            return await self._post_translation(delivery, effect)
        if isinstance(effect, PostHistory):
            return await self._post_history(delivery)
        return await self._change(delivery, effect)

    async def _change(self, delivery: Delivery, effect: Effect) -> Delivered:
        """What was posted is changed or taken away."""
        if delivery.history:
            return await self._retell(delivery)
        if isinstance(effect, ReviseMessage):
            return await self._revise(delivery, effect)
        if isinstance(effect, ReactToMessage):
            return await self._react(delivery, effect)
        if isinstance(effect, WithdrawMessage):
            return await self._withdraw(delivery, effect)
        if isinstance(effect, WithdrawTranslation):
            return await self._remove_all(delivery)
        if isinstance(effect, RemoveFile):
            return await self._remove_file(delivery, effect)
        if isinstance(effect, DeleteMirror):
            return await self._erasure.delete(delivery)
        raise AssertionError(f"routing.effects has no {type(effect).__name__} for a network")

    # ------------------------------------------------------------------ posting

    async def _tell(self, delivery: Delivery, effect: PostLine | CallOperators) -> Delivered:
        """A line of the bridge's own: in the thread, or where a rung of the ladder calls."""
        if isinstance(effect, PostLine):
            onward = await self._whereabouts.onward(delivery) if effect.key == MOVED else ""
            return await self._post_line(delivery, effect, self._calls.words(delivery.session, effect, onward))
        if effect.kind in IN_THREAD:
            return await self._post_line(delivery, effect, self._calls.in_thread(delivery.session, effect))
        return await self._calls.deliver(delivery, effect)

    async def _alert(self, delivery: Delivery, effect: AlertDesk) -> Delivered:
        told = await self._alerts.told(delivery, effect)
        if told is None:
            return Delivered()  # somebody has it already, or nobody is to be disturbed
        if told.in_channel:
            return await self._alerts.post(delivery, told)
        root, ts = await self._speech.say(delivery, render.line(told.text), {}, Urgency.LINE)
        return delivered(delivery, root, root.post(ts))

    async def _about_held(self, delivery: Delivery, effect: AskAboutHeld | EndHeld) -> Delivered:
        """The line below held words. What was decided before it could be shown is not asked any more."""
        waiting = delivery.session.held(effect.message)
        if isinstance(effect, AskAboutHeld):
            if waiting is None:
                return Delivered()
            words = await self._not_in_a_thread(delivery.session, waiting)
            rendered = held.asked(delivery.session, waiting, effect.mirror, self._wording, words)
            if delivery.posts:
                return await self._rewrite(delivery, [rendered])
            root, ts = await self._speech.say(delivery, rendered, {}, Urgency.LINE)
            return delivered(delivery, root, root.post(ts))
        if not effect.key:
            return await self._remove_all(delivery)
        language = delivery.session.language
        name = self._directory.public_name(effect.operator, language) if effect.operator else ""
        text = self._wording(language, f"line.{effect.key}", operator=escape(name))
        for post in map(Post.of, delivery.posts):
            await self._posts.update(post.channel, post.ts, render.line(text), Urgency.LINE)
        return Delivered(posts=delivery.posts)

    async def _not_in_a_thread(self, session: Session, waiting: Pending) -> TextPart | None:
        """What a template says that is to leave: only the line beneath can show it. None: the thread does."""
        if waiting.mirror is not None:
            return None
        (body,) = await self._store.bodies(session.id, [(waiting.message, waiting.revision)])
        return body.words if body is not None else None

    async def _post_message(self, delivery: Delivery, effect: PostMessage) -> Delivered:
        body = delivery.body
        if body is None:
            return Delivered()  # erased before it could be posted
        rendered = self._drawing.said(delivery.session, delivery, effect.side, effect.operator)
        if body.files:
            return await self._post_with_files(delivery, body, rendered)
        root, posts = await self._speech.say_all(delivery, rendered, self._drawing.persona(delivery, effect.side))
        return delivered(delivery, root, *posts)

    async def deliver_together(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        await self._channels.admit(place_of(deliveries[0]))
        return await self._bursts.deliver(deliveries)

    async def _say_burst(self, delivery: Delivery, rendered: Rendered, told: Mapping[str, Any]) -> tuple[Root, str]:
        return await self._speech.say(delivery, rendered, self._drawing.persona(delivery, Side.CUSTOMER), told=told)

    async def _post_with_files(self, delivery: Delivery, body: Body, rendered: Sequence[Rendered]) -> Delivered:
        """The words first, with our metadata, then the files beneath them, from wherever an earlier attempt stopped."""
        effect = delivery.effect
        share = await self._shares.recorded(effect.id)
        root = Root.of(ThreadRef(share.thread)) if share.thread else None
        if root is None or not share.post:
            root, posts = await self._speech.say_all(delivery, rendered, {})
            share = replace(share, post=posts[0].ts, thread=root.ref)
        shown = await self._shares.show(effect.id, share, body.files, root)
        words = await self._part_books.words_above(effect.id, root.post(share.post))
        return delivered(delivery, root, *words, *([shown] if shown else []))

    async def _post_line(self, delivery: Delivery, effect: PostLine | CallOperators, text: str) -> Delivered:
        root, ts = await self._speech.say(delivery, render.line(text), {}, Urgency.LINE)
        if delivery.session.mirror.number != effect.mirror:
            await self._retire_card(delivery, root)
        return delivered(delivery, root, root.post(ts))

    async def _post_translation(self, delivery: Delivery, effect: PostTranslation) -> Delivered:
        """A quiet line under the message. Where there is one of an earlier revision, it says the new one."""
        if delivery.body is None:
            return Delivered()  # erased before it could be posted
        spoken = delivery.session.spoken(effect.message)
        rendered = render.translation(delivery.body, effect.language, spoken.at if spoken else 0, self._wording)
        if delivery.posts:
            return await self._rewrite(delivery, rendered)
        root, posts = await self._speech.say_all(delivery, rendered, {}, Urgency.LINE)
        return delivered(delivery, root, *posts)

    async def _post_history(self, delivery: Delivery) -> Delivered:
        """What was said where the session came from, for those who go on with it here."""
        pages = await self._drawing.history(delivery)
        if not pages:
            return Delivered()
        first = shown_of(pages).start
        root, posts = await self._speech.say_all(delivery, pages, {}, Urgency.LINE, first=first)
        return delivered(delivery, root, *posts)

    # ------------------------------------------------------------------ changing and taking away

    async def _remove_all(self, delivery: Delivery) -> Delivered:
        for post in map(Post.of, delivery.posts):
            await self._posts.remove(post)
        return Delivered()

    async def _retire_card(self, delivery: Delivery, root: Root) -> None:
        """The session lives elsewhere now: its old card keeps no buttons. Only looks depend on it."""
        try:
            await self._posts.update(root.channel, root.ts, await self._draw(delivery), Urgency.CARD)
        except DeliveryError as error:
            _log.info("slack_old_card_kept", session=delivery.session.id, code=error.code)

    async def _retell(self, delivery: Delivery) -> Delivered:
        """What was said before the mirror began reads otherwise now. It keeps to the posts that it has: if it needs
        more, the earliest stands on the desk page only."""
        pages = await self._drawing.history(delivery)
        shown = [pages[number] for number in shown_of(pages, len(delivery.history))]
        await self._rewrite(replace(delivery, posts=delivery.history), shown)
        return Delivered()

    async def _revise(self, delivery: Delivery, effect: ReviseMessage) -> Delivered:
        if not delivery.posts or delivery.body is None:
            return Delivered()  # never posted here, or erased
        if (post := Post.of(delivery.posts[0])).together:
            return await self._revise_in_burst(delivery, effect, post)
        return await self._rewrite(
            delivery, self._drawing.reworded(delivery, effect), self._drawing.persona(delivery, effect.side)
        )

    async def _revise_in_burst(self, delivery: Delivery, effect: ReviseMessage, post: Post) -> Delivered:
        """In the post that it shares; whole below, where it has outgrown that."""
        await self._posts.update(post.channel, post.ts, await self._bursts.redrawn(delivery, post))
        is_cut = await self._bursts.books.is_cut(delivery, effect.message, post)
        whole = self._drawing.reworded(delivery, effect) if is_cut else ()
        below = replace(delivery, posts=delivery.posts[1:])
        done = await self._rewrite(below, whole, self._drawing.persona(delivery, effect.side))
        return replace(done, posts=(delivery.posts[0], *done.posts))

    async def _rewrite(
        self, delivery: Delivery, rendered: Sequence[Rendered], dress: Mapping[str, str] = NOTHING_MORE
    ) -> Delivered:
        """Change what stands there, post what has become too long for it, take away what is not needed any more."""
        posts = [Post.of(ref) for ref in delivery.posts]
        words, shown = [post for post in posts if not post.files], [post for post in posts if post.files]
        for post, one in zip(words, rendered, strict=False):
            await self._posts.update(post.channel, post.ts, one)
        for post in words[len(rendered) :]:
            await self._posts.remove(post)
        if len(rendered) <= len(words):
            return Delivered(posts=tuple(post.ref for post in (*words[: len(rendered)], *shown)))
        root, more = await self._speech.say_all(delivery, rendered, dict(dress), first=len(words))
        return delivered(delivery, root, *words, *more, *shown)

    async def _react(self, delivery: Delivery, effect: ReactToMessage) -> Delivered:
        if await reactions.show(self._api, delivery, effect):
            return Delivered()
        key = "line.reacted" if effect.on else "line.unreacted"
        text = self._wording(delivery.session.language, key, reaction=effect.reaction)
        root, ts = await self._speech.say(delivery, render.line(text), {}, Urgency.LINE)
        return delivered(delivery, root, root.post(ts))

    async def _withdraw(self, delivery: Delivery, effect: WithdrawMessage) -> Delivered:
        if (post := withdrawals.written_here(delivery, effect)) is not None:
            return await self._mark_withdrawn(delivery, post)
        gone = render.line(self._wording(delivery.session.language, "line.withdrawn"))
        for number, post in enumerate(map(Post.of, delivery.posts)):
            if number or post.files:
                await self._posts.remove(post)
            else:
                shown = await self._bursts.redrawn(delivery, post) if post.together else gone
                await self._posts.update(post.channel, post.ts, shown)
        return Delivered()

    async def _mark_withdrawn(self, delivery: Delivery, post: Post) -> Delivered:
        """An operator's own post stays: only they can delete it. The thread says that the customer has it no more."""
        if not await self._withdrawals.mark(post):
            return Delivered()  # they have deleted it here, too
        link, language = self._link(Root(post.team, post.channel, post.ts)), delivery.session.language
        message = f"<{link}|{self._wording(language, 'line.this_message')}>"
        text = self._wording(language, "line.withdrawn_here", message=message)
        root, ts = await self._speech.say(delivery, render.line(text), {}, Urgency.LINE)
        return delivered(delivery, root, root.post(ts))

    async def _remove_file(self, delivery: Delivery, effect: RemoveFile) -> Delivered:
        """The file goes, and the words above it say that there was one."""
        session, body = delivery.session, delivery.body
        files = [part.file for part in body.parts if isinstance(part, FilePart)] if body is not None else []
        await self._removal.remove(delivery, effect, files.index(effect.file) if effect.file in files else -1)
        spoken = session.spoken(effect.message)
        whose_is_known = effect.side is Side.CUSTOMER or (spoken is not None and spoken.by)
        if delivery.posts and body is not None and whose_is_known and not effect.withdrawn:
            words = [post for post in map(Post.of, delivery.posts) if not post.files]
            by = OperatorId(spoken.by) if spoken and spoken.by else None
            for post, one in zip(words, self._drawing.said(session, delivery, effect.side, by), strict=False):
                shown = await self._bursts.redrawn(delivery, post) if post.together else one
                await self._posts.update(post.channel, post.ts, shown)
        return Delivered()

    async def refresh(self, delivery: Delivery) -> None:
        """Redraw the card. One that people deleted is not missed: the next post opens the thread again."""
        if delivery.thread is not None:
            root = Root.of(delivery.thread)
            await self._posts.update(root.channel, root.ts, await self._draw(delivery), Urgency.CARD)
