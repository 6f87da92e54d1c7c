"""Carrying out effects, and finding out what became of those whose answer was lost.

Everything that is posted bears its effect's id in its metadata, since Slack has no idempotency key. What is changed or
deleted may simply be changed or deleted again.

A root can be deleted by people while the session lives. Slack then lets a reply come out top-level, where it would
stand without its session; such a reply is taken back, and the thread is opened again under a new root.
"""

from __future__ import annotations

import json
from asyncio import get_running_loop
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from adapters.slack import attached, held, reactions, render, withdrawals
from adapters.slack.alerts import Alerts, Whom
from adapters.slack.attached import DeskLink, Removal
from adapters.slack.bursts import Bursts, Said
from adapters.slack.calls import IN_THREAD, Calls
from adapters.slack.cards import Cards
from adapters.slack.channels import Channels
from adapters.slack.client import Answer, WebApi
from adapters.slack.faults import ALREADY_GONE, THREAD_GONE
from adapters.slack.history import History, Message, with_effect
from adapters.slack.markup import escape
from adapters.slack.pacing import Urgency
from adapters.slack.parse import App
from adapters.slack.parts import PartBooks, Trace
from adapters.slack.refs import NAME, Post, Root
from adapters.slack.render import Rendered, Title, Wording
from adapters.slack.rewording import reworded
from adapters.slack.shares import Shares
from adapters.slack.threads import Threads, metadata
from adapters.slack.withdrawals import Withdrawals
from bridge.directory import Directory
from bridge.errors import DeliveryError, Fault
from bridge.marks import stripped
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Delivered, Delivery, Placed, Store
from bridge.transcript import Uttered, said_so_far
from routing.effects import (
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
    kept_under,
)
from routing.facts import Side
from routing.ids import EffectId, OperatorId, ThreadRef
from routing.session import Pending, Session

DELETING = 5.0
"""Seconds of one delivery spent on deleting; a long thread takes several, each beginning where the last one ended."""

POSTING = 5.0
"""Seconds of one delivery spent on a message of several posts; the next one goes on where it ended."""

NOTHING_MORE: Mapping[str, Any] = {}

DELETED_KEPT = 24 * 3600 * 1000
"""ms for which we remember how far a deletion came."""

PERSONA = "chat:write.customize"
"""The scope with which a customer's posts bear their name. The manifest does not ask for it; it is used if granted."""

REMAINS = "remains"
"""Prefix of the names under which the store keeps what could not be deleted, by session and mirror."""

SHOWS_THE_CUSTOMER = (OpenThread, PostMessage, ReviseMessage, PostTranslation, PostHistory)
"""Effects that put a customer's name or words into a channel."""

