"""Carrying out effects, and finding out what became of those whose answer was lost.

A message bears a nonce made of its effect's id: said again within minutes, it is the message that Discord has. History
does not show nonces, so after longer it is known by its words: a lane is in order, so what stands in the thread, is
ours and is in no book of another message can only be the one that is looked for.

What was edited or deleted may simply be edited or deleted again. Edits need an active thread: an archived one is woken
first.
"""

from __future__ import annotations

import json
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from adapters.discord import held, render
from adapters.discord.attached import Uploads
from adapters.discord.calls import Calls
from adapters.discord.channels import Channels
from adapters.discord.client import RestApi
from adapters.discord.faults import ALREADY_GONE, ASLEEP, THREAD_GONE
from adapters.discord.history import History, Message, snowflake
from adapters.discord.parse import App
from adapters.discord.refs import NAME, Post, Root
from adapters.discord.render import Rendered
from adapters.discord.rewording import reworded
from adapters.discord.roots import KEPT, Roots, nonce, place_of
from bridge.card import Wording
from bridge.directory import Directory
from bridge.errors import DeliveryError, Fault
from bridge.marks import stripped
from bridge.messages import Body, TextPart
from bridge.names import customer_name
from bridge.ports import Delivered, Delivery, Store
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
from routing.ids import EffectId, OperatorId, PostRef, ThreadRef
from routing.session import Pending, Session

POSTING = 5.0
"""Seconds of one delivery spent on a message of several posts; the next one goes on where it ended."""

POSTS = (PostMessage, PostLine, PostTranslation, PostHistory, CallOperators, AlertDesk, ReactToMessage)
"""Effects that leave a post in the thread."""

SHOWS_THE_CUSTOMER = (PostMessage, ReviseMessage, PostTranslation, PostHistory, AskAboutHeld)
"""Effects that put words of the talk into a thread. Whatever opens one asks by itself (`roots`)."""

_log = structlog.get_logger(__name__)


