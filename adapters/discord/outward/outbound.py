"""Carrying out effects. What became of those whose answer was lost, `reconciliation` finds out.

What was edited or deleted may simply be edited or deleted again. Edits need an active thread: an archived one is woken
first (`waking`).
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from adapters.discord import render
from adapters.discord.heard.app import App
from adapters.discord.inward import reactions
from adapters.discord.outward import withdrawals
from adapters.discord.outward.attached import LARGEST, Uploads, left_in, packed
from adapters.discord.outward.beyond import Beyond, Told
from adapters.discord.outward.bursts import Bursts
from adapters.discord.outward.calls import Calls
from adapters.discord.outward.parts import PartBooks
from adapters.discord.outward.personas import Personas
from adapters.discord.outward.reconciliation import POSTS, Reconciliation
from adapters.discord.outward.untaken import Untaken
from adapters.discord.outward.withdrawals import Withdrawals
from adapters.discord.places.channels import Channels
from adapters.discord.places.reopening import Reopening
from adapters.discord.places.roots import Roots, nonce, place_of
from adapters.discord.places.upkeep import Upkeep
from adapters.discord.places.waking import Waking
from adapters.discord.refs import NAME, Post, Root, written_at
from adapters.discord.render import Rendered
from adapters.discord.shown import held
from adapters.discord.shown.beneath import Beneath
from adapters.discord.shown.filtered import Filter
from adapters.discord.shown.rewording import reworded
from adapters.discord.wire.client import RestApi, Upload
from adapters.discord.wire.faults import ALREADY_GONE, ANOTHERS, FILES_REFUSED, NO_DIRECT, THREAD_GONE
from bridge.directory import Directory
from bridge.errors import DeliveryError, Fault
from bridge.messages import FilePart, TextPart
from bridge.networks.card import Wording
from bridge.networks.names import customer_name
from bridge.networks.retelling import Retelling
from bridge.networks.whereabouts import Whereabouts
from bridge.ports import Delivered, Delivery, Store
from bridge.purges import note_remains
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
    kept_under,
)
from routing.facts import Side
from routing.ids import OperatorId, PostRef
from routing.session import Pending, Session

POSTING = 5.0
"""Seconds of one delivery spent on a message of several posts; the next one goes on where it ended."""

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
        waking: Waking,
        upkeep: Upkeep,
        uploads: Uploads,
        calls: Calls,
        beyond: Beyond,
        directory: Directory,
        wording: Wording,
        app: Callable[[], App],
        draw: Callable[[Delivery], Awaitable[Rendered]],
        whereabouts: Whereabouts,
        beneath: Beneath,
        personas: Personas,
        past_filter: Filter,
    ) -> None:
        self._api = api
        self._store = store
        self._roots = roots
        self._channels = channels
        self._waking = waking
        self._upkeep = upkeep
        self._uploads = uploads
        self._calls = calls
        self._beyond = beyond
        self._directory = directory
        self._wording = wording
        self._app = app
        self._draw = draw
        self._whereabouts = whereabouts
        self._beneath = beneath
        self._personas = personas
        self._filter = past_filter
        self._retelling = Retelling(store, directory, wording)
        self._reopening = Reopening(api, store, roots, app, self._retelling, past_filter)
        self._withdrawals = Withdrawals(api)
        self._part_books = PartBooks(store)
        self.bursts = Bursts(store, wording, past_filter, self._say_burst, self._update_burst)
        self._untaken = Untaken(store)
        self._reconciliation = Reconciliation(
            api=api,
            store=store,
            roots=roots,
            part_books=self._part_books,
            bursts=self.bursts,
            wording=wording,
            app=app,
            drawn=self._drawn,
            remove=self._remove,
            delete_mirror=self._delete_mirror,
        )

    # ------------------------------------------------------------------ doing it

    async def deliver(self, delivery: Delivery) -> Delivered:
        effect = delivery.effect
        if isinstance(effect, SHOWS_THE_CUSTOMER):
            await self._channels.admit(place_of(delivery))
        if isinstance(effect, OpenThread):
            opened = (await self._roots.open(delivery, effect.id)).ref
            self._upkeep.opened(opened, await self._channels.of(place_of(delivery)), delivery.session)
            return Delivered(opened)
        if isinstance(effect, AskAboutHeld | EndHeld):
            return await self._about_held(delivery, effect)
        if isinstance(effect, ReactToMessage) and await reactions.show(self._api, self._waking, delivery, effect):
            return Delivered()
        if isinstance(effect, AlertDesk | CallOperators):
            return await self._call(delivery)
        if isinstance(effect, PostTranslation) and delivery.posts and delivery.body is not None:
            return await self._rewrite(delivery, self._translated(delivery, effect))
        if isinstance(effect, POSTS):
            rendered = await self._to_be_posted(delivery, effect)
            done = await self._say_all(delivery, rendered) if rendered else Delivered()
            if isinstance(effect, PostLine) and effect.key == MOVED:
                await self._leave(delivery)
            return done
        return await self._change(delivery, effect)

    async def deliver_together(self, deliveries: Sequence[Delivery]) -> list[Delivered]:
        """See `bridge.ports.SupportsBursts`."""
        await self._channels.admit(place_of(deliveries[0]))
        return await self.bursts.deliver(deliveries)

    async def _leave(self, delivery: Delivery) -> None:
        """The session goes on in another thread, and this one has just said so. Only looks depend on it."""
        try:
            await self._update(delivery, await self._roots.card(delivery), await self._draw(delivery))
            await self._upkeep.leave(delivery, await self._channels.of(place_of(delivery)))
        except DeliveryError as error:
            _log.info("discord_old_thread_kept", session=delivery.session.id, code=error.code)

    async def _call(self, delivery: Delivery) -> Delivered:
        try:
            return await self._say_call(delivery, await self._beyond.told(delivery))
        except DeliveryError as error:
            if error.code != NO_DIRECT:
                raise
        return await self._say_call(delivery, await self._beyond.told(delivery, directly=False))

    async def _say_call(self, delivery: Delivery, told: Told | None) -> Delivered:
        if told is None:
            return Delivered()  # somebody has it already, or nobody is to be disturbed
        if told.channel is not None:
            return await self._beyond.post(delivery, told)
        return await self._say_all(delivery, (told.rendered,))

    async def _change(self, delivery: Delivery, effect: Effect) -> Delivered:
        """What was posted is changed or taken away."""
        if delivery.history:
            return await self._retell(delivery)
        if isinstance(effect, ReviseMessage):
            return await self._revise(delivery, effect)
        if isinstance(effect, WithdrawMessage):
            return await self._withdraw(delivery, effect)
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
            return await self._with_files(delivery, effect) if delivery.body is not None else ()
        if isinstance(effect, PostLine):
            onward = await self._whereabouts.onward(delivery) if effect.key == MOVED else ""
            return (self._calls.line(session, effect, onward),)
        if isinstance(effect, AlertDesk | CallOperators):
            told = await self._beyond.told(delivery)
            return (told.rendered,) if told is not None else ()
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
            await self._update(delivery, post, render.line(text))
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
        if (post := Post.of(delivery.posts[0])).together:
            return await self._revise_in_burst(delivery, effect, post)
        return await self._rewrite(delivery, await self._revised(delivery, effect))

    async def _revise_in_burst(self, delivery: Delivery, effect: ReviseMessage, post: Post) -> Delivered:
        """In the post that it shares; whole below, where it has outgrown that."""
        await self.bursts.redraw(delivery, post)
        is_cut = await self.bursts.books.is_cut(delivery, effect.message, post)
        whole = await self._revised(delivery, effect) if is_cut else ()
        done = await self._rewrite(replace(delivery, posts=delivery.posts[1:]), whole)
        return replace(done, posts=(delivery.posts[0], *done.posts))

    async def _revised(self, delivery: Delivery, effect: ReviseMessage) -> tuple[Rendered, ...]:
        *before, last = await self._said_anew(delivery, effect)
        return (*before, reworded(last, delivery.former, delivery.session.language, self._wording))

    async def _retell(self, delivery: Delivery) -> Delivered:
        """What was said before the mirror began reads otherwise now. It keeps to the posts that it has: if it needs
        more, the earliest stands on the desk page only."""
        await self._rewrite(replace(delivery, posts=delivery.history), await self._told_before(delivery))
        return Delivered()

    async def _rewrite(self, delivery: Delivery, rendered: Sequence[Rendered]) -> Delivered:
        """Change what stands there, post what has become too long for it, take away what is not needed any more."""
        posts = [Post.of(ref) for ref in delivery.posts]
        shown = [post for number, post in enumerate(posts) if number and post.files]
        words = [post for post in posts if post not in shown]
        for post, one in zip(words, rendered, strict=False):
            await self._update(delivery, post, one)
        for post in words[len(rendered) :]:
            await self._remove(post)
        if len(rendered) <= len(words):
            return Delivered(posts=tuple(post.ref for post in (*words[: len(rendered)], *shown)))
        more = await self._say_all(delivery, rendered, first=len(words))
        return Delivered(more.thread, tuple(post.ref for post in (*words, *map(Post.of, more.posts), *shown)))

    async def _withdraw(self, delivery: Delivery, effect: WithdrawMessage) -> Delivered:
        """What we have posted says that it was taken back. A person's own post only they can change."""
        if (post := withdrawals.written_here(delivery, effect)) is not None:
            return await self._mark_withdrawn(delivery, post)
        gone = render.line(self._wording(delivery.session.language, "line.withdrawn"))
        for number, post in enumerate(map(Post.of, delivery.posts)):
            if number:
                await self._remove(post)
            elif post.together:
                await self.bursts.redraw(delivery, post)
            else:
                await self._update(delivery, post, gone, files=())
        return Delivered()

    async def _mark_withdrawn(self, delivery: Delivery, post: Post) -> Delivered:
        """An operator's own post stays: only they can delete it. The thread says that the customer has it no more."""
        if not await self._withdrawals.mark(post, self._waking):
            return Delivered()  # they have deleted it here, too
        language = delivery.session.language
        message = render.link(self._wording(language, "line.this_message"), post.link)
        gone = self._wording(language, "line.withdrawn_here", message=message)
        return await self._say_all(delivery, (render.line(gone),))

    async def _remove_file(self, delivery: Delivery, effect: RemoveFile) -> Delivered:
        """The post goes on with the files that are left, and says that there was one more."""
        written = written_at(effect.message) if not delivery.posts else None
        if written is not None and delivery.thread is not None:
            where = Post(Root.of(delivery.thread).guild, *written).link
            await note_remains(self._store, NAME, delivery, effect.file, where)
        if not delivery.posts or delivery.body is None or effect.withdrawn:
            return Delivered()
        posts = [Post.of(ref) for ref in delivery.posts]
        if posts[0].together:
            await self.bursts.redraw(delivery, posts[0])
            return Delivered()
        (first, *_), left = posts, left_in(posts, delivery.body, await self._file_limit(delivery))
        rendered = await self._said_anew(delivery, effect)
        await self._update(delivery, first, rendered[0], files=left[first.message])
        for post in (one for one in posts[1:] if one.files and left[one.message] != one.files):
            shown = render.files_only(delivery.body.files, delivery.session.language, self._wording)
            await (
                self._update(delivery, post, shown, files=left[post.message])
                if left[post.message]
                else self._remove(post)
            )
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
        for post in map(Post.of, delivery.posts):
            if post.channel != root.thread and post != card:  # a call, in the channel or between two
                await self._remove(post)
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
            await self._update(delivery, await self._roots.card(delivery), await self._draw(delivery), card=True)
            await self._upkeep.follow(delivery, await self._channels.of(place_of(delivery)))

    async def _update(
        self,
        delivery: Delivery,
        post: Post,
        rendered: Rendered,
        *,
        files: Sequence[str] | None = None,
        card: bool = False,
        filtered: bool = True,
    ) -> None:
        """`files`: those of its own that it keeps, if not all. `card`: no other thread is archived for it. Not
        `filtered`: nothing may stand in its place."""
        body = {**rendered.changed, **({} if files is None else {"attachments": [{"id": one} for one in files]})}
        try:
            change = partial(self._edit, post)
            edit = partial(self._filter.past, delivery, body, change) if filtered else partial(change, body)
            await self._waking.active(post.guild, post.channel, edit, makes_room=not card)
        except DeliveryError as error:
            if error.code not in ALREADY_GONE:
                raise
            _log.info("discord_post_gone", channel=post.channel, message=post.message)

    async def _edit(self, post: Post, body: Mapping[str, Any]) -> None:
        try:
            await self._api.say(f"/channels/{post.channel}/messages/{post.message}", body, verb="PATCH")
        except DeliveryError as error:
            if error.code != ANOTHERS:
                raise
            if not await self._personas.change(post, body):
                _log.warning("discord_post_not_changed", channel=post.channel, message=post.message)

    async def _update_burst(self, delivery: Delivery, post: Post, rendered: Rendered, filtered: bool) -> None:
        await self._update(delivery, post, rendered, filtered=filtered)

    async def _remove(self, post: Post) -> None:
        try:
            await self._api.call("DELETE", f"/channels/{post.channel}/messages/{post.message}")
        except DeliveryError as error:
            if error.code == "no_permission" and await self._personas.remove(post):
                return
            if error.code not in ALREADY_GONE:
                raise

    # ------------------------------------------------------------------ speaking in a thread

    async def _say_all(self, delivery: Delivery, rendered: Sequence[Rendered], *, first: int = 0) -> Delivered:
        """Post one after another from number `first` on, going on after those that an earlier attempt has posted.

        Raises DeliveryError (certain) when it takes longer than one delivery may: it goes on in the next one.
        """
        until, said = get_running_loop().time() + POSTING, await self._part_books.read(delivery.effect.id)
        if not said:
            await self._part_books.note_words(delivery.effect, rendered)
        root = Root.of(delivery.thread) if delivery.thread else await self._reopening.open(delivery, None)
        for number, one in enumerate(rendered):
            if number < first or str(number) in said:
                continue
            if get_running_loop().time() > until:
                raise DeliveryError(Fault.TRANSIENT, "posting", retry_after=0.5)
            root, post = await self._say(delivery, root, one, nonce(delivery.effect.id, number))
            said[str(number)] = post
            if len(rendered) - first > 1:
                await self._part_books.write(delivery.effect.id, said)
        posts = tuple(PostRef(said[number]) for number in sorted(said, key=int) if said[number])
        return Delivered(root.ref if root.ref != delivery.thread else None, posts)

    async def _say_burst(self, delivery: Delivery, rendered: Rendered, name: str) -> tuple[Root, str]:
        root = Root.of(delivery.thread) if delivery.thread else await self._reopening.open(delivery, None)
        return await self._say(delivery, root, rendered, nonce(name), filtered=False)

    async def _say(
        self, delivery: Delivery, root: Root, rendered: Rendered, name: str, *, filtered: bool = True
    ) -> tuple[Root, str]:
        """Post in the mirror's thread, with a nonce, and open it again first where somebody has deleted it. Not
        `filtered`: nothing may stand in its place."""
        body = {**rendered.posted, "nonce": name, "enforce_nonce": True}
        files = await self._uploads.read(rendered.files, delivery.effect.id)

        def past(say: Callable[[Mapping[str, Any]], Awaitable[Any]]) -> Awaitable[Any]:
            return self._filter.past(delivery, body, say) if filtered else say(body)

        try:
            answer = await self._personas.say(delivery, root, body, files)
            if answer is None:
                within = partial(past, partial(self._post, root, files))
                answer = await self._waking.active(root.guild, root.thread, within)
        except DeliveryError as error:
            if error.code == "unknown_message":
                return root, ""  # it was there already, and somebody has deleted it since
            if error.code in FILES_REFUSED and files:
                told = await self._told_of(delivery, rendered, too_large=error.code == "too_large")
                return await self._say(delivery, root, told, name)
            if error.code not in THREAD_GONE:
                raise
            root = await self._reopening.open(delivery, root)
            answer = await past(partial(self._post, root, files))
        shown = tuple(str(one["id"]) for one in answer.get("attachments") or ())
        return root, root.post(str(answer["id"]), shown).ref

    async def _post(self, root: Root, files: Sequence[Upload], body: Mapping[str, Any]) -> Any:
        return await self._api.say(f"/channels/{root.thread}/messages", body, files)

    # ------------------------------------------------------------------ finding out

    async def find(self, delivery: Delivery) -> list[Delivered]:
        """See the port."""
        if isinstance(delivery.effect, AlertDesk | CallOperators) and (found := await self._beyond.find(delivery)):
            return found
        return await self._reconciliation.find(delivery)

    async def find_together(self, deliveries: Sequence[Delivery]) -> list[list[Delivered]]:
        return await self._reconciliation.find_together(deliveries)

    async def remove_double(self, delivery: Delivery, double: Delivered) -> None:
        await self._reconciliation.remove_double(delivery, double)

    async def _drawn(self, delivery: Delivery) -> tuple[Rendered, ...]:
        """What it says, all of it."""
        effect = delivery.effect
        return (
            await self._revised(delivery, effect)
            if isinstance(effect, ReviseMessage)
            else await self._to_be_posted(delivery, effect)
        )

    # ------------------------------------------------------------------ how it looks

    async def _with_files(self, delivery: Delivery, effect: PostMessage) -> tuple[Rendered, ...]:
        """The files go with the first post of the words; those that it cannot hold, in posts behind them."""
        first, *words = await self._said(delivery, effect.side, effect.operator)
        files = delivery.body.files if delivery.body is not None else ()
        posts = packed(files, await self._file_limit(delivery)).posts
        language = delivery.session.language
        more = (render.files_only(one, language, self._wording) for one in posts[1:])
        return (replace(first, files=posts[0] if posts else ()), *words, *more)

    async def _told_of(self, delivery: Delivery, rendered: Rendered, *, too_large: bool) -> Rendered:
        """Discord does not take these files after all, or not from us: the words need not wait for that."""
        message, words = kept_under(delivery.effect), replace(rendered, files=())
        await self._untaken.note(delivery, message, rendered.files, too_large=too_large)
        if not too_large:
            return self._beneath.add_to(words, delivery, refused=rendered.files)
        self._channels.no_more_than(place_of(delivery), LARGEST)
        return self._beneath.add_to(words, delivery, rendered.files)

    async def _file_limit(self, delivery: Delivery) -> int:
        """Asked for only where it matters."""
        files = delivery.body.files if delivery.body is not None else ()
        is_large = any(one.size > LARGEST for one in files)
        return await self._channels.file_limit(place_of(delivery)) if is_large else LARGEST

    async def _said_anew(self, delivery: Delivery, effect: ReviseMessage | RemoveFile) -> tuple[Rendered, ...]:
        """What stands there already: what Discord did not take of it then, it has not taken since."""
        too_large, refused = await self._untaken.of(delivery, effect.message)
        return await self._said(delivery, effect.side, self._author(delivery, effect), too_large, refused)

    async def _said(
        self,
        delivery: Delivery,
        side: Side,
        operator: OperatorId | None,
        turned_out_large: Sequence[FilePart] = (),
        refused: Sequence[FilePart] = (),
    ) -> tuple[Rendered, ...]:
        """The words, and what there is to say of files that are not here."""
        if delivery.body is None:
            raise AssertionError("asked for with a body only")
        language = delivery.session.language
        if side is Side.CUSTOMER or operator is None:
            speaker = customer_name(delivery.about, language, self._wording)
        else:
            speaker = self._directory.public_name(operator, language)
        rendered = render.said(
            side,
            delivery.body,
            speaker,
            language=language,
            wording=self._wording,
            others=len(delivery.held) + delivery.body.purged,
        )
        beyond = packed(delivery.body.files, await self._file_limit(delivery)).too_large
        too_large = [one for one in delivery.body.files if one in beyond or one in turned_out_large]
        return self._beneath.add(rendered, delivery, too_large, [one for one in refused if one not in too_large])

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
        told, language = await self._retelling.told(delivery), delivery.session.language
        return render.history(told, language, self._wording, len(delivery.history) or render.HISTORIES)