POSTS = (PostMessage, PostLine, PostTranslation, PostHistory, CallOperators, AlertDesk, ReactToMessage)
"""Effects that may leave a post in the thread; a reaction does where it has to be said in words."""

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
        cards: Cards,
        directory: Directory,
        wording: Wording,
        title: Title,
        app: Callable[[], App],
        link: Callable[[Root], str],
        whom: Whom,
        desk_link: DeskLink,
    ) -> None:
        self._api = api
        self._store = store
        self._shares = shares
        self._threads = threads
        self._channels = channels
        self._cards = cards
        self._directory = directory
        self._wording = wording
        self._title = title
        self._app = app
        self._link = link
        self._desk_link = desk_link
        self._history = History(api)
        self._part_books = PartBooks(store)
        self._bursts = Bursts(store, self._drawn, self._say_burst)
        self._removal = Removal(api, store, link)
        self._withdrawals = Withdrawals(api)
        self._calls = Calls(api, directory, wording, title, link, lambda: app().team)
        self._alerts = Alerts(api, self._calls, wording, whom, lambda: app().team)

    # ------------------------------------------------------------------ doing it

    async def deliver(self, delivery: Delivery) -> Delivered:
        effect = delivery.effect
        if isinstance(effect, SHOWS_THE_CUSTOMER):
            await self._channels.admit(_place(delivery))
        if isinstance(effect, OpenThread):
            return Delivered((await self._open(delivery, effect.id)).ref)
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
            return await self._delete_mirror(delivery)
        raise AssertionError(f"routing.effects has no {type(effect).__name__} for a network")

    async def _tell(self, delivery: Delivery, effect: PostLine | CallOperators) -> Delivered:
        """A line of the bridge's own: in the thread, or where a rung of the ladder calls."""
        if isinstance(effect, PostLine):
            return await self._post_line(delivery, effect, self._calls.words(delivery.session, effect))
        if effect.kind in IN_THREAD:
            return await self._post_line(delivery, effect, self._calls.in_thread(delivery.session, effect))
        return await self._calls.deliver(delivery, effect)

    async def _alert(self, delivery: Delivery, effect: AlertDesk) -> Delivered:
        told = await self._alerts.told(delivery, effect)
        if told is None:
            return Delivered()  # somebody has it already, or nobody is to be disturbed
        if told.in_channel:
            return await self._alerts.post(delivery, told)
        root, ts = await self._say(delivery, render.line(told.text), {}, Urgency.LINE)
        return _delivered(delivery, root, root.post(ts))

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
            root, ts = await self._say(delivery, rendered, {}, Urgency.LINE)
            return _delivered(delivery, root, root.post(ts))
        if not effect.key:
            return await self._remove_all(delivery)
        language = delivery.session.language
        name = self._directory.public_name(effect.operator, language) if effect.operator else ""
        text = self._wording(language, f"line.{effect.key}", operator=escape(name))
        for post in map(Post.of, delivery.posts):
            await self._update(post.channel, post.ts, render.line(text), Urgency.LINE)
        return Delivered(posts=delivery.posts)

    async def _not_in_a_thread(self, session: Session, waiting: Pending) -> TextPart | None:
        """What a template says that is to leave: only the line beneath can show it. None: the thread does."""
        if waiting.mirror is not None:
            return None
        (body,) = await self._store.bodies(session.id, [(waiting.message, waiting.revision)])
        return body.words if body is not None else None

    async def _open(self, delivery: Delivery, name: str) -> Root:
        """Post a root. Its place is known before the lane goes on, so an early press of a button finds its session."""
        session, mirror = delivery.session, delivery.effect.mirror
        answer = await self._api.call(
            "chat.postMessage",
            channel=_place(delivery),
            metadata=metadata(name, session.id, mirror, root=True),
            **(await self._cards.draw(delivery)).posted,
        )
        root = Root(self._app().team, answer["channel"], answer["ts"])
        await self._threads.place(root, Placed(session.id, mirror))
        return root

    async def _post_message(self, delivery: Delivery, effect: PostMessage) -> Delivered:
        body = delivery.body
        if body is None:
            return Delivered()  # erased before it could be posted
        rendered = self._said(delivery.session, delivery, effect.side, effect.operator)
        if body.files:
            return await self._post_with_files(delivery, body, rendered)
        root, posts = await self._say_all(delivery, rendered, self._persona(delivery, effect.side))
        return _delivered(delivery, root, *posts)

    async def deliver_together(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        await self._channels.admit(_place(deliveries[0]))
        return await self._bursts.deliver(deliveries)

    async def _say_burst(self, delivery: Delivery, rendered: Rendered, told: Mapping[str, Any]) -> tuple[Root, str]:
        return await self._say(delivery, rendered, self._persona(delivery, Side.CUSTOMER), told=told)

    def _drawn(self, delivery: Delivery, said: Said, named: bool) -> Rendered:
        """A customer's message as a part of a post; what was taken back, as that."""
        session = delivery.session
        if said.body is None:
            return render.line(self._wording(session.language, "line.withdrawn"))
        whole = self._said(session, replace(delivery, body=said.body), Side.CUSTOMER, None, named=named)
        rendered = replace(whole[0], blocks=[block for one in whole for block in one.blocks])
        return reworded(rendered, said.former, session.language, self._wording) if said.edited else rendered

    async def _post_with_files(self, delivery: Delivery, body: Body, rendered: Sequence[Rendered]) -> Delivered:
        """The words first, with our metadata, then the files beneath them, from wherever an earlier attempt stopped."""
        effect = delivery.effect
        share = await self._shares.recorded(effect.id)
        root = Root.of(ThreadRef(share.thread)) if share.thread else None
        if root is None or not share.post:
            root, posts = await self._say_all(delivery, rendered, {})
            share = replace(share, post=posts[0].ts, thread=root.ref)
        shown = await self._shares.show(effect.id, share, body.files, root)
        words = await self._words_above(effect.id, root.post(share.post))
        return _delivered(delivery, root, *words, *([shown] if shown else []))

    async def _words_above(self, effect: EffectId, first: Post) -> tuple[Post, ...]:
        """The posts with the words of a message that has files, too."""
        return (await self._part_books.read(effect)).in_order() or (first,)

    async def _post_line(self, delivery: Delivery, effect: PostLine | CallOperators, text: str) -> Delivered:
        root, ts = await self._say(delivery, render.line(text), {}, Urgency.LINE)
        if delivery.session.mirror.number != effect.mirror:
            await self._retire_card(delivery, root)
        return _delivered(delivery, root, root.post(ts))

    async def _post_translation(self, delivery: Delivery, effect: PostTranslation) -> Delivered:
        """A quiet line under the message. Where there is one of an earlier revision, it says the new one."""
        if delivery.body is None:
            return Delivered()  # erased before it could be posted
        spoken = delivery.session.spoken(effect.message)
        rendered = render.translation(delivery.body, effect.language, spoken.at if spoken else 0, self._wording)
        if delivery.posts:
            return await self._rewrite(delivery, rendered)
        root, posts = await self._say_all(delivery, rendered, {}, Urgency.LINE)
        return _delivered(delivery, root, *posts)

    async def _post_history(self, delivery: Delivery) -> Delivered:
        """What was said where the session came from, for those who go on with it here."""
        pages = await self._told_before(delivery)
        if not pages:
            return Delivered()
        first = _shown(pages).start
        root, posts = await self._say_all(delivery, pages, {}, Urgency.LINE, first=first)
        return _delivered(delivery, root, *posts)

    async def _told_before(self, delivery: Delivery) -> tuple[Rendered, ...]:
        session = delivery.session
        said = await said_so_far(self._store, session.id) if not session.erased else []
        told = [(one.at, self._speaker(delivery, one), _words_of(one.body)) for one in said]
        return render.history(told, session.language, self._wording)

    def _speaker(self, delivery: Delivery, said: Uttered) -> str:
        language = delivery.session.language
        if said.operator is None:
            return render.customer_name(delivery.about, language, self._wording)
        name = self._directory.public_name(said.operator, language)
        return self._wording(language, "post.history.note", name=name) if said.side is Side.NOTE else name

    async def _remove_all(self, delivery: Delivery) -> Delivered:
        for post in map(Post.of, delivery.posts):
            await self._remove(post)
        return Delivered()

    async def _retire_card(self, delivery: Delivery, root: Root) -> None:
        """The session lives elsewhere now: its old card keeps no buttons. Only looks depend on it."""
        try:
            await self._update(root.channel, root.ts, await self._cards.draw(delivery), Urgency.CARD)
        except DeliveryError as error:
            _log.info("slack_old_card_kept", session=delivery.session.id, code=error.code)

    async def _revise(self, delivery: Delivery, effect: ReviseMessage) -> Delivered:
        if not delivery.posts or delivery.body is None:
            return Delivered()  # never posted here, or erased
        if (post := Post.of(delivery.posts[0])).together:
            return await self._revise_in_burst(delivery, effect, post)
        return await self._rewrite(delivery, self._reworded(delivery, effect), self._persona(delivery, effect.side))

    def _reworded(self, delivery: Delivery, effect: ReviseMessage) -> tuple[Rendered, ...]:
        spoken = delivery.session.spoken(effect.message)
        operator = OperatorId(spoken.by) if spoken and spoken.by else None
        *before, last = self._said(delivery.session, delivery, effect.side, operator)
        return (*before, reworded(last, delivery.former, delivery.session.language, self._wording))

    async def _revise_in_burst(self, delivery: Delivery, effect: ReviseMessage, post: Post) -> Delivered:
        """In the post that it shares; whole below, where it has outgrown that."""
        await self._update(post.channel, post.ts, await self._bursts.redrawn(delivery, post))
        is_cut = await self._bursts.is_cut(delivery, effect.message)
        whole = self._reworded(delivery, effect) if is_cut else ()
        below = replace(delivery, posts=delivery.posts[1:])
        done = await self._rewrite(below, whole, self._persona(delivery, effect.side))
        return replace(done, posts=(delivery.posts[0], *done.posts))

    async def _rewrite(
        self, delivery: Delivery, rendered: Sequence[Rendered], dress: Mapping[str, str] = NOTHING_MORE
    ) -> Delivered:
        """Change what stands there, post what has become too long for it, take away what is not needed any more."""
        posts = [Post.of(ref) for ref in delivery.posts]
        words, shown = [post for post in posts if not post.files], [post for post in posts if post.files]
        for post, one in zip(words, rendered, strict=False):
            await self._update(post.channel, post.ts, one)
        for post in words[len(rendered) :]:
            await self._remove(post)
        if len(rendered) <= len(words):
            return Delivered(posts=tuple(post.ref for post in (*words[: len(rendered)], *shown)))
        root, more = await self._say_all(delivery, rendered, dict(dress), first=len(words))
        return _delivered(delivery, root, *words, *more, *shown)

    async def _react(self, delivery: Delivery, effect: ReactToMessage) -> Delivered:
        if await reactions.show(self._api, delivery, effect):
            return Delivered()
        key = "line.reacted" if effect.on else "line.unreacted"
        text = self._wording(delivery.session.language, key, reaction=effect.reaction)
        root, ts = await self._say(delivery, render.line(text), {}, Urgency.LINE)
        return _delivered(delivery, root, root.post(ts))

    async def _withdraw(self, delivery: Delivery, effect: WithdrawMessage) -> Delivered:
        if (post := withdrawals.written_here(delivery, effect)) is not None:
            return await self._mark_withdrawn(delivery, post)
        gone = render.line(self._wording(delivery.session.language, "line.withdrawn"))
        for number, post in enumerate(map(Post.of, delivery.posts)):
            if number or post.files:
                await self._remove(post)
            else:
                shown = await self._bursts.redrawn(delivery, post) if post.together else gone
                await self._update(post.channel, post.ts, shown)
        return Delivered()

    async def _mark_withdrawn(self, delivery: Delivery, post: Post) -> Delivered:
        """An operator's own post stays: only they can delete it. The thread says that the customer has it no more."""
        if not await self._withdrawals.mark(post):
            return Delivered()  # they have deleted it here, too
        link = self._link(Root(post.team, post.channel, post.ts))
        text = self._wording(delivery.session.language, "line.withdrawn_here", link=link)
        root, ts = await self._say(delivery, render.line(text), {}, Urgency.LINE)
        return _delivered(delivery, root, root.post(ts))

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
            for post, one in zip(words, self._said(session, delivery, effect.side, by), strict=False):
                shown = await self._bursts.redrawn(delivery, post) if post.together else one
                await self._update(post.channel, post.ts, shown)
        return Delivered()

    # ------------------------------------------------------------------ speaking in a thread

    async def _say_all(
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
            root, ts = await self._say(delivery, rendered[0], dress, urgency)
            return root, (root.post(ts),)
        until = get_running_loop().time() + POSTING
        parts = await self._part_books.read(delivery.effect.id)
        for number, one in enumerate(rendered):
            if number < first or number in parts.posts:
                continue
            _stop_after(until, "posting")
            here = replace(delivery, thread=parts.thread or delivery.thread)
            root, ts = await self._say(here, one, dress, urgency, number)
            parts = parts.with_post(Trace(root, ts, number))
            await self._part_books.write(delivery.effect.id, parts)
        if parts.thread is None:
            raise AssertionError("a message has at least one part")
        return Root.of(parts.thread), parts.in_order()

    async def _say(
        self,
        delivery: Delivery,
        rendered: Rendered,
        dress: dict[str, str],
        urgency: Urgency = Urgency.WORDS,
        part: int = 0,
        told: Mapping[str, Any] = NOTHING_MORE,
    ) -> tuple[Root, str]:
        """Post in the mirror's thread, and open it again first where its root is gone."""
        root = Root.of(delivery.thread) if delivery.thread else await self._open_again(delivery, None)
        named = metadata(delivery.effect.id, delivery.session.id, delivery.effect.mirror, part=part, more=told)
        args = {"metadata": named, **rendered.posted, **dress}
        try:
            answer = await self._reply(root, args, urgency)
        except DeliveryError as error:
            if error.code not in THREAD_GONE:
                raise
        else:
            if await self._is_under(root, answer):
                return root, answer["ts"]
            await self._remove(root.post(answer["ts"]))
        root = await self._open_again(delivery, root)
        return root, (await self._reply(root, args, urgency))["ts"]

    async def _reply(self, root: Root, args: dict[str, Any], urgency: Urgency) -> Answer:
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

    async def _open_again(self, delivery: Delivery, dead: Root | None) -> Root:
        """The mirror's living root, posted anew where there is none: an earlier attempt may have posted it."""
        session, mirror = delivery.session, delivery.effect.mirror
        for message in reversed(await self._roots(delivery)):
            if dead is None or message["ts"] != dead.ts:
                root = Root(self._app().team, _place(delivery), message["ts"])
                await self._threads.place(root, Placed(session.id, mirror))
                return root
        _log.warning("slack_thread_opened_again", session=session.id, mirror=mirror)
        return await self._open(delivery, f"{delivery.effect.id}.root")

    async def _roots(self, delivery: Delivery) -> list[Message]:
        session = delivery.session
        return await self._history.roots(_place(delivery), session.id, delivery.effect.mirror, session.opened_at)

    # ------------------------------------------------------------------ finding out

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """See the port; what the books name already comes first, then the oldest. Of Slack it only reads; what is found
        of a message with files is written down in the store, so that `deliver` goes on from there."""
        effect = delivery.effect
        if isinstance(effect, OpenThread):
            return await self._find_roots(delivery)
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
                return [[_delivered(first, root, trace.post) for trace in traces] for traces in found]
        return [await self.find(one) for one in deliveries]

    async def _may_have_posted(self, delivery: Delivery) -> bool:
        effect = delivery.effect
        if isinstance(effect, WithdrawMessage):
            return withdrawals.written_here(delivery, effect) is not None
        return isinstance(effect, ReviseMessage) and await self._grew(delivery)

    async def _grew(self, delivery: Delivery) -> bool:
        """Whether a change posts anything: what was said has become too long for the posts that it has."""
        effect, words = delivery.effect, [ref for ref in delivery.posts if not Post.of(ref).files]
        if isinstance(effect, ReviseMessage) and words and Post.of(words[0]).together:
            grew = len(words) == 1 and await self._bursts.is_cut(delivery, effect.message)
            grew = grew or (len(words) > 1 and _pieces_of(delivery) >= len(words))
        else:
            grew = _pieces_of(delivery) > max(1, len(words))
        return grew or bool((await self._part_books.read(effect.id)).posts)

    async def _wholes(self, delivery: Delivery, traces: list[Trace]) -> list[Delivered]:
        """The effect's posts first, and what is there twice. Nothing while parts are missing: what is there is written
        down, and `deliver` goes on behind it."""
        effect = delivery.effect
        pages = await self._told_before(delivery) if isinstance(effect, PostHistory) else ()
        numbers = _shown(pages) if pages else range(_pieces_of(delivery))
        is_one = numbers == range(1) and not isinstance(effect, ReviseMessage)
        if is_one and not any(trace.part for trace in traces):
            return [_delivered(delivery, trace.root, trace.post) for trace in traces]
        parts = (await self._part_books.read(effect.id)).with_found(traces)
        if parts.thread is None:
            return []
        await self._part_books.write(effect.id, parts)
        kept = [post.ref for post in parts.in_order()]
        goes_on = delivery.posts and not isinstance(effect, PostMessage)  # behind posts that were there before
        if not (set(kept) & set(delivery.posts) if goes_on else parts.has_all(numbers)):
            return []
        doubles = [trace for trace in traces if trace.post.ref not in kept]
        whole = _delivered(delivery, Root.of(parts.thread), *parts.in_order())
        return [whole, *(_delivered(delivery, one.root, one.post) for one in doubles)]

    async def _find_roots(self, delivery: Delivery) -> list[Delivered]:
        messages = await self._history.channel(_place(delivery), delivery.session.opened_at)
        found = []
        for message in with_effect(messages, delivery.effect.id):
            root = Root(self._app().team, _place(delivery), message["ts"])
            await self._threads.place(root, Placed(delivery.session.id, delivery.effect.mirror))
            found.append(Delivered(root.ref))
        kept = await self._kept_root(delivery)
        return sorted(found, key=lambda one: one.thread != kept)

    async def _kept_root(self, delivery: Delivery) -> ThreadRef | None:
        """The root that the books name, in which everything is posted. A double of it may well be the older one."""
        threads = await self._store.threads(delivery.session.id)
        return threads.get(delivery.effect.mirror)

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
        name, team, place = delivery.effect.id, self._app().team, _place(delivery)
        found = []
        for message in await self._roots(delivery):
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
        whole = _delivered(delivery, root, *await self._words_above(effect.id, root.post(share.post)), shown)
        return [whole, *(double for double in found if Post.of(double.posts[0]).ts != share.post)]

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        """Take back a second result. A second root that people answered in stays, and points to the first."""
        for post in map(Post.of, double.posts):
            if post.together and await self._bursts.is_needed(delivery, post):
                await self._update(post.channel, post.ts, await self._bursts.redrawn(delivery, post))
            else:
                await self._remove(post)
        if double.thread is None or not isinstance(delivery.effect, OpenThread):
            return
        root = Root.of(double.thread)
        thread = await self._history.thread(root)
        if any(not self._is_ours(one) for one in thread.replies):
            await self._point(delivery, root, thread.replies)
        elif thread.living:
            await self._remove(root.post(root.ts))

    async def _point(self, delivery: Delivery, double: Root, replies: tuple[Message, ...]) -> None:
        session, name = delivery.session, f"{delivery.effect.id}.pointer"
        kept = await self._kept_root(delivery)
        if kept is None or with_effect(replies, name):
            return
        link = self._link(Root.of(kept))
        rendered = render.line(self._wording(session.language, "line.double", link=link))
        told = metadata(name, session.id, delivery.effect.mirror)
        await self._reply(double, {"metadata": told, **rendered.posted}, Urgency.LINE)

    # ------------------------------------------------------------------ changing and deleting

    async def refresh(self, delivery: Delivery) -> None:
        """Redraw the card. One that people deleted is not missed: the next post opens the thread again."""
        if delivery.thread is not None:
            root = Root.of(delivery.thread)
            await self._update(root.channel, root.ts, await self._cards.draw(delivery), Urgency.CARD)

    async def _update(self, channel: str, ts: str, rendered: Rendered, urgency: Urgency = Urgency.WORDS) -> None:
        try:
            await self._api.call("chat.update", urgency=urgency, channel=channel, ts=ts, **rendered.changed)
        except DeliveryError as error:
            if error.code not in ALREADY_GONE:
                raise
            _log.info("slack_post_gone", channel=channel, ts=ts)

    async def _delete_mirror(self, delivery: Delivery) -> Delivered:
        """Delete all that is ours, in steps that are remembered, then say what of others' is left."""
        if delivery.thread is None:
            return Delivered()
        until = get_running_loop().time() + DELETING
        root = Root.of(delivery.thread)
        await self._delete_known(delivery, root, until)
        thread = await self._history.thread(root)
        for message in thread.replies:
            if self._is_ours(message):
                _stop_after(until, "deleting")
                await self._remove(_post_of(message, root))
        if thread.living:
            await self._remove(root.post(root.ts))
        await self._say_what_remains(delivery, sum(not self._is_ours(one) for one in thread.replies))
        return Delivered()

    async def _delete_known(self, delivery: Delivery, root: Root, until: float) -> None:
        """The posts that the books know, under whichever root they stand; this root comes last."""
        name = f"{NAME}/deleted/{delivery.effect.id}"
        done = int(await self._store.get(name) or 0)
        try:
            for post in map(Post.of, list(dict.fromkeys(delivery.posts))[done:]):  # some show several messages
                if post.ts != root.ts:
                    _stop_after(until, "deleting")
                    await self._remove(post)
                done += 1
        finally:
            await self._store.put(name, str(done), DELETED_KEPT)

    async def _say_what_remains(self, delivery: Delivery, messages: int) -> None:
        session, root = delivery.session.id, Root.of(ThreadRef(delivery.thread or ""))
        if messages:
            left = {"network": NAME, "where": self._link(root), "messages": messages, "whose": "operators"}
            await self._store.put(f"{REMAINS}/{session}/{delivery.effect.mirror}", json.dumps(left))
        _log.info("slack_mirror_deleted", session=session, mirror=delivery.effect.mirror, others_left=messages)

    async def _remove(self, post: Post) -> None:
        for file in post.files:
            await self._unless_gone("files.delete", file=file)
        await self._unless_gone("chat.delete", channel=post.channel, ts=post.ts)

    async def _unless_gone(self, method: str, **args: Any) -> None:
        try:
            await self._api.call(method, urgency=Urgency.LINE, **args)
        except DeliveryError as error:
            if error.code not in ALREADY_GONE:
                raise

    # ------------------------------------------------------------------ how it looks

    def _said(
        self, session: Session, delivery: Delivery, side: Side, operator: OperatorId | None, *, named: bool = True
    ) -> tuple[Rendered, ...]:
        if delivery.body is None:
            raise AssertionError("asked for with a body only")
        language = session.language
        if side is Side.CUSTOMER or operator is None:
            speaker = render.customer_name(delivery.about, language, self._wording)
        else:
            speaker = self._directory.public_name(operator, language)
        persona = side is Side.CUSTOMER and not delivery.body.files and (self._has_personas or not named)
        others = len(delivery.held) + delivery.body.purged
        rendered = render.said(
            side, delivery.body, speaker, language=language, wording=self._wording, persona=persona, others=others
        )
        *before, last = rendered
        return (*before, attached.beneath(last, delivery, self._wording, self._desk_link))

    def _persona(self, delivery: Delivery, side: Side) -> dict[str, str]:
        if side is not Side.CUSTOMER or not self._has_personas:
            return {}
        return {"username": render.persona(delivery.about, delivery.session.language, self._wording)}

    @property
    def _has_personas(self) -> bool:
        return PERSONA in self._api.scopes

    def _is_ours(self, message: Message) -> bool:
        return self._app().wrote(message)


def _pieces_of(delivery: Delivery) -> int:
    """How many posts the effect's words need."""
    body = delivery.body
    may_be_long = isinstance(delivery.effect, PostMessage | PostTranslation | ReviseMessage)
    return len(render.in_pieces(body.words)) if may_be_long and body is not None else 1


def _shown(pages: Sequence[Rendered]) -> range:
    """The numbers of the pages of a history that are posted."""
    return range(max(0, len(pages) - render.HISTORIES), len(pages))


def _words_of(body: Body) -> TextPart:
    files = "".join(f" [{file.name}]" for file in body.files)
    return stripped(TextPart(body.text + files, body.words.marks))


def _place(delivery: Delivery) -> str:
    return next(one.place for one in delivery.session.mirrors if one.number == delivery.effect.mirror)


def _since(delivery: Delivery) -> int:
    """No trace of the effect can be older than this (ms since 1970)."""
    effect = delivery.effect
    spoken = delivery.session.spoken(effect.message) if isinstance(effect, PostMessage) else None
    return spoken.at if spoken else delivery.session.opened_at


def _delivered(delivery: Delivery, root: Root, *posts: Post) -> Delivered:
    """The thread is named only where it is another one now."""
    elsewhere = root.ref if root.ref != delivery.thread else None
    return Delivered(elsewhere, tuple(post.ref for post in posts))


def _post_of(message: Message, root: Root) -> Post:
    return root.post(message["ts"], tuple(str(file["id"]) for file in message.get("files") or ()))


def _stop_after(until: float, doing: str) -> None:
    if get_running_loop().time() > until:
        raise DeliveryError(Fault.TRANSIENT, doing, retry_after=0.5)