class Outbound:
    """`app` tells who we are, or raises DeliveryError while that is not known."""

    def __init__(
        self,
        *,
        api: RestApi,
        store: Store,
        roots: Roots,
        channels: Channels,
        uploads: Uploads,
        calls: Calls,
        directory: Directory,
        wording: Wording,
        app: Callable[[], App],
        draw: Callable[[Delivery], Awaitable[Rendered]],
    ) -> None:
        self._api = api
        self._store = store
        self._roots = roots
        self._channels = channels
        self._uploads = uploads
        self._calls = calls
        self._directory = directory
        self._wording = wording
        self._app = app
        self._draw = draw
        self._history = History(api)

    # ------------------------------------------------------------------ doing it

    async def deliver(self, delivery: Delivery) -> Delivered:
        effect = delivery.effect
        if isinstance(effect, SHOWS_THE_CUSTOMER):
            await self._channels.admit(place_of(delivery))
        if isinstance(effect, OpenThread):
            return Delivered((await self._roots.open(delivery, effect.id)).ref)
        if isinstance(effect, AskAboutHeld | EndHeld):
            return await self._about_held(delivery, effect)
        if isinstance(effect, POSTS):
            rendered = await self._to_be_posted(delivery, effect)
            return await self._say_all(delivery, rendered) if rendered else Delivered()
        return await self._change(delivery, effect)

    async def _change(self, delivery: Delivery, effect: Effect) -> Delivered:
        """What was posted is changed or taken away."""
        if isinstance(effect, ReviseMessage):
            return await self._revise(delivery, effect)
        if isinstance(effect, WithdrawMessage):
            return await self._withdraw(delivery)
        if isinstance(effect, WithdrawTranslation):
            return await self._remove_all(delivery)
        if isinstance(effect, RemoveFile):
            return await self._remove_file(delivery, effect)
        if isinstance(effect, DeleteMirror):
            return await self._delete_mirror(delivery)
        raise AssertionError(f"routing.effects has no {type(effect).__name__} for a network")

    async def _to_be_posted(self, delivery: Delivery, effect: Effect) -> tuple[Rendered, ...]:
        """The posts of an effect; none where there is nothing to say."""
        session = delivery.session
        if isinstance(effect, PostMessage):
            return self._said(delivery, effect.side, effect.operator) if delivery.body is not None else ()
        if isinstance(effect, PostLine | CallOperators):
            return (self._calls.line(session, effect),)
        if isinstance(effect, AlertDesk):
            told = await self._calls.alert(session, effect)
            return (told,) if told is not None else ()
        if isinstance(effect, PostTranslation):
            return self._translated(delivery, effect)
        if isinstance(effect, PostHistory):
            return await self._told_before(delivery)
        if isinstance(effect, ReactToMessage):
            key = "line.reacted" if effect.on else "line.unreacted"
            return (render.line(self._wording(session.language, key, reaction=effect.reaction)),)
        if isinstance(effect, AskAboutHeld):
            return await self._asked(delivery, effect)
        raise AssertionError("only what posts is asked for its posts")

    async def _about_held(self, delivery: Delivery, effect: AskAboutHeld | EndHeld) -> Delivered:
        """The line below held words. What was decided before it could be shown is not asked any more."""
        language = delivery.session.language
        if isinstance(effect, AskAboutHeld):
            rendered = await self._asked(delivery, effect)
            if not rendered:
                return Delivered()
            return await (self._rewrite if delivery.posts else self._say_all)(delivery, rendered)
        if not effect.key:
            return await self._remove_all(delivery)
        name = self._directory.public_name(effect.operator, language) if effect.operator else ""
        text = self._wording(language, f"line.{effect.key}", operator=render.escape(name))
        for post in map(Post.of, delivery.posts):
            await self._update(post, render.line(text))
        return Delivered(posts=delivery.posts)

    async def _asked(self, delivery: Delivery, effect: AskAboutHeld) -> tuple[Rendered, ...]:
        waiting = delivery.session.held(effect.message)
        if waiting is None:
            return ()
        words = await self._not_in_a_thread(delivery.session, waiting)
        return (held.asked(delivery.session, waiting, effect.mirror, self._wording, words),)

    async def _not_in_a_thread(self, session: Session, waiting: Pending) -> TextPart | None:
        """What a template says that is to leave: only the line beneath can show it. None: the thread does."""
        if waiting.mirror is not None:
            return None
        (body,) = await self._store.bodies(session.id, [(waiting.message, waiting.revision)])
        return body.words if body is not None else None

    # ------------------------------------------------------------------ changing

    async def _revise(self, delivery: Delivery, effect: ReviseMessage) -> Delivered:
        if not delivery.posts or delivery.body is None:
            return Delivered()  # never posted here, or erased
        *before, last = self._said(delivery, effect.side, self._author(delivery, effect))
        last = reworded(last, delivery.former, delivery.session.language, self._wording)
        return await self._rewrite(delivery, (*before, last))

    async def _rewrite(self, delivery: Delivery, rendered: Sequence[Rendered]) -> Delivered:
        """Change what stands there, post what has become too long for it, take away what is not needed any more."""
        posts = [Post.of(ref) for ref in delivery.posts]
        for post, one in zip(posts, rendered, strict=False):
            await self._update(post, one)
        for post in posts[len(rendered) :]:
            await self._remove(post)
        if len(rendered) <= len(posts):
            return Delivered(posts=tuple(post.ref for post in posts[: len(rendered)]))
        more = await self._say_all(delivery, rendered, first=len(posts))
        return Delivered(more.thread, (*delivery.posts, *more.posts))

    async def _withdraw(self, delivery: Delivery) -> Delivered:
        """What we have posted says that it was taken back. A person's own post only they can change."""
        gone = render.line(self._wording(delivery.session.language, "line.withdrawn"))
        for number, post in enumerate(map(Post.of, delivery.posts)):
            if number:
                await self._remove(post)
            else:
                await self._update(post, gone, bare=True)
        return Delivered()

    async def _remove_file(self, delivery: Delivery, effect: RemoveFile) -> Delivered:
        """Discord shows a message's files as one with its words: they are written anew with the files that are left."""
        if not delivery.posts or delivery.body is None or effect.withdrawn:
            return Delivered()
        first, *_ = map(Post.of, delivery.posts)
        rendered = self._said(delivery, effect.side, self._author(delivery, effect))
        await self._update(first, rendered[0], bare=True)
        return Delivered()

    async def _remove_all(self, delivery: Delivery) -> Delivered:
        for post in map(Post.of, delivery.posts):
            await self._remove(post)
        return Delivered()

    async def _delete_mirror(self, delivery: Delivery) -> Delivered:
        """The thread goes with all that was said in it, its card first where that stands in the channel."""
        if delivery.thread is None:
            return Delivered()
        root, card = Root.of(delivery.thread), await self._roots.card(delivery)
        if card.channel != root.thread:
            await self._remove(card)
        try:
            await self._api.call("DELETE", f"/channels/{root.thread}")
        except DeliveryError as error:
            if error.code not in ALREADY_GONE:
                raise
        _log.info("discord_mirror_deleted", session=delivery.session.id, mirror=delivery.effect.mirror)
        return Delivered()

    async def refresh(self, delivery: Delivery) -> None:
        """Redraw the card. One that people deleted is not missed: the next post opens the thread again."""
        if delivery.thread is not None:
            await self._update(await self._roots.card(delivery), await self._draw(delivery))

    async def _update(self, post: Post, rendered: Rendered, *, bare: bool = False) -> None:
        """`bare`: without the files that it had."""
        body = {**rendered.changed, **({"attachments": []} if bare else {})}
        path = f"/channels/{post.channel}/messages/{post.message}"
        try:
            await self._awake(post.channel, lambda: self._api.say(path, body, verb="PATCH"))
        except DeliveryError as error:
            if error.code not in ALREADY_GONE:
                raise
            _log.info("discord_post_gone", channel=post.channel, message=post.message)

    async def _awake(self, thread: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Edits need an active thread; a post wakes it by itself, unless it is locked."""
        try:
            return await call()
        except DeliveryError as error:
            if error.code != ASLEEP:
                raise
        await self._api.call("PATCH", f"/channels/{thread}", {"archived": False})
        return await call()

    async def _remove(self, post: Post) -> None:
        try:
            await self._api.call("DELETE", f"/channels/{post.channel}/messages/{post.message}")
        except DeliveryError as error:
            if error.code not in ALREADY_GONE:
                raise

    # ------------------------------------------------------------------ speaking in a thread

    async def _say_all(self, delivery: Delivery, rendered: Sequence[Rendered], *, first: int = 0) -> Delivered:
        """Post one after another from number `first` on, going on after those that an earlier attempt has posted.

        Raises DeliveryError (certain) when it takes longer than one delivery may: it goes on in the next one.
        """
        until, said = get_running_loop().time() + POSTING, await self._parts(delivery.effect.id)
        root = Root.of(delivery.thread) if delivery.thread else await self._open_again(delivery, None)
        for number, one in enumerate(rendered):
            if number < first or str(number) in said:
                continue
            if get_running_loop().time() > until:
                raise DeliveryError(Fault.TRANSIENT, "posting", retry_after=0.5)
            root, post = await self._say(delivery, root, one, number)
            said[str(number)] = post
            if len(rendered) - first > 1:
                await self._store.put(_parts(delivery.effect.id), json.dumps(said), KEPT)
        posts = tuple(PostRef(said[number]) for number in sorted(said, key=int) if said[number])
        return Delivered(root.ref if root.ref != delivery.thread else None, posts)

    async def _say(self, delivery: Delivery, root: Root, rendered: Rendered, part: int) -> tuple[Root, str]:
        """Post in the mirror's thread, and open it again first where somebody has deleted it."""
        name = nonce(delivery.effect.id, part)
        body = {**rendered.posted, "nonce": name, "enforce_nonce": True}
        files = await self._uploads.of(delivery) if not part else ()
        path = "/channels/{}/messages"
        try:
            answer = await self._awake(root.thread, lambda: self._api.say(path.format(root.thread), body, files))
        except DeliveryError as error:
            if error.code == "unknown_message":
                return root, ""  # it was there already, and somebody has deleted it since
            if error.code not in THREAD_GONE:
                raise
            root = await self._open_again(delivery, root)
            answer = await self._api.say(path.format(root.thread), body, files)
        shown = tuple(str(one["id"]) for one in answer.get("attachments") or ())
        return root, root.post(str(answer["id"]), shown).ref

    async def _open_again(self, delivery: Delivery, dead: Root | None) -> Root:
        """The mirror's living thread, opened anew where there is none: an earlier attempt may have opened it."""
        name = EffectId(f"{delivery.effect.id}.root")
        for root in reversed(await self._roots.find(delivery, name)):
            if dead is None or root != dead:
                return root
        _log.warning("discord_thread_opened_again", session=delivery.session.id, mirror=delivery.effect.mirror)
        return await self._roots.open(delivery, name)

    async def _parts(self, effect: EffectId) -> dict[str, str]:
        """The posts of an effect that an earlier attempt wrote down, by number."""
        kept = await self._store.get(_parts(effect))
        return dict(json.loads(kept)) if kept else {}

    # ------------------------------------------------------------------ finding out

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """See the port; what the books name already comes first, then the oldest."""
        effect = delivery.effect
        if isinstance(effect, OpenThread):
            return [Delivered(root.ref) for root in await self._roots.find(delivery, effect.id)]
        if not isinstance(effect, (*POSTS, AskAboutHeld)) or delivery.thread is None:
            return []  # changing or deleting again does no harm
        rendered = await self._to_be_posted(delivery, effect)
        return await self._find_posts(delivery, rendered) if rendered else []

    async def _find_posts(self, delivery: Delivery, rendered: Sequence[Rendered]) -> list[Delivered]:
        """Ours, with these words, and in no book of another message. Of several posts the first ones alone are not the
        whole: they are written down, and `deliver` goes on behind them."""
        root = Root.of(ThreadRef(delivery.thread or ""))
        kept = await self._store.posts(delivery.session.id, kept_under(delivery.effect), delivery.effect.mirror)
        known = set(await self._store.all_posts(delivery.session.id, delivery.effect.mirror)) - set(kept)
        others = {Post.of(ref).message for ref in known}
        since = snowflake(delivery.session.opened_at)
        there = [one for one in await self._history.after(root.thread, since) or () if self._is_ours(one)]
        there = [one for one in there if one["id"] not in others]
        found = [[one for one in there if wanted.is_shown_by(one)] for wanted in rendered]
        if len(rendered) > 1:
            return await self._wholes(delivery, root, found)
        return _kept_first([Delivered(posts=(_post(root, one),)) for one in found[0]], kept)

    async def _wholes(self, delivery: Delivery, root: Root, found: list[list[Message]]) -> list[Delivered]:
        said = await self._parts(delivery.effect.id)
        for number, messages in enumerate(found):
            if messages and not said.get(str(number)):
                said[str(number)] = _post(root, messages[0])
        if said:
            await self._store.put(_parts(delivery.effect.id), json.dumps(said), KEPT)
        if any(str(number) not in said for number in range(len(found))):
            return []
        whole = [said[number] for number in sorted(said, key=int)]
        doubles = [_post(root, one) for messages in found for one in messages if _post(root, one) not in whole]
        return [Delivered(posts=tuple(map(PostRef, whole))), *(Delivered(posts=(one,)) for one in doubles)]

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        """Take back a second result. A second thread that people answered in stays, and points to the first."""
        for post in map(Post.of, double.posts):
            await self._remove(post)
        if double.thread is None or not isinstance(delivery.effect, OpenThread):
            return
        root = Root.of(double.thread)
        said = await self._history.after(root.thread, root.thread) or []
        if any(not self._is_ours(one) for one in said):
            await self._point(delivery, root)
        else:
            await self._delete_mirror(_in_thread(delivery, root))

    async def _point(self, delivery: Delivery, double: Root) -> None:
        kept = (await self._store.threads(delivery.session.id)).get(delivery.effect.mirror)
        if kept is None:
            return
        text = self._wording(delivery.session.language, "line.double", link=Root.of(kept).link)
        name = nonce(f"{delivery.effect.id}.pointer")
        body = {**render.line(text).posted, "nonce": name, "enforce_nonce": True}
        await self._api.say(f"/channels/{double.thread}/messages", body)

    # ------------------------------------------------------------------ how it looks

    def _said(self, delivery: Delivery, side: Side, operator: OperatorId | None) -> tuple[Rendered, ...]:
        if delivery.body is None:
            raise AssertionError("asked for with a body only")
        language = delivery.session.language
        if side is Side.CUSTOMER or operator is None:
            speaker = customer_name(delivery.about, language, self._wording)
        else:
            speaker = self._directory.public_name(operator, language)
        return render.said(
            side,
            delivery.body,
            speaker,
            language=language,
            wording=self._wording,
            others=len(delivery.held) + delivery.body.purged,
        )

    def _author(self, delivery: Delivery, effect: ReviseMessage | RemoveFile) -> OperatorId | None:
        spoken = delivery.session.spoken(effect.message)
        return OperatorId(spoken.by) if spoken and spoken.by else None

    def _translated(self, delivery: Delivery, effect: PostTranslation) -> tuple[Rendered, ...]:
        if delivery.body is None:
            return ()  # erased before it could be posted
        spoken = delivery.session.spoken(effect.message)
        return render.translation(delivery.body, effect.language, spoken.at if spoken else 0, self._wording)

    async def _told_before(self, delivery: Delivery) -> tuple[Rendered, ...]:
        """What was said where the session came from, for those who go on with it here."""
        session = delivery.session
        said = await said_so_far(self._store, session.id) if not session.erased else []
        told = [(one.at, self._speaker(delivery, one), words_of(one.body)) for one in said]
        return render.history(told, session.language, self._wording)

    def _speaker(self, delivery: Delivery, said: Uttered) -> str:
        language = delivery.session.language
        if said.operator is None:
            return customer_name(delivery.about, language, self._wording)
        name = self._directory.public_name(said.operator, language)
        return self._wording(language, "post.history.note", name=name) if said.side is Side.NOTE else name

    def _is_ours(self, message: Message) -> bool:
        return self._app().wrote(message)


def words_of(body: Body) -> TextPart:
    files = "".join(f" [{file.name}]" for file in body.files)
    return stripped(TextPart(body.text + files, body.words.marks))


def _parts(effect: EffectId) -> str:
    return f"{NAME}/parts/{effect}"


def _post(root: Root, message: Message) -> PostRef:
    shown = tuple(str(one["id"]) for one in message.get("attachments") or ())
    return root.post(str(message["id"]), shown).ref


def _kept_first(found: list[Delivered], kept: Sequence[PostRef]) -> list[Delivered]:
    books = {Post.of(ref).message for ref in kept}
    return sorted(found, key=lambda one: Post.of(one.posts[0]).message not in books)


def _in_thread(delivery: Delivery, root: Root) -> Delivery:
    return replace(delivery, thread=root.ref)
